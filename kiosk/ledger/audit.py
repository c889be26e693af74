"""Whether the ledger can be believed: occupancy, visits and undos are derived anew from the rows and compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from kiosk.ledger.ledger import Ledger
from kiosk.ledger.schema import events, scans, tickets


def audit(ledger: Ledger) -> list[str]:
    """What is wrong, a sentence each; empty when all is well."""
    with ledger.database.reading() as db:
        wrong = [f"the database itself: {line}" for line in _integrity(db)]
        slugs = {row.id: row.slug for row in db.execute(sa.select(events))}
        rows: dict[int, list[sa.Row[Any]]] = defaultdict(list)
        for row in db.execute(sa.select(scans).order_by(scans.c.id)):
            rows[row.event_id].append(row)
        persons = {row.id: row.guests + 1 for row in db.execute(sa.select(tickets.c.id, tickets.c.guests))}
    for event_id, of_event in rows.items():
        name = slugs[event_id]
        wrong += [f"{name}: {line}" for line in _occupancy(of_event)]
        wrong += [f"{name}: {line}" for line in _undos(of_event)]
        wrong += [f"{name}: {line}" for line in _visits(of_event, persons)]
    return wrong


def _integrity(db: sa.Connection) -> Iterator[str]:
    if db.dialect.name != "sqlite":
        return
    for line in db.exec_driver_sql("PRAGMA integrity_check").scalars():
        if line != "ok":
            yield str(line)
    for table, row, parent, _ in db.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} names a {parent} that is not there"


def _occupancy(rows: Iterable[sa.Row[Any]]) -> Iterator[str]:
    inside = 0
    for row in rows:
        inside += row.delta
        if row.inside != inside:
            yield f"row {row.id} says {row.inside} inside, the rows up to it give {inside}"
            inside = row.inside  # one sentence for one mistake
        if inside < 0:
            yield f"row {row.id} leaves {inside} people inside"
        # A correction records what is; nothing else may pass the limit that was in force.
        if row.kind != "correction" and row.delta > 0 and inside > row.fire_limit:
            yield f"row {row.id} let somebody in over the fire limit ({inside} of {row.fire_limit})"


def _undos(rows: Iterable[sa.Row[Any]]) -> Iterator[str]:
    by_id = {row.id: row for row in rows}
    for row in by_id.values():
        if row.kind != "undo":
            continue
        undone = by_id.get(row.undoes)
        if undone is None or undone.id > row.id:
            yield f"row {row.id} undoes row {row.undoes}, which is not before it"
        elif (undone.delta, undone.ticket_id) != (-row.delta, row.ticket_id):
            yield f"row {row.id} does not take back what row {row.undoes} did"


def _visits(rows: Iterable[sa.Row[Any]], persons: Mapping[int, int]) -> Iterator[str]:
    undone = {row.undoes for row in rows if row.kind == "undo"}
    inside: dict[int, int] = defaultdict(int)
    seen: dict[tuple[int, str], int] = defaultdict(int)
    for row in rows:
        if row.visit is None:
            continue
        seen[row.ticket_id, row.kind] += 1
        count = seen[row.ticket_id, row.kind]
        if row.visit != count:
            yield f"row {row.id} calls itself {row.kind} {row.visit} of ticket {row.ticket_id}, it is number {count}"
        if row.id in undone:
            continue
        is_rest = row.actor is not None and inside[row.ticket_id] + row.delta <= persons.get(row.ticket_id, 1)
        if row.kind == "entry" and inside[row.ticket_id] and not is_rest:
            yield f"row {row.id} lets ticket {row.ticket_id} in, which was inside"
        if -row.delta > inside[row.ticket_id]:
            yield f"row {row.id} lets out more people than ticket {row.ticket_id} had inside"
        inside[row.ticket_id] = inside[row.ticket_id] + row.delta if row.kind == "entry" else 0
