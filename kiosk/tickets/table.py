"""A list as a table of texts: headings and rows, out of a CSV file or a spreadsheet (XLSX), whoever wrote it."""

from __future__ import annotations

import csv
import io
import logging
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from hardware.errors import PlatypusError
from kiosk.tickets.apart import ApartError
from kiosk.tickets.spreadsheet import TooLarge, as_csv

log = logging.getLogger(__name__)

MAX_BYTES = 20_000_000  # 100,000 tickets are about 10 MB; more is a mistake or an attack
_MAX_UNPACKED_BYTES = 200_000_000  # of a spreadsheet: 100,000 tickets of 15 columns are 60 MB
_MAX_RATIO = 100  # lists pack to a tenth, the dullest to a fiftieth
_SPREADSHEET = b"PK\x03\x04"  # a ZIP archive begins so
_OLD_SPREADSHEET = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Excel's before 2007, and one with a password


class TicketFileError(PlatypusError, ValueError):
    """A list cannot be taken; its text names the file, the rows and what to do."""

    code = "ticket_file"


Line = tuple[int, Sequence[str]]  # its number, counted from 1, and its cells


class Table(NamedTuple):
    """A list as it stands in the file. Its rows are read anew each time: 100,000 of them need not be kept."""

    name: str  # the file's, for those who read what is wrong with it
    headings: Sequence[str]  # as written, without outer blanks
    lines: Callable[[], Iterator[Line]]  # headings and all, without empty ones; raises TicketFileError on the way
    encoding: str  # "xlsx" of a spreadsheet
    separator: str  # "" of a spreadsheet
    kept_bytes: int  # which it takes in memory for as long as there is one

    def rows(self) -> Iterator[Line]:
        """What stands below the headings. Raises TicketFileError."""
        lines = self.lines()
        next(lines, None)
        return lines


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
    _, first = next(table.lines(), (1, []))
    headings = [cell.strip() for cell in first]
    if not any(headings):
        raise TicketFileError(f"{name} is empty: the first line must be the headings.")
    twice = sorted({heading for heading in headings if heading and headings.count(heading) > 1})
    if twice:
        raise TicketFileError(f"{name} has two columns named {twice[0]!r}: rename or delete one of them.")
    return table._replace(headings=headings)


def _text(name: str, raw: bytes) -> Table:
    encoding = _encoding(name, raw)
    with _opened(raw, encoding) as text:
        separator = max(",;\t|", key=text.readline().count)

    def lines() -> Iterator[Line]:
        reader = csv.reader(_opened(raw, encoding), delimiter=separator, strict=True)
        try:
            for number, cells in enumerate(reader, start=1):
                if number == 1 or any(cell.strip() for cell in cells):
                    yield number, cells
        except csv.Error as error:
            raise TicketFileError(f"{name} is not a CSV list: {error}. Export it again as CSV (UTF-8).") from error

    return Table(name, [], lines, encoding, separator, len(raw))


def _opened(raw: bytes, encoding: str) -> TextIO:
    return io.TextIOWrapper(io.BytesIO(raw), encoding=encoding, newline="")


def _encoding(name: str, raw: bytes) -> str:
    is_wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    if raw.startswith(_OLD_SPREADSHEET):
        raise TicketFileError(f"{name} is a spreadsheet of an old kind, or has a password: save it as XLSX or CSV.")
    if b"\0" in raw[:4096] and not is_wide:
        raise TicketFileError(f"{name} is neither text nor a spreadsheet. Export the list again as CSV or XLSX.")
    line = _first_broken_line(raw)
    if line and not is_wide:
        raise TicketFileError(
            f"{name} is UTF-8 with broken letters, the first in line {line}: was it cut off? Export it again."
        )
    # Windows' cp1252 is what Excel writes for "CSV" in western Europe; as Latin-1 it takes any byte, so it comes last.
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise TicketFileError(f"{name} is in no known encoding. Export it again as CSV (UTF-8).")


def _first_broken_line(raw: bytes) -> int:
    """Of a text that is UTF-8 but for some letters; 0 when it is whole, or was never meant so."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        whole = sum(not letter.isascii() for letter in raw.decode(errors="ignore"))
        broken = raw.decode(errors="replace").count("\ufffd")
        return raw.count(b"\n", 0, error.start) + 1 if whole > broken else 0
    return 0


def _spreadsheet(name: str, raw: bytes) -> Table:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
    except Exception as error:  # whatever a hostile archive makes of its reader
        raise _broken(name) from error
    if unpacked > min(_MAX_UNPACKED_BYTES, _MAX_RATIO * len(raw)):
        raise TicketFileError(f"{name} would be {unpacked:,} bytes when unpacked. Is it the right file?")
    try:
        text = as_csv(raw)
    except TooLarge as error:
        raise TicketFileError(
            f"{name} has more rows or columns than a list of tickets. Is it the right file?"
        ) from error
    except ApartError as error:
        raise _broken(name) from error

    def lines() -> Iterator[Line]:
        width = 0
        for number, words in enumerate(csv.reader(_opened(text, "utf-8"), strict=True), start=1):
            while len(words) > width and not words[-1]:
                words.pop()
            if any(words):
                width = width or len(words)
                # A spreadsheet leaves out the empty cells at the end of a row, and has some beside its table.
                yield number, words + [""] * (width - len(words))

    return Table(name, [], lines, "xlsx", "", len(text))


def _broken(name: str) -> TicketFileError:
    log.info("file=spreadsheet event=not-read")  # and not why: that may have cells in it
    return TicketFileError(f"{name} is not a spreadsheet that can be read. Save it again as XLSX, or export it as CSV.")
