"""Drawings as a picture, for a phone to show: every module of a QR is so many whole pixels."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from kiosk.tickets.drawing import BLACK, WHITE, Area, Drawing, Inset, Symbol, Words
from kiosk.tickets.typesetting import Type

PX = 7.5  # a millimetre: 190.5 dpi, a card of 788 x 1110
DPI = PX * 25.4
_MOST_KEPT = 80  # pictures


class PngForm:
    """Draws what many cards have in common once."""

    def __init__(self, type_: Type, ground: Drawing) -> None:
        self._type = type_
        self._fonts: dict[tuple[Path, float], ImageFont.FreeTypeFont] = {}
        self._insets: dict[int, tuple[Image.Image, Image.Image]] = {}
        self._ground = Image.new("RGB", (round(ground.width * PX), round(ground.height * PX)), WHITE)
        self._draw(self._ground, ground)

    def content(self, own: Drawing) -> bytes:
        """A card as the content of a file: the ground, and what is its own. 256 colours: some 30 kB."""
        picture = self._ground.copy()
        self._draw(picture, own)
        content = io.BytesIO()
        few = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(content, "PNG", compress_level=3, dpi=(DPI, DPI))
        return content.getvalue()

    def _draw(self, picture: Image.Image, drawing: Drawing) -> None:
        pen = ImageDraw.Draw(picture)
        for item in drawing.items:
            match item:
                case Area():
                    right, foot = _px(item.x + item.width), _px(item.y + item.height)
                    pen.rectangle((_px(item.x), _px(item.y), right - 1, foot - 1), item.colour)
                case Words():
                    file = (self._type.bold if item.is_bold else self._type.regular).file
                    at = (item.x * PX, item.baseline * PX)
                    pen.text(at, item.text, item.colour, self._font(file, item.size * PX), anchor="ls")
                case Inset():
                    shown = self._shown(item)
                    picture.paste(shown, (_px(item.x), _px(item.y)), shown)
                case Symbol():
                    _symbol(pen, item)

    def _shown(self, item: Inset) -> Image.Image:
        known = self._insets.get(id(item.picture))  # which stays its own as long as the picture is kept beside it
        if known is None:
            if len(self._insets) == _MOST_KEPT:  # logos are asked for again and again, names once
                self._insets.clear()
            size = (max(1, _px(item.width)), max(1, _px(item.height)))
            known = self._insets[id(item.picture)] = (item.picture, item.picture.resize(size, Image.Resampling.LANCZOS))
        return known[1]

    def _font(self, file: Path, size_px: float) -> ImageFont.FreeTypeFont:
        key = (file, round(size_px, 2))
        if key not in self._fonts:
            self._fonts[key] = ImageFont.truetype(file, key[1], layout_engine=ImageFont.Layout.BASIC)
        return self._fonts[key]


def _symbol(pen: ImageDraw.ImageDraw, symbol: Symbol) -> None:
    module = max(1, round(symbol.module * PX))
    x, y = _px(symbol.x), _px(symbol.y)
    side = round(symbol.side / symbol.module) * module
    pen.rectangle((x, y, x + side - 1, y + side - 1), WHITE)
    margin = (side - len(symbol.rows) * module) // 2
    for column, row, columns, rows in symbol.bars():
        left, top = x + margin + column * module, y + margin + row * module
        pen.rectangle((left, top, left + columns * module - 1, top + rows * module - 1), BLACK)


def _px(mm: float) -> int:
    return round(mm * PX)
