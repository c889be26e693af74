"""Names are forgotten: of guests, and of those who stood at the door; what was counted stays.

A name that was overwritten is gone from the file, not only from its tables: SQLite is told to blank what it frees, the
file is written anew, and the log beside it is cut off. Copies that somebody made are theirs to delete.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from kiosk.ledger.event_rows import as_event
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.records import Event
from kiosk.ledger.schema import events, scans, sendings, tickets, waiting

log = logging.getLogger(__name__)

SOMEBODY = "somebody"  # in the place of a person's name at the door
_FORGOTTEN = ""  # in that of a guest's on the waiting list
_PERSONAL = (tickets.c.holder, tickets.c.email, tickets.c.order_code, tickets.c.note)


class Kept(NamedTuple):
    """What the ledger knows of persons, of one event."""

    event: Event
    tickets: int  # with a name, an e-mail, an order or a note
    waiting: int  # names on the waiting list
    rows: int  # that name who did them
    since: datetime | None  # aware: when the event was, as far as it is known

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to forget."""
        return not (self.tickets or self.waiting or self.rows)

    def goes_at(self, after: timedelta) -> datetime | None:
        """When it is to be forgotten; None when nobody knows when the event was."""
        return None if self.since is None else self.since + after


def kept(ledger: Ledger) -> Sequence[Kept]:
    """What is known of persons, by event, the newest first."""
    with ledger.database.reading() as db:
        rows = db.execute(sa.select(events).order_by(events.c.id.desc())).all()
        return [_kept(db, as_event(row)) for row in rows]


def kept_of(ledger: Ledger, event: Event) -> Kept:
    """What is known of the persons of one event."""
    with ledger.database.reading() as db:
        return _kept(db, event)


def forget(ledger: Ledger, event: Event) -> Kept:
    """Forget the persons of an event. Returns what there was. Raises LedgerError."""
    with ledger.database.blanking() as db:
        there = _kept(db, event)
        of_tickets = {column.name: None for column in _PERSONAL} | {"folded": "", "language": None}
        db.execute(sa.update(tickets).where(tickets.c.event_id == event.id).values(of_tickets))
        db.execute(sa.update(sendings).where(sendings.c.event_id == event.id).values(address_mac=None))
        db.execute(sa.update(waiting).where(waiting.c.event_id == event.id).values(name=_FORGOTTEN))
        with ledger.database.rows_changeable(db):
            named = sa.and_(scans.c.event_id == event.id, scans.c.actor.is_not(None))
            db.execute(sa.update(scans).where(named).values(actor=SOMEBODY))
    ledger.database.write_anew()
    log.info("privacy event=forgotten of=%s tickets=%d waiting=%d rows=%d", event.slug, *there[1:4])
    return there


def due(ledger: Ledger, now: datetime, after: timedelta) -> Sequence[Kept]:
    """What is to be forgotten by `now` (aware), when the time is known."""
    found = [each for each in kept(ledger) if not each.is_nothing]
    return [each for each in found if (at := each.goes_at(after)) is not None and at <= now]


def _kept(db: sa.Connection, event: Event) -> Kept:
    def count(table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(table).where(table.c.event_id == event.id, *where)
        return db.execute(query).scalar_one()

    named = sa.or_(*(column.is_not(None) for column in _PERSONAL))
    last: Any = db.execute(sa.select(sa.func.max(scans.c.wall)).where(scans.c.event_id == event.id)).scalar_one()
    return Kept(
        event,
        count(tickets, named),
        count(waiting, waiting.c.name != _FORGOTTEN),
        count(scans, scans.c.actor.is_not(None), scans.c.actor != SOMEBODY),
        event.starts_at or last,
    )


def personal_words(ledger: Ledger) -> Iterator[str]:
    """Every name, address, order and note there is, of all events: what a text for others must not have in it."""
    with ledger.database.reading() as db:
        for column in (*_PERSONAL, waiting.c.name, scans.c.actor):
            yield from db.execute(sa.select(column).where(column.is_not(None))).scalars()
