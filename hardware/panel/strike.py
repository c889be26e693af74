"""The electric strike of a gate: frees the latch for a moment, and never for longer.

    release                until                  off() that fails is tried again until it succeeds
       |                     |                    |
    ___/`````````````````````\\____________    ___/```````````x`x`\\____
       |<------ hold_s ----->|

    prolong         prolong          PAUSE_S
       |               |           |<------>|
    ___/```````````````````````````\\________/``````````````\\____     a queue: what the last guest's hold lacks at
       |<------- longest_s ------->|        |<- the rest ->|         the limit comes after a pause

Every way out leaves the line low: the end of the hold, `close`, an error in the waiting thread, the end of the
interpreter. What no program can promise (SIGKILL, a crashed kernel, a pin that became an input again) the wiring does:
a pull-down makes "floating" mean "locked", see docs/hardware.md.
"""

from __future__ import annotations

import atexit
import logging
import math
import threading
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from hardware.clock import Clock
from hardware.errors import PanelError
from hardware.worker import Worker

log = logging.getLogger(__name__)

LOOK_S = 0.02  # how late the latch may lock again
TRY_AGAIN_S = 0.1  # to switch off a line that could not be
# How long the latch locks between two guests who together would free it for too long. An estimate, to be tried on the
# strike at hand: its armature takes some tens of ms to fall back, more with a diode across the coil; and who pulls at
# the door meanwhile should take it for a door that sticks, and pull again.
PAUSE_S = 0.3


class StrikeBusy(PanelError, BlockingIOError):
    """An earlier release runs; a second pulse would be lost in the first."""

    code = "strike_busy"


class PulseLimits(NamedTuple):
    """What a hold is clamped to."""

    shortest_s: float = 0.2  # less does not move a latch
    longest_s: float = 10.0


class OutputLine(Protocol):
    """One line that is on or off; gpiozero's OutputDevice fits."""

    def on(self) -> None:
        """Current flows: the latch is free."""

    def off(self) -> None:
        """No current: locked."""

    def close(self) -> None:
        """Give the line back; it floats from now on."""


class FakeLine:
    """Remembers what it was told, with the time; fails when told to."""

    def __init__(self, clock: Clock) -> None:
        self.changes: list[tuple[float, bool]] = []  # (monotonic s, is on), changes only
        self.is_on = False
        self.is_closed = False
        self.fails_on = 0  # so many of the next calls of on() raise OSError, after the line has gone high
        self.fails_off = 0  # so many of the next calls of off() raise OSError
        self._clock = clock

    def on(self) -> None:
        """High, also when it then fails."""
        self._set(is_on=True)
        if self.fails_on > 0:
            self.fails_on -= 1
            raise OSError("the line does not answer")

    def off(self) -> None:
        """Low, unless it fails."""
        if self.fails_off > 0:
            self.fails_off -= 1
            raise OSError("the line does not answer")
        self._set(is_on=False)

    def close(self) -> None:
        """As a pin: floats, which the circuit takes for low."""
        self.is_closed = True

    def _set(self, *, is_on: bool) -> None:
        if is_on is not self.is_on:
            self.changes.append((self._clock.monotonic(), is_on))
        self.is_on = is_on


class Strike:
    """Frees the latch for a moment. Owns `line`, which is low when handed over, and closes it. Safe from any thread."""

    def __init__(self, line: OutputLine, limits: PulseLimits, clock: Clock) -> None:
        self._line = line
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._pulse: Worker | None = None
        self._is_running = False  # from a release to the end of the last hold, pauses included
        self._is_free = False
        self._began_s = 0.0  # when the latch was freed; in a pause, when it will be
        self._until_s = 0.0  # the end of the last guest's hold
        self._is_open = True
        atexit.register(self.close)  # daemon threads die unasked with the interpreter, and the line would stay high

    @property
    def is_released(self) -> bool:
        """Whether the latch is free now."""
        return self._is_free

    @property
    def is_running(self) -> bool:
        """Whether somebody's hold is not over; the latch may be locked for `PAUSE_S` in between."""
        return self._is_running

    def release(self, hold_s: float) -> None:
        """Free the latch for `hold_s`, clamped to the limits; returns at once. The line is low again however this ends.

        Raises `StrikeBusy` while an earlier release runs, `PanelError` when the line cannot be driven, `ValueError`
        when `hold_s` is not a number.
        """
        with self._lock:
            if self._is_running:
                raise StrikeBusy(
                    f"an earlier release runs for {max(0.0, self._until_s - self._clock.monotonic()):.1f} s more."
                    " Try again when it is over."
                )
            self._begin(self._clamped(hold_s))

    def prolong(self, hold_s: float) -> None:
        """As `release`, but for the next guest of a queue: a pulse that runs goes on until `hold_s` from now.

        However many guests, the latch locks `longest_s` after it was freed. What somebody's `hold_s` lacks then they
        get after `PAUSE_S`. Raises as `release`, without `StrikeBusy`.
        """
        with self._lock:
            hold_s = self._clamped(hold_s)
            if not self._is_running:
                self._begin(hold_s)
                return
            self._until_s = max(self._until_s, max(self._clock.monotonic(), self._began_s) + hold_s)

    def close(self) -> None:
        """Lock now and give the line back. Safe to call twice."""
        with self._lock:
            was_open, self._is_open = self._is_open, False
            pulse = self._pulse
        if not was_open:
            return
        atexit.unregister(self.close)
        try:
            if pulse is not None:
                pulse.stop()  # its last act is off()
            self._line.off()
        finally:
            self._line.close()
            self._is_running = self._is_free = False

    def _clamped(self, hold_s: float) -> float:
        if math.isnan(hold_s):
            raise ValueError("hold_s is not a number: nothing was released")
        return min(max(hold_s, self._limits.shortest_s), self._limits.longest_s)

    def _begin(self, hold_s: float) -> None:
        if not self._is_open:
            raise PanelError("the strike is closed. Open the panel anew.")
        self._began_s = self._clock.monotonic()
        self._until_s = self._began_s + hold_s
        self._is_running = self._is_free = True
        try:
            self._line.on()
            self._start_pulse()
        except BaseException as error:  # also when no thread can be had: then nobody else would lock again
            self._until_s = -math.inf
            now = "It was locked again"
            try:
                self._line.off()
                self._is_running = self._is_free = False
            except Exception:
                now = "It may be free still, and is tried again until it locks"
                log.exception("event=strike-stuck retry_s=%.1f", TRY_AGAIN_S)
                self._start_pulse()  # a pulse that is over at once, and goes on trying
            if isinstance(error, Exception):
                raise PanelError(
                    f"the strike cannot be released: {error}. {now}; look at its relay and its pin."
                ) from error
            raise
        log.info("event=strike-released hold_s=%.1f", hold_s)

    def _start_pulse(self) -> None:
        self._pulse = Worker("strike", self._hold)
        self._pulse.start()

    def _hold(self, worker: Worker) -> None:
        try:
            while (left_s := self._do_what_is_due()) > 0.0 and worker.wait(min(left_s, LOOK_S)):
                worker.tick()
        finally:  # whatever happened to the waiting, a clock that broke or a line that cannot be freed again included
            with self._lock:
                is_mine = self._is_running and self._pulse is worker  # a guest may have begun the next pulse meanwhile
            if is_mine:
                self._off_for_good(worker)

    def _do_what_is_due(self) -> float:
        """Lock the latch or free it again. Returns the seconds until the next time; 0 when the pulse is over.

        Under the lock, so that `prolong` comes either before the end or begins anew.
        """
        with self._lock:
            now_s = self._clock.monotonic()
            if now_s < self._began_s:
                return self._began_s - now_s
            left_s = min(self._until_s, self._began_s + self._limits.longest_s) - now_s
            if left_s > 0.0:
                if not self._is_free:
                    self._line.on()
                    self._is_free = True
                return left_s
            with suppress(Exception):  # tried again, and told, by _off_for_good
                self._line.off()
                self._is_free = False
            lacks_s = self._until_s - now_s
            if self._is_free or lacks_s <= 0.0:
                self._is_running = self._is_free
                return 0.0
            self._began_s = now_s + PAUSE_S
            self._until_s = self._began_s + self._clamped(lacks_s)
            log.info("event=strike-paused lacks_s=%.1f", lacks_s)
            return PAUSE_S

    def _off_for_good(self, worker: Worker) -> None:
        is_told = False
        while True:
            try:
                with self._lock:
                    self._line.off()
                    self._is_running = self._is_free = False
            except Exception:  # a latch that stays free is the worst that can happen: never give up
                if not is_told:
                    log.exception("event=strike-stuck retry_s=%.1f", TRY_AGAIN_S)
                is_told = True
                if not worker.wait(TRY_AGAIN_S):
                    raise
            else:
                return


def gpio_strike(pin: int, factory: Any, limits: PulseLimits, clock: Clock, *, active_high: bool) -> Strike:
    """A `Strike` on a pin of gpiozero's `factory`: low from the first moment that it is an output."""
    from gpiozero import OutputDevice  # noqa: PLC0415

    return Strike(OutputDevice(pin, active_high=active_high, initial_value=False, pin_factory=factory), limits, clock)
