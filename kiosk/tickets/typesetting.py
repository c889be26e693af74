"""Text in its place on a ticket, in any script: words of the look's font, and pictures by Pango of what that lacks.

Most names are words, which stay sharp and small in a PDF. One in another script, or with an emoji, is a picture: it
needs letters that join, turn, or have colours of their own. Many of them are set at a time (`prepare`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageFont

from hardware.errors import PlatypusError
from kiosk.tickets.drawing import BLACK, Colour, Inset, Item, Words
from stream.agenda import plain_words
from stream.lettering import Lettering, Style

PX = 12  # a millimetre, of a text that is a picture: 305 dpi
_EM_PX = 1000  # at which text is measured
_LINE = 1.22  # of the size, from one line to the next
_ASCENT = 0.78  # of the size: capitals and accents stand in it
_ONE_LINE = (1.0, 0.92, 0.84, 0.78)
_STEPS = (1.0, 0.9, 0.8, 0.7, 0.62)
# Beyond these, letters join, stack or turn: Hebrew and all after it, up to where Latin and punctuation go on.
_SIMPLE = (range(0x20, 0x590), range(0x1E00, 0x2E80))

_HELD = "\ue000"  # of private use: no text has it
_JOINING = {"Mn", "Me", "Mc", "Cf"}  # marks, and what steers: they are no letters of their own


class FontError(PlatypusError, OSError):
    """There is no font to print with."""

    code = "font"


class Face(NamedTuple):
    """A font: its file, its measure, and which letters it has."""

    file: Path
    measure: ImageFont.FreeTypeFont
    letters: frozenset[int]
    advances: dict[str, float]  # of letters that were asked for

    def width(self, text: str) -> float:
        """How wide a text is, in ems. Letter by letter, as a PDF sets it: without kerning."""
        return sum(map(self.advance, text))

    def advance(self, letter: str) -> float:
        """How far the letter after it is, in ems."""
        if letter not in self.advances:
            self.advances[letter] = self.measure.getlength(letter) / _EM_PX
        return self.advances[letter]


class Placed(NamedTuple):
    """A text in its place, and how tall it came out."""

    items: Sequence[Item]
    height: float


class Type:
    """Sets texts in the regular and bold of one family. `lettering` sets what these have no letters for."""

    def __init__(self, lettering: Lettering, family: str, files: tuple[Path, Path]) -> None:
        self._lettering = lettering
        self._family = family
        self._files = files
        self._drawn: dict[tuple[str, bool, float, Colour], Image.Image | None] = {}

    @cached_property
    def regular(self) -> Face:
        return _face(self._files[0])

    @cached_property
    def bold(self) -> Face:
        return _face(self._files[1])

    def prepare(self, texts: Iterable[str], size: float, colour: Colour = BLACK, *, is_bold: bool = False) -> None:
        """Set those of `texts` that must be pictures, many at a time; `place` finds them until others are prepared."""
        wanted = [text for text in dict.fromkeys(map(_plain, texts)) if text and not self._is_simple(text)]
        pictures = self._lettering.lines(wanted, self._style(size, colour, is_bold))
        self._drawn = {
            (text, is_bold, size, colour): _lean(picture)
            for text, picture in zip(wanted, pictures, strict=True)
            if picture
        }

    def place(
        self,
        text: str,
        x: float,
        y: float,
        width: float,
        size: float,
        colour: Colour = BLACK,
        *,
        is_bold: bool = False,
        most_lines: int = 1,
        is_centred: bool = False,
    ) -> Placed:
        """`text` where it fits `width`: on one line if it need not be much smaller than `size` (mm) for that, else on
        up to `most_lines` of about the same length, smaller, and at last cut.
        """
        text = _plain(text)
        if not text:
            return Placed([], 0)
        if not self._is_simple(text):
            return self._picture(text, x, y, width, size, colour, is_bold, most_lines, is_centred)
        face = self.bold if is_bold else self.regular
        for count, step in (*((1, each) for each in _ONE_LINE), *((most_lines, each) for each in _STEPS)):
            lines = _wrapped(face, text, width / (size * step))
            if len(lines) <= count and all(face.width(line) * size * step <= width for line in lines):
                lines = _balanced(face, text, lines, width / (size * step))
                break
        size *= step
        kept = lines[:most_lines]
        if len(lines) > most_lines:
            kept[-1] = f"{kept[-1]}…"
        kept = [_cut(face, line, width / size) for line in kept]
        items = [
            Words(
                x + (width - face.width(line) * size) / 2 if is_centred else x,
                y + size * _ASCENT + at * size * _LINE,
                line,
                size,
                colour,
                is_bold,
            )
            for at, line in enumerate(kept)
        ]
        return Placed(items, size * (1 + (len(kept) - 1) * _LINE))

    def _picture(
        self,
        text: str,
        x: float,
        y: float,
        width: float,
        size: float,
        colour: Colour,
        is_bold: bool,  # noqa: FBT001
        most_lines: int,
        is_centred: bool,  # noqa: FBT001
    ) -> Placed:
        tall = size * (1 + (most_lines - 1) * _LINE) * 1.15  # scripts that stack or hang need more than Latin
        picture = self._drawn.get((text, is_bold, size, colour))
        if picture is None or picture.width > width * PX:
            style = self._style(size, colour, is_bold)
            picture = self._lettering.block(text, style, int(width * PX), int(tall * PX))
        if picture is None:
            return Placed([], 0)
        picture = _lean(picture)
        wide, high = picture.width / PX, picture.height / PX
        left = x + (width - wide) / 2 if is_centred else x
        box = max(high, size)
        return Placed([Inset(left, y + (box - high) / 2, wide, high, picture)], box)

    def _style(self, size: float, colour: Colour, is_bold: bool) -> Style:  # noqa: FBT001
        return Style(self._family, size * PX, colour, is_bold)

    def _is_simple(self, text: str) -> bool:
        return all(
            any(ord(letter) in each for each in _SIMPLE)
            and ord(letter) in self.regular.letters
            and ord(letter) in self.bold.letters
            and unicodedata.category(letter) not in _JOINING
            for letter in text
        )


def type_of(lettering: Lettering, family: str, stand_in: Path) -> Type:
    """The type of a family; `stand_in` is the file of a font for when it is not there. Raises FontError."""
    files = []
    for is_bold in (False, True):
        file = lettering.font_file(family, is_bold=is_bold)
        if file is None or not _is_font(file):
            file = stand_in.with_stem(f"{stand_in.stem}-Bold") if is_bold else stand_in
        files.append(file)
    regular, bold = files
    if not _is_font(regular):
        raise FontError(f"there is no font to print with, not even {stand_in}: apt install fonts-dejavu-core")
    return Type(lettering, family, (regular, bold if _is_font(bold) else regular))


def _is_font(file: Path) -> bool:
    try:
        ImageFont.truetype(file, 10)
    except OSError:
        return False
    return True


def _face(file: Path) -> Face:
    from fontTools.ttLib import TTFont  # noqa: PLC0415  # half a second: only where tickets are printed

    with TTFont(file, lazy=True) as font:
        letters = frozenset(font.getBestCmap())
    return Face(file, ImageFont.truetype(file, _EM_PX, layout_engine=ImageFont.Layout.BASIC), letters, {})


def _lean(picture: Image.Image) -> Image.Image:
    """Half as large where all of it is black: a name, but no emoji."""
    if picture.mode != "RGBA" or any(picture.getchannel(band).getextrema() != (0, 0) for band in "RGB"):
        return picture
    return picture.convert("LA")


def _plain(text: str) -> str:
    held = text.replace("\u00a0", _HELD)  # else it would become a blank like others, where lines break
    return unicodedata.normalize("NFC", plain_words(held)).replace(_HELD, "\u00a0")


def _wrapped(face: Face, text: str, width: float) -> list[str]:
    """Lines at blanks, none wider than `width` ems unless a word is."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and face.width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _balanced(face: Face, text: str, lines: list[str], width: float) -> list[str]:
    """As many lines, about as long as each other: no word stands alone on the last."""
    for share in (0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95):
        narrower = _wrapped(face, text, width * share)
        if len(narrower) == len(lines) and all(face.width(line) <= width for line in narrower):
            return narrower
    return lines


def _cut(face: Face, line: str, width: float) -> str:
    if face.width(line) <= width:
        return line
    line = line.rstrip("…")
    while line and face.width(line + "…") > width:
        line = line[:-1].rstrip()
    return line + "…"
