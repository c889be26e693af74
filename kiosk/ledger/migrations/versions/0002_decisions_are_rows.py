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
        scans.add_column(sa.Column("persons", sa.Integer))
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
    _releases_as_rows()


def _releases_as_rows() -> None:
    """Until now a person's release was a time long past, in place of the one that had been planned."""
    db = op.get_bind()
    released = sa.text("SELECT id, fire_limit FROM events WHERE release_no_shows_at < '1971-01-01'")
    for event, fire_limit in db.execute(released).all():
        last = sa.text("SELECT inside, wall FROM scans WHERE event_id = :event ORDER BY id DESC LIMIT 1")
        row = db.execute(last, {"event": event}).one_or_none()
        db.execute(
            sa.text(
                "INSERT INTO scans (nonce, event_id, gate, source, actor, kind, delta, inside, fire_limit, wall, "
                "monotonic_ns, boot_id, clock_trusted) VALUES (:nonce, :event, 'desk', 'hand', 'before the upgrade', "
                "'release', 0, :inside, :fire_limit, :wall, 0, 'before the upgrade', :is_trusted)"
            ),
            {
                "nonce": f"release of event {event} before step 0002",
                "event": event,
                "inside": row.inside if row else 0,
                "fire_limit": fire_limit,
                "wall": row.wall if row else "1970-01-01 00:00:00.000000",
                "is_trusted": False,
            },
        )
        db.execute(sa.text("UPDATE events SET release_no_shows_at = NULL WHERE id = :event"), {"event": event})
