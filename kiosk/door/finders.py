"""Where a code could be: a local threshold, and the finder patterns that it leaves.

Every decoder needs the three squares in the corners of a code; along any line through a square's middle dark and light
run 1:1:3:1:1 modules. Looking for them costs a quarter of what zbar takes for a whole picture, for dark codes and
inverted ones together. So the dear steps are taken only where there are such squares, and only on that part.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from hardware.cameras import Luma

_REDUCED = 4  # the local mean is taken on a picture that is smaller by so much: the same reads for a third of the time
_REACH = 6  # reduced pixels: the neighbourhood is a square of 52 px
_BIAS = np.uint8(5)  # grey levels under the local mean that count as dark
_EVERY_LINE = 2
_MOST_CROSSINGS = 600
_LEAST_PX = 10  # of a square: smaller ones no reader reads
_MIDDLE, _RING = 0.6, 0.5  # inked shares of the middle and of the ring around it; dirt and cracks go through both
_LEAST_HITS = 2  # lines through one square, each way: zbar wants three of every line
_TOLERANCE = 0.7  # modules, for two neighbouring runs together; zbar allows 0.5 of finer measured edges
_SAME_SIZE = 1.7  # the largest of a code's three squares over its smallest, in perspective
_MARGIN_MODULES = 8

# 16 directions at two distances in modules: inside the middle, and where the ring is, turned however
_CIRCLES = np.array([[(r * np.cos(turn), r * np.sin(turn)) for turn in np.arange(16) * np.pi / 8] for r in (0.7, 1.85)])

Mask = npt.NDArray[np.bool_]


class Finder(NamedTuple):
    """One finder pattern: its middle and the size of a module, in pixels."""

    x: float
    y: float
    module_px: float


class Box(NamedTuple):
    """A part of a picture."""

    rows: slice
    columns: slice


def darker(y: Luma, reach: int = _REACH) -> Mask:
    """True where a pixel, softened by its three neighbours against noise, is darker than its neighbourhood's mean.

    One row and one column smaller than `y`.
    """
    rows = _mean(y[:-1], y[1:])
    soft = _mean(rows[:, :-1], rows[:, 1:])
    reduced = Image.fromarray(np.ascontiguousarray(y)).reduce(_REDUCED).filter(ImageFilter.BoxBlur(reach))
    limit = np.asarray(reduced)
    limit = np.maximum(limit, _BIAS) - _BIAS
    height, width = soft.shape
    large = np.repeat(np.repeat(limit, _REDUCED, 1), _REDUCED, 0)[:height, :width]
    is_darker: Mask = soft < large
    return is_darker


def _mean(a: Luma, b: Luma) -> Luma:
    """Of each two pixels, without leaving their eight bits."""
    return (a & b) + ((a ^ b) >> 1)


def find_finders(is_dark: Mask) -> tuple[list[Finder], list[Finder]]:
    """The finder patterns of a thresholded picture: those of dark codes on light, and those of light ones on dark."""
    across = _crossings(is_dark[::_EVERY_LINE])
    down = _crossings(np.ascontiguousarray(is_dark[:, ::_EVERY_LINE].T))
    return (
        _meetings(is_dark, across.of(is_dark=True), down.of(is_dark=True)),
        _meetings(~is_dark, across.of(is_dark=False), down.of(is_dark=False)),
    )


class _Crossings(NamedTuple):
    """Middles of 1:1:3:1:1 along lines: position on the line, the line, module; all in pixels."""

    at: npt.NDArray[np.float64]
    is_dark: Mask  # whether the runs of 1, 3 and 1 are the dark ones

    def of(self, *, is_dark: bool) -> npt.NDArray[np.float64]:
        chosen: npt.NDArray[np.float64] = self.at[self.is_dark == is_dark]
        return chosen


def _crossings(lines: Mask) -> _Crossings:
    width = lines.shape[1]
    changes = np.ones(lines.shape, np.bool_)  # each line begins a run
    np.not_equal(lines[:, 1:], lines[:, :-1], out=changes[:, 1:])
    starts = np.flatnonzero(changes)
    runs = np.diff(starts)
    if len(runs) < 5:
        return _Crossings(np.empty((0, 3)), np.empty(0, np.bool_))
    pairs = runs[:-1] + runs[1:]  # two neighbours together: their sum does not depend on where the threshold lies
    whole = pairs[:-3] + pairs[2:-1] + runs[4:]
    fits = whole >= _LEAST_PX
    for pair, modules in ((pairs[:-3], 2), (pairs[1:-2], 4), (pairs[2:-1], 4), (pairs[3:], 2)):
        fits &= np.abs(7 * pair - modules * whole) <= _TOLERANCE * whole
    first = np.flatnonzero(fits)
    begin, end = starts[first], starts[first + 5]
    is_on_one_line = begin // width == (end - 1) // width
    begin, end = begin[is_on_one_line], end[is_on_one_line]
    at = np.stack([(begin + end) / 2 % width, begin // width * _EVERY_LINE, (end - begin) / 7], axis=1)
    return _Crossings(at, lines.ravel()[begin])


def _meetings(is_ink: Mask, across: npt.NDArray[np.float64], down: npt.NDArray[np.float64]) -> list[Finder]:
    """Where lines across and lines down cross the same square."""
    across, down = _largest(across), _largest(down)[:, [1, 0, 2]]
    if not len(across) or not len(down):
        return []
    larger = np.maximum(across[:, None, 2], down[None, :, 2])
    apart = np.maximum(np.abs(across[:, None, 0] - down[None, :, 0]), np.abs(across[:, None, 1] - down[None, :, 1]))
    meets = (apart < 1.5 * larger) & (larger < 2.5 * np.minimum(across[:, None, 2], down[None, :, 2]))
    left = across[meets.sum(1) >= _LEAST_HITS]
    left = left[_is_ringed(is_ink, left)]
    found: list[Finder] = []
    while len(left):
        x, y, module_px = left[0]
        is_same = np.maximum(np.abs(left[:, 0] - x), np.abs(left[:, 1] - y)) < 3 * module_px
        if np.count_nonzero(is_same) >= _LEAST_HITS:
            found.append(Finder(*(float(middle) for middle in np.median(left[is_same], axis=0))))
        left = left[~is_same]
    return found


def _largest(crossings: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Not more than can be compared in a millisecond; noise gives thousands of small ones."""
    if len(crossings) <= _MOST_CROSSINGS:
        return crossings
    return crossings[np.argsort(crossings[:, 2])[-_MOST_CROSSINGS:]]


def _is_ringed(is_ink: Mask, crossings: npt.NDArray[np.float64]) -> Mask:
    """For each: whether an inked middle has none around it, in whatever direction the square stands."""
    around = _CIRCLES[:, :, None] * crossings[:, 2, None] + crossings[:, :2]  # circle, direction, crossing, (x, y)
    columns = np.clip(around[..., 0].astype(int), 0, is_ink.shape[1] - 1)
    rows = np.clip(around[..., 1].astype(int), 0, is_ink.shape[0] - 1)
    middle, ring = is_ink[rows, columns].mean(axis=1)
    is_one: Mask = (middle >= _MIDDLE) & (ring <= _RING)
    return is_one


def code_box(finders: Sequence[Finder], shape: tuple[int, int]) -> Box | None:
    """The part of a picture of `shape` that holds all that could be codes; None when nothing could.

    A code has three finder patterns of about one size; two are enough, as one may be missed here. (With three wanted,
    zbar lost 18 of 638 drawn codes, with two it lost 2, for 5 % more CPU.)
    """
    sizes = sorted(finder.module_px for finder in finders)
    pairs = [(small, large) for small, large in pairwise(sizes) if large <= _SAME_SIZE * small]
    if not pairs:
        return None
    kept = [
        finder
        for finder in finders
        if any(small / _SAME_SIZE <= finder.module_px <= large * _SAME_SIZE for small, large in pairs)
    ]
    xs, ys = [finder.x for finder in kept], [finder.y for finder in kept]
    # The corner without a pattern may lie outside: by half the width when the code stands on that corner, and by the
    # whole width when only two are seen.
    extent = max(max(xs) - min(xs), max(ys) - min(ys))
    margin = extent * (0.5 if len(kept) >= 3 else 1.1) + _MARGIN_MODULES * max(finder.module_px for finder in kept)
    return Box(
        slice(int(max(min(ys) - margin, 0)), int(min(max(ys) + margin, shape[0]))),
        slice(int(max(min(xs) - margin, 0)), int(min(max(xs) + margin, shape[1]))),
    )
