"""Who may log in: names, roles and PINs, with the rules that keep one name one person's and one organizer there."""

from __future__ import annotations

import logging
import secrets

import msgspec

from hardware.clock import Clock
from kiosk.dashboard.access_errors import (
    BadName,
    LastOrganizer,
    NameTaken,
    TooMany,
    TooManyTries,
    UnknownPerson,
    WrongLogin,
)
from kiosk.dashboard.access_file import AccessFile, Kept, Person, Role
from kiosk.dashboard.pins import Pins
from kiosk.dashboard.throttle import Throttle
from kiosk.tickets.sheet import fold

log = logging.getLogger(__name__)

LONGEST_NAME = 40
MOST_PEOPLE = 100
_WRONG = "That is not a name here with its PIN. Look at both, then try again."


class People:
    """The people of the file."""

    def __init__(self, file: AccessFile, pins: Pins, clock: Clock) -> None:
        self._file = file
        self._pins = pins
        self._throttle = Throttle(clock)

    def all(self) -> tuple[Person, ...]:
        """Everybody, in the order in which they came."""
        return self._file.load().people

    def get(self, person_id: str) -> Person:
        """Raises UnknownPerson."""
        return found(self._file.load(), person_id)

    def log_in(self, name: str, pin: str, address: str) -> Person:
        """Whose name and PIN these are. Raises WrongLogin, or TooManyTries without looking.

        Who knows no name learns none: an unknown one costs the time and says the words of a wrong PIN.
        """
        account = fold(name[:LONGEST_NAME])
        self._wait(address, account)  # before there is a turn to wait for
        with self._pins.turn():  # the wait, the look and the count are one step
            self._wait(address, account)
            person = _named(self._file.load(), account)
            if not self._pins.fits(person.pin_hash if person else None, pin) or person is None:
                self._throttle.failed(address, account)
                log.warning("access event=wrong-login address=%s", address)
                self._wait(address, account)
                raise WrongLogin(_WRONG)
            self._throttle.succeeded(address, account)
            return person

    def set_role(self, person_id: str, role: Role) -> Person:
        """Give a person another role, at once; who is no organizer any more has no tokens. Raises UnknownPerson,
        LastOrganizer.
        """
        with self._file.changing() as change:
            person = msgspec.structs.replace(found(change.before, person_id), role=role)
            _keep_one_organizer(change.before, person_id, role)
            tokens = {} if role == "organizer" else _without_tokens(change.before, person_id)
            change.to(people=_replaced(change.before, person), **tokens)
        log.info("access event=role-changed person=%s role=%s", person_id, role)
        return person

    def remove(self, person_id: str) -> Person:
        """Take away a person, their phones, and the links and tokens they made, at once. Raises UnknownPerson,
        LastOrganizer.
        """
        with self._file.changing() as change:
            before = change.before
            person = found(before, person_id)
            _keep_one_organizer(before, person_id, None)
            change.to(
                people=tuple(each for each in before.people if each.id != person_id),
                phones=tuple(each for each in before.phones if each.person != person_id),
                links=tuple(each for each in before.links if each.made_by != person_id),
                **_without_tokens(before, person_id),
            )
        log.info("access event=person-removed person=%s", person_id)
        return person

    def change_pin(self, person_id: str, old: str, new: str, address: str) -> None:
        """A new PIN by whoever knows the old one; all the person's phones are logged out.

        Raises WrongLogin, TooManyTries, WeakPin, UnknownPerson.
        """
        self.log_in(self.get(person_id).name, old, address)
        pin_hash = self._pins.hash(new)
        with self._file.changing() as change:
            person = found(change.before, person_id)
            change.to(**with_pin(change.before, msgspec.structs.replace(person, pin_hash=pin_hash)))
        log.info("access event=pin-changed person=%s", person_id)

    def _wait(self, address: str, account: str) -> None:
        wait_s = self._throttle.wait_s(address, account)
        if wait_s > 0:
            log.warning("access event=guess-not-looked-at address=%s wait_s=%.0f", address, wait_s)
            raise TooManyTries(wait_s)


def found(kept: Kept, person_id: str) -> Person:
    """Raises UnknownPerson."""
    for person in kept.people:
        if person.id == person_id:
            return person
    raise UnknownPerson("That person was removed meanwhile.")


def clean_line(typed: str) -> str:
    """A name on one line, as it was typed. Raises BadName for one that is too long."""
    name = " ".join("".join(c if c.isprintable() else " " for c in typed).split())
    if len(name) > LONGEST_NAME:
        raise BadName(f"This name is too long: take at most {LONGEST_NAME} letters.")
    return name


def clean_name(typed: str) -> str:
    """A person's name on one line, as it was typed. Raises BadName."""
    name = clean_line(typed)
    if not fold(name):
        raise BadName("Write a name with letters: it stands beside what you do, and you log in with it.")
    return name


def with_new_person(kept: Kept, name: str, role: Role, pin_hash: str) -> tuple[Person, dict[str, object]]:
    """A person more, and the fields of the file with them. Raises NameTaken, TooMany."""
    if _named(kept, fold(name)) is not None:
        raise NameTaken(f"Somebody here is called {name} already. Add a letter or a second name.")
    if len(kept.people) >= MOST_PEOPLE:
        raise TooMany(f"There are {MOST_PEOPLE} people already: remove some who do not come any more.")
    person = Person(id=secrets.token_hex(8), name=name, role=role, pin_hash=pin_hash)
    return person, {"people": (*kept.people, person)}


def organizer_named(kept: Kept, name: str) -> Person | None:
    """The organizer of this name, if there is one."""
    person = _named(kept, fold(name))
    return person if person is not None and person.role == "organizer" else None


def with_pin(kept: Kept, person: Person) -> dict[str, object]:
    """The fields of the file with `person` as given, and all their phones logged out."""
    phones = tuple(each for each in kept.phones if each.person != person.id)
    return {"people": _replaced(kept, person), "phones": phones}


def _named(kept: Kept, account: str) -> Person | None:
    return next((each for each in kept.people if fold(each.name) == account), None)


def _replaced(kept: Kept, person: Person) -> tuple[Person, ...]:
    return tuple(person if each.id == person.id else each for each in kept.people)


def _without_tokens(kept: Kept, person_id: str) -> dict[str, object]:
    """The field of tokens without those that a person made, and may know."""
    return {"tokens": tuple(each for each in kept.tokens if each.made_by != person_id)}


def _keep_one_organizer(kept: Kept, person_id: str, role: Role | None) -> None:
    if role == "organizer" or any(each.role == "organizer" and each.id != person_id for each in kept.people):
        return
    if found(kept, person_id).role == "organizer":
        raise LastOrganizer("This is the last organizer: make somebody else one first.")
