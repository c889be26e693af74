"""How long a phone that is a scanner takes from a code in view to its answer, in a real browser over a real server.

    python benchmarks/phone.py

The camera is drawn inside the page (1280x720 at 30 pictures a second), so that the moment at which a code comes into
view is known to the millisecond; from there on all is real: the video, the reader (ours, in its worker), the POST, the
ledger's durable row, the answer on the page. Takes about half a minute. `slower` holds the page's own thread back four
times, as a cheap phone's would be.
"""

from __future__ import annotations

import base64
import secrets
import statistics
import tempfile
import threading
from pathlib import Path

import segno
from playwright.sync_api import Page, sync_playwright

from hardware.clock import SystemClock
from kiosk.backup.places import Places
from kiosk.backup.shelf import Shelf
from kiosk.dashboard.access import Access
from kiosk.dashboard.app import create_app
from kiosk.dashboard.changes import Changes
from kiosk.dashboard.ledger_desk import LedgerDesk
from kiosk.dashboard.live import Live
from kiosk.dashboard.machine import FakeMachine
from kiosk.dashboard.ports import FakeNews
from kiosk.dashboard.server import DashboardServer
from kiosk.dashboard.settings import DashboardSettings
from kiosk.dashboard.sponsors import Sponsors
from kiosk.dashboard.ticket_office import TicketOffice
from kiosk.dashboard.watching import PreviewFiles
from kiosk.forgetting import Forgetting
from kiosk.ledger import NewTicket
from kiosk.ledger.ledger import Ledger
from kiosk.pretix.desk import PretixDesk
from kiosk.pretix.links import Links
from kiosk.tickets.codes import digest

GUESTS = 40
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
CAMERA = """
window.code = null;
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const context = canvas.getContext("2d");
  window.draw = () => {
    context.fillStyle = "#8a8a8a";
    context.fillRect(0, 0, 1280, 720);
    if (!window.code) return;
    context.fillStyle = "#ececec";
    context.fillRect(500, 220, 280, 280);
    context.fillStyle = "#161616";
    window.code.forEach((row, y) => row.forEach((dark, x) => dark && context.fillRect(540 + 8 * x, 260 + 8 * y, 8, 8)));
  };
  setInterval(window.draw, 1000 / 30);
  return canvas.captureStream(30);
};
const read = Worker.prototype.postMessage;
window.reads = [];
Worker.prototype.postMessage = function (...what) {
  const began = performance.now();
  const note = () => window.reads.push(performance.now() - began);
  if (what[0].image) this.addEventListener("message", note, { once: true });
  read.apply(this, what);
};
"""
SHOW = """(code) => new Promise((resolve) => {
  const board = document.getElementById("answers");
  window.code = code;
  window.draw();
  const began = performance.now();
  new MutationObserver((_, observer) => {
    if (!board.childElementCount) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => {  // it is on the glass
      resolve([performance.now() - began, board.innerText]);
      window.code = null;
    }));
  }).observe(board, { childList: true });
})"""
GONE = "() => document.getElementById('answers').childElementCount === 0"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.db") as ledger:
        clock, settings = SystemClock(), DashboardSettings()
        evening = ledger.create_event("evening", "An evening", 500)
        codes = [base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=") for _ in range(2 * GUESTS)]
        ledger.put_tickets(
            evening, [NewTicket(0, digest(code.encode()), is_own=True, holder="A guest") for code in codes]
        )
        news, desk, access = FakeNews(clock), LedgerDesk(ledger, evening, clock), Access(Path(folder), clock)
        pin = secrets.token_hex(8)
        access.invitations.use(access.login_link(), "Organizer", pin)
        live = Live(desk, news, clock, settings, machine=FakeMachine())
        preview = PreviewFiles(Path(folder), clock)
        changes, links = Changes(Path(folder), clock), Links(Path(folder) / "pretix.json")
        app = create_app(
            settings,
            access=access,
            changes=changes,
            live=live,
            news=news,
            desk=desk,
            tickets=TicketOffice.of(
                ledger,
                evening,
                lambda: secrets.token_bytes(32),
                Path(folder) / "columns.json",
                Forgetting(ledger, Path(folder) / "reports", links, clock, None, settings.zone),
                PretixDesk.of(ledger, evening, links, clock, settings.language),
                Path(folder) / "look",
                settings.zone,
            ),
            shelf=Shelf(
                Places(
                    Path(folder), Path(folder) / "platypus.toml", Path(folder) / "secrets.toml", Path(folder) / "look"
                ),
                Path(folder) / "backups",
                10,
                clock,
                None,
            ),
            preview=preview,
            sponsors=Sponsors(Path(folder) / "look"),
        )
        with DashboardServer(app, "127.0.0.1", 0) as server, live, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            page = browser.new_page(viewport={"width": 390, "height": 844})
            page.add_init_script(CAMERA)
            page.goto(f"{server.url}/login")
            page.get_by_label("Name").fill("Organizer")
            page.get_by_label("PIN or passphrase").fill(pin)
            page.get_by_role("button", name="Log in").click()
            page.goto(f"{server.url}/door/scan")
            page.get_by_role("button", name="Start the camera").click()
            page.get_by_text("Hold a code in the picture").wait_for()
            report("this machine", show(page, codes[:GUESTS]), page)
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
            report("slower", show(page, codes[GUESTS:]), page)
            browser.close()
        print(f"rows in the ledger: {ledger.head_count(evening).inside} of {2 * GUESTS}")


def show(page: Page, codes: list[str]) -> list[float]:
    """Milliseconds from each code's first picture to its answer."""
    took_ms = []
    for code in codes:
        matrix = [list(row) for row in segno.make(code, error="q", micro=False, boost_error=False).matrix]
        lasted_ms, said = page.evaluate(SHOW, matrix)
        assert "A guest is in" in said, said
        took_ms.append(lasted_ms)
        page.keyboard.press("Escape")
        page.wait_for_function(GONE)
        threading.Event().wait(secrets.randbelow(100) / 1000)  # not in step with the reader
    return took_ms


def report(name: str, took_ms: list[float], page: Page) -> None:
    reads = page.evaluate("window.reads.splice(0)")
    tenths = statistics.quantiles(took_ms, n=20)
    print(
        f"{name}: in view to answer median {statistics.median(took_ms):.0f} ms, 95 % within {tenths[-1]:.0f} ms, "
        f"longest {max(took_ms):.0f} ms ({len(took_ms)} codes); one picture read in {statistics.median(reads):.0f} ms"
    )


if __name__ == "__main__":
    main()
