"""What goes into the ledger and what comes out: plain records, no database in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from hardware.clock import Stamp
from hardware.errors import PlatypusError
from kiosk.ledger.rules import Caveat, Direction, Reason
from kiosk.tickets.status import Status

PAPER = "paper"  # source of the rows that were typed in from the paper list, and their gate


class LedgerError(PlatypusError, OSError):
    """The ledger cannot be opened, read or written; nothing was admitted."""

    code = "ledger"


class UnknownEvent(PlatypusError, LookupError):
    """There is no event of that name."""

    code = "unknown_event"


class UnknownTicket(PlatypusError, LookupError):
    """There is no such ticket, scan or waiting guest in this event."""

    code = "unknown_ticket"


class OldPage(PlatypusError, ValueError):
    """A nonce that was used for something else before: the page it came from is old. Nothing was counted."""

    code = "old_page"


class TooMany(PlatypusError, ValueError):
    """More people than the ticket admits, or fewer than one."""

    code = "too_many"


class CannotUndo(PlatypusError, ValueError):
    """This row cannot be undone; its text says why."""

    code = "cannot_undo"


class ClockKnown(PlatypusError, ValueError):
    """A time server has set the clock: nobody need tell it the time."""

    code = "clock_known"


class WrongTime(PlatypusError, ValueError):
    """A time that cannot be now; its text says why."""

    code = "wrong_time"


class Event(NamedTuple):
    """One evening."""

    id: int
    slug: str
    name: str
    capacity: int  # seats
    fire_limit: int  # people, never more; at least the seats
    may_return: bool  # whether a guest who left may come in again
    starts_at: datetime | None  # aware, UTC
    release_no_shows_at: datetime | None  # from then on nobody's seat is kept; a person may say so earlier
    stream_page: str | None  # where viewers watch, for those who find the room full
    venue: str | None = None  # where it is, as tickets say


class NewTicket(NamedTuple):
    """A ticket to be written; `code_sha256` is kiosk.tickets.codes.digest of its code."""

    number: int  # 0: the next free one
    code_sha256: bytes
    is_own: bool  # its code derives from the event's secret, so it can be printed again
    holder: str | None = None
    email: str | None = None
    product: str | None = None
    status: Status = Status.PAID
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    guests: int = 0  # people it admits beside its holder
    order_code: str | None = None
    note: str | None = None  # what a volunteer must see: diet, access needs, speaker
    source: str | None = None  # the ticket system whose list it came from
    language: str | None = None  # "en" or "fr", that the ticket speaks; None: nobody said


class Ticket(NamedTuple):
    """A ticket of the ledger."""

    id: int
    number: int
    code_sha256: bytes
    is_own: bool
    is_walk_in: bool  # made at the door
    holder: str | None
    email: str | None
    product: str | None
    status: Status
    valid_from: datetime | None
    valid_until: datetime | None
    guests: int
    order_code: str | None
    note: str | None
    source: str | None  # None: made here, or before sources were noted
    revoked_from: str | None  # its Status before a person's hand revoked it; None: none did
    heir: int | None  # number of the ticket that took its place
    language: str | None = None  # "en" or "fr", that the ticket speaks; None: nobody said

    @property
    def persons(self) -> int:
        """How many people it admits."""
        return 1 + self.guests


class Presentation(NamedTuple):
    """One code held before one gate, once. Said again with the same nonce it is the same presentation."""

    code: bytes
    nonce: str
    gate: str
    source: str  # "camera", "scanner", "phone" ...
    at: Stamp
    actor: str | None = None  # whose phone read it; None: the gate itself


class Hand(NamedTuple):
    """Something a person does at a gate; said again with the same nonce it was done once."""

    actor: str  # who
    nonce: str
    gate: str
    at: Stamp


class Decision(NamedTuple):
    """The ledger's answer; it is on the disk before you have it."""

    scan_id: int
    direction: Direction
    reason: Reason | None
    caveats: tuple[Caveat, ...]
    ticket: Ticket | None
    inside: int
    capacity: int
    persons: int  # how many passed by it, in or out
    is_repeat: bool  # this nonce had been decided before; nothing was counted

    @property
    def is_admitted(self) -> bool:
        """Whether the guest may pass."""
        return self.reason is None


class Occupancy(NamedTuple):
    """Who is inside, and the seats."""

    inside: int
    capacity: int


class Movement(NamedTuple):
    """People who came in or went out, or were counted so."""

    at: datetime  # aware; as the clock turned out to be
    delta: int  # people


class HeadCount(NamedTuple):
    """The room in numbers, counted from the rows."""

    inside: int
    capacity: int
    admitted: int  # entries that were let in
    refused: int
    tickets: int


class Seats(NamedTuple):
    """How many people without a ticket could come in."""

    free: int  # neither taken, nor kept, nor waited for
    kept: int  # for ticket holders who have not come yet
    waiting: int  # people on the waiting list


class ScanRow(NamedTuple):
    """A row of the ledger with what a volunteer wants to know of it."""

    scan_id: int
    at: datetime  # aware, UTC; corrected when the clock was set later in that boot
    gate: str
    is_admitted: bool
    reason: str | None = None  # a Reason; None when admitted
    holder: str | None = None
    product: str | None = None
    caveats: tuple[str, ...] = ()  # Caveats
    kind: str = "entry"  # entry, exit, correction, undo; wait, unwait, release, clock
    delta: int = 0  # people more (or less) inside by this row
    actor: str | None = None  # who did it; None: the gate itself
    note: str | None = None  # the ticket's
    is_undone: bool = False
    raw_at: datetime | None = None  # what the clock said then, when `at` was corrected
    guest: str | None = None  # of the waiting list, whom it is about


class Found(NamedTuple):
    """A ticket that a search found, and whether its people are inside."""

    ticket: Ticket
    inside: int
    last_at: datetime | None  # aware, UTC: its last movement


class Bearer(NamedTuple):
    """A ticket that has a certain code, in whichever event."""

    event: Event
    found: Found
    entries: int  # how often it came in; undone ones left out


class Waiting(NamedTuple):
    """Somebody without a ticket who waits for a seat."""

    id: int
    name: str
    persons: int  # who have yet to come
    since: datetime  # aware, UTC
    ticket_id: int | None = None  # made for them when they came in before, which was undone, or when a part of them did


class KnownTime(NamedTuple):
    """What time it is."""

    wall: datetime  # aware, UTC
    told_by: Literal["server", "hand", "nobody"]  # a time server; a person's phone; or the machine just believes it

    @property
    def is_known(self) -> bool:
        """Whether anybody vouches for it."""
        return self.told_by != "nobody"


class Imported(NamedTuple):
    """What an import did."""

    new: int
    changed: int
    unchanged: int
    cancelled: int = 0  # that the list did not name
    doubts: Mapping[str, int] = {}  # see plan.Doubt
