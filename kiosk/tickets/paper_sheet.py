"""The paper list: every ticket of an event on A4, to be ticked with a pen on the night the Pi dies.

    python -m kiosk.tickets.paper_sheet < sheet.json > paper.pdf

draws one in a program of its own: what draws it takes 50 MB, which the dashboard would keep all evening. The words come
with the sheet, in whichever language; here is only where they stand.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kiosk.tickets.apart import made_apart
from kiosk.tickets.forms import FONT
from kiosk.tickets.lettering import SIZE_PX, Lettered, is_plain, lettered, one_line

if TYPE_CHECKING:
    from fpdf import FPDF

# mm
_LEFT, _RIGHT = 12.0, 198.0
_HEAD_TOP, _ROWS_TOP, _ROWS_FOOT, _FOOT = 11.0, 34.0, 280.0, 286.0
_ROW, _BOX = 8.2, 5.4
_NUMBER, _NAME, _KIND, _PERSONS, _STATE, _TIME = 20.5, 42.0, 108.0, 138.0, 150.5, 181.0  # where each column begins
_GAP = 2.0
_PER_PAGE = int((_ROWS_FOOT - _ROWS_TOP) / _ROW)
_FEWEST_BLANK = 20  # lines for people without a ticket

_INK, _SOFT, _EDGE = 15, 90, 200
_LIMIT_S = 180.0  # 5,000 tickets on a slow Pi
_MM_A_POINT = 25.4 / 72


class PaperLine(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket."""

    number: str  # that can be typed
    name: str
    kind: str  # of ticket
    persons: str  # "" for a single one
    state: str  # why to look twice: already in, not paid, revoked; "" for a good ticket that was not seen yet
    letter: str  # under which it is found
    is_struck: bool = False  # worth nothing
    is_in: bool = False  # all of its people are inside already


class PaperSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The list, in the words of its reader."""

    event: str
    about: str  # date, seats and tickets
    made: str  # when it was printed, and whether the clock was sure
    heads: tuple[str, str, str, str, str, str]  # of the columns, without the box
    page: str  # "{page}" and "{pages}" stand for the numbers
    foot: str
    walk_ins: str  # the heading of the lines for people without a ticket
    lines: tuple[PaperLine, ...]  # in the order of the paper


def paper_apart(sheet: PaperSheet) -> bytes:
    """The PDF, made by a program of its own. Raises ApartError."""
    return made_apart("kiosk.tickets.paper_sheet", msgspec.json.encode(sheet), _LIMIT_S, begins=b"%PDF")


def paper(sheet: PaperSheet, font: Path = FONT) -> bytes:
    """The PDF: as many pages as it takes, the last lines for people without a ticket."""
    from fpdf import FPDF  # noqa: PLC0415  # 35 MB and 0.6 s: only where a PDF is made

    pdf = FPDF(format="A4", unit="mm")
    pdf.set_auto_page_break(auto=False)
    pdf.set_margin(0)
    pdf.c_margin = 0
    letters: frozenset[int] | None = None
    if font.exists():
        pdf.add_font("paper", fname=font)
        pdf.set_font("paper")
        letters = frozenset(getattr(pdf.fonts["paper"], "cmap", ()))
    else:
        pdf.set_font("helvetica")
    pen = _Pen(pdf, letters)
    pdf.set_title(pen.sayable(sheet.event))
    pages = [sheet.lines[at : at + _PER_PAGE] for at in range(0, len(sheet.lines), _PER_PAGE)]
    if not pages or _PER_PAGE - len(pages[-1]) <= _FEWEST_BLANK:
        pages.append(())
    pen.prepare([*_texts(sheet), *map(_ends, pages)])
    for number, lines in enumerate(pages, 1):
        pdf.add_page()
        _frame(pen, sheet, lines, sheet.page.format(page=number, pages=len(pages)))
        for place, line in enumerate(lines):
            _line(pen, line, _ROWS_TOP + place * _ROW)
    _blank(pen, sheet, _ROWS_TOP + len(pages[-1]) * _ROW)
    return bytes(pdf.output())


class _Pen:
    """Sets texts that never leave their place, whatever script they are in."""

    def __init__(self, pdf: FPDF, letters: frozenset[int] | None) -> None:
        self.pdf = pdf
        self._letters = letters  # of the font; None: the built-in one, which knows Latin-1 only
        self._pictures: Mapping[str, Lettered] = {}
        self._widths: dict[str, float] = {}  # of letters, for a size of 1 mm

    def prepare(self, texts: Sequence[str]) -> None:
        """Have those that the font cannot set made as pictures, all at once."""
        lines = dict.fromkeys(map(one_line, texts))
        odd = [line for line in lines if not is_plain(line, self._letters or range(0x20, 0x100))]
        self._pictures = lettered(odd)

    def sayable(self, text: str) -> str:
        """On one line, as the font can say it."""
        line = one_line(text)
        return line if self._letters is not None else line.encode("latin-1", "replace").decode("latin-1")

    def text(
        self, x: float, baseline: float, width: float, text: str, size: float, shade: int = _INK, *, align: str = "L"
    ) -> float:
        """A line of `size` points, made smaller or cut where its place ends. Returns its width in mm."""
        picture = self._pictures.get(one_line(text))
        if picture is not None:
            return self._picture(picture, x, baseline, width, size, align)
        said = self.sayable(text)
        if not said:
            return 0.0
        self.pdf.set_font_size(size)
        wide = self._width(said) * size
        if wide > width:
            end = "…" if self._letters is not None else "..."
            while said and wide > width:
                said = said[:-1]
                wide = self._width(said + end) * size
            said = said.rstrip() + end
        left = {"L": x, "R": x + width - wide, "C": x + (width - wide) / 2}[align]
        self.pdf.set_text_color(shade)
        self.pdf.text(left, baseline, said)
        return wide

    def _width(self, text: str) -> float:
        """Of a text of one point, in mm; letters are measured once."""
        total = 0.0
        for letter in text:
            if letter not in self._widths:
                size = self.pdf.font_size_pt
                self._widths[letter] = self.pdf.get_string_width(letter) / size
            total += self._widths[letter]
        return total

    def _picture(self, each: Lettered, x: float, baseline: float, width: float, size: float, align: str) -> float:
        mm_a_px = size * _MM_A_POINT / SIZE_PX
        mm_a_px = min(mm_a_px, width / each.picture.width)
        wide = each.picture.width * mm_a_px
        left = {"L": x, "R": x + width - wide, "C": x + (width - wide) / 2}[align]
        self.pdf.image(each.picture, left, baseline - each.baseline_px * mm_a_px, w=wide)
        return wide

    def line(self, x: float, y: float, to_x: float, shade: int, width: float = 0.2) -> None:
        """A level one."""
        self.pdf.set_draw_color(shade)
        self.pdf.set_line_width(width)
        self.pdf.line(x, y, to_x, y)

    def box(self, x: float, y: float, *, is_ticked: bool = False) -> None:
        """Where a pen ticks."""
        self.pdf.set_draw_color(_INK)
        self.pdf.set_line_width(0.35)
        self.pdf.rect(x, y, _BOX, _BOX)
        if is_ticked:
            self.pdf.set_line_width(0.6)
            self.pdf.polyline([(x + 1.1, y + 2.9), (x + 2.3, y + 4.2), (x + 4.4, y + 1.2)])


def _texts(sheet: PaperSheet) -> Sequence[str]:
    texts = [sheet.event, sheet.about, sheet.made, sheet.foot, sheet.walk_ins, *sheet.heads]
    for line in sheet.lines:
        texts += (line.name, line.kind, line.state)
    return texts


def _frame(pen: _Pen, sheet: PaperSheet, lines: Sequence[PaperLine], page: str) -> None:
    """What every page has: whose list, which page, which letters."""
    pen.text(_LEFT, _HEAD_TOP + 5, 126, sheet.event, 15)
    pen.text(_LEFT, _HEAD_TOP + 11, 138, sheet.about, 9.5, _SOFT)
    pen.text(_LEFT, _HEAD_TOP + 15.8, 138, sheet.made, 9.5, _SOFT)
    pen.text(_RIGHT - 44, _HEAD_TOP + 15.8, 44, page, 9.5, _SOFT, align="R")
    pen.text(_RIGHT - 58, _HEAD_TOP + 8, 58, _ends(lines), 26, align="R")
    for x, end, head in zip(
        (_NUMBER, _NAME, _KIND, _PERSONS, _STATE, _TIME),
        (_NAME, _KIND, _PERSONS, _STATE, _TIME, _RIGHT + _GAP),
        sheet.heads,
        strict=True,
    ):
        pen.text(x, _ROWS_TOP - 1.6, end - x - _GAP, head, 7.5, _SOFT)
    pen.line(_LEFT, _ROWS_TOP - 0.4, _RIGHT, _INK, 0.3)
    pen.text(_LEFT, _FOOT, _RIGHT - _LEFT, sheet.foot, 8, _SOFT)


def _ends(lines: Sequence[PaperLine]) -> str:
    """From which letter to which they go."""
    letters = [line.letter for line in lines if line.letter]
    return " \N{EN DASH} ".join(dict.fromkeys((letters[0], letters[-1]))) if letters else ""


def _line(pen: _Pen, line: PaperLine, y: float) -> None:
    shade = _SOFT if line.is_struck or line.is_in else _INK
    base = y + _ROW * 0.66
    pen.box(_LEFT + 0.3, y + (_ROW - _BOX) / 2, is_ticked=line.is_in)
    pen.text(_NUMBER, base, _NAME - _NUMBER - _GAP, line.number, 11, shade)
    wide = pen.text(_NAME, base, _KIND - _NAME - _GAP, line.name, 11.5, shade)
    if line.is_struck:
        pen.line(_NAME - 0.5, base - 1.4, _NAME + wide + 0.5, _INK, 0.3)
    pen.text(_KIND, base, _PERSONS - _KIND - _GAP, line.kind, 8.5, _SOFT)
    pen.text(_PERSONS, base, _STATE - _PERSONS - _GAP, line.persons, 12, shade)
    pen.text(_STATE, base, _TIME - _STATE - _GAP, line.state, 9)
    pen.line(_TIME, y + _ROW - 1.6, _RIGHT, _SOFT)
    pen.line(_LEFT, y + _ROW, _RIGHT, _EDGE)


def _blank(pen: _Pen, sheet: PaperSheet, y: float) -> None:
    """Lines for people without a ticket, down to the foot of the page."""
    pen.text(_LEFT, y + _ROW * 0.72, _RIGHT - _LEFT, sheet.walk_ins, 10)
    y += _ROW
    while y + _ROW <= _ROWS_FOOT:
        pen.box(_LEFT + 0.3, y + (_ROW - _BOX) / 2)
        pen.line(_NAME, y + _ROW - 1.6, _STATE - _GAP, _SOFT)
        pen.line(_TIME, y + _ROW - 1.6, _RIGHT, _SOFT)
        y += _ROW


def _main() -> None:
    sys.stdout.buffer.write(paper(msgspec.json.decode(sys.stdin.buffer.read(), type=PaperSheet)))


if __name__ == "__main__":
    _main()
