"""Tickets as people get them: one PNG and one SVG each, and one PDF with all of them, six to an A4 page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import segno

from hardware.errors import PlatypusError

if TYPE_CHECKING:
    from fpdf import FPDF

# Any script's Latin, Greek and Cyrillic names; Debian's fonts-dejavu-core puts it here.
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
_QUIET_ZONE = 4  # modules, ISO/IEC 18004
_PNG_SCALE = 12  # px a module: 396 px for version 2 with its quiet zone, sharp on any phone


class PrintingError(PlatypusError, OSError):
    """Tickets cannot be drawn or written."""

    code = "printing"


class Printable(NamedTuple):
    """What stands on one ticket."""

    number: int
    code: str
    holder: str
    product: str


def qr(code: str) -> segno.QRCode:
    """The QR of a code, error correction Q and no bigger than it must be (26 characters of base32: version 2)."""
    return segno.make_qr(code, error="q", boost_error=False)


def write_tickets(folder: Path, event_name: str, when: str, tickets: Sequence[Printable]) -> list[Path]:
    """Write `NNNN.png`, `NNNN.svg` for each ticket and `tickets.pdf`; returns the files. Existing ones are replaced.

    The files are for their owner alone: a code is as good as a seat.
    """
    written = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for ticket in tickets:
            symbol = qr(ticket.code)
            for kind in ("png", "svg"):
                path = folder / f"{ticket.number:04d}.{kind}"
                with _private(path) as file:
                    symbol.save(file, kind=kind, scale=_PNG_SCALE, border=_QUIET_ZONE, dark="#000", light="#fff")
                written.append(path)
        path = folder / "tickets.pdf"
        with _private(path) as file:
            file.write(_pdf(event_name, when, tickets))
        written.append(path)
    except OSError as error:
        raise PrintingError(f"tickets cannot be written to {folder}: {error.strerror or error}") from error
    return written


def _private(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)  # also one that was there before
    return os.fdopen(handle, "wb")


def _pdf(event_name: str, when: str, tickets: Sequence[Printable], font: Path = FONT) -> bytes:
    from fpdf import FPDF  # noqa: PLC0415  # 35 MB and 0.6 s: only where a PDF is made
    from fpdf.errors import FPDFException  # noqa: PLC0415

    pdf = FPDF(format="A4", unit="mm")
    pdf.set_auto_page_break(auto=False)
    pdf.set_title(event_name)
    if font.exists():
        pdf.add_font("ticket", fname=font)
        pdf.set_font("ticket")
    else:
        pdf.set_font("helvetica")
    try:
        _draw_pages(pdf, event_name, when, tickets)
    except FPDFException as error:  # the built-in fonts know Latin-1 only
        raise PrintingError(f"the font {font} is missing and a name needs it: apt install fonts-dejavu-core") from error
    return bytes(pdf.output())


def _draw_pages(pdf: FPDF, event_name: str, when: str, tickets: Sequence[Printable]) -> None:
    card_w, card_h, margin = 95.0, 92.0, 10.0  # two across and three down leave room for scissors
    for index, ticket in enumerate(tickets):
        if index % 6 == 0:
            pdf.add_page()
        x = margin + (index % 2) * card_w
        y = margin + (index % 6 // 2) * card_h
        pdf.set_draw_color(170)
        pdf.rect(x, y, card_w - 3, card_h - 3)
        symbol = qr(ticket.code)
        side = 46.0  # mm: 1.4 mm a module, read from half a metre
        width = symbol.symbol_size(border=_QUIET_ZONE)[0]
        step = side / width
        pdf.set_fill_color(0)
        for row_at, row in enumerate(symbol.matrix_iter(border=_QUIET_ZONE)):
            for column_at, is_dark in enumerate(row):
                if is_dark:
                    pdf.rect(x + 22 + column_at * step, y + 6 + row_at * step, step, step, style="F")
        for text, size, top in (
            (event_name, 11, 56),
            (when, 9, 63),
            (ticket.holder, 13, 70),
            (ticket.product, 9, 78),
        ):
            pdf.set_font_size(size)
            while pdf.get_string_width(text) > card_w - 9 and len(text) > 1:
                text = text[:-1]  # noqa: PLW2901
            pdf.set_xy(x, y + top)
            pdf.cell(card_w - 3, 6, text, align="C")
        pdf.set_font_size(7)
        pdf.set_xy(x, y + 84)
        pdf.cell(card_w - 3, 4, f"no. {ticket.number}", align="C")
