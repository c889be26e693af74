"""The ledger: `admit()` decides and commits in one transaction; everything else reads or prepares.

SQLite in WAL with synchronous=FULL: a scan that was answered survives the pulled plug (measured with power cuts,
288 rows of 288). Every writing transaction takes the write lock before it looks, so nobody decides on old news; on
PostgreSQL the event's row is locked instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from kiosk.ledger import migrations
from kiosk.ledger.records import (
    Decision,
    Event,
    HeadCount,
    Imported,
    LedgerError,
    NewTicket,
    Presentation,
    ScanRow,
    Ticket,
    UnknownEvent,
)
from kiosk.ledger.rules import Caveat, Claim, Reason, Room, judge_entry
from kiosk.ledger.schema import events, scans, tickets
from kiosk.tickets.codes import digest
from kiosk.tickets.sheet import Status

_BUSY_S = 5.0  # another process holds the write lock for one commit, some ms; this long means something is wrong
_WRITES = "platypus_writes"


class Ledger:
    """The database of the door; safe to use from several threads and processes at once.

    Raises LedgerError from every method when the database cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._engine = _engine(path)
            with _as_ledger_error(path):
                if migrations.revision(self._engine) != migrations.HEAD:
                    migrations.upgrade(self._engine, path.with_suffix(".lock"))
        except OSError as error:
            raise (error if isinstance(error, LedgerError) else LedgerError(f"{path}: {error.strerror}")) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database; safe to call twice."""
        self._engine.dispose()

    # -- deciding ------------------------------------------------------------------------------------------------

    def admit(self, event: Event, shown: Presentation) -> Decision:
        """Decide on one presentation and commit the answer; the row is durable when this returns.

        The same nonce again gives the first answer again and writes nothing.
        """
        with self._writing() as db:
            room = self._locked_room(db, event)
            sha256 = digest(shown.code)
            ticket = _ticket(db, tickets.c.event_id == event.id, tickets.c.code_sha256 == sha256)
            earlier = db.execute(sa.select(scans).where(scans.c.nonce == shown.nonce)).one_or_none()
            if earlier is not None:
                return Decision(
                    earlier.id,
                    _reason(earlier.reason),
                    _caveats(earlier.caveats),
                    ticket,
                    *room,
                    is_repeat=True,
                )
            visits = 0 if ticket is None else _entries(db, ticket.id)
            claim = ticket and Claim(ticket.status, ticket.valid_from, ticket.valid_until, was_inside=visits > 0)
            verdict = judge_entry(claim, room, shown.at.wall, is_clock_trusted=shown.at.is_trusted)
            row = db.execute(
                sa.insert(scans)
                .values(
                    nonce=shown.nonce,
                    event_id=event.id,
                    ticket_id=ticket and ticket.id,
                    code_sha256=sha256,
                    gate=shown.gate,
                    source=shown.source,
                    direction="entry",
                    visit=visits + 1 if verdict.reason is None else None,
                    reason=verdict.reason,
                    caveats=" ".join(verdict.caveats),
                    wall=shown.at.wall,
                    monotonic_ns=shown.at.monotonic_ns,
                    boot_id=shown.at.boot_id,
                    clock_trusted=shown.at.is_trusted,
                )
                .returning(scans.c.id)
            ).scalar_one()
        inside = room.inside + (verdict.reason is None)
        return Decision(row, verdict.reason, verdict.caveats, ticket, inside, room.capacity, is_repeat=False)

    # -- reading -------------------------------------------------------------------------------------------------

    def event(self, slug: str) -> Event:
        """The event of that name. Raises UnknownEvent, naming those there are."""
        with self._reading() as db:
            row = db.execute(sa.select(events).where(events.c.slug == slug)).one_or_none()
            if row is not None:
                return Event(*row)
            known = ", ".join(db.execute(sa.select(events.c.slug).order_by(events.c.id)).scalars())
        raise UnknownEvent(
            f"there is no event {slug!r} in {self._path}; "
            + (f"there are: {known}" if known else "create it: platypus event create")
        )

    def head_count(self, event: Event) -> HeadCount:
        """The room in numbers, counted from the rows."""
        with self._reading() as db:
            room = _room(db, event)
            of_event = scans.c.event_id == event.id
            admitted = _count(db, scans, of_event, scans.c.direction == "entry", scans.c.visit.is_not(None))
            refused = _count(db, scans, of_event, scans.c.visit.is_(None))
            issued = _count(db, tickets, tickets.c.event_id == event.id)
        return HeadCount(room.inside, room.capacity, admitted, refused, issued)

    def refusals(self, event: Event) -> dict[Reason, int]:
        """How many scans were refused, by reason."""
        with self._reading() as db:
            rows = db.execute(
                sa.select(scans.c.reason, sa.func.count())
                .where(scans.c.event_id == event.id, scans.c.reason.is_not(None))
                .group_by(scans.c.reason)
            )
            return {Reason(reason): count for reason, count in rows}

    def recent_scans(self, event: Event, limit: int) -> Sequence[ScanRow]:
        """The last `limit` scans, newest first."""
        with self._reading() as db:
            rows = db.execute(
                sa.select(scans, tickets.c.holder, tickets.c.product)
                .outerjoin(tickets, scans.c.ticket_id == tickets.c.id)
                .where(scans.c.event_id == event.id)
                .order_by(scans.c.id.desc())
                .limit(limit)
            ).all()
        return [
            ScanRow(
                row.id,
                row.wall,
                row.gate,
                row.reason is None,
                _reason(row.reason),
                row.holder,
                row.product,
                _caveats(row.caveats),
            )
            for row in rows
        ]

    def tickets(self, event: Event) -> Sequence[Ticket]:
        """All tickets of an event, by number."""
        with self._reading() as db:
            rows = db.execute(sa.select(tickets).where(tickets.c.event_id == event.id).order_by(tickets.c.number))
            return [_as_ticket(row) for row in rows]

    # -- preparing -----------------------------------------------------------------------------------------------

    def create_event(
        self,
        slug: str,
        name: str,
        capacity: int,
        starts_at: datetime | None = None,
        stream_page: str | None = None,
    ) -> Event:
        """Write a new event. Raises LedgerError when the name is taken."""
        values = {
            "slug": slug,
            "name": name,
            "capacity": capacity,
            "starts_at": starts_at,
            "stream_page": stream_page,
        }
        with self._writing() as db:
            if db.execute(sa.select(events.c.id).where(events.c.slug == slug)).one_or_none() is not None:
                raise LedgerError(f"there already is an event {slug!r}; choose another name")
            key = db.execute(sa.insert(events).values(**values).returning(events.c.id)).scalar_one()
        return Event(key, slug, name, capacity, starts_at, stream_page)

    def put_tickets(self, event: Event, wanted: Sequence[NewTicket]) -> Imported:
        """Write tickets, all or none; one whose code is known is updated, so the same list twice changes nothing.

        A known ticket keeps its number, and its scans stay where they are.
        """
        with self._writing() as db:
            known = {
                row.code_sha256: _as_ticket(row)
                for row in db.execute(sa.select(tickets).where(tickets.c.event_id == event.id))
            }
            free = max((ticket.number for ticket in known.values()), default=0) + 1
            new: list[dict[str, Any]] = []
            changed = 0
            for ticket in wanted:
                before = known.get(ticket.code_sha256)
                if before is None:
                    number = ticket.number or free
                    free = max(free, number) + 1 if not ticket.number else free
                    new.append({**ticket._asdict(), "number": number, "event_id": event.id})
                    continue
                after = {**ticket._asdict(), "number": before.number, "is_own": before.is_own}
                if any(getattr(before, name) != value for name, value in after.items()):
                    db.execute(sa.update(tickets).where(tickets.c.id == before.id).values(**after))
                    changed += 1
            if new:
                db.execute(sa.insert(tickets), new)
        return Imported(len(new), changed, len(wanted) - len(new) - changed)

    # -- under the hood ------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _as_ledger_error(self._path), self._engine.connect() as db:
            yield db

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with (
            _as_ledger_error(self._path),
            self._engine.connect().execution_options(**{_WRITES: True}) as db,
            db.begin(),
        ):
            yield db

    def _locked_room(self, db: sa.Connection, event: Event) -> Room:
        db.execute(sa.select(events.c.id).where(events.c.id == event.id).with_for_update())
        return _room(db, event)


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_S})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself: we say which kind
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def _begin(db: sa.Connection) -> None:
        db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get(_WRITES) else "BEGIN")

    return engine


@contextmanager
def _as_ledger_error(path: Path) -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise LedgerError(f"the ledger {path} failed: {cause}. Is the disk full, or the file not ours?") from error


def _room(db: sa.Connection, event: Event) -> Room:
    admitted = (scans.c.event_id == event.id, scans.c.visit.is_not(None))
    inside = _count(db, scans, *admitted, scans.c.direction == "entry") - _count(
        db, scans, *admitted, scans.c.direction == "exit"
    )
    capacity = db.execute(sa.select(events.c.capacity).where(events.c.id == event.id)).scalar_one()
    return Room(inside, capacity)


def _count(db: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    return db.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()


def _entries(db: sa.Connection, ticket_id: int) -> int:
    return _count(db, scans, scans.c.ticket_id == ticket_id, scans.c.direction == "entry", scans.c.visit.is_not(None))


def _ticket(db: sa.Connection, *where: sa.ColumnElement[bool]) -> Ticket | None:
    row = db.execute(sa.select(tickets).where(*where)).one_or_none()
    return None if row is None else _as_ticket(row)


def _as_ticket(row: sa.Row[Any]) -> Ticket:
    values = {name: getattr(row, name) for name in Ticket._fields}
    return Ticket(**{**values, "status": Status(row.status)})


def _reason(word: str | None) -> Reason | None:
    return None if word is None else Reason(word)


def _caveats(words: str) -> tuple[Caveat, ...]:
    return tuple(Caveat(word) for word in words.split())
