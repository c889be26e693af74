"""Heat and a weak supply of the Raspberry Pi: what makes a stream stutter an hour into the evening.

Its firmware slows down from 80 °C, so it is said from 78 °C on, until 75 °C. Other machines are meant to be hotter, and
slow down as they like: of them nothing is said.
"""

from __future__ import annotations

import logging
import threading

from hardware.board import Board, Power
from hardware.clock import Clock
from hardware.worker import Worker
from stream.alarms import Alarm, Latch

log = logging.getLogger(__name__)

LOOK_PERIOD_S = 2.0
_HOT_C, _COOL_C = 78.0, 75.0
_SLOW_AT_C = 80


class BoardWatch:
    """Looks at the board in a thread of its own: the firmware may take 2 s to answer, and nobody waits for it."""

    def __init__(self, board: Board, clock: Clock, *, look_period_s: float = LOOK_PERIOD_S) -> None:
        self._board = board
        self._clock = clock
        self._look_period_s = look_period_s
        self._lock = threading.Lock()
        self._hot = Latch(on_after_s=4.0, off_after_s=10.0)
        self._weak = Latch(on_after_s=0.0, off_after_s=20.0)  # a dip of the voltage lasts less than a look
        self._alarms: tuple[Alarm, ...] = ()
        self._worker: Worker | None = None

    def start(self) -> None:
        """Begin to look, when this is a Raspberry Pi."""
        if "Raspberry Pi" in (self._board.model() or ""):
            self._worker = Worker("stream-board", self._run)
            self._worker.start()

    def stop(self) -> None:
        """Look no more. Safe to call twice."""
        if self._worker is not None:
            self._worker.stop()

    def alarms(self) -> tuple[Alarm, ...]:
        """What was wrong at the last look; never waits."""
        with self._lock:
            return self._alarms

    def _run(self, worker: Worker) -> None:
        while worker.wait(self._look_period_s):
            worker.tick()
            self._look(self._board.temperature_c(), self._board.power())

    def _look(self, celsius: float | None, power: Power | None) -> None:
        now_s = self._clock.monotonic()
        found = []
        is_weak = power is not None and power.is_under_voltage
        if self._weak.look(now_s, is_bad=is_weak):
            found.append(
                Alarm(
                    code="power",
                    cause="the Raspberry Pi gets too little power" + ("" if is_weak else ", a moment ago"),
                    action="Use the official power supply with its own cable, and unplug what the Pi feeds",
                )
            )
        # Slowed down at full voltage: by heat. Some models do so below 80 °C.
        is_slowed = power is not None and power.is_throttled and not self._weak.is_on
        limit_c = _COOL_C if self._hot.is_on else _HOT_C
        if self._hot.look(now_s, is_bad=is_slowed or (celsius is not None and celsius >= limit_c)):
            heat = "too hot" if celsius is None else f"{celsius:.0f} °C hot"
            then = "it has slowed down" if is_slowed else f"from {_SLOW_AT_C} °C it slows down"
            found.append(
                Alarm(
                    code="hot",
                    cause=f"the Raspberry Pi is {heat}: {then}",
                    action="Give it air: open its case, take it out of the sun, put a fan beside it",
                )
            )
        with self._lock:
            before, self._alarms = {alarm.code for alarm in self._alarms}, tuple(found)
        for code in before ^ {alarm.code for alarm in found}:
            log.warning("board event=%s alarm=%s", "over" if code in before else "alarm", code)
