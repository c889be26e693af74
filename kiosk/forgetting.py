"""Names go some days after the evening, by themselves, when a time server says that those days have passed.

Before, the evening's report, which has no names, is kept as a file: with the notes of the tickets goes what it counts
of diets. After it, the backups that still hold those names go.
"""

from __future__ import annotations

import logging
from datetime import timedelta, tzinfo
from pathlib import Path

import msgspec

from hardware.clock import Clock
from hardware.durable import write_durably
from hardware.errors import PlatypusError
from hardware.worker import Worker
from kiosk.backup.shelf import Shelf
from kiosk.evening import evening_report
from kiosk.ledger import Event
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.pretix_copy import PretixCopy
from kiosk.ledger.privacy import Kept, due, forget
from kiosk.ledger.report_forms import as_json
from kiosk.pretix.links import Links
from kiosk.pretix.sync import ServerOf, real_server
from kiosk.tickets.pretix.errors import PretixError

log = logging.getLogger(__name__)

LOOK_PERIOD_S = 3_600.0


class Forgetting:
    """Forgets the persons of events, now or when it is time."""

    def __init__(
        self,
        ledger: Ledger,
        reports: Path,
        links: Links,
        clock: Clock,
        after: timedelta | None,
        zone: tzinfo,
        shelf: Shelf | None = None,
        logbook: Path | None = None,
        server_of: ServerOf = real_server,
    ) -> None:
        self._ledger = ledger
        self._links = links
        self._logbook = logbook  # of the stream
        self._server_of = server_of  # of pretix
        self._reports = reports  # a folder
        self._clock = clock
        self.after = after  # the evening; None: never by itself
        self._zone = zone
        self._shelf = shelf  # of the backups, which hold names too
        self.worker = Worker("forgetting", self._run)

    def forget(self, event: Event) -> Kept:
        """Keep the report, then forget, in the backups too. Raises LedgerError, BackupError; OSError of the report."""
        told = evening_report(self._ledger, event, self._clock.stamp(), self._zone, self._logbook)
        kept_at = self._reports / f"{event.slug}.json"
        if not kept_at.exists():  # a second time there would be less in it
            write_durably(kept_at, msgspec.json.format(msgspec.json.encode(as_json(told))) + b"\n")
        self._leave_pretix(event)
        gone = forget(self._ledger, event)
        if self._shelf is not None:
            self._shelf.forget(event.slug)
        return gone

    def _leave_pretix(self, event: Event) -> None:
        """Else it would tell the names again; and a token that nobody needs is to be worth nothing."""
        link = self._links.get(event.slug)
        if link is None:
            return
        self._links.put(event.slug, None)
        PretixCopy(self._ledger, event).forget()
        try:
            self._server_of(link).revoke()
        except PretixError as error:
            log.warning("privacy event=device-not-revoked device=%d cause=%s", link.device_id, error)

    def look(self) -> None:
        """Forget what is due, in the ledger and in backups. Raises LedgerError, BackupError, OSError."""
        now = self._clock.stamp()
        if self.after is None or not now.is_trusted:  # a wrong clock forgets nobody
            return
        for each in due(self._ledger, now.wall, self.after):
            self.forget(each.event)
        if self._shelf is not None:
            self._shelf.forget_due()

    def _run(self, worker: Worker) -> None:
        while True:
            worker.tick()
            try:
                self.look()
            except (PlatypusError, OSError) as error:
                log.warning("privacy event=not-forgotten cause=%s next=in-an-hour", error)
            if not worker.wait(LOOK_PERIOD_S):
                return
