"""The folder where backups are kept: how many, for how long, and which of them still hold names.

Beside them count the folders in which a restore left what was there before: they hold names, too.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from hardware.alone import RunsAlready, alone
from hardware.clock import Clock
from hardware.durable import make_folder, sync_folder, write_durably
from hardware.errors import PlatypusError
from kiosk.backup.archive import glance
from kiosk.backup.errors import BackupError, BadBackup, why
from kiosk.backup.manifest import UNKNOWN, Manifest, goes_at, read_manifest
from kiosk.backup.places import ABOUT_ASIDE, ASIDE, Places
from kiosk.backup.restoring import check
from kiosk.backup.writing import Made, clear_left, write_backup

log = logging.getLogger(__name__)

# Numbered, because the clock of a Pi may be wrong: the newest is the one with the highest number.
_NAME = re.compile(r"platypus-backup-(\d{4,9})-[\d-]{10}\.zip")
_HALF_SENT = ".sent"
_LOCK, _LOCK_OF_SENT = ".lock", ".lock-uploads"
SENT = "sent.zip"  # by somebody, to be looked at and restored


class Copy(NamedTuple):
    """A backup on the shelf, or a folder of before a restore."""

    path: Path
    number: int  # the newest has the highest; 0: it was not made here
    size: int  # bytes; 0 for a folder
    manifest: Manifest | None  # None: it cannot be read
    trouble: str  # why not

    def holds(self, event: str) -> bool:
        """Whether there are names of this event in it."""
        return self.manifest is not None and any(each.event in (event, UNKNOWN) for each in self.manifest.names)

    def is_due(self, now: datetime, after: timedelta) -> bool:
        """Whether names in it have to be gone by `now` (aware)."""
        at = None if self.manifest is None else goes_at(self.manifest.names, after)
        return at is not None and at <= now


class _Stamp(NamedTuple):
    """By which a file is known to be the one that was read."""

    inode: int
    size: int  # bytes
    mtime_ns: int


class Shelf:
    """Makes backups into a folder, and lets them go."""

    def __init__(self, places: Places, folder: Path, keep: int, clock: Clock, after: timedelta | None) -> None:
        self.places = places
        self.folder = folder
        self._keep = keep
        self._clock = clock
        self.after = after  # how long names are kept after their event; None: until somebody erases them
        self._known: Mapping[Path, tuple[_Stamp, Copy]] = {}  # a page asks again and again what no file says anew

    def make(self) -> Made:
        """Make one; the oldest goes when there are too many. Raises BackupError; RunsAlready while another is made."""
        try:
            make_folder(self.folder)
            with alone(self.folder / _LOCK, "a backup"):
                return self._make()
        except OSError as error:
            if isinstance(error, BackupError):
                raise
            raise BackupError(f"no backup can be kept in {self.folder}: {why(error)}") from error

    def leaves_keys_out(self) -> bool:
        """Whether what is made here has no stream keys in it, though there are some. Raises OSError."""
        return bool(self.places.for_owner_of(self.folder).left_out)

    def copies(self) -> Sequence[Copy]:
        """All there are, the newest first. Raises OSError."""
        backups = sorted(self.folder.glob("*.zip")) if self.folder.is_dir() else []
        asides = sorted(self.places.state_dir.glob(f"{ASIDE}*/")) if self.places.state_dir.is_dir() else []
        before = self._known
        self._known = {path: _backup(path, before.get(path)) for path in backups}
        found = [copy for _, copy in self._known.values()] + [_aside(path) for path in asides]
        return sorted(found, key=lambda each: (each.number, each.path.name), reverse=True)

    def backups(self) -> Sequence[Copy]:
        """The same without the folders. Raises OSError."""
        return [each for each in self.copies() if not each.path.is_dir()]

    def named(self, name: str) -> Copy:
        """A backup by the name of its file. Raises BackupError when there is none."""
        found = next((each for each in self.backups() if each.path.name == name), None)
        if found is None:
            raise BackupError("there is no such backup any more: choose another one")
        return found

    def take_in(self, raw: bytes) -> tuple[Path, Manifest]:
        """Put a backup that somebody sent on the shelf, in the place of the one sent before; nothing when it is none.

        Raises BadBackup, OSError; RunsAlready while another one is looked at.
        """
        make_folder(self.folder)
        with alone(self.folder / _LOCK_OF_SENT, "a look at a backup"):
            fresh = self.folder / _HALF_SENT
            write_durably(fresh, raw)
            try:
                manifest = check(fresh)[0]
                fresh.replace(self.folder / SENT)
            finally:
                fresh.unlink(missing_ok=True)
            sync_folder(self.folder)
        return self.folder / SENT, manifest

    def holding(self, event: str) -> Sequence[Copy]:
        """Those with names of an event. Raises OSError."""
        return [each for each in self.copies() if each.holds(event)]

    def forget(self, event: str) -> Sequence[Copy]:
        """Delete those with names of an event, which the ledger has forgotten.

        Raises OSError, BackupError; RunsAlready while one is made, which may hold those names.
        """
        return self._let_go(lambda copy: copy.holds(event))

    def forget_due(self) -> Sequence[Copy]:
        """Delete those whose names have to be gone, when a time server says so.

        Raises OSError, BackupError; RunsAlready while one is made.
        """
        now, after = self._clock.stamp(), self.after
        if after is None or not now.is_trusted:  # a wrong clock deletes nothing
            return ()
        return self._let_go(lambda copy: copy.is_due(now.wall, after))

    def _let_go(self, goes: Callable[[Copy], bool]) -> Sequence[Copy]:
        if not self.folder.is_dir():
            return self._delete([each for each in self.copies() if goes(each)])
        with alone(self.folder / _LOCK, "a backup"):
            clear_left(self.folder)
            self._clear_half_sent()
            copies = [each for each in self.copies() if goes(each)]
            gone = {each.path for each in copies}
            good = [each.path for each in self.backups() if each.manifest is not None]
            if good and gone.issuperset(good):
                try:
                    self._make()  # of the ledger as it is now, without those names: else there would be none at all
                except (PlatypusError, OSError) as error:
                    log.warning("backup event=none-in-place cause=%s next=names-go-all-the-same", error)
            return self._delete(copies)

    def _clear_half_sent(self) -> None:
        """What killed ones left; while one is sent, the next time."""
        try:
            with alone(self.folder / _LOCK_OF_SENT, "a look at a backup"):
                for half in self.folder.glob(f"*{_HALF_SENT}*"):
                    half.unlink(missing_ok=True)
        except RunsAlready:
            log.info("backup event=one-is-sent next=halves-stay")

    def _make(self) -> Made:
        numbers = [each.number for each in self.backups()]
        stamp = self._clock.stamp()
        number = max(numbers, default=0) + 1
        name = f"platypus-backup-{number:04d}-{stamp.wall:%Y-%m-%d}.zip"
        made = write_backup(self.places.for_owner_of(self.folder), self.folder / name, stamp, self.after)
        own = [each for each in self.backups() if each.number]
        self._delete(own[self._keep :])
        return made

    def _delete(self, copies: Sequence[Copy]) -> Sequence[Copy]:
        for each in copies:
            try:
                if each.path.is_dir():
                    shutil.rmtree(each.path)
                else:
                    each.path.unlink(missing_ok=True)
                sync_folder(each.path.parent)
            except OSError as error:
                raise BackupError(f"{each.path} cannot be deleted ({why(error)}): delete it by hand") from error
            log.info("backup event=deleted file=%s", each.path.name)
        return copies


def _backup(path: Path, known: tuple[_Stamp, Copy] | None) -> tuple[_Stamp, Copy]:
    named = _NAME.fullmatch(path.name)
    number = int(named[1]) if named else 0
    try:
        status = path.stat()
    except OSError as error:  # it went just now, or is a link to nowhere
        return _Stamp(0, 0, 0), Copy(path, number, 0, None, why(error))
    stamp = _Stamp(status.st_ino, status.st_size, status.st_mtime_ns)
    if known is not None and known[0] == stamp:
        return known
    try:
        return stamp, Copy(path, number, status.st_size, glance(path), "")
    except (BadBackup, OSError) as error:
        return stamp, Copy(path, number, status.st_size, None, why(error))


def _aside(path: Path) -> Copy:
    try:
        return Copy(path, 0, 0, read_manifest((path / ABOUT_ASIDE).read_bytes()), "")
    except (BadBackup, OSError) as error:
        return Copy(path, 0, 0, None, why(error))
