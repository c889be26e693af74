"""What the volunteer's page says after a press, and of a ticket that was found: states to words and a next step."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from kiosk.dashboard import words
from kiosk.dashboard.language import _, ngettext, say_later
from kiosk.dashboard.told import sentence
from kiosk.dashboard.words import Tone
from kiosk.ledger import Decision, Direction, Found, Reason, Waiting
from kiosk.tickets.status import Status

# What the volunteer can do about a refusal; the guest's own words are words.REFUSALS.
ADVICE = {
    Reason.INVALID: say_later(
        "Nobody here has this ticket. Search again by e-mail or order, or let them in as a walk-in."
    ),
    Reason.REVOKED: say_later("A newer ticket took its place: search for the newer one."),
    Reason.CANCELED: say_later("This ticket was given back. A walk-in seat may be free."),
    Reason.BLOCKED: say_later("An organizer blocked it: ask one before you let them in."),
    Reason.UNAPPROVED: say_later("Nobody has approved it yet: ask an organizer."),
    Reason.INVALID_TIME: say_later("It is for another time: look at its date together."),
    Reason.UNPAID: say_later("Settle the payment or ask an organizer, then let them in."),
    Reason.ALREADY_REDEEMED: say_later(
        "They are counted inside already, or have left and this event lets nobody back in. "
        "Did they leave unseen? Check them out first. Did one more of a group come? Count them with +1."
    ),
    Reason.AMBIGUOUS: say_later(
        "Some of their group are inside, or they left a moment ago: ask, then search their name."
    ),
    Reason.FULL: say_later("Every seat is taken. Offer the waiting list, or the livestream."),
}
_ASK = say_later("Ask an organizer before you let them in.")
FIRE_LIMIT = say_later("The room's fire limit is reached: nobody more, whoever asks. Somebody has to leave first.")
LEFT_UNKNOWN = say_later("Nobody here has this ticket. Let them out, and count one fewer by hand.")
INSIDE_STILL = say_later("They are counted inside, and nobody is let in twice. Check them out first.")
NO_FREE_SEAT = say_later(
    "No seat is left that nobody has, keeps or waits for. Offer the waiting list, or the livestream; "
    "when the talks have begun, release kept seats."
)
NOT_THEIR_TURN = say_later(
    "No seat is free for them yet, or others come first. Release kept seats, or wait until somebody leaves."
)

_STATUS = {
    Status.UNPAID: "unpaid",
    Status.CANCELED: "canceled",
    Status.BLOCKED: "blocked",
    Status.REVOKED: "revoked",
    Status.UNAPPROVED: "unapproved",
    Status.PRODUCT: "product",
}


class Insist(msgspec.Struct, frozen=True, kw_only=True):
    """What a second press would do against the rules."""

    action: str  # where it is posted
    fields: dict[str, str]
    may_wait: bool = False  # whether the waiting list is the better answer


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a press. It travels to the next page in the session's cookie, to this phone only."""

    tone: Tone
    title: str
    detail: str = ""
    attention: str = ""  # the ticket's note
    undo: int = 0  # the row that can be taken back by one press
    insist: Insist | None = None


class FoundLine(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that was found."""

    id: int
    who: str
    about: str  # product, order and e-mail: what tells two of one name apart
    tone: Tone
    state: str
    attention: str
    persons: int  # who may still come in
    is_inside: bool


class WaitingLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on the waiting list."""

    id: int
    place: int
    who: str
    detail: str


def found(each: Found, zone: ZoneInfo) -> FoundLine:
    """A ticket as a line of the results; times in `zone`."""
    ticket = each.ticket
    at = words.hour(each.last_at, zone) if each.last_at else ""
    tone: Tone = "calm"
    if each.inside:
        tone = "yes"
        state = ngettext("Inside since %(time)s", "%(num)s people inside since %(time)s", each.inside, time=at)
    elif ticket.status in _STATUS:
        refusal = words.REFUSALS[_STATUS[ticket.status]].said()
        tone, state = refusal.tone, refusal.short
    else:
        state = _("Left at %(time)s", time=at) if each.last_at else _("Not here yet")
    known = (words.product(ticket.product), ticket.order_code, ticket.email)
    return FoundLine(
        id=ticket.id,
        who=ticket.holder or (_("Walk-in") if ticket.is_walk_in else _("No name")),
        about=" · ".join(part for part in known if part) or _("ticket %(number)s", number=ticket.number),
        tone=tone,
        state=state,
        attention=ticket.note or "",
        persons=max(ticket.persons - each.inside, 0),
        is_inside=each.inside > 0,
    )


def waiting(guest: Waiting, place: int, zone: ZoneInfo) -> WaitingLine:
    """A guest of the waiting list, on the `place`-th place of it."""
    return WaitingLine(
        id=guest.id,
        place=place,
        who=guest.name,
        detail=_("%(people)s · since %(time)s", people=words.people(guest.persons), time=words.hour(guest.since, zone)),
    )


def came_in(decision: Decision) -> Said:
    """Somebody was let in; of a group in parts, the rest."""
    who, persons = _who(decision), decision.persons
    if decision.ticket is not None and persons < decision.ticket.persons:
        title = ngettext("%(who)s: %(num)s person came in", "%(who)s: %(num)s people came in", persons, who=who)
    elif persons > 1:
        title = ngettext("%(who)s and %(num)s more are in", "%(who)s and %(num)s more are in", persons - 1, who=who)
    else:
        title = _("%(who)s is in", who=who)
    notes = [_inside(decision), *(f"{words.caveat(code).capitalize()}." for code in decision.caveats)]
    return Said(
        tone="yes",
        title=title,
        detail=" ".join(notes),
        attention=(decision.ticket.note or "") if decision.ticket else "",
        undo=decision.scan_id,
    )


def went_out(decision: Decision) -> Said:
    """Somebody was let out."""
    return Said(
        tone="calm", title=_("%(who)s left", who=_who(decision)), detail=_inside(decision), undo=decision.scan_id
    )


def refused(decision: Decision, who: str, insist: Insist | None, when_full: str = ADVICE[Reason.FULL]) -> Said:
    """Somebody was not let in. `insist`: the second press to offer; None when this was it."""
    reason = decision.reason or Reason.ERROR
    advice = ADVICE.get(reason, _ASK)
    if insist is None and reason is Reason.FULL:
        advice = FIRE_LIMIT
    elif reason is Reason.FULL:
        advice = when_full
    elif insist is None and reason is Reason.ALREADY_REDEEMED:
        advice = INSIDE_STILL
    return _refused(reason, who, advice, insist)


def scanned(decision: Decision) -> Said:
    """What a phone says that read a code."""
    if decision.is_admitted:
        return came_in(decision) if decision.direction is Direction.ENTRY else went_out(decision)
    reason = decision.reason or Reason.ERROR
    if reason is Reason.INVALID:
        advice = LEFT_UNKNOWN if decision.direction is Direction.EXIT else ADVICE[reason]
        return _refused(reason, _("No ticket"), advice)
    return _refused(reason, _who(decision), ADVICE.get(reason, _ASK))


def _refused(reason: Reason, who: str, advice: str, insist: Insist | None = None) -> Said:
    refusal = words.REFUSALS[reason].said()
    title = _("%(who)s: %(why)s", who=who, why=refusal.short.lower())
    return Said(tone=refusal.tone, title=title, detail=_(advice), insist=insist)


def not_their_turn(who: str, insist: Insist) -> Said:
    """Somebody on the waiting list has to wait on, unless a volunteer insists."""
    return Said(tone="warn", title=_("%(who)s: not yet", who=who), detail=_(NOT_THEIR_TURN), insist=insist)


def failed(error: Exception) -> Said:
    """Nothing was done, for a reason that the ledger says."""
    return Said(tone="no", title=_("Not done"), detail=sentence(str(error) or type(error).__name__))


def _who(decision: Decision) -> str:
    ticket = decision.ticket
    if ticket is None:
        return _("Nobody")
    return ticket.holder or (_("Walk-in") if ticket.is_walk_in else _("No name"))


def _inside(decision: Decision) -> str:
    return _("%(inside)s of %(capacity)s inside.", inside=decision.inside, capacity=decision.capacity)
