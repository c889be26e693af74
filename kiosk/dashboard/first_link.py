"""The link that the screen on the Pi shows until somebody is there: made when it is looked at, and again in time."""

from __future__ import annotations

import logging
import threading

from kiosk.dashboard.access import Access
from kiosk.dashboard.access_errors import AccessError
from kiosk.dashboard.access_file import Link
from kiosk.dashboard.invitations import SCREEN

log = logging.getLogger(__name__)

_RENEWED_S = 600.0  # with so much left: whoever scans it now must have the time to choose


class FirstLink:
    """The one token that the server itself keeps, in memory."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._made: tuple[str, Link] | None = None

    def token(self) -> str | None:
        """The token to show now; None once there is a person."""
        try:
            with self._lock:
                if self._access.people.all():
                    self._made = None
                    return None
                made = self._made
                if (
                    made is None
                    or made[1] not in self._access.invitations.open()
                    or self._access.invitations.left_s(made[1]) < _RENEWED_S
                ):
                    made = self._made = self._access.invitations.make("organizer", SCREEN)
                return made[0]
        except AccessError:  # the screen has guests to greet
            log.exception("screen event=no-first-link")
            return None
