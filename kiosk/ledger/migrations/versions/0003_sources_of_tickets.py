"""Tickets know the system whose list they came from, so that a later list of it can tell which are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From step 0002; of tickets that are there nobody knows it."""
    op.add_column("tickets", sa.Column("source", sa.String(40)))
