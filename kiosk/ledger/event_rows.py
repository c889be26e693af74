"""The rows of events: how one is made and changed, inside somebody's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from kiosk.ledger.records import Event, LedgerError
from kiosk.ledger.schema import events


def create(db: sa.Connection, values: Mapping[str, Any]) -> Event:
    """See Ledger.create_event; `values` are all columns but the id."""
    _check_limit(values["fire_limit"], values["capacity"])
    if db.execute(sa.select(events.c.id).where(events.c.slug == values["slug"])).one_or_none() is not None:
        raise LedgerError(f"there already is an event {values['slug']!r}; choose another name")
    key = db.execute(sa.insert(events).values(**values).returning(events.c.id)).scalar_one()
    return Event(id=key, **values)


def change(db: sa.Connection, event: Event, changes: Mapping[str, Any]) -> Event:
    """See Ledger.change_event."""
    row = db.execute(sa.select(events).where(events.c.id == event.id).with_for_update()).one()
    before = as_event(row)
    after = before._replace(**changes)
    if "fire_limit" not in changes and before.fire_limit == before.capacity:
        after = after._replace(fire_limit=after.capacity)
    _check_limit(after.fire_limit, after.capacity)
    values = {name: getattr(after, name) for name in {*changes, "fire_limit"}}
    db.execute(sa.update(events).where(events.c.id == event.id).values(**values))
    return after


def as_event(row: sa.Row[Any]) -> Event:
    """A row of events."""
    return Event(**{name: getattr(row, name) for name in Event._fields})


def _check_limit(limit: int, capacity: int) -> None:
    if limit < capacity:
        raise LedgerError(f"the fire limit ({limit}) must be at least the seats ({capacity})")
