"""The visitors of a simulated door: who comes, with what in their hand, and when. All from a seed.

A visitors file is JSON: {"visitors": [{"code": "JBSWY3DPEHPK3PXPJBSWY3DPEH", "medium": "phone"}, ...]}
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from hardware.errors import CameraError

Medium = Literal["phone", "paper", "dark", "dim", "cracked", "tilted"]

FIRST_S = 1.0  # the empty door before the first visitor
SLIDE_S = 0.4  # from the side into the middle, and out again
HOLD_S = (1.2, 2.0)
GAP_S = (2.0, 2.6)  # empty; the door forgets a code that has been away for 1.5 s
TREMOR_PX = 3.0  # of a held hand at 1280 px, in a slow wander


class Visitor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One visitor: what their code says and what it is shown on."""

    code: str
    medium: Medium = "phone"


class _VisitorsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    visitors: list[Visitor]


def read_visitors(path: str | Path) -> tuple[Visitor, ...]:
    """The visitors of a file, in order. Raises `CameraError` when it is missing or not as described above."""
    try:
        content = msgspec.json.decode(Path(path).read_bytes(), type=_VisitorsFile)
    except OSError as error:
        raise CameraError(
            f"visitors file {path} cannot be read: {error.strerror}. Write one, or choose another camera."
        ) from error
    except msgspec.DecodeError as error:
        form = '{"visitors": [{"code": "...", "medium": "phone"}]}'
        raise CameraError(f"visitors file {path}: {error}. Its form is {form}") from error
    return tuple(content.visitors)


def write_visitors(path: str | Path, visitors: Sequence[Visitor]) -> None:
    """Write a visitors file."""
    Path(path).write_bytes(msgspec.json.format(msgspec.json.encode(_VisitorsFile(list(visitors))), indent=2))


class Pose(NamedTuple):
    """Where a visitor's hand is in one frame."""

    visitor: int  # its place in the list
    x: float  # centre, as a part of the width; beyond 0..1 while out of view
    y: float  # centre, as a part of the height
    is_held: bool  # in the middle, moving by a tremor only
    speed: float  # across, in widths a second


class _Stay(NamedTuple):
    start_s: float
    hold_s: float
    end_s: float
    from_left: bool
    x: float
    y: float
    phases: tuple[float, float]


class VisitorTimeline:
    """Who is before the camera at which frame; a pure function of visitors, frame rate and seed."""

    def __init__(
        self, visitors: Sequence[Visitor], *, seed: int = 0, frames_per_s: float = 12, repeat: bool = False
    ) -> None:
        self.visitors = tuple(visitors)
        self.frames_per_s = frames_per_s
        self._repeat = repeat
        self._stays: list[_Stay] = []
        now_s = FIRST_S
        for index in range(len(self.visitors)):
            rng = np.random.default_rng([seed, index])
            hold_s = float(rng.uniform(*HOLD_S))
            end_s = now_s + 2 * SLIDE_S + hold_s
            self._stays.append(
                _Stay(
                    now_s,
                    hold_s,
                    end_s,
                    bool(rng.integers(2)),
                    float(rng.uniform(0.38, 0.62)),
                    float(rng.uniform(0.46, 0.54)),
                    (float(rng.uniform(0, math.tau)), float(rng.uniform(0, math.tau))),
                )
            )
            now_s = end_s + float(rng.uniform(*GAP_S))
        self._starts_s = [stay.start_s for stay in self._stays]
        self.end_s = now_s if self._stays else 0.0  # after the last visitor's gap

    @property
    def frame_count(self) -> int:
        """Frames until everyone has come and gone."""
        return math.ceil(self.end_s * self.frames_per_s)

    def pose(self, number: int) -> Pose | None:
        """Whose hand is where in frame `number`; None while the scene is empty."""
        now_s = number / self.frames_per_s
        if self._repeat and self.end_s > 0:
            now_s %= self.end_s
        index = bisect.bisect_right(self._starts_s, now_s) - 1
        if index < 0 or now_s >= self._stays[index].end_s:
            return None
        stay = self._stays[index]
        since_s = now_s - stay.start_s
        left_s = stay.end_s - now_s
        away = 0.0  # 0 in place, 1 out of view
        speed = 0.0
        if since_s < SLIDE_S or left_s < SLIDE_S:
            part = min(since_s, left_s) / SLIDE_S
            away = (1 - part) ** 2  # slows down as it arrives
            speed = 2 * (1 - part) / SLIDE_S
        side = -1.0 if stay.from_left else 1.0
        tremor = TREMOR_PX / 1280
        x = stay.x + side * away + tremor * math.sin(math.tau * 1.3 * now_s + stay.phases[0])
        y = stay.y + tremor * math.sin(math.tau * 0.9 * now_s + stay.phases[1])
        return Pose(index, x, y, is_held=away == 0.0, speed=speed)

    def held_at(self, number: int) -> Visitor | None:
        """The visitor who holds still at frame `number`, None when nobody does."""
        pose = self.pose(number)
        return self.visitors[pose.visitor] if pose is not None and pose.is_held else None

    def is_empty(self, number: int) -> bool:
        """Whether nobody is in view at frame `number`."""
        return self.pose(number) is None
