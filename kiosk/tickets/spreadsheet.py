"""A spreadsheet (XLSX) as CSV, row by row, read by a program of its own: its reader keeps all of it in memory, and a
hostile file ends that program and no other.

python -m kiosk.tickets.spreadsheet < list.xlsx > list.csv
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
import resource
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import IO
from xml.etree import ElementTree

from hardware.errors import PlatypusError
from kiosk.tickets.apart import ApartError, made_apart

MAX_ROWS = 300_000
MAX_COLUMNS = 300
MAX_TEXT = 20_000_000  # letters in all, as of a list that is text: a few kB of spreadsheet can be grown to any size
_LONGEST_CELL = 2_000  # letters; no more of a cell is kept: nothing that a ticket has is longer than half of that
_LIMIT_S = 120  # 100,000 tickets take 3 s on a PC
_LIMIT_BYTES = 240_000_000  # of addresses: 100,000 tickets of 10 columns take less than 200 MB of them
_PORTION_BYTES = 1 << 20
_EXACT_DIGITS = 15  # a spreadsheet keeps no more of a number
# Its reader gives what a formula came to, and nothing for one that failed. We want neither: a code that is worked out
# is a mistake, and a guest whose name is an error, too.
_WORKED_OUT = re.compile(
    rb"""<(?:\w+:)?c\b([^<>]*)>(?:\s|<!--.*?-->)*<(?:\w+:)?f\b[^<>]*>([^<]*)"""
    rb"""|<(?:\w+:)?c\b([^<>]*\bt=["']e["'][^<>]*)>(?:\s|<!--.*?-->)*<(?:\w+:)?v>([^<]*)""",
    re.DOTALL,
)
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")

_TOO_LARGE = f"more than {MAX_ROWS} rows, {MAX_COLUMNS} columns, or {MAX_TEXT} letters"

Marks = Mapping[int, Mapping[int, str]]  # row, column, counted from 0 -> the formula, or the error


class TooLarge(PlatypusError, ValueError):
    """It has more than MAX_ROWS, MAX_COLUMNS or MAX_TEXT."""

    code = "too_large"


def as_csv(raw: bytes) -> bytes:
    """The first sheet, in UTF-8, with a line for each of its rows.

    Raises TooLarge, and ApartError for what is no spreadsheet.
    """
    try:
        return made_apart("kiosk.tickets.spreadsheet", raw, _LIMIT_S)
    except ApartError as error:
        if str(error) == _TOO_LARGE:
            raise TooLarge(_TOO_LARGE) from error
        raise


def _rows(raw: bytes) -> Iterator[Sequence[str]]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum  # noqa: PLC0415  # for the child alone

    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    name = next(sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet)
    sheet = book.get_sheet_by_name(name)
    marks = _worked_out(raw, name)
    ends = [sheet.end or (0, 0), *((row, column) for row, columns in marks.items() for column in columns)]
    rows, columns = (max(end) + 1 for end in zip(*ends, strict=True))
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        sys.exit(_TOO_LARGE)
    beside = [""] * (sheet.start[1] if sheet.start else 0)  # columns before the first that has anything
    lines, letters = sheet.iter_rows(), 0
    for number in range(rows):
        words = beside + [_word(cell)[:_LONGEST_CELL] for cell in next(lines, ())]
        for column, text in marks.get(number, {}).items():
            words += [""] * (column + 1 - len(words))
            words[column] = text[:_LONGEST_CELL]
        letters += sum(map(len, words))
        if letters > MAX_TEXT:
            sys.exit(_TOO_LARGE)
        yield words


def _worked_out(raw: bytes, name: str) -> Marks:
    """The cells of a sheet that a formula fills, or an error. Raises ValueError when one does not say where it is."""
    marks: dict[int, dict[int, str]] = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as archive, archive.open(_part(archive, name)) as file:
        for text in _portions(file):
            if b"<!DOCTYPE" in text:
                raise ValueError("a document type, which no spreadsheet has")
            for cell in _WORKED_OUT.finditer(text):
                place = _PLACE.search(cell[1] or cell[3])
                if place is None:
                    raise ValueError("a formula without a place")
                formula, error = cell[2], cell[4]
                said = "=" + formula.decode() if formula is not None else error.decode()
                marks.setdefault(int(place[2]) - 1, {})[_column(place[1])] = said
    return marks


def _portions(file: IO[bytes]) -> Iterator[bytes]:
    """A sheet in pieces, none of which ends inside a cell."""
    rest = b""
    while portion := file.read(_PORTION_BYTES):
        text, end, rest = (rest + portion).rpartition(b"row>")
        yield text + end
    yield rest


def _part(archive: zipfile.ZipFile, name: str) -> str:
    """Where in the file the sheet of this name is."""
    book, parts = (
        ElementTree.fromstring(archive.read(name))  # noqa: S314  # what an attack of it could take is limited
        for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    )
    key = next(
        value
        for sheet in book.iterfind("{*}sheets/{*}sheet")
        if sheet.get("name") == name
        for word, value in sheet.attrib.items()
        if word.endswith("}id")
    )
    target = next(part.get("Target", "") for part in parts if part.get("Id") == key)
    return posixpath.normpath(posixpath.join("/xl", target)).removeprefix("/")


def _column(letters: bytes) -> int:
    """A is 0, Z 25, AA 26."""
    column = 0
    for letter in letters:
        column = column * 26 + letter - ord("A") + 1
    return column - 1


def _word(value: object) -> str:
    """A cell as a CSV export would have it."""
    match value:
        case str():
            return value.strip()
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 10**_EXACT_DIGITS:
            return str(int(value))
        case float() if abs(value) >= 10**_EXACT_DIGITS:
            return f"{value:.{_EXACT_DIGITS - 1}E}"  # and so whoever takes it for a code sees that it is none
        case datetime():
            return value.isoformat()
        case date():  # a spreadsheet has no days without a time
            return datetime.combine(value, time()).isoformat()
        case _:
            return str(value).strip()


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_LIMIT_BYTES, _LIMIT_BYTES))
    with io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="") as text:
        out = csv.writer(text)
        out.writerows(_rows(sys.stdin.buffer.read()))


if __name__ == "__main__":
    _main()
