"""Agendas from calendars (iCalendar, RFC 5545): one event, one talk.

Who speaks: a line "Speaker: ..." of the description; else the people who chair, or who are invited when they are few;
else the organizer. pretalx writes "Title - Speaker" as the summary.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import icalendar

from stream.agenda_found import AgendaFileError, Found, Reading, checked_minutes

log = logging.getLogger(__name__)

_SPEAKER_LINE = re.compile(
    r"^\s*(?:speakers?|orateurs?|oratrices?|intervenante?s?|conf[ée]renci(?:er|ère)s?)\s*:\s*(\S.*)$", re.I | re.M
)
_MOST_GUESTS = 4  # more of them are the audience
_REPEATS = ("RRULE", "RDATE", "RECURRENCE-ID")


def read_ics(name: str, raw: bytes, zone: tzinfo) -> Reading:
    """The talks by time. Raises AgendaFileError."""
    try:
        calendars = icalendar.Calendar.from_ical(raw, multiple=True)
        events = [(each, calendar) for calendar in calendars for each in calendar.walk("VEVENT")]
    except Exception as error:  # the library's parsers raise whatever the file makes them stumble over
        log.warning("agenda event=calendar-refused file=%s next=say-so", name, exc_info=True)
        raise AgendaFileError(f"{name} is not a calendar that can be read: {error}. Export it again.") from error
    found: list[Found] = []
    complaints: list[str] = []
    for count, (event, calendar) in enumerate(events, start=1):
        title = _text(event, "SUMMARY")
        try:
            if _text(event, "STATUS").upper() != "CANCELLED":
                found.append(_found(event, title, zone, is_pretalx="//pretalx//" in _text(calendar, "PRODID")))
        except ValueError as error:
            complaints.append(f"event {count} ({title[:60]!r}): {error}")
    title = next((text for each in calendars if (text := _text(each, "X-WR-CALNAME") or _text(each, "NAME"))), "")
    return Reading(title, found, complaints)


def _found(event: icalendar.Component, title: str, zone: tzinfo, *, is_pretalx: bool) -> Found:
    if any(event.get(each) is not None for each in _REPEATS):
        raise ValueError("it repeats: export single events, or enter this one by itself")
    starts_at = _moment(event, "DTSTART", zone)
    if starts_at is None:
        raise ValueError("it has no start (DTSTART)")
    speaker = _speaker(event)
    if is_pretalx and " - " in title:
        title, _, speaker = title.rpartition(" - ")
    return Found(
        own_id=_text(event, "UID"),
        title=title,
        speaker=speaker,
        starts_at=starts_at,
        minutes=_minutes(event, starts_at, zone),
        room=_text(event, "LOCATION"),
    )


def _text(component: icalendar.Component, key: str) -> str:
    value = component.get(key)
    value = value[0] if isinstance(value, list) else value
    return "" if value is None else str(value).strip()


def _moment(event: icalendar.Component, key: str, zone: tzinfo) -> datetime | None:
    """A moment in its own zone, or in the venue's when it has none. Raises ValueError in words."""
    value: Any = event.get(key)
    if value is None:
        return None
    moment = _read(value)
    if not isinstance(moment, datetime):
        shown = str(value)[:40] if moment is None else str(moment)
        raise ValueError(f"its {key} {shown!r} has no time of day that can be read: give it one")  # noqa: TRY004  # a bad file
    if moment.tzinfo is not None:
        return moment.astimezone(zone)
    named = value.params.get("TZID")
    if named:
        raise ValueError(f"the time zone {str(named)[:40]!r} is not known: export it with one such as Europe/Paris")
    return moment.replace(tzinfo=zone)


def _read(value: Any) -> Any:
    """What the library made of a value: datetime, date, timedelta ...; None when it could make nothing of it."""
    try:
        return getattr(value, "dt", None)
    except ValueError:  # a property that it calls broken says so when it is asked
        return None


def _minutes(event: icalendar.Component, starts_at: datetime, zone: tzinfo) -> int | None:
    ends_at = _moment(event, "DTEND", zone)
    if ends_at is not None:
        return _whole(ends_at.astimezone(UTC) - starts_at.astimezone(UTC))
    lasts = _read(event.get("DURATION"))
    return _whole(lasts) if isinstance(lasts, timedelta) else None


def _whole(lasts: timedelta) -> int | None:
    minutes = round(lasts.total_seconds() / 60)
    return checked_minutes(minutes) if minutes else None  # without a duration it is a mere moment


def _speaker(event: icalendar.Component) -> str:
    if line := _SPEAKER_LINE.search(_text(event, "DESCRIPTION")):
        return line[1].strip()
    guests = list(_people(event, "ATTENDEE"))
    chairs = [name for name, role in guests if role == "CHAIR"]
    names = chairs or ([name for name, _ in guests] if len(guests) <= _MOST_GUESTS else [])
    return ", ".join(names or [name for name, _ in _people(event, "ORGANIZER")])


def _people(event: icalendar.Component, key: str) -> Iterator[tuple[str, str]]:
    """Names and roles; an address is nobody's name and is not shown."""
    value: Any = event.get(key)
    for each in value if isinstance(value, list) else [value]:
        params = getattr(each, "params", {})
        name = str(params.get("CN", "")).strip()
        if name and "@" not in name:
            yield name, str(params.get("ROLE", "")).upper()
