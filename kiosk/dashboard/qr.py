"""QR codes that any phone reads: black on white in every theme, since many readers miss light on dark."""

from __future__ import annotations

import segno
from markupsafe import Markup

from kiosk.tickets import printing

_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}  # upper, lower is dark
_BLACK_ON_WHITE = "\x1b[30;107m"
_AS_BEFORE = "\x1b[0m"


def picture(text: str) -> Markup:
    """For a page."""
    code = segno.make(text, error="m", micro=False)
    return Markup(code.svg_inline(border=3, light="#ffffff", dark="#000000", omitsize=True))  # noqa: S704 - segno's


def ticket(code: str) -> Markup:
    """A ticket's code for a page, as it is printed."""
    drawn = printing.qr(code).svg_inline(border=4, light="#ffffff", dark="#000000", omitsize=True)
    return Markup(drawn)  # noqa: S704 - segno's


def for_terminal(text: str) -> str:
    """For a terminal, whatever its colours are."""
    rows = [[bool(dark) for dark in row] for row in segno.make(text, error="l", micro=False).matrix_iter(border=2)]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = ("".join(_HALVES[halves] for halves in zip(upper, lower, strict=True)) for upper, lower in pairs)
    return "\n".join(f"{_BLACK_ON_WHITE}{line}{_AS_BEFORE}" for line in lines)
