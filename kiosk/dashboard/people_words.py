"""What the pages of people and of changes say, beside their templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kiosk.dashboard.access_file import Link, Moment, Person, Phone, Role, Token
from kiosk.dashboard.changes import Change
from kiosk.dashboard.language import Later, _, day_and_time, later, say_later
from kiosk.dashboard.told import told
from kiosk.dashboard.words import Tone

_ROLES: Mapping[Role, str] = {
    "viewer": say_later("Viewer"),
    "door": say_later("Door"),
    "organizer": say_later("Organizer"),
}
_MAY: Mapping[Role, str] = {
    "viewer": say_later("Sees how the evening goes, and the stream. No names."),
    "door": say_later("The page Door: tickets, guests, seats."),
    "organizer": say_later("Everything, these lists too."),
}


def role(each: Role) -> str:
    """What a role is called."""
    return _(_ROLES[each])


def role_later(each: Role) -> Later:
    """The same within a sentence, said in whatever language that is."""
    return Later(lambda: role(each).lower())


def role_may(each: Role) -> str:
    """What somebody with a role may do."""
    return _(_MAY[each])


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


class TokenLine(NamedTuple):
    """A token that is good."""

    id: str
    name: str
    role: Role
    role_word: str
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
    return PersonLine(each.id, each.name, each.role, role(each.role), is_me, is_last_organizer, phones)


def logged_out(each: Person, count: int) -> Later:
    """What logging out a person's phones did."""
    if count == 1:
        return later("%(name)s is logged out on 1 phone.", name=each.name)
    return later("%(name)s is logged out on %(count)s phones.", name=each.name, count=count)


def phone(each: Phone, seen: Moment, zone: ZoneInfo, *, is_this: bool) -> PhoneLine:
    """A phone as a line; times in `zone`."""
    if is_this:
        times = _("since %(time)s", time=_time(each.made, zone))
    else:
        times = _("since %(time)s, last seen %(seen)s", time=_time(each.made, zone), seen=_time(seen, zone))
    if not (each.made.is_trusted and seen.is_trusted):
        times = _("%(times)s (the clock was not set)", times=times)
    return PhoneLine(each.letters, told(each.device), times, is_this)


def link(each: Link, left_s: float, makers: Mapping[str, str]) -> LinkLine:
    """An open invitation as a line. `makers`: names of people by id."""
    by = _maker(each.made_by, makers)
    minutes = max(1, round(left_s / 60))
    title = _("For %(role)s", role=role(each.role).lower())
    return LinkLine(each.id, title, _("by %(name)s, %(minutes)s min left", name=by, minutes=minutes))


def token(each: Token, seen: Moment | None, makers: Mapping[str, str], zone: ZoneInfo) -> TokenLine:
    """A token as a line; times in `zone`. `makers`: names of people by id."""
    if seen is None:
        used = _("never used yet")
    else:
        used = _("last used %(time)s", time=_time(seen, zone))
        if not seen.is_trusted:
            used = _("%(times)s (the clock was not set)", times=used)
    by = _("by %(name)s", name=_maker(each.made_by, makers))
    return TokenLine(each.id, each.name, each.role, role(each.role), f"{by}, {used}")


def changes(newest: Sequence[Change], zone: ZoneInfo) -> list[ChangeLine]:
    """Changes, newest first, as lines; times in `zone`."""
    lines: list[ChangeLine] = []
    day_before = ""
    for each in newest:
        at = datetime.fromisoformat(each.at).astimezone(zone)
        day = day_and_time(at, "EEEE d MMMM y")
        day = day[:1].upper() + day[1:]
        refused = each.outcome == "refused"
        lines.append(
            ChangeLine(
                f"{at:%H:%M:%S}",
                day if day != day_before else "",
                "no" if refused else "calm",
                told(each.who),
                told(each.what),
                told(each.why),
                each.is_trusted,
            )
        )
        day_before = day
    return lines


def _maker(made_by: str, names: Mapping[str, str]) -> str:
    machines = {"screen": _("the screen"), "command line": _("the command line")}
    return names.get(made_by) or machines.get(made_by) or _("nobody")


def _time(moment: Moment, zone: ZoneInfo) -> str:
    return day_and_time(datetime.fromisoformat(moment.at).astimezone(zone), "d MMM, HH:mm")
