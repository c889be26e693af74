"""A light that shines green, red or amber in a rhythm: two lights, or one of three colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from hardware.panel.settings import RgbLight, TwoLights
from hardware.panel.signals import Colour, Rhythm

if TYPE_CHECKING:
    from contextlib import ExitStack

_LIT = {Colour.GREEN: ("green",), Colour.RED: ("red",), Colour.AMBER: ("green", "red")}


class Light:
    """One gpiozero LED a colour; an RGB light driven without PWM is three of them."""

    def __init__(self, settings: TwoLights | RgbLight, factory: Any, opened: ExitStack) -> None:
        """Devices are put on `opened`, so that a failure half-way closes those already there."""
        from gpiozero import LED  # noqa: PLC0415  only a process that owns pins needs it

        match settings:
            case TwoLights():
                pins = {"green": settings.green, "red": settings.red}
            case RgbLight():
                pins = {"green": settings.green, "red": settings.red, "blue": settings.blue}
            case _:
                assert_never(settings)
        self._leds = {
            colour: opened.enter_context(LED(pin, active_high=settings.active_high, pin_factory=factory))
            for colour, pin in pins.items()
        }

    def shine(self, colour: Colour, rhythm: Rhythm) -> None:
        """Begin at once; ends dark, by itself."""
        self.off()
        for name in _LIT[colour]:
            self._leds[name].blink(rhythm.on_s, rhythm.off_s, n=rhythm.times)

    def off(self) -> None:
        """Dark, now."""
        for led in self._leds.values():
            led.off()
