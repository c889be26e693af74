"""How the tables came to be, step by step (Alembic). HEAD is the newest step; `upgrade` brings a database there."""

from __future__ import annotations

import fcntl
from pathlib import Path

import sqlalchemy as sa

HEAD = "0001"


def revision(engine: sa.Engine) -> str | None:
    """The step a database is at; None for an empty one."""
    with engine.connect() as db:
        if not sa.inspect(db).has_table("alembic_version"):
            return None
        return db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(engine: sa.Engine, lock: Path) -> None:
    """Bring the database to HEAD. `lock` is a file that lets one process at a time do so."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if revision(engine) == HEAD:
            return
        from alembic import command  # noqa: PLC0415  # needed at most once an installation
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
        with engine.begin() as db:
            config.attributes["connection"] = db
            command.upgrade(config, HEAD)
