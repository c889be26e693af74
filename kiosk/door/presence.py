"""One code held in view is one presentation, until it has been away for a while.

Away means seen to be away: time counts only between frames that came, so a camera that stalls for a minute does not
make a second scan of the phone that was there all along.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

AWAY_S = 1.5
_LONGEST_STEP_S = 0.5  # between two frames; more is the camera's silence, not the guest's absence
_LONGEST_BLUR_S = 4.0  # a poster with an unreadable code must not keep anyone's ticket in view for ever


@dataclass
class Showing:
    """A code in view, from its first read until it is gone."""

    code: bytes
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    is_answered: bool = False
    away_s: float = 0.0
    blurred_s: float = 0.0  # since the last read


class Presence:
    """Turns "these codes are in this frame" into presentations. For one thread."""

    def __init__(self) -> None:
        self._showings: dict[bytes, Showing] = {}
        self._last_s: float | None = None

    def see(self, codes: Collection[bytes], now_s: float, *, is_blurred: bool = False) -> Sequence[Showing]:
        """Take one frame's codes at monotonic `now_s`; returns what is in view and not answered yet.

        `is_blurred`: a code is there that could not be read. It may be one of those in view, so none of them ages.
        """
        step_s = 0.0 if self._last_s is None else min(max(now_s - self._last_s, 0.0), _LONGEST_STEP_S)
        self._last_s = now_s
        for code in codes:
            showing = self._showings.setdefault(code, Showing(code))
            showing.away_s = showing.blurred_s = 0.0
        for showing in list(self._showings.values()):
            if showing.code in codes:
                continue
            if is_blurred and showing.blurred_s < _LONGEST_BLUR_S:
                showing.blurred_s += step_s
                continue
            showing.away_s += step_s
            if showing.away_s >= AWAY_S:
                del self._showings[showing.code]
        return [showing for showing in self._showings.values() if not showing.is_answered]
