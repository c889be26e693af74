"""An agenda from a file: pretalx's or frab's schedule.json, a calendar (.ics) or a spreadsheet's CSV.

What it is, is seen from its content. All or nothing: a file with a bad talk gives `AgendaFileError` with every bad
talk explained, and no agenda.

Ids are the file's own where it has them. A talk of a list without ids is known by its title, whatever its case, accents
and punctuation: its time, speaker or row may change and it is still the same talk; with another title it is another.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

import msgspec

from stream.agenda import MOST_TALKS, Agenda, Talk, plain_words
from stream.agenda_csv import read_csv
from stream.agenda_found import AgendaFileError, Found, Reading
from stream.agenda_json import read_json

__all__ = ["MAX_BYTES", "AgendaFileError", "parse_agenda", "read_agenda"]

MAX_BYTES = 8_000_000  # a congress of 1,000 talks with their abstracts is about 3 MB
_MAX_COMPLAINTS = 20
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LATEST = datetime.max.replace(tzinfo=UTC)


def read_agenda(path: Path, zone: tzinfo, *, room: str | None = None, day: date | None = None) -> Agenda:
    """Read the file at `path`; see `parse_agenda`. Raises AgendaFileError."""
    try:
        if path.exists() and not path.is_file():
            raise AgendaFileError(f"{path} is not a file; give a schedule.json, an .ics or a .csv.")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if isinstance(error, AgendaFileError):
            raise
        why = getattr(error, "strerror", None) or error
        raise AgendaFileError(f"{path} cannot be read: {why}. Check the name and the rights.") from error
    return parse_agenda(path.name, raw, zone, room=room, day=day)


def parse_agenda(name: str, raw: bytes, zone: tzinfo, *, room: str | None = None, day: date | None = None) -> Agenda:
    """The agenda in `raw`, which errors call `name`.

    `zone` is the venue's, for times without one; `day` the event's, for a CSV's times without a date; `room` chooses
    one of several. Talks stand by time, those of a CSV as their rows do. Raises AgendaFileError.
    """
    if len(raw) > MAX_BYTES:
        raise AgendaFileError(f"{name} has more than the {MAX_BYTES:,} bytes that an agenda may have. Is it right?")
    start = raw[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    is_sheet = False
    if start.startswith((b"{", b"[")):
        reading = read_json(name, raw.removeprefix(b"\xef\xbb\xbf"), zone)
    elif start[:15].upper() == b"BEGIN:VCALENDAR":
        from stream.agenda_ics import read_ics  # noqa: PLC0415  # 10 MB: only where a calendar is read

        reading = read_ics(name, raw.removeprefix(b"\xef\xbb\xbf"), zone)
    else:
        is_sheet = True
        reading = read_csv(name, raw, zone, day)
    found = _of_room(name, [_plain(each) for each in reading.found], room)
    if not is_sheet:
        found = sorted(found, key=lambda each: each.starts_at or _LATEST)
    return _agenda(name, reading, found)


def _plain(found: Found) -> Found:
    return found._replace(
        title=plain_words(found.title), speaker=plain_words(found.speaker), room=plain_words(found.room)
    )


def _of_room(name: str, found: Sequence[Found], room: str | None) -> list[Found]:
    """The talks of one room, and those without any."""
    rooms = list(dict.fromkeys(each.room for each in found if each.room))
    if room is None and len(rooms) > 1:
        raise AgendaFileError(f"{name} has {len(rooms)} rooms, and a stage is one: choose among {_list(rooms)}.")
    if room is not None:
        wanted = [each for each in rooms if each.casefold() == plain_words(room).casefold()]
        if not wanted and rooms:
            raise AgendaFileError(f"{name} has no room {room!r}; it has {_list(rooms)}.")
        return [each for each in found if not each.room or each.room in wanted]
    return list(found)


def _list(rooms: Sequence[str]) -> str:
    return ", ".join(repr(each[:60]) for each in rooms[:12]) + (" ..." if len(rooms) > 12 else "")


def _agenda(name: str, reading: Reading, found: Sequence[Found]) -> Agenda:
    complaints = list(reading.complaints)
    talks: list[Talk] = []
    taken: set[str] = set()
    for each in found:
        try:
            talk = _talk(each, taken)
        except ValueError as error:
            complaints.append(f"talk {each.title[:60]!r}: {error}")
            continue
        taken.add(talk.id)
        talks.append(talk)
    if complaints:
        more = len(complaints) - _MAX_COMPLAINTS
        shown = complaints[:_MAX_COMPLAINTS] + ([f"and {more} more"] if more > 0 else [])
        raise AgendaFileError(f"{name}: nothing was taken, mend these first:\n  " + "\n  ".join(shown))
    if not talks:
        raise AgendaFileError(f"{name} has no talks. Is it the right file, and was it published?")
    if len(talks) > MOST_TALKS:
        raise AgendaFileError(f"{name} has {len(talks)} talks, an agenda at most {MOST_TALKS}: choose a room.")
    return Agenda(event=plain_words(reading.event)[:200], talks=tuple(talks))


def _talk(found: Found, taken: set[str]) -> Talk:
    """Raises ValueError in words."""
    if not found.title:
        raise ValueError("it has no title")
    for field, text in (("title", found.title), ("speakers", found.speaker), ("room", found.room)):
        if len(text) > 500:
            raise ValueError(f"its {field} has {len(text)} characters, 500 are the most")
    fields = {key: value for key, value in found._asdict().items() if key != "own_id"}
    return msgspec.convert({"id": _id(found, taken), **fields}, Talk)


def _id(found: Found, taken: set[str]) -> str:
    if _SAFE_ID.fullmatch(found.own_id):
        base = found.own_id
    else:
        seed = found.own_id or "title " + _letters(found.title)
        base = "t" + hashlib.blake2b(seed.encode(errors="replace"), digest_size=8).hexdigest()
    if base not in taken:
        return base
    if found.own_id:
        raise ValueError(f"another talk has its id {found.own_id[:60]!r} too")
    return next(each for n in range(2, len(taken) + 3) if (each := f"{base}-{n}") not in taken)


def _letters(title: str) -> str:
    """What makes two titles the same: letters and digits without case and accents; all of it when it has none."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    return "".join(c for c in plain if c.isalnum()) or title
