"""Drawings as SVG, to be laid out further: letters are outlines, so it looks the same where the font is missing."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import Any

from PIL import Image

from kiosk.tickets.drawing import BLACK, WHITE, Area, Drawing, Inset, Symbol, Words
from kiosk.tickets.typesetting import Face, Type

_MOST_KEPT = 80  # pictures


class SvgForm:
    """Draws what many cards have in common once."""

    def __init__(self, type_: Type, ground: Drawing) -> None:
        self._letters = {True: _Letters(type_.bold, "b"), False: _Letters(type_.regular, "r")}
        self._pictures: dict[int, tuple[Image.Image, str]] = {}
        self._ground = self._parts(ground)
        self._ground_letters = {**self._letters[True].taken(), **self._letters[False].taken()}

    def text(self, own: Drawing, title: str) -> str:
        """A card; `title` is what a program reads aloud."""
        size = f'width="{own.width:g}mm" height="{own.height:g}mm" viewBox="0 0 {own.width:g} {own.height:g}"'
        parts = self._parts(own)
        letters = {**self._ground_letters, **self._letters[True].taken(), **self._letters[False].taken()}
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
                f"<title>{escape(title)}</title>",
                f"<defs>{''.join(letters.values())}</defs>",
                f'<rect width="100%" height="100%" fill="{WHITE}"/>',
                *self._ground,
                *parts,
                "</svg>\n",
            ]
        )

    def _parts(self, drawing: Drawing) -> list[str]:
        parts = []
        for item in drawing.items:
            match item:
                case Area():
                    parts.append(_rect(item.x, item.y, item.width, item.height, item.colour))
                case Words():
                    parts.append(self._letters[item.is_bold].line(item))
                case Inset():
                    place = f'x="{item.x:.5g}" y="{item.y:.5g}" width="{item.width:.5g}" height="{item.height:.5g}"'
                    parts.append(f'<image {place} href="data:image/png;base64,{self._data(item.picture)}"/>')
                case Symbol():
                    parts += _symbol(item)
        return parts

    def _data(self, picture: Image.Image) -> str:
        known = self._pictures.get(id(picture))  # which stays its own as long as the picture is kept beside it
        if known is None:
            if len(self._pictures) == _MOST_KEPT:  # logos are asked for again and again, names once
                self._pictures.clear()
            content = io.BytesIO()
            picture.save(content, "PNG")
            known = self._pictures[id(picture)] = (picture, base64.b64encode(content.getvalue()).decode("ascii"))
        return known[1]


class _Letters:
    """The letters of a font as outlines, each written once in a file, in the font's units."""

    def __init__(self, face: Face, prefix: str) -> None:
        self._face = face
        self._prefix = prefix
        self._font: Any = None
        self._known: dict[str, str] = {}
        self._taken: dict[str, str] = {}

    def taken(self) -> dict[str, str]:
        """The outlines of the letters that were set since the last time, by their names."""
        taken, self._taken = self._taken, {}
        return taken

    def line(self, words: Words) -> str:
        """A line of text: letters put side by side."""
        parts, x, em = [], 0.0, self._em
        for letter in words.text:
            name = f"{self._prefix}{ord(letter):x}"
            if letter not in self._known:
                self._known[letter] = f'<path id="{name}" d="{self._outline(letter)}"/>'
            self._taken[name] = self._known[letter]
            parts.append(f'<use href="#{name}" x="{x * em:.0f}"/>')
            x += self._face.advance(letter)
        scale = words.size / em
        place = f"translate({words.x:.5g} {words.baseline:.5g}) scale({scale:.5g} -{scale:.5g})"
        return f'<g fill="{words.colour}" transform="{place}" aria-label="{escape(words.text)}">{"".join(parts)}</g>'

    @property
    def _em(self) -> float:
        if self._font is None:
            from fontTools.ttLib import TTFont  # noqa: PLC0415  # half a second: only where tickets are printed

            self._font = TTFont(io.BytesIO(self._face.file.read_bytes()), lazy=True)
        return float(self._font["head"].unitsPerEm)

    def _outline(self, letter: str) -> str:
        from fontTools.pens.svgPathPen import SVGPathPen  # noqa: PLC0415

        glyphs = self._font.getGlyphSet()
        pen = SVGPathPen(glyphs)
        glyphs[self._font.getBestCmap()[ord(letter)]].draw(pen)
        return str(pen.getCommands())


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.6g}" y="{y:.6g}" width="{width:.6g}" height="{height:.6g}" fill="{colour}"/>'


def _symbol(symbol: Symbol) -> list[str]:
    """As one path in modules, so that nothing is rounded."""
    margin = (symbol.side - len(symbol.rows) * symbol.module) / 2
    bars = "".join(f"M{column} {row}h{columns}v{rows}h-{columns}z" for column, row, columns, rows in symbol.bars())
    at = f"translate({symbol.x + margin:.6g} {symbol.y + margin:.6g}) scale({symbol.module:.6g})"
    ground = _rect(symbol.x, symbol.y, symbol.side, symbol.side, WHITE)
    return [ground, f'<path fill="{BLACK}" transform="{at}" d="{bars}"/>']
