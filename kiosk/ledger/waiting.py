"""The waiting list, derived from the rows: who asked for a seat, has not left the list and has not come in.

So an undone entry, and an undone removal, put a guest back on their old place; and of a group that comes in parts the
rest keep it.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from kiosk.ledger.clocks import corrected, with_clock_fix
from kiosk.ledger.records import Event, Waiting
from kiosk.ledger.schema import scans, waiting

# Made once: an alias costs more than its query.
_SAID, _ENTRY, _UNDO = scans.alias(), scans.alias(), scans.alias()


def waiting_list(db: sa.Connection, event: Event) -> Sequence[Waiting]:
    """Who waits, first come first."""
    asked = sa.and_(scans.c.waiting_id == waiting.c.id, scans.c.kind == "wait")
    came = _came()
    query = with_clock_fix(
        sa.select(waiting, scans.c.wall, scans.c.monotonic_ns, came.label("came")).outerjoin(scans, asked)
    )
    rows = db.execute(
        query.where(
            waiting.c.event_id == event.id,
            ~_has_row(kind="wait", is_undone=True),
            ~_has_row(kind="unwait", is_undone=False),
            came < waiting.c.persons,
        ).order_by(waiting.c.id)
    )
    # Guests of an older ledger have no row that says when they asked.
    return [
        Waiting(
            row.id,
            row.name,
            row.persons - row.came,
            row.since if row.wall is None else corrected(row),
            row.ticket_id,
        )
        for row in rows
    ]


def guest_of(db: sa.Connection, event: Event, waiting_id: int) -> Waiting | None:
    """That guest, None when they are not on the list."""
    return next((guest for guest in waiting_list(db, event) if guest.id == waiting_id), None)


def place_of(db: sa.Connection, event: Event, ticket_id: int) -> int | None:
    """The id on the list of whom this ticket was made for, None when they do not wait."""
    return next((guest.id for guest in waiting_list(db, event) if guest.ticket_id == ticket_id), None)


def _has_row(*, kind: str, is_undone: bool) -> sa.ColumnElement[bool]:
    undone = sa.exists().where(_UNDO.c.undoes == _SAID.c.id)
    return sa.exists().where(_SAID.c.waiting_id == waiting.c.id, _SAID.c.kind == kind, undone if is_undone else ~undone)


def _came() -> sa.ScalarSelect[int]:
    """How many of a guest's group have come in."""
    return (
        sa.select(sa.func.coalesce(sa.func.sum(_ENTRY.c.delta), 0))
        .where(
            _ENTRY.c.ticket_id == waiting.c.ticket_id,
            _ENTRY.c.kind == "entry",
            _ENTRY.c.visit.is_not(None),
            ~sa.exists().where(_UNDO.c.undoes == _ENTRY.c.id),
        )
        .scalar_subquery()
    )
