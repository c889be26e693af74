"""One fact of a ledger, for a process that needs nothing else of it: SQLAlchemy alone would take 20 MB there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from kiosk.ledger.records import LedgerError, UnknownEvent


def event_name(path: Path, slug: str) -> str:
    """What people call an event; nothing is written. Raises LedgerError, UnknownEvent."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
            found = db.execute("SELECT name FROM events WHERE slug = ?", (slug,)).fetchone()
    except sqlite3.Error as error:
        raise LedgerError(f"{path} cannot be read: {error}") from error
    if found is None:
        raise UnknownEvent(f"there is no event {slug!r} in {path}")
    return str(found[0])
