"""To whom tickets were sent: a row when a mail server took the letter, and of the address only its HMAC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from kiosk.ledger.ledger import Ledger
from kiosk.ledger.records import Event, Ticket
from kiosk.ledger.schema import sendings


class Sendings:
    """The letters of one event. Every method raises LedgerError."""

    def __init__(self, ledger: Ledger, event: Event) -> None:
        self._database = ledger.database
        self._event = event

    def note(self, ticket: Ticket, address_mac: bytes, at: datetime) -> None:
        """A letter was taken; on the disk when this returns."""
        values = {
            "event_id": self._event.id,
            "ticket_id": ticket.id,
            "address_mac": address_mac,
            "sent_at": at,
        }
        with self._database.writing() as db:
            db.execute(sa.insert(sendings).values(values))

    def sent(self) -> Mapping[int, frozenset[bytes | None]]:
        """Ticket id -> the HMACs of the addresses that it went to; None among them for one that is forgotten."""
        found: dict[int, set[bytes | None]] = {}
        query = sa.select(sendings.c.ticket_id, sendings.c.address_mac).where(sendings.c.event_id == self._event.id)
        with self._database.reading() as db:
            for ticket_id, mac in db.execute(query):
                found.setdefault(ticket_id, set()).add(mac)
        return {ticket_id: frozenset(macs) for ticket_id, macs in found.items()}
