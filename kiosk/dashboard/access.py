"""Who may come in and who is in, over one small file: people, their phones, links that let new ones in, programs.

There is no default account. `platypus dashboard` prints a link, and until somebody is there the screen shows one;
whoever opens it becomes the first organizer, and invites the others.
"""

from __future__ import annotations

from pathlib import Path

from hardware.clock import Clock
from kiosk.dashboard.access_file import AccessFile
from kiosk.dashboard.invitations import COMMAND_LINE, Invitations
from kiosk.dashboard.people import People
from kiosk.dashboard.phones import Phones
from kiosk.dashboard.pins import Pins
from kiosk.dashboard.tokens import Tokens


class Access:
    """The lists of one installation."""

    def __init__(self, state_dir: Path, clock: Clock, pins: Pins | None = None) -> None:
        self.clock = clock
        self._file = AccessFile(state_dir)
        pins = pins or Pins()
        self.people = People(self._file, pins, clock)
        self.invitations = Invitations(self._file, pins, clock)
        self.phones = Phones(self._file, clock)
        self.tokens = Tokens(self._file, clock)

    def secret_key(self) -> str:
        """What signs the session cookies: 256 random bits, made at first use."""
        return self._file.load().secret_key

    def login_link(self) -> str:
        """The token of a link that makes an organizer, or gives one a new PIN."""
        return self.invitations.make("organizer", COMMAND_LINE)[0]
