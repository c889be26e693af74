"""Time: monotonic for durations, wall time only for records, and whether to believe the latter.

A Raspberry Pi without a clock battery wakes up in the past; a record therefore carries both clocks, the boot it
was made in, and whether the wall clock had been set (`Stamp`).
"""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

_TIME_ERROR = 5  # adjtimex(2): the kernel's clock is not synchronised
_TIMEX_BYTES = 512  # more than struct timex on any Linux we run on; zeroed, so adjtimex only reads


class Stamp(NamedTuple):
    """One moment, as well as this machine can tell it."""

    wall: datetime  # aware, UTC
    monotonic_ns: int  # since boot, asleep or awake; orders records of one boot whatever the wall clock did
    boot_id: str
    is_trusted: bool  # whether a time service had set the wall clock


class Clock(Protocol):
    """What everything else asks for the time."""

    def monotonic(self) -> float:
        """Seconds, never going back; for durations."""

    def stamp(self) -> Stamp:
        """This moment, for a record."""


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def monotonic(self) -> float:
        return time.monotonic()

    def stamp(self) -> Stamp:
        since_boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)  # CLOCK_MONOTONIC stands still in a suspend
        return Stamp(datetime.now(UTC), since_boot_ns, self._boot_id, is_synchronised())


class ManualClock:
    """A clock that stands still until told; the fake that tests use."""

    def __init__(self, start: datetime | None = None, *, is_trusted: bool = True) -> None:
        self._wall = start or datetime(2026, 11, 24, 18, 55, tzinfo=UTC)
        self._monotonic_s = 1000.0
        self.is_trusted = is_trusted

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks."""
        self._monotonic_s += seconds
        self._wall += timedelta(seconds=seconds)

    def jump_to(self, wall: datetime) -> None:
        """Set the wall clock (aware), as a time server or a dead battery does; the monotonic one goes on."""
        self._wall = wall

    def monotonic(self) -> float:
        return self._monotonic_s

    def stamp(self) -> Stamp:
        return Stamp(self._wall, int(self._monotonic_s * 1e9), "boot-of-the-test", self.is_trusted)


def is_synchronised() -> bool:
    """Whether the kernel's clock is disciplined by a time service (chrony, timesyncd, ntpd); see adjtimex(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    state: int = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return state not in (-1, _TIME_ERROR)
