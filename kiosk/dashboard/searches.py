"""What somebody looks for, kept behind a word that says nothing: a name is no part of an address.

An address stays in the browser's history, and in the log of whatever is between. The words are kept for half an hour,
in memory.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict

from hardware.clock import Clock

_MOST = 500
_LIFE_S = 1_800.0


class Searches:
    """Safe with threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def keep(self, text: str) -> str | None:
        """The word for a text; None for none. The oldest goes when there are too many."""
        if not text.strip():
            return None
        word = secrets.token_urlsafe(9)
        with self._lock:
            self._forget_old()
            self._kept[word] = (text, self._clock.monotonic())
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return word

    def text(self, word: str) -> str:
        """What was looked for; "" when that was too long ago."""
        with self._lock:
            self._forget_old()
            return self._kept.get(word, ("", 0.0))[0]

    def _forget_old(self) -> None:
        """Names are not kept for longer than somebody looks for them."""
        oldest_s = self._clock.monotonic() - _LIFE_S
        while self._kept and next(iter(self._kept.values()))[1] < oldest_s:
            self._kept.popitem(last=False)
