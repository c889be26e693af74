"""Small private files that survive the pulled plug: whole or not at all, and for their owner alone.

Where the programs have a user each, the folder of the state has the setgid bit and a group they share. What more than
one of them works with is then for that group, too; in any other folder it is as private as the rest.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)


def write_durably(path: Path, content: bytes, *, keeps_rights: bool = False, for_group: bool = False) -> None:
    """Replace `path` by a file of mode 0600 with this content; on the disk, name and all, when this returns.

    Written by root into somebody's folder it belongs to that somebody, so that `sudo` locks nobody out; with
    `keeps_rights` owner and mode stay those of the file that is replaced, when there is one. With `for_group` those who
    share the folder may read it. Makes the folder if need be. Raises OSError.
    """
    folder = path.parent
    make_folder(folder)
    handle, fresh = tempfile.mkstemp(prefix=f".{path.name}-", dir=folder)  # mode 0600 from the start
    try:
        with os.fdopen(handle, "wb") as file:
            own_as_folder(file.fileno(), folder)
            if for_group and is_shared(folder):
                os.fchmod(file.fileno(), 0o640)
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


def append_durably(path: Path, line: bytes, *, for_group: bool = False) -> int:
    """Add `line`, with its end, to a file of lines; on the disk when this returns. Returns how many bytes it has then.

    A line that a pulled plug tore off stays a line of its own. The file is made, and belongs to, as `write_durably`
    says; where more than one process writes, the caller holds a lock. A link is refused. Raises OSError.
    """
    if not path.exists():
        write_durably(path, line, for_group=for_group)
        return len(line)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW), "r+b") as file:
        if for_group and is_shared(path.parent):
            os.fchmod(file.fileno(), 0o640)
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def make_folder(folder: Path) -> None:
    """Make a folder, and those around it, for their owner alone; made by root it is of whom the one around it is.

    One that is there stays as it is. Raises OSError.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if folder.is_dir():  # somebody else made it at this very moment
            return
        raise
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        own_as_folder(handle, folder.parent)
    finally:
        os.close(handle)


def open_lock(path: Path) -> int:
    """A handle on a file to lock, made if need be. A link is refused: whoever planted it would be given its target.

    Raises OSError.
    """
    if os.geteuid() == 0:
        _make_owned(path, 0o600)
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        own_as_folder(handle, path.parent)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _make_owned(path: Path, mode: int) -> None:
    """A new empty file that has its owner from its first moment: root, killed in between, would lock everybody out.

    Nothing happens when there is one, nor where files have one name only (FAT): there they have one owner, too.
    """
    if path.exists():
        return
    handle, fresh = tempfile.mkstemp(prefix=f".{path.name.removeprefix('.')}-", dir=path.parent)
    try:
        own_as_folder(handle, path.parent)
        os.fchmod(handle, mode)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # made by another one just now, or a link to nowhere
        except PermissionError:
            log.debug("file event=has-one-name-only path=%s", path)
    finally:
        os.close(handle)
        Path(fresh).unlink()


def is_shared(folder: Path) -> bool:
    """Whether a folder is shared by its group; one that is not there is not. Raises OSError."""
    return folder.exists() and bool(folder.stat().st_mode & stat.S_ISGID)


def share(path: Path) -> None:
    """Let those who share the folder of `path` write it, too; it is made there when absent. Raises OSError.

    Nothing happens in a folder that is not shared, or when it is somebody else's, who did so.
    """
    folder = path.parent
    if not is_shared(folder):
        return
    if os.geteuid() == 0:
        _make_owned(path, 0o660)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o660))
    # Closing an ordinary handle would end every lock this process has on the file (fcntl(2)), SQLite's among them.
    handle = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status, itself = os.fstat(handle), f"/proc/self/fd/{handle}"
        if os.geteuid() == 0 and stat.S_ISREG(status.st_mode):
            owner = folder.stat()
            os.chown(itself, owner.st_uid, owner.st_gid)
        if os.geteuid() in {0, status.st_uid} and stat.S_ISREG(status.st_mode):
            os.chmod(itself, 0o660)  # noqa: PTH101  # a handle, in the place of a path that may become another file's
    finally:
        os.close(handle)


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
