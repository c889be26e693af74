"""pretix's own settings, for a test peer: tables made at once instead of by 302 migrations, no locked SQLite."""

import os

from pretix.settings import *  # noqa: F403
from pretix.settings import DATABASES

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}


class _NoMigrations(dict):
    def __contains__(self, key):
        return True

    def __getitem__(self, key):
        return None


if os.environ.get("PLATYPUS_TABLES_AT_ONCE"):
    MIGRATION_MODULES = _NoMigrations()
