"""What the page of the talks shows: the agenda's lines, which of them is on stage and next, and what may be pressed."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from kiosk.dashboard import words
from kiosk.dashboard.language import _, day_and_time, say_later
from kiosk.dashboard.ports import NewsNow
from kiosk.dashboard.talk_changes import NOT_HEARD
from kiosk.dashboard.told import told
from kiosk.dashboard.words import Tone
from stream.agenda import Agenda
from stream.health import StreamState

READ_ONLY = say_later("The stream's program does not answer. The talks can be read, not changed, until it is back.")

Undo = Literal["", "stage", "agenda"]


class TalkLine(msgspec.Struct, frozen=True, kw_only=True):
    """One talk of the list."""

    id: str
    time: str
    day: str  # "" when all talks are today
    title: str
    speaker: str
    about: str  # how long, where
    tone: Tone = "calm"
    state: str = ""
    is_unrecorded: bool = False
    can_stage: bool = False
    can_next: bool = False


class TalksView(msgspec.Struct, frozen=True, kw_only=True):
    """The page."""

    event: str
    lines: tuple[TalkLine, ...]
    revision: str
    version: str  # what live.js compares with HomeView's
    trouble: str = ""  # why nothing can be changed
    is_live: bool = False
    undo: str = ""  # of the agenda's last change
    undo_stage: str = ""  # of the last order


class TalksSaid(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a press; travels in the session's cookie, so its texts are short."""

    tone: Tone
    title: str
    detail: str = ""
    undo: Undo = ""  # which undo takes it back


class Standing(NamedTuple):
    """Where the evening is in its agenda, as facts."""

    agenda: Agenda
    revision: str
    on_stage: str  # the id of a talk, "" for none
    following: str
    is_live: bool  # else those two are told by the clock
    undo: str  # of the agenda's last change
    trouble: str  # why nothing can be changed


def standing(news: NewsNow, now: datetime | None) -> Standing:
    """The talks at this moment."""
    heard, state = news.agenda, _state(news)
    agenda = heard.agenda if heard else Agenda()
    trouble = NOT_HEARD if heard is None else READ_ONLY if state is None else ""
    return Standing(
        agenda,
        heard.revision if heard else "",
        *_marked(agenda, state, now),
        state is not None and state.order == "live",
        heard.undo if heard and not trouble else "",
        trouble,
    )


def compose(news: NewsNow, now: datetime | None, zone: ZoneInfo) -> TalksView:
    """The page of this moment; times in `zone`."""
    agenda, revision, on_stage, following, is_live, undo, trouble = standing(news, now)
    state = _state(news)
    days = {talk.starts_at.astimezone(zone).date() for talk in agenda.talks if talk.starts_at}
    today = {now.astimezone(zone).date()} if now else set()
    rooms = {talk.room for talk in agenda.talks}
    lines = []
    for talk in agenda.talks:
        tone: Tone = "calm"
        said = ""
        if talk.id == on_stage:
            tone, said = "yes", _("On stage") if is_live else _("On stage, by the clock")
        elif talk.id == following:
            tone, said = "warn", _("Next") if is_live else _("Next, by the clock")
        at = talk.starts_at.astimezone(zone) if talk.starts_at else None
        about = (f"{talk.minutes} min" if talk.minutes else "", talk.room if len(rooms) > 1 else "")
        lines.append(
            TalkLine(
                id=talk.id,
                time=f"{at:%H:%M}" if at else "",
                day=day_and_time(at, "EEE d") if at and days != today else "",
                title=talk.title,
                speaker=talk.speaker,
                about=" · ".join(part for part in about if part),
                tone=tone,
                state=said,
                is_unrecorded=talk.do_not_record,
                can_stage=is_live and not trouble and talk.id != on_stage,
                can_next=is_live and not trouble and talk.id not in {on_stage, following},
            )
        )
    return TalksView(
        event=agenda.event,
        lines=tuple(lines),
        revision=revision,
        version=version(news, now),
        trouble=_(trouble) if trouble else "",
        is_live=is_live,
        undo=_capital(undo),
        undo_stage=_capital(state.undo) if state else "",
    )


def version(news: NewsNow, now: datetime | None) -> str:
    """Another one when the page shows something else."""
    heard, state = news.agenda, _state(news)
    agenda = heard.agenda if heard else Agenda()
    on_stage, following = _marked(agenda, state, now)
    order = f"{state.order} {state.undo}" if state else "gone"
    shown = (heard.revision if heard else "", heard.undo if heard else "", on_stage, following, order)
    return hashlib.blake2b("\n".join(shown).encode(), digest_size=8).hexdigest()


def _state(news: NewsNow) -> StreamState | None:
    """The stream's state; None when its process is gone, or was never heard."""
    return None if news.stream is None or words.is_gone(news.stream) else news.stream.state


def _marked(agenda: Agenda, state: StreamState | None, now: datetime | None) -> tuple[str, str]:
    """The ids of the talk on stage and of the next one, "" for none: by the order while live, else by the clock."""
    if state is not None and state.order == "live":
        return (state.talk.id if state.talk else ""), (state.next_talk.id if state.next_talk else "")
    if now is None:
        return "", ""
    due = agenda.due(now)
    later = [talk for talk in agenda.talks if talk.starts_at is not None and talk.starts_at > now]
    return (due.id if due else ""), (later[0].id if later else "")


def _capital(text: str) -> str:
    text = told(text)
    return text[:1].upper() + text[1:]
