"""Names go by themselves when it is time and the time is known; the report without names is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hardware.clock import ManualClock
from hardware.durable import write_durably
from kiosk.forgetting import Forgetting
from kiosk.ledger import Event, Hand, NewTicket
from kiosk.ledger.ledger import Ledger
from kiosk.pretix.links import Links
from kiosk.tickets.codes import digest

STARTS = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
FORTNIGHT = timedelta(days=14)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def event(ledger: Ledger) -> Event:
    made = ledger.create_event("evening", "An evening", 50, starts_at=STARTS)
    guests = [NewTicket(0, digest(f"code {n}".encode()), True, f"Guest {n}", note="vegan") for n in range(3)]
    ledger.put_tickets(made, guests)
    for n, ticket in enumerate(ledger.tickets(made)):
        ledger.check_in(made, ticket.id, Hand("Vera", str(n), "desk", ManualClock().stamp()))
    return made


def names(ledger: Ledger, event: Event) -> set[str | None]:
    return {ticket.holder for ticket in ledger.tickets(event)}


def forgetting(ledger: Ledger, folder: Path, clock: ManualClock, after: timedelta | None = FORTNIGHT) -> Forgetting:
    return Forgetting(ledger, folder / "reports", Links(folder / "pretix.json"), clock, after, UTC)


def test_names_go_when_it_is_time_and_the_report_stays(ledger: Ledger, event: Event, tmp_path: Path) -> None:
    clock = ManualClock(STARTS + FORTNIGHT - timedelta(seconds=1))
    looking = forgetting(ledger, tmp_path, clock)
    looking.look()
    assert names(ledger, event) == {"Guest 0", "Guest 1", "Guest 2"}
    clock.advance(2)
    looking.look()
    assert names(ledger, event) == {None}
    told = (tmp_path / "reports" / "evening.json").read_text()
    assert json.loads(told)["came"] == 3 and "vegan" in told and "Guest" not in told


def test_a_clock_that_nobody_vouches_for_forgets_nobody(ledger: Ledger, event: Event, tmp_path: Path) -> None:
    clock = ManualClock(STARTS + 100 * FORTNIGHT)
    clock.is_trusted = False
    forgetting(ledger, tmp_path, clock).look()
    assert names(ledger, event) != {None}


def test_without_a_time_limit_nothing_goes_by_itself(ledger: Ledger, event: Event, tmp_path: Path) -> None:
    forgetting(ledger, tmp_path, ManualClock(STARTS + 100 * FORTNIGHT), None).look()
    assert names(ledger, event) != {None}


def test_a_report_that_cannot_be_kept_keeps_the_names(ledger: Ledger, event: Event, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("no folder")
    with pytest.raises(OSError, match="reports"):
        forgetting(ledger, tmp_path, ManualClock()).forget(event)
    assert names(ledger, event) != {None}


def test_forgetting_again_does_not_replace_the_fuller_report(ledger: Ledger, event: Event, tmp_path: Path) -> None:
    write_durably(tmp_path / "reports" / "evening.json", b"the first")
    forgetting(ledger, tmp_path, ManualClock()).forget(event)
    assert (tmp_path / "reports" / "evening.json").read_bytes() == b"the first"


def test_its_thread_looks_at_once_and_stops_when_told(ledger: Ledger, event: Event, tmp_path: Path) -> None:
    looking = forgetting(ledger, tmp_path, ManualClock(STARTS + FORTNIGHT))
    with looking.worker:
        assert looking.worker.stop()
    assert names(ledger, event) == {None}
