"""A light that shines green, red or, with both, amber: two lights, or one of three colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from hardware.panel.settings import RgbLight, TwoLights

if TYPE_CHECKING:
    from contextlib import ExitStack

    from hardware.panel.player import Switch


class Lamps(NamedTuple):
    """What shines."""

    green: Switch
    red: Switch


def open_light(settings: TwoLights | RgbLight, factory: Any, opened: ExitStack) -> Lamps:
    """One gpiozero LED a colour, dark; an RGB light driven without PWM is three of them, of which blue stays dark.

    They are put on `opened`, so that a failure half-way closes those already there.
    """
    from gpiozero import LED  # noqa: PLC0415  only a process that owns pins needs it

    def lamp(pin: int) -> Any:
        return opened.enter_context(LED(pin, active_high=settings.active_high, pin_factory=factory))

    match settings:
        case TwoLights():
            pass
        case RgbLight(blue=blue):
            lamp(blue)
        case _:
            assert_never(settings)
    return Lamps(lamp(settings.green), lamp(settings.red))
