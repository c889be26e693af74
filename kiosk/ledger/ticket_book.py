"""The tickets of one event as an organizer goes through them: a page at a time, and one changed by hand.

A ticket that was revoked here stays so, whatever a later list says, until somebody gives it back here. One of our own
that is replaced is revoked, and another one with the next free number, and so with another code, takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa

from hardware.errors import PlatypusError
from kiosk.ledger.history import tickets_inside
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.reading import all_of_words, found
from kiosk.ledger.records import Event, Found, NewTicket, Ticket, UnknownTicket
from kiosk.ledger.schema import scans, tickets
from kiosk.ledger.ticket_rows import with_folded
from kiosk.tickets.status import Status

_UNDO = scans.alias()


class CannotChange(PlatypusError, ValueError):
    """This ticket cannot be changed so; its text says why. Nothing was changed."""

    code = "cannot_change"


class Show(StrEnum):
    """Which tickets."""

    ALL = "all"
    CAME = "came"
    AWAITED = "awaited"  # good, and nobody came by them yet
    REFUSED = "refused"  # worth nothing at the door: unpaid, cancelled, blocked, revoked, not approved


class Leaf(NamedTuple):
    """Some tickets in the order of their numbers, and how many there are in all."""

    found: Sequence[Found]
    total: int


class TicketBook:
    """The tickets of `event`. Every method raises LedgerError."""

    def __init__(self, ledger: Ledger, event: Event) -> None:
        self._database = ledger.database
        self._event = event

    def leaf(self, text: str, show: Show, *, start: int, most: int) -> Leaf:
        """From the `start`-th on, `most` of those whose name, e-mail or order has every word of `text`."""
        chosen = [tickets.c.event_id == self._event.id, *all_of_words(text), *_shown(show)]
        with self._database.reading() as db:
            total = db.execute(sa.select(sa.func.count()).select_from(tickets).where(*chosen)).scalar_one()
            query = sa.select(tickets).where(*chosen).order_by(tickets.c.number).offset(start).limit(most)
            return Leaf(found(db, query), total)

    def ticket(self, number: int) -> Found:
        """One ticket. Raises UnknownTicket."""
        with self._database.reading() as db:
            return self._found(db, number)

    def revoke(self, number: int) -> Ticket:
        """From now on it is good for nothing. Who is inside by it stays inside. Raises UnknownTicket, CannotChange."""
        with self._database.writing() as db:
            ticket = self._found(db, number).ticket
            if ticket.revoked_from is not None:
                raise CannotChange(f"ticket no. {number} is revoked already.")
            return self._set(db, ticket, status=Status.REVOKED, revoked_from=ticket.status)

    def give_back(self, number: int) -> Ticket:
        """A ticket that was revoked here is what it was before. Raises UnknownTicket, CannotChange."""
        with self._database.writing() as db:
            ticket = self._found(db, number).ticket
            if ticket.revoked_from is None:
                raise CannotChange(f"ticket no. {number} was not revoked here: there is nothing to give back.")
            if ticket.heir is not None:
                raise CannotChange(f"ticket no. {number} has an heir, no. {ticket.heir}: both would be good.")
            return self._set(db, ticket, status=Status(ticket.revoked_from), revoked_from=None)

    def replace(
        self,
        number: int,
        digest_of: Callable[[int], bytes],
        *,
        holder: str | None = None,
        email: str | None = None,
    ) -> Ticket:
        """Another ticket in the place of one of ours, for the same person or for `holder`; the old one is revoked.

        `digest_of` gives the digest of a number's code. Raises UnknownTicket, CannotChange.
        """
        with self._database.writing() as db:
            old = self._found(db, number).ticket
            if not old.is_own or old.is_walk_in:
                raise CannotChange(f"ticket no. {number} is not one of ours: whoever issued it can replace it.")
            if old.status is not Status.PAID:
                raise CannotChange(
                    f"ticket no. {number} is {old.status}: a ticket that is good for nothing has no heir."
                )
            if old.id in tickets_inside(db, self._event):
                raise CannotChange(f"somebody is inside with ticket no. {number}: check them out first.")
            last = sa.select(sa.func.max(tickets.c.number)).where(tickets.c.event_id == self._event.id)
            fresh = db.execute(last).scalar_one() + 1
            self._set(db, old, status=Status.REVOKED, revoked_from=old.status, heir=fresh)
            values = {name: getattr(old, name) for name in NewTicket._fields}
            values |= {"number": fresh, "code_sha256": digest_of(fresh)}
            if holder:  # order, note and language were the other person's
                values |= {"holder": holder, "email": email or None, "order_code": None, "note": None}
                values["language"] = None
            elif email:
                values["email"] = email
            db.execute(sa.insert(tickets), [with_folded(self._event, values)])
            return self._found(db, fresh).ticket

    def _found(self, db: sa.Connection, number: int) -> Found:
        is_it = (tickets.c.event_id == self._event.id, tickets.c.number == number)
        one = found(db, sa.select(tickets).where(*is_it))
        if not one:
            raise UnknownTicket(f"there is no ticket no. {number} in {self._event.slug}; search for its holder again")
        return one[0]

    def _set(self, db: sa.Connection, ticket: Ticket, **values: Any) -> Ticket:
        db.execute(sa.update(tickets).where(tickets.c.id == ticket.id).values(**values))
        return ticket._replace(**values)


def _shown(show: Show) -> Sequence[sa.ColumnElement[bool]]:
    stands = ~sa.exists().where(_UNDO.c.undoes == scans.c.id)
    came = sa.exists().where(
        scans.c.ticket_id == tickets.c.id, scans.c.kind == "entry", scans.c.visit.is_not(None), stands
    )
    match show:
        case Show.CAME:
            return [came]
        case Show.AWAITED:
            return [tickets.c.status == Status.PAID, ~came]
        case Show.REFUSED:
            return [tickets.c.status != Status.PAID]
        case Show.ALL:
            return []
