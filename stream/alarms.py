"""What the organizer must hear of although nobody asked: alarms that come on, and go away, by themselves.

A single bad look is no alarm and a single good one no end of it: a `Latch` goes on after it was bad on end for some
seconds, and off after it was good for some.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, Protocol

import msgspec

AlarmCode = Literal[
    "fault",  # a thread of ours ended by an error nobody foresaw
    "no-picture",  # no bytes from the camera
    "frozen",
    "black",
    "no-sound",  # no bytes from the microphone
    "silence",
    "clipping",
    "encoder",  # another one than was meant to, see video_coding.py
    "slow",  # the encoder makes fewer pictures a second than it should
    "hot",
    "power",
    "disk",  # too little room for the rest of the evening, or none
]


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong now."""

    code: AlarmCode
    cause: str  # in plain words, with the number: "no sound from the room for 12 s"
    action: str  # the one thing to do: "Check that the microphone is switched on"


class Watch(Protocol):
    """Whoever knows of troubles."""

    def alarms(self) -> tuple[Alarm, ...]:
        """What is wrong now; never waits."""


_WORST_FIRST: Final[tuple[AlarmCode, ...]] = (
    *("fault", "no-picture", "no-sound", "disk"),  # lost for good while it lasts
    *("black", "frozen", "silence", "clipping", "slow"),
    *("power", "hot", "encoder"),  # nothing is lost yet
)


def worst_first(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """The order in which a person should hear of them."""
    return tuple(sorted(alarms, key=lambda alarm: _WORST_FIRST.index(alarm.code)))


class Latch:
    """Whether something is wrong, seen with patience. Times are monotonic seconds; not safe with threads."""

    def __init__(self, *, on_after_s: float, off_after_s: float) -> None:
        self._on_after_s = on_after_s
        self._off_after_s = off_after_s
        self._differs_since_s: float | None = None  # since when it looks other than it is said to be
        self.is_on = False

    def look(self, now_s: float, *, is_bad: bool) -> bool:
        """Note how it looks now. Returns whether it is an alarm."""
        if is_bad == self.is_on:
            self._differs_since_s = None
            return self.is_on
        if self._differs_since_s is None:
            self._differs_since_s = now_s
        patience_s = self._off_after_s if self.is_on else self._on_after_s
        if now_s - self._differs_since_s >= patience_s:
            self.is_on, self._differs_since_s = is_bad, None
        return self.is_on

    def reset(self) -> None:
        """Nothing is known: begin anew, without an alarm."""
        self.is_on, self._differs_since_s = False, None
