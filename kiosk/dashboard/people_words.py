"""What the pages of people and of changes say, beside their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kiosk.dashboard.access_file import Link, Moment, Person, Phone, Role
from kiosk.dashboard.changes import Change
from kiosk.dashboard.words import Tone

ROLE_WORDS: Mapping[Role, str] = {"viewer": "Viewer", "door": "Door", "organizer": "Organizer"}
ROLE_MAY: Mapping[Role, str] = {
    "viewer": "Sees how the evening goes, and the stream. No names.",
    "door": "The page Door: tickets, guests, seats.",
    "organizer": "Everything, these lists too.",
}


class PhoneLine(NamedTuple):
    """A phone that is logged in."""

    letters: str
    device: str
    times: str
    is_this: bool


class PersonLine(NamedTuple):
    """A person and their phones."""

    id: str
    name: str
    role: Role
    role_word: str
    is_me: bool
    is_last_organizer: bool
    phones: Sequence[PhoneLine]


class LinkLine(NamedTuple):
    """An invitation that is open."""

    id: str
    title: str
    detail: str


class ChangeLine(NamedTuple):
    """A line of the list of changes."""

    time: str
    day: str  # set where it differs from the line above
    tone: Tone
    who: str
    what: str
    why: str
    is_trusted: bool


def person(each: Person, phones: Sequence[PhoneLine], *, is_me: bool, is_last_organizer: bool) -> PersonLine:
    """A person as a line."""
    return PersonLine(each.id, each.name, each.role, ROLE_WORDS[each.role], is_me, is_last_organizer, phones)


def phone(each: Phone, seen: Moment, zone: ZoneInfo, *, is_this: bool) -> PhoneLine:
    """A phone as a line; times in `zone`."""
    unsure = "" if each.made.is_trusted and seen.is_trusted else " (the clock was not set)"
    times = f"since {_time(each.made, zone)}"
    if not is_this:
        times += f", last seen {_time(seen, zone)}"
    return PhoneLine(each.letters, each.device, times + unsure, is_this)


def link(each: Link, left_s: float, makers: Mapping[str, str]) -> LinkLine:
    """An open invitation as a line. `makers`: names of people by id."""
    by = makers.get(each.made_by) or {"screen": "the screen", "command line": "the command line"}.get(each.made_by)
    minutes = max(1, round(left_s / 60))
    return LinkLine(each.id, f"For {ROLE_WORDS[each.role].lower()}", f"by {by or 'nobody'}, {minutes} min left")


def changes(newest: Sequence[Change], zone: ZoneInfo) -> list[ChangeLine]:
    """Changes, newest first, as lines; times in `zone`."""
    lines: list[ChangeLine] = []
    day_before = ""
    for each in newest:
        at = datetime.fromisoformat(each.at).astimezone(zone)
        day = f"{at:%A %-d %B %Y}"
        refused = each.outcome == "refused"
        lines.append(
            ChangeLine(
                f"{at:%H:%M:%S}",
                day if day != day_before else "",
                "no" if refused else "calm",
                each.who,
                each.what,
                each.why,
                each.is_trusted,
            )
        )
        day_before = day
    return lines


def _time(moment: Moment, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(moment.at).astimezone(zone):%-d %b, %H:%M}"
