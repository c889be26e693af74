"""Whether a camera that gives pictures can also see: a covered or unlit lens, and one that is out of focus."""

from __future__ import annotations

import numpy as np

from hardware.cameras import Luma
from kiosk.door.focus import FocusWatch
from kiosk.door.reader import Sight

_PATIENCE_S = 3.0  # a hand that passes, a light that is switched
_DARKEST_LEVEL = 30  # the brightest hundredth of a covered lens' picture stays below; noise of a dark room included
_FLATTEST_LEVELS = 4  # between its tenth and its nine-tenth; a scene without anything in it does not exist
_QUIET_S = 5.0  # without a near miss: the next one has nothing to do with it
_MISSED_S = 8.0  # codes were shown for so long, one after the other, and none could be read

_BLACK = "The picture is black: is the lens covered, is the light on?"
_BLURRED = (
    'Codes are out of focus: hold them 20 to 30 cm from the camera. If that does not help, set focus = "near" in '
    "[door.camera], or turn the lens of a camera without autofocus."
)
_UNREADABLE = "Codes are seen but none can be read: clean the lens, and hold the code still."


class Lens:
    """Judges frame by frame; says what is wrong until it is right again. For one thread."""

    def __init__(self) -> None:
        self._blind_since_s: float | None = None
        self._missed_s = 0.0
        self._miss_s = float("-inf")
        self._last_s: float | None = None
        self._focus = FocusWatch()

    def judge(self, y: Luma, sight: Sight, now_s: float) -> str:
        """What is wrong in words, at monotonic `now_s`; empty when all is well."""
        step_s = 0.0 if self._last_s is None else min(now_s - self._last_s, 0.5)
        self._last_s = now_s
        if is_blind(y) and not sight.reads:
            self._blind_since_s = now_s if self._blind_since_s is None else self._blind_since_s
        else:
            self._blind_since_s = None
        if sight.reads:
            self._missed_s = 0.0
        elif sight.has_near_miss:
            is_another_guest = now_s - self._miss_s > _QUIET_S
            self._missed_s = 0.0 if is_another_guest else self._missed_s + step_s
            self._miss_s = now_s
        self._focus.note(sight.unread, now_s, has_read=bool(sight.reads))
        if self._blind_since_s is not None and now_s - self._blind_since_s >= _PATIENCE_S:
            return _BLACK
        if self._focus.is_blurred:
            return _BLURRED
        return _UNREADABLE if self._missed_s >= _MISSED_S else ""


def is_blind(y: Luma) -> bool:
    """Whether a picture shows nothing: black, or one flat tone."""
    small = y[::16, ::16]
    low, high, brightest = np.percentile(small, (10, 90, 99))
    return bool(brightest < _DARKEST_LEVEL or high - low < _FLATTEST_LEVELS)
