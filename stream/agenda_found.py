"""What the agenda's readers share: what they find, the error they raise, and how times and durations are written."""

from __future__ import annotations

import re
from datetime import date, datetime, time, tzinfo
from typing import NamedTuple

from hardware.errors import PlatypusError

_CLOCK = re.compile(r"(\d{1,2})\s*(?:[:h]\s*(\d{2})?(?::(\d{2}))?)?\s*(am|pm)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", re.ASCII)
_MINUTES = re.compile(r"(\d{1,4})\s*(?:m|mn|min|mins|minutes?|')?", re.ASCII)
_HOURS = re.compile(r"(\d{1,2})\s*(?::|h|hours?|heures?)\s*(?:(\d{1,2})\s*(?:m|mn|min)?)?(?::\d{2})?", re.ASCII)


class AgendaFileError(PlatypusError, ValueError):
    """An agenda's file cannot be taken; its text names the file, the row or talk, and what to do."""

    code = "agenda_file"


class Found(NamedTuple):
    """One talk as a file has it."""

    own_id: str  # "" when the file gives none
    title: str
    speaker: str
    starts_at: datetime | None  # aware
    minutes: int | None
    room: str
    do_not_record: bool = False


class Reading(NamedTuple):
    """All of a file. One complaint and nothing is taken."""

    event: str
    found: list[Found]
    complaints: list[str]


def moment_of(text: str, zone: tzinfo, day: date | None) -> datetime:
    """A time such as 2026-11-24T19:00+01:00, 2026-11-24 19:00, 24/11/2026 19:00, or 19:00 and 19 h 30 on `day`.

    Without a zone of its own it is the venue's. Raises ValueError in words.
    """
    text = text.strip()
    dated = _DAY_FIRST.match(text)
    if dated:
        day = day_of(dated[0])
        text = text[dated.end() :].strip(" ,T")
    elif re.match(r"\d{4}-", text):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a time such as 2026-11-24 19:00") from None
        if len(text) <= 10:
            raise ValueError(f"{text!r} has no time of day: write it as {text} 19:00")
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    clock = _CLOCK.fullmatch(text.casefold().replace("\u00a0", " ").replace("\u202f", " "))
    if not clock or (clock[4] and not 1 <= int(clock[1]) <= 12):
        raise ValueError(f"{text!r} is not a time such as 19:00 or 2026-11-24 19:00")
    if day is None:
        raise ValueError(
            f"{text!r} has no date: give the day of the event (--day, or Room and day on the page), "
            "or write it as 2026-11-24 19:00"
        )
    hour = int(clock[1]) % 12 + 12 * (clock[4] == "pm") if clock[4] else int(clock[1])
    try:
        return datetime.combine(day, time(hour, int(clock[2] or 0)), zone)
    except ValueError:
        raise ValueError(f"{text!r} is not a time of day") from None


def day_of(text: str) -> date:
    """A date such as 2026-11-24, or day first: 24/11/2026, 24.11.2026. Raises ValueError in words."""
    text = text.strip()
    dated = _DAY_FIRST.fullmatch(text)
    try:
        return date(int(dated[3]), int(dated[2]), int(dated[1])) if dated else date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date such as 2026-11-24 (or 24/11/2026, day first)") from None


def minutes_of(text: str) -> int:
    """A duration such as 20, 20 min, 0:20, 1h30 or 00:20:00. Raises ValueError in words."""
    plain = text.strip().casefold().replace("\u00a0", " ").replace("\u202f", " ")
    if found := _MINUTES.fullmatch(plain):
        minutes = int(found[1])
    elif found := _HOURS.fullmatch(plain):
        minutes = int(found[1]) * 60 + int(found[2] or 0)
    else:
        raise ValueError(f"{text!r} is not a duration such as 20 (minutes) or 0:20")
    return checked_minutes(minutes)


def checked_minutes(minutes: int) -> int:
    """`minutes` when a talk can be that long. Raises ValueError in words."""
    if not 1 <= minutes <= 24 * 60:
        raise ValueError(f"it lasts {minutes} minutes: a talk has between 1 and 1440")
    return minutes
