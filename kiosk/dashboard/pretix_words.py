"""How it stands with pretix, in the words of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kiosk.dashboard import words
from kiosk.dashboard.language import _, day_and_time, ngettext, say_later
from kiosk.dashboard.told import sentence
from kiosk.ledger.pretix_copy import Conflict
from kiosk.pretix.desk import Choice
from kiosk.pretix.sync import Phase, SyncState

_WHEN = "EEE d MMM HH:mm"

_CONFLICTS = {
    "already_redeemed": say_later("In pretix this ticket was used before: perhaps two people came in by it."),
    "unpaid": say_later("pretix says that it is not paid."),
    "canceled": say_later("pretix says that it was cancelled."),
    "blocked": say_later("pretix says that it is blocked."),
    "revoked": say_later("pretix says that it was replaced by a newer ticket."),
    "unapproved": say_later("pretix says that nobody has approved it."),
    "invalid_time": say_later("pretix says that it is not good at this hour."),
    "product": say_later("pretix says that it is for something else."),
    "rules": say_later("pretix says that a rule of its own is against it."),
    "invalid": say_later("pretix knows no such ticket."),
    "annul": say_later(
        "Their entry was undone here; pretix still has them as come, since it takes nothing back so late."
    ),
    "time": say_later("Nobody knows when that was, so pretix was not told: write it there by hand."),
    "error": say_later("pretix did not take this scan: write it there by hand."),
}


class ConflictLine(NamedTuple):
    """Something that a person looks at."""

    scan_id: int
    number: int | None  # of the ticket
    who: str
    when: str
    says: str


class ChoiceLine(NamedTuple):
    """A check-in list to choose."""

    value: str
    says: str
    is_chosen: bool


def status(state: SyncState, zone: ZoneInfo) -> words.Status:
    """How it stands."""
    match state.phase:
        case Phase.ABSENT:
            return words.Status("calm", _("Not connected"))
        case Phase.UNCHOSEN:
            return words.Status("warn", _("Connected"), _("Choose whose tickets they are."))
        case Phase.STARTING:
            return words.Status("calm", _("Asking pretix"), age(state, zone))
        case Phase.CURRENT:
            return words.Status("yes", _("Up to date"), age(state, zone))
        case Phase.AWAY:
            says = _("The door goes on with its copy.")
            return words.Status("warn", _("pretix is away"), " ".join((age(state, zone), says, sentence(state.cause))))
        case Phase.REFUSED:
            return words.Status("no", _("pretix says no"), " ".join((age(state, zone), sentence(state.cause))))


def age(state: SyncState, zone: ZoneInfo) -> str:
    """How old the copy is."""
    if state.copied_at is None:
        return _("There is no copy yet: the door knows none of its tickets.")
    if state.age_s is None:
        when = day_and_time(state.copied_at.astimezone(zone), _WHEN)
        return _("The copy is of before this machine was started (%(when)s).", when=when)
    return _("The copy is %(age)s old.", age=words.seconds(state.age_s))


def untold(state: SyncState) -> str:
    """What waits."""
    if not state.untold:
        return _("pretix was told of every scan.")
    return ngettext("%(num)s scan has yet to be told.", "%(num)s scans have yet to be told.", state.untold)


def conflicts(found: Sequence[Conflict], zone: ZoneInfo) -> Sequence[ConflictLine]:
    """What to look at."""
    return [
        ConflictLine(
            each.scan_id,
            each.number,
            each.holder or (_("ticket no. %(number)s", number=each.number) if each.number else _("No ticket")),
            f"{words.hour(each.at, zone)} · {each.gate}",
            " ".join(
                filter(
                    None,
                    (
                        _(_CONFLICTS[each.reason])
                        if each.reason in _CONFLICTS
                        else _("pretix says: %(reason)s", reason=each.reason),
                        _("That was at %(hour)s.", hour=words.hour(each.other_at, zone)) if each.other_at else "",
                    ),
                )
            ),
        )
        for each in found
    ]


def choices(found: Sequence[Choice], state: SyncState, zone: ZoneInfo) -> Sequence[ChoiceLine]:
    """What can be chosen."""
    link = state.link
    return [
        ChoiceLine(
            f"{each.checkin_list} {each.event}",
            f"{each.event_name}, {day_and_time(each.starts_at.astimezone(zone), _WHEN)}: {each.list_name}",
            link is not None and (link.event, link.checkin_list) == (each.event, each.checkin_list),
        )
        for each in found
    ]
