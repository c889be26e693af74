"""What the real luma libraries put on the bus, read as the chips' data sheets read it. No bus is needed."""

from __future__ import annotations

import sys
from typing import ClassVar

import pytest
from PIL import Image, ImageChops

from hardware.errors import PanelError
from hardware.panel import Max7219, Oled
from hardware.panel.luma import open_max7219, open_oled, picture

# luma.oled 3.16; pyproject.toml keeps the Pillow that takes it away from the extra `displays`
pytestmark = pytest.mark.filterwarnings("ignore:Image.Image.getdata is deprecated:DeprecationWarning")


class Max7219Chip:
    """A spidev at whose end is a MAX7219: every 16 bits are a register and its value."""

    DECODE, INTENSITY, SCAN_LIMIT, SHUTDOWN, TEST = 0x09, 0x0A, 0x0B, 0x0C, 0x0F
    # Without decoding the bits are, from the highest: point, A to G (the data sheet's table 6)
    SHAPES: ClassVar = {" ": 0x00, "-": 0x01, "F": 0x47, "U": 0x3E, "L": 0x0E} | dict(
        zip("0123456789", (0x7E, 0x30, 0x6D, 0x79, 0x33, 0x5B, 0x5F, 0x70, 0x7F, 0x7B), strict=True)
    )

    def __init__(self) -> None:
        self.registers: dict[int, int] = {}
        self.opened: tuple[int, int] | None = None
        self.is_closed = False

    def open(self, port: int, device: int) -> None:
        self.opened = (port, device)

    def writebytes(self, data: list[int]) -> None:
        register, value = data  # chip select rises after each write: neither more nor less
        self.registers[register] = value

    def close(self) -> None:
        self.is_closed = True

    @property
    def shown(self) -> list[int]:
        """What is lit, from the leftmost digit (DIG7, register 8) to the rightmost (DIG0, register 1)."""
        return [self.registers[register] for register in range(8, 0, -1)]


def shapes(text: str, *, point: int = 0) -> list[int]:
    return [Max7219Chip.SHAPES[character] | (point if character != " " else 0) for character in text]


@pytest.mark.parametrize("text", ["      42", "01234567", "FULL  89", "--------"])
def test_the_digits_of_a_max7219_are_lit_as_its_data_sheet_says(text: str) -> None:
    chip = Max7219Chip()
    open_max7219(Max7219(), chip).text(text)
    assert chip.shown == shapes(text)


def test_a_point_shares_its_digits_place() -> None:
    chip = Max7219Chip()
    open_max7219(Max7219(digits=2), chip).text("      5.0.")
    assert chip.shown == shapes("      50", point=0x80)


def test_a_max7219_is_awake_undecoded_and_of_the_configured_brightness() -> None:
    chip = Max7219Chip()
    open_max7219(Max7219(port=1, device=2, brightness=255), chip)
    assert chip.opened == (1, 2)
    settings = [chip.DECODE, chip.INTENSITY, chip.SCAN_LIMIT, chip.SHUTDOWN, chip.TEST]
    assert [chip.registers[register] for register in settings] == [0, 15, 7, 1, 0]


def test_a_closed_max7219_is_dark_and_asleep_and_its_bus_is_free() -> None:
    chip = Max7219Chip()
    display = open_max7219(Max7219(), chip)
    display.text("      42")
    display.close()
    assert chip.registers[chip.SHUTDOWN] == 0 and chip.shown == [0] * 8 and chip.is_closed


def test_without_spidev_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spidev", None)  # what Python does for a module that cannot be imported
    with pytest.raises(PanelError, match=r"pip install 'platypus-venue\[displays\]'.*spidev"):
        open_max7219(Max7219())


class OledChip:
    """An smbus at whose end is an SSD1306 or an SH1106: control byte 0x00 brings commands, 0x40 bytes of the picture.

    A byte is eight pixels one below the other, the lowest bit on top.
    """

    FIRST_COLUMN = 0  # that is seen

    def __init__(self) -> None:
        self.ram: dict[tuple[int, int], int] = {}  # by page and column
        self.commands: list[int] = []
        self.addresses: set[int] = set()
        self.is_loose = False
        self.page = self.column = 0

    def write_i2c_block_data(self, address: int, control: int, data: list[int]) -> None:
        if self.is_loose:
            raise OSError(121, "Remote I/O error")
        self.addresses.add(address)
        if control == 0x00:
            self.commands += data
            self.obey(data)
            return
        for byte in data:
            self.ram[self.page, self.column] = byte
            self.go_on()

    def obey(self, data: list[int]) -> None:
        raise NotImplementedError

    def go_on(self) -> None:
        raise NotImplementedError

    def seen(self, height_px: int) -> Image.Image:
        image = Image.new("1", (128, height_px))
        for x in range(128):
            for y in range(height_px):
                if self.ram[y // 8, x + self.FIRST_COLUMN] >> y % 8 & 1:
                    image.putpixel((x, y), 1)
        return image

    @property
    def is_on(self) -> bool:
        return [command for command in self.commands if command in {0xAE, 0xAF}][-1] == 0xAF


class Ssd1306Chip(OledChip):
    """Horizontal addressing (20h, 00h): windows of columns (21h) and pages (22h) are filled row by row."""

    def obey(self, data: list[int]) -> None:
        if data[0] == 0x21:
            column, (self.first, self.last), page, (self.top, self.bottom) = data[0], data[1:3], data[3], data[4:6]
            assert (column, page) == (0x21, 0x22)
            self.column, self.page = self.first, self.top

    def go_on(self) -> None:
        self.column += 1
        if self.column > self.last:
            self.column, self.page = self.first, self.page + 1
            if self.page > self.bottom:
                self.page = self.top


class Sh1106Chip(OledChip):
    """Page addressing: the page (B0h and up), then the column in two halves (00h and up, 10h and up); 132 columns."""

    FIRST_COLUMN = 2

    def obey(self, data: list[int]) -> None:
        if len(data) == 3 and data[0] & 0xF0 == 0xB0:
            page, low, high = data
            self.page, self.column = page & 0x0F, low | (high & 0x0F) << 4

    def go_on(self) -> None:
        self.column += 1


CHIPS = {"ssd1306": Ssd1306Chip, "sh1106": Sh1106Chip}


@pytest.mark.parametrize("chip_name", CHIPS)
@pytest.mark.parametrize("height_px", [64, 32])
@pytest.mark.parametrize("rotate_180", [False, True])
def test_an_oled_shows_the_picture_pixel_by_pixel(chip_name: str, height_px: int, *, rotate_180: bool) -> None:
    chip = CHIPS[chip_name]()
    settings = Oled(chip=chip_name, height_px=height_px, rotate_180=rotate_180, address=0x3D)  # type: ignore[arg-type]
    open_oled(settings, chip).text("12\nof 50")
    wanted = picture("12\nof 50", 128, height_px)
    wanted = wanted.rotate(180) if rotate_180 else wanted
    assert ImageChops.logical_xor(chip.seen(height_px), wanted).getbbox() is None
    assert chip.is_on and chip.addresses == {0x3D}


@pytest.mark.parametrize("chip_name", CHIPS)
def test_a_closed_oled_is_off_and_dark(chip_name: str) -> None:
    chip = CHIPS[chip_name]()
    display = open_oled(Oled(chip=chip_name), chip)  # type: ignore[arg-type]
    display.text("12\nof 50")
    display.close()
    assert not chip.is_on and chip.seen(64).getbbox() is None


def test_an_oled_that_does_not_answer_is_told_with_its_address_and_what_to_do() -> None:
    chip = Ssd1306Chip()
    chip.is_loose = True
    with pytest.raises(PanelError, match=r"0x3c.*not found.*i2cdetect -y 1"):
        open_oled(Oled(), chip)
