"""Who may enter: pure rules over a ticket, its history, the room and the time. No database, no clock of its own.

The order of the checks and the words are pretix's (facts of its scanner); `full` is ours and comes last, so that a
guest whose ticket is wrong hears about the ticket.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from kiosk.tickets.sheet import Status


class Reason(StrEnum):
    """Why not. pretix's words, and `full`."""

    INVALID = "invalid"
    REVOKED = "revoked"
    CANCELED = "canceled"
    BLOCKED = "blocked"
    UNAPPROVED = "unapproved"
    INVALID_TIME = "invalid_time"
    UNPAID = "unpaid"
    ALREADY_REDEEMED = "already_redeemed"
    PRODUCT = "product"
    RULES = "rules"
    AMBIGUOUS = "ambiguous"
    ERROR = "error"
    FULL = "full"


class Caveat(StrEnum):
    """What a green could not check."""

    CLOCK = "clock_not_trusted"  # the ticket has a time window and the machine does not know the time


class Claim(NamedTuple):
    """What the rules need to know of the ticket that was shown."""

    status: Status
    valid_from: datetime | None  # aware
    valid_until: datetime | None
    was_inside: bool


class Room(NamedTuple):
    """What the rules need to know of the room."""

    inside: int
    capacity: int


class Verdict(NamedTuple):
    """The answer: admitted when there is no reason."""

    reason: Reason | None
    caveats: tuple[Caveat, ...] = ()


_BY_STATUS = {
    Status.REVOKED: Reason.REVOKED,
    Status.CANCELED: Reason.CANCELED,
    Status.BLOCKED: Reason.BLOCKED,
    Status.UNAPPROVED: Reason.UNAPPROVED,
}


def judge_entry(claim: Claim | None, room: Room, now: datetime, *, is_clock_trusted: bool) -> Verdict:
    """Whether the holder of `claim` may enter now; None is a code that the ledger does not know."""
    if claim is None:
        return Verdict(Reason.INVALID)
    if claim.status in _BY_STATUS:
        return Verdict(_BY_STATUS[claim.status])
    is_timely = (claim.valid_from is None or claim.valid_from <= now) and (
        claim.valid_until is None or now <= claim.valid_until
    )
    if is_clock_trusted and not is_timely:
        return Verdict(Reason.INVALID_TIME)
    if claim.status is Status.UNPAID:
        return Verdict(Reason.UNPAID)
    if claim.was_inside:
        return Verdict(Reason.ALREADY_REDEEMED)
    if room.inside >= room.capacity:
        return Verdict(Reason.FULL)
    has_window = claim.valid_from is not None or claim.valid_until is not None
    return Verdict(None, (Caveat.CLOCK,) if has_window and not is_clock_trusted else ())
