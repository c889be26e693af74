"""The buzzer beeps in a rhythm: an active one, or a passive piezo that is driven with a pitch of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from hardware.worker import Worker

if TYPE_CHECKING:
    from contextlib import ExitStack

    from hardware.panel.signals import Pattern, Rhythm


class Sounder(Protocol):
    """Makes a pattern heard."""

    def beep(self, pattern: Pattern) -> None:
        """Begin at once, in place of what sounds now; ends silent, by itself."""

    def off(self) -> None:
        """Silent, now."""


class Beeper:
    """One gpiozero Buzzer: rhythm only."""

    def __init__(self, pin: int, factory: Any, opened: ExitStack, *, active_high: bool) -> None:
        from gpiozero import Buzzer  # noqa: PLC0415

        self._buzzer = opened.enter_context(Buzzer(pin, active_high=active_high, pin_factory=factory))

    def beep(self, pattern: Pattern) -> None:
        """See `Sounder.beep`."""
        rhythm = pattern.beeps
        if not rhythm.times:
            self.off()
            return
        self._buzzer.beep(rhythm.on_s, rhythm.off_s, n=rhythm.times)

    def off(self) -> None:
        """See `Sounder.off`."""
        self._buzzer.off()


class TonalBeeper:
    """One gpiozero TonalBuzzer: rhythm and pitch. The pin must know PWM."""

    def __init__(self, pin: int, factory: Any, opened: ExitStack) -> None:
        from gpiozero import TonalBuzzer  # noqa: PLC0415

        # Three octaves around A5: 110 Hz to 7 kHz, so that no pitch lies on a rounding at the edge
        self._buzzer = opened.enter_context(TonalBuzzer(pin, mid_tone="A5", octaves=3, pin_factory=factory))
        self._tune: Worker | None = None

    def beep(self, pattern: Pattern) -> None:
        """See `Sounder.beep`."""
        self.off()
        if not pattern.beeps.times:
            return
        self._tune = Worker("buzzer", lambda worker: self._play(worker, pattern.beeps, pattern.pitch_hz))
        self._tune.start()

    def off(self) -> None:
        """See `Sounder.off`."""
        if self._tune is not None:
            self._tune.stop()
        self._hush()

    def _play(self, worker: Worker, rhythm: Rhythm, pitch_hz: float) -> None:
        try:
            for _ in range(rhythm.times or 0):
                self._buzzer.play(pitch_hz)
                if not worker.wait(rhythm.on_s):
                    return
                self._hush()
                if not worker.wait(rhythm.off_s):
                    return
        finally:
            self._hush()

    def _hush(self) -> None:
        # First low, then no frequency: a PWM that is merely stopped leaves the pin as it happened to be
        self._buzzer.pwm_device.value = 0
        self._buzzer.stop()
