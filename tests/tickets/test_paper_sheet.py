"""The PDF of the paper list: every ticket once, whatever its name is written in, and room for who has none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from paper_reader import texts_of

from kiosk.tickets.lettering import is_plain, lettered, one_line
from kiosk.tickets.paper_sheet import PaperLine, PaperSheet, paper, paper_apart

NAMES = (
    *("Łukasz Żuławski", "Νίκος", "Борис", "Nguyễn Văn An", "أمينة", "王小明", "דוד", "शाम", "🦆👩‍👩‍👧", "נ̱"),
    *("\u202eback\u202c\x07\n\ttwo lines", "long " * 60, "", "(a\\b)", "e\u0301"),
)


def line(number: int, name: str, **more: object) -> PaperLine:
    given = {"kind": "Seat", "persons": "", "state": "", "letter": name[:1], **more}
    return PaperLine(number=f"{number}-0", name=name, **given)  # type: ignore[arg-type]


def sheet(*lines: PaperLine, event: str = "An evening") -> PaperSheet:
    return PaperSheet(
        event=event,
        about="Tuesday, 50 seats",
        made="printed at 18:42",
        heads=("Number", "Name", "Kind", "People", "State", "Time"),
        page="page {page} of {pages}",
        foot="shred it",
        walk_ins="Walk-ins",
        lines=lines,
    )


def guests(count: int) -> list[PaperLine]:
    return [line(n, f"{chr(65 + n * 26 // count)} Guest{n}") for n in range(1, count)]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 29, 30, 31, 500])
def test_every_ticket_is_on_it_once_and_blank_lines_follow(count: int) -> None:
    pages = texts_of(paper(sheet(*(line(n, f"Guest {n}") for n in range(1, count + 1)))))
    numbers = [text for page in pages for text in page if re.fullmatch(r"\d+-0", text)]
    assert numbers == [f"{n}-0" for n in range(1, count + 1)]
    for number, page in enumerate(pages, 1):
        assert f"page {number} of {len(pages)}" in page
        for text in ("An evening", "Tuesday, 50 seats", "printed at 18:42", "shred it"):
            assert text in page
        assert ("Walk-ins" in page) == (number == len(pages))


def test_each_page_says_from_which_letter_to_which_it_goes() -> None:
    pages = texts_of(paper(sheet(*guests(61))))
    assert [text for page in pages for text in page if re.fullmatch("[A-Z] \N{EN DASH} [A-Z]", text)] == [
        "A \N{EN DASH} M",
        "N \N{EN DASH} Z",
    ]


@pytest.mark.parametrize("font", ["there", "absent"])
def test_any_name_comes_out_and_loses_no_line(tmp_path: Path, font: str) -> None:
    options = {"font": tmp_path / "no.ttf"} if font == "absent" else {}
    for event in NAMES:
        made = paper(
            sheet(*(line(n, name, kind=name, state=name) for n, name in enumerate(NAMES, 1)), event=event), **options
        )
        texts = [text for page in texts_of(made) for text in page]
        assert [text for text in texts if re.fullmatch(r"\d+-0", text)] == [f"{n}-0" for n in range(1, len(NAMES) + 1)]
    if font == "there":
        assert "Łukasz Żuławski" in texts and "Борис" in texts and "(a\\b)" in texts and "é" in texts


def test_what_the_font_cannot_set_is_a_picture_with_ink_in_it() -> None:
    letters = set(range(0x20, 0x3000))
    odd = [one_line(name) for name in NAMES if not is_plain(one_line(name), letters)]
    assert odd == ["أمينة", "王小明", "דוד", "शाम", "🦆👩‍👩‍👧", "נ̱"]
    found = lettered(odd)
    assert list(found) == odd and all(each.picture.getbbox() and each.picture.width > 20 for each in found.values())


def test_hundreds_of_such_names_are_as_many_pictures() -> None:
    many = [f"王小明 {n}" for n in range(400)]
    assert list(lettered(many)) == many


def test_without_pango_the_font_that_there_is_does_it() -> None:
    assert lettered(["王小明"], program="no-such-program") == {}


def test_who_is_worth_nothing_is_struck_and_says_why() -> None:
    texts = texts_of(paper(sheet(line(1, "Ada", state="revoked", is_struck=True), line(2, "Bob", is_in=True))))[0]
    assert texts[texts.index("Ada") : texts.index("Ada") + 3] == ["Ada", "Seat", "revoked"]


def test_a_program_of_its_own_draws_the_same() -> None:
    wanted = sheet(line(1, "Ada"), line(2, "王小明"))
    assert texts_of(paper_apart(wanted)) == texts_of(paper(wanted))
