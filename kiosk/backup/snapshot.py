"""A copy of the ledger while the door goes on writing, and what a copy is worth.

Through SQLite alone, and without the tables of today: a ledger is copied before it is brought to a newer step. Nobody
may open the ledger's file in another way here: closing it would let go of the locks that this process holds on it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from kiosk.backup.errors import BackupError, BadBackup
from kiosk.backup.manifest import Names
from kiosk.ledger.privacy import SOMEBODY

_BUSY_S = 5.0
_NAMED: dict[str, Sequence[tuple[str, str]]] = {  # table -> columns, and what stands there when nobody is meant
    "tickets": (("holder", ""), ("email", ""), ("order_code", ""), ("note", "")),
    "waiting": (("name", ""),),
    "scans": (("actor", SOMEBODY),),
}


class Found(NamedTuple):
    """What a ledger is."""

    schema: str  # the step of its tables
    events: int
    names: tuple[Names, ...]  # events of which it holds names


def copy_ledger(ledger: Path, to: Path) -> None:
    """As it is at one moment, as one file; who writes waits for nothing. Raises BackupError."""
    try:
        with closing(_reader(ledger)) as source, closing(sqlite3.connect(to)) as copy:
            source.backup(copy, pages=-1)  # in one step: with several, each row written meanwhile begins it anew
            copy.execute("PRAGMA journal_mode=DELETE").fetchall()  # or it would need its log beside it
    except sqlite3.Error as error:
        raise BackupError(f"the ledger {ledger} cannot be copied into a backup: {error}. Is the disk full?") from error


def look_at_ledger(path: Path) -> Found:
    """Read all of it, and say what it is; nothing is written. Raises BadBackup when it is damaged or no ledger."""
    try:
        with closing(_reader(path)) as db:
            if (wrong := db.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                raise BadBackup(f"the ledger in it is damaged ({wrong})")
            return _found(db)
    except sqlite3.Error as error:
        raise BadBackup(f"the ledger in it cannot be read ({error})") from error


def schema_of(path: Path) -> str:
    """The step of a ledger's tables. Raises BadBackup."""
    try:
        with closing(_reader(path)) as db:
            return _schema(db)
    except sqlite3.Error as error:
        raise BadBackup(f"{path} is no ledger ({error})") from error


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_BUSY_S)


def _schema(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise BadBackup("the ledger in it does not say of which step its tables are")
    return str(row[0])


def _found(db: sqlite3.Connection) -> Found:
    names = []
    events = db.execute("SELECT id, slug, starts_at FROM events ORDER BY id").fetchall()
    columns = {table: _known(db, table, wanted) for table, wanted in _NAMED.items()}
    for key, slug, starts_at in events:
        if any(_holds(db, table, there, key) for table, there in columns.items()):
            last = db.execute("SELECT max(wall) FROM scans WHERE event_id = ?", (key,)).fetchone()[0]
            names.append(Names(event=slug, since=_time(starts_at or last)))
    return Found(_schema(db), len(events), tuple(names))


def _known(db: sqlite3.Connection, table: str, wanted: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Those columns that this ledger, which may be an older one, has."""
    there = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    return [each for each in wanted if each[0] in there]


def _holds(db: sqlite3.Connection, table: str, columns: Sequence[tuple[str, str]], event: int) -> bool:
    if not columns:
        return False
    named = " OR ".join(f"({column} IS NOT NULL AND {column} <> ?)" for column, _ in columns)
    query = f"SELECT 1 FROM {table} WHERE event_id = ? AND ({named}) LIMIT 1"  # noqa: S608  # names of ours alone
    return db.execute(query, (event, *(nobody for _, nobody in columns))).fetchone() is not None


def _time(text: str | None) -> datetime | None:
    """As SQLAlchemy keeps it in SQLite: UTC, without saying so."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
