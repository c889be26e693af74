"""A rate over the last seconds."""

from __future__ import annotations

from collections import deque


class Rate:
    """Amounts with their times; how much a second over the last `window_s`."""

    def __init__(self, window_s: float = 10.0) -> None:
        self._window_s = window_s
        self._amounts: deque[tuple[float, int]] = deque()
        self._sum = 0
        self._since_s: float | None = None

    def add(self, now_s: float, amount: int) -> None:
        """Note `amount` at `now_s` (monotonic seconds); those within the same tenth of a second are kept as one."""
        if self._since_s is None:
            self._since_s = now_s
        if self._amounts and now_s - self._amounts[-1][0] < 0.1:
            self._amounts[-1] = (self._amounts[-1][0], self._amounts[-1][1] + amount)
        else:
            self._amounts.append((now_s, amount))
        self._sum += amount
        self._forget(now_s)

    def per_s(self, now_s: float) -> float:
        """Amount a second; over the time since the first one while that is shorter than the window, at least 1 s."""
        self._forget(now_s)
        if self._since_s is None:
            return 0.0
        return self._sum / min(self._window_s, max(1.0, now_s - self._since_s))

    def reset(self) -> None:
        """Begin anew."""
        self._amounts.clear()
        self._sum = 0
        self._since_s = None

    def _forget(self, now_s: float) -> None:
        while self._amounts and self._amounts[0][0] < now_s - self._window_s:
            self._sum -= self._amounts.popleft()[1]
