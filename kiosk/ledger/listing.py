"""Tickets as lists bring them: written all or none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import count, islice
from typing import Any

import sqlalchemy as sa

from kiosk.ledger.history import tickets_inside
from kiosk.ledger.plan import Changed, Plan, free_number, plan
from kiosk.ledger.reading import all_tickets
from kiosk.ledger.records import Event, Imported, NewTicket
from kiosk.ledger.schema import pretix_tickets, tickets
from kiosk.ledger.ticket_rows import with_folded
from kiosk.tickets.status import Status

Cancels = bool | Collection[int]  # of the tickets that a list does not name: all, none, or those with these ids
_BY_KEY = sa.update(tickets).where(tickets.c.id == sa.bindparam("key"))
_PORTION = 2_000


def compare(
    db: sa.Connection,
    event: Event,
    wanted: Sequence[NewTicket],
    fields: Collection[str] | None,
) -> Plan:
    """What writing `wanted` would do."""
    others = db.execute(sa.select(tickets.c.code_sha256).where(tickets.c.event_id != event.id))
    synced = set(
        db.execute(sa.select(pretix_tickets.c.ticket_id).where(pretix_tickets.c.event_id == event.id)).scalars()
    )
    inside = tickets_inside(db, event)
    there = all_tickets(db, event)
    return plan(there, wanted, fields, inside=inside, elsewhere=set(others.scalars()), synced=synced)


def put(
    db: sa.Connection,
    event: Event,
    wanted: Sequence[NewTicket],
    fields: Collection[str] | None,
    *,
    cancels: Cancels,
) -> Imported:
    """See Ledger.put_tickets."""
    found = compare(db, event, wanted, fields)
    nameless = sa.select(tickets.c.id, tickets.c.code_sha256).where(
        tickets.c.event_id == event.id, tickets.c.source.is_(None)
    )
    said: dict[str, Any] = {name: sa.bindparam(name) for name in (*NewTicket._fields, "folded")}
    _execute(db, _BY_KEY.values(said), (_changed(event, each) for each in found.changed))
    last = sa.select(sa.func.max(tickets.c.number)).where(tickets.c.event_id == event.id)
    numbers = count(max((db.execute(last).scalar_one() or 0) + 1, free_number(wanted)))
    new = (with_folded(event, {**each._asdict(), "number": each.number or next(numbers)}) for each in found.new)
    _execute(db, sa.insert(tickets), new)
    gone = [ticket for ticket in found.gone if cancels is True or (cancels is not False and ticket.id in cancels)]
    _execute(db, _BY_KEY.values(status=Status.CANCELED), ({"key": ticket.id} for ticket in gone))
    sources = {ticket.code_sha256: ticket.source for ticket in wanted if ticket.source}
    unknown = (row for row in db.execute(nameless).all() if row.code_sha256 in sources)
    named = ({"key": row.id, "named_by": sources[row.code_sha256]} for row in unknown)
    _execute(db, _BY_KEY.values(source=sa.bindparam("named_by")), named)
    return Imported(
        len(found.new),
        len(found.changed),
        found.unchanged,
        len(gone),
        {str(doubt): count for doubt, count in found.doubts.items()},
    )


def _changed(event: Event, each: Changed) -> dict[str, Any]:
    values = with_folded(event, each.after._asdict())
    return {**{name: values[name] for name in (*NewTicket._fields, "folded")}, "key": each.ticket.id}


def _execute(db: sa.Connection, statement: sa.Insert | sa.Update, rows: Iterator[dict[str, Any]]) -> None:
    """Many at once, since the gates wait for the write lock meanwhile; and not all, since each takes a kilobyte."""
    while portion := list(islice(rows, _PORTION)):
        db.execute(statement, portion)
