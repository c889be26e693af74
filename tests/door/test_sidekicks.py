"""A scanner is another source of codes; the doorway frees the strike and counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from hardware.cameras import ScriptedCamera
from hardware.clock import ManualClock
from hardware.panel import FakePanel, Signal
from hardware.passage import FakePassages
from hardware.scanners import FakeScanner
from hardware.worker import Worker
from kiosk.door.loop import Door, Gate
from kiosk.door.sidekicks import Doorway, ScannerSource
from kiosk.ledger import NewTicket
from kiosk.ledger.ledger import Ledger
from kiosk.news import DoorState, ScanNews
from kiosk.tickets.codes import digest


class Told:
    """The news that a door told."""

    def __init__(self) -> None:
        self.states: list[DoorState] = []
        self.scans: list[ScanNews] = []

    def state(self, state: DoorState) -> None:
        self.states.append(state)

    def scan(self, scan: ScanNews) -> None:
        self.scans.append(scan)


class Night:
    """A door whose camera sees nothing."""

    def __init__(self, path: Path) -> None:
        self.ledger = Ledger(path)
        event = self.ledger.create_event("evening", "An evening", 5)
        self.ledger.put_tickets(event, [NewTicket(0, digest(code), is_own=False) for code in (b"AA", b"BB")])
        self.clock, self.panel, self.told = ManualClock(), FakePanel(), Told()
        camera = ScriptedCamera([np.zeros((100, 100), np.uint8)])
        self.door = Door(Gate("main", event), camera, self.ledger, self.panel, self.told, self.clock)

    @property
    def answers(self) -> list[str]:
        return [scan.reason or "admitted" for scan in self.told.scans]


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    night = Night(tmp_path / "ledger.db")
    yield night
    night.ledger.close()


def until(is_true: Callable[[], bool], limit_s: float = 10.0) -> None:
    deadline = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_a_scanners_codes_get_the_same_answers_as_the_cameras(night: Night) -> None:
    scanner = FakeScanner()
    with Worker("scanner", ScannerSource(scanner, night.door).run):
        for code in (b"AA", b"??", b"BB"):
            scanner.present(code)
        until(lambda: len(night.answers) == 3)
    assert night.answers == ["admitted", "invalid", "admitted"]
    assert night.panel.signals == [Signal.ADMITTED, Signal.REFUSED, Signal.ADMITTED]


class Script:
    """A scanner that plays a list: codes, and None for half a second in which nothing came."""

    trouble = None

    def __init__(self, *steps: bytes | None) -> None:
        self._steps = list(steps)

    def next_code(self, timeout_s: float) -> bytes | None:
        return self._steps.pop(0) if self._steps else None


def test_a_trigger_pulled_twice_is_one_presentation_but_not_for_ever(night: Night) -> None:
    script = Script(b"AA", b"AA", None, b"AA", None, None, None, b"AA")
    with Worker("scanner", ScannerSource(script, night.door).run):  # type: ignore[arg-type]
        until(lambda: len(night.answers) == 2)
    assert night.answers == ["admitted", "already_redeemed"]


def test_an_endless_code_is_nobodys_ticket(night: Night) -> None:
    night.door.present(b"x" * 100_000, "scanner")
    night.door.present(b"", "scanner")
    assert night.answers == []


def test_camera_and_scanner_at_once_admit_a_ticket_once(night: Night) -> None:
    together = threading.Barrier(8)

    def show() -> None:
        together.wait()
        night.door.present(b"AA", "scanner")

    guests = [threading.Thread(target=show) for _ in range(8)]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    assert sorted(night.answers) == ["admitted", *["already_redeemed"] * 7]


def test_the_doorway_counts_and_says_what_is_wrong(night: Night) -> None:
    passages = FakePassages()
    with Worker("doorway", Doorway(passages, night.panel, night.door).run):
        passages.walk("in")
        passages.walk("in")
        passages.walk("out")
        until(lambda: bool(night.told.states) and night.told.states[-1].passed_out == 1)
        assert night.told.states[-1].passed_in == 2
        passages.block()
        until(lambda: "beam" in night.told.states[-1].passage)
        passages.free()
        until(lambda: night.told.states[-1].passage == "")
        passages.press_exit()
        until(lambda: len(night.panel.releases) == 1)
    assert night.answers == []  # bodies are no tickets


def test_an_exit_button_without_a_strike_ends_nothing(night: Night) -> None:
    passages = FakePassages()
    with Worker("doorway", Doorway(passages, None, night.door).run) as worker:
        passages.press_exit()
        passages.walk("in")
        until(lambda: bool(night.told.states) and night.told.states[-1].passed_in == 1)
        assert worker.is_alive
