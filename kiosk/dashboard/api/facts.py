"""What the API tells: facts as structs, without the words that pages make of them. Times have a zone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from hardware.checks import Check
from kiosk.backup.manifest import Manifest, goes_at
from kiosk.dashboard import views, words
from kiosk.dashboard.changes import Change
from kiosk.dashboard.live import Snapshot
from kiosk.dashboard.ports import EventFacts, Heard
from kiosk.ledger import Caveat, Decision, Direction, Found, Reason, ScanRow, Waiting
from kiosk.ledger import Seats as LedgerSeats
from kiosk.ledger import Ticket as LedgerTicket
from kiosk.ledger.paper import Fate
from kiosk.ledger.ticket_book import Leaf
from kiosk.news import DoorState
from kiosk.paper_list import Answered, Why
from kiosk.tickets.status import Status
from stream.agenda import Talk
from stream.health import StreamState


class People(msgspec.Struct, frozen=True, kw_only=True):
    """The room in numbers, counted from the rows of the ledger."""

    inside: int
    capacity: int
    admitted: int
    refused: int
    tickets: int


class Seats(msgspec.Struct, frozen=True, kw_only=True):
    """What is left for people without a ticket."""

    free: int
    kept: int
    waiting: int


class Time(msgspec.Struct, frozen=True, kw_only=True):
    """What time the door believes it is, and who vouches for it."""

    wall: datetime
    told_by: Literal["server", "hand", "nobody"]


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """A gate with a program of its own. Of one that is gone the state is not told: it would look alive."""

    gate: str
    is_gone: bool
    age_s: float
    state: DoorState | None


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """What the stream's program said last, and how long ago; without a state when it is gone or was never heard."""

    is_gone: bool
    age_s: float | None = None
    state: StreamState | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger. Whose it is, is null for whoever may not see names."""

    scan: int
    at: datetime
    gate: str
    kind: str
    is_admitted: bool
    reason: str | None
    caveats: tuple[str, ...]
    delta: int
    is_undone: bool
    raw_at: datetime | None  # what the clock said then, when `at` was corrected
    holder: str | None
    guest: str | None  # of the waiting list
    product: str | None
    note: str | None
    actor: str | None


class Evening(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known at one moment."""

    at: datetime
    sees_names: bool
    trouble: str  # why the ledger cannot be read, in words; then what it would tell is null
    event: EventFacts | None
    people: People | None
    seats: Seats | None
    clock: Time | None
    gates: tuple[Gate, ...]
    stream: Stream
    scans: tuple[Row, ...]  # newest first


class Scans(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the ledger, newest first."""

    scans: tuple[Row, ...]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket, without its code."""

    ticket: int
    number: int
    holder: str | None
    email: str | None
    product: str | None
    status: Status
    order_code: str | None
    note: str | None  # what a volunteer must see
    persons: int
    is_walk_in: bool
    valid_from: datetime | None
    valid_until: datetime | None


class FoundTicket(Ticket, frozen=True, kw_only=True):
    """A ticket that was found, and how many of its people are inside."""

    inside: int
    last_at: datetime | None


class Tickets(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found."""

    tickets: tuple[FoundTicket, ...]
    is_more: bool  # there are more than the limit


class TicketLeaf(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the tickets, by number, and how many there are of the kind that was asked for."""

    tickets: tuple[FoundTicket, ...]
    total: int


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on the waiting list."""

    waiting: int
    name: str
    persons: int
    since: datetime


class WaitingList(msgspec.Struct, frozen=True, kw_only=True):
    """Who waits for a seat, first come first."""

    guests: tuple[Guest, ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's decision; it is on the disk."""

    scan: int
    direction: Direction
    is_admitted: bool
    reason: Reason | None
    caveats: tuple[Caveat, ...]
    persons: int
    inside: int
    capacity: int
    is_repeat: bool  # this key had been decided before: nothing was counted now
    ticket: Ticket | None


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many people are inside now."""

    inside: int


class PaperTick(msgspec.Struct, frozen=True, kw_only=True):
    """A tick of the paper list, and what becomes of it or became of it."""

    line: str  # as it stands on the paper
    fate: Fate
    reason: Reason | None  # why it is, or would have been, refused
    persons: int  # who come in by it
    at: datetime | None  # null: the paper does not say
    ticket: Ticket | None


class PaperWrong(msgspec.Struct, frozen=True, kw_only=True):
    """A word that is not taken; all others may be."""

    word: str
    why: Why
    other: str  # the event whose paper it may be of, or how many people the ticket has


class PaperTold(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of ticks of the paper list, or became of them."""

    ticks: tuple[PaperTick, ...]
    wrong: tuple[PaperWrong, ...]
    walk_ins: int  # counted by this
    walk_ins_before: int
    inside: int  # with them
    capacity: int


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """A guest is on the waiting list under this number."""

    waiting: int


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """It was done; `said` is the sentence that pages and the list of changes have for it."""

    said: str


class System(msgspec.Struct, frozen=True, kw_only=True):
    """The machine, as platypus doctor and the page of the system have it; empty when it was not looked at lately."""

    checks: tuple[Check, ...]


class TalksNow(msgspec.Struct, frozen=True, kw_only=True):
    """The agenda, and where the evening is in it."""

    revision: str  # whoever changes the agenda says from which one
    event: str
    talks: tuple[Talk, ...]
    on_stage: str  # the id of a talk, "" for none
    next: str
    is_live: bool  # else those two are told by the clock
    undo: str  # what undo would do, in words; "" when nothing
    trouble: str  # why nothing can be changed, in words


class ChangeList(msgspec.Struct, frozen=True, kw_only=True):
    """The list of what was changed, newest first."""

    changes: tuple[Change, ...]
    unreadable: int  # lines passed over


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup; the file itself only people with a browser take away."""

    file: str
    size: int  # bytes
    made_at: datetime | None  # null: it cannot be read
    is_clock_trusted: bool
    schema: str  # the step of the ledger's tables
    names_of: tuple[str, ...]  # events
    delete_at: datetime | None  # for the names in it
    trouble: str  # why it cannot be read


class Backups(msgspec.Struct, frozen=True, kw_only=True):
    """Backups, newest first."""

    backups: tuple[Backup, ...]


def backup(name: str, size: int, manifest: Manifest | None, after: timedelta | None, trouble: str = "") -> Backup:
    """What is known of one."""
    names = () if manifest is None else manifest.names
    return Backup(
        file=name,
        size=size,
        made_at=None if manifest is None else manifest.made_at,
        is_clock_trusted=manifest is not None and manifest.is_clock_trusted,
        schema="" if manifest is None else manifest.schema,
        names_of=tuple(each.event for each in names),
        delete_at=goes_at(names, after),
        trouble=trouble,
    )


def evening(now: Snapshot, *, names: bool) -> Evening:
    """The facts of a snapshot."""
    facts = now.facts
    people, seats, clock = facts.people, facts.seats, facts.time
    return Evening(
        at=now.at,
        sees_names=names,
        trouble=facts.trouble,
        event=facts.event,
        people=None if people is None else People(**people._asdict()),
        seats=None if seats is None else seats_of(seats),
        clock=None if clock is None else Time(wall=clock.wall, told_by=clock.told_by),
        gates=tuple(_gate(heard) for heard in facts.news.doors),
        stream=stream(facts.news.stream),
        scans=rows(facts.scans, names=names),
    )


def rows(scans: Sequence[ScanRow], *, names: bool) -> tuple[Row, ...]:
    """Rows of the ledger, as whoever asks may see them."""
    seen = scans if names else [views.without_names(row) for row in scans]
    return tuple(Row(scan=row.scan_id, **{key: getattr(row, key) for key in _ROW_FIELDS}) for row in seen)


_ROW_FIELDS = tuple(name for name in Row.__struct_fields__ if name != "scan")


def stream(heard: Heard[StreamState] | None) -> Stream:
    """What is known of the stream."""
    if heard is None:
        return Stream(is_gone=True)
    is_gone = words.is_gone(heard)
    return Stream(is_gone=is_gone, age_s=round(heard.age_s, 1), state=None if is_gone else heard.state)


def _gate(heard: Heard[DoorState]) -> Gate:
    is_gone = words.is_gone(heard)
    state = None if is_gone else heard.state
    return Gate(gate=heard.state.gate, is_gone=is_gone, age_s=round(heard.age_s, 1), state=state)


def seats_of(seats: LedgerSeats) -> Seats:
    """The same as a struct."""
    return Seats(**seats._asdict())


def found(each: Found) -> FoundTicket:
    """A ticket of a search."""
    return FoundTicket(**_fields(each.ticket), inside=each.inside, last_at=each.last_at)


def leaf(found_: Leaf) -> TicketLeaf:
    """Some tickets of the list."""
    return TicketLeaf(tickets=tuple(map(found, found_.found)), total=found_.total)


def ticket(each: LedgerTicket) -> Ticket:
    """A ticket by itself."""
    return Ticket(**_fields(each))


def guest(each: Waiting) -> Guest:
    """A guest of the waiting list."""
    return Guest(waiting=each.id, name=each.name, persons=each.persons, since=each.since)


def answer(decision: Decision) -> Answer:
    """A decision of the ledger."""
    return Answer(
        scan=decision.scan_id,
        direction=decision.direction,
        is_admitted=decision.is_admitted,
        reason=decision.reason,
        caveats=decision.caveats,
        persons=decision.persons,
        inside=decision.inside,
        capacity=decision.capacity,
        is_repeat=decision.is_repeat,
        ticket=None if decision.ticket is None else Ticket(**_fields(decision.ticket)),
    )


def paper(told: Answered, line: Callable[[int], str]) -> PaperTold:
    """What became of ticks; `line` is how the paper calls a ticket."""
    return PaperTold(
        ticks=tuple(
            PaperTick(
                line=line(each.tick.number),
                fate=each.fate,
                reason=each.reason,
                persons=each.persons,
                at=each.tick.at,
                ticket=None if each.found is None else Ticket(**_fields(each.found.ticket)),
            )
            for each in told.ticked
        ),
        wrong=tuple(PaperWrong(**each._asdict()) for each in told.wrong),
        walk_ins=told.walk_ins.new,
        walk_ins_before=told.walk_ins.counted_before,
        inside=told.room.inside,
        capacity=told.room.capacity,
    )


_TICKET_FIELDS = tuple(name for name in Ticket.__struct_fields__ if name != "ticket")


def _fields(ticket: LedgerTicket) -> dict[str, Any]:
    return {"ticket": ticket.id, **{name: getattr(ticket, name) for name in _TICKET_FIELDS}}
