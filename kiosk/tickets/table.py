"""A list as a table of texts: headings and rows, out of a CSV file or a spreadsheet (XLSX), whoever wrote it."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from hardware.errors import PlatypusError

MAX_BYTES = 20_000_000  # 100,000 tickets are about 10 MB; more is a mistake or an attack
_MAX_UNPACKED_BYTES = 200_000_000  # of a spreadsheet: 100,000 tickets of 15 columns are 60 MB
_MAX_ROWS = 300_000
_MAX_COLUMNS = 300
_SPREADSHEET = b"PK\x03\x04"  # a ZIP archive begins so
_OLD_SPREADSHEET = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Excel's before 2007, and one with a password
_EXACT_DIGITS = 15  # a spreadsheet keeps no more of a number


class TicketFileError(PlatypusError, ValueError):
    """A list cannot be taken; its text names the file, the rows and what to do."""

    code = "ticket_file"


class Table(NamedTuple):
    """A list as it stands in the file."""

    name: str  # the file's, for those who read what is wrong with it
    headings: Sequence[str]  # as written, without outer blanks
    rows: Sequence[tuple[int, Sequence[str]]]  # line, counted from 1 with the headings, and cells
    encoding: str  # "xlsx" of a spreadsheet
    separator: str  # "" of a spreadsheet


def read_table(path: Path) -> Table:
    """Read a list. Raises TicketFileError when it is missing, too large, or no list at all."""
    try:
        if not path.is_file() and path.exists():
            raise TicketFileError(f"{path} is not a file; give a list, CSV or XLSX.")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise TicketFileError(f"{path} cannot be read: {error.strerror}. Check the name and the rights.") from error
    return parse_table(str(path), raw)


def parse_table(name: str, raw: bytes) -> Table:
    """A list out of the bytes of its file, which is called `name`. Raises TicketFileError."""
    if len(raw) > MAX_BYTES:
        raise TicketFileError(f"{name} has more than the {MAX_BYTES:,} bytes that a list may have. Is it right?")
    table = _spreadsheet(name, raw) if raw.startswith(_SPREADSHEET) else _text(name, raw)
    if not any(table.headings):
        raise TicketFileError(f"{name} is empty: the first line must be the headings.")
    twice = sorted({heading for heading in table.headings if heading and table.headings.count(heading) > 1})
    if twice:
        raise TicketFileError(f"{name} has two columns named {twice[0]!r}: rename or delete one of them.")
    return table


def _text(name: str, raw: bytes) -> Table:
    text, encoding = _decode(name, raw)
    separator = max(",;\t|", key=text.split("\n", 1)[0].count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise TicketFileError(f"{name} is not a CSV list: {error}. Export it again as CSV (UTF-8).") from error
    headings = [cell.strip() for cell in lines[0]] if lines else []
    rows = [(line, cells) for line, cells in enumerate(lines[1:], start=2) if any(cell.strip() for cell in cells)]
    return Table(name, headings, rows, encoding, separator)


def _decode(name: str, raw: bytes) -> tuple[str, str]:
    is_wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    if raw.startswith(_OLD_SPREADSHEET):
        raise TicketFileError(f"{name} is a spreadsheet of an old kind, or has a password: save it as XLSX or CSV.")
    if b"\0" in raw[:4096] and not is_wide:
        raise TicketFileError(f"{name} is neither text nor a spreadsheet. Export the list again as CSV or XLSX.")
    # Windows' cp1252 is what Excel writes for "CSV" in western Europe; as Latin-1 it takes any byte, so it comes last.
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise TicketFileError(f"{name} is in no known encoding. Export it again as CSV (UTF-8).")


def _spreadsheet(name: str, raw: bytes) -> Table:
    from openpyxl import load_workbook  # noqa: PLC0415  # 0.2 s: only where a spreadsheet is read
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    broken = f"{name} is not a spreadsheet that can be read. Save it again as XLSX, or export it as CSV."
    try:
        _check_size(name, raw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that it leaves out
            book = load_workbook(io.BytesIO(raw), read_only=True)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its own size is not always so
            cells = _bounded(name, sheet.iter_rows(values_only=True))
            lines = [(number, words) for number, words in enumerate(map(_words, cells), start=1) if any(words)]
        finally:
            book.close()
    except TicketFileError:
        raise
    except (InvalidFileException, zipfile.BadZipFile, KeyError, IndexError, ValueError, SyntaxError, OSError) as error:
        raise TicketFileError(broken) from error  # SyntaxError: XML that is none
    headings = lines[0][1] if lines else []
    while headings and not headings[-1]:
        headings.pop()
    width = len(headings)
    # A spreadsheet leaves out the empty cells at the end of a row, and has some beside its table.
    rows = [
        (number, [*words[:width], *[""] * (width - len(words)), *filter(None, words[width:])])
        for number, words in lines[1:]
    ]
    return Table(name, headings, rows, "xlsx", "")


def _check_size(name: str, raw: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        unpacked = sum(each.file_size for each in archive.infolist())
    if unpacked > _MAX_UNPACKED_BYTES:
        raise TicketFileError(f"{name} would be {unpacked:,} bytes when unpacked. Is it the right file?")


def _bounded(name: str, lines: Iterator[Sequence[object]]) -> Iterator[Sequence[object]]:
    for number, line in enumerate(lines):
        if number > _MAX_ROWS or len(line) > _MAX_COLUMNS:
            raise TicketFileError(f"{name} has more rows or columns than a list of tickets. Is it the right file?")
        yield line


def _words(cells: Sequence[object]) -> list[str]:
    return [_word(cell) for cell in cells]


def _word(value: object) -> str:
    """A cell as a CSV export would have it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 10**_EXACT_DIGITS:
            return str(int(value))
        case int() | float() if abs(value) >= 10**_EXACT_DIGITS:
            return f"{value:.{_EXACT_DIGITS - 1}E}"  # and so whoever takes it for a code sees that it is none
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value).strip()
