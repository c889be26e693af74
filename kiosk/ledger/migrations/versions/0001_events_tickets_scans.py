"""Events, tickets, the append-only scans, the waiting list and when clocks were set."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_STATUS = "status IN ('paid', 'unpaid', 'canceled', 'blocked', 'unapproved', 'revoked')"
_REASON = (
    "reason IN ('invalid', 'revoked', 'canceled', 'blocked', 'unapproved', 'invalid_time', 'unpaid', "
    "'already_redeemed', 'product', 'rules', 'ambiguous', 'error', 'full')"
)
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("fire_limit", sa.Integer, nullable=False),
        sa.Column("may_return", sa.Boolean, nullable=False),
        sa.Column("starts_at", _TIME),
        sa.Column("release_no_shows_at", _TIME),
        sa.Column("stream_page", sa.String(500)),
        sa.UniqueConstraint("slug", name="uq_events_slug"),
        sa.CheckConstraint("capacity >= 0 AND fire_limit >= capacity", name="limits"),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_tickets_event_id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("code_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("is_own", sa.Boolean, nullable=False),
        sa.Column("is_walk_in", sa.Boolean, nullable=False),
        sa.Column("holder", sa.String(200)),
        sa.Column("email", sa.String(320)),
        sa.Column("product", sa.String(200)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("valid_from", _TIME),
        sa.Column("valid_until", _TIME),
        sa.Column("guests", sa.Integer, nullable=False),
        sa.Column("order_code", sa.String(64)),
        sa.Column("note", sa.String(500)),
        sa.Column("folded", sa.String(800), nullable=False),
        sa.UniqueConstraint("event_id", "number", name="uq_tickets_event_id_number"),
        sa.UniqueConstraint("event_id", "code_sha256", name="uq_tickets_event_id_code_sha256"),
        sa.CheckConstraint(_STATUS, name="known_status"),
        sa.CheckConstraint("guests >= 0", name="guests"),
    )
    op.create_table(
        "scans",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_scans_event_id"), nullable=False),
        sa.Column("ticket_id", sa.Integer, sa.ForeignKey("tickets.id", name="fk_scans_ticket_id")),
        sa.Column("code_sha256", sa.LargeBinary(32)),
        sa.Column("gate", sa.String(64), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(64)),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("visit", sa.Integer),
        sa.Column("undoes", sa.Integer, sa.ForeignKey("scans.id", name="fk_scans_undoes")),
        sa.Column("reason", sa.String(20)),
        sa.Column("caveats", sa.String(200), nullable=False, server_default=""),
        sa.Column("delta", sa.Integer, nullable=False),
        sa.Column("inside", sa.Integer, nullable=False),
        sa.Column("fire_limit", sa.Integer, nullable=False),
        sa.Column("wall", _TIME, nullable=False),
        sa.Column("monotonic_ns", sa.BigInteger, nullable=False),
        sa.Column("boot_id", sa.String(36), nullable=False),
        sa.Column("clock_trusted", sa.Boolean, nullable=False),
        sa.UniqueConstraint("nonce", name="uq_scans_nonce"),
        sa.UniqueConstraint("undoes", name="uq_scans_undoes"),
        sa.UniqueConstraint("ticket_id", "kind", "visit", name="uq_scans_ticket_id_kind_visit"),
        sa.CheckConstraint("kind IN ('entry', 'exit', 'correction', 'undo')", name="known_kind"),
        sa.CheckConstraint(_REASON, name="known_reason"),
        sa.CheckConstraint("reason IS NULL OR delta = 0", name="refused_counts_nobody"),
        sa.CheckConstraint("(visit IS NOT NULL) = (kind IN ('entry', 'exit') AND reason IS NULL)", name="visit"),
        sa.CheckConstraint("(undoes IS NOT NULL) = (kind = 'undo')", name="undoes"),
    )
    op.create_index("ix_scans_of_event", "scans", ["event_id", "id"])
    op.create_index("ix_scans_of_ticket", "scans", ["ticket_id", "id"])
    op.create_table(
        "waiting",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_waiting_event_id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("persons", sa.Integer, nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.CheckConstraint("persons > 0", name="persons"),
    )
    op.create_table(
        "clock_fixes",
        sa.Column("boot_id", sa.String(36), primary_key=True),
        sa.Column("offset_ns", sa.BigInteger, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER scans_no_{verb.lower()} BEFORE {verb} ON scans "
                "BEGIN SELECT RAISE(ABORT, 'scans is append-only'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION scans_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'scans is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER scans_append_only BEFORE UPDATE OR DELETE ON scans "
            "FOR EACH ROW EXECUTE FUNCTION scans_append_only()"
        )
