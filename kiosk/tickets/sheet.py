"""A list of people or tickets, from whatever wrote it: whose list it is and its columns are found out, and said.

All or nothing: a list with a bad row gives `TicketFileError` with every bad row explained, and no rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from kiosk.tickets import codes
from kiosk.tickets.list_words import HEADINGS, LANGUAGES, STATUS_WORDS, WORDS
from kiosk.tickets.sources import Source, source_of
from kiosk.tickets.status import Status
from kiosk.tickets.table import MAX_BYTES, Table, TicketFileError

__all__ = [
    "MAX_BYTES",
    "WORDS",
    "MissingColumn",
    "Row",
    "Sheet",
    "TicketFileError",
    "fold",
    "guessed",
    "sheet_of",
    "source_of_list",
]

_MAX_COMPLAINTS = 20
_FEW = frozenset(
    {"product", "status", "note", "language"}
)  # the same few words again and again: one copy of each is kept
_MOST_GUESTS = 20
# As a spreadsheet shortens a long number, and how it says that it could not compute. A signed code of pretix may begin
# with "=" itself.
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
_SIGNED = re.compile(r"=*[A-Za-z0-9+/]{60,}")
_FAILED = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)")
# What steers a terminal or the direction of a text: no name has it.
_STEERING = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_LONGEST = {  # characters, as the ledger has room for
    "holder": 200,
    "first": 100,
    "last": 100,
    "email": 320,
    "product": 200,
    "order_code": 64,
    "note": 500,
    "code": 1_000,
    "status": 60,
    "valid_from": 60,
    "valid_until": 60,
    "guests": 10,
    "language": 40,
}

_GUESSED = ("cp1252", "latin-1")  # what is none of the other encodings is one of these, or one that nobody can know

Complaint = tuple[int, str]  # row, what is wrong with it


class MissingColumn(TicketFileError):
    """A column that a list must have was not found; somebody can say which one it is."""

    code = "missing_column"


class Row(NamedTuple):
    """One person or ticket of a list."""

    line: int  # in the file, counted from 1 with the heading
    code: str | None
    holder: str | None
    email: str | None
    product: str | None
    status: Status
    valid_from: datetime | None  # aware, UTC
    valid_until: datetime | None
    guests: int = 0  # people it admits beside its holder
    order_code: str | None = None
    note: str | None = None  # what a volunteer must see
    language: str | None = None  # "en" or "fr", when the list says one of them


class Sheet(NamedTuple):
    """A list that was read, and what was found out about it."""

    rows: Sequence[Row]
    size: int  # how many rows
    columns: Mapping[str, str]  # our word -> the heading it was taken from
    fields: frozenset[str]  # what the list speaks of, as fields of a ticket
    encoding: str
    separator: str
    doubtful_letters: (
        str  # a name with letters that were guessed, since the file does not say how it writes them; or ""
    )
    source: Source
    headings: Sequence[str]  # all there are


def source_of_list(table: Table) -> Source:
    """Whose list it seems to be."""
    return source_of({fold(heading) for heading in table.headings})


def sheet_of(
    table: Table,
    *,
    columns: Mapping[str, str] | None = None,
    needs_code: bool,
    source: Source | None = None,
    zone: tzinfo | None = None,
) -> Sheet:
    """What a list says. `columns` names headings that must not be guessed: our word (of WORDS) -> the list's; "" for
    one that it has not.

    Times in a spreadsheet have no zone: they are meant in `zone`. Without `needs_code` it may be without codes: people
    are told apart by their names then. Raises TicketFileError when it lacks a needed column, or any row is bad.
    """
    source = source or source_of_list(table)
    places = _places(table, source, columns or {}, needs_code=needs_code)
    rows, complaints = _rows(table, places, source, zone if table.encoding == "xlsx" else None)
    complaints = sorted(complaints + _repeated_codes(rows))
    if complaints:
        more = len(complaints) - _MAX_COMPLAINTS
        shown = [f"row {line}: {what}" for line, what in complaints[:_MAX_COMPLAINTS]]
        shown += [f"and {more} more"] if more > 0 else []
        raise TicketFileError(f"{table.name}: nothing was taken, mend these rows first:\n  " + "\n  ".join(shown))
    if not rows:
        raise TicketFileError(f"{table.name} has headings but no rows.")
    taken_from = {ours: table.headings[at] for ours, at in places.items()}
    fields = {"holder" if ours in {"first", "last"} else ours for ours in places} - {"code"}
    return Sheet(
        rows,
        len(rows),
        taken_from,
        frozenset(fields),
        table.encoding,
        table.separator,
        _doubtful_letters(rows) if table.encoding in _GUESSED else "",
        source,
        table.headings,
    )


def _doubtful_letters(rows: Iterable[Row]) -> str:
    return next((row.holder for row in rows if row.holder and not row.holder.isascii()), "")


# Letters that Unicode does not take apart into a base and its accent.
_WHOLE_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "þ": "th"})


def fold(text: str) -> str:
    """Lower case without accents, punctuation as single blanks: how headings and status words are compared."""
    parts = unicodedata.normalize("NFKD", text.casefold().translate(_WHOLE_LETTERS))
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def guessed(table: Table, source: Source) -> dict[str, str]:
    """What the columns of a list seem to be: our word -> the list's heading."""
    return {ours: table.headings[at] for ours, at in _guessed(table, source).items()}


def _guessed(table: Table, source: Source) -> dict[str, int]:
    folded = [fold(heading) for heading in table.headings]
    found: dict[str, int] = {}
    for ours, common in HEADINGS.items():
        words = (*source.headings.get(ours, ()), *common)
        at = next((folded.index(word) for word in words if word in folded), None)
        if at is not None:
            found[ours] = at
    return found


def _places(table: Table, source: Source, chosen: Mapping[str, str], *, needs_code: bool) -> dict[str, int]:
    """Our word -> which column it is in."""
    folded = [fold(heading) for heading in table.headings]
    found = _guessed(table, source)
    for ours, heading in chosen.items():
        if ours not in HEADINGS:
            raise TicketFileError(f"{ours!r} is nothing that a ticket has; it has: {', '.join(WORDS)}.")
        if not heading:
            found.pop(ours, None)
        elif heading in table.headings:
            found[ours] = table.headings.index(heading)
        elif fold(heading) in folded:
            found[ours] = folded.index(fold(heading))
        else:
            raise MissingColumn(f"{table.name} has no column {heading!r}; it has: {', '.join(table.headings)}.")
    if needs_code and "code" not in found:
        raise MissingColumn(
            f"{table.name} has no column that looks like a ticket code; it has: {', '.join(table.headings)}. "
            "Say which one it is (--column code=...), or take the list by name (--by-name)."
        )
    if not needs_code and "code" not in found and not {"holder", "first", "last"} & set(found):
        raise MissingColumn(
            f"{table.name} has no column with names (name, nom, first name ...); it has: {', '.join(table.headings)}."
        )
    return found


def _rows(
    table: Table, places: Mapping[str, int], source: Source, zone: tzinfo | None
) -> tuple[list[Row], list[Complaint]]:
    rows: list[Row] = []
    complaints: list[Complaint] = []
    seen: dict[str, str] = {}
    for line, cells in table.rows():
        if len(cells) != len(table.headings):
            complaints.append((line, f"{len(cells)} cells where the headings have {len(table.headings)}"))
            continue
        # A code is taken as it is, but for what a scanner adds or drops: blanks in it may mean something.
        values = {
            ours: cells[at].strip() if ours == "code" else " ".join(cells[at].split()).translate(_STEERING)
            for ours, at in places.items()
        }
        try:
            for ours in _FEW & values.keys():
                values[ours] = seen.setdefault(values[ours], values[ours])
            rows.append(_row(line, values, source, zone))
        except ValueError as error:
            complaints.append((line, str(error)))
    return rows, complaints


def _row(line: int, values: Mapping[str, str], source: Source, zone: tzinfo | None) -> Row:
    for ours, value in values.items():
        if len(value) > _LONGEST[ours]:
            raise ValueError(f"{len(value)} characters for {ours}, {_LONGEST[ours]} are the most")
        is_formula = value.startswith("=") and not (ours == "code" and _SIGNED.fullmatch(value))
        if is_formula or _FAILED.fullmatch(value):
            raise ValueError(f"a formula ({value[:20]}) where a value belongs: paste the list as values")
    code = values.get("code")
    if code is not None:
        if not codes.clean(code.encode()):
            raise ValueError("no code")
        if _SHORTENED.fullmatch(code):
            raise ValueError(f"{code} was a code before a spreadsheet shortened it: format its column as text")
        code = source.code(code)
    # With a first name beside it, "Name" (or "Nom") is the family's.
    parts = (values.get("first"), values.get("last") or values.get("holder"))
    holder = " ".join(part for part in parts if part)
    if "code" not in values and not holder:
        raise ValueError("no name")
    return Row(
        line,
        code,
        holder or None,
        values.get("email") or None,
        values.get("product") or None,
        _status(values.get("status", ""), source),
        _moment(values.get("valid_from", ""), zone),
        _moment(values.get("valid_until", ""), zone),
        _guests(values.get("guests", "")),
        values.get("order_code") or None,
        values.get("note") or None,
        _language(values.get("language", "")),
    )


def _language(word: str) -> str | None:
    """One that tickets speak; where a list has another they speak the venue's."""
    first = fold(word).partition(" ")[0]  # "fr-FR", "English (UK)"
    return next((ours for ours, its in LANGUAGES.items() if first in its), None)


def _guests(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text) <= _MOST_GUESTS):
        raise ValueError(f"{text!r} guests: write a number from 0 to {_MOST_GUESTS}")
    return int(text or 0)


def _status(word: str, source: Source) -> Status:
    folded = fold(word)
    for words in (source.statuses, STATUS_WORDS):
        for status, its in words.items():
            if folded in its:
                return status
    raise ValueError(f"status {word!r} is not known; use one of: {', '.join(Status)}")


def _moment(text: str, zone: tzinfo | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2026-11-24T18:30+01:00") from None
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it as {text}+01:00 or with Z")
    return moment.astimezone(UTC)


def _repeated_codes(rows: Iterable[Row]) -> list[Complaint]:
    first: dict[bytes, int] = {}
    complaints = []
    for row in rows:
        if row.code is None:
            continue
        code = codes.clean(row.code.encode())
        if code in first:
            complaints.append((row.line, f"the same code as row {first[code]}"))
        else:
            first[code] = row.line
    return complaints
