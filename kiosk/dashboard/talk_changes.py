"""Changes of the agenda and of who is on stage, made from the agenda that somebody saw: for the page and for programs.

When the agenda is another one by now, nothing is changed and it is said. What was done is told in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from kiosk.dashboard.language import Later, later, say_later
from kiosk.dashboard.orders import NotDone, give
from kiosk.dashboard.ports import News
from kiosk.news import AgendaNews, StreamCommand
from stream.agenda import Agenda, AgendaChanged, Talk

NOT_HEARD = say_later("The stream's program has not told its talks yet.")
_LONGEST_ID = 64


class TalkChanges:
    """Each change asks the stream process, which keeps the agenda.

    All raise UnknownTalk, AgendaChanged, AgendaError, NotDone, and BusError when the stream process does not answer.
    """

    def __init__(self, news: News) -> None:
        self._news = news

    def find(self, talk_id: str) -> Talk:
        """The talk of this id."""
        known = self._news.latest().agenda
        return (known.agenda if known else Agenda()).talk(talk_id[:_LONGEST_ID])

    def seen(self, revision: str) -> AgendaNews:
        """The agenda, when it still is the one of `revision`."""
        known = self._news.latest().agenda
        if known is None:
            raise NotDone(NOT_HEARD)
        if revision != known.revision:
            raise AgendaChanged("The agenda was changed meanwhile. It is below as it is now: look, then press again.")
        return known

    def stage(self, talk_id: str) -> Later:
        """Say which talk is on stage now."""
        talk = self.find(talk_id)
        give(self._news, StreamCommand(do="put_on_stage", talk=talk.id))
        return later("On stage: %(talk)s", talk=short(talk))

    def next(self, talk_id: str) -> Later:
        """Say which talk is the next one."""
        talk = self.find(talk_id)
        give(self._news, StreamCommand(do="make_next", talk=talk.id))
        return later("Next: %(talk)s", talk=short(talk))

    def undo_stage(self) -> Later:
        """Take back the last order."""
        give(self._news, StreamCommand(do="undo"))
        return later("Undone")

    def move(self, talk_id: str, revision: str, *, up: bool) -> Later:
        """Move a talk by one place."""
        known = self.seen(revision)
        talk = known.agenda.talk(talk_id[:_LONGEST_ID])
        ids: list[str | None] = [each.id for each in known.agenda.talks]
        place = ids.index(talk.id)
        before = ids[max(place - 1, 0)] if up else [*ids, None, None][place + 2]
        self.replace(known.agenda.move(talk.id, before=before), known)
        return later("Moved up: %(talk)s", talk=short(talk)) if up else later("Moved down: %(talk)s", talk=short(talk))

    def remove(self, talk_id: str, revision: str) -> Later:
        """Take a talk out of the agenda."""
        known = self.seen(revision)
        talk = known.agenda.talk(talk_id[:_LONGEST_ID])
        self.replace(known.agenda.remove(talk.id), known)
        return later("Removed: %(talk)s", talk=short(talk))

    def undo(self, revision: str) -> Later:
        """Take back the last change of the agenda."""
        known = self.seen(revision)
        give(self._news, StreamCommand(do="undo_agenda", made_from=known.revision))
        return later("Undone")

    def add(self, make: Callable[[Talk], Talk], revision: str) -> Later:
        """One more talk, in the place of its time: `make` fills an empty one, whose id is chosen afterwards."""
        known = self.seen(revision)
        talk = make(Talk(id="new", title="new"))
        fields = {name: getattr(talk, name) for name in ("title", "speaker", "starts_at", "minutes", "room")}
        agenda = known.agenda.add(**fields)
        if talk.do_not_record:
            (added,) = {each.id for each in agenda.talks} - {each.id for each in known.agenda.talks}
            agenda = agenda.change(msgspec.structs.replace(agenda.talk(added), do_not_record=True))
        self.replace(agenda, known)
        return later("Added: %(talk)s", talk=short(talk))

    def edit(self, talk_id: str, change: Callable[[Talk], Talk], revision: str) -> Later:
        """Another text or time for a talk, which keeps its place."""
        known = self.seen(revision)
        talk = change(known.agenda.talk(talk_id[:_LONGEST_ID]))
        self.replace(known.agenda.change(talk), known)
        return later("Changed: %(talk)s", talk=short(talk))

    def replace(self, agenda: Agenda, known: AgendaNews) -> None:
        """Put `agenda` in the place of the one that was seen."""
        give(self._news, StreamCommand(do="replace_agenda", agenda=agenda, made_from=known.revision))


def short(talk: Talk) -> str:
    """A title as the answer to a press says it."""
    return talk.title if len(talk.title) <= 60 else talk.title[:60] + "…"
