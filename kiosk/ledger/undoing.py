"""Taking a row back: by a row of its own, and only what counted, once, and last."""

from __future__ import annotations

import sqlalchemy as sa

from kiosk.ledger.history import history, room
from kiosk.ledger.movements import by_hand, insert, was_done
from kiosk.ledger.records import CannotUndo, Event, Hand
from kiosk.ledger.schema import scans
from kiosk.ledger.waiting import guest_of


def undo(db: sa.Connection, event: Event, scan_id: int, hand: Hand) -> int:
    """See Ledger.undo. Raises CannotUndo."""
    space = room(db, event)
    now = space.inside
    if was_done(db, event, hand.nonce, kind="undo", undoes={scan_id}):
        return now
    row = db.execute(sa.select(scans).where(scans.c.id == scan_id, scans.c.event_id == event.id)).one_or_none()
    if row is None:
        raise CannotUndo(f"there is no row {scan_id} in {event.slug}")
    if row.reason is not None or row.kind == "undo":
        raise CannotUndo("only what counted can be undone")
    if row.kind == "clock":
        raise CannotUndo("a clock that was set wrong is set again, not undone")
    if db.execute(sa.select(scans.c.id).where(scans.c.undoes == scan_id)).one_or_none() is not None:
        raise CannotUndo("this was undone already")
    if row.kind == "wait" and guest_of(db, event, row.waiting_id) is None:
        raise CannotUndo("they are off the waiting list already")
    if row.ticket_id is not None and history(db, row.ticket_id).standing[-1].id != scan_id:
        raise CannotUndo("this ticket moved again since; undo its last movement first")
    if now < row.delta:
        raise CannotUndo("fewer people are inside than this would take out; correct the count instead")
    if row.delta < 0 and now - row.delta > space.fire_limit:
        raise CannotUndo("the room would be over its fire limit; if they are inside, count them with +1")
    about = {"ticket_id": row.ticket_id, "waiting_id": row.waiting_id}
    values = {"kind": "undo", "undoes": scan_id, "delta": -row.delta, **about}
    insert(db, event, hand.nonce, hand.at, space, {**by_hand(hand), **values})
    delta: int = row.delta
    return now - delta
