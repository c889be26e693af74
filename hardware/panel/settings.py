"""What a gate's panel is made of, and on which pins: frozen structs, filled from platypus.toml.

Pins are BCM numbers. The defaults keep clear of I2C (2, 3), SPI (7 to 11), UART (14, 15) and I2S (18 to 21), so that
a display, a clock or a sound card still fits; light and buzzer are on pins whose line is pulled low at power-on. The
strike takes the first pin of I2S: a gate with a lock rarely has a sound card on its pins, see docs/hardware.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from hardware.pins import Pin, PinClash, i2c_uses, refuse_clashes, spi_uses

__all__ = [
    "Bar",
    "Digits",
    "Max7219",
    "Oled",
    "PanelSettings",
    "PinClash",
    "RgbLight",
    "StrikeSettings",
    "TwoLights",
]


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


class Max7219(_Part, frozen=True, tag="max7219"):
    """A seven-segment display with its own driver chip on SPI; needs the extra `displays`. The pins are the bus's."""

    port: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0  # of /dev/spidev<port>.<device>
    device: Annotated[int, msgspec.Meta(ge=0, le=2)] = 0  # the chip select; SPI0 has two, SPI1 three
    digits: Annotated[int, msgspec.Meta(ge=2, le=8)] = 8  # places the module has; fewer are its rightmost ones
    brightness: Annotated[int, msgspec.Meta(ge=0, le=255)] = 112

    def __post_init__(self) -> None:
        if self.port == 0 and self.device > 1:
            raise ValueError(f"SPI0 has no chip select {self.device}: set device to 0 or 1, or port to 1")


class Oled(_Part, frozen=True, tag="oled"):
    """A small monochrome display on I2C; needs the extra `displays`. The pins are the bus's."""

    chip: Literal["ssd1306", "sh1106"] = "ssd1306"  # sh1106: most of 1.3 inch; a wrong one shows noise at one edge
    port: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1  # of /dev/i2c-<port>
    address: Annotated[int, msgspec.Meta(ge=0x08, le=0x77)] = 0x3C  # 0x3D with the other solder bridge
    width_px: Literal[128] = 128
    height_px: Literal[32, 64] = 64
    rotate_180: bool = False
    idle_text: Annotated[str, msgspec.Meta(max_length=20)] = "Platypus"  # until the first count


class StrikeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The relay of an electric strike that is locked without current: wired so that a floating pin is locked."""

    pin: Pin = 18
    active_high: bool = True  # False for relay boards that switch when their input is low
    hold_s: Annotated[float, msgspec.Meta(ge=0.2, le=30.0)] = 3.0  # free after each green
    longest_s: Annotated[float, msgspec.Meta(ge=0.2, le=30.0)] = 10.0  # never free for longer in one piece

    def __post_init__(self) -> None:
        if self.hold_s > self.longest_s:
            raise ValueError(f"hold_s {self.hold_s} is more than longest_s {self.longest_s}: make one of them fit")


class PanelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[panel] of platypus.toml. Raises `PinClash` when a pin is used twice."""

    pins: Literal["lgpio", "mock"] = "lgpio"  # mock: no pins at all, for rehearsals on a laptop
    light: TwoLights | RgbLight = TwoLights()
    buzzer: Pin | None = 24  # an active buzzer, which beeps by itself when it has current
    buzzer_active_high: bool = True
    buzzer_kind: Literal["active", "tonal"] = "active"  # tonal: a passive piezo, which is driven with a pitch
    counter: Digits | Bar | Max7219 | Oled | None = None
    strike: StrikeSettings | None = None

    def __post_init__(self) -> None:
        refuse_clashes(self.uses())
        if self.buzzer_kind == "tonal" and not self.buzzer_active_high:
            raise ValueError(
                "buzzer_kind tonal knows no buzzer_active_high = false: a tone has no level. Leave it out."
            )

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
            case Max7219(port=port):
                yield from spi_uses(port, "counter.port")
            case Oled(port=port):
                yield from i2c_uses(port, "counter.port")
            case None:
                pass
        if self.strike is not None:
            yield self.strike.pin, "strike.pin"
