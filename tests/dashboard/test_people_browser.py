"""The pages of people as organizers meet them: on a phone, in both themes, by the keyboard, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from dashboard_browser import PHONE, PICTURES, log_in, logged_in, watched
from dashboard_house import NAME, PIN, House
from playwright.sync_api import Browser, Page, expect

from hardware.cameras.pictures import load_luma
from hardware.clock import SystemClock
from kiosk.dashboard.server import DashboardServer
from kiosk.door.reader import Reader
from kiosk.news import DoorState

SCHEMES = ["light", "dark"]


def read(page: Page, path: Path, selector: str) -> str:
    """What the QR code in a part of the page says."""
    page.locator(selector).screenshot(path=path)
    (found,) = Reader(SystemClock()).read_still(load_luma(path))
    return found.data.decode()


def white_of(page: Page, selector: str) -> str:
    return str(page.locator(selector).evaluate("code => getComputedStyle(code).backgroundColor"))


@pytest.fixture
def full(make_house: Callable[..., House]) -> House:
    house = make_house(clock=SystemClock(), public_url="http://192.168.1.5:8080")
    house.choose(PIN)
    for name, role in (
        ("Léa", "door"),
        ("Jean-Baptiste Grenouille de la Tour-Maubourg", "organizer"),
        ("Vic", "viewer"),
    ):
        house.somebody(name, role)  # type: ignore[arg-type]
    house.access.invitations.make("door", house.access.people.all()[0].id)
    house.access.tokens.make("Prometheus in the association's office", "door", "command line")
    house.news.say(DoorState(gate="main", camera="ok"))
    return house


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_organizer_invites_somebody_who_is_in_by_the_code(browser: Browser, full: House, scheme: str) -> None:
    with full.served() as server, logged_in(browser, server, full, color_scheme=scheme) as page:
        page.get_by_role("link", name="People").click()
        page.screenshot(path=PICTURES / f"people-{scheme}.png", full_page=True)
        page.get_by_role("button", name=re.compile("^Door")).click()
        expect(page.get_by_role("heading", name="Invitation: door")).to_be_visible()
        page.screenshot(path=PICTURES / f"invitation-{scheme}.png", full_page=True)
        link = read(page, PICTURES / f"invitation-code-{scheme}.png", ".code")
        assert link == page.get_by_label("Or send this link").input_value()
        assert white_of(page, ".code") == "rgb(255, 255, 255)"
        with watched(browser, server.url, viewport=PHONE, color_scheme=scheme) as context:
            guest = context.new_page()
            guest.goto(server.url + "/first/" + link.partition("/first/")[2])
            guest.screenshot(path=PICTURES / f"first-door-{scheme}.png", full_page=True)
            guest.get_by_label("Your name").fill("LÉA")
            guest.get_by_label("New PIN or passphrase").fill(PIN)
            guest.get_by_role("button", name="Save and open").click()
            expect(guest.get_by_role("alert")).to_contain_text("called LÉA already")
            guest.get_by_label("Your name").fill("Zoë")
            guest.get_by_label("New PIN or passphrase").fill(PIN)
            guest.get_by_role("button", name="Save and open").click()
            expect(guest.locator("body.is-live")).to_be_visible()
            expect(guest.get_by_role("button", name=re.compile("Go live|Stop"))).to_have_count(0)
            guest.screenshot(path=PICTURES / f"home-door-{scheme}.png", full_page=True)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_token_is_made_copied_and_revoked_without_scripts(browser: Browser, full: House, scheme: str) -> None:
    options = {"viewport": PHONE, "java_script_enabled": False, "color_scheme": scheme, "locale": "en"}
    with full.served() as server, watched(browser, server.url, **options) as context:
        page = context.new_page()
        page.goto(server.url)
        log_in(page)
        page.goto(f"{server.url}/people")
        page.get_by_text("New token…").click()
        page.get_by_label("What it is for").fill("Ticket wall")
        page.locator("#token-role").select_option("door")
        page.screenshot(path=PICTURES / f"tokens-{scheme}.png", full_page=True)
        page.get_by_role("button", name="Make a token").click()
        expect(page.get_by_role("heading", name="Token: Ticket wall")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.screenshot(path=PICTURES / f"token-{scheme}.png", full_page=True)
        secret = page.get_by_label("Copy this into the program").input_value()
        assert (found := full.access.tokens.find(secret)) and found.role == "door"
        page.get_by_role("link", name="Done").click()
        assert secret not in page.content()
        page.get_by_role("button", name="Revoke the token Ticket wall").click()
        expect(page.get_by_role("status")).to_contain_text("The token Ticket wall is revoked.")
        assert full.access.tokens.find(secret) is None


def test_who_is_made_less_sees_it_at_once(browser: Browser, full: House) -> None:
    with full.served() as server, logged_in(browser, server, full) as page:
        organizer = page.context.new_page()
        organizer.goto(f"{server.url}/people")
        other = full.access.people.all()[2]
        full.access.people.set_role(other.id, "organizer")
        ada = full.access.people.all()[0]
        full.access.people.set_role(ada.id, "viewer")
        expect(page.get_by_role("link", name="Door", exact=True)).to_have_count(0, timeout=5000)
        expect(page.locator("body.is-live")).to_be_visible()
        page.screenshot(path=PICTURES / "home-viewer.png", full_page=True)
        organizer.reload()
        expect(organizer.get_by_role("heading", name="Not for your role")).to_be_visible()
        organizer.screenshot(path=PICTURES / "refused-role.png")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_was_changed_is_listed(browser: Browser, full: House, scheme: str) -> None:
    with full.served() as server, logged_in(browser, server, full, at="/stream", color_scheme=scheme) as page:
        page.get_by_role("link", name="Stop streaming").or_(page.get_by_role("button", name="Go live")).first.click()
        full.changes.add(
            "Jean-Baptiste Grenouille de la Tour-Maubourg (organizer) BCD",
            "Talks: take a file",
            refused=True,
            why="talks.csv, line 7: 25:10 is no time of day; write it as 19:30.",
        )
        page.goto(f"{server.url}/changes")
        expect(page.locator(".change")).to_have_count(3)
        page.screenshot(path=PICTURES / f"changes-{scheme}.png", full_page=True)


def test_every_target_is_big_and_nothing_overflows(browser: Browser, full: House) -> None:
    with full.served() as server, logged_in(browser, server, full) as page:
        for path in ("/", "/stream", "/system", "/people", "/changes", "/own-pin"):
            page.goto(server.url + path)
            for summary in page.locator("summary").all():
                summary.click()
            for width_px in (320, 360, 390, 1280):
                page.set_viewport_size({"width": width_px, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") <= width_px, (path, width_px)
                for target in page.locator("a:visible, button:visible, input:visible, select:visible").all():
                    box = target.bounding_box()
                    assert box and box["height"] >= 44 and box["width"] >= 44, (path, target.inner_text())
            page.set_viewport_size(PHONE)
            page.screenshot(path=PICTURES / f"people-open{path.replace('/', '-')}.png", full_page=True)


def test_a_phone_is_logged_out_and_a_person_removed_without_scripts(browser: Browser, full: House) -> None:
    with (
        full.served() as server,
        watched(browser, server.url, viewport=PHONE, java_script_enabled=False) as context,
    ):
        page = context.new_page()
        page.goto(server.url)
        log_in(page)
        page.goto(f"{server.url}/people")
        page.get_by_role("button", name=re.compile("^Log out Léa, Test phone")).click()
        expect(page.get_by_role("status")).to_contain_text("Léa is logged out on Test phone")
        vic = page.get_by_role("listitem", name="Vic")
        vic.locator("summary").click()
        vic.get_by_label("Role").select_option("door")
        vic.get_by_role("button", name="Set role").click()
        expect(page.get_by_role("status")).to_contain_text("Vic is now door.")
        vic.locator("summary").click()
        vic.get_by_role("button", name="Remove Vic").click()
        expect(page.get_by_role("status")).to_contain_text("Vic is removed")
        page.get_by_role("button", name=re.compile("^Withdraw")).click()
        expect(page.get_by_role("status")).to_contain_text("withdrawn")
        expect(page.get_by_role("listitem", name="Vic")).to_have_count(0)


def test_a_role_is_changed_by_the_keyboard_alone(browser: Browser, full: House) -> None:
    with full.served() as server, logged_in(browser, server, full) as page:
        page.goto(f"{server.url}/people")

        def tab_to(what: str) -> None:
            for _ in range(30):
                page.keyboard.press("Tab")
                if (
                    page.evaluate(
                        "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim()"
                    )
                    == what
                ):
                    return
            raise AssertionError(f"no Tab leads to {what}")

        tab_to("Change Vic")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("Door")
        tab_to("Set role")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Vic is now door.")


def test_an_own_pin_is_changed(browser: Browser, full: House) -> None:
    with full.served() as server, logged_in(browser, server, full) as page:
        page.get_by_role("link", name="Your PIN").click()
        page.get_by_label("PIN or passphrase until now").fill(PIN)
        page.get_by_label("New PIN or passphrase").fill("other-pin-9")
        page.screenshot(path=PICTURES / "own-pin.png")
        page.get_by_role("button", name="Change it").click()
        expect(page.locator(".notice").first).to_contain_text("Your PIN is changed.")


@pytest.mark.parametrize(("width_px", "height_px"), [(1280, 720), (800, 480), (1080, 1920)])
def test_the_first_organizer_comes_in_by_the_screen(
    browser: Browser, make_house: Callable[..., House], width_px: int, height_px: int
) -> None:
    house = make_house(clock=SystemClock(), public_url="http://192.168.1.5:8080")
    house.news.say(DoorState(gate="main", camera="ok"))
    with house.served() as server, watched(browser, server.url, viewport={"width": width_px, "height": height_px}) as c:
        screen = c.new_page()
        screen.goto(f"{server.url}/screen")
        expect(screen.locator("body.is-live")).to_be_visible()
        screen.screenshot(path=PICTURES / f"screen-first-{width_px}.png")
        link = read(screen, PICTURES / f"screen-first-code-{width_px}.png", ".watch:visible")
        become_first(browser, server, link)
        expect(screen.locator(".watch:visible")).not_to_contain_text("Are you the organizer?", timeout=5000)
        assert [person.name for person in house.access.people.all()] == ["Organizer"]


def become_first(browser: Browser, server: DashboardServer, link: str) -> None:
    with watched(browser, server.url, viewport=PHONE) as context:
        phone = context.new_page()
        phone.goto(server.url + "/first/" + link.partition("/first/")[2])
        expect(phone.get_by_label("Your name")).to_have_value("Organizer")
        phone.get_by_label("New PIN or passphrase").fill(PIN)
        phone.get_by_role("button", name="Save and open").click()
        expect(phone.locator("body.is-live")).to_be_visible()


def test_the_login_page(browser: Browser, full: House) -> None:
    with full.served() as server, watched(browser, server.url, viewport=PHONE, color_scheme="dark") as context:
        page = context.new_page()
        page.goto(server.url)
        expect(page.get_by_label("Name")).to_be_focused()
        page.get_by_label("Name").fill(NAME)
        page.get_by_label("PIN or passphrase").fill("wrong-1")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not a name here with its PIN")
        expect(page.get_by_label("Name")).to_have_value(NAME)
        page.screenshot(path=PICTURES / "login-dark.png")
