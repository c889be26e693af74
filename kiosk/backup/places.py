"""Where everything is that another Pi needs, and which of it a backup takes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ASIDE = "before-restore-"  # how the folders begin that hold what a backup replaced
ABOUT_ASIDE = f"{ASIDE}names.json"  # in such a folder: a manifest, for whose names are in it
_NOT_OURS = ("recordings", "backups", "support")  # where they are unless the configuration says otherwise
SECRETS = "config/secrets.toml"  # by its name in a backup
LEDGER = "ledger.db"
LEDGER_FILES = (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", f"{LEDGER}-journal")


class Places(NamedTuple):
    """The folders and files of one installation."""

    state_dir: Path
    config_path: Path
    secrets_path: Path
    look_path: Path  # a folder; it may not be there
    beside: tuple[Path, ...] = ()  # files that the configuration names: a certificate, its key
    never: tuple[Path, ...] = ()  # folders that are no part of it: recordings, backups, what a restart makes anew
    keys_stay: bool = False  # secrets.toml is left out

    @property
    def ledger(self) -> Path:
        """The database of the door."""
        return self.state_dir / LEDGER

    @property
    def config_files(self) -> dict[str, Path]:
        """By their names in a backup; they may not be there."""
        return {"config/platypus.toml": self.config_path, SECRETS: self.secrets_path}

    @property
    def left_out(self) -> tuple[str, ...]:
        """What there is and stays out of a backup, by its name in there."""
        return (SECRETS,) if self.keys_stay and self.secrets_path.exists() else ()

    def for_owner_of(self, folder: Path) -> Places:
        """The same without the keys when whom `folder`, or what it will be made in, belongs to may not read them.

        A backup in it is theirs. So it is where the stream has a user of its own: the program that faces the network
        never holds its keys. Raises OSError.
        """
        if not self.secrets_path.exists():
            return self
        owner, keys = _there(folder).stat().st_uid, self.secrets_path.stat()
        return self._replace(keys_stay=owner not in (0, keys.st_uid) and not keys.st_mode & 0o044)

    def for_file_in(self, folder: Path) -> Places:
        """The same, or without the keys when `folder`, or what it will be made in, is the program's with the state.

        Whoever asks for a file elsewhere, on a stick or at home, wants all of it. Raises OSError.
        """
        is_theirs = self.state_dir.exists() and _there(folder).stat().st_uid == self.state_dir.stat().st_uid
        return self.for_owner_of(folder) if is_theirs else self

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file a backup takes beside the ledger, by its name in there. Raises OSError."""
        for name, path in self.config_files.items():
            if path.exists() and name not in self.left_out:
                yield name, path
        names = set(self.config_files)
        for path in self.beside:
            name = f"config/{path.name}"
            while name in names:  # another file of the same name, of another folder
                name = f"config/other-{name.removeprefix('config/')}"
            names.add(name)
            yield name, path
        for path in self.own_entries():
            is_of_it = path.is_dir() or path.is_file()  # no socket, no link to nowhere
            if is_of_it and path.resolve() != self.look_path.resolve():
                yield from _below(path, f"state/{path.name}", self.never)
        if self.look_path.is_dir():
            yield from _below(self.look_path, "look", self.never)

    def own_entries(self) -> list[Path]:
        """What in the state folder is the state, beside the ledger. Raises OSError."""
        never = {path.resolve() for path in (*self.never, self.config_path, self.secrets_path, *self.beside)}
        there = sorted(self.state_dir.iterdir()) if self.state_dir.is_dir() else []
        return [path for path in there if is_own(path.name) and path.resolve() not in never]


def is_own(name: str) -> bool:
    """Whether something of the state folder may be of the state, by its name: no lock, nothing half, nothing old."""
    return not (name.startswith((".", ASIDE)) or name.endswith(".lock") or name in (*_NOT_OURS, *LEDGER_FILES))


def _there(folder: Path) -> Path:
    """The folder, or the next one around it that there is."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())


def refuse_planted(path: Path, target: os.stat_result) -> None:
    """Root reads through no link what whoever made the link does not own: it would be in a backup of theirs.

    Raises PermissionError.
    """
    if os.geteuid() == 0 and path.lstat().st_uid not in (0, target.st_uid):
        raise PermissionError(errno.EACCES, "it is a link to what belongs to another user: delete it", str(path))


def _below(path: Path, name: str, never: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield name, path
        return
    refuse_planted(path, path.stat())
    left_out = {each.resolve() for each in never}
    for folder, folders, files in os.walk(path, onerror=_raise):
        here = Path(folder)
        folders[:] = sorted(each for each in folders if (here / each).resolve() not in left_out)
        for file in sorted(files):
            inside = here / file
            if inside.is_file() and not file.startswith("."):  # no socket; nothing half written
                yield f"{name}/{inside.relative_to(path).as_posix()}", inside


def _raise(error: OSError) -> None:
    raise error
