"""The file itself: a ZIP that anybody can open, and at its end the SHA-256 of all that stands before it.

So a byte that changed, wherever, and an end that is missing are told before anything in it is believed. Its list of
files is read before any of them is unpacked: what leads out of the folder, is a link, or unpacks to more than it says
is refused with nothing written.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from kiosk.backup.errors import BackupError, BadBackup
from kiosk.backup.manifest import Manifest, Member, read_manifest
from kiosk.backup.places import LEDGER, is_own

LARGEST_BYTES = 1_000_000_000  # unpacked, all together; a ledger of 100,000 tickets and scans is some 80 MB
MOST_FILES = 5_000
_MANIFEST = "manifest.json"
_MANIFEST_BYTES = 4_000_000
_MARK = b"platypus-backup sha256 "
_SEAL_BYTES = len(_MARK) + 64
_CHUNK = 1 << 20
_KINDS = {"config", LEDGER, "look", "state"}  # how the names in it begin
# What zipfile raises for bytes that are none of its own: RuntimeError for a password, the others by where it stumbles
_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError, struct.error)


class ArchiveWriter:
    """A backup while it is written. A context manager, which leaves a file that came to nothing as it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w")
        self._members: list[Member] = []
        self._left = LARGEST_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._zip.fp = None  # or it would write its end when it is collected, into a file that is closed by then

    def add(self, name: str, source: BinaryIO) -> None:
        """Put a file in. Raises OSError, BackupError when it becomes too large."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(_entry(name), "w", force_zip64=True) as target:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > self._left:
                    raise BackupError(
                        f"all together is more than {LARGEST_BYTES // 10**9} GB, with {name} in it: move what is not "
                        "of the evening out of the state folder"
                    )
                digest.update(chunk)
                target.write(chunk)
        self._left -= size
        self._members.append(Member(name=name, size=size, sha256=digest.hexdigest()))
        if len(self._members) > MOST_FILES:
            raise BackupError(f"more than {MOST_FILES} files: move what is not of the evening out of the state folder")

    def close(self, manifest: Manifest) -> Manifest:
        """Write the manifest, with the list of files, and the seal. Returns it as it was written."""
        manifest = msgspec.structs.replace(manifest, files=tuple(self._members))
        self._zip.writestr(_entry(_MANIFEST), msgspec.json.format(msgspec.json.encode(manifest)))
        self._zip.comment = _MARK + b"0" * 64
        self._zip.close()
        end = self._file.seek(0, os.SEEK_END)
        digest = _digest(self._file, end - 64)
        self._file.seek(end - 64)
        self._file.write(digest.encode("ascii"))
        return manifest


class Archive:
    """A backup that is whole, as far as its seal and its list of files tell."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._zip = archive
        self.manifest = manifest

    def chunks(self, member: Member) -> Iterator[bytes]:
        """What is in a file of it. Raises BadBackup when that is not what the manifest says."""
        digest, left = hashlib.sha256(), member.size
        try:
            with self._zip.open(member.name) as source:
                while chunk := source.read(min(_CHUNK, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        raise BadBackup(f"{member.name} in it unpacks to more than it says")
                    digest.update(chunk)
                    yield chunk
        except _DAMAGES as error:
            if isinstance(error, BadBackup):
                raise
            raise BadBackup(f"{member.name} in it is damaged ({error})") from error
        if left or digest.hexdigest() != member.sha256:
            raise BadBackup(f"{member.name} in it is not what was put in")

    def unpack(self, member: Member, to: Path) -> None:
        """Write a file of it, on the disk when this returns. Raises BadBackup, OSError."""
        with to.open("xb") as target:
            os.fchmod(target.fileno(), 0o600)
            for chunk in self.chunks(member):
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """A backup, every byte of which was compared with its seal. Raises BadBackup, NewerBackup, OSError."""
    with path.open("rb") as file:
        _refuse_broken_seal(file)
        with ExitStack() as held:
            with _damage_told():
                archive = held.enter_context(zipfile.ZipFile(file))
                manifest = _listed(archive)
            yield Archive(archive, manifest)


def glance(path: Path) -> Manifest:
    """What a backup says of itself; its bytes are not compared. Raises BadBackup, NewerBackup, OSError."""
    with path.open("rb") as file, _damage_told(), zipfile.ZipFile(file) as archive:
        if not archive.comment.startswith(_MARK):
            raise BadBackup("it is no backup of Platypus")
        return _listed(archive)


@contextmanager
def _damage_told() -> Iterator[None]:
    """Whatever zipfile stumbles over is a bad backup."""
    try:
        yield
    except _DAMAGES as error:
        if isinstance(error, BadBackup):
            raise
        raise BadBackup(f"it is damaged ({error})") from error


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # of 1980: when it was made stands in the manifest, with whether the clock was right
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _refuse_broken_seal(file: BinaryIO) -> None:
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        raise BadBackup("it is no file")
    begin = file.read(4)
    end = file.seek(0, os.SEEK_END)
    if begin != b"PK\3\4":
        raise BadBackup("it is empty" if not end else "it is no backup of Platypus")
    if end > LARGEST_BYTES:
        raise BadBackup(f"it has {end / 1e9:.1f} GB, more than any backup of ours")
    file.seek(max(0, end - _SEAL_BYTES))
    mark, sha256 = file.read(len(_MARK)), file.read()
    if mark != _MARK:
        raise BadBackup("it is not whole, or no backup of Platypus: its end is missing")
    if _digest(file, end - 64).encode("ascii") != sha256:
        raise BadBackup("it is damaged: its bytes are not those that were written")


def _digest(file: BinaryIO, length: int) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while length and (chunk := file.read(min(_CHUNK, length))):
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest()


def _listed(archive: zipfile.ZipFile) -> Manifest:
    """The manifest, when it and what is in the file are the same list. Raises BadBackup."""
    found = {info.filename: info for info in archive.infolist()}
    listed = found.pop(_MANIFEST, None)
    if listed is None or len(found) + 1 != len(archive.infolist()):
        raise BadBackup("it has no list of its files" if listed is None else "a file is in it twice")
    if listed.file_size > _MANIFEST_BYTES or len(found) > MOST_FILES:
        raise BadBackup("more files are in it than in any backup of ours")
    with archive.open(listed) as source:
        manifest = read_manifest(source.read(_MANIFEST_BYTES + 1))
    if manifest.size > LARGEST_BYTES or any(each.size < 0 for each in manifest.files):
        raise BadBackup(f"it would unpack to {manifest.size / 1e9:.1f} GB, more than any backup of ours")
    sizes = {each.name: each.size for each in manifest.files}
    if len(sizes) != len(manifest.files) or sizes != {name: info.file_size for name, info in found.items()}:
        raise BadBackup("the files in it are not those of its list")
    for name, info in found.items():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.is_dir() or kind not in (0, stat.S_IFREG) or info.flag_bits & 1:
            raise BadBackup(f"{name[:80]!r} in it is no plain file")
        if not is_plain(name):
            raise BadBackup(f"{name[:80]!r} in it is no name of a file of ours")
    if LEDGER not in found:
        raise BadBackup("there is no ledger in it")
    return manifest


def is_plain(name: str) -> bool:
    """Whether a file of a backup may be called so: a path below one of its folders, and nothing else."""
    parts = name.split("/")
    return (
        len(name) <= 400
        and name.isprintable()
        and "\\" not in name
        and parts[0] in _KINDS
        and (len(parts) == 1) == (parts[0] == LEDGER)
        and all(part not in {"", ".", ".."} and len(part.encode()) <= 200 for part in parts)
        and (parts[0] != "state" or is_own(parts[1]))
        and (parts[0] != "config" or len(parts) == 2)  # they go beside platypus.toml
    )
