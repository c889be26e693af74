"""How somebody moves: judged and written as one row, inside somebody's writing transaction."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.clocks import known_time
from kiosk.ledger.history import (
    as_caveats,
    as_reason,
    history,
    inside,
    may_return,
    room,
    room_for_walk_ins,
    ticket_of_id,
)
from kiosk.ledger.pretix_at_door import with_copy
from kiosk.ledger.records import Decision, Event, Hand, NewTicket, OldPage, Ticket, TooMany, Waiting
from kiosk.ledger.rules import (
    DWELL,
    Claim,
    Direction,
    GateMode,
    Reason,
    Room,
    Verdict,
    judge_entry,
    judge_walk_in,
    overrule,
    way,
)
from kiosk.ledger.schema import scans
from kiosk.ledger.schema import waiting as waiting_guests
from kiosk.ledger.ticket_rows import add_ticket
from kiosk.ledger.waiting import place_of

OLD_PAGE = "this page is old: nothing was counted; open it again"
_WALK_IN = "walk-in"


def move(
    db: sa.Connection,
    event: Event,
    ticket: Ticket | None,
    nonce: str,
    at: Stamp,
    who: dict[str, Any],
    *,
    mode: GateMode = GateMode.ENTRY,
    dwell: timedelta = DWELL,
    persons: int | None = None,
    override: bool = False,
    unknown: Reason = Reason.INVALID,
) -> Decision:
    """Judge and write one movement of a ticket's people; `who` are the columns that tell how it was asked for.

    `unknown` is why there is no ticket, when there is none.
    """
    space = room(db, event)
    past = None if ticket is None else history(db, ticket.id)
    claim = None
    if past is not None and ticket is not None:
        claim = with_copy(db, event, ticket, past.claim(ticket, at), at)
    going = way(mode, claim, dwell)
    if going.direction is Direction.EXIT:
        # Nobody is kept in: an exit is refused only to a code that nobody knows.
        # A correction may have taken more out than this ticket brought in: nobody is taken from an empty room.
        leaving = min(claim.inside, space.inside) if claim else 0
        verdict, delta = Verdict(unknown if claim is None else None), -leaving
    else:
        returns = may_return(db, event)
        count = persons if persons is not None else _who_comes(claim, may_return=returns)
        if claim is not None and persons is not None and not 1 <= persons <= claim.persons:
            raise TooMany(f"this ticket admits {claim.persons}, not {persons}")
        if ticket is not None and ticket.is_walk_in:  # out and in again without a ticket: no seat was kept
            space = room_for_walk_ins(db, event, at, place_of(db, event, ticket.id))
        time = known_time(db, at)
        verdict = judge_entry(
            claim,
            space,
            time.wall,
            is_clock_trusted=time.is_known,
            may_return=returns,
            persons=count,
            is_way_clear=going.is_clear,
        )
        if verdict.reason is None and ticket is not None and ticket.is_walk_in:
            verdict = judge_walk_in(space, count)
        if override and claim is not None and (not claim.inside or claim.inside + count <= claim.persons):
            verdict = overrule(verdict, space, count)
        if claim is None:
            verdict = Verdict(unknown)
        delta = count
    values = {**who, "ticket_id": ticket and ticket.id, "kind": str(going.direction), "reason": verdict.reason}
    if verdict.reason is None and past is not None:
        values |= {"visit": past.visits[going.direction] + 1, "delta": delta, "caveats": " ".join(verdict.caveats)}
    return _answer(db, event, ticket, nonce, at, space, values)


def walk_in(db: sa.Connection, event: Event, hand: Hand, name: str | None, persons: int, *, override: bool) -> Decision:
    """Judge and write the entry of people without a ticket; they get one, made at the door."""
    if persons < 1:
        raise TooMany("a walk-in is one person or more")
    repeat = decided(db, event, hand.nonce, None, is_walk_in=True)
    if repeat is not None:
        made = repeat.ticket
        if made is not None and (made.holder, made.persons) != (name, persons):
            raise OldPage(OLD_PAGE)
        return repeat
    space = room_for_walk_ins(db, event, hand.at)
    verdict = judge_walk_in(space, persons)
    if override:
        verdict = overrule(verdict, space, persons)
    ticket = None if verdict.reason else door_ticket(db, event, name, persons)
    return _enter_without_ticket(db, event, hand, ticket, persons, space, verdict)


def admit_waiting(db: sa.Connection, event: Event, hand: Hand, guest: Waiting, *, override: bool) -> Decision:
    """Judge and write the entry of a guest of the waiting list, in its order."""
    space = room_for_walk_ins(db, event, hand.at, guest.id)
    verdict = judge_walk_in(space, guest.persons)
    if override:
        verdict = overrule(verdict, space, guest.persons)
    if verdict.reason is not None:
        return _enter_without_ticket(db, event, hand, None, guest.persons, space, verdict, guest.id)
    if guest.ticket_id is not None:  # they had come in, and it was undone
        ticket = ticket_of_id(db, event, guest.ticket_id)
    else:
        ticket = door_ticket(db, event, guest.name, guest.persons)
        its_guest = waiting_guests.c.id == guest.id
        db.execute(sa.update(waiting_guests).where(its_guest).values(ticket_id=ticket.id))
    return _enter_without_ticket(db, event, hand, ticket, guest.persons, space, verdict, guest.id)


def _enter_without_ticket(
    db: sa.Connection,
    event: Event,
    hand: Hand,
    ticket: Ticket | None,
    persons: int,
    space: Room,
    verdict: Verdict,
    waiting_id: int | None = None,
) -> Decision:
    values = {**by_hand(hand), "kind": "entry", "reason": verdict.reason, "waiting_id": waiting_id}
    if ticket is not None:
        visit = history(db, ticket.id).visits["entry"] + 1
        values |= {"ticket_id": ticket.id, "visit": visit, "delta": persons, "caveats": " ".join(verdict.caveats)}
    return _answer(db, event, ticket, hand.nonce, hand.at, space, values)


def _who_comes(claim: Claim | None, *, may_return: bool) -> int:
    """How many people a code lets in when nobody says: all of its ticket, or those of them who have yet to come."""
    return 1 if claim is None else claim.rest(may_return=may_return) or claim.persons


def door_ticket(db: sa.Connection, event: Event, name: str | None, persons: int) -> Ticket:
    """A ticket for people who have none."""
    code = secrets.token_bytes(32)
    made = NewTicket(0, code, is_own=False, holder=name, product=_WALK_IN, guests=persons - 1)
    return add_ticket(db, event, made, is_walk_in=True)


def _answer(
    db: sa.Connection,
    event: Event,
    ticket: Ticket | None,
    nonce: str,
    at: Stamp,
    space: Room,
    values: dict[str, Any],
) -> Decision:
    scan_id = insert(db, event, nonce, at, space, {**values, "persons": ticket and ticket.persons})
    return Decision(
        scan_id,
        Direction(values["kind"]),
        values["reason"],
        as_caveats(values.get("caveats", "")),
        ticket,
        space.inside + values.get("delta", 0),
        space.capacity,
        persons=abs(values.get("delta", 0)),
        is_repeat=False,
    )


def decided(
    db: sa.Connection,
    event: Event,
    nonce: str,
    ticket: Ticket | None,
    *,
    is_walk_in: bool = False,
    kind: Direction | None = None,
    persons: int | None = None,
) -> Decision | None:
    """The answer that this nonce was given before. Raises OldPage when that was for somebody or something else.

    `kind`: the way they were to go, `persons`: how many; None when that was not said.
    """
    row = db.execute(sa.select(scans).where(scans.c.nonce == nonce)).one_or_none()
    if row is None:
        return None
    before = None if row.ticket_id is None else ticket_of_id(db, event, row.ticket_id)
    is_same = before is None or before.is_walk_in if is_walk_in else before == ticket
    is_same &= kind is None or row.kind == kind
    is_same &= persons is None or row.reason is not None or row.delta == persons
    if row.event_id != event.id or row.kind not in set(Direction) or not is_same:
        raise OldPage(OLD_PAGE)
    ticket = before
    return Decision(
        row.id,
        Direction(row.kind),
        as_reason(row.reason),
        as_caveats(row.caveats),
        ticket,
        inside(db, event),
        room(db, event).capacity,
        persons=abs(row.delta),
        is_repeat=True,
    )


def insert(db: sa.Connection, event: Event, nonce: str, at: Stamp, before: Room, values: dict[str, Any]) -> int:
    """Write one row; `before` is the room without it. Returns its id."""
    row = {
        "nonce": nonce,
        "event_id": event.id,
        "delta": 0,
        "wall": at.wall,
        "monotonic_ns": at.monotonic_ns,
        "boot_id": at.boot_id,
        "clock_trusted": at.is_trusted,
        **values,
    }
    row |= {"inside": before.inside + row["delta"], "fire_limit": before.fire_limit}
    key: int = db.execute(sa.insert(scans).values(row).returning(scans.c.id)).scalar_one()
    return key


def by_hand(hand: Hand) -> dict[str, Any]:
    """The columns of what a person does."""
    return {"gate": hand.gate, "source": "hand", "actor": hand.actor}


def was_done(db: sa.Connection, event: Event, nonce: str, *, kind: str, **about: set[int]) -> bool:
    """Whether this press was carried out before; `about` are the values that its row's columns may have then.

    Raises OldPage when the nonce was used for something else.
    """
    row = db.execute(sa.select(scans).where(scans.c.nonce == nonce)).one_or_none()
    if row is None:
        return False
    is_same = (row.event_id, row.kind) == (event.id, kind)
    if not is_same or any(getattr(row, column) not in values for column, values in about.items()):
        raise OldPage(OLD_PAGE)
    return True
