"""Agendas from spreadsheets: CSV from whatever wrote it; encoding, separator and columns are found out.

Times without a date are on the day of the event, times without a zone in the venue's.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo

from stream.agenda_found import AgendaFileError, Found, Reading, checked_minutes, day_of, minutes_of, moment_of

# Headings of hand-made lists and of the exports of Sessionize and pretalx, folded (lower case, no accents, blanks for
# punctuation). The first heading that fits wins.
_HEADINGS: Mapping[str, Sequence[str]] = {
    "id": ("id", "talk id", "session id", "code"),
    "title": ("title", "titre", "talk", "talk title", "session title", "proposal title", "session", "sujet", "subject"),
    "speaker": (
        "speaker",
        "speakers",
        "speaker name",
        "speaker names",
        "orateur",
        "oratrice",
        "orateurs",
        "intervenant",
        "intervenante",
        "intervenants",
        "conferencier",
        "presenter",
        "name",
        "nom",
    ),
    "date": ("date", "day", "jour"),
    "start": (
        "start",
        "start time",
        "starts at",
        "debut",
        "heure",
        "heure de debut",
        "time",
        "horaire",
        "scheduled at",
    ),
    "end": ("end", "end time", "ends at", "fin", "heure de fin"),
    "minutes": ("duration", "duree", "minutes", "length", "duree minutes", "duration minutes", "scheduled duration"),
    "room": ("room", "salle", "scene", "stage", "track", "lieu"),
    "do_not_record": ("do not record", "ne pas enregistrer", "ne pas filmer"),
}
_NO = ("", "no", "non", "false", "0")


def read_csv(name: str, raw: bytes, zone: tzinfo, day: date | None) -> Reading:
    """The talks in the order of the rows. Raises AgendaFileError."""
    text = _decoded(name, raw)
    heading = text.split("\n", 1)[0]
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=heading.count), strict=True))
    except csv.Error as error:
        raise AgendaFileError(f"{name} is not a CSV list: {error}. Export it again as CSV (UTF-8).") from error
    if not lines or not any(cell.strip() for cell in lines[0]):
        raise AgendaFileError(f"{name} is empty: the first line must be the headings, such as title, speaker, start.")
    headings = [cell.strip() for cell in lines[0]]
    columns = _columns(name, headings)
    found: list[Found] = []
    complaints: list[str] = []
    for row, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(headings):
            complaints.append(f"row {row}: {len(cells)} cells where the headings have {len(headings)}")
            continue
        try:
            found.append(_found({ours: cells[at].strip() for ours, at in columns.items()}, zone, day))
        except ValueError as error:
            complaints.append(f"row {row}: {error}")
    return Reading("", found, complaints)


def _decoded(name: str, raw: bytes) -> str:
    is_utf_16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in raw[:4096] and not is_utf_16:
        raise AgendaFileError(f"{name} is not text. A spreadsheet must be exported as CSV first.")
    # Excel writes "CSV" as Windows' cp1252 in western Europe; Latin-1 takes any byte and comes last.
    for encoding in ("utf-16",) if is_utf_16 else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AgendaFileError(f"{name} is in no known encoding. Export it again as CSV (UTF-8).")


def _folded(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def _columns(name: str, headings: Sequence[str]) -> dict[str, int]:
    folded = [_folded(heading) for heading in headings]
    twice = sorted({each for each in folded if each and folded.count(each) > 1})
    if twice:
        raise AgendaFileError(f"{name} has two columns named {twice[0]!r}: rename or delete one of them.")
    found: dict[str, int] = {}
    for ours, candidates in _HEADINGS.items():
        at = next((folded.index(word) for word in candidates if word in folded), None)
        if at is not None:
            found[ours] = at
    if "title" not in found:
        seen = ", ".join(heading[:40] for heading in headings[:12])
        raise AgendaFileError(
            f"{name} has no column of titles (title, titre ...); it has: {seen}. Name one of them so."
        )
    return found


def _found(cells: Mapping[str, str], zone: tzinfo, day: date | None) -> Found:
    if cells.get("date"):
        day = day_of(cells["date"])
    start = cells.get("start")
    starts_at = moment_of(start, zone, day) if start else None
    minutes = minutes_of(cells["minutes"]) if cells.get("minutes") else None
    if minutes is None and starts_at is not None and cells.get("end"):
        minutes = _between(starts_at, moment_of(cells["end"], zone, starts_at.date()))
    return Found(
        own_id=cells.get("id", ""),
        title=cells["title"],
        speaker=cells.get("speaker", ""),
        starts_at=starts_at,
        minutes=minutes,
        room=cells.get("room", ""),
        do_not_record=_folded(cells.get("do_not_record", "")) not in _NO,
    )


def _between(starts_at: datetime, ends_at: datetime) -> int:
    seconds = (ends_at.astimezone(UTC) - starts_at.astimezone(UTC)).total_seconds()
    return checked_minutes(round(seconds / 60) + (24 * 60 if seconds < 0 else 0))  # over midnight
