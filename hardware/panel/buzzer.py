"""The active buzzer: beeps in a rhythm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import ExitStack

    from hardware.panel.signals import Rhythm


class Beeper:
    """One gpiozero Buzzer."""

    def __init__(self, pin: int, factory: Any, opened: ExitStack, *, active_high: bool) -> None:
        from gpiozero import Buzzer  # noqa: PLC0415

        self._buzzer = opened.enter_context(Buzzer(pin, active_high=active_high, pin_factory=factory))

    def beep(self, rhythm: Rhythm) -> None:
        """Begin at once; ends silent, by itself."""
        self._buzzer.beep(rhythm.on_s, rhythm.off_s, n=rhythm.times)

    def off(self) -> None:
        """Silent, now."""
        self._buzzer.off()
