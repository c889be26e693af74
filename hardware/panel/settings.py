"""What a gate's panel is made of, and on which pins: frozen structs, filled from platypus.toml.

Pins are BCM numbers. The defaults keep clear of I2C (2, 3), SPI (7 to 11), UART (14, 15) and I2S (18 to 21), so that
a display, a clock or a sound card still fits; light and buzzer are on pins whose line is pulled low at power-on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from hardware.errors import PanelError

Pin = Annotated[int, msgspec.Meta(ge=2, le=27)]  # 0 and 1 belong to the identification of add-on boards


class PinClash(PanelError, ValueError):
    """One pin is given to two things."""

    code = "pin_clash"


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    pass


class TwoLights(_Part, frozen=True, tag="two-lights"):
    """A green and a red light; both together are amber."""

    green: Pin = 17
    red: Pin = 27
    active_high: bool = True  # False: the pin sinks the current (light between 3V3 and the pin, relay boards)


class RgbLight(_Part, frozen=True, tag="rgb"):
    """One light of three colours; blue is kept dark."""

    red: Pin = 27
    green: Pin = 17
    blue: Pin = 22
    active_high: bool = True  # False: common anode


class Digits(_Part, frozen=True, tag="digits"):
    """A seven-segment display of one to three digits, without driver chip: shows who is inside.

    The digits' common pins are switched through transistors; segments a to g in this order.
    """

    segments: Annotated[tuple[Pin, ...], msgspec.Meta(min_length=7, max_length=7)] = (5, 6, 12, 13, 16, 25, 26)
    digits: Annotated[tuple[Pin, ...], msgspec.Meta(min_length=1, max_length=3)] = (23, 4)  # left to right
    segments_active_high: bool = True  # False: common anode
    digits_active_high: bool = True  # of the transistors' pins


class Bar(_Part, frozen=True, tag="bar"):
    """A row of lights that fills with the room; the last one shines only when it is full."""

    pins: Annotated[tuple[Pin, ...], msgspec.Meta(min_length=1, max_length=10)] = (5, 6, 12, 13, 16)
    active_high: bool = True


class PanelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[panel] of platypus.toml. Raises `PinClash` when a pin is used twice."""

    pins: Literal["lgpio", "mock"] = "lgpio"  # mock: no pins at all, for rehearsals on a laptop
    light: TwoLights | RgbLight = TwoLights()
    buzzer: Pin | None = 24  # an active buzzer, which beeps by itself when it has current
    buzzer_active_high: bool = True
    counter: Digits | Bar | None = None

    def __post_init__(self) -> None:
        used: dict[int, str] = {}
        for pin, use in self.uses():
            if pin in used:
                raise PinClash(f"pin {pin} is given to both {used[pin]} and {use}. Give one of them another pin.")
            used[pin] = use

    def uses(self) -> Iterator[tuple[int, str]]:
        """Every pin with what it is for, in words that match the keys of the configuration."""
        yield self.light.green, "light.green"
        yield self.light.red, "light.red"
        if isinstance(self.light, RgbLight):
            yield self.light.blue, "light.blue"
        if self.buzzer is not None:
            yield self.buzzer, "buzzer"
        match self.counter:
            case Digits(segments=segments, digits=digits):
                yield from (
                    (pin, f"counter.segments {letter}") for pin, letter in zip(segments, "abcdefg", strict=True)
                )
                yield from ((pin, f"counter.digits {place}") for place, pin in enumerate(digits, 1))
            case Bar(pins=pins):
                yield from ((pin, f"counter.pins {place}") for place, pin in enumerate(pins, 1))
            case None:
                pass
