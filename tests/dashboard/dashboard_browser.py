"""A real browser at the dashboard: contexts that tell of foreign requests and of complaints, and the login."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dashboard_house import NAME, PIN, House
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kiosk.dashboard.server import DashboardServer

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE = {"width": 390, "height": 844}
PICTURES = Path(__file__).parents[2] / "test-output"


def go_to(page: Page, url: str) -> None:
    """Open a page; what stands behind ?q= is typed into its search."""
    address, _, text = url.partition("?q=")
    page.goto(address)
    if text:
        page.locator("#q").fill(text)
        page.locator("#q").press("Enter")
        page.locator(".found > li, .empty").first.wait_for()


@contextmanager
def watched(browser: Browser, origin: str, **options: Any) -> Iterator[BrowserContext]:
    """A context whose every request must stay at our origin, and whose console must not complain of our policy."""
    context = browser.new_context(**options)
    foreign: list[str] = []
    complaints: list[str] = []
    own = urlsplit(origin).netloc

    def look(url: str) -> None:
        if urlsplit(url).netloc != own and not url.startswith("data:"):
            foreign.append(url)

    def listen(page: Page) -> None:
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))

    context.on("request", lambda request: look(request.url))
    context.on("page", listen)
    yield context
    context.close()
    assert foreign == []
    # A refused form or a server that was stopped is told as "Failed to load resource"; that is meant.
    assert [text for text in complaints if "Failed to load resource" not in text] == []


def log_in(page: Page, name: str = NAME) -> None:
    """Fill in the login that the page shows."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("PIN or passphrase").fill(PIN)
    page.get_by_role("button", name="Log in").click()


def log_in_at(page: Page, house: House, url: str) -> None:
    """The same in any language, from whichever page."""
    if not house.access.people.all():
        house.choose(PIN)
    page.goto(f"{url}/login")
    page.locator("#name").fill(NAME)
    page.locator("#pin").fill(PIN)
    page.locator("form .button").click()
    expect(page.locator("body.is-live")).to_be_visible()


@contextmanager
def logged_in(
    browser: Browser, server: DashboardServer, house: House, *, at: str = "/", **options: Any
) -> Iterator[Page]:
    if not house.access.people.all():
        house.choose(PIN)
    with watched(browser, server.url, viewport=PHONE, **options) as context:
        page = context.new_page()
        page.goto(server.url)
        log_in(page)
        if at != "/":
            expect(page.locator("body.is-live")).to_be_visible()
            page.goto(server.url + at)
        expect(page.locator("body.is-live")).to_be_visible()
        yield page
