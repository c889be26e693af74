"""What the panel tells a guest, and how: by rhythm and sound, so that it never rests on colour alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Signal(StrEnum):
    """One thing to tell whoever stands at the gate."""

    IDLE = "idle"
    ADMITTED = "admitted"
    NOTED = "noted"  # admitted, and a volunteer should look at the phone: the ticket has a note
    REFUSED = "refused"
    ATTENTION = "attention"  # a person has to look: the room is full, a scan could not be written
    OUT_OF_ORDER = "out_of_order"  # nothing can be read: amber until another signal is shown
    TEST = "test"  # nobody is answered: whoever wired it looks whether each lamp and the buzzer work


@dataclass(frozen=True)
class Rhythm:
    """After `after_s` on for `on_s`, off for `off_s`, so many times; None: without end."""

    on_s: float
    off_s: float
    times: int | None
    after_s: float = 0.0

    @property
    def lasts_s(self) -> float:
        """Until it is dark, or silent, for good."""
        if self.times is None:
            return math.inf
        return self.after_s + self.times * (self.on_s + self.off_s) - self.off_s

    def changes(self) -> Iterator[tuple[float, bool]]:
        """(seconds since the beginning, whether it is on from then), in their order."""
        for turn in itertools.count() if self.times is None else range(self.times):
            begins_s = self.after_s + turn * (self.on_s + self.off_s)
            yield begins_s, True
            yield begins_s + self.on_s, False


@dataclass(frozen=True)
class Pattern:
    """A signal in light and sound: what each lamp does, both together being amber, and the buzzer."""

    green: Rhythm
    red: Rhythm
    beeps: Rhythm
    pitch_hz: float  # of the beeps, where the buzzer has one

    @property
    def lasts_s(self) -> float:
        """Until the panel is idle again."""
        return max(self.green.lasts_s, self.red.lasts_s, self.beeps.lasts_s)


_NEVER = Rhythm(0.0, 0.0, 0)
_SLOW = Rhythm(0.5, 0.5, 2)
_WINKING = Rhythm(2.8, 0.2, None)

# Steady against fast against slow; one short, three, one long, two short: told apart with eyes shut or without colours.
# Pitches (A6, A5, E6, C#7, the test's C6: yes is above no) are high for a piezo's sake, which is faint below 500 Hz.
PATTERNS = {
    Signal.ADMITTED: Pattern(Rhythm(1.5, 0.0, 1), _NEVER, Rhythm(0.12, 0.0, 1), 1760.0),
    # First a green like any other, and then it stays: the wink of the red lamp is for the volunteer
    Signal.NOTED: Pattern(Rhythm(2.5, 0.0, 1), Rhythm(0.2, 0.4, 3, after_s=0.5), Rhythm(0.12, 0.12, 2), 2217.5),
    Signal.REFUSED: Pattern(_NEVER, Rhythm(0.125, 0.125, 8), Rhythm(0.15, 0.15, 3), 880.0),  # 4 Hz for 2 s
    Signal.ATTENTION: Pattern(_SLOW, _SLOW, Rhythm(0.8, 0.0, 1), 1318.5),
    # It winks, so that it is not taken for a lamp; it is silent, as it may last all evening.
    Signal.OUT_OF_ORDER: Pattern(_WINKING, _WINKING, _NEVER, 1318.5),
    # One lamp after the other, and neither long enough to be taken for an answer
    Signal.TEST: Pattern(Rhythm(0.3, 0.7, 3), Rhythm(0.3, 0.7, 3, after_s=0.5), Rhythm(0.05, 0.95, 3), 1046.5),
}

OPENING = frozenset({Signal.ADMITTED, Signal.NOTED})  # those who see them may come in: the strike frees the latch


def lasts_s(signal: Signal) -> float:
    """Seconds until `signal` has ended by itself; 0 for `IDLE`."""
    return 0.0 if signal is Signal.IDLE else PATTERNS[signal].lasts_s
