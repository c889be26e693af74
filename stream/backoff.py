"""How long to wait before trying again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import random


class Backoff:
    """First the `steps` one by one, then the last of them; slower the longer the trouble lasts.

    `slower` are pairs (seconds of trouble, seconds to wait from then on). Up to a fifth is added by chance, so that
    many do not come back at the same moment. `chance` gives 0..1.
    """

    def __init__(
        self,
        steps: Sequence[float],
        slower: Sequence[tuple[float, float]] = (),
        chance: Callable[[], float] = random,
    ) -> None:
        self._steps = tuple(steps)
        self._slower = tuple(slower)
        self._chance = chance
        self._tries = 0
        self._since_s: float | None = None

    def next_wait_s(self, now_s: float) -> float:
        """Seconds to wait after a failure at `now_s` (monotonic)."""
        if self._since_s is None:
            self._since_s = now_s
        wait_s = self._steps[min(self._tries, len(self._steps) - 1)]
        for trouble_s, longer_s in self._slower:
            if now_s - self._since_s >= trouble_s:
                wait_s = longer_s
        self._tries += 1
        return wait_s * (1 + self._chance() / 5)

    def reset(self) -> None:
        """It works again, or a person asked."""
        self._tries = 0
        self._since_s = None
