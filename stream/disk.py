"""The disk as a recording needs it: a port, the real one, and a fake that can be full."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Protocol

from hardware.durable import sync_folder, write_durably


class RecordingFile(Protocol):
    """A file that is written from start to end. All methods raise OSError."""

    def write(self, data: bytes) -> None:
        """Append all of `data`."""

    def sync(self) -> None:
        """Return when what was written would survive a power cut."""

    def close(self) -> None:
        """Sync and close; safe to call twice."""


class Disk(Protocol):
    """Where recordings go. All methods raise OSError.

    A folder is made when the one above it is there: a stick that is pulled out is no folder of the SD card's.
    """

    def create(self, path: Path) -> RecordingFile:
        """A new file; FileExistsError when there is one already."""

    def exists(self, path: Path) -> bool:
        """Whether there is anything of this name."""

    def write_note(self, path: Path, content: bytes) -> None:
        """Replace a small file; it is on the disk when this returns."""

    def free_bytes(self, folder: Path) -> int:
        """What may still be written there."""

    def remove(self, path: Path) -> None:
        """Delete a file."""


class LocalDisk:
    """The machine's own file systems."""

    def create(self, path: Path) -> RecordingFile:
        path.parent.mkdir(exist_ok=True)
        return _LocalFile(path)

    def exists(self, path: Path) -> bool:
        return os.path.lexists(path)

    def write_note(self, path: Path, content: bytes) -> None:
        write_durably(path, content)

    def free_bytes(self, folder: Path) -> int:
        folder.mkdir(exist_ok=True)
        room = os.statvfs(folder)
        return room.f_bavail * room.f_frsize

    def remove(self, path: Path) -> None:
        path.unlink()


class _LocalFile:
    def __init__(self, path: Path) -> None:
        self._fd: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        sync_folder(path.parent)  # or a power cut may keep the bytes and lose the name

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._open_fd(), rest) :]

    def sync(self) -> None:
        os.fdatasync(self._open_fd())

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            try:
                os.fdatasync(fd)
            finally:
                os.close(fd)

    def _open_fd(self) -> int:
        if self._fd is None:
            raise OSError(errno.EBADF, "the recording is closed")
        return self._fd


class MemoryDisk:
    """Files in memory, with `room_bytes` that a test may change at any time; the fake.

    A folder in `broken` raises what stands there. Files are known by their names alone, in whatever folder.
    """

    def __init__(self, room_bytes: int = 1 << 40) -> None:
        self.room_bytes = room_bytes
        self.broken: dict[Path, OSError] = {}
        self.files: dict[str, bytearray] = {}
        self.notes: dict[str, bytes] = {}
        self.syncs = 0

    def exists(self, path: Path) -> bool:
        return path.name in self.files

    def write_note(self, path: Path, content: bytes) -> None:
        self._check(path.parent)
        self.notes[path.name] = content

    def create(self, path: Path) -> RecordingFile:
        self._check(path.parent)
        if path.name in self.files:
            raise FileExistsError(errno.EEXIST, "File exists", str(path))
        self.files[path.name] = bytearray()
        return _MemoryFile(self, path)

    def free_bytes(self, folder: Path) -> int:
        self._check(folder)
        return self.room_bytes

    def remove(self, path: Path) -> None:
        del self.files[path.name]

    def _check(self, folder: Path) -> None:
        if folder in self.broken:
            raise self.broken[folder]


class _MemoryFile:
    def __init__(self, disk: MemoryDisk, path: Path) -> None:
        self._disk = disk
        self._path = path

    def write(self, data: bytes) -> None:
        if self._path.parent in self._disk.broken:
            raise self._disk.broken[self._path.parent]
        if len(data) > self._disk.room_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._disk.room_bytes -= len(data)
        self._disk.files[self._path.name] += data

    def sync(self) -> None:
        self._disk.syncs += 1

    def close(self) -> None:
        self._disk.syncs += 1
