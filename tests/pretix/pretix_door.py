"""A door whose event is one in pretix: real ledger, real desk, a clock that stands still until told."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from hardware.clock import ManualClock
from kiosk.ledger import Decision, GateMode, Hand, Presentation
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.pretix_copy import PretixCopy
from kiosk.ledger.records import Ticket
from kiosk.pretix.desk import PretixDesk
from kiosk.pretix.links import Links
from kiosk.pretix.sync import Phase

_NUMBERS = count(1)


class PretixDoor:
    """See above."""

    def __init__(self, ledger: Ledger, folder: Path, handshake: str, *, capacity: int = 200) -> None:
        self.ledger = ledger
        self.clock = ManualClock()
        self.event = ledger.create_event("evening", "An evening", capacity)
        self.links = Links(folder / "pretix.json")
        self.copy = PretixCopy(ledger, self.event)
        self.desk = PretixDesk.of(ledger, self.event, self.links, self.clock, "en")
        if handshake:  # else it is enrolled already
            self.desk.enrol(handshake)

    def choose(self, event: str, checkin_list: int) -> None:
        """Choose a list and take its tickets."""
        self.desk.choose(event, checkin_list)
        assert self.sync() is Phase.CURRENT, self.desk.sync.state().cause

    def sync(self) -> Phase:
        """One round."""
        return self.desk.sync.round()

    def show(self, code: str, mode: GateMode = GateMode.ENTRY) -> Decision:
        """Somebody holds a code before the camera, a second later than whoever came before."""
        self.clock.advance(1)
        shown = Presentation(code.encode(), f"test-{next(_NUMBERS)}", "main", "camera", self.clock.stamp())
        return self.ledger.admit(self.event, shown, mode)

    def hand(self) -> Hand:
        """A volunteer presses something."""
        self.clock.advance(1)
        return Hand("Vera", f"hand-{next(_NUMBERS)}", "desk", self.clock.stamp())

    def ticket(self, order: str) -> Ticket:
        """The ticket of an order that is good now, or the newest."""
        of_order = [each for each in self.ledger.tickets(self.event) if each.order_code == order]
        return next((each for each in of_order if each.heir is None), of_order[-1])
