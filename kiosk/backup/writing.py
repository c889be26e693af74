"""A backup is made: beside its place, read back from the disk, and only then called by its name."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from hardware.clock import Stamp
from hardware.durable import make_folder, own_as_folder, sync_folder
from kiosk.backup.archive import ArchiveWriter, opened
from kiosk.backup.errors import BackupError, BadBackup, why
from kiosk.backup.manifest import Manifest, goes_at
from kiosk.backup.places import LEDGER, Places, refuse_planted
from kiosk.backup.snapshot import Found, copy_ledger, look_at_ledger
from kiosk.backup.swap import is_there
from kiosk.ledger import migrations
from kiosk.version import own_version

log = logging.getLogger(__name__)

_UNDER_WAY = ".platypus-backup-"  # how the folders begin in which one is made


class Made(NamedTuple):
    """A backup that was made and checked."""

    path: Path
    size: int  # bytes
    manifest: Manifest


def write_backup(places: Places, target: Path, stamp: Stamp, after: timedelta | None) -> Made:
    """Make a backup at `target`, where nothing may be yet; `after` is how long names are kept after their event.

    It is of mode 0600, on the disk and checked when this returns. Raises BackupError, and then nothing is left.
    """
    if is_there(target):
        raise BackupError(f"{target} is there already, and stays as it is: give another name")
    if not places.ledger.exists():
        raise BackupError(f"there is no ledger at {places.ledger}: is state_dir right, and was an event made?")
    try:
        make_folder(target.parent)
        with _scratch(target.parent) as scratch:
            manifest = _write(places, scratch / "backup", scratch, stamp, after)
            _prove(scratch / "backup", manifest, scratch)
            (scratch / "backup").rename(target)
        sync_folder(target.parent)
        size = target.stat().st_size
    except OSError as error:
        if isinstance(error, BackupError):
            raise
        raise BackupError(
            f"no backup could be made at {target}: {why(error)}. Is there room, and may we read and write there? As "
            f"another user: sudo platypus backup {target}"
        ) from error
    log.info("backup event=made file=%s bytes=%d files=%d", target.name, size, len(manifest.files))
    return Made(target, size, manifest)


def _write(places: Places, path: Path, scratch: Path, stamp: Stamp, after: timedelta | None) -> Manifest:
    copy = scratch / LEDGER
    copy_ledger(places.ledger, copy)  # first: the secret of an event is on the disk before the event is in the ledger
    found = _sound(copy, places.ledger)
    with path.open("xb+") as file:
        os.fchmod(file.fileno(), 0o600)
        own_as_folder(file.fileno(), scratch.parent)
        with ArchiveWriter(file) as archive:
            with copy.open("rb") as source:
                archive.add(LEDGER, source)
            copy.unlink()
            for name, each in places.files():
                with each.open("rb") as source:
                    refuse_planted(each, os.fstat(source.fileno()))
                    archive.add(name, source)
            manifest = archive.close(
                Manifest(
                    made_at=stamp.wall,
                    is_clock_trusted=stamp.is_trusted,
                    host=socket.gethostname(),
                    version=own_version(),
                    schema=found.schema,
                    names=found.names,
                    erase_by=goes_at(found.names, after),
                    left_out=places.left_out,
                )
            )
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # what is read back comes from the disk
    return manifest


def _sound(copy: Path, ledger: Path) -> Found:
    try:
        found = look_at_ledger(copy)
    except BadBackup as error:
        raise BackupError(
            f"no backup was made of {ledger}: {error}. Keep the older backups, and look: platypus ledger check"
        ) from error
    if found.schema > migrations.HEAD:
        raise BackupError(f"{ledger} is from a newer Platypus (step {found.schema}): upgrade first")
    return found


def _prove(path: Path, wanted: Manifest, scratch: Path) -> None:
    """Read a fresh backup as if it came from elsewhere. Raises BackupError."""
    try:
        with opened(path) as archive:
            for member in archive.manifest.files:
                if member.name == LEDGER:
                    archive.unpack(member, scratch / LEDGER)
                else:
                    for _ in archive.chunks(member):
                        pass
            is_same = archive.manifest == wanted and look_at_ledger(scratch / LEDGER).schema == wanted.schema
    except BadBackup as error:
        raise BackupError(f"what was written could not be read back: {error}. Is the disk failing?") from error
    if not is_same:
        raise BackupError("what was written is not what is read back. Is the disk failing?")


def clear_left(folder: Path) -> None:
    """Delete what killed ones left: a copy of the ledger may be in it. Raises OSError."""
    for left in folder.glob(f"{_UNDER_WAY}*"):
        with _held(left) as is_ours:
            if is_ours:
                shutil.rmtree(left)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder beside the backup that goes with this block. Raises OSError."""
    clear_left(folder)
    with ExitStack() as held:
        while True:  # whoever clears away may have taken a folder that nobody held yet
            path = Path(tempfile.mkdtemp(prefix=_UNDER_WAY, dir=folder))
            with suppress(FileNotFoundError):
                if held.enter_context(_held(path)) and path.exists():
                    break
        try:
            yield path
        finally:
            shutil.rmtree(path)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether nobody else works in this folder: then nobody does within this block either."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
