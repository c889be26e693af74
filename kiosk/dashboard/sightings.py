"""When phones and programs were seen last: to the second here, and every five minutes in their file."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Container

from hardware.clock import Stamp
from kiosk.dashboard.access_errors import AccessFileError
from kiosk.dashboard.access_file import Moment

log = logging.getLogger(__name__)

SEEN_S = 300.0  # written so often at most


class Sightings:
    """By the hash of a token."""

    def __init__(self) -> None:
        self._seen: dict[str, Moment] = {}
        self._noted_ns: dict[str, int] = {}  # when that was made durable

    def last(self, key: str) -> Moment | None:
        """When it was seen last; None: not since this process began."""
        return self._seen.get(key)

    def note(self, key: str, mark: str, now: Stamp, keep: Callable[[Moment], None]) -> None:
        """It is seen. `keep` makes that durable, when it is time to; `mark` is what the log calls it."""
        moment = Moment.of(now)
        self._seen[key] = moment
        if now.monotonic_ns - self._noted_ns.get(key, -math.inf) < SEEN_S * 1e9:
            return
        self._noted_ns[key] = now.monotonic_ns
        try:
            keep(moment)
        except AccessFileError:  # a full disk logs nobody out
            log.exception("access event=not-noted seen=%s next_try_s=%.0f", mark, SEEN_S)

    def is_kept(self, key: str, now: Stamp) -> None:
        """Whoever made it has written it down this moment."""
        self._noted_ns[key] = now.monotonic_ns

    def forget_all_but(self, keys: Container[str]) -> None:
        """Forget those that are not there any more."""
        self._seen = {key: moment for key, moment in self._seen.items() if key in keys}
        self._noted_ns = {key: at_ns for key, at_ns in self._noted_ns.items() if key in keys}
