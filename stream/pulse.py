"""Whether a destination takes what it is given: the rules, apart from the processes they judge.

Two things must advance: the time ffmpeg has written (`out_time_us`) and the bytes the other side's kernel has
acknowledged (bytes written less the send queue). The first alone lies for as long as the kernel's buffers have room.
What an RTMP server does with acknowledged bytes nobody tells us. Times of the rules were measured against servers
killed, frozen and cut off.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

LIVE_AFTER_S = 3.0
STUCK_AFTER_S = 3.0  # no frame written although there were some
UNHEARD_AFTER_S = 5.0  # frames written, none acknowledged
START_GRACE_S = 12.0
HUNGRY_AFTER_S = 1.0  # the hub had nothing: the camera's trouble, not the destination's
QUEUE_HIGH_BYTES, QUEUE_HIGH_S = 250_000, 1.0
UNSENT_HIGH_BYTES, UNSENT_HIGH_S = 150_000, 2.0
_GAP_S = 1.5  # between two acknowledged portions, still one streak: progress comes twice a second


class Beat(Enum):
    """What a look at a connection says."""

    CONNECTING = auto()
    LIVE = auto()
    BEHIND = auto()
    HUNGRY = auto()
    STUCK = auto()  # to be ended and begun anew


class Look(NamedTuple):
    """What can be seen of a connection at one moment."""

    now_s: float
    fed_at_s: float | None  # when the hub last had something
    out_time_us: int
    total_bytes: int
    unsent_bytes: int | None  # None: not connected
    queue_bytes: int


class Pulse:
    """Judges one connection from its start on."""

    def __init__(self, started_s: float) -> None:
        self._started_s = started_s
        self._best_time_us = -1
        self._best_acked = 0
        self._advanced_s: float | None = None
        self._acked_s = started_s
        self._streak_s: float | None = None  # since when bytes are acknowledged without a pause
        self._queue_high_s: float | None = None
        self._unsent_high_s: float | None = None
        self._is_resuming = False  # fed again after a pause, nothing acknowledged yet
        self.was_live = False

    def beat(self, look: Look) -> Beat:
        """Judge one look; call about twice a second."""
        now_s = look.now_s
        self._note(look)
        if look.fed_at_s is None or now_s - look.fed_at_s > HUNGRY_AFTER_S:
            self._pause(now_s)
            return Beat.HUNGRY
        if self._advanced_s is None:
            return Beat.STUCK if now_s - self._started_s > START_GRACE_S else Beat.CONNECTING
        if now_s - self._advanced_s >= STUCK_AFTER_S or now_s - self._acked_s >= UNHEARD_AFTER_S:
            return Beat.STUCK
        if self._is_resuming:
            return Beat.HUNGRY
        if self._is_slow(look) and self.was_live:
            return Beat.BEHIND
        if self._streak_s is not None and now_s - self._streak_s >= LIVE_AFTER_S:
            self.was_live = True
            return Beat.LIVE
        return Beat.BEHIND if self.was_live else Beat.CONNECTING

    def _note(self, look: Look) -> None:
        if look.out_time_us > self._best_time_us:
            self._best_time_us = look.out_time_us
            self._advanced_s = look.now_s
        acked = 0 if look.unsent_bytes is None else look.total_bytes - look.unsent_bytes
        if acked > self._best_acked:
            self._best_acked = acked
            self._acked_s = look.now_s
            if self._is_resuming and self.was_live:
                self._streak_s = look.now_s - LIVE_AFTER_S  # the same session, proven before the pause
            elif self._streak_s is None:
                self._streak_s = look.now_s
            self._is_resuming = False
        elif look.now_s - self._acked_s > _GAP_S:
            self._streak_s = None

    def _pause(self, now_s: float) -> None:
        """Nothing was given, so nothing can be asked: the clocks start when there is something again."""
        self._acked_s = now_s
        self._is_resuming = self.was_live
        if self._advanced_s is None:
            self._started_s = now_s
        else:
            self._advanced_s = now_s

    def _is_slow(self, look: Look) -> bool:
        if look.queue_bytes <= QUEUE_HIGH_BYTES:
            self._queue_high_s = None
        elif self._queue_high_s is None:
            self._queue_high_s = look.now_s
        if (look.unsent_bytes or 0) < UNSENT_HIGH_BYTES:
            self._unsent_high_s = None
        elif self._unsent_high_s is None:
            self._unsent_high_s = look.now_s
        return (self._queue_high_s is not None and look.now_s - self._queue_high_s >= QUEUE_HIGH_S) or (
            self._unsent_high_s is not None and look.now_s - self._unsent_high_s >= UNSENT_HIGH_S
        )
