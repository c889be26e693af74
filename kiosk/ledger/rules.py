"""Who may enter and who may leave: pure rules over a ticket, its history, the room and the time.

No database, no clock of its own. The order of the checks and the words are pretix's (facts of its scanner); `full` is
ours and comes last, so that a guest whose ticket is wrong hears about the ticket. docs/door.md has them as a table.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from kiosk.tickets.status import Status


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
    """What a green could not check, or what a person decided against the rules."""

    CLOCK = "clock_not_trusted"  # the ticket has a time window and the machine does not know the time
    OLD_COPY = "pretix_copy_old"  # pretix was not asked for a while: what changed there since is not known here
    SIGNATURE = "signature_only"  # pretix signed the code, and the copy of its orders has no such ticket
    OVERRIDE = "override"  # somebody let this guest in although the rules said no


class Direction(StrEnum):
    """Which way somebody goes."""

    ENTRY = "entry"
    EXIT = "exit"


DWELL = timedelta(seconds=60)  # at a gate for both ways: a phone that lingers so long after its green is no exit


class GateMode(StrEnum):
    """What a gate is for."""

    ENTRY = "entry"
    EXIT = "exit"
    BOTH = "both"  # the ticket's own state says which way its holder goes


class Claim(NamedTuple):
    """What the rules need to know of the ticket that was shown."""

    status: Status
    valid_from: datetime | None  # aware
    valid_until: datetime | None
    persons: int  # its holder and the guests (+1s) it admits
    inside: int  # how many of them are inside now
    entered: int  # how many its entries let in, all together: who came in twice is counted twice
    since_last_s: float | None  # since its last movement, on this boot's monotonic clock; None: another boot, or never
    is_used_elsewhere: bool = False  # another device let its holder in, so pretix says
    unchecked: tuple[Caveat, ...] = ()  # what nobody could check of it

    @property
    def is_partly_inside(self) -> bool:
        """Whether some of a group are inside and some are not."""
        return 0 < self.inside < self.persons

    def rest(self, *, may_return: bool) -> int:
        """How many of its people may come in now; where nobody may return, those who have never been in."""
        return max(self.persons - (self.inside if may_return else self.entered), 0)


class Room(NamedTuple):
    """What the rules need to know of the room."""

    inside: int
    capacity: int  # seats
    fire_limit: int  # never more than these; at least the seats
    kept: int  # seats kept for ticket holders who have not come yet; 0 once no-shows are released
    claimed: int = 0  # seats that guests of the waiting list, who come first, could take now


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


def judge_entry(
    claim: Claim | None,
    room: Room,
    now: datetime,
    *,
    is_clock_trusted: bool,
    may_return: bool,
    persons: int,
    is_way_clear: bool = True,
) -> Verdict:
    """Whether `persons` may enter on `claim` now; None is a code that the ledger does not know.

    `may_return`: whether a guest who left may come in again. `is_way_clear`: see Way; nobody guesses.
    """
    if claim is None:
        return Verdict(Reason.INVALID)
    if claim.status in _BY_STATUS:
        return Verdict(_BY_STATUS[claim.status])
    is_timely = (claim.valid_from is None or claim.valid_from <= now) and (
        claim.valid_until is None or now <= claim.valid_until
    )
    if is_clock_trusted and not is_timely:
        return Verdict(Reason.INVALID_TIME)
    if claim.status is Status.PRODUCT:
        return Verdict(Reason.PRODUCT)
    if claim.status is Status.UNPAID:
        return Verdict(Reason.UNPAID)
    if not is_way_clear:
        return Verdict(Reason.AMBIGUOUS)
    if persons > claim.rest(may_return=may_return) or (claim.is_used_elsewhere and not claim.entered):
        return Verdict(Reason.ALREADY_REDEEMED)
    if room.inside + persons > room.capacity:
        return Verdict(Reason.FULL)
    has_window = claim.valid_from is not None or claim.valid_until is not None
    return Verdict(None, (*((Caveat.CLOCK,) if has_window and not is_clock_trusted else ()), *claim.unchecked))


def judge_walk_in(room: Room, persons: int) -> Verdict:
    """Whether `persons` without a ticket may enter: into seats that are neither taken, kept nor claimed."""
    is_room = room.inside + room.kept + room.claimed + persons <= room.capacity
    return Verdict(None if is_room else Reason.FULL)


def claimed(room: Room, waiting: Iterable[int]) -> int:
    """How many seats the groups that wait, by their sizes in order, could take now.

    A group that does not fit into what is left claims nothing: it keeps its place and keeps nobody else out.
    """
    free = left = max(room.capacity - room.inside - room.kept, 0)
    for persons in waiting:
        left -= persons if persons <= left else 0
    return free - left


def overrule(verdict: Verdict, room: Room, persons: int) -> Verdict:
    """A person lets them in although the rules said no; the fire limit overrules the person."""
    if verdict.reason is None:
        return verdict
    if room.inside + persons > room.fire_limit:
        return Verdict(Reason.FULL)
    return Verdict(None, (*verdict.caveats, Caveat.OVERRIDE))


class Way(NamedTuple):
    """Which way somebody goes."""

    direction: Direction
    is_clear: bool = True  # False: the code does not say whether they come or go, and is refused as ambiguous


def way(mode: GateMode, claim: Claim | None, dwell: timedelta) -> Way:
    """Which way the holder of `claim` goes through a gate of this mode.

    At a gate for both, who is inside leaves and who is outside enters. Within `dwell` of a movement a phone may just
    linger: after an entry it is used already, after an exit it might be a guest who turned round. Nor does the code of
    a group of which some are inside say whether those leave or the others come.
    """
    if mode is not GateMode.BOTH:
        return Way(Direction(mode.value))
    if claim is None or not claim.entered:
        return Way(Direction.ENTRY)
    is_lingering = claim.since_last_s is not None and claim.since_last_s < dwell.total_seconds()
    if claim.is_partly_inside or (is_lingering and not claim.inside):
        return Way(Direction.ENTRY, is_clear=False)
    return Way(Direction.EXIT if claim.inside and not is_lingering else Direction.ENTRY)
