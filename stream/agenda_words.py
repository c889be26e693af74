"""What taking back the last change of an agenda would do, in words."""

from __future__ import annotations

from stream.agenda import Agenda, Talk

_TITLE = 60  # letters of a title that are enough to know it by


def undo_words(before: Agenda | None, now: Agenda) -> str:
    """What becomes of `now` when it is `before` again; "" when nothing, or when nothing is known of before."""
    if before is None or before == now:
        return ""
    old = {talk.id: talk for talk in before.talks}
    new = {talk.id: talk for talk in now.talks}
    gone = [old[each] for each in old if each not in new]
    added = [new[each] for each in new if each not in old]
    changed = [old[each] for each in old if each in new and old[each] != new[each]]
    match gone, added, changed:
        case [talk], [], []:
            return f"{_short(talk)} is there again"
        case [], [talk], []:
            return f"without {_short(talk)}"
        case [], [], [talk]:
            return f"{_short(talk)} as it was before"
        case [], [], []:
            return "the order before" if before.talks != now.talks else "the name before"
    many = len(before.talks)
    return "no talks, as before" if many == 0 else f"the {many} talks before" if many > 1 else "the one talk before"


def _short(talk: Talk) -> str:
    return f"“{talk.title if len(talk.title) <= _TITLE else talk.title[:_TITLE] + '…'}”"
