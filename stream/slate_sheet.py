"""One slate in the making: where head, words and sponsors go, at any size of picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageStat

from stream import look as looks
from stream.lettering import Lettering, Style
from stream.look import Look

SAFE = 0.05  # of width and height on each side: television's safe area for titles
COLUMNS = 4  # of sponsors
SOFT = 0.75  # of the text's colour, the rest is the background's


class Line(NamedTuple):
    text: str
    size: float  # of the picture's height
    share: float  # of the height of all lines
    colour: str
    is_bold: bool = False


class Sheet:
    """One picture in the making: where things go. All lengths in pixels."""

    def __init__(self, size: tuple[int, int], look: Look, lettering: Lettering) -> None:
        self._look = look
        self._lettering = lettering
        width, height = size
        self._left, self._top = -int(-width * SAFE // 1), -int(-height * SAFE // 1)
        self._width, self._height = width - 2 * self._left, height - 2 * self._top
        self._unit = min(width / 1920, height / 1080)  # a text of one size looks alike in 16:9 of any size
        self._gap = max(1, round(28 * self._unit))
        self._line_gap = max(1, round(52 * self._unit))
        self._head_px = round(self._height * 0.11)
        self._tile_px = (
            (self._width - (COLUMNS - 1) * self._gap) // COLUMNS,
            round(self._height * 0.16),
        )
        self._label_px = round(self._height * 0.055)
        self._picture = Image.new("RGB", size, look.background)

    @property
    def logo_box(self) -> tuple[int, int]:
        """The most that a logo in the head can have."""
        return max(1, self._width // 3), max(1, self._head_px)

    @property
    def tile_room(self) -> tuple[int, int]:
        """The most that a sponsor's logo can have: the tile without its edge."""
        return max(1, round(self._tile_px[0] * 0.78)), max(1, round(self._tile_px[1] * 0.7))

    def copy(self) -> Image.Image:
        """What was drawn so far."""
        return self._picture.copy()

    def head(self, logo: Image.Image | None, event: str) -> None:
        """The logo and the event's name, small, at the top."""
        left = self._left
        if logo is not None:
            if is_lost_on(logo, self._look.background):
                edge = max(1, round(logo.height * 0.1))
                plate = plate_of((logo.width, logo.height), "#ffffff", edge)
                inner = logo.resize((max(1, logo.width - 2 * edge), max(1, logo.height - 2 * edge)))
                plate.alpha_composite(inner, (edge, edge))
                logo = plate
            self._paste(logo, left, self._top + (self._head_px - logo.height) // 2)
            left += logo.width + self._gap
        room = self._left + self._width - left
        text = self._block(
            Line(event, 0.036, 1.0, mixed(self._look.text, self._look.background, SOFT)), room, self._head_px
        )
        if text is not None:
            self._paste(text, left, self._top + (self._head_px - text.height) // 2)

    def body(self, lines: Sequence[Line], rows: int) -> None:
        """The lines beside a bar of the accent's colour, in the middle of what head and sponsors leave."""
        top = self._top + self._head_px + self._gap
        bottom = self._sponsors_top(rows) - self._label_px - 2 * self._gap if rows else self._top + self._height
        indent = round(48 * self._unit)
        lines = [line for line in lines if line.text]
        room_px = max(1, bottom - top - self._line_gap * (len(lines) - 1))
        share = room_px / (sum(line.share for line in lines) or 1.0)
        blocks = [self._block(line, self._width - indent, int(line.share * share)) for line in lines]
        drawn = [block for block in blocks if block is not None]
        if not drawn:
            return
        tall = sum(block.height for block in drawn) + self._line_gap * (len(drawn) - 1)
        at = top + max(0, (bottom - top - tall) // 2)
        bar = max(1, round(10 * self._unit))
        ImageDraw.Draw(self._picture).rectangle(
            (self._left, at, self._left + bar - 1, at + tall - 1), self._look.accent
        )
        for block in drawn:
            self._paste(block, self._left + indent, at)
            at += block.height + self._line_gap

    def sponsor_label(self, text: str, rows: int) -> None:
        """The words above the sponsors."""
        line = Line(text, 0.03, 1.0, mixed(self._look.text, self._look.background, SOFT))
        block = self._block(line, self._width, self._label_px)
        if block is not None:
            self._paste(block, self._left, self._sponsors_top(rows) - self._gap // 2 - block.height)

    def tile(self, finished: Image.Image, logo: Image.Image, place: int, rows: int) -> None:
        """A sponsor's logo on its tile: white, as logos are made for, but dark for one that is made for the dark."""
        colour = mixed(self._look.text, self._look.background, 0.12) if is_lost_on(logo, "#ffffff") else "#ffffff"
        width, height = self._tile_px
        plate = plate_of((width, height), colour, max(1, round(14 * self._unit)))
        plate.alpha_composite(logo, ((width - logo.width) // 2, (height - logo.height) // 2))
        row, column = divmod(place, COLUMNS)
        left = self._left + column * (width + self._gap)
        finished.paste(plate, (left, self._sponsors_top(rows) + row * (height + self._gap)), plate)

    def _sponsors_top(self, rows: int) -> int:
        return self._top + self._height - rows * self._tile_px[1] - (rows - 1) * self._gap

    def _block(self, line: Line, width: int, height: int) -> Image.Image | None:
        style = Style(self._look.font, line.size * 1080 * self._unit, line.colour, line.is_bold)
        return self._lettering.block(line.text, style, width, height)

    def _paste(self, block: Image.Image, left: int, top: int) -> None:
        self._picture.paste(block, (left, top), block)


def plate_of(size: tuple[int, int], colour: str, radius: int) -> Image.Image:
    """A rectangle with round corners, drawn large and made small so that they are smooth."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] * 2 - 1, size[1] * 2 - 1), radius * 2, fill=255)
    plate = Image.new("RGBA", size, colour)
    plate.putalpha(mask.resize(size, Image.Resampling.BOX))
    return plate


def mixed(one: str, other: str, share: float) -> str:
    """A colour between two."""
    parts = (round(a * share + b * (1 - share)) for a, b in zip(looks.rgb(one), looks.rgb(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def is_lost_on(logo: Image.Image, ground: str) -> bool:
    """Whether a see-through logo has hardly a part that stands out from `ground`."""
    alpha = logo.getchannel("A")
    if ImageStat.Stat(alpha).mean[0] > 250:  # a picture with its own ground
        return False
    grey = Image.new("L", logo.size, round(ImageStat.Stat(Image.new("RGB", (1, 1), ground).convert("L")).mean[0]))
    differs = ImageChops.difference(logo.convert("L"), grey).point([0] * 64 + [255] * 192)
    seen, ink = ImageStat.Stat(ImageChops.multiply(differs, alpha)).sum[0], ImageStat.Stat(alpha).sum[0]
    return seen < 0.15 * ink
