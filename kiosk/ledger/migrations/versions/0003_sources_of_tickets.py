"""Tickets know whose list they came from, what they were before a hand revoked them, and their heir.

What the search looks at has the words once more without blanks, so that it need not take them out each time.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From step 0002; of tickets that are there nobody knows any of it."""
    op.add_column("tickets", sa.Column("source", sa.String(40)))
    op.add_column("tickets", sa.Column("revoked_from", sa.String(16)))
    op.add_column("tickets", sa.Column("heir", sa.Integer))
    op.execute("UPDATE tickets SET folded = folded || ' ' || replace(folded, ' ', '')")
