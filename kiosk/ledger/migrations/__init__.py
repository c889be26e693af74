"""How the tables came to be, step by step (Alembic). HEAD is the newest step; `upgrade` brings a database there."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from hardware.durable import share
from kiosk.ledger.records import LedgerError

HEAD = "0005"
WRITES = "platypus_writes"  # the execution option of a transaction that takes the write lock before it looks


def revision(engine: sa.Engine) -> str | None:
    """The step a database is at; None for an empty one."""
    with engine.connect() as db:
        if not sa.inspect(db).has_table("alembic_version"):
            return None
        return db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(engine: sa.Engine, lock: Path, to: str = HEAD) -> None:
    """Bring the database to step `to`. `lock` is a file that lets one process at a time do so."""
    share(lock)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if revision(engine) == to:
            return
        from alembic import command  # noqa: PLC0415  # needed at most once an installation
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
        writing = engine.connect().execution_options(**{WRITES: True})  # waits for whoever writes now
        with writing as db, _without_foreign_keys(db), db.begin():
            config.attributes["connection"] = db
            command.upgrade(config, to)
            if db.dialect.name == "sqlite" and db.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise LedgerError("the rows of the older ledger do not fit together; nothing was changed")


@contextmanager
def _without_foreign_keys(db: sa.Connection) -> Iterator[None]:
    """SQLite looks at every reference when a table is replaced, unless told not to before the transaction begins."""
    driver = db.connection.dbapi_connection
    if db.dialect.name != "sqlite" or driver is None:
        yield
        return
    driver.cursor().execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.cursor().execute("PRAGMA foreign_keys=ON")
