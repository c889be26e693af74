"""A drawing in millimetres: areas, words, pictures and QR symbols, before it is PDF, PNG or SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

Colour = str  # "#rrggbb"

BLACK: Colour = "#000000"
WHITE: Colour = "#ffffff"
QUIET_ZONE = 4  # modules on each side, ISO/IEC 18004


class Area(NamedTuple):
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: Colour


class Words(NamedTuple):
    """One line of text that the type has every letter of, from `x` on, standing on `baseline`."""

    x: float
    baseline: float
    text: str
    size: float  # mm an em
    colour: Colour
    is_bold: bool = False


class Inset(NamedTuple):
    """A picture (RGBA or LA)."""

    x: float
    y: float
    width: float
    height: float
    picture: Image.Image


class Symbol(NamedTuple):
    """A QR: black on a white square that has the quiet zone in it."""

    x: float
    y: float
    module: float  # side of one
    rows: Sequence[Sequence[bool]]  # dark ones, without the quiet zone

    @property
    def side(self) -> float:
        """With the quiet zone."""
        return (len(self.rows) + 2 * QUIET_ZONE) * self.module

    def bars(self) -> Sequence[tuple[int, int, int, int]]:
        """The dark modules as (column, row, columns, rows): runs across, and runs down over them.

        Twice, so that no program that smooths edges leaves a hair of white between two modules.
        """
        count = len(self.rows)
        across = [(at, row, length, 1) for row in range(count) for at, length in _runs(self.rows[row])]
        columns = [[row[column] for row in self.rows] for column in range(count)]
        down = [(at, start, 1, n) for at in range(count) for start, n in _runs(columns[at]) if n > 1]
        return across + down


Item = Area | Words | Inset | Symbol


class Drawing(NamedTuple):
    """What is to be seen, from the back to the front."""

    width: float
    height: float
    items: Sequence[Item]


def _runs(modules: Sequence[bool]) -> Sequence[tuple[int, int]]:
    """Where dark ones begin, and how many there are in a row."""
    found, start = [], None
    for at, is_dark in enumerate((*modules, False)):
        if is_dark and start is None:
            start = at
        elif not is_dark and start is not None:
            found.append((start, at - start))
            start = None
    return found
