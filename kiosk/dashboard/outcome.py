"""What came of a press that another process obeys: said on the next page, in the list of changes, and in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable

import flask

from hardware.errors import PlatypusError
from kiosk.dashboard.language import _
from kiosk.dashboard.noting import note
from kiosk.dashboard.told import told

log = logging.getLogger(__name__)


def tell_outcome(name: str, act: Callable[[], object], done: str, tone: str = "yes") -> None:
    """Do it, and say `done` (marked by `say_later`) in `tone`; or why not, when `act` raises a PlatypusError."""
    try:
        act()
    except PlatypusError as error:
        log.warning("press do=%s outcome=failed", name)
        note(str(error), refused=True)
        flask.flash(_("Not done: %(cause)s", cause=told(str(error))), "no")
    else:
        log.info("press do=%s outcome=ok", name)
        flask.flash(_(done), tone)
