"""What the copy of a pretix event says of a ticket that is shown, and of a code that no ticket has.

Inside the transaction that decides, and without any network: a code that pretix signed is good without its order, too.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.history import history, may_return
from kiosk.ledger.records import Event, NewTicket, Ticket
from kiosk.ledger.rules import Caveat, Claim, Reason
from kiosk.ledger.schema import pretix_copies, pretix_tickets, pretix_withdrawn
from kiosk.ledger.ticket_rows import add_ticket
from kiosk.tickets import pretix_sig1
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status

log = logging.getLogger(__name__)

SIGNED = "pretix_sig1"  # the source of a ticket that rests on its signature alone
OLD_AFTER = timedelta(minutes=10)  # pretix is asked once a minute: ten times it was not there

_WITHDRAWN = {Status.REVOKED: Reason.REVOKED, Status.BLOCKED: Reason.BLOCKED}


def with_copy(db: sa.Connection, event: Event, ticket: Ticket, claim: Claim, now: Stamp) -> Claim:
    """The claim with what pretix knows of the ticket, and what nobody could ask pretix."""
    if ticket.source == SIGNED:
        status = withdrawn(db, event, ticket.code_sha256)
        return claim._replace(status=status or claim.status, unchecked=(Caveat.SIGNATURE,))
    query = sa.select(pretix_tickets, pretix_copies.c.monotonic_ns, pretix_copies.c.boot_id)
    joined = query.outerjoin(pretix_copies, pretix_copies.c.event_id == pretix_tickets.c.event_id)
    row = db.execute(joined.where(pretix_tickets.c.ticket_id == ticket.id)).one_or_none()
    if row is None:  # not one of pretix's
        return claim
    is_old = row.boot_id != now.boot_id or now.monotonic_ns - row.monotonic_ns > OLD_AFTER.total_seconds() * 1e9
    unchecked = (Caveat.OLD_COPY,) if is_old else ()
    is_used = row.is_used_elsewhere or _is_used_by_an_older_code(db, event, row)
    return claim._replace(is_used_elsewhere=is_used, unchecked=unchecked)


def unlisted(db: sa.Connection, event: Event, code: bytes) -> Ticket | Reason:
    """The ticket for a code that none has, made now if pretix signed it for this door; or why it is not good."""
    copy = db.execute(sa.select(pretix_copies).where(pretix_copies.c.event_id == event.id)).one_or_none()
    if copy is None:
        return Reason.INVALID
    sha256 = digest(code)
    status = withdrawn(db, event, sha256)
    if status is not None:
        return _WITHDRAWN[status]
    found = pretix_sig1.check(code, keys_of(copy.keys))
    if not found.is_signed or found.payload is None:
        return Reason.INVALID
    product = json.loads(copy.products).get(str(found.payload.item))
    if product is None or copy.subevent not in (None, found.payload.subevent):
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
def keys_of(text: str) -> Sequence[pretix_sig1.Key]:
    """The keys of a copy; one of a newer kind is passed over, and the log says so."""
    keys: list[pretix_sig1.Key] = []
    for line in text.split():
        try:
            keys += pretix_sig1.read_keys(line.encode())
        except pretix_sig1.KeyTextError as error:  # of a newer kind: no code of it is good here
            log.warning("pretix event=key-unknown cause=%s", error)
    return keys


def withdrawn(db: sa.Connection, event: Event, code_sha256: bytes) -> Status | None:
    """Whether pretix revoked or blocked a code, as the copy has it."""
    is_it = sa.and_(pretix_withdrawn.c.event_id == event.id, pretix_withdrawn.c.code_sha256 == code_sha256)
    found = db.execute(sa.select(pretix_withdrawn.c.status).where(is_it)).scalar_one_or_none()
    return None if found is None else Status(found)


def _is_used_by_an_older_code(db: sa.Connection, event: Event, row: sa.Row[Any]) -> bool:
    """Whether somebody is inside by a code that the same ticket had in pretix before; or was, where nobody returns."""
    is_sibling = sa.and_(
        pretix_tickets.c.event_id == event.id,
        pretix_tickets.c.position == row.position,
        pretix_tickets.c.ticket_id != row.ticket_id,
    )
    older = [history(db, key) for key in db.execute(sa.select(pretix_tickets.c.ticket_id).where(is_sibling)).scalars()]
    return any(each.inside for each in older) or (any(each.standing for each in older) and not may_return(db, event))
