"""The connection to the ledger's database, and its two kinds of transaction.

SQLite in WAL with synchronous=FULL: a row that was answered survives the pulled plug (measured with power cuts: 288
rows of 288). A writing transaction takes the write lock before it looks, so nobody decides on old news; on PostgreSQL
the event's row is locked instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from hardware.durable import share
from kiosk.ledger import migrations
from kiosk.ledger.records import LedgerError

_TRIGGERS_OF_SCANS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'scans'"
_BUSY_S = 5.0  # another process holds the write lock for one commit, some ms; this long means something is wrong


class Database:
    """One SQLite file, brought to the newest schema. Raises LedgerError when it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"{path.parent} cannot be made: {error.strerror}. Check state_dir.") from error
        self._engine = _engine(path)
        with self._explained():
            share(path)  # SQLite gives what it writes beside it the same rights
            found = migrations.revision(self._engine)
            if found is not None and found > migrations.HEAD:
                raise LedgerError(f"{path} is from a newer Platypus (step {found}, we know {migrations.HEAD}): upgrade")
            if found != migrations.HEAD:
                migrations.upgrade(self._engine, path.with_suffix(".lock"))

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A consistent look."""
        with self._explained(), self._engine.connect() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """All or nothing; durable when the block is left."""
        with self._explained(), self._engine.connect().execution_options(**{migrations.WRITES: True}) as db, db.begin():
            yield db

    @contextmanager
    def blanking(self) -> Iterator[sa.Connection]:
        """As `writing`; what is overwritten or deleted in it is blanked in the file, too."""
        with self._explained(), self._engine.connect().execution_options(**{migrations.WRITES: True}) as db:
            _pragma(db, "secure_delete=ON")
            try:
                with db.begin():
                    yield db
            finally:
                _pragma(db, "secure_delete=OFF")  # the connection goes back to the others

    @contextmanager
    def rows_changeable(self, db: sa.Connection) -> Iterator[None]:
        """Let `scans` be changed within a transaction of `blanking`: its triggers are put back, or nothing is done."""
        triggers = db.exec_driver_sql(_TRIGGERS_OF_SCANS).all()
        for name, _ in triggers:
            db.exec_driver_sql(f"DROP TRIGGER {name}")
        yield
        for _, made_by in triggers:
            db.exec_driver_sql(made_by)

    def write_anew(self) -> None:
        """Write the file anew and cut off the log beside it: no page of before is left. Raises LedgerError."""
        with self._explained(), self._engine.connect() as db:
            for order in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                _order(db, order)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            if isinstance(error, LedgerError):
                raise
            cause = getattr(error, "orig", None) or error
            advice = " Is the disk full, or the file not ours?" if not isinstance(error, sa.exc.IntegrityError) else ""
            raise LedgerError(f"the ledger {self.path} failed: {cause}.{advice}") from error


def _pragma(db: sa.Connection, setting: str) -> None:
    _order(db, f"PRAGMA {setting}")


def _order(db: sa.Connection, order: str) -> None:
    """What SQLite takes outside of transactions only."""
    driver = db.connection.dbapi_connection
    if driver is None:
        raise LedgerError("the connection to the ledger is closed")
    cursor = driver.cursor()
    try:
        cursor.execute(order)
        cursor.fetchall()
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger failed ({order}): {error}. Try again when nobody writes.") from error
    finally:
        cursor.close()


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_S}, hide_parameters=True
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself: we say which kind
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def _begin(db: sa.Connection) -> None:
        db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get(migrations.WRITES) else "BEGIN")

    return engine
