"""What the rows say of a ticket and of the room: reading, inside somebody's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.records import Event, Ticket, UnknownTicket
from kiosk.ledger.rules import Caveat, Claim, Reason, Room
from kiosk.ledger.schema import clock_fixes, events, scans, tickets, waiting
from kiosk.tickets.status import Status

RELEASED = datetime(1970, 1, 1, tzinfo=UTC)  # a person said so: no clock is asked


class History(NamedTuple):
    """A ticket's movements, oldest first; undone ones left out of all but `visits`."""

    standing: Sequence[sa.Row[Any]]  # entries and exits that were let through and not undone
    visits: dict[str, int]  # by kind: how many there ever were, undone or not

    @property
    def inside(self) -> int:
        """How many of its people are inside: those who came in since its last exit."""
        count = 0
        for row in self.standing:
            count = count + row.delta if row.kind == "entry" else 0
        return count

    def claim(self, ticket: Ticket, now: Stamp) -> Claim:
        """What the rules need."""
        last = self.standing[-1] if self.standing else None
        is_this_boot = last is not None and last.boot_id == now.boot_id
        return Claim(
            status=ticket.status,
            valid_from=ticket.valid_from,
            valid_until=ticket.valid_until,
            persons=ticket.persons,
            inside=self.inside,
            was_inside=any(row.kind == "entry" for row in self.standing),
            since_last_s=(now.monotonic_ns - last.monotonic_ns) / 1e9 if last is not None and is_this_boot else None,
        )


def history(db: sa.Connection, ticket_id: int) -> History:
    """A ticket's movements."""
    rows = db.execute(sa.select(scans).where(scans.c.ticket_id == ticket_id).order_by(scans.c.id)).all()
    undone = {row.undoes for row in rows if row.undoes is not None}
    passed = [row for row in rows if row.visit is not None]
    visits = {kind: sum(row.kind == kind for row in passed) for kind in ("entry", "exit")}
    return History([row for row in passed if row.id not in undone], visits)


def inside(db: sa.Connection, event: Event) -> int:
    """How many people are in, from the last row."""
    last = sa.select(scans.c.inside).where(scans.c.event_id == event.id).order_by(scans.c.id.desc()).limit(1)
    return db.execute(last).scalar_one_or_none() or 0


def room(db: sa.Connection, event: Event) -> Room:
    """The room for somebody with a ticket, whose seat is kept anyway. Takes the event's lock where rows have locks."""
    row = db.execute(
        sa.select(events.c.capacity, events.c.fire_limit).where(events.c.id == event.id).with_for_update()
    ).one()
    return Room(inside(db, event), row.capacity, row.fire_limit, kept=0)


def room_for_walk_ins(db: sa.Connection, event: Event, now: Stamp, before: int | None = None) -> Room:
    """The room for somebody without a ticket; `before` is their place on the waiting list, None for not being on it."""
    release_at = db.execute(sa.select(events.c.release_no_shows_at).where(events.c.id == event.id)).scalar_one()
    is_due = release_at is not None and now.is_trusted and now.wall >= release_at
    is_released = is_due or release_at == RELEASED
    ahead = sa.select(sa.func.coalesce(sa.func.sum(waiting.c.persons), 0)).where(waiting.c.event_id == event.id)
    if before is not None:
        ahead = ahead.where(waiting.c.id < before)
    return room(db, event)._replace(kept=0 if is_released else _kept(db, event), waiting=db.execute(ahead).scalar_one())


def _kept(db: sa.Connection, event: Event) -> int:
    """Seats of paid tickets whose people have not come: tickets without an entry that stands."""
    undo = scans.alias("undo")
    came = (
        sa.select(scans.c.id)
        .where(scans.c.ticket_id == tickets.c.id, scans.c.kind == "entry", scans.c.visit.is_not(None))
        .where(~sa.exists().where(undo.c.undoes == scans.c.id))
    )
    seats = sa.select(sa.func.coalesce(sa.func.sum(tickets.c.guests + 1), 0)).where(
        tickets.c.event_id == event.id, tickets.c.status == Status.PAID, ~tickets.c.is_walk_in, ~came.exists()
    )
    count: int = db.execute(seats).scalar_one()
    return count


def ticket_by(db: sa.Connection, event: Event, *where: sa.ColumnElement[bool]) -> Ticket | None:
    """The ticket that fits, None when there is none."""
    row = db.execute(sa.select(tickets).where(tickets.c.event_id == event.id, *where)).one_or_none()
    return None if row is None else as_ticket(row)


def ticket_of_id(db: sa.Connection, event: Event, ticket_id: int) -> Ticket:
    """The ticket. Raises UnknownTicket."""
    ticket = ticket_by(db, event, tickets.c.id == ticket_id)
    if ticket is None:
        raise UnknownTicket(f"there is no ticket {ticket_id} in {event.slug}; search for its holder again")
    return ticket


def as_ticket(row: sa.Row[Any]) -> Ticket:
    """A row of tickets."""
    values = {name: getattr(row, name) for name in Ticket._fields}
    return Ticket(**{**values, "status": Status(row.status)})


def as_reason(word: str | None) -> Reason | None:
    """A row's reason."""
    return None if word is None else Reason(word)


def as_caveats(words: str) -> tuple[Caveat, ...]:
    """A row's caveats."""
    return tuple(Caveat(word) for word in words.split())


def corrected(wall: datetime, monotonic_ns: int, offset_ns: int | None) -> datetime:
    """When a row was made: its own wall time, or what its boot's clock turned out to be later."""
    if offset_ns is None:
        return wall
    return datetime.fromtimestamp(0, wall.tzinfo) + timedelta(microseconds=(monotonic_ns + offset_ns) / 1000)


def with_clock_fix(query: sa.Select[Any]) -> sa.Select[Any]:
    """Adds `offset_ns` of the boot, null for rows whose wall time was right."""
    fix = sa.and_(clock_fixes.c.boot_id == scans.c.boot_id, ~scans.c.clock_trusted)
    return query.add_columns(clock_fixes.c.offset_ns).outerjoin(clock_fixes, fix)
