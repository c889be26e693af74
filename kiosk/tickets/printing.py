"""Tickets as people get them: sheets to cut, a page each, labels, pictures for phones, and SVG.

The files are for their owner alone: a code is as good as a seat.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import segno

from hardware.errors import PlatypusError
from kiosk.tickets.card import CARD, Cards, Evening, Labels, Printable
from kiosk.tickets.design import Design
from kiosk.tickets.drawing import QUIET_ZONE
from kiosk.tickets.forms import Form
from kiosk.tickets.pdf_form import A4, PdfPages
from kiosk.tickets.png_form import PngForm
from kiosk.tickets.svg_form import SvgForm
from kiosk.tickets.ticket_words import TICKET_WORDS
from stream.slate_words import Language

__all__ = ["QUIET_ZONE", "Evening", "Printable", "Printer", "PrintingError", "qr", "write_tickets"]

_VERSION = 2
_PORTION = 60
_CUT = 5.0  # mm of a mark, from the edge that no printer reaches


class PrintingError(PlatypusError, OSError):
    """Tickets cannot be drawn or written."""

    code = "printing"


class BadCode(PlatypusError, ValueError):
    """A code that does not fit into the QR of our tickets."""

    code = "bad_code"


_FILES = {Form.A4: "tickets.pdf", Form.PAGE: "tickets-pages.pdf", Form.LABEL: "tickets-labels.pdf"}


class Piece(NamedTuple):
    """A ticket, and the language that it speaks."""

    ticket: Printable
    language: Language


def qr(code: str) -> segno.QRCode:
    """The QR of a code of ours: version 2 at error correction Q, as every ticket has. Raises BadCode.

    26 characters of base32 fit in alphanumeric mode, which holds 29. 25 modules a side are large ones on any ticket.
    """
    try:
        return segno.make_qr(code, version=_VERSION, mode="alphanumeric", error="q", boost_error=False)
    except ValueError as error:
        raise BadCode(
            f"{len(code)} characters that do not fit into a QR of version {_VERSION}: a code of ours has 26 of base32"
        ) from error


class Printer:
    """Prints tickets of one event in one design."""

    def __init__(self, evening: Evening, design: Design) -> None:
        self._evening = evening
        self._design = design
        self._cards: dict[Language, Cards] = {}
        self._labels: dict[Language, Labels] = {}
        self._symbols: dict[str, Sequence[Sequence[bool]]] = {}  # 2 ms each, and wanted once a form
        self._png_forms: dict[Cards, PngForm] = {}
        self._svg_forms: dict[Cards, SvgForm] = {}

    def sheet(self, pieces: Sequence[Piece]) -> bytes:
        """Four to a page of A4, with marks where to cut."""
        pages = self._pages(pieces)
        width, height = CARD[0], A4[1] / 2
        for index, (each, cards) in enumerate(self._with_cards(pieces)):
            place = index % 4
            if place == 0:
                pages.page(*A4)
                pages.lines(_cuts())
            x, y = place % 2 * width, place // 2 * height + (height - CARD[1]) / 2
            pages.draw(cards.ground, x, y)
            pages.draw(cards.own(each, self._modules(each)), x, y)
        return pages.content()

    def pages(self, pieces: Sequence[Piece]) -> bytes:
        """A page of A6 each."""
        pages = self._pages(pieces)
        for each, cards in self._with_cards(pieces):
            pages.page(*CARD)
            pages.draw(cards.ground)
            pages.draw(cards.own(each, self._modules(each)))
        return pages.content()

    def labels(self, pieces: Sequence[Piece]) -> bytes:
        """A page of 62 mm each, as long as it needs."""
        pages = self._pages(pieces)
        for some in _portions(pieces):
            self._labels_in(some[0].language).prepare([piece.ticket for piece in some])  # the same in any language
            for piece in some:
                drawing = self._labels_in(piece.language).whole(piece.ticket, self._modules(piece.ticket))
                pages.page(drawing.width, drawing.height)
                pages.draw(drawing)
        return pages.content()

    def one(self, piece: Piece, form: Form) -> bytes:
        """A single ticket, as the content of a file."""
        match form:
            case Form.A4:
                return self.sheet([piece])
            case Form.PAGE:
                return self.pages([piece])
            case Form.LABEL:
                return self.labels([piece])
            case Form.PNG:
                return self.png(piece)
            case Form.SVG:
                return next(content for _, content in self.svgs([piece]))

    def png(self, piece: Piece) -> bytes:
        """A picture of one."""
        return next(content for _, content in self.pngs([piece]))

    def pngs(self, pieces: Sequence[Piece]) -> Iterator[tuple[Printable, bytes]]:
        """A picture of each, one after the other."""
        for ticket, cards in self._with_cards(pieces):
            form = self._png_forms.get(cards)
            if form is None:
                form = self._png_forms[cards] = PngForm(self._design.type, cards.ground)
            yield ticket, form.content(cards.own(ticket, self._modules(ticket)))

    def svgs(self, pieces: Sequence[Piece]) -> Iterator[tuple[Printable, bytes]]:
        """An SVG of each, one after the other."""
        for ticket, cards in self._with_cards(pieces):
            form = self._svg_forms.get(cards)
            if form is None:
                form = self._svg_forms[cards] = SvgForm(self._design.type, cards.ground)
            title = f"{self._evening.name}, {ticket.number}"
            yield ticket, form.text(cards.own(ticket, self._modules(ticket)), title).encode()

    def _modules(self, ticket: Printable) -> Sequence[Sequence[bool]]:
        if ticket.code not in self._symbols:
            self._symbols[ticket.code] = [[bool(dark) for dark in row] for row in qr(ticket.code).matrix]
        return self._symbols[ticket.code]

    def _pages(self, pieces: Sequence[Piece]) -> PdfPages:
        language = pieces[0].language if pieces else "en"
        return PdfPages(self._evening.name, language, self._design.type)

    def _with_cards(self, pieces: Sequence[Piece]) -> Iterator[tuple[Printable, Cards]]:
        for some in _portions(pieces):
            self._cards_in(some[0].language).prepare([piece.ticket for piece in some])  # the same in any language
            for piece in some:
                yield piece.ticket, self._cards_in(piece.language)

    def _cards_in(self, language: Language) -> Cards:
        if language not in self._cards:
            self._cards[language] = Cards(self._evening, self._design, TICKET_WORDS[language])
        return self._cards[language]

    def _labels_in(self, language: Language) -> Labels:
        if language not in self._labels:
            self._labels[language] = Labels(self._evening, self._design, TICKET_WORDS[language])
        return self._labels[language]


def write_tickets(folder: Path, printer: Printer, pieces: Sequence[Piece], forms: Collection[Form]) -> list[Path]:
    """Write the tickets to `folder` in each of `forms`; returns the files. Existing ones are replaced."""
    bound = {Form.A4: printer.sheet, Form.PAGE: printer.pages, Form.LABEL: printer.labels}
    single = {Form.PNG: printer.pngs, Form.SVG: printer.svgs}
    written: list[Path] = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for form in (each for each in Form if each in forms):
            if form in bound:
                written.append(folder / _FILES[form])
                write_private(written[-1], bound[form](pieces))
                continue
            for ticket, content in single[form](pieces):
                written.append(folder / f"{ticket.number:04d}.{form}")
                write_private(written[-1], content)
    except OSError as error:
        if isinstance(error, PlatypusError):
            raise
        raise PrintingError(f"tickets cannot be written to {folder}: {error.strerror or error}") from error
    return written


def write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, also in place of one that was there. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)  # also one that was there before
        file.write(content)


def _portions(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """Some at a time: a name that is a picture takes 100 kB while it waits."""
    for at in range(0, len(pieces), _PORTION):
        yield pieces[at : at + _PORTION]


def _cuts() -> Sequence[tuple[float, float, float, float]]:
    """At the edges and in the middle of a sheet of four."""
    width, height = A4
    x, y = CARD[0], height / 2
    inset = 3.0  # what printers leave white
    return [
        (x, inset, x, inset + _CUT),
        (x, height - inset - _CUT, x, height - inset),
        (inset, y, inset + _CUT, y),
        (width - inset - _CUT, y, width - inset, y),
        (x - _CUT, y, x + _CUT, y),
        (x, y - _CUT, x, y + _CUT),
    ]
