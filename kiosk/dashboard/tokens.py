"""Tokens: how a program is let in, with a name, a role, and a secret of which only the hash is kept.

A token is 192 random bits, so no wrong guess brings anybody nearer: wrong ones wait only so that they fill no log. A
good one is looked at first, and never waits, whoever guesses beside it.
"""

from __future__ import annotations

import logging
import re
import secrets
import threading
from typing import NamedTuple

import msgspec

from hardware.clock import Clock
from kiosk.dashboard.access_errors import BadName, NameTaken, TooMany, TooManyTries, UnknownToken, WrongToken
from kiosk.dashboard.access_file import AccessFile, Moment, Role, Token, sha256
from kiosk.dashboard.people import clean_line
from kiosk.dashboard.sightings import Sightings
from kiosk.dashboard.throttle import ADDRESS, Counts, network
from kiosk.tickets.sheet import fold

log = logging.getLogger(__name__)

PREFIX = "platypus_"  # so that one that leaked is found by who searches for it
FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{32}}")
MOST_TOKENS = 50


class Program(NamedTuple):
    """Whoever shows a token."""

    token: Token

    @property
    def role(self) -> Role:
        """What it may do."""
        return self.token.role

    @property
    def signature(self) -> str:
        """Who the rows of the door and the list of changes name."""
        return f"{self.token.name} ({self.token.role}, by token)"

    @property
    def mark(self) -> str:
        """What a log calls it."""
        return f"token-{self.token.id}"


class Tokens:
    """The tokens of the file. Safe for threads."""

    def __init__(self, file: AccessFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._sightings = Sightings()
        self._wrong = Counts(ADDRESS, clock)
        self._lock = threading.Lock()  # of the counts

    def make(self, name: str, role: Role, made_by: str) -> tuple[str, Token]:
        """A new token in full, which is nowhere else, and what is kept of it. Raises BadName, NameTaken, TooMany.

        `made_by`: a person's id, or COMMAND_LINE.
        """
        name = clean_line(name)
        if not fold(name):
            raise BadName("Write what the token is for, with letters: it stands beside what is done with it.")
        secret = PREFIX + secrets.token_urlsafe(24)
        with self._file.changing() as change:
            others = change.before.tokens
            if any(fold(each.name) == fold(name) for each in others):
                raise NameTaken(f"There is a token called {name} already. Take another name, or revoke that one first.")
            if len(others) >= MOST_TOKENS:
                raise TooMany(f"There are {MOST_TOKENS} tokens already: revoke some first.")
            token = Token(
                id=secrets.token_hex(4),
                name=name,
                sha256=sha256(secret),
                role=role,
                made_by=made_by,
                made=Moment.of(self._clock.stamp()),
            )
            change.to(tokens=(*others, token))
        self._sightings.forget_all_but({each.sha256 for each in others})
        log.info("access event=token-made token=%s role=%s", token.id, role)
        return secret, token

    def all(self) -> tuple[Token, ...]:
        """Every token that is good, oldest first."""
        return self._file.load().tokens

    def seen(self, token: Token) -> Moment | None:
        """When a token was used last; None: never."""
        return self._sightings.last(token.sha256) or token.seen

    def find(self, secret: str) -> Program | None:
        """Whose token this is; None when it was revoked, or never was one. Notes that it was used."""
        hashed = sha256(secret)
        token = next((each for each in self._file.load().tokens if each.sha256 == hashed), None)
        if token is None:
            return None
        self._sightings.note(hashed, f"token-{token.id}", self._clock.stamp(), lambda seen: self._keep(hashed, seen))
        return Program(token)

    def let_in(self, secret: str, address: str) -> Program:
        """The same for somebody who asks from `address`. Raises WrongToken, or TooManyTries after many wrong ones."""
        program = self.find(secret)
        if program is not None:
            return program
        with self._lock:
            wait_s = self._wrong.wait_s(network(address))
            if wait_s > 0:
                raise TooManyTries(wait_s)
            self._wrong.failed(network(address))
        log.warning("access event=wrong-token address=%s", address)
        raise WrongToken("This token is not one, or was revoked. Ask an organizer for another: page People, Tokens.")

    def revoke(self, token_id: str) -> Token:
        """End a token, at once. Raises UnknownToken."""
        with self._file.changing() as change:
            before = change.before.tokens
            token = next((each for each in before if each.id == token_id), None)
            if token is None:
                raise UnknownToken("This token was revoked already.")
            change.to(tokens=tuple(each for each in before if each.id != token_id))
        log.info("access event=token-revoked token=%s", token_id)
        return token

    def _keep(self, hashed: str, seen: Moment) -> None:
        with self._file.changing() as change:  # what was revoked this moment stays so
            change.to(
                tokens=tuple(
                    msgspec.structs.replace(each, seen=seen) if each.sha256 == hashed else each
                    for each in change.before.tokens
                )
            )
