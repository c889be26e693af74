"""What others want to know of the ledger, in somebody's reading transaction: rows, tickets and counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from kiosk.ledger.clocks import corrected, raw, with_clock_fix
from kiosk.ledger.event_rows import as_event
from kiosk.ledger.history import as_ticket, history, room
from kiosk.ledger.records import Bearer, Event, Found, HeadCount, Movement, ScanRow, Ticket
from kiosk.ledger.schema import events, scans, tickets, waiting
from kiosk.tickets.sheet import fold

_UNDO = scans.alias()  # made once: an alias costs more than its query


def head_count(db: sa.Connection, event: Event) -> HeadCount:
    """The room in numbers."""
    of_event = scans.c.event_id == event.id
    space = room(db, event)
    stands = ~sa.exists().where(_UNDO.c.undoes == scans.c.id)
    admitted = _count(db, scans, of_event, scans.c.kind == "entry", scans.c.visit.is_not(None), stands)
    refused = _count(db, scans, of_event, scans.c.reason.is_not(None))
    issued = _count(db, tickets, tickets.c.event_id == event.id, ~tickets.c.is_walk_in)
    return HeadCount(space.inside, space.capacity, admitted, refused, issued)


def movements(db: sa.Connection, event: Event) -> Sequence[Movement]:
    """Every row that changed how many are inside, in their order."""
    columns = (scans.c.wall, scans.c.monotonic_ns, scans.c.delta)
    query = with_clock_fix(sa.select(*columns)).where(scans.c.event_id == event.id, scans.c.delta != 0)
    return [Movement(corrected(row), row.delta) for row in db.execute(query.order_by(scans.c.id))]


def recent_scans(db: sa.Connection, event: Event, limit: int) -> Sequence[ScanRow]:
    """The last `limit` rows, newest first."""
    query = with_clock_fix(
        sa.select(
            scans,
            tickets.c.holder,
            tickets.c.product,
            tickets.c.note,
            _UNDO.c.id.label("undone_by"),
            waiting.c.name.label("guest"),
        )
        .outerjoin(tickets, scans.c.ticket_id == tickets.c.id)
        .outerjoin(_UNDO, _UNDO.c.undoes == scans.c.id)
        .outerjoin(waiting, waiting.c.id == scans.c.waiting_id)
    )
    rows = db.execute(query.where(scans.c.event_id == event.id).order_by(scans.c.id.desc()).limit(limit))
    return [
        ScanRow(
            scan_id=row.id,
            at=corrected(row),
            gate=row.gate,
            is_admitted=row.reason is None,
            reason=row.reason,
            holder=row.holder,
            product=row.product,
            caveats=tuple(row.caveats.split()),
            kind=row.kind,
            delta=row.delta,
            actor=row.actor,
            note=row.note,
            is_undone=row.undone_by is not None,
            raw_at=raw(row),
            guest=row.guest,
        )
        for row in rows
    ]


def find(db: sa.Connection, event: Event, text: str, limit: int) -> Sequence[Found]:
    """Tickets whose holder, e-mail or order contains every word of `text`; case and accents do not matter."""
    fits = all_of_words(text)
    if not fits:
        return []
    return found(
        db, sa.select(tickets).where(tickets.c.event_id == event.id, *fits).order_by(tickets.c.folded).limit(limit)
    )


def all_of_words(text: str) -> Sequence[sa.ColumnElement[bool]]:
    """That a ticket's holder, e-mail or order contains every word of `text`."""
    return [tickets.c.folded.contains(word, autoescape=True) for word in fold(text).split()]


def found(db: sa.Connection, query: sa.Select[Any]) -> Sequence[Found]:
    """The tickets of a query, with where their people are."""
    return [_found(db, as_ticket(row)) for row in db.execute(query).all()]


def all_tickets(db: sa.Connection, event: Event) -> Iterator[Ticket]:
    """All tickets of an event, by number; one after the other, since 100,000 of them are 50 MB."""
    query = sa.select(tickets).where(tickets.c.event_id == event.id).order_by(tickets.c.number)
    return (as_ticket(row) for row in db.execute(query.execution_options(yield_per=2_000)))


def states(db: sa.Connection, event: Event) -> Sequence[Found]:
    """All tickets of an event with where their people are, by number."""
    return [_found(db, ticket) for ticket in all_tickets(db, event)]


def bearers(db: sa.Connection, sha256: bytes) -> Sequence[Bearer]:
    """The tickets of all events that have the code of this digest, the newest event first."""
    query = sa.select(tickets).where(
        tickets.c.event_id.in_(sa.select(events.c.id)),  # all of them: so that (event, code) finds each, at any size
        tickets.c.code_sha256 == sha256,
    )
    known = []
    for row in db.execute(query.order_by(tickets.c.event_id.desc())).all():
        ticket = as_ticket(row)
        evening = db.execute(sa.select(events).where(events.c.id == row.event_id)).one()
        event = as_event(evening)
        entries = sum(moved.kind == "entry" for moved in history(db, ticket.id).standing)
        known.append(Bearer(event, _found(db, ticket), entries))
    return known


def _found(db: sa.Connection, ticket: Ticket) -> Found:
    past = history(db, ticket.id)
    if not past.standing:
        return Found(ticket, 0, None)
    row = db.execute(with_clock_fix(sa.select(scans)).where(scans.c.id == past.standing[-1].id)).one()
    return Found(ticket, past.inside, corrected(row))


def _count(db: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    return db.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()
