"""The tables, in SQLAlchemy Core; one schema for SQLite and PostgreSQL. Changes go through migrations/.

    events 1--* tickets 1--* scans        events 1--* waiting        clock_fixes, one a boot
                 tickets 1--* sendings
    pretix_copies, one an event; pretix_tickets, one a ticket; pretix_withdrawn codes; pretix_conflicts, one a scan

`scans` is append-only (a trigger forbids update and delete): an undo is a row, a correction is a row, and so is what
volunteers decide without moving anybody: the waiting list, seats that are no longer kept, a clock that was set. Three
constraints carry the door's promises: `nonce` is unique, so a presentation counts once however often it is said;
(ticket, kind, visit) is unique, so a ticket's n-th entry exists once, whatever two processes think at the same moment;
`undoes` is unique, so a row is undone once. `inside` is the occupancy after the row, as on a bank statement: the last
row tells how many are in at any size of the ledger, and `audit.py` proves it from the deltas.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kiosk.ledger.rules import Reason
from kiosk.tickets.status import Status

MOVES = ("entry", "exit", "correction", "undo")
KINDS = (*MOVES, "wait", "unwait", "release", "clock")


class UtcTime(sa.TypeDecorator[datetime]):
    """An aware datetime, kept in UTC (SQLite forgets the zone, so it is put back on reading)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _one_of(column: str, words: Any) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({', '.join(repr(str(word)) for word in words)})", name=f"known_{column}")


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("slug", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("fire_limit", sa.Integer, nullable=False),
    sa.Column("may_return", sa.Boolean, nullable=False),
    sa.Column("starts_at", UtcTime),
    sa.Column("release_no_shows_at", UtcTime),
    sa.Column("stream_page", sa.String(500)),
    sa.Column("venue", sa.String(200)),
    sa.CheckConstraint("capacity >= 0 AND fire_limit >= capacity", name="limits"),
)

tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("event_id", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("code_sha256", sa.LargeBinary(32), nullable=False),
    sa.Column("is_own", sa.Boolean, nullable=False),
    sa.Column("is_walk_in", sa.Boolean, nullable=False),
    sa.Column("holder", sa.String(200)),
    sa.Column("email", sa.String(320)),
    sa.Column("product", sa.String(200)),
    sa.Column("status", sa.String(16), _one_of("status", Status), nullable=False),
    sa.Column("valid_from", UtcTime),
    sa.Column("valid_until", UtcTime),
    sa.Column("guests", sa.Integer, nullable=False),
    sa.Column("order_code", sa.String(64)),
    sa.Column("note", sa.String(500)),
    sa.Column("source", sa.String(40)),
    sa.Column("revoked_from", sa.String(16)),  # its status before a person's hand revoked it; null: none did
    sa.Column("heir", sa.Integer),  # number of the ticket that took its place
    sa.Column("language", sa.String(2)),  # null: nobody said
    sa.Column("folded", sa.String(800), nullable=False),  # for the search: holder, e-mail, order, the name in one word
    sa.UniqueConstraint("event_id", "number"),
    sa.UniqueConstraint("event_id", "code_sha256"),
    sa.CheckConstraint("guests >= 0", name="guests"),
    sa.Index("ix_tickets_seats", "event_id", "is_walk_in", "status", "guests"),  # seats are counted in it alone
)

waiting = sa.Table(
    "waiting",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("event_id", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("persons", sa.Integer, nullable=False),
    sa.Column("since", UtcTime, nullable=False),  # as the machine believed
    sa.Column("ticket_id", sa.ForeignKey("tickets.id")),  # made for them when they came in
    sa.CheckConstraint("persons > 0", name="persons"),
)

scans = sa.Table(
    "scans",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("nonce", sa.String(64), nullable=False, unique=True),
    sa.Column("event_id", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("ticket_id", sa.ForeignKey("tickets.id")),  # null: a code nobody knows, or a correction
    sa.Column("code_sha256", sa.LargeBinary(32)),  # null: done by hand
    sa.Column("gate", sa.String(64), nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("actor", sa.String(64)),  # null: the gate itself
    sa.Column("kind", sa.String(10), _one_of("kind", KINDS), nullable=False),
    sa.Column("visit", sa.Integer),  # n-th entry (or exit) of the ticket that was let through
    sa.Column("undoes", sa.ForeignKey("scans.id"), unique=True),
    sa.Column("waiting_id", sa.ForeignKey("waiting.id")),  # whom of the waiting list it is about
    sa.Column("reason", sa.String(20), _one_of("reason", Reason)),
    sa.Column("caveats", sa.String(200), nullable=False, server_default=""),
    sa.Column("delta", sa.Integer, nullable=False),  # people more, or less, inside
    sa.Column("inside", sa.Integer, nullable=False),  # after this row
    sa.Column("fire_limit", sa.Integer, nullable=False),  # in force when it was written
    sa.Column("persons", sa.Integer),  # whom the ticket admitted then; null: no ticket, or an older ledger
    sa.Column("wall", UtcTime, nullable=False),  # as the machine believed, see clock_fixes
    sa.Column("monotonic_ns", sa.BigInteger, nullable=False),
    sa.Column("boot_id", sa.String(36), nullable=False),
    sa.Column("clock_trusted", sa.Boolean, nullable=False),
    sa.UniqueConstraint("ticket_id", "kind", "visit"),
    sa.CheckConstraint("reason IS NULL OR delta = 0", name="refused_counts_nobody"),
    sa.CheckConstraint("(visit IS NOT NULL) = (kind IN ('entry', 'exit') AND reason IS NULL)", name="visit"),
    sa.CheckConstraint("(undoes IS NOT NULL) = (kind = 'undo')", name="undoes"),
    sa.CheckConstraint(f"kind IN ({', '.join(map(repr, MOVES))}) OR delta = 0", name="moves"),
    sa.Index("ix_scans_of_event", "event_id", "id"),
    sa.Index("ix_scans_of_ticket", "ticket_id", "id"),
    sa.Index(
        "ix_scans_of_waiting",
        "waiting_id",
        sqlite_where=sa.text("waiting_id IS NOT NULL"),
        postgresql_where=sa.text("waiting_id IS NOT NULL"),
    ),
)

# What an event has of pretix, which is asked by the sync alone (kiosk.ledger.pretix_copy).
pretix_copies = sa.Table(
    "pretix_copies",
    metadata,
    sa.Column("event_id", sa.ForeignKey("events.id"), primary_key=True),
    sa.Column("wall", UtcTime, nullable=False),  # when pretix was last asked for all that changed, as was believed
    sa.Column("monotonic_ns", sa.BigInteger, nullable=False),
    sa.Column("boot_id", sa.String(36), nullable=False),
    sa.Column("page_generated", sa.String(64), nullable=False),  # pretix's own word for that moment
    sa.Column("keys", sa.Text, nullable=False),  # public keys, as pretix gives them, one a line; "" where it signs none
    sa.Column("products", sa.Text, nullable=False),  # JSON: {item: name} of those that the door lets in
    sa.Column("subevent", sa.BigInteger),  # a date of a series; null: the event is none
    sa.Column("told_scan_id", sa.Integer, nullable=False),  # all scans up to it were told to pretix
    sa.Column("origin", sa.Text, nullable=False),  # server, organizer, event and list that it is a copy of
    sa.Column("devices", sa.Text, nullable=False),  # pretix's numbers of the devices that this machine is and was
    sa.Column("trouble", sa.Text, nullable=False),  # why it is not fresh, in words; "": it is
)

pretix_tickets = sa.Table(
    "pretix_tickets",
    metadata,
    sa.Column("ticket_id", sa.ForeignKey("tickets.id"), primary_key=True),
    sa.Column("event_id", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),  # of two tickets of one position the older has an heir
    sa.Column("is_used_elsewhere", sa.Boolean, nullable=False),
    sa.Index("ix_pretix_tickets_position", "event_id", "position"),
)

pretix_withdrawn = sa.Table(
    "pretix_withdrawn",
    metadata,
    sa.Column("event_id", sa.ForeignKey("events.id"), primary_key=True),
    sa.Column("code_sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),  # Status.REVOKED or BLOCKED
)

pretix_conflicts = sa.Table(
    "pretix_conflicts",
    metadata,
    sa.Column("scan_id", sa.ForeignKey("scans.id"), primary_key=True),
    sa.Column("event_id", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),  # pretix's word
    sa.Column("other_at", UtcTime),  # when another device had let them in
    sa.Column("is_seen", sa.Boolean, nullable=False),
    sa.Index("ix_pretix_conflicts_event", "event_id", "is_seen"),
)

# Tickets that a mail server took. The address itself is not kept: its HMAC tells whether it is still the same one.
sendings = sa.Table(
    "sendings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("event_id", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("ticket_id", sa.ForeignKey("tickets.id"), nullable=False),
    sa.Column("address_mac", sa.LargeBinary(32)),  # null: forgotten
    sa.Column("sent_at", UtcTime, nullable=False),  # as the machine believed
    sa.Index("ix_sendings_of_event", "event_id", "ticket_id"),
)

# When a boot's wall clock was set: wall = monotonic + offset for every row of that boot, also those before. A time
# server's word replaces a person's.
clock_fixes = sa.Table(
    "clock_fixes",
    metadata,
    sa.Column("boot_id", sa.String(36), primary_key=True),
    sa.Column("offset_ns", sa.BigInteger, nullable=False),
    sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.false()),
)
