"""Links that let one person in, once, within 30 minutes: an invitation, or the login link of the command line."""

from __future__ import annotations

import logging
import secrets
from hmac import compare_digest

import msgspec

from hardware.clock import Clock, Stamp
from kiosk.dashboard.access_errors import LinkGone, TooMany
from kiosk.dashboard.access_file import AccessFile, Kept, Link, Moment, Person, Role, sha256
from kiosk.dashboard.people import clean_name, organizer_named, with_new_person, with_pin
from kiosk.dashboard.pins import Pins

log = logging.getLogger(__name__)

LINK_LIFE_S = 1800.0
MOST_LINKS = 50  # open at a time
COMMAND_LINE = "command line"
SCREEN = "screen"  # on the wall, until somebody is there
_MACHINES = frozenset({COMMAND_LINE, SCREEN})  # each has one link at a time, and theirs may reset an organizer


class Invitations:
    """The open links of the file. Ages are told by the clock that never jumps; a reboot ends every link."""

    def __init__(self, file: AccessFile, pins: Pins, clock: Clock) -> None:
        self._file = file
        self._pins = pins
        self._clock = clock

    def make(self, role: Role, made_by: str) -> tuple[str, Link]:
        """The token of a new link, and what is kept of it. Raises TooMany.

        `made_by`: a person's id, COMMAND_LINE or SCREEN; of the latter two an earlier link is void.
        """
        token = secrets.token_urlsafe(16)
        with self._file.changing() as change:
            stamp = self._clock.stamp()  # now that nobody else writes: no link there is younger
            link = Link(
                id=secrets.token_hex(4), sha256=sha256(token), role=role, made_by=made_by, made=Moment.of(stamp)
            )
            open_ones = _open(change.before, stamp)
            if made_by in _MACHINES:
                open_ones = tuple(each for each in open_ones if each.made_by != made_by)
            if len(open_ones) >= MOST_LINKS:
                raise TooMany(f"{MOST_LINKS} invitations are open already: withdraw some first.")
            change.to(links=(*open_ones, link))
        log.info("access event=link-made link=%s role=%s life_s=%d", link.id, role, LINK_LIFE_S)
        return token, link

    def open(self) -> tuple[Link, ...]:
        """Links that may still be used, oldest first."""
        return _open(self._file.load(), self._clock.stamp())

    @staticmethod
    def is_machines(link: Link) -> bool:
        """Whether it was made on the Pi itself: it may give an organizer a new PIN."""
        return link.made_by in _MACHINES

    def left_s(self, link: Link) -> float:
        """How much longer a link may be used."""
        age_s = link.made.age_s(self._clock.stamp())
        return 0.0 if age_s is None else max(0.0, LINK_LIFE_S - age_s)

    def withdraw(self, link_id: str) -> Link:
        """End a link now. Raises LinkGone when it is over already."""
        with self._file.changing() as change:
            for link in change.before.links:
                if link.id == link_id:
                    change.to(links=tuple(each for each in change.before.links if each.id != link_id))
                    return link
        raise LinkGone("This invitation was used or withdrawn already, or is older than 30 minutes.")

    def check(self, token: str) -> Link:
        """The link of a token that may still be used. Raises LinkGone.

        Looking does not use it up: chats preview links.
        """
        return self._find(self._file.load(), token)

    def use(self, token: str, name: str, pin: str) -> Person:
        """Let somebody in: use up the link, with the name and the PIN that they chose.

        The link of a machine gives an organizer of that name a new PIN, and logs out all their phones.
        Raises LinkGone; BadName, NameTaken, WeakPin, TooMany and TooManyTries, which leave the link as it was.
        """
        self.check(token)  # before the costly hash: strangers do not make us work
        name = clean_name(name)
        pin_hash = self._pins.hash(pin)
        with self._file.changing() as change:
            before = change.before
            link = self._find(before, token)
            known = organizer_named(before, name) if link.made_by in _MACHINES else None
            fields: dict[str, object]
            if known is not None:
                person = msgspec.structs.replace(known, pin_hash=pin_hash)
                fields = with_pin(before, person)
            else:
                person, fields = with_new_person(before, name, link.role, pin_hash)
            # Somebody is there: what the screen shows is void at once, also to whoever has photographed it.
            links = tuple(each for each in before.links if each.id != link.id and each.made_by != SCREEN)
            change.to(links=links, **fields)
        log.info("access event=came-in person=%s role=%s link=%s", person.id, person.role, link.id)
        return person

    def _find(self, kept: Kept, token: str) -> Link:
        hashed = sha256(token)
        for link in _open(kept, self._clock.stamp()):
            if compare_digest(link.sha256, hashed):
                return link
        raise LinkGone(
            "This link was used already, was withdrawn, or is older than 30 minutes. Ask an organizer for another; on "
            "the Pi itself `platypus dashboard --new-login` makes one."
        )


def _open(kept: Kept, now: Stamp) -> tuple[Link, ...]:
    ages = ((link, link.made.age_s(now)) for link in kept.links)
    return tuple(link for link, age_s in ages if age_s is not None and 0 <= age_s <= LINK_LIFE_S)
