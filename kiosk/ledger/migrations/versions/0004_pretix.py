"""The copy of a pretix event: its tickets' positions, codes it withdrew, what it knows already, and conflicts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_STATUS = "status IN ('paid', 'unpaid', 'canceled', 'blocked', 'unapproved', 'revoked', 'product')"


def upgrade() -> None:
    """From step 0003; every row stays as it is. A ticket may be one of another product than those of the door."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("tickets", recreate="always" if is_sqlite else "auto") as tickets:
        tickets.drop_constraint(op.f("ck_tickets_known_status"), type_="check")
        tickets.create_check_constraint(op.f("ck_tickets_known_status"), _STATUS)
    op.create_table(
        "pretix_copies",
        sa.Column("event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_pretix_copies_event_id"), nullable=False),
        sa.Column("wall", sa.DateTime(timezone=True), nullable=False),
        sa.Column("monotonic_ns", sa.BigInteger, nullable=False),
        sa.Column("boot_id", sa.String(36), nullable=False),
        sa.Column("page_generated", sa.String(64), nullable=False),
        sa.Column("keys", sa.Text, nullable=False),
        sa.Column("products", sa.Text, nullable=False),
        sa.Column("subevent", sa.BigInteger),
        sa.Column("told_scan_id", sa.Integer, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("devices", sa.Text, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_pretix_copies"),
    )
    op.create_table(
        "pretix_tickets",
        sa.Column(
            "ticket_id", sa.Integer, sa.ForeignKey("tickets.id", name="fk_pretix_tickets_ticket_id"), nullable=False
        ),
        sa.Column(
            "event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_pretix_tickets_event_id"), nullable=False
        ),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("is_used_elsewhere", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_pretix_tickets"),
    )
    op.create_index("ix_pretix_tickets_position", "pretix_tickets", ["event_id", "position"])
    op.create_table(
        "pretix_withdrawn",
        sa.Column(
            "event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_pretix_withdrawn_event_id"), nullable=False
        ),
        sa.Column("code_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "code_sha256", name="pk_pretix_withdrawn"),
    )
    op.create_table(
        "pretix_conflicts",
        sa.Column("scan_id", sa.Integer, sa.ForeignKey("scans.id", name="fk_pretix_conflicts_scan_id"), nullable=False),
        sa.Column(
            "event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_pretix_conflicts_event_id"), nullable=False
        ),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("other_at", sa.DateTime(timezone=True)),
        sa.Column("is_seen", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("scan_id", name="pk_pretix_conflicts"),
    )
    op.create_index("ix_pretix_conflicts_event", "pretix_conflicts", ["event_id", "is_seen"])
