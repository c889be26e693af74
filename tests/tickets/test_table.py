"""Files as tables: spreadsheets as good as CSV, and what is none of both."""

from __future__ import annotations

import io
import random
import resource
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from kiosk.tickets.sheet import sheet_of
from kiosk.tickets.table import TicketFileError, parse_table, read_table


def spreadsheet(rows: Sequence[Sequence[object]]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def test_a_spreadsheet_is_read_as_its_csv_would_be(tmp_path: Path) -> None:
    raw = spreadsheet([("Nom complet", "Codes-barres", "Invités"), ("Zoë Müller", 1234567, 2.0), ("Ada", "A-1", None)])
    (tmp_path / "list.xlsx").write_bytes(raw)
    table = read_table(tmp_path / "list.xlsx")
    assert (table.headings, table.encoding) == (["Nom complet", "Codes-barres", "Invités"], "xlsx")
    assert list(table.rows()) == [(2, ["Zoë Müller", "1234567", "2"]), (3, ["Ada", "A-1", ""])]
    text = parse_table("list.csv", "Nom complet;Codes-barres;Invités\nZoë Müller;1234567;2\nAda;A-1;\n".encode())
    assert sheet_of(table, needs_code=True).rows == sheet_of(text, needs_code=True).rows


def test_lines_are_counted_as_the_spreadsheet_counts_them() -> None:
    table = parse_table("list.xlsx", spreadsheet([(), ("Name", "Code"), (), ("Ada", "A1"), ("Bob", None)]))
    with pytest.raises(TicketFileError, match="row 5: no code"):
        sheet_of(table, needs_code=True)


def test_times_of_a_spreadsheet_are_meant_at_the_venue() -> None:
    from_cell = datetime(2026, 11, 26, 18, 0, tzinfo=UTC).replace(tzinfo=None)
    table = parse_table("list.xlsx", spreadsheet([("Name", "Code", "Valid from"), ("Ada", "A1", from_cell)]))
    (row,) = sheet_of(table, needs_code=True, zone=ZoneInfo("Europe/Paris")).rows
    assert row.valid_from == datetime(2026, 11, 26, 17, 0, tzinfo=UTC)
    text = parse_table("list.csv", b"Name,Code,Valid from\nAda,A1,2026-11-26T18:00\n")
    with pytest.raises(TicketFileError, match="row 2: .* has no time zone"):
        sheet_of(text, needs_code=True, zone=ZoneInfo("Europe/Paris"))


def test_letters_that_were_guessed_are_shown() -> None:
    name = "\u0411\u043e\u0440\u0438\u0441"  # Boris, in Russian
    raw = f"Name,Code\nAda,A1\n{name},A2\n"
    guessed = sheet_of(parse_table("list.csv", raw.encode("cp1251")), needs_code=True)
    assert guessed.doubtful_letters == name.encode("cp1251").decode("cp1252")
    assert sheet_of(parse_table("list.csv", raw.encode()), needs_code=True).doubtful_letters == ""


def test_of_a_cell_no_more_is_kept_than_any_ticket_has() -> None:
    table = parse_table("list.xlsx", spreadsheet([("Name", "Code", "Life"), ("Ada", "A1", "x" * 32_000)]))
    assert sheet_of(table, needs_code=True).rows[0].code == "A1"
    assert table.kept_bytes < 3_000


def test_a_few_kilobytes_that_grow_are_refused_and_cost_this_program_nothing() -> None:
    raw = _with("xl/worksheets/sheet1.xml", _GROWING)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = b"&quot;" * 1_900  # two letters each, as CSV has it
    parts["xl/sharedStrings.xml"] = b"<sst><si><t>" + text + b"</t></si></sst>"
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with pytest.raises(TicketFileError, match="more rows or columns"):
        parse_table("the file", _archive(parts))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mb < 60


def test_cells_beside_the_table_are_said() -> None:
    table = parse_table("list.xlsx", spreadsheet([("Name", "Code"), ("Ada", "A1", "a note beside it")]))
    with pytest.raises(TicketFileError, match="row 2: 3 cells where the headings have 2"):
        sheet_of(table, needs_code=True)


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        (True, "true"),
        (datetime(2026, 11, 26, 19, 0, tzinfo=UTC).replace(tzinfo=None), "2026-11-26T19:00:00"),
        (date(2026, 11, 26), "2026-11-26T00:00:00"),  # a spreadsheet has no days without a time
        (12.5, "12.5"),
        ("  A 1 ", "A 1"),
    ],
)
def test_cells_become_words(cell: object, word: str) -> None:
    table = parse_table("list.xlsx", spreadsheet([("Name",), (cell,)]))
    assert list(table.rows()) == [(2, [word])]


@pytest.mark.parametrize("digits", [12345678901234567890, 1e30])
def test_a_code_that_a_spreadsheet_has_rounded_is_refused(digits: float) -> None:
    table = parse_table("list.xlsx", spreadsheet([("Name", "Code"), ("Ada", digits)]))
    with pytest.raises(TicketFileError, match="row 2: .* was a code before a spreadsheet shortened it"):
        sheet_of(table, needs_code=True)


@pytest.mark.parametrize("value", ["=1+1", '=HYPERLINK("http://x.example","A1")', "=A1"])
def test_formulas_are_explained_row_by_row(value: str) -> None:
    table = parse_table("list.xlsx", spreadsheet([("Name", "Code"), (value, "A1")]))
    with pytest.raises(TicketFileError, match="row 2: a formula"):
        sheet_of(table, needs_code=True)


def test_a_formula_is_no_code_but_a_signed_code_may_begin_like_one() -> None:
    signed = "=Q" + "4BibyTSylQOgeKjuMPiTDxi5HXPuTVsx1qCli3IL0143gj0EZXOB9iQInANxRFJTt4Pf9nXnHdB91Qk"
    table = parse_table("list.csv", f"Name,Code\nAda,{signed}\n".encode())
    assert sheet_of(table, needs_code=True).rows[0].code == signed
    with pytest.raises(TicketFileError, match="row 2: a formula"):
        sheet_of(parse_table("list.csv", b"Name,Code\nAda,=SUM(A1)\n"), needs_code=True)


def _archive(files: dict[str, bytes]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return kept.getvalue()


def _with(part: str, content: bytes) -> bytes:
    """A good spreadsheet, one part of which is another."""
    with zipfile.ZipFile(io.BytesIO(spreadsheet([("Name", "Code"), ("Ada", "A1")]))) as good:
        return _archive({name: content if name == part else good.read(name) for name in good.namelist()})


def _damaged() -> bytes:
    """Some bytes of what is packed are others."""
    raw = bytearray(spreadsheet([("Name", "Code"), *[(f"Guest {n}", f"C{n}") for n in range(500)]]))
    at = raw.index(b"xl/worksheets/sheet1.xml") + 200
    raw[at : at + 40] = bytes(range(40))
    return bytes(raw)


_NOISE = random.Random(1).randbytes(20_000).hex().encode()  # so that it packs no better than a list


def _row_of(cells: bytes) -> bytes:
    return b"<worksheet><!--" + _NOISE + b"--><sheetData><row>" + cells + b"</row></sheetData></worksheet>"


_LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"lol") for n in range(12))
_GROWING = (
    b"<worksheet><sheetData>"
    + b"".join(
        b'<row r="%d">' % n + b"".join(b'<c r="%c%d" t="s"><v>0</v></c>' % (65 + at, n) for at in range(20)) + b"</row>"
        for n in range(1, 1000)
    )
    + b"<!--"
    + _NOISE
    + b"--></sheetData></worksheet>"
)
_BILLION = b"<?xml version='1.0'?><!DOCTYPE x [" + _LAUGHS + b"]><worksheet><sheetData>&l11;</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (_archive({"readme.txt": b"not a spreadsheet"}), "not a spreadsheet that can be read"),
        (_archive({"xl/workbook.xml": b"\0" * 250_000_000}), "would be 250,000,000 bytes when unpacked"),
        (_archive({"xl/workbook.xml": b"\0" * 10_000_000}), "would be 10,000,000 bytes when unpacked"),
        (_with("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>"), "not a spreadsheet that can be read"),
        (_with("xl/worksheets/sheet1.xml", _BILLION), "not a spreadsheet that can be read"),
        (spreadsheet([("Name", "Code"), ("Ada", "A1")])[:-200], "not a spreadsheet that can be read"),
        (_damaged(), "not a spreadsheet that can be read"),
        (_with("xl/worksheets/sheet1.xml", _row_of(b"<c><v>1</v></c>" * 60_000)), "more rows or columns"),
        (_with("xl/worksheets/sheet1.xml", _row_of(b"<c/>" * 60_000)), "is empty"),
        (_with("xl/worksheets/sheet1.xml", _row_of(b'<c r="XFD1048576"><v>1</v></c>')), "more rows or columns"),
        (_with("xl/worksheets/sheet1.xml", _row_of(b"<c><f>1</f></c>")), "not a spreadsheet that can be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old kind, or has a password"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "neither text nor a spreadsheet"),
        (spreadsheet([]), "is empty"),
        (spreadsheet([["Name"] + [f"c{n}" for n in range(400)]]), "more rows or columns"),
        (b"x" * 20_000_001, "Is it right"),
    ],
    ids=[
        "zip",
        "bomb",
        "small bomb",
        "broken XML",
        "billion laughs",
        "cut off",
        "damaged",
        "a row of cells",
        "a row of nothing",
        "a far cell",
        "a formula somewhere",
        "old",
        "picture",
        "empty",
        "wide",
        "large",
    ],
)
def test_what_is_no_list_is_refused_in_words(raw: bytes, says: str) -> None:
    with pytest.raises(TicketFileError, match=says):
        list(parse_table("the file", raw).rows())
