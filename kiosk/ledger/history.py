"""What the rows say of a ticket and of the room: reading, inside somebody's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.clocks import known_time
from kiosk.ledger.records import Event, Ticket, UnknownTicket
from kiosk.ledger.rules import Caveat, Claim, Reason, Room, claimed
from kiosk.ledger.schema import events, scans, tickets
from kiosk.ledger.waiting import waiting_list
from kiosk.tickets.status import Status

_UNDO = scans.alias()  # made once: an alias costs more than its query


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
        moved = [row for row in self.standing if row.delta]  # an exit of nobody is no turn
        last = moved[-1] if moved else None
        is_this_boot = last is not None and last.boot_id == now.boot_id
        return Claim(
            status=ticket.status,
            valid_from=ticket.valid_from,
            valid_until=ticket.valid_until,
            persons=ticket.persons,
            inside=self.inside,
            entered=sum(row.delta for row in self.standing if row.kind == "entry"),
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


def tickets_inside(db: sa.Connection, event: Event) -> set[int]:
    """The ids of tickets of whose people more came in than went out."""
    of_event = sa.and_(scans.c.event_id == event.id, scans.c.ticket_id.is_not(None))
    query = sa.select(scans.c.ticket_id).where(of_event).group_by(scans.c.ticket_id)
    return set(db.execute(query.having(sa.func.sum(scans.c.delta) > 0)).scalars())


def room(db: sa.Connection, event: Event) -> Room:
    """The room for somebody with a ticket, whose seat is kept anyway. Takes the event's lock where rows have locks."""
    row = db.execute(
        sa.select(events.c.capacity, events.c.fire_limit).where(events.c.id == event.id).with_for_update()
    ).one()
    return Room(inside(db, event), row.capacity, row.fire_limit, kept=0)


def room_for_walk_ins(db: sa.Connection, event: Event, now: Stamp, before: int | None = None) -> Room:
    """The room for somebody without a ticket; `before` is their id on the waiting list, None for not being on it."""
    space = room(db, event)._replace(kept=0 if is_released(db, event, now) else _kept(db, event))
    ahead = [guest.persons for guest in waiting_list(db, event) if before is None or guest.id < before]
    return space._replace(claimed=claimed(space, ahead))


def is_released(db: sa.Connection, event: Event, now: Stamp) -> bool:
    """Whether nobody's seat is kept any more: a person said so, or it is time, as far as the time is known."""
    said = sa.select(scans.c.id).where(
        scans.c.event_id == event.id, scans.c.kind == "release", ~sa.exists().where(_UNDO.c.undoes == scans.c.id)
    )
    if db.execute(said.limit(1)).one_or_none() is not None:
        return True
    at = db.execute(sa.select(events.c.release_no_shows_at).where(events.c.id == event.id)).scalar_one()
    if at is None:
        return False
    time = known_time(db, now)
    return bool(time.is_known and time.wall >= at)


def may_return(db: sa.Connection, event: Event) -> bool:
    """Whether a guest who left may come in again, as the event is now: it may be changed in its course."""
    return bool(db.execute(sa.select(events.c.may_return).where(events.c.id == event.id)).scalar_one())


def _kept(db: sa.Connection, event: Event) -> int:
    """Seats of paid tickets for people who have not come: all of them, less as many of each as have been inside.

    Who comes in again is nobody new: as many as were inside at once, or all who entered where nobody returns.
    """
    returns = may_return(db, event)
    is_kept = sa.and_(tickets.c.event_id == event.id, ~tickets.c.is_walk_in, tickets.c.status == Status.PAID)
    seats = sa.select(sa.func.coalesce(sa.func.sum(tickets.c.guests + 1), 0)).where(is_kept)
    moves = (
        sa.select(scans.c.ticket_id, scans.c.kind, scans.c.delta, tickets.c.guests)
        .join_from(scans, tickets, tickets.c.id == scans.c.ticket_id)
        .where(scans.c.event_id == event.id, scans.c.visit.is_not(None), is_kept)
        .where(~sa.exists().where(_UNDO.c.undoes == scans.c.id))
        .order_by(scans.c.id)
    )
    inside: dict[int, int] = {}
    came: dict[int, int] = {}
    for ticket_id, kind, delta, guests in db.execute(moves):
        if kind == "entry":
            inside[ticket_id] = inside.get(ticket_id, 0) + delta
        elif returns:
            inside[ticket_id] = 0
        came[ticket_id] = max(came.get(ticket_id, 0), min(inside.get(ticket_id, 0), guests + 1))
    count: int = db.execute(seats).scalar_one() - sum(came.values())
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
