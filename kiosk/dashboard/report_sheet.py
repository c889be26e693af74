"""The report of an evening as one page of A4: the numbers, the line of the room, and who came when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kiosk.dashboard.language import _
from kiosk.dashboard.report_view import ReportView, Table
from kiosk.ledger.report import Report
from kiosk.tickets.forms import FONT

if TYPE_CHECKING:
    from fpdf import FPDF

# mm
_LEFT, _RIGHT = 15.0, 195.0
_CHART_TOP, _CHART_FOOT = 78.0, 126.0
_BARS_TOP, _BARS_FOOT = 139.0, 163.0
_TABLES_TOP, _TABLES_FOOT = 177.0, 280.0
_GAP = 10.0  # between two columns of tables
_ROW = 5.2
_NUMBER = 18.0  # width of a column of numbers

_INK, _SOFT, _EDGE, _ACCENT, _WASH = 20, 90, 205, (11, 90, 96), (219, 232, 233)
_MOST_TICKS = 9
_TICKS = [timedelta(minutes=each) for each in (5, 10, 15, 30, 60, 120, 180, 360, 720)]
_FIVE = timedelta(minutes=5)


def sheet(view: ReportView, told: Report, zone: ZoneInfo, font: Path = FONT) -> bytes:
    """A PDF. A letter that the font lacks is a box, or "?" where there is no font at all: no name keeps it away."""
    from fpdf import FPDF  # noqa: PLC0415  # 35 MB and 0.6 s: only where a PDF is made

    pdf = FPDF(format="A4", unit="mm")
    pdf.set_auto_page_break(auto=False)
    pdf.set_margin(0)
    pdf.c_margin = 0
    page = _Page(pdf, has_font=font.exists())
    pdf.set_title(page.sayable(view.event))
    if font.exists():
        pdf.add_font("report", fname=font)
        pdf.set_font("report")
    else:
        pdf.set_font("helvetica")
    pdf.add_page()
    page.text(_LEFT, 14, _RIGHT - _LEFT, view.event, 18)
    page.text(_LEFT, 23, _RIGHT - _LEFT, f"{_('Report')} · {view.when}", 10, _SOFT)
    _totals(page, view)
    _Chart(page, told, zone).draw(view)
    _tables(page, view.tables)
    page.text(_LEFT, 286, 90, told.slug, 8, _SOFT)
    page.text(_RIGHT - 60, 286, 60, "Platypus", 8, _SOFT, align="R")
    return bytes(pdf.output())


class _Page:
    """A sheet on which texts never leave their place."""

    def __init__(self, pdf: FPDF, *, has_font: bool) -> None:
        self.pdf = pdf
        self._has_font = has_font

    def sayable(self, text: str) -> str:
        """On one line, without what cannot be printed; the built-in fonts know Latin-1 only."""
        line = " ".join(text.split())
        line = "".join(letter for letter in line if letter.isprintable())
        return line if self._has_font else line.encode("latin-1", "replace").decode("latin-1")

    def text(
        self, x: float, y: float, width: float, text: str, size: float, shade: int = _INK, *, align: str = "L"
    ) -> None:
        """A line, cut where its place ends."""
        said = self.sayable(text)
        self.pdf.set_font_size(size)
        end = "…" if self._has_font else "..."
        if self.pdf.get_string_width(said) > width:
            while said and self.pdf.get_string_width(said + end) > width:
                said = said[:-1]
            said += end
        self.pdf.set_text_color(shade)
        self.pdf.set_xy(x, y)
        self.pdf.cell(width, size * 0.42, said, align=align)

    def words(self, x: float, y: float, width: float, text: str) -> float:
        """A small text on as many lines as it needs. Returns where it ended."""
        self.pdf.set_font_size(7)
        self.pdf.set_text_color(_SOFT)
        self.pdf.set_xy(x, y)
        self.pdf.multi_cell(width, 3.2, self.sayable(text), align="L")
        return float(self.pdf.get_y())

    def line(self, *points: tuple[float, float]) -> None:
        self.pdf.polyline(list(points))


def _totals(page: _Page, view: ReportView) -> None:
    page.text(_LEFT, 34, 60, view.came, 44)
    page.text(_LEFT, 54, 60, view.came_of, 11, _SOFT)
    step = 40.0
    for index, (name, number) in enumerate(view.totals):
        x, y = 78 + index % 3 * step, 34 + index // 3 * 14
        page.text(x, y, step - 2, number, 16)
        page.text(x, y + 7, step - 2, name, 8.5, _SOFT)
    if view.doubt:
        page.text(_LEFT, 65, _RIGHT - _LEFT, view.doubt, 8.5)


class _Chart:
    """The room over the evening, and below it who came in, on one axis of time."""

    def __init__(self, page: _Page, told: Report, zone: ZoneInfo) -> None:
        self._page, self._told, self._zone = page, told, zone
        if told.course:
            self._begin = min(told.course[0].at, told.slices[0].begins).astimezone(UTC)
            self._end = max(told.course[-1].at, told.slices[-1].begins + _FIVE, self._begin + 6 * _FIVE).astimezone(UTC)

    def draw(self, view: ReportView) -> None:
        page, told = self._page, self._told
        if not told.course:
            page.text(_LEFT, _CHART_TOP, _RIGHT - _LEFT, _("Nobody has come yet."), 11, _SOFT)
            return
        page.text(_LEFT, 71, 90, _("Inside"), 8.5, _SOFT)
        page.text(_RIGHT - 90, 71, 90, view.curve.says, 8.5, _SOFT, align="R")
        self._axis()
        self._room()
        page.text(_LEFT, 133, 120, _("Came in, by five minutes"), 8.5, _SOFT)
        self._bars()

    def _axis(self) -> None:
        pdf = self._page.pdf
        pdf.set_draw_color(_EDGE)
        pdf.set_line_width(0.2)
        for tick in self._ticks():
            x = self._x(tick)
            self._page.line((x, _CHART_TOP), (x, _CHART_FOOT))
            self._page.line((x, _BARS_TOP), (x, _BARS_FOOT))
            said = f"{tick.astimezone(self._zone):%H:%M}"
            if self._end - self._begin > timedelta(days=1):
                said = f"{tick.astimezone(self._zone):%d.%m. %H:%M}"
            for foot in (_CHART_FOOT, _BARS_FOOT):
                self._page.text(x - 12, foot + 1, 24, said, 7, _SOFT, align="C")

    def _ticks(self) -> Iterator[datetime]:
        span = self._end - self._begin
        step = next((each for each in _TICKS if span / each <= _MOST_TICKS), None)
        if step is None:  # days: only the ends
            yield from (self._begin, self._end)
            return
        away = self._begin.astimezone(self._zone).utcoffset() or timedelta()  # whole hours of the venue's
        first = -(-(self._begin + away - datetime(2000, 1, 1, tzinfo=UTC)) // step)
        at = datetime(2000, 1, 1, tzinfo=UTC) + first * step - away
        while at <= self._end:
            yield at
            at += step

    def _room(self) -> None:
        pdf, told = self._page.pdf, self._told
        highest = max(told.peak, told.capacity if told.capacity <= 4 * told.peak else 0, 1)  # else the line is flat

        def y(count: int) -> float:
            return _CHART_FOOT - max(count, 0) / highest * (_CHART_FOOT - _CHART_TOP)

        inside, points = 0, [(self._x(self._begin), y(0))]
        for each in told.course:
            x = self._x(each.at)
            points.append((x, y(inside)))
            inside += each.delta
            points.append((x, y(inside)))
        points.append((self._x(self._end), y(inside)))
        pdf.set_fill_color(*_WASH)
        pdf.polygon([*points, (self._x(self._end), y(0)), points[0]], style="F")
        pdf.set_draw_color(*_ACCENT)
        pdf.set_line_width(0.6)
        self._page.line(*points)
        pdf.set_draw_color(_SOFT)
        pdf.set_line_width(0.2)
        self._page.line((_LEFT, y(0)), (_RIGHT, y(0)))
        if 0 < told.capacity <= highest:
            pdf.set_dash_pattern(dash=1.2, gap=1.2)
            self._page.line((_LEFT, y(told.capacity)), (_RIGHT, y(told.capacity)))
            pdf.set_dash_pattern()
            said = _("%(count)s seats", count=told.capacity)
            self._page.text(_LEFT + 1, y(told.capacity) + 0.6, 40, said, 7, _SOFT)

    def _bars(self) -> None:
        pdf, told = self._page.pdf, self._told
        most = max(each.came_in for each in told.slices) or 1
        pdf.set_fill_color(*_ACCENT)
        for each in told.slices:
            if each.came_in:
                left, right = self._x(each.begins), self._x(each.begins + _FIVE)
                height = each.came_in / most * (_BARS_FOOT - _BARS_TOP)
                pdf.rect(left, _BARS_FOOT - height, max(right - left - 0.3, 0.3), height, style="F")
        self._page.text(_RIGHT - 90, 133, 90, _("%(count)s at most", count=most), 8.5, _SOFT, align="R")
        pdf.set_draw_color(_SOFT)
        self._page.line((_LEFT, _BARS_FOOT), (_RIGHT, _BARS_FOOT))

    def _x(self, at: datetime) -> float:
        return _LEFT + (at - self._begin) / (self._end - self._begin) * (_RIGHT - _LEFT)


def _tables(page: _Page, tables: Sequence[Table]) -> None:
    """Two columns; what does not fit on the page is said to be left out."""
    width = (_RIGHT - _LEFT - _GAP) / 2
    for side, shown in enumerate((tables[:2], tables[2:])):
        x, y = _LEFT + side * (width + _GAP), _TABLES_TOP
        for index, table in enumerate(shown):
            left = len(shown) - index
            foot = y + (_TABLES_FOOT - y) / left
            y = _table(page, table, x, y, width, foot) + _ROW


def _table(page: _Page, table: Table, x: float, y: float, width: float, foot: float) -> float:
    """Draws it between `y` and `foot`; returns where it ended."""
    numbers = max(len(table.heads), 1)
    page.text(x, y, width - len(table.heads) * _NUMBER, table.title, 10)
    for index, head in enumerate(table.heads):
        page.text(x + width - (numbers - index) * _NUMBER, y + 0.6, _NUMBER, head, 7.5, _SOFT, align="R")
    y += _ROW
    room = max(int((foot - y) / _ROW) - 1, 1)
    rows = table.rows
    if len(rows) > room:
        rows = (*rows[: room - 1], (_("%(count)s more", count=len(rows) - room + 1), *[""] * numbers))
    page.pdf.set_line_width(0.2)
    for row in rows:
        page.pdf.set_draw_color(_EDGE)
        page.line((x, y - 0.4), (x + width, y - 0.4))
        page.text(x, y + 0.4, width - numbers * _NUMBER - 1, row[0], 9)
        for index, number in enumerate(row[1:]):
            page.text(x + width - (numbers - index) * _NUMBER, y + 0.4, _NUMBER, number, 9, align="R")
        y += _ROW
    if table.note and y + _ROW < foot:
        y = page.words(x, y + 1, width, table.note)
    return y
