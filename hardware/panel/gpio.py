"""The panel on the Pi's pins, through gpiozero."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from hardware.clock import Clock, SystemClock
from hardware.errors import PanelError
from hardware.panel.buzzer import open_buzzer
from hardware.panel.counter import Counter, open_counter
from hardware.panel.light import open_light
from hardware.panel.player import Player, Switch
from hardware.panel.settings import PanelSettings
from hardware.panel.signals import OPENING, PATTERNS, Rhythm, Signal, lasts_s
from hardware.panel.strike import PulseLimits, Strike, gpio_strike

log = logging.getLogger(__name__)

_ADVICE = (
    "Is this a Raspberry Pi, is python3-lgpio installed, is this user in the group gpio, does another program hold the"
    " pins (gpioinfo names it), and does LG_WD name a folder that can be written?"
)


def pin_factory(kind: str) -> Any:
    """The way to the pins: "lgpio", or "mock" for none at all. Raises `PanelError` saying what is missing."""
    try:
        if kind == "mock":
            from gpiozero.pins.mock import MockFactory, MockPWMPin  # noqa: PLC0415

            return MockFactory(pin_class=MockPWMPin)  # a tonal buzzer needs PWM
        # Named outright: left to choose, gpiozero falls back to libraries that fail only later, on a Pi 5
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415

        return LGPIOFactory()
    except Exception as error:  # lgpio has an error class of its own, which cannot be named without importing it
        raise PanelError(f"the GPIO pins cannot be opened: {error or type(error).__name__}. {_ADVICE}") from error


class GpioPanel:
    """A `Panel` of gpiozero devices. Owns `factory` and closes it."""

    def __init__(self, settings: PanelSettings, factory: Any, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()  # of the strike
        self._lock = threading.Lock()
        self._signal = Signal.IDLE
        self._until_s = 0.0
        self._opened = ExitStack()
        self._sound: Callable[[float], Switch] | None = None
        self._counter: Counter | None = None
        self._strike: Strike | None = None
        self._hold_s = 0.0
        with ExitStack() as opened:  # closes what is open when the next thing cannot be
            opened.callback(factory.close)
            try:
                self._lamps = open_light(settings.light, factory, opened)
                if settings.buzzer is not None:
                    self._sound = open_buzzer(settings, settings.buzzer, factory, opened)
                self._player = Player()
                opened.callback(self._player.close)
                if settings.counter is not None:
                    self._counter = open_counter(settings.counter, factory, opened)
                if settings.strike is not None:
                    lock = settings.strike
                    limits = PulseLimits(longest_s=lock.longest_s)
                    self._strike = gpio_strike(lock.pin, factory, limits, clock, active_high=lock.active_high)
                    opened.callback(self._strike.close)  # last opened, first closed
                    self._hold_s = lock.hold_s
            except PanelError:  # says all already
                raise
            except Exception as error:  # see pin_factory: a busy pin raises lgpio's own error
                raise PanelError(f"the panel cannot be opened: {error}. {_ADVICE}") from error
            self._opened = opened.pop_all()
        self._is_open = True
        log.info("event=panel-open pins=%s", ",".join(f"{use.replace(' ', '.')}:{pin}" for pin, use in settings.uses()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def showing(self) -> Signal:
        """See `Panel.showing`."""
        return self._signal if time.monotonic() < self._until_s else Signal.IDLE

    def show(self, signal: Signal) -> None:
        """See `Panel.show`."""
        with self._lock:
            self._check_open()
            try:
                try:
                    self._player.play(self._parts(signal))
                finally:  # a lamp that fails keeps nobody out
                    if signal in OPENING and self._strike is not None:
                        self._strike.prolong(self._hold_s)  # a refusal after it takes nothing from who was admitted
            except PanelError:
                raise
            except Exception as error:  # see pin_factory
                raise PanelError(f"the panel cannot show {signal}: {error}. {_ADVICE}") from error
            self._signal = signal
            self._until_s = time.monotonic() + lasts_s(signal)

    def count(self, inside: int, capacity: int) -> None:
        """See `Panel.count`."""
        with self._lock:
            self._check_open()
            if self._counter is None:
                return
            try:
                self._counter.show(inside, capacity)
            except Exception as error:  # see pin_factory
                raise PanelError(f"the counter cannot show {inside}: {error}. {_ADVICE}") from error

    def release(self) -> None:
        """Free the strike for its `hold_s` without a signal, for instance for the exit button.

        Returns at once; a latch that is free already stays so for longer, within its limit. Raises `PanelError` when
        there is no strike, or it cannot be driven.
        """
        with self._lock:
            self._check_open()
            if self._strike is None:
                raise PanelError("this panel has no strike. Give it one: [door.panel.strike]")
            self._strike.prolong(self._hold_s)

    def close(self) -> None:
        """See `Panel.close`. Pins end as inputs; a pull resistor of the circuit then keeps them off."""
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
            self._until_s = 0.0
            with self._opened:  # closes each device whatever happens to the one before
                if self._strike is not None:
                    self._strike.close()  # first: a display that hangs must not keep a door open
                self._player.close()
                if self._counter is not None:
                    self._counter.off()

    def _parts(self, signal: Signal) -> list[tuple[Switch, Rhythm]]:
        if signal is Signal.IDLE:
            return []
        pattern = PATTERNS[signal]
        parts: list[tuple[Switch, Rhythm]] = [(self._lamps.green, pattern.green), (self._lamps.red, pattern.red)]
        if self._sound is not None:
            parts.append((self._sound(pattern.pitch_hz), pattern.beeps))
        return parts

    def _check_open(self) -> None:
        if not self._is_open:
            raise PanelError("the panel is closed. Open it anew.")


def open_panel(settings: PanelSettings) -> GpioPanel:
    """The panel that `settings` describe, idle. Raises `PanelError` saying what to do."""
    return GpioPanel(settings, pin_factory(settings.pins))
