"""The tables, in SQLAlchemy Core; one schema for SQLite and PostgreSQL. Changes go through migrations/.

    events 1--* tickets 1--* scans

`scans` is append-only (a trigger forbids update and delete). Two constraints carry the door's promises:
`nonce` is unique, so a presentation counts once however often it is said; (ticket, direction, visit) is unique, so
a ticket's n-th entry exists once, whatever two processes think at the same moment. Refusals have no visit.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kiosk.ledger.rules import Reason
from kiosk.tickets.sheet import Status


class UtcTime(sa.TypeDecorator[datetime]):
    """An aware datetime, kept in UTC (SQLite forgets the zone, so it is put back on reading)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        return value if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _one_of(column: str, words: type[Status] | type[Reason]) -> sa.CheckConstraint:
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
    sa.Column("capacity", sa.Integer, sa.CheckConstraint("capacity >= 0", name="capacity"), nullable=False),
    sa.Column("starts_at", UtcTime),
    sa.Column("stream_page", sa.String(500)),
)

tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("event_id", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("code_sha256", sa.LargeBinary(32), nullable=False),
    sa.Column("is_own", sa.Boolean, nullable=False),
    sa.Column("holder", sa.String(200)),
    sa.Column("email", sa.String(320)),
    sa.Column("product", sa.String(200)),
    sa.Column("status", sa.String(16), _one_of("status", Status), nullable=False),
    sa.Column("valid_from", UtcTime),
    sa.Column("valid_until", UtcTime),
    sa.UniqueConstraint("event_id", "number"),
    sa.UniqueConstraint("event_id", "code_sha256"),
)

scans = sa.Table(
    "scans",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("nonce", sa.String(64), nullable=False, unique=True),
    sa.Column("event_id", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("ticket_id", sa.ForeignKey("tickets.id")),  # null: a code nobody knows
    sa.Column("code_sha256", sa.LargeBinary(32), nullable=False),
    sa.Column("gate", sa.String(64), nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column(
        "direction",
        sa.String(5),
        sa.CheckConstraint("direction IN ('entry', 'exit')", name="direction"),
        nullable=False,
    ),
    sa.Column("visit", sa.Integer),  # n-th entry (or exit) of the ticket; null: refused
    sa.Column("reason", sa.String(20), _one_of("reason", Reason)),
    sa.Column("caveats", sa.String(200), nullable=False, server_default=""),
    sa.Column("wall", UtcTime, nullable=False),
    sa.Column("monotonic_ns", sa.BigInteger, nullable=False),
    sa.Column("boot_id", sa.String(36), nullable=False),
    sa.Column("clock_trusted", sa.Boolean, nullable=False),
    sa.UniqueConstraint("ticket_id", "direction", "visit"),
    sa.CheckConstraint("(visit IS NULL) <> (reason IS NULL)", name="admitted_or_refused"),
    sa.Index("ix_scans_inside", "event_id", "direction", "visit"),
)
