"""A list of people or tickets as CSV, from whatever wrote it: encoding, separator and columns are found out and said.

All or nothing: a file with a bad row gives `TicketFileError` with every bad row explained, and no rows.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from hardware.errors import PlatypusError
from kiosk.tickets import codes
from kiosk.tickets.status import Status

MAX_BYTES = 20_000_000  # 100,000 tickets are about 10 MB; more is a mistake or an attack
_MAX_COMPLAINTS = 20
_MOST_GUESTS = 20


class TicketFileError(PlatypusError, ValueError):
    """A list cannot be taken; its text names the file, the rows and what to do."""

    code = "ticket_file"


Complaint = tuple[int, str]  # row, what is wrong with it


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


class Sheet(NamedTuple):
    """A list that was read, and what was found out about it."""

    rows: Sequence[Row]
    columns: Mapping[str, str]  # our word -> the heading it was taken from
    fields: frozenset[str]  # what the list speaks of, as fields of a ticket
    encoding: str
    separator: str


# Headings met in the exports of pretix, Billetweb, Eventbrite, HelloAsso, Hi.Events, Meetup and in hand-made lists,
# folded (lower case, no accents, blanks for punctuation). The first heading that fits wins.
_HEADINGS: Mapping[str, Sequence[str]] = {
    "code": (
        "code",
        "ticket code",
        "secret",
        "codes barres",
        "code barres",
        "barcode",
        "qr code",
        "qrcode",
        "public id",
    ),
    "holder": (
        "name",
        "nom complet",
        "full name",
        "attendee name",
        "holder",
        "participant",
        "nom du participant",
    ),
    "first": ("first name", "firstname", "given name", "prenom", "prenom du participant", "prenom participant"),
    "last": ("last name", "lastname", "family name", "nom", "surname", "nom de famille"),
    "email": ("email", "e mail", "mail", "courriel", "adresse e mail"),
    "product": (
        "product",
        "product name",
        "ticket type",
        "tickettype",
        "type",
        "category",
        "categorie",
        "tarif",
    ),
    "status": ("status", "attendee status", "statut", "paid", "paye", "etat"),
    "valid_from": ("valid from", "valable des"),
    "valid_until": ("valid until", "valable jusqu a"),
    "guests": ("guests", "invites", "accompagnants"),
    "order_code": ("order code", "order", "commande", "order id"),
    "note": ("note", "notes", "remarque", "diet", "regime", "requires special attention"),
}

_STATUS_WORDS: Mapping[Status, Sequence[str]] = {
    Status.PAID: (
        "",
        "paid",
        "yes",
        "oui",
        "true",
        "1",
        "paye",
        "attending",
        "confirmed",
        "confirme",
        "valid",
        "active",
        "free",
    ),
    Status.UNPAID: (
        "unpaid",
        "no",
        "non",
        "false",
        "0",
        "pending",
        "impaye",
        "en attente",
        "awaiting payment",
    ),
    Status.CANCELED: ("canceled", "cancelled", "annule", "refunded", "rembourse", "not attending"),
    Status.BLOCKED: ("blocked", "bloque"),
    Status.UNAPPROVED: ("unapproved", "awaiting approval"),
    Status.REVOKED: ("revoked", "revoque"),
}


def read_sheet(path: Path, *, code_column: str | None = None, needs_code: bool) -> Sheet:
    """Read a CSV file. `code_column` names the heading of the code when it must not be guessed.

    Raises TicketFileError when the file is missing, too large, not a CSV, lacks a needed column, or any row is bad.
    """
    try:
        if not path.is_file() and path.exists():
            raise TicketFileError(f"{path} is not a file; give a CSV list.")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise TicketFileError(f"{path} has more than the {MAX_BYTES:,} bytes that a list may have. Is it right?")
    except OSError as error:
        raise TicketFileError(f"{path} cannot be read: {error.strerror}. Check the name and the rights.") from error
    text, encoding = _decode(path, raw)
    separator = _separator(text)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise TicketFileError(f"{path} is not a CSV list: {error}. Export it again as CSV (UTF-8).") from error
    if not lines or not any(cell.strip() for cell in lines[0]):
        raise TicketFileError(f"{path} is empty: the first line must be the headings.")
    headings = [cell.strip() for cell in lines[0]]
    columns = _columns(path, headings, code_column, needs_code=needs_code)
    rows, complaints = _rows(lines, headings, columns)
    complaints = sorted(complaints + _repeated_codes(rows))
    if complaints:
        more = len(complaints) - _MAX_COMPLAINTS
        shown = [f"row {line}: {what}" for line, what in complaints[:_MAX_COMPLAINTS]]
        shown += [f"and {more} more"] if more > 0 else []
        raise TicketFileError(f"{path}: nothing was taken, mend these rows first:\n  " + "\n  ".join(shown))
    if not rows:
        raise TicketFileError(f"{path} has headings but no rows.")
    taken_from = {ours: headings[at] for ours, at in columns.items()}
    fields = {"holder" if ours in {"first", "last"} else ours for ours in columns} - {"code"}
    return Sheet(rows, taken_from, frozenset(fields), encoding, separator)


def _decode(path: Path, raw: bytes) -> tuple[str, str]:
    if b"\0" in raw[:4096] and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TicketFileError(f"{path} is not text. A spreadsheet must be exported as CSV first.")
    # Windows' cp1252 is what Excel writes for "CSV" in western Europe; as Latin-1 it takes any byte, so it comes last.
    encodings = ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252", "latin-1")
    for encoding in encodings:
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise TicketFileError(f"{path} is in no known encoding. Export it again as CSV (UTF-8).")


def _separator(text: str) -> str:
    heading = text.split("\n", 1)[0]
    return max(",;\t|", key=heading.count)


# Letters that Unicode does not take apart into a base and its accent.
_WHOLE_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "þ": "th"})


def fold(text: str) -> str:
    """Lower case without accents, punctuation as single blanks: how headings and status words are compared."""
    parts = unicodedata.normalize("NFKD", text.casefold().translate(_WHOLE_LETTERS))
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def _columns(path: Path, headings: Sequence[str], code_column: str | None, *, needs_code: bool) -> dict[str, int]:
    folded = [fold(heading) for heading in headings]
    twice = sorted({heading for heading in headings if heading and headings.count(heading) > 1})
    if twice:
        raise TicketFileError(f"{path} has two columns named {twice[0]!r}: rename or delete one of them.")
    found: dict[str, int] = {}
    for ours, candidates in _HEADINGS.items():
        at = next((folded.index(word) for word in candidates if word in folded), None)
        if at is not None:
            found[ours] = at
    if code_column is not None:
        if code_column not in headings:
            raise TicketFileError(f"{path} has no column {code_column!r}; it has: {', '.join(headings)}.")
        found["code"] = headings.index(code_column)
    if needs_code and "code" not in found:
        raise TicketFileError(
            f"{path} has no column that looks like a ticket code; it has: {', '.join(headings)}. "
            "Name it with --code-column."
        )
    if not needs_code and not {"holder", "first", "last"} & set(found):
        raise TicketFileError(
            f"{path} has no column with names (name, nom, first name ...); it has: {', '.join(headings)}."
        )
    return found


def _rows(
    lines: Sequence[Sequence[str]], headings: Sequence[str], columns: Mapping[str, int]
) -> tuple[list[Row], list[Complaint]]:
    rows: list[Row] = []
    complaints: list[Complaint] = []
    for line, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(headings):
            complaints.append((line, f"{len(cells)} cells where the headings have {len(headings)}"))
            continue
        # A code is taken as it is, but for what a scanner adds or drops: blanks in it may mean something.
        values = {
            ours: cells[at].strip() if ours == "code" else " ".join(cells[at].split()) for ours, at in columns.items()
        }
        try:
            rows.append(_row(line, values))
        except ValueError as error:
            complaints.append((line, str(error)))
    return rows, complaints


def _row(line: int, values: Mapping[str, str]) -> Row:
    code = values.get("code")
    if code == "":
        raise ValueError("no code")
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
        _status(values.get("status", "")),
        _moment(values.get("valid_from", "")),
        _moment(values.get("valid_until", "")),
        _guests(values.get("guests", "")),
        values.get("order_code") or None,
        values.get("note") or None,
    )


def _guests(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text) <= _MOST_GUESTS):
        raise ValueError(f"{text!r} guests: write a number from 0 to {_MOST_GUESTS}")
    return int(text or 0)


def _status(word: str) -> Status:
    for status, words in _STATUS_WORDS.items():
        if fold(word) in words:
            return status
    raise ValueError(f"status {word!r} is not known; use one of: {', '.join(Status)}")


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2026-11-24T18:30+01:00") from None
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
