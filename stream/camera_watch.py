"""Whether the camera's frames come as they should: when a slate has to stand in for it, and when it may come back."""

from __future__ import annotations

import threading
from collections import deque

from stream.rate import Rate

QUIET_AFTER_S = 0.7  # the limit the switching was measured with; the slate makes up for it
WELL_AFTER_S = 1.0
STEADY_S = 10.0  # an encoder that ends after that fell over once, and the camera was well
# What gives pictures in fits and starts is never silent long enough to be begun anew, and never well long enough
# to be shown. Seen with an ffmpeg that went on reading after its camera was gone and back: 1 s of pictures every 5 s.
FITS_WINDOW_S = 20.0
FITS_QUIET_S = 12.0  # of them; a poor Wi-Fi leaves more than that, and a new encoder would not help it
_HURRY = 1.3  # of the frames that a second should have: it catches up, and its times would run ahead of the clock


class CameraWatch:
    """Told of frames by the encoder's thread, asked by others. Times are monotonic seconds."""

    def __init__(self, frames_per_s: int) -> None:
        self._frames_per_s = frames_per_s
        self._lock = threading.Lock()
        self._rate = Rate(window_s=WELL_AFTER_S)
        self._frame_at_s: float | None = None  # None: it gives none
        self._well_since_s = 0.0
        self._has_begun = False
        self._fell_over = False
        self._first_s = 0.0  # frame of this encoder
        self._gaps: deque[tuple[float, float]] = deque()  # when a silence of it ended, and how long it was

    @property
    def has_begun(self) -> bool:
        """Whether there was a frame since `begin`."""
        return self._has_begun

    def begin(self) -> None:
        """Forget all: the stream begins."""
        with self._lock:
            self._has_begun = self._fell_over = False
            self._frame_at_s = None

    def frames(self, count: int, now_s: float) -> None:
        """So many frames came in."""
        with self._lock:
            if self._frame_at_s is None:
                self._first_s = now_s
                self._gaps.clear()
            elif now_s - self._frame_at_s > QUIET_AFTER_S:
                self._gaps.append((now_s, now_s - self._frame_at_s))
            if self._frame_at_s is None or now_s - self._frame_at_s > QUIET_AFTER_S:
                self._fell_over = self._fell_over and self._frame_at_s is None
                self._well_since_s = now_s
                self._rate.reset()
            self._frame_at_s = now_s
            self._has_begun = True
            self._rate.add(now_s, count)

    def ended(self, now_s: float) -> None:
        """The encoder is gone: no need to wait for its silence."""
        is_quiet = self.is_quiet(now_s)
        with self._lock:
            self._fell_over = not is_quiet and now_s - self._well_since_s >= STEADY_S
            self._frame_at_s = None

    def comes_in_fits(self, now_s: float) -> bool:
        """Whether its encoder has been silent for most of the time lately, again and again."""
        with self._lock:
            if self._frame_at_s is None or now_s - self._first_s < FITS_WINDOW_S:
                return False
            while self._gaps and self._gaps[0][0] < now_s - FITS_WINDOW_S:
                self._gaps.popleft()
            return sum(gap_s for _, gap_s in self._gaps) > FITS_QUIET_S

    def returns_at_once(self, now_s: float) -> bool:
        """Whether the next encoder's first keyframe may be shown: the last one fell over in the midst of good frames.

        Holds until that camera has been well, or is quiet.
        """
        with self._lock:
            is_quiet = self._frame_at_s is not None and now_s - self._frame_at_s > QUIET_AFTER_S
            return self._fell_over and not is_quiet

    def is_quiet(self, now_s: float) -> bool:
        """Whether viewers would see a frozen picture."""
        with self._lock:
            return self._frame_at_s is None or now_s - self._frame_at_s > QUIET_AFTER_S

    def is_well(self, now_s: float) -> bool:
        """Whether it has given frames for a second on end, no faster than they are shown."""
        if self.is_quiet(now_s):
            return False
        with self._lock:
            hurries = self._rate.per_s(now_s) > self._frames_per_s * _HURRY + 1
            return now_s - self._well_since_s >= WELL_AFTER_S and not hurries
