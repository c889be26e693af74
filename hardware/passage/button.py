"""One press is one press: a button's level, freed of bouncing contacts and of sparks on a long wire. Pure."""

from __future__ import annotations


class Press:
    """Tells each press once, when it has held for `settle_s`; the next only after the button was up for as long."""

    def __init__(self, settle_s: float = 0.03) -> None:
        self._settle_s = settle_s
        self._level: bool | None = None
        self._since_s = 0.0
        self._is_down = True  # a button that is held when we begin is no press

    def look(self, *, is_down: bool, at_s: float) -> bool:
        """One reading at the monotonic time `at_s`. Returns whether a press is now certain."""
        if is_down is not self._level:
            self._level, self._since_s = is_down, at_s
        if is_down is self._is_down or at_s - self._since_s < self._settle_s:
            return False
        self._is_down = is_down
        return is_down
