"""What goes into the ledger and what comes out: plain records, no database in them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from hardware.clock import Stamp
from hardware.errors import PlatypusError
from kiosk.ledger.rules import Caveat, Reason
from kiosk.tickets.sheet import Status


class LedgerError(PlatypusError, OSError):
    """The ledger cannot be opened, read or written; nothing was admitted."""

    code = "ledger"


class UnknownEvent(PlatypusError, LookupError):
    """There is no event of that name."""

    code = "unknown_event"


class Event(NamedTuple):
    """One evening."""

    id: int
    slug: str
    name: str
    capacity: int
    starts_at: datetime | None  # aware, UTC
    stream_page: str | None  # where viewers watch, for those who find the room full


class NewTicket(NamedTuple):
    """A ticket to be written; `code_sha256` is kiosk.tickets.codes.digest of its code."""

    number: int
    code_sha256: bytes
    is_own: bool  # its code derives from the event's secret, so it can be printed again
    holder: str | None = None
    email: str | None = None
    product: str | None = None
    status: Status = Status.PAID
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class Ticket(NamedTuple):
    """A ticket of the ledger."""

    id: int
    number: int
    code_sha256: bytes
    is_own: bool
    holder: str | None
    email: str | None
    product: str | None
    status: Status
    valid_from: datetime | None
    valid_until: datetime | None


class Presentation(NamedTuple):
    """One code held before one gate, once. Said again with the same nonce it is the same presentation."""

    code: bytes
    nonce: str
    gate: str
    source: str  # "camera", later "keyboard", "manual" ...
    at: Stamp


class Decision(NamedTuple):
    """The ledger's answer; it is on the disk before you have it."""

    scan_id: int
    reason: Reason | None
    caveats: tuple[Caveat, ...]
    ticket: Ticket | None
    inside: int
    capacity: int
    is_repeat: bool  # this nonce had been decided before; nothing was counted

    @property
    def is_admitted(self) -> bool:
        """Whether the guest may pass."""
        return self.reason is None


class HeadCount(NamedTuple):
    """The room in numbers, counted from the rows."""

    inside: int
    capacity: int
    admitted: int  # entries
    refused: int
    tickets: int


class ScanRow(NamedTuple):
    """A scan with what a volunteer wants to know of it."""

    scan_id: int
    at: datetime  # aware, UTC
    gate: str
    is_admitted: bool
    reason: str | None = None  # a Reason; None when admitted
    holder: str | None = None
    product: str | None = None
    caveats: tuple[str, ...] = ()  # Caveats


class Imported(NamedTuple):
    """What an import did."""

    new: int
    changed: int
    unchanged: int
