"""The wiring test: lamps, buzzer, counter and strike of a gate, tried by an organizer from a phone.

It answers nobody and is no scan: the test of the lamps has a rhythm of its own, and nothing is tried while a guest is
being answered.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from hardware.errors import PanelError
from hardware.panel import Panel, Signal
from hardware.panel.signals import lasts_s
from kiosk.door.sidekicks import Latch
from kiosk.news import PanelPart

log = logging.getLogger(__name__)

EIGHTS = 88  # every segment of two digits shines, and every light of a row
COUNTER_S = lasts_s(Signal.TEST)


class Guests(Protocol):
    """Who is served at the gate; Door is one."""

    def between_guests(self) -> AbstractContextManager[None]:
        """Have the panel to oneself. Raises PanelError when a guest is being answered."""

    def recount(self) -> None:
        """Show the true count again."""


def _later(wait_s: float, do: Callable[[], None]) -> None:
    timer = threading.Timer(wait_s, do)
    timer.daemon = True
    timer.start()


class Wiring:
    """Tries the parts of one panel. From any thread; returns at once.

    `latch` is None where the panel could not be opened. `again_after` has something done so many seconds later.
    """

    def __init__(
        self,
        panel: Panel,
        latch: Latch | None,
        guests: Guests,
        *,
        again_after: Callable[[float, Callable[[], None]], object] = _later,
    ) -> None:
        self._panel = panel
        self._latch = latch
        self._guests = guests
        self._again_after = again_after

    def try_part(self, part: PanelPart) -> None:
        """Raises PanelError: what is missing, or that a guest is being answered."""
        with self._guests.between_guests():
            log.info("wiring event=tried part=%s", part)
            match part:
                case "lights":
                    self._panel.show(Signal.TEST)
                case "counter":
                    self._panel.count(EIGHTS, EIGHTS)
                    self._again_after(COUNTER_S, self._guests.recount)
                case "strike":
                    if self._latch is None:
                        raise PanelError("the panel cannot be opened, so no strike can be freed")
                    self._latch.release()
