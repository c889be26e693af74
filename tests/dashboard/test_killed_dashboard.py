"""The dashboard's own process is killed while a phone waits for its answer: the guest is counted once."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import tomli_w
from dashboard_house import NAME, PIN, wait_for
from playwright.sync_api import Route, expect, sync_playwright
from scan_stage import JEAN, PEOPLE, ZOE, phone, start, write_film

from hardware.clock import SystemClock
from kiosk import office
from kiosk.config import load_config
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_file import Person
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger


@dataclass
class Dashboard:
    """A running `platypus dashboard`, which comes back at the same address."""

    config: Path
    access: Access
    port: int
    process: subprocess.Popen[str] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def choose(self, pin: str) -> Person:
        return self.access.invitations.use(self.access.login_link(), NAME, pin)

    def begin(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kiosk", "dashboard", "--config", str(self.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout
        assert re.match(r"dashboard: http", self.process.stdout.readline())

    def kill(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Dashboard]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "platypus.toml"
    settings = {
        "state_dir": str(tmp_path / "state"),
        "run_dir": str(tmp_path / "run"),
        "bus": {"socket": str(tmp_path / "nobody.sock")},
        "door": {"event": "evening"},
        "dashboard": {"port": port, "https": {"enabled": False}},
    }
    config.write_text(tomli_w.dumps(settings), encoding="utf-8")
    office.create_event(config, "evening", "An evening", 50)
    access = Access(Path(load_config(config).state_dir), SystemClock())
    running = Dashboard(config, access, port)
    running.choose(PIN)
    running.begin()
    yield running
    running.kill()


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before the code is shown", "once it is written"])
def test_a_killed_dashboard_comes_back_and_the_guest_who_was_shown_meanwhile_counts_once(
    dashboard: Dashboard, tmp_path: Path, when: str
) -> None:
    with Ledger(load_config(dashboard.config).ledger_path) as ledger, sync_playwright() as playwright:
        evening = ledger.event("evening")
        ledger.put_tickets(evening, PEOPLE)
        film = write_film(tmp_path / "film.y4m", [((), 3.0), ((ZOE,), 1.5), ((), 12.0), ((JEAN,), 1.5), ((), 30.0)])
        with phone(playwright, dashboard, dashboard, film) as page:
            answers = page.get_by_role("region", name="Answer")
            written: list[str] = []

            def kill_once(route: Route) -> None:
                if written:
                    return route.continue_()
                written.append(route.fetch().text())  # it arrives, is answered, and the answer gets no further
                dashboard.kill()
                return route.abort()

            if when == "once it is written":
                page.route("**/door/scan", kill_once)
            start(page)
            if when == "before the code is shown":
                dashboard.kill()
            expect(answers).to_contain_text("No answer yet", timeout=10_000)
            dashboard.begin()
            expect(answers).to_contain_text("Zoë Ødegård is in", timeout=10_000)
            expect(answers).to_contain_text("Jean Dupont is in", timeout=20_000)
        rows = ledger.recent_scans(evening, 10)
        assert sorted(row.holder or "" for row in rows) == ["Jean Dupont", "Zoë Ødegård"]
        assert wait_for(lambda: ledger.head_count(evening).inside) == 2
        assert audit(ledger) == []
