"""Who may press buttons: a one-time link, the PIN chosen with it, and sessions that a new PIN ends.

There is no default password. A command prints a link (`Access.new_link`); whoever opens it within 30 minutes
chooses the PIN. Everything is kept in state_dir/dashboard.json, mode 0600, replaced atomically; the command and the
server are two processes, so the file is the truth and is read again whenever it changed.

    AccessError (PlatypusError)
    ├── LinkGone (LookupError)          used, expired, or never given
    ├── WeakPin (ValueError)            too short or too easy to guess
    ├── WrongPin (PermissionError)
    ├── TooManyTries (PermissionError)  with `wait_s`
    └── AccessFileError (OSError)       dashboard.json cannot be understood
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import math
import os
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from hmac import compare_digest
from pathlib import Path

import msgspec
from werkzeug.security import check_password_hash, generate_password_hash

from hardware.clock import Clock
from hardware.durable import own_as_folder, write_durably
from hardware.errors import PlatypusError
from kiosk.dashboard.throttle import Throttle

log = logging.getLogger(__name__)

LINK_LIFE_S = 1800.0
SHORTEST_PIN = 6  # characters; the throttle makes six digits enough
LONGEST_PIN = 128
_OBVIOUS = frozenset(
    {
        "password", "passwort", "passw0rd", "motdepasse", "azerty", "azertyuiop", "qwerty", "qwertz",
        "qwertyuiop", "letmein", "iloveyou", "welcome", "bonjour", "platypus", "platypus1",
        "raspberry", "organizer", "dashboard", "doudou", "soleil", "secret", "admin1", "abc123",
        "112233", "147258", "159753", "147852", "789456", "696969", "102030",
    }
)  # fmt: skip
_ROWS = ("01234567890", "abcdefghijklmnopqrstuvwxyz")


class AccessError(PlatypusError):
    """Somebody is not let in."""

    code = "access"


class LinkGone(AccessError, LookupError):
    """The link was used, is too old, or was never given."""

    code = "link_gone"


class WeakPin(AccessError, ValueError):
    """The PIN is too short or too easy to guess."""

    code = "weak_pin"


class WrongPin(AccessError, PermissionError):
    """Not the PIN."""

    code = "wrong_pin"


class TooManyTries(AccessError, PermissionError):
    """Not looked at: too many wrong guesses before; see `wait_s`."""

    code = "too_many_tries"

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(f"Too many wrong tries. Wait {math.ceil(wait_s)} s, then try again.")


class AccessFileError(AccessError, OSError):
    """The file of the dashboard's secrets cannot be understood."""

    code = "access_file"


class _Link(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link. Its age is told by the clock that never jumps, within one boot; a reboot ends it."""

    sha256: str  # of the token, which has 128 random bits: a fast hash is enough
    boot_id: str
    made_ns: int  # monotonic


class _Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What dashboard.json holds."""

    secret_key: str  # signs session cookies
    generation: str  # a session that names another one is over
    pin_hash: str | None = None  # werkzeug's scrypt
    link: _Link | None = None


class Access:
    """Links, PIN and sessions over one small file."""

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        self._path = state_dir / "dashboard.json"
        self._clock = clock
        self._throttle = Throttle(clock)
        # One hash at a time: scrypt takes 32 MiB (werkzeug's default, N=2^15, r=8), and a Pi may have 512.
        self._guessing = threading.Lock()
        self._cache: tuple[tuple[int, int, int], _Secrets] | None = None

    @property
    def has_pin(self) -> bool:
        """Whether somebody chose a PIN already."""
        return self._load().pin_hash is not None

    def secret_key(self) -> str:
        """What signs the session cookies: 256 random bits, made at first use."""
        return self._load().secret_key

    def generation(self) -> str:
        """The current generation of sessions; changes with the PIN. Cheap when the file did not change."""
        return self._load().generation

    def new_link(self) -> str:
        """Make the token of a one-time link, good for 30 minutes; an earlier one is void. Only its hash is kept."""
        token = secrets.token_urlsafe(16)
        stamp = self._clock.stamp()
        link = _Link(sha256=_sha256(token), boot_id=stamp.boot_id, made_ns=stamp.monotonic_ns)
        with self._changing() as now:
            self._write(msgspec.structs.replace(now, link=link))
        log.info("access event=link-made life_s=%d", LINK_LIFE_S)
        return token

    def check_link(self, token: str) -> None:
        """Raises LinkGone unless `token` may still be used. Looking does not use it up: chats preview links."""
        self._check(self._load().link, token)

    def choose_pin(self, token: str, pin: str) -> None:
        """Use up the link and set the PIN; every session before is over. Raises LinkGone, WeakPin."""
        self.check_link(token)  # before the costly hash: strangers do not make us work
        pin = _normal(pin)
        refuse_weak(pin)
        with self._guessing:
            pin_hash = generate_password_hash(pin)
        with self._changing() as now:
            self._check(now.link, token)
            self._write(
                msgspec.structs.replace(now, pin_hash=pin_hash, link=None, generation=secrets.token_urlsafe(16))
            )
        log.info("access event=pin-chosen")

    def check_pin(self, pin: str, address: str) -> None:
        """Raises WrongPin, or TooManyTries without looking. The wait, the look and the count are one step."""
        with self._guessing:
            wait_s = self._throttle.wait_s(address)
            if wait_s > 0:
                log.warning("access event=guess-not-looked-at address=%s wait_s=%.0f", address, wait_s)
                raise TooManyTries(wait_s)
            pin_hash = self._load().pin_hash
            if pin_hash is None or len(pin) > LONGEST_PIN or not check_password_hash(pin_hash, _normal(pin)):
                self._throttle.failed(address)
                log.warning("access event=wrong-pin address=%s", address)
                wait_s = self._throttle.wait_s(address)
                if wait_s > 0:
                    raise TooManyTries(wait_s)
                raise WrongPin(
                    "That is not the PIN. Try again, or make a new link with `platypus dashboard --new-login`."
                )
            self._throttle.succeeded(address)

    def _check(self, link: _Link | None, token: str) -> None:
        stamp = self._clock.stamp()
        if link is not None and compare_digest(link.sha256, _sha256(token)):
            age_s = (stamp.monotonic_ns - link.made_ns) / 1e9
            if link.boot_id == stamp.boot_id and 0 <= age_s <= LINK_LIFE_S:
                return
        raise LinkGone(
            "This link was used already, or is older than 30 minutes. "
            "Make a new one with `platypus dashboard --new-login`."
        )

    def _load(self) -> _Secrets:
        """The file's content; made at first use."""
        try:
            key = _key(self._path.stat())
        except FileNotFoundError:
            with self._changing() as fresh:
                return fresh
        cached = self._cache
        if cached is not None and cached[0] == key:
            return cached[1]
        content = self._read()
        self._cache = (key, content)
        return content

    def _read(self) -> _Secrets:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Secrets)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AccessFileError(
                f"{self._path} cannot be understood: {error}. Delete it, start again and make a new link."
            ) from error

    @contextmanager
    def _changing(self) -> Iterator[_Secrets]:
        """Hold the file against other processes; yields its content, written first when there is none."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise AccessFileError(f"{self._path} cannot be written: {error.strerror}. Check state_dir.") from error
        try:
            own_as_folder(lock, self._path.parent)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._path.exists():
                self._write(_Secrets(secret_key=secrets.token_urlsafe(32), generation=secrets.token_urlsafe(16)))
            yield self._read()
        finally:
            os.close(lock)

    def _write(self, content: _Secrets) -> None:
        write_durably(self._path, msgspec.json.format(msgspec.json.encode(content)) + b"\n")
        self._cache = None


def refuse_weak(pin: str) -> None:
    """Raises WeakPin, saying why, when `pin` is too short or among the first that anybody tries."""
    if len(pin) < SHORTEST_PIN:
        raise WeakPin(f"Too short: take at least {SHORTEST_PIN} digits or letters.")
    if len(pin) > LONGEST_PIN:
        raise WeakPin(f"Too long: take at most {LONGEST_PIN} characters.")
    low = pin.lower()
    runs = any(low in row or low in row[::-1] for row in _ROWS)
    repeats = any(low == (low[:size] * len(low))[: len(low)] for size in range(1, len(low) // 2 + 1))
    if runs or repeats or low in _OBVIOUS:
        raise WeakPin("Too easy to guess: no rows such as 123456, no repeats such as 121212, no common word.")


def _normal(pin: str) -> str:
    """One form for what different keyboards send; spaces around do not count."""
    return unicodedata.normalize("NFKC", pin).strip()


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _key(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_mtime_ns, status.st_size
