"""How loud it is: what ffmpeg's `astats` writes of each twentieth of a second, out of a pipe of its own."""

from __future__ import annotations

import math
import os
import threading
from typing import Final, NamedTuple, Protocol

from hardware.clock import Clock

FLOOR_DB: Final = -100.0  # digital silence is -inf dBFS, which JSON does not know; 16 bits end at -96
_PEAK, _RMS = ".Peak_level=", ".RMS_level="


class Level(NamedTuple):
    """The loudest channel of one block of sound. dBFS: 0 is the most that can be said, FLOOR_DB the least."""

    peak_db: float
    rms_db: float


class LevelReader:
    """Takes what `ametadata=print` writes, in whatever portions, and gives a Level for each block that is complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._peaks: list[float] = []
        self._means: list[float] = []

    def take(self, data: bytes) -> list[Level]:
        """The blocks that `data` completes, oldest first: a block ends where the next one begins."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = []
        for line in lines:
            text = line.decode("ascii", errors="replace")
            if text.startswith("frame:"):
                if self._peaks and self._means:
                    found.append(Level(max(self._peaks), max(self._means)))
                self._peaks, self._means = [], []
            elif _PEAK in text:
                self._peaks.append(_decibels(text))
            elif _RMS in text:
                self._means.append(_decibels(text))
        return found


class Listener(Protocol):
    """Who wants to know; SoundWatch does."""

    def heard(self, level: Level, now_s: float) -> None:
        """The source gave a block of sound."""


class LevelPipe:
    """A pipe for one child's levels: `theirs` goes to the child, and a thread tells the listener until it ends."""

    def __init__(self, listener: Listener, clock: Clock) -> None:
        self._listener = listener
        self._clock = clock
        self._ours, self.theirs = os.pipe()
        self._thread = threading.Thread(target=self._read, name="sound-levels", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Call it after the child has ended."""
        self._thread.join(1.0)

    def _read(self) -> None:
        reader = LevelReader()
        with os.fdopen(self._ours, "rb", buffering=0) as pipe:
            while data := pipe.read(4096):
                for level in reader.take(data):
                    self._listener.heard(level, self._clock.monotonic())


def _decibels(line: str) -> float:
    try:
        value = float(line.rpartition("=")[2])
    except ValueError:
        return FLOOR_DB
    return max(FLOOR_DB, value) if not math.isnan(value) else FLOOR_DB
