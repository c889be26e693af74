"""The ledger: each call decides and commits in one transaction; what it returned is on the disk.

Who moves is a row, whoever moved them: the gate by itself, or a person's hand. Nothing is changed or deleted: an undo
and a correction are rows too. Safe from several threads and processes at once; every method raises LedgerError when
the database cannot be read or written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger import clocks, event_rows, listing, reading
from kiosk.ledger.database import Database
from kiosk.ledger.history import inside, is_released, room, room_for_walk_ins, ticket_by, ticket_of_id
from kiosk.ledger.movements import OLD_PAGE, admit_waiting, by_hand, decided, insert, move, walk_in, was_done
from kiosk.ledger.plan import Plan, numbered
from kiosk.ledger.pretix_at_door import unlisted
from kiosk.ledger.records import (
    Bearer,
    Decision,
    Event,
    Found,
    Hand,
    HeadCount,
    Imported,
    KnownTime,
    Movement,
    NewTicket,
    Occupancy,
    OldPage,
    Presentation,
    ScanRow,
    Seats,
    Ticket,
    TooMany,
    UnknownEvent,
    UnknownTicket,
    Waiting,
)
from kiosk.ledger.rules import DWELL, Direction, GateMode, Reason
from kiosk.ledger.schema import events, scans, tickets, waiting
from kiosk.ledger.undoing import undo
from kiosk.ledger.waiting import guest_of, waiting_list
from kiosk.tickets.codes import digest

_MOST_PEOPLE = 10_000


class Ledger:
    """Who is in."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database; safe to call twice."""
        self.database.close()

    # -- at a gate ------------------------------------------------------------------------------------------------

    def admit(
        self, event: Event, shown: Presentation, mode: GateMode = GateMode.ENTRY, dwell: timedelta = DWELL
    ) -> Decision:
        """Decide on one presentation and commit the answer. The same nonce again gives the first answer again."""
        sha256 = digest(shown.code)
        who = {"gate": shown.gate, "source": shown.source, "actor": shown.actor, "code_sha256": sha256}
        with self.database.writing() as db:
            ticket = ticket_by(db, event, tickets.c.code_sha256 == sha256)
            repeat = decided(db, event, shown.nonce, ticket)
            if repeat is not None:
                return repeat
            found = ticket or unlisted(db, event, shown.code)
            ticket, unknown = (None, found) if isinstance(found, Reason) else (found, Reason.INVALID)
            return move(db, event, ticket, shown.nonce, shown.at, who, mode=mode, dwell=dwell, unknown=unknown)

    def check_in(
        self, event: Event, ticket_id: int, hand: Hand, *, persons: int | None = None, override: bool = False
    ) -> Decision:
        """Let a ticket's people in by hand; `persons` when not all of them came. `override`: whatever the rules say,
        up to the fire limit; the row says so. Raises UnknownTicket.
        """
        with self.database.writing() as db:
            ticket = ticket_of_id(db, event, ticket_id)
            return decided(db, event, hand.nonce, ticket, kind=Direction.ENTRY, persons=persons) or move(
                db, event, ticket, hand.nonce, hand.at, by_hand(hand), persons=persons, override=override
            )

    def check_out(self, event: Event, ticket_id: int, hand: Hand) -> Decision:
        """Let a ticket's people out by hand. Raises UnknownTicket."""
        with self.database.writing() as db:
            ticket = ticket_of_id(db, event, ticket_id)
            return decided(db, event, hand.nonce, ticket, kind=Direction.EXIT) or move(
                db, event, ticket, hand.nonce, hand.at, by_hand(hand), mode=GateMode.EXIT
            )

    def walk_in(
        self, event: Event, hand: Hand, *, name: str | None = None, persons: int = 1, override: bool = False
    ) -> Decision:
        """Let in people without a ticket, into seats that nobody has, keeps or waits for.

        They get a ticket made at the door, so that they are found, counted and undone like everybody.
        """
        with self.database.writing() as db:
            return walk_in(db, event, hand, name, persons, override=override)

    def admit_waiting(self, event: Event, waiting_id: int, hand: Hand, *, override: bool = False) -> Decision:
        """Let in somebody from the waiting list, in its order; `override`: up to the fire limit, whoever else waits.

        Raises UnknownTicket when they are no longer on it.
        """
        with self.database.writing() as db:
            repeat = decided(db, event, hand.nonce, None, is_walk_in=True)
            if repeat is not None:
                was_done(db, event, hand.nonce, kind="entry", waiting_id={waiting_id})  # or an old page
                return repeat
            guest = guest_of(db, event, waiting_id)
            if guest is None:
                raise UnknownTicket("this guest is no longer on the waiting list; look at it again")
            return admit_waiting(db, event, hand, guest, override=override)

    def correct(self, event: Event, delta: int, hand: Hand) -> int:
        """Count people who passed unseen: `delta` more, or less, are inside. Returns who is inside now.

        A correction records what is, so no limit refuses it; but there is nobody to take from an empty room. Raises
        TooMany for more than a hall holds.
        """
        _check_size(abs(delta))
        with self.database.writing() as db:
            if not was_done(db, event, hand.nonce, kind="correction", delta={delta, max(delta, 0)}):
                space = room(db, event)
                values = {**by_hand(hand), "kind": "correction", "delta": max(delta, -space.inside)}
                insert(db, event, hand.nonce, hand.at, space, values)
            return inside(db, event)

    def undo(self, event: Event, scan_id: int, hand: Hand) -> int:
        """Take back a row: an entry, an exit, a correction, or what was decided. Returns who is inside now.

        Only a ticket's last movement can be undone, else somebody would be outside who never came. Raises CannotUndo.
        """
        with self.database.writing() as db:
            return undo(db, event, scan_id, hand)

    # -- decisions that move nobody -------------------------------------------------------------------------------

    def wait(self, event: Event, name: str, persons: int, hand: Hand) -> int:
        """Put somebody at the end of the waiting list. Returns their id on it."""
        if persons < 1:
            raise TooMany("who waits is one person or more")
        _check_size(persons)
        with self.database.writing() as db:
            if was_done(db, event, hand.nonce, kind="wait"):
                said = sa.select(waiting).join(scans, scans.c.waiting_id == waiting.c.id)
                guest = db.execute(said.where(scans.c.nonce == hand.nonce)).one()
                if (guest.name, guest.persons) != (name, persons):
                    raise OldPage(OLD_PAGE)
                return int(guest.id)
            values = {"event_id": event.id, "name": name, "persons": persons, "since": hand.at.wall}
            key: int = db.execute(sa.insert(waiting).values(**values).returning(waiting.c.id)).scalar_one()
            _decide(db, event, hand, "wait", waiting_id=key)
            return key

    def stop_waiting(self, event: Event, waiting_id: int, hand: Hand) -> None:
        """Take somebody off the list who has left; harmless when they are not on it."""
        with self.database.writing() as db:
            if (
                not was_done(db, event, hand.nonce, kind="unwait", waiting_id={waiting_id})
                and guest_of(db, event, waiting_id) is not None
            ):
                _decide(db, event, hand, "unwait", waiting_id=waiting_id)

    def waiting_list(self, event: Event) -> Sequence[Waiting]:
        """Who waits, first come first."""
        with self.database.reading() as db:
            return waiting_list(db, event)

    def release_no_shows(self, event: Event, hand: Hand) -> None:
        """Keep nobody's seat from now on, whatever the clock believes; harmless when nobody's is kept."""
        with self.database.writing() as db:
            if not was_done(db, event, hand.nonce, kind="release") and not is_released(db, event, hand.at):
                _decide(db, event, hand, "release")

    # -- time -----------------------------------------------------------------------------------------------------

    def known_time(self, at: Stamp) -> KnownTime:
        """What time it is, and who vouches for it."""
        with self.database.reading() as db:
            return clocks.known_time(db, at)

    def fix_clock(self, now: Stamp) -> None:
        """Say that a time server has set the clock: rows of this boot that were made before get a corrected time."""
        if now.is_trusted:
            with self.database.writing() as db:
                clocks.note_time(db, now)

    def set_clock(self, event: Event, wall: datetime, hand: Hand) -> None:
        """Say that it is `wall` (aware) at `hand.at`, on a machine that does not know; every row of this boot gets a
        corrected time beside the raw one. Raises ClockKnown, and WrongTime for one that cannot be now.
        """
        with self.database.writing() as db:
            if not was_done(db, event, hand.nonce, kind="clock"):
                clocks.set_time(db, event, wall, hand.at)
                _decide(db, event, hand, "clock")

    # -- reading --------------------------------------------------------------------------------------------------

    def event(self, slug: str) -> Event:
        """The event of that name. Raises UnknownEvent, naming those there are."""
        with self.database.reading() as db:
            row = db.execute(sa.select(events).where(events.c.slug == slug)).one_or_none()
            if row is not None:
                return event_rows.as_event(row)
            known = ", ".join(db.execute(sa.select(events.c.slug).order_by(events.c.id)).scalars())
        there = f"there are: {known}" if known else "create it: platypus event create"
        raise UnknownEvent(f"there is no event {slug!r} in {self.database.path}; {there}")

    def occupancy(self, event: Event) -> Occupancy:
        """Who is inside and the seats; costs the same at any size of the ledger."""
        with self.database.reading() as db:
            space = room(db, event)
        return Occupancy(space.inside, space.capacity)

    def head_count(self, event: Event) -> HeadCount:
        """The room in numbers."""
        with self.database.reading() as db:
            return reading.head_count(db, event)

    def seats(self, event: Event, now: Stamp) -> Seats:
        """What is left for people without a ticket."""
        with self.database.reading() as db:
            space = room_for_walk_ins(db, event, now)
            listed = sum(guest.persons for guest in waiting_list(db, event))
        free = space.capacity - space.inside - space.kept - space.claimed
        return Seats(max(free, 0), space.kept, listed)

    def refusals(self, event: Event) -> dict[Reason, int]:
        """How many scans were refused, by reason."""
        with self.database.reading() as db:
            rows = db.execute(
                sa.select(scans.c.reason, sa.func.count())
                .where(scans.c.event_id == event.id, scans.c.reason.is_not(None))
                .group_by(scans.c.reason)
            )
            return {Reason(reason): count for reason, count in rows}

    def movements(self, event: Event) -> Sequence[Movement]:
        """Every row that changed how many are inside, in their order."""
        with self.database.reading() as db:
            return reading.movements(db, event)

    def recent_scans(self, event: Event, limit: int) -> Sequence[ScanRow]:
        """The last `limit` rows, newest first."""
        with self.database.reading() as db:
            return reading.recent_scans(db, event, limit)

    def find(self, event: Event, text: str, limit: int = 20) -> Sequence[Found]:
        """Tickets whose holder, e-mail or order contains every word of `text`; case and accents do not matter."""
        with self.database.reading() as db:
            return reading.find(db, event, text, limit)

    def states(self, event: Event) -> Sequence[Found]:
        """All tickets of an event with where their people are, by number."""
        with self.database.reading() as db:
            return reading.states(db, event)

    def bearers(self, code: bytes) -> Sequence[Bearer]:
        """The tickets that have this code, of all events, the newest event first."""
        with self.database.reading() as db:
            return reading.bearers(db, digest(code))

    def tickets(self, event: Event) -> Sequence[Ticket]:
        """All tickets of an event, by number."""
        with self.database.reading() as db:
            return list(reading.all_tickets(db, event))

    # -- preparing ------------------------------------------------------------------------------------------------

    def create_event(
        self,
        slug: str,
        name: str,
        capacity: int,
        *,
        fire_limit: int | None = None,
        may_return: bool = True,
        starts_at: datetime | None = None,
        release_no_shows_at: datetime | None = None,
        stream_page: str | None = None,
        venue: str | None = None,
    ) -> Event:
        """Write a new event; without a fire limit it is the seats. Raises LedgerError when the name is taken."""
        values = {
            "slug": slug,
            "name": name,
            "capacity": capacity,
            "fire_limit": capacity if fire_limit is None else fire_limit,
            "may_return": may_return,
            "starts_at": starts_at,
            "release_no_shows_at": release_no_shows_at,
            "stream_page": stream_page,
            "venue": venue,
        }
        with self.database.writing() as db:
            return event_rows.create(db, values)

    def change_event(self, event: Event, **changes: Any) -> Event:
        """Change columns of an event, those of create_event. Raises LedgerError for a fire limit below the seats.

        A fire limit that was as many as the seats follows them: nobody chose another one.
        """
        with self.database.writing() as db:
            return event_rows.change(db, event, changes)

    def plan_tickets(self, event: Event, wanted: Sequence[NewTicket], fields: Collection[str] | None = None) -> Plan:
        """What `put_tickets` would do; nothing is written."""
        with self.database.reading() as db:
            return listing.compare(db, event, wanted, fields)

    def put_tickets(
        self,
        event: Event,
        wanted: Sequence[NewTicket],
        fields: Collection[str] | None = None,
        *,
        cancels: listing.Cancels = False,
    ) -> Imported:
        """Write tickets, all or none; one whose code is known is updated, so the same list twice changes nothing.

        A known ticket keeps its number and its scans, and what is not among `fields` (of NewTicket; None: all): a list
        without a column says nothing about it. Tickets of the same source that are not among them stay as they are, or
        are cancelled: all of them, or those with these ids.
        """
        with self.database.writing() as db:
            return listing.put(db, event, wanted, fields, cancels=cancels)

    def plan_issue(
        self,
        event: Event,
        people: Sequence[NewTicket],
        fields: Collection[str],
        digest_of: Callable[[int], bytes],
    ) -> Plan:
        """What `issue` would do; nothing is written."""
        with self.database.reading() as db:
            wanted = numbered(list(reading.all_tickets(db, event)), people, digest_of)
            return listing.compare(db, event, wanted, fields)

    def issue(
        self,
        event: Event,
        people: Sequence[NewTicket],
        fields: Collection[str],
        digest_of: Callable[[int], bytes],
        *,
        cancels: listing.Cancels = False,
    ) -> tuple[Sequence[NewTicket], Imported]:
        """Give each person a number and write their tickets, in one transaction; a person who has one keeps it.

        People are told apart by name and e-mail; the second Jean Dupont of a list is the second in the ledger too.
        `digest_of` gives the digest of a number's code. Returns the tickets with their numbers.
        """
        with self.database.writing() as db:
            wanted = numbered(list(reading.all_tickets(db, event)), people, digest_of)
            return wanted, listing.put(db, event, wanted, fields, cancels=cancels)


def _decide(db: sa.Connection, event: Event, hand: Hand, kind: str, **about: int) -> None:
    insert(db, event, hand.nonce, hand.at, room(db, event), {**by_hand(hand), "kind": kind, **about})


def _check_size(people: int) -> None:
    if people > _MOST_PEOPLE:
        raise TooMany(f"{people} people at once are more than any room holds; nothing was counted")
