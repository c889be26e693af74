"""What the ledger keeps of an event in pretix: whose tickets are which positions, and what pretix was told of scans.

A ticket's code is never changed: pretix gives a position another one, then the ticket it had is revoked, and another
ticket of that position takes its place. So every row stays about the code that was shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.clocks import corrected, with_clock_fix
from kiosk.ledger.history import as_caveats, history, ticket_by
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.pretix_at_door import SIGNED, withdrawn
from kiosk.ledger.records import Event, NewTicket, Ticket
from kiosk.ledger.rules import Caveat, Reason
from kiosk.ledger.schema import (
    pretix_conflicts,
    pretix_copies,
    pretix_tickets,
    pretix_withdrawn,
    scans,
    tickets,
)
from kiosk.ledger.ticket_rows import add_ticket, with_folded
from kiosk.tickets.status import Status

SOURCE = "pretix"

May = Callable[[], bool]  # asked when nobody else can write any more: whether it is still wanted

_SAID = ("holder", "email", "product", "status", "valid_from", "valid_until", "order_code", "note")  # by every order
_UNDONE = scans.alias()
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


class Position(NamedTuple):
    """A ticket as pretix has it now."""

    id: int  # pretix's own number
    ticket: NewTicket
    is_used_elsewhere: bool  # another device let its holder in
    is_used_here: bool = False  # this device did, so pretix says; of a ledger that was restored perhaps only pretix


class Entrance(NamedTuple):
    """What the door needs of an event in pretix beside its tickets."""

    keys: str = ""  # public keys for pretix_sig1, one a line; "" where pretix signs none
    products: Mapping[int, str] = {}  # item -> name, of those that the door lets in
    subevent: int | None = None  # a date of a series


class Copy(NamedTuple):
    """How far the copy goes."""

    asked: Stamp  # when pretix was last asked for all that changed; is_trusted says nothing here
    page_generated: str  # pretix's own word for that moment
    entrance: Entrance
    told_scan_id: int
    origin: str  # server, organizer, event and list that it is a copy of
    devices: frozenset[int]  # which this machine is and was
    trouble: str


class Told(NamedTuple):
    """A row of the ledger that pretix is to be told of."""

    scan_id: int
    nonce: str
    position: int | None  # None: pretix has no such ticket, or had none when it was last asked
    code_sha256: bytes | None
    kind: str  # entry, exit, undo
    reason: Reason | None
    at: datetime  # aware, UTC; as the clock turned out to be
    undone_nonce: str | None  # of the row that this one undoes
    undone_kind: str | None
    boot_id: str
    is_time_known: bool  # a time server, or a phone, vouches for it
    is_override: bool  # a person let them in although the rules said no


class Conflict(NamedTuple):
    """Somebody was let in (or out) here, and pretix says no."""

    scan_id: int
    at: datetime  # aware, UTC
    gate: str
    number: int | None  # of the ticket
    holder: str | None
    reason: str  # pretix's word
    other_at: datetime | None  # aware, UTC: when another device had let them in


class PretixCopy:
    """The copy of one event. Every method raises LedgerError."""

    def __init__(self, ledger: Ledger, event: Event) -> None:
        self._database = ledger.database
        self._event = event

    def read(self) -> Copy | None:
        """How far it goes; None before pretix was asked once."""
        with self._database.reading() as db:
            row = db.execute(sa.select(pretix_copies).where(pretix_copies.c.event_id == self._event.id)).one_or_none()
        if row is None:
            return None
        products = {int(item): name for item, name in json.loads(row.products).items()}
        asked = Stamp(row.wall, row.monotonic_ns, row.boot_id, is_trusted=False)
        entrance = Entrance(row.keys, products, row.subevent)
        devices = frozenset(int(each) for each in row.devices.split())
        return Copy(asked, row.page_generated, entrance, row.told_scan_id, row.origin, devices, row.trouble)

    def take(self, positions: Sequence[Position], may: May) -> int:
        """Write some positions, all or none. Returns how many tickets are new or changed."""
        with self._database.writing() as db:
            return sum(self._take(db, position) for position in positions) if may() else 0

    def withdraw(self, codes: Mapping[bytes, Status], may: May) -> None:
        """Which codes (their digests) pretix revoked or blocked: these, and no others."""
        is_here = pretix_withdrawn.c.event_id == self._event.id
        with self._database.reading() as db:
            query = sa.select(pretix_withdrawn.c.code_sha256, pretix_withdrawn.c.status).where(is_here)
            known = {row.code_sha256: Status(row.status) for row in db.execute(query)}
        if known == codes:  # as nearly always: no gate waits for it
            return
        gone = [code for code, status in known.items() if codes.get(code) is not status]
        fresh = [(code, status) for code, status in codes.items() if known.get(code) is not status]
        with self._database.writing() as db:
            if not may():
                return
            if gone:
                is_it = pretix_withdrawn.c.code_sha256 == sa.bindparam("code")
                db.execute(sa.delete(pretix_withdrawn).where(is_here, is_it), [{"code": code} for code in gone])
            if fresh:
                rows = [{"event_id": self._event.id, "code_sha256": code, "status": each} for code, each in fresh]
                db.execute(sa.insert(pretix_withdrawn), rows)

    def withdrawn(self, code_sha256: bytes) -> Status | None:
        """Whether pretix revoked or blocked a code."""
        with self._database.reading() as db:
            return withdrawn(db, self._event, code_sha256)

    def positions(self) -> set[int]:
        """All that are known here."""
        of_event = pretix_tickets.c.event_id == self._event.id
        with self._database.reading() as db:
            return set(db.execute(sa.select(pretix_tickets.c.position).where(of_event)).scalars())

    def cancel(self, positions: set[int], may: May) -> int:
        """Cancel the tickets of positions that pretix no longer has. Returns how many."""
        if not positions:
            return 0
        of_event = pretix_tickets.c.event_id == self._event.id
        with self._database.writing() as db:
            rows = db.execute(sa.select(pretix_tickets.c.ticket_id, pretix_tickets.c.position).where(of_event)).all()
            done = 0
            for ticket_id in (row.ticket_id for row in rows if row.position in positions and may()):
                is_it = sa.and_(tickets.c.id == ticket_id, tickets.c.status.in_((Status.PAID, Status.UNPAID)))
                done += db.execute(sa.update(tickets).where(is_it).values(status=Status.CANCELED)).rowcount
            return done

    def begin(self, origin: str, device: int) -> None:
        """From now on it is a copy of `origin`, by `device`. Of another one nothing stays, and its tickets are
        cancelled; of the same one all stays, and only what is fresh is asked for once more.
        """
        copy = self.read()
        if copy is not None and copy.origin != origin:
            self.forget(cancels=True)
            copy = None
        devices = sorted({device, *(copy.devices if copy is not None else ())})
        values = {"origin": origin, "devices": " ".join(map(str, devices)), "page_generated": "", "trouble": ""}
        is_it = pretix_copies.c.event_id == self._event.id
        with self._database.writing() as db:
            if not db.execute(sa.update(pretix_copies).where(is_it).values(values)).rowcount:
                never = {"wall": _NEVER, "monotonic_ns": 0, "boot_id": "", "keys": "", "products": "{}"}
                fresh = {**values, **never, "event_id": self._event.id, "told_scan_id": 0}
                db.execute(sa.insert(pretix_copies).values(fresh))

    def begin_if_other(self, origin: str, device: int) -> None:
        """`begin`, unless that is what it is."""
        copy = self.read()
        if copy is None or copy.origin != origin or device not in copy.devices:
            self.begin(origin, device)

    def rest(self) -> None:
        """Nobody keeps it fresh any more: its tickets stay as they are, and a signature alone is good for nothing."""
        copy = self.read()
        if copy is None or not (copy.entrance.keys or copy.page_generated):
            return
        is_it = pretix_copies.c.event_id == self._event.id
        with self._database.writing() as db:
            db.execute(sa.update(pretix_copies).where(is_it).values(keys="", page_generated="", trouble=""))

    def note_trouble(self, trouble: str) -> None:
        """Why it is not fresh; "" when it is."""
        is_it = pretix_copies.c.event_id == self._event.id
        with self._database.writing() as db:
            db.execute(sa.update(pretix_copies).where(is_it).values(trouble=trouble))

    def reached(self, asked: Stamp, page_generated: str, entrance: Entrance, may: May) -> None:
        """Everything of before `asked` is written."""
        values = {
            "wall": asked.wall,
            "monotonic_ns": asked.monotonic_ns,
            "boot_id": asked.boot_id,
            "page_generated": page_generated,
            "keys": entrance.keys,
            "products": json.dumps(dict(entrance.products), ensure_ascii=False),
            "subevent": entrance.subevent,
        }
        is_it = pretix_copies.c.event_id == self._event.id
        with self._database.writing() as db:
            if may():
                db.execute(sa.update(pretix_copies).where(is_it).values(values))

    def forget(self, *, cancels: bool = False) -> None:
        """Nothing of pretix is left but its tickets, which are as they are, or cancelled: they were another event's."""
        with self._database.writing() as db:
            if cancels:
                ours = sa.select(pretix_tickets.c.ticket_id).where(pretix_tickets.c.event_id == self._event.id)
                is_theirs = sa.or_(
                    sa.and_(tickets.c.id.in_(ours), tickets.c.source == SOURCE),
                    sa.and_(tickets.c.event_id == self._event.id, tickets.c.source == SIGNED),
                )
                db.execute(sa.update(tickets).where(is_theirs).values(status=Status.CANCELED))
            for table in (pretix_copies, pretix_tickets, pretix_withdrawn, pretix_conflicts):
                db.execute(sa.delete(table).where(table.c.event_id == self._event.id))

    # -- what pretix is told ----------------------------------------------------------------------------------------

    def last_scan_id(self) -> int:
        """The newest row of the event; 0 for none."""
        with self._database.reading() as db:
            last = sa.select(sa.func.max(scans.c.id)).where(scans.c.event_id == self._event.id)
            return db.execute(last).scalar_one() or 0

    def untold(self, most: int, up_to: int | None = None) -> Sequence[Told]:
        """Rows that pretix was not told of, oldest first, those of its own tickets and of codes nobody knows.

        `up_to` is the last row to look at: None for the newest.
        """
        query = sa.select(
            scans.c.id,
            scans.c.nonce,
            scans.c.code_sha256,
            scans.c.kind,
            scans.c.reason,
            scans.c.wall,
            scans.c.monotonic_ns,
            pretix_tickets.c.position,
            _UNDONE.c.nonce.label("undone_nonce"),
            _UNDONE.c.kind.label("undone_kind"),
            scans.c.caveats,
            scans.c.clock_trusted,
            scans.c.boot_id,
        ).where(*self._untold(), *([scans.c.id <= up_to] if up_to is not None else []))
        joined = (
            query.outerjoin(pretix_tickets, pretix_tickets.c.ticket_id == scans.c.ticket_id)
            .outerjoin(tickets, tickets.c.id == scans.c.ticket_id)
            .outerjoin(_UNDONE, _UNDONE.c.id == scans.c.undoes)
        )
        with self._database.reading() as db:
            rows = db.execute(with_clock_fix(joined.order_by(scans.c.id).limit(most))).all()
        return [
            Told(
                row.id,
                row.nonce,
                row.position,
                row.code_sha256,
                row.kind,
                None if row.reason is None else Reason(row.reason),
                corrected(row),
                row.undone_nonce,
                row.undone_kind,
                row.boot_id,
                row.clock_trusted or row.offset_ns is not None,
                Caveat.OVERRIDE in as_caveats(row.caveats),
            )
            for row in rows
        ]

    def count_untold(self) -> int:
        """How many rows wait to be told."""
        query = sa.select(sa.func.count()).select_from(scans)
        joined = query.outerjoin(pretix_tickets, pretix_tickets.c.ticket_id == scans.c.ticket_id).outerjoin(
            tickets, tickets.c.id == scans.c.ticket_id
        )
        with self._database.reading() as db:
            return db.execute(joined.where(*self._untold())).scalar_one()

    def told(self, scan_id: int, conflict: str | None = None) -> None:
        """All rows up to this one were told; with a `conflict` (pretix's word) a person is to look at it."""
        with self._database.writing() as db:
            is_it = pretix_copies.c.event_id == self._event.id
            db.execute(sa.update(pretix_copies).where(is_it).values(told_scan_id=scan_id))
            if conflict is not None:
                self._note_conflict(db, scan_id, conflict, None)

    def note_conflict(self, scan_id: int, reason: str, other_at: datetime | None) -> None:
        """A person is to look at it. The first word that was said of a row stays."""
        with self._database.writing() as db:
            self._note_conflict(db, scan_id, reason, other_at)

    def _note_conflict(self, db: sa.Connection, scan_id: int, reason: str, other_at: datetime | None) -> None:
        known = sa.select(pretix_conflicts.c.scan_id).where(pretix_conflicts.c.scan_id == scan_id)
        if db.execute(known).one_or_none() is None:
            row = {"scan_id": scan_id, "event_id": self._event.id, "reason": reason[:40], "other_at": other_at}
            db.execute(sa.insert(pretix_conflicts).values(**row, is_seen=False))

    def conflicts(self, most: int = 100) -> Sequence[Conflict]:
        """Those that nobody has looked at yet, oldest first."""
        of_event = sa.and_(pretix_conflicts.c.event_id == self._event.id, ~pretix_conflicts.c.is_seen)
        query = (
            sa.select(pretix_conflicts, scans.c.gate, scans.c.wall, scans.c.monotonic_ns, tickets.c.number)
            .add_columns(tickets.c.holder)
            .join_from(pretix_conflicts, scans, scans.c.id == pretix_conflicts.c.scan_id)
            .outerjoin(tickets, tickets.c.id == scans.c.ticket_id)
        )
        with self._database.reading() as db:
            rows = db.execute(with_clock_fix(query.where(of_event).order_by(scans.c.id).limit(most))).all()
        return [
            Conflict(row.scan_id, corrected(row), row.gate, row.number, row.holder, row.reason, row.other_at)
            for row in rows
        ]

    def count_conflicts(self) -> int:
        """How many conflicts nobody has looked at."""
        of_event = sa.and_(pretix_conflicts.c.event_id == self._event.id, ~pretix_conflicts.c.is_seen)
        with self._database.reading() as db:
            return db.execute(sa.select(sa.func.count()).select_from(pretix_conflicts).where(of_event)).scalar_one()

    def see(self, scan_id: int) -> None:
        """Somebody looked at this conflict; harmless when there is none."""
        is_it = sa.and_(pretix_conflicts.c.event_id == self._event.id, pretix_conflicts.c.scan_id == scan_id)
        with self._database.writing() as db:
            db.execute(sa.update(pretix_conflicts).where(is_it).values(is_seen=True))

    # -- inside a transaction -----------------------------------------------------------------------------------

    def _untold(self) -> Sequence[sa.ColumnElement[bool]]:
        told = sa.select(pretix_copies.c.told_scan_id).where(pretix_copies.c.event_id == self._event.id)
        is_of_pretix = sa.or_(
            pretix_tickets.c.position.is_not(None),
            tickets.c.source == SIGNED,
            sa.and_(scans.c.ticket_id.is_(None), scans.c.code_sha256.is_not(None)),  # a code that nobody knows
        )
        return [
            scans.c.event_id == self._event.id,
            scans.c.id > sa.func.coalesce(told.scalar_subquery(), 0),
            scans.c.kind.in_(("entry", "exit", "undo")),
            is_of_pretix,
        ]

    def _take(self, db: sa.Connection, position: Position) -> bool:
        """Write one position. Returns whether its ticket is new or changed."""
        of_position = sa.and_(pretix_tickets.c.event_id == self._event.id, pretix_tickets.c.position == position.id)
        there = ticket_by(db, self._event, tickets.c.code_sha256 == position.ticket.code_sha256)
        older = [
            each
            for key in db.execute(sa.select(pretix_tickets.c.ticket_id).where(of_position)).scalars()
            if (each := ticket_by(db, self._event, tickets.c.id == key)) is not None
            and each.code_sha256 != position.ticket.code_sha256
        ]
        is_changed = there is None or self._update(db, there, position.ticket)
        ticket = there or add_ticket(db, self._event, position.ticket._replace(source=SOURCE))
        # We told pretix, and do not know it any more: then our ledger is an older copy of itself.
        is_lost = position.is_used_here and not any(history(db, each.id).visits["entry"] for each in (ticket, *older))
        for each in older:
            if each.heir != ticket.number:
                replaced = {"status": Status.REVOKED, "heir": ticket.number}
                db.execute(sa.update(tickets).where(tickets.c.id == each.id).values(replaced))
                is_changed = True
        values = {"position": position.id, "is_used_elsewhere": position.is_used_elsewhere or is_lost}
        is_it = pretix_tickets.c.ticket_id == ticket.id
        if not db.execute(sa.update(pretix_tickets).where(is_it).values(values)).rowcount:
            fresh = {**values, "ticket_id": ticket.id, "event_id": self._event.id}
            db.execute(sa.insert(pretix_tickets).values(fresh))
        return is_changed

    def _update(self, db: sa.Connection, there: Ticket, said: NewTicket) -> bool:
        """Write what pretix says of a ticket that is there; what a person's hand revoked stays so."""
        values: dict[str, Any] = {name: getattr(said, name) for name in _SAID}
        if there.revoked_from is not None:
            values["status"] = there.status
        values["heir"] = None  # its code is good once more, if it ever had one
        values["source"] = SOURCE if there.source in (None, SIGNED) else there.source
        if all(getattr(there, name) == value for name, value in values.items()):
            return False
        folded = with_folded(self._event, {**there._asdict(), **values})["folded"]
        db.execute(sa.update(tickets).where(tickets.c.id == there.id).values(**values, folded=folded))
        return True
