"""Names are forgotten, on the disk too; what was counted stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hardware.clock import ManualClock
from kiosk.ledger import Event, Hand, NewTicket
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.privacy import due, forget, kept
from kiosk.tickets.codes import digest

STARTS = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
FORTNIGHT = timedelta(days=14)
NAMES = (b"Ornithorynque", b"lovelace@example.org", b"vegan", b"ORDER77", b"Grace Hopper", b"Vera")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def event(ledger: Ledger) -> Event:
    made = ledger.create_event("evening", "An evening", 50, starts_at=STARTS)
    guest = NewTicket(
        0, digest(b"A"), True, "Ornithorynque", "lovelace@example.org", note="vegan", order_code="ORDER77"
    )
    ledger.put_tickets(made, [guest, NewTicket(0, digest(b"B"), True, "Ada")])
    ledger.check_in(made, ledger.tickets(made)[0].id, hand("a"))
    ledger.wait(made, "Grace Hopper", 2, hand("b"))
    ledger.correct(made, 1, hand("c"))
    return made


def hand(nonce: str) -> Hand:
    return Hand("Vera (door) ABC", nonce, "desk", ManualClock().stamp())


def on_disk(folder: Path) -> set[bytes]:
    """Which of NAMES stand in any file of the ledger."""
    raw = b"".join(path.read_bytes() for path in folder.glob("ledger.db*"))
    return {name for name in NAMES if name in raw or name.lower() in raw}


def test_forgotten_names_are_on_the_disk_no_more(ledger: Ledger, event: Event, tmp_path: Path) -> None:
    assert on_disk(tmp_path) == set(NAMES)
    assert forget(ledger, event)[1:4] == (2, 1, 3)
    assert on_disk(tmp_path) == set()


def test_counts_stay_and_the_ledger_is_sound(ledger: Ledger, event: Event) -> None:
    before = ledger.head_count(event), ledger.occupancy(event), ledger.seats(event, ManualClock().stamp())
    forget(ledger, event)
    assert (ledger.head_count(event), ledger.occupancy(event), ledger.seats(event, ManualClock().stamp())) == before
    assert audit(ledger) == []
    assert [row.actor for row in ledger.recent_scans(event, 9)] == ["somebody"] * 3
    assert ledger.find(event, "ornithorynque") == []


def test_rows_cannot_be_changed_afterwards_either(ledger: Ledger, event: Event) -> None:
    forget(ledger, event)
    with ledger.database.writing() as db, pytest.raises(Exception, match="append-only"):
        db.exec_driver_sql("UPDATE scans SET delta = 7")


def test_the_door_goes_on_afterwards(ledger: Ledger, event: Event) -> None:
    forget(ledger, event)
    assert ledger.check_in(event, ledger.tickets(event)[1].id, hand("d")).is_admitted
    assert kept(ledger)[0].rows == 1


def test_forgetting_twice_forgets_nothing_more(ledger: Ledger, event: Event) -> None:
    forget(ledger, event)
    assert kept(ledger)[0].is_nothing
    assert forget(ledger, event).is_nothing


def test_other_evenings_are_left_alone(ledger: Ledger, event: Event) -> None:
    other = ledger.create_event("later", "Later", 50)
    ledger.put_tickets(other, [NewTicket(0, digest(b"C"), True, "Noor")])
    forget(ledger, event)
    assert [(each.event.slug, each.tickets) for each in kept(ledger)] == [("later", 1), ("evening", 0)]


def test_it_is_due_some_days_after_the_evening(ledger: Ledger, event: Event) -> None:
    assert due(ledger, STARTS + timedelta(days=13, hours=23), FORTNIGHT) == []
    assert [each.event.slug for each in due(ledger, STARTS + FORTNIGHT, FORTNIGHT)] == ["evening"]
    forget(ledger, event)
    assert due(ledger, STARTS + FORTNIGHT, FORTNIGHT) == []


def test_an_event_without_a_start_counts_from_its_last_row(ledger: Ledger) -> None:
    made = ledger.create_event("sometime", "Sometime", 50)
    ledger.put_tickets(made, [NewTicket(0, digest(b"D"), True, "Noor")])
    assert kept(ledger)[0].goes_at(FORTNIGHT) is None
    ledger.correct(made, 1, hand("e"))
    assert kept(ledger)[0].goes_at(FORTNIGHT) == ManualClock().stamp().wall + FORTNIGHT
