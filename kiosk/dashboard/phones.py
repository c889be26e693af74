"""Phones that are logged in: a list on this side, so that each can be logged out from here, and is out at once."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import datetime

import msgspec

from hardware.clock import Clock, Stamp
from kiosk.dashboard.access_errors import TooMany, UnknownPerson, UnknownPhone
from kiosk.dashboard.access_file import AccessFile, Moment, Person, Phone, Role, sha256
from kiosk.dashboard.people import found
from kiosk.dashboard.sightings import Sightings

log = logging.getLogger(__name__)

LIFE_S = 24 * 3600.0  # one event, with its eve
MOST_A_PERSON = 10  # phones at a time: the one that was seen longest ago makes room
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels: no words


class Visitor:
    """A person at a phone: what Flask-Login calls a user."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, person: Person, phone: Phone, token: str) -> None:
        self.person = person
        self.phone = phone
        self.token = token

    @property
    def role(self) -> Role:
        """What they may do."""
        return self.person.role

    @property
    def signature(self) -> str:
        """Who the rows of the door name: the person, and the letters that tell their phones apart."""
        return f"{self.person.name} ({self.person.role}) {self.phone.letters}"

    @property
    def mark(self) -> str:
        """What a log calls them."""
        return self.phone.letters

    def get_id(self) -> str:
        """What the session cookie holds."""
        return self.token


class Phones:
    """The phones of the file."""

    def __init__(self, file: AccessFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._sightings = Sightings()

    def log_in(self, person: Person, device: str) -> Visitor:
        """A new login, whose token nobody has had before. Raises UnknownPerson when they were removed this moment."""
        token, now = secrets.token_urlsafe(24), self._clock.stamp()
        moment = Moment.of(now)
        with self._file.changing() as change:
            found(change.before, person.id)
            others = [each for each in change.before.phones if not _is_over(each, now)]
            own = sorted((each for each in others if each.person == person.id), key=lambda each: self.seen(each).at)
            for oldest in own[: max(0, len(own) - MOST_A_PERSON + 1)]:
                others.remove(oldest)
            phone = Phone(
                letters=_letters({each.letters for each in others}),
                sha256=sha256(token),
                person=person.id,
                device=device,
                made=moment,
                seen=moment,
            )
            change.to(phones=(*others, phone))
        self._sightings.forget_all_but({each.sha256 for each in others})
        self._sightings.is_kept(phone.sha256, now)
        log.info("access event=logged-in person=%s phone=%s", person.id, phone.letters)
        return Visitor(person, phone, token)

    def find(self, token: str) -> Visitor | None:
        """Who is at the phone with this token; None when it was logged out. Notes that it was seen."""
        kept, now, hashed = self._file.load(), self._clock.stamp(), sha256(token)
        phone = next((each for each in kept.phones if each.sha256 == hashed), None)
        if phone is None or _is_over(phone, now):
            return None
        try:
            person = found(kept, phone.person)
        except UnknownPerson:
            return None
        self._sightings.note(hashed, phone.letters, now, lambda seen: self._keep(hashed, seen))
        return Visitor(person, phone, token)

    def all(self) -> tuple[Phone, ...]:
        """Every phone that is logged in, the first login first."""
        now = self._clock.stamp()
        return tuple(each for each in self._file.load().phones if not _is_over(each, now))

    def seen(self, phone: Phone) -> Moment:
        """When a phone was seen last."""
        return self._sightings.last(phone.sha256) or phone.seen

    def log_out(self, person_id: str, letters: str) -> Phone:
        """Log one phone out. Raises UnknownPhone when it is out already."""
        phone = self._end(lambda each: each.person == person_id and each.letters == letters)
        if not phone:
            raise UnknownPhone("That phone is logged out already.")
        return phone[0]

    def log_out_all(self, person_id: str) -> int:
        """Log out all phones of a person. Returns how many there were."""
        return len(self._end(lambda each: each.person == person_id))

    def _end(self, is_meant: Callable[[Phone], bool]) -> list[Phone]:
        with self._file.changing() as change:
            ended = [each for each in change.before.phones if is_meant(each)]
            if ended:
                change.to(phones=tuple(each for each in change.before.phones if each not in ended))
        for each in ended:
            log.info("access event=logged-out person=%s phone=%s", each.person, each.letters)
        return ended

    def _keep(self, hashed: str, seen: Moment) -> None:
        with self._file.changing() as change:  # what was logged out this moment stays out
            change.to(
                phones=tuple(
                    msgspec.structs.replace(each, seen=seen) if each.sha256 == hashed else each
                    for each in change.before.phones
                )
            )


def _is_over(phone: Phone, now: Stamp) -> bool:
    """Whether a login has lasted long enough. Within a boot the clock that never jumps says so."""
    age_s = phone.made.age_s(now)
    if age_s is None:
        age_s = (now.wall - datetime.fromisoformat(phone.made.at)).total_seconds()
    return age_s > LIFE_S


def _letters(taken: set[str]) -> str:
    for _ in range(1000):
        letters = "".join(secrets.choice(_LETTERS) for _ in range(3))
        if letters not in taken:
            return letters
    raise TooMany("As many phones as there are names for them are logged in: log some out.")


def device(user_agent: str) -> str:
    """What a browser says it runs on, in a person's words."""
    known = {
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Android": "Android phone",
        "Windows": "Windows computer",
        "Macintosh": "Mac",
        "Linux": "Linux computer",
    }
    return next((name for word, name in known.items() if word in user_agent), "Other browser")
