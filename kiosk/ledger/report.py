"""What happened at the door of an evening, in numbers and without names: it may be shown to anybody.

Counted anew from all rows each time somebody asks, in two passes over the database, so that nothing has to be kept up
while the door works. What was undone did not happen, so a slip of a finger is no peak.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.clocks import corrected, known_time, with_clock_fix
from kiosk.ledger.history import may_return
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.records import PAPER, Event, Movement
from kiosk.ledger.schema import events, scans, tickets
from kiosk.tickets.sheet import fold
from kiosk.tickets.status import Status
from stream.aired import StreamReport

_SLICE_S, _MINUTE_S = 5 * 60, 60
_FEWEST = 2  # tickets with a note: one alone may be told by it
_SHORTEST_NAME = 3  # Latin letters; "de" of a name is a word of many notes


class GateCount(NamedTuple):
    """What went through a gate."""

    came_in: int  # people; who came in twice counts twice
    went_out: int
    refused: int  # codes and guests who were told no


class Slice(NamedTuple):
    """Five minutes in which somebody came or went."""

    begins: datetime  # aware
    came_in: int  # people
    went_out: int
    inside: int  # at its end


class Noted(NamedTuple):
    """Tickets with one note: the good ones, and those whose people came anyway."""

    tickets: int
    came: int  # of them: somebody came in
    inside: int  # of them: somebody is inside


class Report(NamedTuple):
    """An evening in numbers. On good tickets: expected = came - irregular + no_shows."""

    slug: str
    event: str
    starts_at: datetime | None  # aware
    made_at: datetime  # aware; as far as anybody knows the time
    capacity: int
    tickets: int  # good ones, without those made at the door
    expected: int  # people whom they admit
    came: int  # people on tickets; a ticket's people are as many as were inside at once
    guests: int  # of them: beside the first of each ticket
    irregular: int  # of them: on tickets that are not good; they were let in anyway, or it was canceled since
    no_shows: int  # people of good tickets
    absent: int  # good tickets of which nobody came
    walk_ins: int  # people
    inside: int
    peak: int  # people inside at the fullest moment
    peak_at: datetime | None  # aware; None: nobody was ever inside
    corrections: int  # people added to, or taken from, the count by hand
    unsure: int  # rows whose time nobody vouches for
    refusals: Mapping[str, int]  # by Reason
    gates: Mapping[str, GateCount]
    slices: Sequence[Slice]
    course: Sequence[Movement]  # how many more, or less, were inside after each minute: for drawing
    notes: Mapping[str, Noted]
    other_notes: Noted  # those that might tell who it is: on one ticket alone, or with a word of a guest's name
    stream: StreamReport = StreamReport()  # of the same evening; see kiosk.evening


def report(ledger: Ledger, event: Event, now: Stamp, zone: tzinfo = UTC) -> Report:
    """Count an event's rows up to `now`; times are told in `zone`. Raises LedgerError."""
    with ledger.database.reading() as db:
        seats = sa.select(events.c.capacity).where(events.c.id == event.id)
        capacity = db.execute(seats).scalar_one()  # it may be changed while the door is open
        made_at = known_time(db, now).wall
        door = _Door(returns=may_return(db, event))
        door.take(_standing(db, event))
        people = _People()
        columns = (tickets.c.id, tickets.c.is_walk_in, tickets.c.holder, tickets.c.status, tickets.c.guests)
        people.take(
            db.execute(sa.select(*columns, tickets.c.note).where(tickets.c.event_id == event.id)),
            door.came,
            door.inside_of,
        )
    notes, other = people.grouped()
    return Report(
        slug=event.slug,
        event=event.name,
        starts_at=event.starts_at and event.starts_at.astimezone(zone),
        made_at=made_at.astimezone(zone),
        capacity=capacity,
        tickets=people.tickets,
        expected=people.expected,
        came=people.came,
        guests=people.guests,
        irregular=people.irregular,
        no_shows=people.no_shows,
        absent=people.absent,
        walk_ins=people.walk_ins,
        inside=door.inside,
        peak=door.peak,
        peak_at=door.peak_at and door.peak_at.astimezone(zone),
        corrections=door.corrections,
        unsure=door.unsure,
        refusals=dict(sorted(door.refusals.items())),
        gates=door.gates(),
        slices=door.slices(zone),
        course=door.course(),
        notes=notes,
        other_notes=other,
    )


def _standing(db: sa.Connection, event: Event) -> Iterable[Any]:
    """An event's rows in their order, without undos and what they took back."""
    of_event = scans.c.event_id == event.id
    undone = set(db.execute(sa.select(scans.c.undoes).where(of_event, scans.c.undoes.is_not(None))).scalars())
    columns = (scans.c.id, scans.c.kind, scans.c.gate, scans.c.reason, scans.c.visit, scans.c.delta, scans.c.ticket_id)
    times = (scans.c.source, scans.c.wall, scans.c.monotonic_ns, scans.c.clock_trusted)
    query = with_clock_fix(sa.select(*columns, *times)).where(of_event, scans.c.kind != "undo")
    return (row for row in db.execute(query.order_by(scans.c.id)) if row[0] not in undone)


def _in_time(moved: Sequence[tuple[datetime, int, str, str]]) -> Iterable[tuple[datetime, int, str]]:
    """Movements in the order of their rows; those that were typed in from the paper where their time belongs."""
    paper = deque(sorted((each for each in moved if each[3] == PAPER), key=lambda each: each[0]))
    for at, delta, kind, source in moved:
        if source == PAPER:
            continue
        while paper and paper[0][0] <= at:
            yield paper.popleft()[:3]
        yield at, delta, kind
    yield from (each[:3] for each in paper)


class _Door:
    """What the rows say, of the room and of each ticket."""

    def __init__(self, *, returns: bool) -> None:
        self._returns = returns
        self.inside = self.peak = self.corrections = self.unsure = 0
        self.peak_at: datetime | None = None
        self.refusals: Counter[str] = Counter()
        self._at_gate: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])  # in, out, refused
        self.inside_of: dict[int, int] = {}  # people, by ticket
        self.came: dict[int, int] = {}  # the most at once, or all together where nobody may return: as seats are kept
        self._levels: dict[int, int] = {}  # inside after each minute
        self._passed: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])  # in, out: by slice

    def take(self, rows: Iterable[Any]) -> None:
        """Rows of `_standing`."""
        moved: list[tuple[datetime, int, str, str]] = []
        for row in rows:
            _, kind, gate, reason, visit, delta, ticket, source, *_, is_trusted, offset_ns = row
            self.unsure += offset_ns is None and not is_trusted
            if reason is not None:
                self.refusals[reason] += 1
                self._at_gate[gate][2] += 1
            elif visit is not None:
                is_exit = kind == "exit"
                self._at_gate[gate][is_exit] += abs(delta)
                self._move(ticket, delta, is_exit=is_exit)
            if delta:
                moved.append((corrected(row), delta, kind, source))
        for at, delta, kind in _in_time(moved):
            self._count(at, delta, kind)

    def gates(self) -> Mapping[str, GateCount]:
        """By gate; all phones are one, and so are all programs: behind a blank stands whose it was."""
        found: dict[str, GateCount] = {}
        for name, count in sorted(self._at_gate.items()):
            kind = name.partition(" ")[0]
            before = found.get(kind, GateCount(0, 0, 0))
            found[kind] = GateCount(*(a + b for a, b in zip(before, count, strict=True)))
        return found

    def slices(self, zone: tzinfo) -> Sequence[Slice]:
        """Those in which anything changed, by time."""
        ends = {minute * _MINUTE_S // _SLICE_S: inside for minute, inside in sorted(self._levels.items())}
        found = []
        for at, inside in ends.items():
            came_in, went_out = self._passed[at]
            found.append(Slice(datetime.fromtimestamp(at * _SLICE_S, zone), came_in, went_out, inside))
        return found

    def course(self) -> Sequence[Movement]:
        """A movement for each minute in which anything changed, by time."""
        found, before = [], 0
        for minute, inside in sorted(self._levels.items()):
            found.append(Movement(datetime.fromtimestamp(minute * _MINUTE_S, UTC), inside - before))
            before = inside
        return found

    def _move(self, ticket: int, delta: int, *, is_exit: bool) -> None:
        before = self.inside_of.get(ticket, 0)
        self.inside_of[ticket] = 0 if is_exit else before + delta
        if not is_exit:
            most = self.came.get(ticket, 0)
            self.came[ticket] = max(most, before + delta) if self._returns else most + delta

    def _count(self, at: datetime, delta: int, kind: str) -> None:
        at_s = int(at.timestamp())
        self.inside += delta
        self._levels[at_s // _MINUTE_S] = self.inside
        if kind == "correction":
            self.corrections += delta
        else:
            self._passed[at_s // _SLICE_S][kind == "exit"] += abs(delta)
        if self.inside > self.peak:
            self.peak, self.peak_at = self.inside, at


class _People:
    """What the tickets say, beside who came on them."""

    def __init__(self) -> None:
        self.tickets = self.expected = self.came = self.guests = self.irregular = 0
        self.no_shows = self.absent = self.walk_ins = 0
        self._notes: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])  # see Noted
        self._names: list[str] = []

    def take(self, rows: Iterable[Any], came_on: Mapping[int, int], inside_of: Mapping[int, int]) -> None:
        """Tickets; of whose people so many came, and so many are inside, by ticket."""
        for key, is_walk_in, holder, status, guests, note in rows:
            came = min(came_on.get(key, 0), guests + 1)
            if is_walk_in:
                self.walk_ins += came
                continue
            is_good = status == Status.PAID
            if is_good:
                self.tickets += 1
                self.expected += guests + 1
                self.no_shows += guests + 1 - came
                self.absent += not came
            else:
                self.irregular += came
            if came:
                self.came += came
                self.guests += came - 1
            if holder:
                self._names.append(holder)
            if note and (is_good or came):
                self._note(note, has_come=came > 0, is_inside=inside_of.get(key, 0) > 0)

    def grouped(self) -> tuple[dict[str, Noted], Noted]:
        """By note, and in one sum those that might tell who it is."""
        kept, other = {}, [Noted(0, 0, 0)]
        frequent = {note for note, count in self._notes.items() if count[0] >= _FEWEST}
        names = _words(self._names) if frequent else set()
        for note, count in sorted(self._notes.items()):
            if note in frequent and names.isdisjoint(fold(note).split()):
                kept[note] = Noted(*count)
            else:
                other.append(Noted(*count))
        return kept, Noted(*(sum(part) for part in zip(*other, strict=True)))

    def _note(self, note: str, *, has_come: bool, is_inside: bool) -> None:
        for each in {part.strip().casefold() for part in note.split(",")} - {""}:
            count = self._notes[each]
            count[0] += 1
            count[1] += has_come
            count[2] += is_inside


def _words(names: Iterable[str]) -> set[str]:
    """The words of names, folded; short Latin ones left out."""
    words = {word for name in names for word in name.casefold().split()}
    plain = {word for word in words if word.isascii() and word.isalnum()}  # most are, and 100,000 take a second to fold
    folded = {part for word in words - plain for part in fold(word).split()}
    return {word for word in plain | folded if len(word) >= _SHORTEST_NAME or not word.isascii()}
