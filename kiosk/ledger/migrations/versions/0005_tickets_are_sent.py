"""Events know where they are, tickets which language they speak, and the ledger to whom tickets were sent."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """From step 0004; nothing was sent by it."""
    op.add_column("events", sa.Column("venue", sa.String(200)))
    op.add_column("tickets", sa.Column("language", sa.String(2)))
    op.create_table(
        "sendings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.Integer, sa.ForeignKey("events.id", name="fk_sendings_event_id"), nullable=False),
        sa.Column("ticket_id", sa.Integer, sa.ForeignKey("tickets.id", name="fk_sendings_ticket_id"), nullable=False),
        sa.Column("address_mac", sa.LargeBinary(32)),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_sendings_of_event", "sendings", ["event_id", "ticket_id"])
