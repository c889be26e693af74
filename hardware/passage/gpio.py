"""The doorway on the Pi's pins, through gpiozero. Edges get lost, so they are hints only: the levels are read again.

An edge wakes the worker, which otherwise looks every `look_s` (20 ms): a person at 1.4 m/s is alone in a beam for 57 ms
with beams 8 cm apart. While something is going on it looks each `look_s` too, so a lost edge costs nothing but time.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from hardware.clock import Clock, SystemClock
from hardware.errors import PassageError
from hardware.panel.gpio import pin_factory
from hardware.passage.beams import BeamCounter, BeamsBlocked, BeamsFree, Levels
from hardware.passage.button import Press
from hardware.passage.passages import ExitPressed, PassageEvent
from hardware.passage.settings import PassageSettings
from hardware.worker import Worker

log = logging.getLogger(__name__)

END_S = 0.1  # how long a reader may not notice that the worker is gone


class GpioPassages:
    """`Passages` of gpiozero devices. Owns `factory` and closes it. Events nobody takes are kept."""

    def __init__(self, settings: PassageSettings, factory: Any, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._look_s = settings.look_s
        self._events: queue.SimpleQueue[PassageEvent] = queue.SimpleQueue()
        self._edge = threading.Event()
        self._is_open = True
        self._beams: tuple[Any, Any] | None = None
        self._button: Any = None
        with ExitStack() as opened:  # closes what is open when the next thing cannot be
            opened.callback(factory.close)
            try:
                if settings.beams is not None:
                    self._blocked_level = settings.beams.blocked_is == "high"
                    self._beams = (
                        self._input(settings.beams.outer, factory, opened),
                        self._input(settings.beams.inner, factory, opened),
                    )
                    self._counter = BeamCounter(
                        settle_s=settings.beams.settle_s,
                        gap_s=settings.beams.gap_s,
                        blocked_after_s=settings.beams.blocked_after_s,
                    )
                if settings.exit_button is not None:
                    self._button = self._input(settings.exit_button.pin, factory, opened)
                    self._press = Press(settings.exit_button.settle_s)
            except Exception as error:  # a busy pin raises lgpio's own error
                raise PassageError(
                    f"the beams and the exit button cannot be opened: {error}. Does another program hold the pins"
                    " (gpioinfo names it), and is this user in the group gpio?"
                ) from error
            self._worker = Worker("passages", self._watch)
            self._opened = opened.pop_all()
        self._worker.start()
        log.info("event=passages-open pins=%s", ",".join(f"{use}:{pin}" for pin, use in settings.uses()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_blocked(self) -> bool:
        """See `Passages.is_blocked`."""
        return self._beams is not None and self._counter.is_blocked

    @property
    def quiet_s(self) -> float:
        """Seconds since the pins were last read; for a watchdog."""
        return self._worker.quiet_s

    def next_event(self, timeout_s: float) -> PassageEvent | None:
        """See `Passages.next_event`."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            left_s = deadline_s - time.monotonic()
            try:
                return self._events.get(timeout=min(max(0.0, left_s), END_S))
            except queue.Empty:
                if self._worker.failure is not None:
                    raise PassageError(
                        f"the beams and the exit button can no longer be read: {self._worker.failure}. Restart the door"
                    ) from self._worker.failure
                if not self._is_open:
                    raise PassageError("the doorway's pins are closed. Open them anew.") from None
                if left_s <= 0.0:
                    return None

    def close(self) -> None:
        """See `Passages.close`."""
        self._is_open = False
        self._worker.ask_to_stop()
        self._edge.set()
        self._worker.stop()
        with self._opened:
            pass

    def _input(self, pin: int, factory: Any, opened: ExitStack) -> Any:
        """A pin with its pull-up, whose edges wake the worker; `pin.state` is its bare level."""
        from gpiozero import DigitalInputDevice  # noqa: PLC0415

        device = opened.enter_context(DigitalInputDevice(pin, pull_up=True, pin_factory=factory))
        device.when_activated = device.when_deactivated = self._edge.set
        return device

    def _watch(self, worker: Worker) -> None:
        while not worker.is_stopping:
            self._look(self._clock.monotonic())
            worker.tick()
            self._edge.wait(self._look_s)
            self._edge.clear()

    def _look(self, at_s: float) -> None:
        if self._button is not None and self._press.look(is_down=self._button.is_active, at_s=at_s):
            self._events.put(ExitPressed(at_s))
            log.info("event=exit-pressed")
        if self._beams is None:
            return
        # With a pull-up gpiozero calls the low level active
        outer, inner = (beam.is_active is not self._blocked_level for beam in self._beams)
        for event in self._counter.look(Levels(outer, inner), at_s):
            self._events.put(event)
            match event:
                case BeamsBlocked(beams=beams):
                    log.warning("event=beams-blocked beams=%s", ",".join(beams))
                case BeamsFree():
                    log.info("event=beams-free")
                case _:
                    log.info("event=passed direction=%s sure=%s", event.direction, event.is_sure)


def open_passages(settings: PassageSettings) -> GpioPassages:
    """The doorway that `settings` describe. Raises `PassageError` or `PanelError` saying what to do."""
    return GpioPassages(settings, pin_factory(settings.pins))
