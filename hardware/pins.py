"""Pins by their BCM numbers, and the promise that no pin is given to two things.

Each part of the hardware says what it uses (`uses()`), also of the pins a bus takes for itself; `refuse_clashes` looks
at all of them together, whichever settings they come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec

from hardware.errors import PanelError

Pin = Annotated[int, msgspec.Meta(ge=2, le=27)]  # 0 and 1 belong to the identification of add-on boards

# What the kernel's drivers take for themselves once a bus is switched on (dtparam=spi=on, dtoverlay=spi1-3cs,
# dtparam=i2c_arm=on); SPI0 always has both of its chip selects
SPI = {
    0: ((10, "MOSI"), (9, "MISO"), (11, "SCLK"), (8, "CE0"), (7, "CE1")),
    1: ((20, "MOSI"), (19, "MISO"), (21, "SCLK"), (18, "CE0"), (17, "CE1"), (16, "CE2")),
}
I2C = {1: ((2, "SDA"), (3, "SCL"))}


class PinClash(PanelError, ValueError):
    """One pin is given to two things."""

    code = "pin_clash"


def refuse_clashes(uses: Iterable[tuple[int, str]]) -> None:
    """Raises `PinClash` when a pin is there twice; each use is a BCM number and what it is for."""
    used: dict[int, str] = {}
    for pin, use in uses:
        if pin in used:
            raise PinClash(f"pin {pin} is given to both {used[pin]} and {use}. Give one of them another pin.")
        used[pin] = use


def spi_uses(port: int, key: str) -> Iterator[tuple[int, str]]:
    """The pins of SPI `port` (0 or 1), each named with the configuration's `key` that asks for them."""
    yield from ((pin, f"{key} {port} {wire}") for pin, wire in SPI[port])


def i2c_uses(port: int, key: str) -> Iterator[tuple[int, str]]:
    """The pins of I2C `port` (1), each named with the configuration's `key` that asks for them."""
    yield from ((pin, f"{key} {port} {wire}") for pin, wire in I2C[port])
