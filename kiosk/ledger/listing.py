"""Tickets as lists bring them: written all or none, and never twice for one person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import sqlalchemy as sa

from kiosk.ledger.movements import with_folded
from kiosk.ledger.reading import all_tickets
from kiosk.ledger.records import Event, Imported, NewTicket, Ticket
from kiosk.ledger.schema import tickets


def put_tickets(
    db: sa.Connection, event: Event, wanted: Sequence[NewTicket], fields: Collection[str] | None
) -> Imported:
    """See Ledger.put_tickets."""
    return _put(db, event, all_tickets(db, event), wanted, fields)


def issue(
    db: sa.Connection,
    event: Event,
    people: Sequence[NewTicket],
    fields: Collection[str],
    digest_of: Callable[[int], bytes],
) -> tuple[Sequence[NewTicket], Imported]:
    """See Ledger.issue."""
    known = all_tickets(db, event)
    unclaimed: dict[tuple[str | None, str | None], list[int]] = {}
    for ticket in known:
        if ticket.is_own:
            unclaimed.setdefault((ticket.holder, ticket.email), []).append(ticket.number)
    free = max((ticket.number for ticket in known), default=0) + 1
    numbered = []
    for person in people:
        mine = unclaimed.get((person.holder, person.email))
        if mine:
            number = mine.pop(0)
        else:
            number, free = free, free + 1
        numbered.append(person._replace(number=number, code_sha256=digest_of(number)))
    return numbered, _put(db, event, known, numbered, fields)


def _put(
    db: sa.Connection,
    event: Event,
    there: Sequence[Ticket],
    wanted: Sequence[NewTicket],
    fields: Collection[str] | None,
) -> Imported:
    known = {ticket.code_sha256: ticket for ticket in there}
    free = max((ticket.number for ticket in there), default=0) + 1
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for ticket in wanted:
        values = ticket._asdict()
        before = known.get(ticket.code_sha256)
        if before is None:
            values["number"] = ticket.number or free
            free = max(free, values["number"] + 1)
            new.append(with_folded(event, values))
            continue
        said = {name: value for name, value in values.items() if fields is None or name in fields}
        after = {name: getattr(before, name) for name in values} | said
        after |= {"number": before.number, "is_own": before.is_own}
        if any(getattr(before, name) != value for name, value in after.items()):
            values = with_folded(event, after)
            del values["is_walk_in"]
            changed.append({**values, "key": before.id})
    if changed:  # at once: the gates wait for the write lock meanwhile
        columns: dict[str, Any] = {name: sa.bindparam(name) for name in changed[0] if name != "key"}
        db.execute(sa.update(tickets).where(tickets.c.id == sa.bindparam("key")).values(columns), changed)
    if new:
        db.execute(sa.insert(tickets), new)
    return Imported(len(new), len(changed), len(wanted) - len(new) - len(changed))
