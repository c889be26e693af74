"""The waiting list, released seats and set clocks are rows of scans; an index in which seats are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KINDS = "kind IN ('entry', 'exit', 'correction', 'undo', 'wait', 'unwait', 'release', 'clock')"
_MOVES = "kind IN ('entry', 'exit', 'correction', 'undo') OR delta = 0"
_HAS_WAITING = sa.text("waiting_id IS NOT NULL")


def upgrade() -> None:
    """From step 0001; every row stays as it is."""
    with op.batch_alter_table("waiting") as waiting:
        ticket = sa.ForeignKey("tickets.id", name="fk_waiting_ticket_id")
        waiting.add_column(sa.Column("ticket_id", sa.Integer, ticket))
    op.add_column("clock_fixes", sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("ix_tickets_seats", "tickets", ["event_id", "is_walk_in", "status", "guests"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    # SQLite changes no constraint of a table: it is copied into a new one.
    with op.batch_alter_table("scans", recreate="always" if is_sqlite else "auto") as scans:
        guest = sa.ForeignKey("waiting.id", name="fk_scans_waiting_id")
        scans.add_column(sa.Column("waiting_id", sa.Integer, guest))
        scans.drop_constraint(op.f("ck_scans_known_kind"), type_="check")
        scans.create_check_constraint(op.f("ck_scans_known_kind"), _KINDS)
        scans.create_check_constraint(op.f("ck_scans_moves"), _MOVES)
    op.create_index(
        "ix_scans_of_waiting", "scans", ["waiting_id"], sqlite_where=_HAS_WAITING, postgresql_where=_HAS_WAITING
    )
    if is_sqlite:  # a table's triggers go with it
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER scans_no_{verb.lower()} BEFORE {verb} ON scans "
                "BEGIN SELECT RAISE(ABORT, 'scans is append-only'); END"
            )
