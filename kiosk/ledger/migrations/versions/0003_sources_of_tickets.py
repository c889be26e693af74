"""Tickets know the system whose list they came from, what they were before a hand revoked them, and their heir."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From step 0002; of tickets that are there nobody knows any of it."""
    op.add_column("tickets", sa.Column("source", sa.String(40)))
    op.add_column("tickets", sa.Column("revoked_from", sa.String(16)))
    op.add_column("tickets", sa.Column("heir", sa.Integer))
