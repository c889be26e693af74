"""What a report costs: how long it takes, and how long another thread of the same process waits for it meanwhile.

python benchmarks/report.py [--guests 50000]
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from hardware.clock import SystemClock
from kiosk.dashboard.report_sheet import sheet
from kiosk.dashboard.report_view import report_view
from kiosk.ledger import NewTicket
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.report import report
from kiosk.ledger.schema import scans
from kiosk.tickets.codes import digest

BEGIN = datetime(2026, 11, 24, 17, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Paris")
NOTES = ("vegan", "halal, speaker", None, None)
_PAUSE_S = 0.02


def fill(ledger: Ledger, guests: int) -> None:
    """Everybody comes in, and leaves again: two rows a guest."""
    event = ledger.create_event("evening", "An evening", guests)
    names = [(digest(b"%d" % n), f"Guest{n} Surname{n % 977}", NOTES[n % len(NOTES)]) for n in range(guests)]
    ledger.put_tickets(
        event, [NewTicket(0, sha256, is_own=False, holder=holder, note=note) for sha256, holder, note in names]
    )
    inside, rows = 0, []
    for kind, delta in (("entry", 1), ("exit", -1)):
        for ticket in ledger.tickets(event):
            inside += delta
            about = {"event_id": event.id, "ticket_id": ticket.id, "gate": "main", "source": "camera", "persons": 1}
            count = {"kind": kind, "visit": 1, "delta": delta, "inside": inside, "fire_limit": guests}
            clock = {"monotonic_ns": len(rows), "boot_id": "boot", "clock_trusted": True}
            wall = BEGIN + timedelta(seconds=len(rows) / 5)
            rows.append({**about, **count, **clock, "nonce": f"{len(rows)}", "wall": wall})
    with ledger.database.writing() as db:
        db.execute(sa.insert(scans), rows)


class Beat:
    """Another thread, which wants to run each 20 ms; remembers the longest that it was late."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.late_ms = 0.0

    def __enter__(self) -> Beat:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        before = time.perf_counter()
        while not self._stop.wait(_PAUSE_S):
            now = time.perf_counter()
            self.late_ms = max(self.late_ms, (now - before - _PAUSE_S) * 1000)
            before = now


def memory_mb() -> int:
    """What this process takes now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 1_000_000


def main() -> None:
    """Print what each step took."""
    options = argparse.ArgumentParser()
    options.add_argument("--guests", type=int, default=50_000)
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder, "ledger.db")) as ledger:
        fill(ledger, options.parse_args().guests)
        event = ledger.event("evening")
        for what in ("counted", "counted again", "PDF", "PDF again"):
            with Beat() as beat:
                begun_s = time.perf_counter()
                if what.startswith("counted"):
                    told = report(ledger, event, SystemClock().stamp(), ZONE)
                else:
                    sheet(report_view(told, ZONE), told, ZONE)
                took_s = time.perf_counter() - begun_s
            print(f"{what}: {took_s:.2f} s, another thread at most {beat.late_ms:.0f} ms late, {memory_mb()} MB")


if __name__ == "__main__":
    main()
