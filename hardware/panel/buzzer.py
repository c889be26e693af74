"""The buzzer: an active one, or a passive piezo that is driven with a pitch of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from contextlib import ExitStack

    from hardware.panel.player import Switch
    from hardware.panel.settings import PanelSettings


class Tone(NamedTuple):
    """A gpiozero TonalBuzzer at one pitch."""

    buzzer: Any
    pitch_hz: float

    def on(self) -> None:
        """Sound."""
        self.buzzer.play(self.pitch_hz)

    def off(self) -> None:
        """Hush: first low, then no frequency; a PWM that is merely stopped leaves the pin as it happened to be."""
        self.buzzer.pwm_device.value = 0
        self.buzzer.stop()


def open_buzzer(settings: PanelSettings, pin: int, factory: Any, opened: ExitStack) -> Callable[[float], Switch]:
    """What makes a sound of a pitch in Hz, silent; an active buzzer has but its own. A piezo's pin must know PWM.

    The device is put on `opened`.
    """
    from gpiozero import Buzzer, TonalBuzzer  # noqa: PLC0415  only a process that owns pins needs it

    if settings.buzzer_kind == "tonal":
        # Three octaves around A5: 110 Hz to 7 kHz, so that no pitch lies on a rounding at the edge
        piezo = opened.enter_context(TonalBuzzer(pin, mid_tone="A5", octaves=3, pin_factory=factory))
        return lambda pitch_hz: Tone(piezo, pitch_hz)
    active = opened.enter_context(Buzzer(pin, active_high=settings.buzzer_active_high, pin_factory=factory))
    return lambda _: active
