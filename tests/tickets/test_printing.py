"""Printed tickets: each form is drawn as a printer or a phone draws it, and read back as the door does."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageDraw
from pyzbar import pyzbar

from kiosk.tickets import codes
from kiosk.tickets.card import CARD, LABEL_EDGE, LABEL_WIDTH, SMALLEST_MODULE, Cards, Labels
from kiosk.tickets.design import design_of
from kiosk.tickets.drawing import QUIET_ZONE, Drawing, Symbol, Words
from kiosk.tickets.forms import Form
from kiosk.tickets.printing import Evening, Piece, Printable, Printer, PrintingError, qr, write_tickets
from kiosk.tickets.ticket_words import TICKET_WORDS
from kiosk.tickets.typesetting import FontError

SECRET = bytes(range(32))
EVENING = Evening(
    "Soirée « talks »", datetime(2026, 11, 26, 19, 0, tzinfo=ZoneInfo("Europe/Paris")), "La Paillasse, Paris"
)
LONG_ARABIC = "عبد الرحمن بن محمد بن عبد الله الأنصاري القرطبي الأندلسي المالكي"
NAMES = [
    "Ada Lovelace",
    "Łukasz Wiśniewski",
    LONG_ARABIC,
    "Zoë 🦆 O'Hara",
    "A name of sixty letters that has to be wrapped",
]
PAPER = {Form.A4: "tickets.pdf", Form.PAGE: "tickets-pages.pdf", Form.LABEL: "tickets-labels.pdf"}


def piece(number: int, holder: str = "Ada", **values: object) -> Piece:
    language = "fr" if number % 2 else "en"
    code = codes.own_code(SECRET, "evening", number)
    return Piece(Printable(number, code, holder, "Standard", **values), language)  # type: ignore[arg-type]


PIECES = [piece(number, name, persons=number) for number, name in enumerate(NAMES, 1)]
CODES = [each.ticket.code for each in PIECES]


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dark look with a logo and seven sponsors."""
    folder = tmp_path_factory.mktemp("look")
    (folder / "sponsors").mkdir()
    for name in ("logo.png", *(f"sponsors/{number}.png" for number in range(7))):
        picture = Image.new("RGBA", (400, 120))
        ImageDraw.Draw(picture).ellipse((0, 0, 399, 119), "#c1121f")
        picture.save(folder / name)
    (folder / "look.toml").write_text('background = "#000000"\ntext = "#ffffff"\naccent = "#ff0000"\n')
    return folder


@pytest.fixture(scope="module")
def printer(look: Path) -> Iterator[Printer]:
    with design_of(look) as design:
        assert design.troubles == []
        yield Printer(EVENING, design)


@pytest.fixture(scope="module")
def printed(printer: Printer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("printed") / "out"
    write_tickets(folder, printer, PIECES, set(Form))
    return folder


def pages(file: Path | bytes, dpi: float) -> list[Image.Image]:
    document = pypdfium2.PdfDocument(file)
    try:
        return [page.render(scale=dpi / 72).to_pil().convert("RGB") for page in document]
    finally:
        document.close()


def read_by_both(picture: Image.Image) -> set[str]:
    """What zxing-cpp and pyzbar both read."""
    grey = picture.convert("L")
    first = {each.text for each in zxingcpp.read_barcodes(np.asarray(grey))}
    return first & {each.data.decode() for each in pyzbar.decode(grey, symbols=[pyzbar.ZBarSymbol.QRCODE])}


@pytest.mark.parametrize("dpi", [150, 203])
@pytest.mark.parametrize("form", list(PAPER))
def test_a_ticket_on_paper_is_read_by_both_readers(printed: Path, form: Form, dpi: int) -> None:
    drawn = pages(printed / PAPER[form], dpi)
    assert len(drawn) == (2 if form is Form.A4 else 5)
    assert set().union(*map(read_by_both, drawn)) == set(CODES)


def test_a_label_is_read_as_a_printer_without_grey_burns_it(printed: Path) -> None:
    for page, code in zip(pages(printed / PAPER[Form.LABEL], 203), CODES, strict=True):
        assert read_by_both(page.convert("L").point([0] * 128 + [255] * 128)) == {code}


def test_a_picture_for_a_phone_is_read_and_has_whole_pixels_a_module(printed: Path) -> None:
    for each in PIECES:
        with Image.open(printed / f"{each.ticket.number:04d}.png") as picture:
            assert read_by_both(picture) == {each.ticket.code}
            assert [round(dpi, 1) for dpi in picture.info["dpi"]] == [190.5, 190.5]
            (found,) = zxingcpp.read_barcodes(np.asarray(picture.convert("L")))
            side = found.position.bottom_right.x - found.position.top_left.x + 1
            assert abs(side - round(side / 25) * 25) <= 2 and side / 25 >= 8


def test_an_svg_has_the_modules_of_the_code_and_needs_no_font(printed: Path) -> None:
    for each in PIECES:
        text = (printed / f"{each.ticket.number:04d}.svg").read_text()
        assert "font-family" not in text and "<text" not in text
        (bars,) = re.findall(r'transform="translate\([^"]*" d="(M[^"]*)"', text)
        grid = np.zeros((25, 25), bool)
        for x, y, width, height in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+z", bars):
            grid[int(y) : int(y) + int(height), int(x) : int(x) + int(width)] = True
        assert (grid == np.array(qr(each.ticket.code).matrix, bool)).all()


def test_every_symbol_has_its_quiet_zone_in_white_whatever_the_colours_are(printed: Path) -> None:
    for form in (Form.PAGE, Form.A4, Form.LABEL):
        for page in pages(printed / PAPER[form], 203):
            for found in zxingcpp.read_barcodes(np.asarray(page.convert("L"))):
                corners = found.position
                left, right = corners.top_left.x, corners.bottom_right.x
                top, foot = corners.top_left.y, corners.bottom_right.y
                zone = int((right - left) / 25 * QUIET_ZONE) - 2  # 2 px: the edges are soft
                around = np.asarray(page)[top - zone : foot + zone, left - zone : right + zone].copy()
                around[zone - 2 : -zone + 2, zone - 2 : -zone + 2] = 255
                assert (around > 250).all()


def drawings(look: Path, ticket: Printable, evening: Evening = EVENING) -> Sequence[Drawing]:
    rows = [[bool(dark) for dark in row] for row in qr(ticket.code).matrix]
    with design_of(look) as design:
        return [
            each
            for say in TICKET_WORDS.values()
            for each in (
                Cards(evening, design, say).own(ticket, rows),
                Labels(evening, design, say).whole(ticket, rows),
            )
        ]


def symbol(drawing: Drawing) -> Symbol:
    return next(item for item in drawing.items if isinstance(item, Symbol))


def said(drawing: Drawing) -> str:
    return " ".join(item.text for item in drawing.items if isinstance(item, Words))


def test_modules_are_large_also_where_everything_is_as_long_as_can_be(look: Path) -> None:
    evening = Evening("An evening whose name goes on and on " * 5, EVENING.when, "A venue with a long address " * 8)
    for holder in ("A very long name " * 12, LONG_ARABIC * 2, ""):
        ticket = Printable(7, codes.own_code(SECRET, "e", 7), holder, "A kind with a long name " * 8, 20)
        for drawing in drawings(look, ticket, evening):
            drawn = symbol(drawing)
            assert drawn.module >= SMALLEST_MODULE
            assert drawn.x >= 0 and drawn.x + drawn.side <= drawing.width
            assert drawn.y >= 0 and drawn.y + drawn.side <= drawing.height
            for item in drawing.items:
                if isinstance(item, Words):  # nothing is written over the symbol, nor beside the paper
                    assert item.baseline - item.size * 0.78 >= drawn.y + drawn.side - 1e-6 or item.baseline <= drawn.y
                    assert LABEL_EDGE <= item.x < drawing.width and 0 < item.baseline < drawing.height - 3


def test_an_ordinary_ticket_has_a_module_of_more_than_a_millimetre(look: Path) -> None:
    for drawing in drawings(look, PIECES[0].ticket):
        assert symbol(drawing).module >= 1.2


def test_a_ticket_says_what_counts_in_both_languages(look: Path, printer: Printer) -> None:
    ticket = Printable(12, codes.own_code(SECRET, "e", 12), "Łukasz Wiśniewski", "Speaker", 3)
    english, label, french, _ = map(said, drawings(look, ticket))
    for text in (english, label, french):
        assert "Wiśniewski" in text and codes.groups(ticket.code)[:19] in text
    assert "Speaker · for 3 persons" in english and "Ticket no. 12" in english and "say your name" in english
    assert (
        "Speaker · pour 3\u00a0personnes" in french and "Billet n°\u00a012" in french and "donnez votre nom" in french
    )
    assert "Thursday 26 November 2026, 19:00" in label and "La Paillasse" in label


def test_every_language_has_every_word() -> None:
    for language, words in TICKET_WORDS.items():
        assert words.language == language and all(words)
        for name in ("ticket_number", "persons", "subject", "hello", "here_is", "code_label", "file_name"):
            assert getattr(words, name).count("{}") == 1


def test_a_sheet_has_four_cards_and_a_label_is_62_millimetres_wide(printed: Path) -> None:
    def sizes(form: Form) -> list[tuple[int, int]]:
        document = pypdfium2.PdfDocument(printed / PAPER[form])
        found = [tuple(round(side * 25.4 / 72) for side in page.get_size()) for page in document]
        document.close()
        return found  # type: ignore[return-value]

    assert sizes(Form.A4) == [(210, 297)] * 2
    assert sizes(Form.PAGE) == [(int(CARD[0]), int(CARD[1]))] * 5
    assert {width for width, _ in sizes(Form.LABEL)} == {int(LABEL_WIDTH)}


def test_a_label_has_no_colour_and_nothing_where_its_printer_cannot_reach(printed: Path) -> None:
    for page in pages(printed / PAPER[Form.LABEL], 203):
        pixels = np.asarray(page).astype(int)
        assert (pixels.max(axis=2) - pixels.min(axis=2)).max() <= 8
        edge = int(3 / 25.4 * 203)
        inner = pixels.copy()
        inner[edge:-edge, edge:-edge] = 255
        assert inner.min() > 250


def test_the_arabic_name_is_written_from_the_right_in_letters_that_join(look: Path) -> None:
    with design_of(look) as design:
        joined = design.type.place("محمد", 0, 0, 90, 6.6)
        apart = design.type.place("م\u200cح\u200cم\u200cد", 0, 0, 90, 6.6)
    assert joined.items[0].width < apart.items[0].width  # type: ignore[union-attr]


def test_many_names_in_other_scripts_are_set_at_a_time(look: Path) -> None:
    names = [f"محمد {number}" for number in range(45)] + ["שרה", "李明", "नेहा", "🦆"]
    with design_of(look) as design:
        design.type.prepare(names, 6.6, is_bold=True)
        begun_s = time.monotonic()
        placed = [design.type.place(name, 0, 0, 90, 6.6, is_bold=True) for name in names]
        assert time.monotonic() - begun_s < 0.3  # one by one, they take 2 s and more
    assert all(each.items for each in placed)


def test_a_broken_look_costs_no_ticket_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "look.toml").write_text("background = 'rot'")
    (tmp_path / "logo.png").write_bytes(b"no picture")
    with design_of(tmp_path) as design:
        assert len(design.troubles) == 2 and "look.toml" in design.troubles[0] and "logo.png" in design.troubles[1]
        drawn = pages(Printer(EVENING, design).pages(PIECES[:1]), 150)
    assert read_by_both(drawn[0]) == {CODES[0]}


def test_a_missing_font_is_said_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # nobody who finds fonts
    with pytest.raises(FontError, match="apt install fonts-dejavu-core"), design_of(None, tmp_path / "none.ttf"):
        pass


def test_tickets_are_for_their_owner_alone(printed: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in printed.iterdir()} == {0o600}
    assert printed.stat().st_mode & 0o777 == 0o700


def test_tickets_that_cannot_be_written_are_refused_in_words(printer: Printer, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(PrintingError, match="cannot be written"):
        write_tickets(tmp_path / "out", printer, PIECES[:1], [Form.PNG])


def test_a_picture_is_small_enough_for_a_letter(printer: Printer) -> None:
    content = printer.png(PIECES[2])
    assert len(content) < 60_000
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (788, 1110)
