"""The real ledger behind the dashboard's ports, bound to one event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from hardware.clock import Clock
from kiosk.dashboard import ports
from kiosk.evening import evening_report
from kiosk.ledger import (
    DWELL,
    Decision,
    Event,
    Found,
    GateMode,
    Hand,
    HeadCount,
    KnownTime,
    Movement,
    Presentation,
    ScanRow,
    Seats,
    Waiting,
)
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.report import Report


class LedgerDesk:
    """The ledger as the dashboard reads it, and as its volunteers write it: ports.Doorbook and ports.FrontDesk."""

    def __init__(
        self,
        ledger: Ledger,
        event: Event,
        clock: Clock,
        dwell: timedelta = DWELL,
        logbook: Path | None = None,
    ) -> None:
        self._ledger = ledger
        self._logbook = logbook  # of the stream
        self._event = event
        self._clock = clock
        self._dwell = dwell  # of a phone that is a gate for both ways
        self._was_time_noted = False

    def event(self) -> ports.EventFacts:
        event = self._event
        return ports.EventFacts(
            name=event.name, capacity=event.capacity, starts_at=event.starts_at, stream_page=event.stream_page
        )

    def head_count(self) -> HeadCount:
        return self._ledger.head_count(self._event)

    def movements(self) -> Sequence[Movement]:
        return self._ledger.movements(self._event)

    def recent_scans(self, limit: int) -> Sequence[ScanRow]:
        return self._ledger.recent_scans(self._event, limit)

    def seats(self) -> Seats:
        return self._ledger.seats(self._event, self._clock.stamp())

    def waiting_list(self) -> Sequence[Waiting]:
        return self._ledger.waiting_list(self._event)

    def time(self) -> KnownTime:
        now = self._clock.stamp()
        if now.is_trusted and not self._was_time_noted:  # the door says so too, where one runs
            self._ledger.fix_clock(now)
            self._was_time_noted = True
        return self._ledger.known_time(now)

    def find(self, text: str, limit: int) -> Sequence[Found]:
        return self._ledger.find(self._event, text, limit)

    def report(self, zone: tzinfo) -> Report:
        return evening_report(self._ledger, self._event, self._clock.stamp(), zone, self._logbook)

    def scan(self, code: bytes, mode: GateMode, press: ports.Press, gate: str) -> Decision:
        shown = Presentation(code, press.nonce, gate, "phone", self._clock.stamp(), press.actor)
        return self._ledger.admit(self._event, shown, mode, self._dwell)

    def check_in(
        self, ticket_id: int, press: ports.Press, *, persons: int | None = None, override: bool = False
    ) -> Decision:
        return self._ledger.check_in(self._event, ticket_id, self._hand(press), persons=persons, override=override)

    def check_out(self, ticket_id: int, press: ports.Press) -> Decision:
        return self._ledger.check_out(self._event, ticket_id, self._hand(press))

    def walk_in(self, press: ports.Press, *, name: str | None, persons: int, override: bool = False) -> Decision:
        return self._ledger.walk_in(self._event, self._hand(press), name=name, persons=persons, override=override)

    def admit_waiting(self, waiting_id: int, press: ports.Press, *, override: bool = False) -> Decision:
        return self._ledger.admit_waiting(self._event, waiting_id, self._hand(press), override=override)

    def wait(self, name: str, persons: int, press: ports.Press) -> int:
        return self._ledger.wait(self._event, name, persons, self._hand(press))

    def stop_waiting(self, waiting_id: int, press: ports.Press) -> None:
        self._ledger.stop_waiting(self._event, waiting_id, self._hand(press))

    def correct(self, delta: int, press: ports.Press) -> int:
        return self._ledger.correct(self._event, delta, self._hand(press))

    def undo(self, scan_id: int, press: ports.Press) -> int:
        return self._ledger.undo(self._event, scan_id, self._hand(press))

    def release_no_shows(self, press: ports.Press) -> Seats:
        self._ledger.release_no_shows(self._event, self._hand(press))
        return self.seats()

    def set_clock(self, wall: datetime, press: ports.Press) -> None:
        self._ledger.set_clock(self._event, wall, self._hand(press))

    def _hand(self, press: ports.Press) -> Hand:
        return Hand(press.actor, press.nonce, ports.DESK_GATE, self._clock.stamp())
