"""What the copy of a pretix event says of a ticket that is shown, and of a code that no ticket has.

Inside the transaction that decides, and without any network: a code that pretix signed is good without its order, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.records import Event, NewTicket, Ticket
from kiosk.ledger.rules import Caveat, Claim, Reason
from kiosk.ledger.schema import pretix_copies, pretix_tickets, pretix_withdrawn
from kiosk.ledger.ticket_rows import add_ticket
from kiosk.tickets import pretix_sig1
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status

SIGNED = "pretix_sig1"  # the source of a ticket that rests on its signature alone
OLD_AFTER = timedelta(minutes=10)  # pretix is asked once a minute: ten times it was not there

_WITHDRAWN = {Status.REVOKED: Reason.REVOKED, Status.BLOCKED: Reason.BLOCKED}


def with_copy(db: sa.Connection, ticket: Ticket, claim: Claim, now: Stamp) -> Claim:
    """The claim with what pretix knows of the ticket, and what nobody could ask pretix."""
    if ticket.source == SIGNED:
        return claim._replace(unchecked=(Caveat.SIGNATURE,))
    query = sa.select(pretix_tickets.c.is_used_elsewhere, pretix_copies.c.monotonic_ns, pretix_copies.c.boot_id)
    joined = query.outerjoin(pretix_copies, pretix_copies.c.event_id == pretix_tickets.c.event_id)
    row = db.execute(joined.where(pretix_tickets.c.ticket_id == ticket.id)).one_or_none()
    if row is None:  # not one of pretix's
        return claim
    is_old = row.boot_id != now.boot_id or now.monotonic_ns - row.monotonic_ns > OLD_AFTER.total_seconds() * 1e9
    unchecked = (Caveat.OLD_COPY,) if is_old else ()
    return claim._replace(is_used_elsewhere=row.is_used_elsewhere, unchecked=unchecked)


def unlisted(db: sa.Connection, event: Event, code: bytes) -> Ticket | Reason:
    """The ticket for a code that none has, made now if pretix signed it for this door; or why it is not good."""
    copy = db.execute(sa.select(pretix_copies).where(pretix_copies.c.event_id == event.id)).one_or_none()
    if copy is None:
        return Reason.INVALID
    sha256 = digest(code)
    is_it = sa.and_(pretix_withdrawn.c.event_id == event.id, pretix_withdrawn.c.code_sha256 == sha256)
    withdrawn = db.execute(sa.select(pretix_withdrawn.c.status).where(is_it)).scalar_one_or_none()
    if withdrawn is not None:
        return _WITHDRAWN[Status(withdrawn)]
    found = pretix_sig1.check(code, _keys(copy.keys))
    if not found.is_signed or found.payload is None:
        return Reason.INVALID
    product = json.loads(copy.products).get(str(found.payload.item))
    if product is None or found.payload.subevent != (copy.subevent or 0):
        return Reason.PRODUCT
    signed = NewTicket(
        0,
        sha256,
        is_own=False,
        product=product,
        valid_from=found.payload.valid_from,
        valid_until=found.payload.valid_until,
        source=SIGNED,
    )
    return add_ticket(db, event, signed)


@lru_cache(maxsize=8)
def _keys(text: str) -> Sequence[pretix_sig1.Key]:
    return pretix_sig1.read_keys(text.encode()) if text else ()
