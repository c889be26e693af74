"""What the attendees' screen and the page with the film say beside the answers of words.py."""

from __future__ import annotations

from typing import NamedTuple

from kiosk.dashboard import words
from kiosk.dashboard.language import _, say_later
from kiosk.ledger import ScanRow


class Said(NamedTuple):
    """Something the screen says: very large, and what to do next. English, until it is `said`."""

    title: str
    advice: str

    def said(self) -> Said:
        """The same in the language of the moment."""
        return Said(_(self.title), _(self.advice))


REFUSED = Said(words.NOT_ADMITTED.title, words.NOT_ADMITTED.advice)
IDLE = Said(say_later("Hold your QR code 20 cm from the camera"), say_later("On a phone or on paper, either works."))
STARTING = Said(say_later("One moment, please"), say_later("The camera is starting."))
CLOSED = Said(say_later("Please see a volunteer"), say_later("They will check you in by hand."))
FIRST = Said(say_later("Are you the organizer?"), say_later("Scan this once to choose your name and PIN."))


def movement(row: ScanRow) -> Said:
    """What a guest at the gate is told of their own row."""
    if row.reason is None:
        answer = words.GOODBYE if row.kind == "exit" else words.ADMITTED
    else:
        answer = words.REFUSALS.get(row.reason, words.NOT_ADMITTED)
    return Said(answer.title, answer.advice).said()
