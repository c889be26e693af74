"""Tickets as lists bring them: written all or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from kiosk.ledger.history import tickets_inside
from kiosk.ledger.movements import with_folded
from kiosk.ledger.plan import Plan, plan
from kiosk.ledger.records import Event, Imported, NewTicket, Ticket
from kiosk.ledger.schema import tickets
from kiosk.tickets.status import Status


def compare(
    db: sa.Connection,
    event: Event,
    there: Sequence[Ticket],
    wanted: Sequence[NewTicket],
    fields: Collection[str] | None,
) -> Plan:
    """What writing `wanted` would do."""
    others = db.execute(sa.select(tickets.c.code_sha256).where(tickets.c.event_id != event.id))
    return plan(there, wanted, fields, inside=tickets_inside(db, event), elsewhere=set(others.scalars()))


def put(
    db: sa.Connection,
    event: Event,
    there: Sequence[Ticket],
    wanted: Sequence[NewTicket],
    fields: Collection[str] | None,
    *,
    cancels_gone: bool,
) -> Imported:
    """See Ledger.put_tickets."""
    found = compare(db, event, there, wanted, fields)
    changed = []
    for each in found.changed:
        values = with_folded(event, each.after._asdict())
        del values["is_walk_in"]
        changed.append({**values, "key": each.ticket.id})
    if changed:  # at once: the gates wait for the write lock meanwhile
        columns: dict[str, Any] = {name: sa.bindparam(name) for name in changed[0] if name != "key"}
        db.execute(sa.update(tickets).where(tickets.c.id == sa.bindparam("key")).values(columns), changed)
    if found.new:
        db.execute(sa.insert(tickets), [with_folded(event, ticket._asdict()) for ticket in found.new])
    gone = [{"key": ticket.id} for ticket in found.gone] if cancels_gone else []
    if gone:
        db.execute(sa.update(tickets).where(tickets.c.id == sa.bindparam("key")).values(status=Status.CANCELED), gone)
    _note_sources(db, there, wanted)
    return Imported(len(found.new), len(found.changed), found.unchanged, len(gone))


def _note_sources(db: sa.Connection, there: Sequence[Ticket], wanted: Sequence[NewTicket]) -> None:
    """Write down whose list named a ticket of which nobody knew it."""
    sources = {ticket.code_sha256: ticket.source for ticket in wanted if ticket.source}
    unknown = [
        {"key": ticket.id, "named_by": sources[ticket.code_sha256]}
        for ticket in there
        if ticket.source is None and ticket.code_sha256 in sources
    ]
    if unknown:
        by_key = sa.update(tickets).where(tickets.c.id == sa.bindparam("key"))
        db.execute(by_key.values(source=sa.bindparam("named_by")), unknown)
