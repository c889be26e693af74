"""Drawings as the pages of a PDF."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.tickets.drawing import BLACK, WHITE, Area, Drawing, Inset, Symbol, Words
from kiosk.tickets.typesetting import Type
from stream.look import rgb

A4 = (210.0, 297.0)
_POINTS = 72 / 25.4  # a millimetre


class PdfPages:
    """A PDF as it grows. Each page may have another size."""

    def __init__(self, title: str, language: str, type_: Type) -> None:
        from fpdf import FPDF  # noqa: PLC0415  # 35 MB and 0.6 s: only where a PDF is made

        self._pdf = FPDF(unit="mm")
        self._pdf.set_auto_page_break(auto=False)
        self._pdf.set_title(title)
        self._pdf.set_lang(language)
        self._pdf.add_font("regular", fname=type_.regular.file)
        self._pdf.add_font("bold", fname=type_.bold.file)

    def page(self, width: float, height: float) -> None:
        """Begin a page of this size, mm."""
        self._pdf.add_page(format=(width, height))

    def draw(self, drawing: Drawing, x: float = 0, y: float = 0) -> None:
        """Put a drawing on the page, its upper left corner at `x`, `y`."""
        pdf = self._pdf
        for item in drawing.items:
            match item:
                case Area():
                    pdf.set_fill_color(*rgb(item.colour))
                    pdf.rect(x + item.x, y + item.y, item.width, item.height, style="F")
                case Words():
                    pdf.set_font("bold" if item.is_bold else "regular", size=item.size * _POINTS)
                    pdf.set_text_color(*rgb(item.colour))
                    pdf.text(x + item.x, y + item.baseline, item.text)
                case Inset():
                    pdf.image(item.picture, x + item.x, y + item.y, item.width, item.height)
                case Symbol():
                    self._symbol(item, x + item.x, y + item.y)

    def lines(self, lines: Sequence[tuple[float, float, float, float]]) -> None:
        """Thin grey lines: where to cut."""
        self._pdf.set_draw_color(130)
        self._pdf.set_line_width(0.15)
        for line in lines:
            self._pdf.line(*line)

    def content(self) -> bytes:
        """The whole PDF; nothing can be added then."""
        return bytes(self._pdf.output())

    def _symbol(self, symbol: Symbol, x: float, y: float) -> None:
        pdf, module = self._pdf, symbol.module
        pdf.set_fill_color(*rgb(WHITE))
        pdf.rect(x, y, symbol.side, symbol.side, style="F")
        pdf.set_fill_color(*rgb(BLACK))
        margin = (symbol.side - len(symbol.rows) * module) / 2
        for column, row, columns, rows in symbol.bars():
            place = (x + margin + column * module, y + margin + row * module)
            pdf.rect(*place, columns * module, rows * module, style="F")
