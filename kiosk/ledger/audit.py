"""Whether the ledger can be believed: everything that follows from the rows is derived anew and compared.

What it cannot see: a row that never was wrong in itself, such as a fire limit that was another one then; the last rows
of a ledger taken away, which leaves an older copy of it; and a time that a person set, changed afterwards.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from kiosk.ledger import clocks
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.records import PAPER
from kiosk.ledger.rules import Caveat
from kiosk.ledger.schema import clock_fixes, events, scans, tickets, waiting

_Row = sa.Row[Any]
_TRIGGERS = {"scans_no_update", "scans_no_delete"}
_ABOUT_TICKET, _ABOUT_GUEST = {"entry", "exit"}, {"wait", "unwait"}
_ONE_OF = {"events": "an event", "tickets": "a ticket", "scans": "a row", "waiting": "a guest of the waiting list"}
_CAVEATS = set(Caveat)
# Two gates write in the order in which they get the lock, some seconds after they looked at the clock; and a clock that
# is right is still moved by its time server, by less than this.
_SLACK_NS = 60 * 1_000_000_000


def audit(ledger: Ledger) -> list[str]:
    """What is wrong, a sentence each; empty when all is well. Raises LedgerError when it cannot be read at all."""
    with ledger.database.reading() as db:
        wrong = [f"the database itself: {line}" for line in _integrity(db)]
        try:
            return wrong + list(_all_rows(db))
        except (ValueError, TypeError, ArithmeticError) as error:
            return [*wrong, f"a row holds what no row can hold: {error}"]


def _all_rows(db: sa.Connection) -> Iterator[str]:
    slugs = {row.id: row.slug for row in db.execute(sa.select(events))}
    rows: dict[int, list[_Row]] = defaultdict(list)
    for row in db.execute(sa.select(scans).order_by(scans.c.id)):
        rows[row.event_id].append(row)
    yield from _gaps([row.id for of_event in rows.values() for row in of_event], db.dialect.name)
    every_ticket = {row.id: row for row in db.execute(sa.select(tickets))}
    events_of = {
        "ticket": {row.id: row.event_id for row in every_ticket.values()},
        "guest": {row.id: row.event_id for row in db.execute(sa.select(waiting.c.id, waiting.c.event_id))},
    }
    guests = {row.id: row for row in db.execute(sa.select(waiting))}
    for event_id, of_event in rows.items():
        name = slugs.get(event_id, f"event {event_id}, which is not there")
        for look in (_occupancy, _kinds, _undos, _visits):
            yield from (f"{name}: {line}" for line in look(of_event))
        yield from (f"{name}: {line}" for line in _strangers(of_event, event_id, events_of))
        yield from (f"{name}: {line}" for line in _waiting(of_event, guests))
        yield from (f"{name}: {line}" for line in _codes(of_event, every_ticket))
    yield from _guests(db)
    every = sorted((row for of_event in rows.values() for row in of_event), key=lambda row: row.id)
    yield from _clocks(db, every)


def _integrity(db: sa.Connection) -> Iterator[str]:
    if db.dialect.name != "sqlite":
        return
    for line in db.exec_driver_sql("PRAGMA integrity_check").scalars():
        if line != "ok":
            yield str(line)
    for table, row, parent, _ in db.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"row {row} of the table {table} names {_ONE_OF.get(parent, parent)} that is not there"
    there = set(db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars())
    for name in sorted(_TRIGGERS - there):
        yield f"the trigger {name}, which keeps rows from being changed, is gone"


def _gaps(ids: Iterable[int], dialect: str) -> Iterator[str]:
    """SQLite numbers rows without gaps; a server's sequence leaves some."""
    before = 0
    for key in sorted(ids) if dialect == "sqlite" else ():
        if key != before + 1:
            yield f"row {before + 1} is gone" if key == before + 2 else f"rows {before + 1} to {key - 1} are gone"
        before = key


def _occupancy(rows: Iterable[_Row]) -> Iterator[str]:
    inside = 0
    for row in rows:
        inside += row.delta
        if row.inside != inside:
            yield f"row {row.id} says {row.inside} inside, the rows up to it give {inside}"
            inside = row.inside  # one sentence for one mistake
        if inside < 0:
            yield f"row {row.id} leaves {inside} people inside"
        # A correction records what is, and so does the paper; nothing else may pass the limit that was in force.
        if row.kind != "correction" and row.source != PAPER and row.delta > 0 and inside > row.fire_limit:
            yield f"row {row.id} let somebody in over the fire limit ({inside} of {row.fire_limit})"


def _kinds(rows: Iterable[_Row]) -> Iterator[str]:
    """Whether each row is about what its kind is about, and counts as its kind counts."""
    for row in rows:
        has_passed = row.visit is not None
        if row.kind == "entry" and has_passed and not 1 <= row.delta <= (row.persons or row.delta):
            yield f"row {row.id} lets {row.delta} in on a ticket for {row.persons}"
        unknown = set(row.caveats.split()) - _CAVEATS
        if unknown:
            yield f"row {row.id} has a caveat that nobody knows: {', '.join(sorted(unknown))}"
        if has_passed and row.ticket_id is None:
            yield f"row {row.id} lets somebody pass without a ticket"
        if row.kind not in {*_ABOUT_TICKET, "undo"} and (row.ticket_id is not None or row.reason is not None):
            yield f"row {row.id} is a {row.kind} and speaks of a ticket"
        if (row.waiting_id is not None) != (row.kind in _ABOUT_GUEST) and row.kind not in {"entry", "undo"}:
            yield f"row {row.id} is a {row.kind}, and whom of the waiting list it is about does not fit"


def _undos(rows: Iterable[_Row]) -> Iterator[str]:
    by_id = {row.id: row for row in rows}
    for row in by_id.values():
        if row.kind != "undo":
            continue
        undone = by_id.get(row.undoes)
        if undone is None or undone.id > row.id:
            yield f"row {row.id} undoes row {row.undoes}, which is not before it"
        elif undone.kind in {"undo", "clock"} or undone.reason is not None or row.reason is not None:
            yield f"row {row.id} undoes row {row.undoes}, which cannot be undone"
        elif (undone.delta, undone.ticket_id, undone.waiting_id) != (-row.delta, row.ticket_id, row.waiting_id):
            yield f"row {row.id} does not take back what row {row.undoes} did"


def _visits(rows: Iterable[_Row]) -> Iterator[str]:
    undone = {row.undoes for row in rows if row.kind == "undo"}
    inside: dict[int, int] = defaultdict(int)
    seen: Counter[tuple[int, str]] = Counter()
    for row in rows:
        if row.visit is None:
            continue
        seen[row.ticket_id, row.kind] += 1
        count = seen[row.ticket_id, row.kind]
        if row.visit != count:
            yield f"row {row.id} calls itself {row.kind} {row.visit} of ticket {row.ticket_id}, it is number {count}"
        if row.id in undone:
            continue
        before = inside[row.ticket_id]
        # The rest of a group may come later; an older ledger did not note how many its tickets admitted then.
        is_rest = row.persons is None or before + row.delta <= row.persons
        if row.kind == "entry" and before and not is_rest:
            yield f"row {row.id} lets ticket {row.ticket_id} in, which was inside"
        # A correction may have taken out more than came in on tickets: an empty room loses nobody.
        leaving = min(before, row.inside - row.delta)
        if row.kind == "exit" and -row.delta != leaving:
            yield f"row {row.id} counts {-row.delta} out, and ticket {row.ticket_id} had {before} inside"
        inside[row.ticket_id] = before + row.delta if row.kind == "entry" else 0


def _strangers(rows: Iterable[_Row], event_id: int, events_of: Mapping[str, Mapping[int, int]]) -> Iterator[str]:
    for row in rows:
        for what, key in (("ticket", row.ticket_id), ("guest", row.waiting_id)):
            if key is not None and events_of[what].get(key, event_id) != event_id:
                yield f"row {row.id} is about a {what} of another event"


def _waiting(rows: Iterable[_Row], guests: Mapping[int, _Row]) -> Iterator[str]:
    """Who leaves the waiting list was on it; who came in from it did so on their own ticket."""
    by_id = {row.id: row for row in rows}
    is_listed: dict[int, bool] = {}
    for row in by_id.values():
        undone = by_id.get(row.undoes)
        kind = undone.kind if undone is not None else row.kind
        if row.waiting_id is None or row.reason is not None:
            continue
        guest = guests.get(row.waiting_id)
        if kind == "wait":
            is_listed[row.waiting_id] = undone is None
        elif kind == "unwait":
            # Guests of an older ledger have no row that says when they asked.
            if is_listed.get(row.waiting_id, True) is not (undone is None):
                yield f"row {row.id} takes guest {row.waiting_id} off the waiting list, on which they were not"
            is_listed[row.waiting_id] = undone is not None
        elif kind == "entry" and undone is None and guest is not None and guest.ticket_id != row.ticket_id:
            yield f"row {row.id} lets guest {guest.id} in on ticket {row.ticket_id}, theirs is {guest.ticket_id}"


def _codes(rows: Iterable[_Row], every_ticket: Mapping[int, _Row]) -> Iterator[str]:
    """A code that was shown is the code of the ticket that it counted for."""
    for row in rows:
        ticket = every_ticket.get(row.ticket_id)
        if ticket is not None and row.code_sha256 is not None and row.code_sha256 != ticket.code_sha256:
            yield f"row {row.id} is about a code that is not the one of ticket {ticket.id}"


def _guests(db: sa.Connection) -> Iterator[str]:
    """The waiting list: asked for once, and with a ticket of their own that was made at the door."""
    asked = sa.select(scans.c.waiting_id, sa.func.count()).where(scans.c.kind == "wait").group_by(scans.c.waiting_id)
    for guest, count in db.execute(asked):
        if count > 1:
            yield f"guest {guest} of the waiting list asked {count} times"
    made = sa.select(waiting.c.id, waiting.c.event_id, waiting.c.ticket_id, tickets.c.is_walk_in, tickets.c.event_id)
    owners: Counter[int] = Counter()
    for guest, event_id, ticket_id, is_walk_in, its_event in db.execute(
        made.join_from(waiting, tickets, waiting.c.ticket_id == tickets.c.id)
    ):
        owners[ticket_id] += 1
        if not is_walk_in or its_event != event_id or owners[ticket_id] > 1:
            yield f"guest {guest} of the waiting list came in on ticket {ticket_id}, which is not theirs"


def _clocks(db: sa.Connection, rows: Iterable[_Row]) -> Iterator[str]:
    """A clock that a person set is a row, and such a row leaves a time; and time goes on."""
    fixes = {row.boot_id: row for row in db.execute(sa.select(clock_fixes))}
    by_hand = {boot: fix.by_hand for boot, fix in fixes.items()}
    said = set(db.execute(sa.select(scans.c.boot_id).where(scans.c.kind == "clock").distinct()).scalars())
    for boot in sorted(said - set(by_hand)):
        yield f"a clock was set in boot {boot}, and the time it was set to is gone"
    for boot in sorted(boot for boot, is_by_hand in by_hand.items() if is_by_hand and boot not in said):
        yield f"the clock of boot {boot} is said to be set by hand, and no row says by whom"
    latest_ns: dict[str, int] = {}
    doubted: set[str] = set()
    for row in rows:
        before_ns = latest_ns.setdefault(row.boot_id, row.monotonic_ns)
        if row.monotonic_ns < before_ns - _SLACK_NS:
            yield f"row {row.id} was made {(before_ns - row.monotonic_ns) // 10**9} s before one that it comes after"
        latest_ns[row.boot_id] = max(before_ns, row.monotonic_ns)
        fix = fixes.get(row.boot_id)
        if row.clock_trusted and fix is not None and row.boot_id not in doubted:
            fixed = clocks.at(row.monotonic_ns, fix.offset_ns)
            if not fix.by_hand and abs(fixed - row.wall) > timedelta(microseconds=_SLACK_NS // 1000):
                doubted.add(row.boot_id)  # one sentence for one mistake
                yield f"the clock of boot {row.boot_id} was set to another time than row {row.id} of it has"
