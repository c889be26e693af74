"""The rows of tickets: how one is written, inside somebody's transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kiosk.ledger.history import ticket_of_id
from kiosk.ledger.records import Event, NewTicket, Ticket
from kiosk.ledger.schema import tickets
from kiosk.tickets.sheet import fold


def with_folded(event: Event, values: dict[str, Any]) -> dict[str, Any]:
    """A ticket's columns, with what the search looks at."""
    parts = (values["holder"], values["email"], values["order_code"])
    words = [fold(part) for part in parts if part]
    # "obrien" finds O'Brien, which is folded to "o brien".
    folded = " ".join([*words, fold(values["holder"] or "").replace(" ", "")]).strip()
    return {"is_walk_in": False, **values, "event_id": event.id, "folded": folded}


def add_ticket(db: sa.Connection, event: Event, ticket: NewTicket, **more: Any) -> Ticket:
    """Write a ticket with the next free number; `more` are columns that a NewTicket has not."""
    last = db.execute(sa.select(sa.func.max(tickets.c.number)).where(tickets.c.event_id == event.id)).scalar_one()
    values = with_folded(event, {**ticket._asdict(), "number": (last or 0) + 1, **more})
    key = db.execute(sa.insert(tickets).values(values).returning(tickets.c.id)).scalar_one()
    return ticket_of_id(db, event, key)
