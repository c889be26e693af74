"""When a destination gets the low rate, and when the full one is tried again: rules, apart from what they switch."""

from __future__ import annotations

from typing import Final

PATIENCE_S: Final = 30.0  # of a connection that is well, before the full rate is tried again
LONGEST_PATIENCE_S: Final = 300.0  # each try that fails costs viewers a jump
_RELAPSE_S = 30.0  # behind again so soon after a try: the network is no better


class Congestion:
    """Told twice a second how a connection is. Times are monotonic seconds; outlives connections."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self.is_low = False
        self.changes = 0  # to the low rate and back
        self._first_patience_s = self._patience_s = patience_s
        self._well_since_s: float | None = None
        self._tried_s: float | None = None

    def note(self, now_s: float, *, is_behind: bool, is_well: bool) -> None:
        """How it is now: slower than what it is given, or all of that acknowledged; or neither, while it connects."""
        if not self.is_low:
            if is_behind:
                has_relapsed = self._tried_s is not None and now_s - self._tried_s < _RELAPSE_S
                doubled_s = min(self._patience_s * 2, LONGEST_PATIENCE_S)
                self._patience_s = doubled_s if has_relapsed else self._first_patience_s
                self._change(is_low=True)
        elif not is_well:
            self._well_since_s = None
        elif self._well_since_s is None:
            self._well_since_s = now_s
        elif now_s - self._well_since_s >= self._patience_s:
            self._tried_s = now_s
            self._change(is_low=False)

    def _change(self, *, is_low: bool) -> None:
        self.is_low, self._well_since_s = is_low, None
        self.changes += 1
