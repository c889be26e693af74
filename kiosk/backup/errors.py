"""What can go wrong with a backup.

PlatypusError
├── BackupError (OSError)            it cannot be made; nothing half is left
├── BadBackup (ValueError)           a file is no whole backup of ours; nothing was changed
│   └── NewerBackup                  one of a Platypus that knows more than this one
├── RestoreError (OSError)           it cannot be put back; what was there is whole
└── InUse (RuntimeError)             the programs of the evening work with these files
"""

from __future__ import annotations

from pathlib import Path

from hardware.errors import PlatypusError


class BackupError(PlatypusError, OSError):
    """A backup cannot be made; no half file is left."""

    code = "backup"


class BadBackup(PlatypusError, ValueError):
    """A file is not a whole backup of ours."""

    code = "bad_backup"


class NewerBackup(BadBackup):
    """A newer Platypus made it."""

    code = "newer_backup"


class RestoreError(PlatypusError, OSError):
    """A backup cannot be put back; what was there is whole."""

    code = "restore"


class InUse(PlatypusError, RuntimeError):
    """Programs work with the files that would be replaced."""

    code = "in_use"


def why(error: Exception) -> str:
    """The cause in words, with the file that it is about."""
    if not isinstance(error, OSError):
        return str(error)
    where = f"{Path(str(error.filename))}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
