"""The wiring test: lamps, buzzer, counter and strike of a gate, tried by an organizer from a phone.

It answers nobody and is no scan. While a guest is being answered nothing is tried: no test may be taken for an answer,
and none may end one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hardware.errors import PanelError
from hardware.panel import Panel, Signal
from hardware.panel.signals import lasts_s
from kiosk.door.sidekicks import Latch
from kiosk.news import PanelPart

log = logging.getLogger(__name__)

EIGHTS = 88  # every segment of two digits shines, and every light of a row
COUNTER_S = lasts_s(Signal.TEST)
_QUIET = frozenset({Signal.IDLE, Signal.OUT_OF_ORDER, Signal.TEST})  # nobody is being answered


def _later(wait_s: float, do: Callable[[], None]) -> None:
    timer = threading.Timer(wait_s, do)
    timer.daemon = True
    timer.start()


class Wiring:
    """Tries the parts of one panel. From any thread; returns at once.

    `latch` is None where the panel could not be opened; `recount` shows the true count again, and `again_after` has it
    done so many seconds later.
    """

    def __init__(
        self,
        panel: Panel,
        latch: Latch | None,
        recount: Callable[[], None],
        *,
        again_after: Callable[[float, Callable[[], None]], object] = _later,
    ) -> None:
        self._panel = panel
        self._latch = latch
        self._recount = recount
        self._again_after = again_after

    def try_part(self, part: PanelPart) -> None:
        """Raises PanelError: what is missing, or that a guest is being answered."""
        if self._panel.showing not in _QUIET:
            raise PanelError("a guest is being answered at this gate: try again in a moment")
        log.info("wiring event=tried part=%s", part)
        match part:
            case "lights":
                self._panel.show(Signal.TEST)
            case "counter":
                self._panel.count(EIGHTS, EIGHTS)
                self._again_after(COUNTER_S, self._recount)
            case "strike":
                if self._latch is None:
                    raise PanelError("the panel cannot be opened, so no strike can be freed")
                self._latch.release()
