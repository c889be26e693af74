"""Agendas from pretalx and frab: `schedule.json`, as c3voc.de/schedule/schema.json describes it and older ones had it.

`schedule.conference.days[].rooms{name: [talk]}`; a talk has guid, code or id, date (ISO 8601, in old files the day
alone), start "19:00", duration "00:20" (a day and more: "1:00:00"), title, persons with public_name, full_public_name
or name, and in newer files do_not_record.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from stream.agenda_found import AgendaFileError, Found, Reading, day_of, minutes_of, moment_of


class _Person(msgspec.Struct, frozen=True):
    public_name: str | None = None
    full_public_name: str | None = None
    name: str | None = None

    @property
    def shown(self) -> str:
        return self.public_name or self.full_public_name or self.name or ""


class _Event(msgspec.Struct, frozen=True):
    title: str
    guid: str | None = None
    code: str | None = None
    id: str | int | None = None
    date: str | None = None
    start: str | None = None
    duration: str | int | None = None
    persons: tuple[_Person, ...] | None = None
    do_not_record: bool | None = None


class _Day(msgspec.Struct, frozen=True):
    rooms: dict[str, tuple[_Event, ...]]
    date: str | None = None


class _Conference(msgspec.Struct, frozen=True):
    days: tuple[_Day, ...]
    title: str = ""
    time_zone_name: str | None = None


class _Schedule(msgspec.Struct, frozen=True):
    conference: _Conference


class _File(msgspec.Struct, frozen=True):
    schedule: _Schedule


def read_json(name: str, raw: bytes, zone: tzinfo) -> Reading:
    """The talks of all rooms by time. Raises AgendaFileError."""
    try:
        conference = msgspec.json.decode(raw, type=_File).schedule.conference
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AgendaFileError(
            f"{name} is not a schedule.json of pretalx or frab, or only a part of one. Export it again (pretalx: "
            f"Schedule, Export). What is wrong with it: {error}."
        ) from error
    zone = _zone(conference.time_zone_name, zone)
    found: list[Found] = []
    complaints: list[str] = []
    for day in conference.days:
        for room, events in day.rooms.items():
            for event in events:
                try:
                    found.append(_found(event, day, room, zone))
                except ValueError as error:
                    complaints.append(f"talk {event.title[:60]!r} in {room[:60]!r}: {error}")
    return Reading(conference.title, found, complaints)


def _zone(name: str | None, venue: tzinfo) -> tzinfo:
    """The conference's own zone for times that carry none; the venue's when it names none that is known."""
    try:
        return ZoneInfo(name) if name else venue
    except (OSError, ValueError, KeyError):  # a folder's name, a path, an unknown one
        return venue


def _found(event: _Event, day: _Day, room: str, zone: tzinfo) -> Found:
    return Found(
        own_id=event.guid or event.code or ("" if event.id is None else str(event.id)),
        title=event.title,
        speaker=", ".join(person.shown for person in event.persons or () if person.shown),
        starts_at=_start(event, day, zone),
        minutes=_minutes(event.duration),
        room=room,
        do_not_record=bool(event.do_not_record),
    )


def _start(event: _Event, day: _Day, zone: tzinfo) -> datetime | None:
    if event.date and len(event.date) > 10:
        return moment_of(event.date, zone, None)
    if not event.start:
        return None
    on = event.date or day.date
    return moment_of(event.start, zone, day_of(on) if on else None)


def _minutes(duration: str | int | None) -> int | None:
    if duration in {None, "", 0}:
        return None
    text = str(duration)
    if text.count(":") == 2:  # days: an exhibition, not a talk that ends
        return None
    return minutes_of(text)
