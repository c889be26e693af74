"""Who went through the door, and which way, from the levels of two light beams. Pure: levels and times in, events out.

               outside  |A|  |B|  inside           A: outer beam, B: inner beam; o: free, #: something is in it
                         |    |
    one comes in        oo -> #o -> ## -> o# -> oo        IN
    one goes out        oo -> o# -> ## -> #o -> oo        OUT
    turned back         oo -> #o -> ## -> #o -> oo        nothing: it ended on the side where it began
    a hand, a strap     oo -> #o -> oo                    nothing

A passage lasts from free to free, and is judged by the beam that was alone in the beginning and the one that was alone
in the end; what lies between (turning, dawdling, a waving arm) does not matter:

              .--------------------- free for settle_s ---------------------.
              v                                                             |
          +------+   #o: began at A    +-------------------+                |
          | FREE | ------------------> | SOMEBODY          |  --------------+--> began A, ended B: IN
          |      |   o#: began at B    | began, last alone |                     began B, ended A: OUT
          +------+   ##: began unknown +-------------------+                     the same: turned back
                                         |           ^
                     for blocked_after_s |           | free again, or somebody passed
                                         v           |
                                       +---------------+
                                       | BLOCKED       |  told once; it goes on counting
                                       +---------------+

Two people close together leave a gap that is wider than the beams are apart (then the door is free for a moment: two
passages) or narrower: then the gap walks from A to B while neither is free at the same time:

    first: #o ## | the gap opens A: o# | the second closes A: ## | the gap opens B: #o | the second: ## o# oo

A step back looks the same, only slower: to come from o# back to #o a whole body must go backwards by its own depth less
the distance of the beams (25 - 8 cm), which takes half a second, while a gap crosses 8 cm in 0.16 s at a slow 0.5 m/s.
Hence `gap_s`: faster is a gap, and the first one is counted; slower is a step back. Two who touch are one to any light.

A state that was not seen (two edges between two looks) costs the certainty, not the count: ## -> oo after a beginning
at A was most likely IN, and is marked so. What began before we looked, or was never seen alone, is not counted.

Levels are taken to hold from one look to the next; what held for less than `settle_s` is fringe and ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import NamedTuple


class Direction(StrEnum):
    """Which way somebody went."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True)
class Passed:
    """Somebody went through."""

    direction: Direction
    at_s: float  # monotonic; when the beams were free again, or the next person's began
    is_sure: bool = True  # False: a state was missed, or somebody had stood in the beams


@dataclass(frozen=True)
class BeamsBlocked:
    """Something has been in the beams for too long: a person who stands there, a coat, a sensor that fails."""

    since_s: float  # monotonic
    beams: tuple[str, ...]  # of "outer", "inner": what is blocked now


@dataclass(frozen=True)
class BeamsFree:
    """Blocked no more; follows each `BeamsBlocked`."""

    at_s: float  # monotonic


BeamEvent = Passed | BeamsBlocked | BeamsFree


class Side(Enum):
    """Where a passage began or ended."""

    OUTER = auto()
    INNER = auto()
    UNKNOWN = auto()  # both beams at once: a state was missed
    BEFORE = auto()  # before we looked


class Levels(NamedTuple):
    """One look at the beams."""

    outer: bool  # True: something is in it
    inner: bool


FREE = Levels(outer=False, inner=False)
_ALONE = {Levels(outer=True, inner=False): Side.OUTER, Levels(outer=False, inner=True): Side.INNER}
_ACROSS = {Side.OUTER: Side.INNER, Side.INNER: Side.OUTER}
_WAY = {Side.OUTER: Direction.IN, Side.INNER: Direction.OUT}  # by the side where it began


class BeamCounter:
    """The state machine of the module's docstring. Not for two threads at once."""

    def __init__(self, *, settle_s: float = 0.02, gap_s: float = 0.3, blocked_after_s: float = 10.0) -> None:
        self._settle_s = settle_s
        self._gap_s = gap_s
        self._blocked_after_s = blocked_after_s
        self._seen: Levels | None = None  # the newest look, since when
        self._seen_since_s = 0.0
        self._is_taken = True  # whether the newest look has been acted upon
        self._now: Levels | None = None  # the last levels that held long enough
        self._began: Side | None = None  # None: free
        self._began_s = 0.0
        self._last: Side = Side.UNKNOWN
        self._across_s: float | None = None  # since when the side across from the beginning was alone
        self._is_blocked = False
        self._was_blocked = False  # during this passage
        self.unclear = 0  # passages that could not be judged, since the start

    @property
    def is_blocked(self) -> bool:
        """Whether something has been in the beams for too long, now."""
        return self._is_blocked

    @property
    def is_free(self) -> bool:
        """Whether nobody is in the beams, as far as known."""
        return self._now == FREE and self._began is None

    def look(self, levels: Levels, at_s: float) -> list[BeamEvent]:
        """One reading at the monotonic time `at_s`, which never goes back; what it makes known, oldest first."""
        events: list[BeamEvent] = []
        if not self._is_taken and self._seen is not None and at_s - self._seen_since_s >= self._settle_s:
            self._is_taken = True
            self._take(self._seen, self._seen_since_s, events)
        if levels != self._seen:
            self._seen, self._seen_since_s, self._is_taken = levels, at_s, False
            if self._settle_s == 0.0:
                self._is_taken = True
                self._take(levels, at_s, events)
        self._judge_blocked(at_s, events)
        return events

    def _take(self, levels: Levels, at_s: float, events: list[BeamEvent]) -> None:
        """`levels` have held since `at_s`."""
        is_first = self._now is None
        if levels == self._now:
            return
        self._now = levels
        if levels == FREE:
            if self._began is not None:
                self._end(at_s, events)
            return
        side = _ALONE.get(levels, Side.UNKNOWN)
        if self._began is None:
            self._begin(Side.BEFORE if is_first else side, at_s)
        elif side is self._began and self._across_s is not None and at_s - self._across_s <= self._gap_s:
            events.append(Passed(_WAY[side], at_s, is_sure=not self._was_blocked))
            self._free(at_s, events)
            self._begin(side, at_s)
        elif side in _ACROSS:
            self._across_s = at_s if side is _ACROSS.get(self._began) else None
        self._last = side

    def _begin(self, side: Side, at_s: float) -> None:
        self._began, self._began_s, self._last, self._across_s = side, at_s, side, None
        self._was_blocked = False

    def _end(self, at_s: float, events: list[BeamEvent]) -> None:
        began, last = self._began, self._last
        self._began = None
        if began in _WAY and last is not began:
            is_sure = last is not Side.UNKNOWN and not self._was_blocked
            events.append(Passed(_WAY[began], at_s, is_sure=is_sure))
        elif began is Side.UNKNOWN and last in _ACROSS:
            events.append(Passed(_WAY[_ACROSS[last]], at_s, is_sure=False))
        elif began not in _WAY:
            self.unclear += 1
        self._free(at_s, events)

    def _free(self, at_s: float, events: list[BeamEvent]) -> None:
        if self._is_blocked:
            self._is_blocked = False
            events.append(BeamsFree(at_s))

    def _judge_blocked(self, at_s: float, events: list[BeamEvent]) -> None:
        if self._began is None or self._is_blocked or self._now is None:
            return
        if at_s - self._began_s >= self._blocked_after_s:
            self._is_blocked = self._was_blocked = True
            names = tuple(name for name, level in zip(Levels._fields, self._now, strict=True) if level)
            events.append(BeamsBlocked(self._began_s, names))
