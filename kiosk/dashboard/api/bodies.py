"""What programs send: bodies of JSON and the questions in an address, as structs that refuse what they do not know."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from kiosk.dashboard.presses import LONGEST_TEXT, MOST_ON_A_TICKET, MOST_PERSONS
from kiosk.dashboard.scanning import LONGEST_CODE
from kiosk.ledger import GateMode
from kiosk.ledger.ticket_book import Show
from kiosk.paper_list import LONGEST_GATE, MOST_WALK_INS
from stream.agenda import Words

MOST_SCANS = 200
MOST_TICKETS = 50
MOST_CHANGES = 200
LONGEST_TICKS = 12_000
_LARGEST_ID = 999_999_999_999

Id = Annotated[int, msgspec.Meta(ge=1, le=_LARGEST_ID)]
Persons = Annotated[int, msgspec.Meta(ge=1, le=MOST_PERSONS)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TEXT)]
PaperNumber = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,9}-[0-9]$")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
# Both alphabets' padding is asked for: what is cut off in the middle is not taken for another code.
_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


class ProgramNamed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the programs of Platypus."""

    program: Literal["door", "stream", "dashboard"]


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No body, or {}."""


class CheckIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let a ticket's people in. `override`: whatever the rules say, up to the fire limit."""

    ticket: Id
    persons: Annotated[int, msgspec.Meta(ge=1, le=MOST_ON_A_TICKET)] | None = None  # null: all who may
    override: bool = False


class CheckOut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let a ticket's people out."""

    ticket: Id


class WalkIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let in people without a ticket. `override`: whoever waits, up to the fire limit."""

    name: Name | None = None
    persons: Persons = 1
    override: bool = False


class Wait(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put somebody at the end of the waiting list."""

    name: Name
    persons: Persons = 1


class AdmitWaiting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let in a guest of the waiting list, in its order. `override`: against it, up to the fire limit."""

    waiting: Id
    override: bool = False


class StopWaiting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take a guest off the waiting list."""

    waiting: Id


class Correction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody passed unseen: one more, or one fewer, is inside."""

    delta: Literal[1, -1]


class Undo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take back a row of the ledger."""

    scan: Id


class SetClock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What time it is, where the machine does not know."""

    wall: Instant


class Scan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code that was read elsewhere, in base64, since it may hold any bytes; and which way that reader is for."""

    code: Annotated[bytes, msgspec.Meta(min_length=1, max_length=LONGEST_CODE, extra_json_schema={"pattern": _BASE64})]
    mode: GateMode


class PaperTicks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands on the paper list, as a person types it: "12-4 19:05 13-7 x2". The same twice counts once."""

    ticks: Annotated[str, msgspec.Meta(max_length=LONGEST_TICKS)]
    walk_ins: Annotated[int, msgspec.Meta(ge=0, le=MOST_WALK_INS)] = 0  # on this gate's paper, all together
    at: Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = None  # of the others
    day: date | None = None  # null: that of the event's start
    gate: Annotated[str, msgspec.Meta(max_length=LONGEST_GATE)] = ""
    did_get_in: tuple[PaperNumber, ...] = ()  # whatever the rules say: they did


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which agenda it was decided."""

    revision: str


class TalkSent(Seen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A talk, whole, and from which agenda it was decided."""

    title: Annotated[Words, msgspec.Meta(min_length=1)]
    speaker: Words = ""
    starts_at: Instant | None = None
    minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] | None = None
    room: Words = ""
    do_not_record: bool = False


class ScansAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of the newest rows."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_SCANS)] = 50


class TicketsAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every word of `search` is in the holder's name, the e-mail or the order; case and accents do not matter."""

    search: Name
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_TICKETS)] = 12


class LeafAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From the `start`-th ticket on, `limit` of those that `show` names."""

    start: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_TICKETS)] = 12
    show: Show = Show.ALL


class TicketNumber(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ticket by the number that is printed on it."""

    number: Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]


class Replaced(TicketNumber, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ticket of ours, and whose the new one is; without a holder it is the same person's."""

    holder: Name | None = None
    email: Name | None = None


class ChangesAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of the newest changes."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_CHANGES)] = 50
