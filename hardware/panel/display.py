"""Displays with a chip of their own, which show a text: the count in digits, or large on a small screen.

A bus is slow (a whole OLED takes 0.1 s at 100 kHz: 1 KiB, 9 bits a byte) and a plug can work loose, so a worker writes
the newest text, and opens the display anew when it was gone. The door never waits for it, and never stops for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from hardware.errors import PanelError
from hardware.worker import Worker

log = logging.getLogger(__name__)

RETRY_S = (1.0, 2.0, 5.0, 10.0)  # the last is repeated for ever
CLOSE_S = 2.0
PLACES = 8  # of one MAX7219


class Display(Protocol):
    """Whatever can show a few characters."""

    def text(self, text: str) -> None:
        """Show `text` in place of all that was there; "" is dark. May block for 0.2 s. Raises any `Exception`."""

    def close(self) -> None:
        """Dark, and the bus is free."""


class FakeDisplay:
    """Remembers every text; comes loose when told to."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.is_closed = False
        self.is_loose = False

    def text(self, text: str) -> None:
        """Remember it. Raises `OSError` while loose."""
        if self.is_loose:
            raise OSError(121, "Remote I/O error")
        self.texts.append(text)

    def close(self) -> None:
        """Remember that."""
        self.is_closed = True


class TextCounter:
    """A `Counter` on a `Display`. `words` makes the text of (inside, capacity), `idle` is shown before the first count.

    Raises `PanelError` of `open_display` at once: a display that is not there in the beginning is a mistake in the
    configuration, one that goes later is a loose plug.
    """

    def __init__(
        self,
        open_display: Callable[[], Display],
        words: Callable[[int, int], str],
        idle: str,
        *,
        retry_s: Sequence[float] = RETRY_S,
    ) -> None:
        self._open_display = open_display
        self._words = words
        self._retry_s = retry_s
        self._news = threading.Condition()
        self._wanted = idle
        self._is_ending = False
        self._display: Display | None = open_display()
        self._worker = Worker("display", self._write)
        self._worker.start()

    def show(self, inside: int, capacity: int) -> None:
        """See `Counter.show`. Returns at once."""
        self._want(self._words(inside, capacity))

    def off(self) -> None:
        """See `Counter.off`; waits up to 2 s for the bus, and closes the display."""
        self._want("")
        with self._news:
            self._is_ending = True
            self._news.notify_all()
        self._worker.ask_to_stop()
        self._worker.stop(CLOSE_S)

    def _want(self, text: str) -> None:
        with self._news:
            self._wanted = text
            self._news.notify_all()

    def _write(self, worker: Worker) -> None:
        shown: str | None = None
        failures = 0
        try:
            while True:
                with self._news:
                    while self._wanted == shown and not self._is_ending:
                        self._news.wait()
                    wanted, is_last = self._wanted, self._is_ending
                try:
                    if self._display is None and not is_last:
                        self._display = self._open_display()
                    if self._display is not None and wanted != shown:
                        self._display.text(wanted)
                    if failures:
                        log.info("event=display-back failures=%d", failures)
                    failures, shown = 0, wanted
                except Exception as error:  # noqa: BLE001  # luma and its buses each have errors of their own
                    retry_s = self._retry_s[min(failures, len(self._retry_s) - 1)]
                    failures += 1
                    log.warning("event=display-lost retry_s=%.1f reason=%r", retry_s, str(error))
                    self._close_display()
                    shown = None
                    worker.wait(retry_s)
                worker.tick()
                if is_last:
                    return
        finally:
            self._close_display()

    def _close_display(self) -> None:
        display, self._display = self._display, None
        if display is None:
            return
        try:
            display.close()
        except Exception as error:  # noqa: BLE001  # one that is gone cannot even be closed
            log.warning("event=display-not-closed reason=%r", str(error))


def digits_words(places: int) -> Callable[[int, int], str]:
    """The text of a display of 2 to 8 seven-segment places, right-aligned to the eight of its chip.

    A full room says FULL (with the number beside it where eight places are), or, where that does not fit, lights every
    point of the number. A number too large shows as the largest that fits.
    """
    if not 2 <= places <= PLACES:
        raise PanelError(f"{places} digits: one MAX7219 has 2 to {PLACES}")

    def words(inside: int, capacity: int) -> str:
        is_full = 0 < capacity <= inside
        if is_full and places == PLACES:
            return f"FULL{min(inside, 9999):>4}"
        if is_full and places >= 4:
            return "FULL".rjust(PLACES)
        number = str(min(max(0, inside), 10**places - 1))
        pointed = "".join(f"{digit}." for digit in number) if is_full else number  # a point shares its digit's place
        return " " * (PLACES - len(number)) + pointed

    return words


def screen_words(inside: int, capacity: int) -> str:
    """The two lines of a small screen: the number, or FULL, and what it is of."""
    inside = max(0, inside)
    if 0 < capacity <= inside:
        return f"FULL\n{inside} of {capacity}"
    return f"{inside}\nof {capacity}" if capacity > 0 else f"{inside}\ninside"
