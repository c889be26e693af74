"""The link that the screen on the Pi shows until somebody is there: made when it is looked at, and again in time."""

from __future__ import annotations

import logging
import threading
from typing import NamedTuple

from kiosk.dashboard.access import Access
from kiosk.dashboard.access_errors import AccessError
from kiosk.dashboard.access_file import Link
from kiosk.dashboard.invitations import SCREEN

log = logging.getLogger(__name__)

_RENEWED_S = 600.0  # with so much left: whoever scans it now must have the time to choose


class Shown(NamedTuple):
    """A link as a screen shows it."""

    token: str
    id: str


class FirstLink:
    """The one token that the server itself keeps, in memory."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._made: tuple[str, Link] | None = None

    def shown(self) -> Shown | None:
        """The link to show now; None once there is a person."""
        invitations = self._access.invitations
        try:
            with self._lock:
                if self._access.people.all():
                    return None
                made = self._made
                if made is None or made[1] not in invitations.open() or invitations.left_s(made[1]) < _RENEWED_S:
                    made = self._made = invitations.make("organizer", SCREEN)
                return Shown(made[0], made[1].id)
        except AccessError:  # the screen has guests to greet
            log.exception("screen event=no-first-link")
            return None
