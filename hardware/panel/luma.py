"""The displays that the luma libraries drive: MAX7219 digits on SPI, and a small OLED on I2C.

The libraries come with the extra `displays` and are imported when such a display is opened.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from PIL import Image, ImageDraw, ImageFont

from hardware.errors import PanelError
from hardware.panel.display import Display
from hardware.panel.settings import Max7219, Oled

_INSTALL = "the libraries for displays are not here: pip install 'platypus-venue[displays]'"
_SPI_ADVICE = "Is SPI switched on (dtparam=spi=on), and is this user in the group spi?"
_I2C_ADVICE = (
    "Is I2C switched on (dtparam=i2c_arm=on), is this user in the group i2c, and does `i2cdetect -y 1` show it?"
)
_BIG_SHARE = 0.62  # of the height, for the first of two lines


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PanelError(f"{_INSTALL} ({error})") from error


class _Chip(Protocol):
    """What both luma devices have."""

    def contrast(self, value: int) -> None: ...

    def display(self, image: Image.Image) -> None: ...

    def cleanup(self) -> None: ...


class SegmentDisplay:
    """A luma seven-segment text on a MAX7219."""

    def __init__(self, chip: _Chip, segments: Any) -> None:
        self._chip = chip
        self._segments = segments

    def text(self, text: str) -> None:
        """See `Display.text`; eight places, of which a module with fewer shows the last ones."""
        self._segments.text = text or " "

    def close(self) -> None:
        """See `Display.close`."""
        self._chip.cleanup()


class ScreenDisplay:
    """One or two lines, as large as they fit, on a luma OLED of `width_px` by `height_px`."""

    def __init__(self, chip: _Chip, width_px: int, height_px: int) -> None:
        self._chip = chip
        self._size = (width_px, height_px)

    def text(self, text: str) -> None:
        """See `Display.text`; a line break parts the lines."""
        self._chip.display(picture(text, *self._size))

    def close(self) -> None:
        """See `Display.close`."""
        self._chip.cleanup()


def picture(text: str, width_px: int, height_px: int) -> Image.Image:
    """`text` drawn white on black, mode "1": one line fills the picture, of two the first has five eighths of it."""
    image = Image.new("1", (width_px, height_px))
    lines = text.split("\n")[:2]
    if not text:
        return image
    draw = ImageDraw.Draw(image)
    split_px = height_px if len(lines) == 1 else round(height_px * _BIG_SHARE)
    for line, top_px, bottom_px in zip(lines, (0, split_px), (split_px, height_px), strict=False):
        _fit(draw, line, width_px, top_px, bottom_px)
    return image


def _fit(draw: ImageDraw.ImageDraw, line: str, width_px: int, top_px: int, bottom_px: int) -> None:
    """Write `line` in the largest letters that stay inside, in the middle."""
    high_px = bottom_px - top_px - 1  # one dark row between the lines
    for size_px in range(2 * high_px, 5, -1):  # letters are about 0.7 of their size
        font = ImageFont.load_default(size_px)
        left, top, right, bottom = draw.textbbox((0, 0), line, font=font)
        if right - left <= width_px and bottom - top <= high_px:
            x_px = (width_px - (right - left)) / 2 - left
            y_px = top_px + (high_px - (bottom - top)) / 2 - top
            draw.text((x_px, y_px), line, fill=1, font=font)
            return
    raise PanelError(f"{line!r} is too long for a display of {width_px} pixels. Shorten it.")


def open_max7219(settings: Max7219, bus: Any = None) -> Display:
    """`bus` talks in place of a spidev.SpiDev of our own. Raises `PanelError` saying what to do."""
    serial = _module("luma.core.interface.serial")
    device = _module("luma.led_matrix.device")
    virtual = _module("luma.core.virtual")
    if bus is None:
        _module("spidev")  # which luma looks for as late as it opens the bus
    try:
        # gpio=noop: the chip has no data/command line, and luma must not take pins that gpiozero has
        wire = serial.spi(spi=bus, port=settings.port, device=settings.device, gpio=serial.noop())
        chip = device.max7219(wire, cascaded=1)
        chip.contrast(settings.brightness)
        return SegmentDisplay(chip, virtual.sevensegment(chip))
    except Exception as error:  # luma's, spidev's and the kernel's are all different
        raise PanelError(
            f"the MAX7219 on SPI {settings.port}.{settings.device} does not open: {error}. {_SPI_ADVICE}"
        ) from error


def open_oled(settings: Oled, bus: Any = None) -> Display:
    """`bus` talks in place of a smbus2.SMBus of our own. Raises `PanelError` saying what to do."""
    serial = _module("luma.core.interface.serial")
    device = _module("luma.oled.device")
    try:
        wire = serial.i2c(bus=bus, port=settings.port, address=settings.address)
        make = {"ssd1306": device.ssd1306, "sh1106": device.sh1106}[settings.chip]
        rotate = 2 if settings.rotate_180 else 0  # luma counts quarter turns
        chip = make(wire, width=settings.width_px, height=settings.height_px, rotate=rotate)
        return ScreenDisplay(chip, settings.width_px, settings.height_px)
    except Exception as error:  # see open_max7219
        raise PanelError(
            f"the OLED on I2C {settings.port}, address {settings.address:#04x}, does not open: {error}. {_I2C_ADVICE}"
        ) from error
