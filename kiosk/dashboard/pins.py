"""PINs and passphrases: which are too easy to guess, and their hashes, computed one at a time."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.security import check_password_hash, generate_password_hash

from kiosk.dashboard.access_errors import TooManyTries, WeakPin

SHORTEST_PIN = 6  # characters; the throttle makes six digits enough
LONGEST_PIN = 128
METHOD = "scrypt:32768:8:1"  # werkzeug's own choice: 32 MiB, and 0.1 to 0.5 s on what this was written on
MOST_WAITING = 4  # threads of the server that may wait for a hash; the pages need the others
_OBVIOUS = frozenset(
    {
        "password", "passwort", "passw0rd", "motdepasse", "azerty", "azertyuiop", "qwerty", "qwertz",
        "qwertyuiop", "letmein", "iloveyou", "welcome", "bonjour", "platypus", "platypus1",
        "raspberry", "organizer", "dashboard", "doudou", "soleil", "secret", "admin1", "abc123",
        "112233", "147258", "159753", "147852", "789456", "696969", "102030",
    }
)  # fmt: skip
_ROWS = ("01234567890", "abcdefghijklmnopqrstuvwxyz")


class Pins:
    """Hashes, one at a time: scrypt takes 32 MiB, and a Pi may have 512.

    `method` is werkzeug's word for a hash and its cost; anything cheaper than METHOD is for people who are made up.
    """

    def __init__(self, method: str = METHOD) -> None:
        self._method = method
        # No PIN has this hash: a name that nobody has costs what a wrong PIN does.
        self._nobodys = f"{method}$platypus${'0' * 128}"
        self._hashing = threading.Lock()
        self._places = threading.Semaphore(MOST_WAITING)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the one who hashes. Raises TooManyTries at once when `MOST_WAITING` are before."""
        if not self._places.acquire(blocking=False):
            raise TooManyTries(2.0)
        try:
            with self._hashing:
                yield
        finally:
            self._places.release()

    def hash(self, pin: str) -> str:
        """What is kept of a new PIN. Raises WeakPin, TooManyTries."""
        pin = _normal(pin)
        refuse_weak(pin)
        with self.turn():
            return generate_password_hash(pin, self._method)

    def fits(self, pin_hash: str | None, pin: str) -> bool:
        """Whether it is the PIN; takes as long when there is none. Within a turn."""
        pin = _normal(pin[: LONGEST_PIN + 1])
        is_same = check_password_hash(pin_hash or self._nobodys, pin)
        return is_same and pin_hash is not None and len(pin) <= LONGEST_PIN


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
