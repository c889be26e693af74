"""Whether a camera that gives pictures can also see: a covered or unlit lens, and one that is out of focus."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hardware.cameras import Luma
from kiosk.door.focus import FocusWatch
from kiosk.door.reader import NearMiss, Sight

_PATIENCE_S = 3.0  # a hand that passes, a light that is switched
_DARKEST_LEVEL = 30  # the brightest hundredth of a covered lens' picture stays below; noise of a dark room included
_FLATTEST_LEVELS = 4  # between its tenth and its nine-tenth; a scene without anything in it does not exist
_QUIET_S = 5.0  # without a near miss: the next one has nothing to do with it
_MISSED_S = 8.0  # codes were shown for so long, one after the other, and none could be read

# What is seen at one place look after look is a poster. The corners of a code that does not move wander by a pixel; a
# hand that holds still comes back to a place, but is not there at most looks.
_SAME_PX = 2.0
_LOOK_S = 0.5
_HANGS_AFTER_LOOKS = 4
_MOST_LOOKS = 12  # then it is forgotten after six seconds in which others stood before it

_BLACK = "The picture is black: is the lens covered, is the light on?"
_FLAT = "The picture is one flat tone: is something before the lens, or a lamp shining into it?"
_BLURRED = (
    'Codes are out of focus: hold them 20 to 30 cm from the camera. If that does not help, set focus = "near" in '
    "[door.camera], or turn the lens of a camera without autofocus."
)
_UNREADABLE = "Codes are seen but none can be read: clean the lens, and hold the code still."


class Lens:
    """Judges frame by frame; says what is wrong until it is right again. For one thread."""

    def __init__(self) -> None:
        self._blind_since_s: float | None = None
        self._blindness = ""
        self._posters = _Posters()
        self._missed_s = 0.0
        self._miss_s = float("-inf")
        self._last_s: float | None = None
        self._focus = FocusWatch()

    def judge(self, y: Luma, sight: Sight, now_s: float) -> str:
        """What is wrong in words, at monotonic `now_s`; empty when all is well."""
        step_s = 0.0 if self._last_s is None else min(now_s - self._last_s, 0.5)
        self._last_s = now_s
        self._blindness = blindness(y)
        if self._blindness and not sight.reads:
            self._blind_since_s = now_s if self._blind_since_s is None else self._blind_since_s
        else:
            self._blind_since_s = None
        is_held_up = self._posters.others(sight.near_misses, now_s)
        if sight.reads:
            self._missed_s = 0.0
        elif is_held_up:
            is_another_guest = now_s - self._miss_s > _QUIET_S
            self._missed_s = 0.0 if is_another_guest else self._missed_s + step_s
            self._miss_s = now_s
        self._focus.note(sight.unread, now_s, has_read=bool(sight.reads))
        if self._blind_since_s is not None and now_s - self._blind_since_s >= _PATIENCE_S:
            return self._blindness
        if self._focus.is_blurred:
            return _BLURRED
        return _UNREADABLE if self._missed_s >= _MISSED_S else ""


def blindness(y: Luma) -> str:
    """Why a picture shows nothing, in words: it is black, or one flat tone. Empty when it shows something."""
    small = y[::16, ::16]
    low, high, brightest = np.percentile(small, (10, 90, 99))
    if brightest < _DARKEST_LEVEL:
        return _BLACK
    return _FLAT if high - low < _FLATTEST_LEVELS else ""


class _Posters:
    """Codes that cannot be read and that no guest holds up: they hang there."""

    def __init__(self) -> None:
        self._places: dict[NearMiss, int] = {}  # in how many half seconds there was one, less those without
        self._seen: set[NearMiss] = set()  # in this half second
        self._began_s = float("-inf")

    def others(self, misses: Iterable[NearMiss], now_s: float) -> bool:
        """Note what was seen; whether anything of it has not hung there before."""
        if now_s - self._began_s >= _LOOK_S and self._seen:
            counts = {at: count + (1 if at in self._seen else -1) for at, count in self._places.items()}
            self._places = {at: min(count, _MOST_LOOKS) for at, count in counts.items() if count > 0}
            self._seen, self._began_s = set(), now_s
        found = {next((at for at in self._places if _is_same(at, miss)), miss) for miss in misses}
        self._places |= {at: 0 for at in found if at not in self._places}
        self._seen |= found
        return any(self._places[at] < _HANGS_AFTER_LOOKS for at in found)


def _is_same(one: NearMiss, other: NearMiss) -> bool:
    return max(abs(one.x - other.x), abs(one.y - other.y)) <= _SAME_PX
