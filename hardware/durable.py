"""Small private files that survive the pulled plug: whole or not at all, and for their owner alone."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def write_durably(path: Path, content: bytes, *, keeps_rights: bool = False) -> None:
    """Replace `path` by a file of mode 0600 with this content; on the disk, name and all, when this returns.

    Written by root into somebody's folder it belongs to that somebody, so that `sudo` locks nobody out; with
    `keeps_rights` owner and mode stay those of the file that is replaced, when there is one. Makes the folder if need
    be. Raises OSError.
    """
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=f".{path.name}-", dir=folder)  # mode 0600 from the start
    try:
        with os.fdopen(handle, "wb") as file:
            own_as_folder(file.fileno(), folder)
            if keeps_rights and path.exists():
                before = path.stat()
                if os.geteuid() == 0:
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
    sync_folder(folder)


def own_as_folder(handle: int, folder: Path) -> None:
    """Give an open file that root made to the owner of `folder`."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
