"""An evening as it is told afterwards: the door's numbers from the ledger, the stream's from its logbook."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from hardware.clock import Stamp
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.records import Event
from kiosk.ledger.report import Report, report
from stream.aired import StreamReport, stream_report
from stream.logbook import read

log = logging.getLogger(__name__)

_BEFORE, _AFTER = timedelta(hours=6), timedelta(hours=18)  # the start: no other evening is as near


def evening_report(ledger: Ledger, event: Event, now: Stamp, zone: tzinfo, logbook: Path | None) -> Report:
    """Both. Raises LedgerError; a logbook that cannot be read is none, and the log says so."""
    told = report(ledger, event, now, zone)
    return told if logbook is None else told._replace(stream=_stream(told, logbook))


def _stream(told: Report, logbook: Path) -> StreamReport:
    begins = told.starts_at or _first(told)
    if begins is None:  # nobody knows when it was
        return StreamReport()
    try:
        return stream_report(read(logbook), begins - _BEFORE, begins + _AFTER)
    except OSError as error:
        log.warning("report event=no-logbook cause=%s", error.strerror)
        return StreamReport()


def _first(told: Report) -> datetime | None:
    return told.slices[0].begins if told.slices else None
