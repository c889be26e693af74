"""Ticks of the paper list, typed back in: who came in while the machine was dead.

Whoever is ticked is inside already, so neither seats nor fire limit refuse them. A tick's nonce derives from event,
day and ticket, so that the same sheet typed twice counts once; a tick that is not taken leaves no row, and may be taken
later. Its row has the time that the paper has, in a boot of its own: no clock of this machine told it, and none that is
set later moves it. It names the gate "paper", and behind a blank the gate whose paper it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.clocks import corrected, known_time, with_clock_fix
from kiosk.ledger.history import as_ticket, history, may_return, room
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.movements import door_ticket, insert
from kiosk.ledger.pretix_at_door import with_copy
from kiosk.ledger.records import PAPER, Event, Found, Occupancy, Ticket
from kiosk.ledger.rules import Caveat, Reason, Room, judge_entry
from kiosk.ledger.schema import events, scans, tickets
from kiosk.tickets.sheet import fold

_AT_ONCE = 50  # ticks in one transaction: gates wait for it, up to 5 s
_EVENING = timedelta(hours=12)  # the paper may be typed in while it lasts, or days later
_ENDLESS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Fate(StrEnum):
    """What becomes of a tick."""

    ENTERS = "enters"
    CAME_AND_LEFT = "came_and_left"  # a gate saw them leave after the tick: in and out again
    ALREADY_IN = "already_in"
    TYPED_BEFORE = "typed_before"
    REFUSED = "refused"  # the rules say no, and nobody said that they did get in
    TOO_MANY = "too_many"  # more people than the ticket has
    UNKNOWN = "unknown"  # no ticket has this number


class Tick(NamedTuple):
    """One tick of the paper."""

    number: int
    at: datetime | None = None  # aware; None: the paper does not say
    persons: int | None = None  # None: all who may still come in
    did_get_in: bool = False  # whatever the rules say


class Typist(NamedTuple):
    """Who types, where and when; and what the paper is of."""

    actor: str
    at: Stamp
    day: str = ""  # of an event of several days; the same one when the same sheet is typed again
    gate: str = ""  # whose paper it is, where each gate has one


class Ticked(NamedTuple):
    """A tick, and what becomes of it or became of it."""

    tick: Tick
    fate: Fate
    found: Found | None = None  # as it was before
    gate: str = ""  # of its last movement
    reason: Reason | None = None  # why it is, or would have been, refused
    persons: int = 0  # who come in by it


class WalkIns(NamedTuple):
    """People without a ticket on the paper."""

    on_paper: int
    counted_before: int

    @property
    def new(self) -> int:
        """Who are counted now."""
        return max(self.on_paper - self.counted_before, 0)


class PaperTicks:
    """The ticks of an event's paper. Every method raises LedgerError."""

    def __init__(self, ledger: Ledger, event: Event) -> None:
        self._database = ledger.database
        self._event = event

    def look(self, ticks: Sequence[Tick], typist: Typist) -> Sequence[Ticked]:
        """What taking them would do; nothing is written."""
        with self._database.reading() as db:
            return [self._judged(db, tick, typist) for tick in ticks]

    def take(self, ticks: Sequence[Tick], typist: Typist) -> Iterator[Ticked]:
        """Write those that come in, each whole and at most once, and tell what became of each.

        Some at a time, so that no gate waits long; the process may be killed between two, and the same sheet typed
        again takes the rest. Nothing is done before the answers are asked for.
        """
        for start in range(0, len(ticks), _AT_ONCE):
            with self._database.writing() as db:
                done = [self._taken(db, tick, typist) for tick in ticks[start : start + _AT_ONCE]]
            yield from done

    def look_at_walk_ins(self, count: int, typist: Typist) -> WalkIns:
        """How many of the `count` walk-ins on this gate's paper, all together, were counted before."""
        with self._database.reading() as db:
            return self._walk_ins(db, count, typist)

    def take_walk_ins(self, count: int, at: datetime | None, typist: Typist) -> WalkIns:
        """Count those of them who were not: each has a row that can be undone."""
        with self._database.writing() as db:
            told = self._walk_ins(db, count, typist)
            for n in range(told.counted_before, told.on_paper):
                made = door_ticket(db, self._event, None, 1)
                self._insert(
                    db, _nonce(self._event, typist, f"walk-in/{fold(typist.gate)}/{n}"), made, at, typist, 1, visit=1
                )
            return told

    def occupancy(self) -> Occupancy:
        """Who is inside, and the seats."""
        with self._database.reading() as db:
            space = room(db, self._event)
            return Occupancy(space.inside, space.capacity)

    def event_of(self, fits: Callable[[int], bool], number: int) -> str:
        """The short name of another event, the newest one, that `fits` by its id and has a ticket of that number."""
        query = (
            sa.select(events.c.id, events.c.slug)
            .join(tickets, tickets.c.event_id == events.c.id)
            .where(tickets.c.number == number, events.c.id != self._event.id)
        )
        with self._database.reading() as db:
            rows = db.execute(query.order_by(events.c.id.desc())).all()
        return next((row.slug for row in rows if fits(row.id)), "")

    def _walk_ins(self, db: sa.Connection, count: int, typist: Typist) -> WalkIns:
        known = 0
        while _is_known(db, _nonce(self._event, typist, f"walk-in/{fold(typist.gate)}/{known}")):
            known += 1
        return WalkIns(count, known)

    def _judged(self, db: sa.Connection, tick: Tick, typist: Typist) -> Ticked:
        row = db.execute(
            sa.select(tickets).where(tickets.c.event_id == self._event.id, tickets.c.number == tick.number)
        ).one_or_none()
        if row is None:
            return Ticked(tick, Fate.UNKNOWN)
        ticket, past = as_ticket(row), history(db, row.id)
        times = _times(db, ticket.id)
        last = past.standing[-1] if past.standing else None
        last_at = times[last.id] if last is not None else None
        told = Ticked(tick, Fate.ENTERS, Found(ticket, past.inside, last_at), last.gate if last is not None else "")
        if _is_known(db, _nonce(self._event, typist, str(tick.number))):
            return told._replace(fate=Fate.TYPED_BEFORE)
        if tick.persons is not None and tick.persons > ticket.persons:
            return told._replace(fate=Fate.TOO_MANY)
        claim = with_copy(db, self._event, ticket, past.claim(ticket, typist.at), typist.at)
        returns = may_return(db, self._event)
        rest = claim.rest(may_return=returns)
        then = [row for row in past.standing if tick.at is not None and times[row.id] <= tick.at]
        if (past.inside and not rest) or (then and past._replace(standing=then).inside >= ticket.persons):
            return told._replace(fate=Fate.ALREADY_IN)
        # A gate saw nobody come and somebody leave, or saw them leave later than the paper has them come.
        has_left = last is not None and last.kind == "exit" and (not last.delta or _is_after(last_at, tick.at))
        persons = min(tick.persons or ticket.persons, rest or ticket.persons)
        time = known_time(db, typist.at)
        verdict = judge_entry(
            claim,
            Room(0, _ENDLESS, _ENDLESS, 0),  # they are in: the room does not refuse them
            tick.at or self._someday(time.wall),
            is_clock_trusted=tick.at is not None or time.is_known,
            may_return=returns,
            persons=persons,
        )
        told = told._replace(reason=verdict.reason, persons=persons)
        if verdict.reason is not None and not tick.did_get_in:
            return told._replace(fate=Fate.REFUSED)
        return told._replace(fate=Fate.CAME_AND_LEFT) if has_left else told

    def _taken(self, db: sa.Connection, tick: Tick, typist: Typist) -> Ticked:
        told = self._judged(db, tick, typist)
        if told.fate not in {Fate.ENTERS, Fate.CAME_AND_LEFT} or told.found is None:
            return told
        ticket = told.found.ticket
        nonce = _nonce(self._event, typist, str(tick.number))
        visits = history(db, ticket.id).visits
        caveats = str(Caveat.OVERRIDE) if told.reason is not None else ""
        entry = visits["entry"] + 1
        self._insert(db, nonce, ticket, tick.at, typist, told.persons, visit=entry, caveats=caveats)
        if told.fate is Fate.CAME_AND_LEFT:
            left_at = _later(tick.at, told.found.last_at)
            gone = _nonce(self._event, typist, f"{tick.number}/left")
            self._insert(db, gone, ticket, left_at, typist, -told.persons, visit=visits["exit"] + 1, kind="exit")
        return told

    def _someday(self, now: datetime) -> datetime:
        """When those came who have no time: now, or at the beginning of an evening that is over."""
        start = self._event.starts_at
        return now if start is None or now - start < _EVENING else start

    def _insert(
        self,
        db: sa.Connection,
        nonce: str,
        ticket: Ticket,
        at: datetime | None,
        typist: Typist,
        delta: int,
        **values: Any,
    ) -> None:
        wall = at or self._someday(known_time(db, typist.at).wall)
        # Whoever wrote the time vouches for it; for the moment of typing nobody does: they came before.
        stamp = Stamp(wall, (wall - _EPOCH) // timedelta(microseconds=1) * 1000, f"paper-{nonce[:24]}", at is not None)
        columns = {
            "kind": "entry",
            "gate": f"{PAPER} {typist.gate}".strip(),
            "source": PAPER,
            "actor": typist.actor,
            "ticket_id": ticket.id,
            "persons": ticket.persons,
            "delta": delta,
            **values,
        }
        insert(db, self._event, nonce, stamp, room(db, self._event), columns)


def _nonce(event: Event, typist: Typist, what: str) -> str:
    return hashlib.sha256(f"paper\n{event.slug}\n{typist.day}\n{what}".encode()).hexdigest()


def _is_known(db: sa.Connection, nonce: str) -> bool:
    return db.execute(sa.select(scans.c.id).where(scans.c.nonce == nonce)).one_or_none() is not None


def _times(db: sa.Connection, ticket_id: int) -> dict[int, datetime]:
    """When each row of a ticket was made."""
    rows = db.execute(with_clock_fix(sa.select(scans)).where(scans.c.ticket_id == ticket_id))
    return {row.id: corrected(row) for row in rows}


def _is_after(last_at: datetime | None, at: datetime | None) -> bool:
    return last_at is not None and at is not None and last_at > at


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two times that somebody vouches for; None when that is known of neither."""
    return max((each for each in (one, other) if each is not None), default=None)
