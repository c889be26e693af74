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
from hardware.durable import sync_folder, write_durably
from hardware.errors import PlatypusError
from hardware.worker import Worker
from kiosk.backup.shelf import Shelf
from kiosk.evening import evening_report
from kiosk.ledger import Event, UnknownEvent
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.pretix_copy import PretixCopy
from kiosk.ledger.privacy import Kept, due, forget
from kiosk.ledger.report_forms import as_json
from kiosk.pretix.links import Links
from kiosk.pretix.sync import ServerOf, real_server
from kiosk.tickets.pretix.errors import PretixError

log = logging.getLogger(__name__)

LOOK_PERIOD_S = 3_600.0
_BEGUN = ".forgetting-"
_ALL, _BACKUPS = b"all\n", b"backups\n"  # what is left to do; names that are brought in meanwhile stay in the ledger


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
        """Keep the report, then forget, in the backups too.

        Killed in the middle, the next look goes on. Raises LedgerError, LinkError, OSError of the report: then what is
        not forgotten stays; BackupError, RunsAlready, OSError: then the next look tries the backups again.
        """
        kept_at = self._reports / f"{event.slug}.json"
        if not kept_at.exists():  # a second time there would be less in it
            told = evening_report(self._ledger, event, self._clock.stamp(), self._zone, self._logbook)
            write_durably(kept_at, msgspec.json.format(msgspec.json.encode(as_json(told))) + b"\n")
        begun = self._begun(event.slug)
        is_going_on = begun.exists()
        write_durably(begun, _ALL)
        try:
            self._leave_pretix(event, is_going_on=is_going_on)
            gone = forget(self._ledger, event)
        except (PlatypusError, OSError):  # whoever asked is told so, and may bring in other names meanwhile
            self._is_done(begun)
            raise
        write_durably(begun, _BACKUPS)
        self._forget_backups(event.slug)
        return gone

    def _leave_pretix(self, event: Event, *, is_going_on: bool) -> None:
        """Else it would tell the names again; and a token that nobody needs is to be worth nothing."""
        link = self._links.get(event.slug)
        if link is not None:
            try:
                self._server_of(link).revoke()  # first: who has no link any more has no token for it
            except PretixError as error:
                log.warning("privacy event=device-not-revoked device=%d cause=%s", link.device_id, error)
            self._links.put(event.slug, None)  # before the copy goes: a round of the sync writes nothing without it
        if link is not None or is_going_on:
            PretixCopy(self._ledger, event).forget()

    def _forget_backups(self, slug: str) -> None:
        if self._shelf is not None:
            self._shelf.forget(slug)
        self._is_done(self._begun(slug))

    def look(self) -> None:
        """Go on with what was begun; forget what is due, in the ledger and in backups.

        Raises LedgerError, LinkError, BackupError, RunsAlready, OSError.
        """
        self._go_on()
        now = self._clock.stamp()
        if self.after is None or not now.is_trusted:  # a wrong clock forgets nobody
            return
        for each in due(self._ledger, now.wall, self.after):
            self.forget(each.event)
        if self._shelf is not None:
            self._shelf.forget_due()

    def _go_on(self) -> None:
        """What was killed in the middle: somebody, or the clock, had decided it."""
        for begun in sorted(self._reports.glob(f"{_BEGUN}*")):
            slug = begun.name.removeprefix(_BEGUN)
            log.info("privacy event=goes-on of=%s", slug)
            try:
                if begun.read_bytes() != _BACKUPS:
                    self.forget(self._ledger.event(slug))
                    continue
            except UnknownEvent:
                log.info("privacy event=of-another-ledger of=%s", slug)
            self._forget_backups(slug)

    def _begun(self, slug: str) -> Path:
        """A file that is there while it is done; hidden, so that it is in no backup."""
        return self._reports / f"{_BEGUN}{slug}"

    def _is_done(self, begun: Path) -> None:
        begun.unlink(missing_ok=True)
        sync_folder(self._reports)

    def _run(self, worker: Worker) -> None:
        while True:
            worker.tick()
            try:
                self.look()
            except (PlatypusError, OSError) as error:
                log.warning("privacy event=not-forgotten cause=%s next=in-an-hour", error)
            if not worker.wait(LOOK_PERIOD_S):
                return
