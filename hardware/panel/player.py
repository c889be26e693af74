"""Plays a signal: lamps and buzzer, each in its own rhythm, from one thread.

What a signal begins with is on the pins before `play` returns, so a guest's green waits for no thread; only what
follows is the worker's. gpiozero's own `blink` makes and joins a thread a device, and the pin waits for it.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple, Protocol

from hardware.panel.signals import Rhythm
from hardware.worker import Worker

log = logging.getLogger(__name__)


class Switch(Protocol):
    """A lamp or a buzzer; gpiozero's LED and Buzzer fit."""

    def on(self) -> None: ...

    def off(self) -> None: ...


class _Change(NamedTuple):
    at_s: float  # since the signal began
    is_on: bool
    switch: Switch


class Player:
    """The only one who switches what it is given, until its `close`. Safe from any thread."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._playing: Sequence[tuple[Switch, Rhythm]] = ()
        self._score: Iterator[_Change] = iter(())
        self._next: _Change | None = None
        self._began_s = 0.0
        self._worker = Worker("panel", self._run)
        self._worker.start()

    def play(self, parts: Sequence[tuple[Switch, Rhythm]]) -> None:
        """Begin at once, in this order, in place of what runs; ends all off, by itself. No parts are silence.

        Raises whatever a switch raises; then nothing runs, and what can be off is off.
        """
        with self._news:
            self._news.notify()  # the worker looks as soon as we let it, also when a switch raises
            self._stop()
            self._playing = parts
            self._score = heapq.merge(*(_changes(*part) for part in parts), key=lambda change: change.at_s)
            self._next = next(self._score, None)
            self._began_s = time.monotonic()
            self._do_what_is_due()

    def close(self) -> None:
        """All off, and the thread ends. Safe to call twice."""
        self._worker.ask_to_stop()
        try:
            self.play(())
        finally:
            self._worker.stop()

    def _run(self, worker: Worker) -> None:
        with self._news:
            while not worker.is_stopping:
                self._news.wait(self._left_s())
                try:
                    self._do_what_is_due()
                except Exception:  # whoever shows the next signal meets the same pin, and is told
                    log.exception("event=signal-broken-off")

    def _left_s(self) -> float | None:
        """Until the next change; None while there is none."""
        return None if self._next is None else max(0.0, self._began_s + self._next.at_s - time.monotonic())

    def _do_what_is_due(self) -> None:
        try:
            while self._next is not None and self._left_s() == 0.0:
                (self._next.switch.on if self._next.is_on else self._next.switch.off)()
                self._next = next(self._score, None)
        except BaseException:
            with suppress(Exception):  # the first trouble is the one to be told
                self._stop()
            raise

    def _stop(self) -> None:
        self._next = None
        with ExitStack() as every_one:  # whatever happens to the one before
            for switch, _ in reversed(self._playing):
                every_one.callback(switch.off)


def _changes(switch: Switch, rhythm: Rhythm) -> Iterator[_Change]:
    for at_s, is_on in rhythm.changes():
        yield _Change(at_s, is_on, switch)
