"""Events, tickets and the append-only scans."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_STATUS = "status IN ('paid', 'unpaid', 'canceled', 'blocked', 'unapproved', 'revoked')"
_REASON = (
    "reason IN ('invalid', 'revoked', 'canceled', 'blocked', 'unapproved', 'invalid_time', 'unpaid', "
    "'already_redeemed', 'product', 'rules', 'ambiguous', 'error', 'full')"
)


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True)),
        sa.Column("stream_page", sa.String(500)),
        sa.UniqueConstraint("slug", name="uq_events_slug"),
        sa.CheckConstraint("capacity >= 0", name="capacity"),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_tickets_event_id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("code_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("is_own", sa.Boolean, nullable=False),
        sa.Column("holder", sa.String(200)),
        sa.Column("email", sa.String(320)),
        sa.Column("product", sa.String(200)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True)),
        sa.Column("valid_until", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("event_id", "number", name="uq_tickets_event_id_number"),
        sa.UniqueConstraint("event_id", "code_sha256", name="uq_tickets_event_id_code_sha256"),
        sa.CheckConstraint(_STATUS, name="known_status"),
    )
    op.create_table(
        "scans",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_scans_event_id"), nullable=False),
        sa.Column("ticket_id", sa.Integer, sa.ForeignKey("tickets.id", name="fk_scans_ticket_id")),
        sa.Column("code_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("gate", sa.String(64), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("direction", sa.String(5), nullable=False),
        sa.Column("visit", sa.Integer),
        sa.Column("reason", sa.String(20)),
        sa.Column("caveats", sa.String(200), nullable=False, server_default=""),
        sa.Column("wall", sa.DateTime(timezone=True), nullable=False),
        sa.Column("monotonic_ns", sa.BigInteger, nullable=False),
        sa.Column("boot_id", sa.String(36), nullable=False),
        sa.Column("clock_trusted", sa.Boolean, nullable=False),
        sa.UniqueConstraint("nonce", name="uq_scans_nonce"),
        sa.UniqueConstraint("ticket_id", "direction", "visit", name="uq_scans_ticket_id_direction_visit"),
        sa.CheckConstraint("direction IN ('entry', 'exit')", name="direction"),
        sa.CheckConstraint(_REASON, name="known_reason"),
        sa.CheckConstraint("(visit IS NULL) <> (reason IS NULL)", name="admitted_or_refused"),
    )
    op.create_index("ix_scans_inside", "scans", ["event_id", "direction", "visit"])
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
