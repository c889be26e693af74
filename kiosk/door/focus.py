"""Whether the code that a guest holds up is out of focus, and not small, moving or damaged.

Blur that no decoder reads leaves the three finder patterns of a code visible for a while (to 0.7 modules), and makes
every edge in them wide. Smear keeps the edges along its way narrow, cracks and dirt have narrow ones of their own.
What was measured: docs/performance.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from hardware.cameras import Luma
from kiosk.door.finders import Finder, darker, find_finders

_REACH = 3  # of the local mean, in reduced pixels: half of what serves sharp codes finds twice as many blurred ones
_BLURRED_MODULES = 0.85  # width of an edge: unread codes in focus have up to 0.75, those out of focus 0.95 and more
_SHARP_MODULES = 0.6  # narrower edges than this are those of a lens in focus, however unreadable the code
_LEAST_MODULE_PX = 3.5  # of smaller ones even sharp edges are that wide
_MOST_FINDERS = 9  # compared by threes, the largest; a code that can be judged at all is among them

# Eight times are four seconds of guests who hold one up, as it is looked for twice a second. All at one place may be a
# thing that shakes; a hand that gets no answer goes nearer, farther, aside.
_ENOUGH_TIMES = 8
_ENOUGH_PLACES = 2
_SAME_PX = 1.0  # noise moves the middle of a poster by less, a hand that holds still moves by more
_HELD_S = 1.6  # the same code was seen shortly before: patterns in a crowd's clothes are not seen twice
_FORGOTTEN_S = 120.0


class Unread(NamedTuple):
    """A code that is seen and not read: its middle and module in pixels, and how wide its edges are, in modules."""

    x: float
    y: float
    module_px: float
    edge_modules: float

    def is_at(self, other: Unread) -> bool:
        """Whether it has not moved at all: a poster, which is no guest."""
        return self._apart_px(other) <= _SAME_PX

    def is_near(self, other: Unread) -> bool:
        """Whether it can be the same, in the same hand."""
        return self._apart_px(other) < 5 * other.module_px and 0.85 < self.module_px / other.module_px < 1.18

    def is_beside(self, other: Unread) -> bool:
        """Whether it is held elsewhere, or nearer or farther away."""
        return self._apart_px(other) > 3 * other.module_px or not 0.8 < self.module_px / other.module_px < 1.25

    def _apart_px(self, other: Unread) -> float:
        return max(abs(self.x - other.x), abs(self.y - other.y))


class FocusWatch:
    """Whether the guests' codes are out of focus, one after the other. For one thread."""

    def __init__(self) -> None:
        self.is_blurred = False  # until a code is read, or a sharp one is seen
        self._blurred: deque[Unread] = deque(maxlen=100)  # the evidence
        self._things: deque[Unread] = deque(maxlen=100)
        self._before: Unread | None = None
        self._before_s = float("-inf")

    def note(self, unread: Unread | None, now_s: float, *, has_read: bool) -> None:
        """What was seen at monotonic `now_s`."""
        if has_read or (unread is not None and unread.edge_modules < _SHARP_MODULES):
            self.is_blurred = False
            self._blurred.clear()
        if unread is None or unread.edge_modules < _BLURRED_MODULES:
            return
        if now_s - self._before_s > _FORGOTTEN_S:
            self._blurred.clear()
        is_held = self._before is not None and now_s - self._before_s <= _HELD_S and unread.is_near(self._before)
        if is_held and not any(unread.is_at(thing) for thing in self._things):
            self._blurred.append(unread)
            self.is_blurred |= len(self._blurred) >= _ENOUGH_TIMES and len(_places(self._blurred)) >= _ENOUGH_PLACES
        self._things.append(unread)
        self._before, self._before_s = unread, now_s


def _places(codes: Iterable[Unread]) -> list[Unread]:
    places: list[Unread] = []
    for code in codes:
        if all(code.is_beside(place) for place in places):
            places.append(code)
    return places


def find_unread(y: Luma) -> Unread | None:
    """The code of a picture in which nothing was read."""
    for finders in find_finders(darker(y, _REACH)):
        code = _code(finders)
        if code is not None:
            edges = [edge_px(y, finder) / finder.module_px for finder in code]
            x, middle, module_px = np.mean(code, axis=0)
            return Unread(float(x), float(middle), float(module_px), float(np.median(edges)))
    return None


def _code(finders: Sequence[Finder]) -> tuple[Finder, Finder, Finder] | None:
    """The three finder patterns that stand best as those of a code do: two at right angles from the corner's."""
    largest = sorted(finders, key=lambda finder: -finder.module_px)[:_MOST_FINDERS]
    best, least_skew = None, float("inf")
    for corner in largest:
        for one, other in combinations([finder for finder in largest if finder is not corner], 2):
            skew = _skew(corner, one, other)
            if skew < least_skew:
                best, least_skew = (corner, one, other), skew
    return best


def _skew(corner: Finder, one: Finder, other: Finder) -> float:
    """How far from square, infinite when it is not the three of one code."""
    sizes = (corner.module_px, one.module_px, other.module_px)
    a = complex(one.x - corner.x, one.y - corner.y) / max(sizes)
    b = complex(other.x - corner.x, other.y - corner.y) / max(sizes)
    short, long = sorted((abs(a), abs(b)))
    if min(sizes) < _LEAST_MODULE_PX or max(sizes) > 1.3 * min(sizes):
        return float("inf")
    if short < 9 or long > min(60, 1.3 * short):  # modules: a code of 21 has 14 between its patterns, one of 67 has 60
        return float("inf")
    cosine = abs((a * b.conjugate()).real) / (short * long)
    return cosine + long / short + max(sizes) / min(sizes) if cosine < 0.2 else float("inf")


def edge_px(y: Luma, finder: Finder) -> float:
    """How wide the narrowest edges of a finder pattern are: its contrast over its steepest slopes.

    Of a straight edge behind a Gaussian it is 2.5 standard deviations.
    """
    reach = round(4 * finder.module_px)
    top, left = max(int(finder.y) - reach, 0), max(int(finder.x) - reach, 0)
    part = y[top : int(finder.y) + reach + 1, left : int(finder.x) + reach + 1].astype(np.float32)
    soft = (part[:-1, :-1] + part[1:, :-1] + part[:-1, 1:] + part[1:, 1:]) / 4
    across, down = (soft[1:-1, 2:] - soft[1:-1, :-2]) / 2, (soft[2:, 1:-1] - soft[:-2, 1:-1]) / 2
    low, high = np.percentile(soft, (5, 95))
    return float((high - low) / max(np.percentile(np.hypot(across, down), 98), 0.1))
