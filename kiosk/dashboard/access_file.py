"""The small file of who may come in: people, phones, open links, tokens; state_dir/dashboard.json, for its owner alone.

The command line and the server are two processes, so the file is the truth: it is read again whenever it changed, and
changed under a lock. It is replaced whole; one that cannot be understood is left as it is.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

import msgspec

from hardware.clock import Stamp
from hardware.durable import make_folder, open_lock, write_durably
from kiosk.dashboard.access_errors import AccessFileError

Role = Literal["viewer", "door", "organizer"]  # each may do what those before it may
ROLES: tuple[Role, ...] = get_args(Role)
TAKEN_OVER = "organizer"  # the id of whoever chose the one PIN there was before people had names
FIRST_NAME = "Organizer"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A time as this machine knew it: the wall's for people, the monotonic one for ages within a boot."""

    at: str  # ISO 8601, UTC
    is_trusted: bool
    boot_id: str
    monotonic_ns: int

    @classmethod
    def of(cls, stamp: Stamp) -> Moment:
        """A stamp, as it is kept."""
        return cls(
            at=stamp.wall.isoformat(timespec="seconds"),
            is_trusted=stamp.is_trusted,
            boot_id=stamp.boot_id,
            monotonic_ns=stamp.monotonic_ns,
        )

    def age_s(self, now: Stamp) -> float | None:
        """Seconds since then, whatever the wall clock did; None when that was in another boot."""
        return (now.monotonic_ns - self.monotonic_ns) / 1e9 if self.boot_id == now.boot_id else None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may log in."""

    id: str
    name: str  # as they typed it
    role: Role
    pin_hash: str  # werkzeug's scrypt


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link that lets one person in, once."""

    id: str
    sha256: str  # of the token, which has 128 random bits: a fast hash is enough
    role: Role
    made_by: str  # a person's id, or what made it: "command line", "screen"
    made: Moment


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """One login of one person. Anything with a browser is called a phone here."""

    letters: str  # what it is called; also in the rows of the door that were written on it
    sha256: str  # of what its cookie holds, 192 random bits
    person: str  # an id
    device: str  # as far as its browser tells: "Android phone"
    made: Moment
    seen: Moment


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What lets a program in, until it is revoked."""

    id: str
    name: str  # what it is for, as somebody typed it
    sha256: str  # of the token, which has 192 random bits
    role: Role
    made_by: str  # as a link's
    made: Moment
    seen: Moment | None = None  # when it was used last


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What dashboard.json holds."""

    secret_key: str  # signs session cookies
    people: tuple[Person, ...] = ()
    links: tuple[Link, ...] = ()
    phones: tuple[Phone, ...] = ()
    tokens: tuple[Token, ...] = ()
    pin_hash: str | None = None  # of an earlier state of this program: the PIN that all shared


class AccessFile:
    """The file, read when it changed and replaced under a lock."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / "dashboard.json"
        self._cache: tuple[tuple[int, int, int], Kept] | None = None

    def load(self) -> Kept:
        """The content; made at first use. Cheap while nothing changed. Raises AccessFileError."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            with self.changing() as change:
                return change.before
        except OSError as error:
            raise self._failed("read", error) from error
        key = (status.st_ino, status.st_mtime_ns, status.st_size)
        cached = self._cache
        if cached is not None and cached[0] == key:
            return cached[1]
        content = self._read()
        self._cache = (key, content)
        return content

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """Hold the file against everybody else, for `Change.to`. Raises AccessFileError."""
        try:
            make_folder(self.path.parent)
            lock = open_lock(self.path.with_suffix(".lock"))
        except OSError as error:
            raise self._failed("written", error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.path.exists():
                self._write(Kept(secret_key=secrets.token_urlsafe(32)))
            yield Change(self._read(), self._write)
        finally:
            os.close(lock)

    def _read(self) -> Kept:
        try:
            return _taken_over(msgspec.json.decode(self.path.read_bytes(), type=Kept))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AccessFileError(
                f"{self.path} cannot be understood ({error}); it was left as it is. Put a copy of it back, or move it "
                "away and run `platypus dashboard --new-login`: then everybody has to be invited again."
            ) from error
        except OSError as error:
            raise self._failed("read", error) from error

    def _write(self, content: Kept) -> None:
        try:
            write_durably(self.path, msgspec.json.format(msgspec.json.encode(content)) + b"\n")
        except OSError as error:
            raise self._failed("written", error) from error
        self._cache = None

    def _failed(self, verb: str, error: OSError) -> AccessFileError:
        return AccessFileError(f"{self.path} cannot be {verb}: {error.strerror}. Check state_dir.")


class Change:
    """The file while it is held: what it says, and the one way to make it say something else."""

    def __init__(self, before: Kept, write: Callable[[Kept], None]) -> None:
        self.before = before
        self._write = write

    def to(self, **fields: object) -> None:
        """Replace these fields; durable when this returns. Raises AccessFileError, and then nothing has changed."""
        self._write(msgspec.structs.replace(self.before, **fields))


def sha256(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _taken_over(content: Kept) -> Kept:
    """The one PIN of an earlier state of this program is an organizer's."""
    if content.pin_hash is None:
        return content
    organizer = Person(id=TAKEN_OVER, name=FIRST_NAME, role="organizer", pin_hash=content.pin_hash)
    return msgspec.structs.replace(content, people=(organizer, *content.people), pin_hash=None)
