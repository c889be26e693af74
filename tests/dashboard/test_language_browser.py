"""French and English on a small phone: nothing is wider than it, nothing is cut, and the choice works by a touch."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from dashboard_browser import PICTURES, go_to, log_in_at, logged_in, watched
from dashboard_house import PIN, House
from language_stage import CHECKED, STREAM, fill
from playwright.sync_api import Browser, Page, expect
from test_dashboard_browser import hanging_ledger

from hardware.clock import SystemClock

SMALL = {"width": 360, "height": 780}
LOCALES = {"fr": "fr-FR", "en": "en-GB"}
# What is cut or lies over something else, as a person would see it: the words of a button that stand out of it, two
# texts of one line of a status that touch.
CUT = """() => [...document.querySelectorAll(".button, .tabs a, .tool, .status > div, #gate label span")]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1)
  .map((each) => each.textContent.trim())"""
OVERLAPS = """() => [...document.querySelectorAll(".stream .status > div")].filter((each) => {
  const [label, said] = [".label", ".said"].map((name) => {
    const range = document.createRange();
    range.selectNodeContents(each.querySelector(name));
    return range.getBoundingClientRect();
  });
  const [from, to] = [Math.max(label.top, said.top), Math.min(label.bottom, said.bottom)];
  return to - from > 6 && label.right > said.left; // lines of one text overlap by less
}).map((each) => each.textContent.trim())"""


@pytest.fixture
def full(make_house: Callable[..., House], tmp_path: Path) -> House:
    house = make_house(reads_ledger=True)
    fill(house, tmp_path)
    return house


@pytest.fixture
def busy(make_house: Callable[..., House]) -> House:
    return make_house(clock=SystemClock())


def look(page: Page, name: str) -> None:
    for summary in page.locator("summary:visible").all():
        summary.click()
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth"), name
    assert page.evaluate(CUT) == [], name
    assert page.evaluate(OVERLAPS) == [], name


@pytest.mark.parametrize("language", LOCALES)
def test_nothing_overflows_a_phone_of_360_pixels(browser: Browser, full: House, language: str) -> None:
    with (
        full.served() as server,
        watched(browser, server.url, viewport=SMALL, locale=LOCALES[language]) as context,
    ):
        page = context.new_page()
        full.choose(PIN)
        token = full.access.invitations.make("door", full.access.people.all()[0].id)[0]
        for path in ("/login", f"/first/{token}"):
            page.goto(server.url + path)
            look(page, f"{language}{path.partition('/first')[0].replace('/', '-') or '-first'}")
        log_in_at(page, full, server.url)
        for name, state in (("live", STREAM), ("checked", CHECKED)):
            full.news.say(state)
            page.goto(server.url)
            expect(page.locator("body.is-live")).to_be_visible()
            assert page.evaluate("document.documentElement.lang") == language
            look(page, f"{language}-home-{name}")
            page.goto(f"{server.url}/stream")
            expect(page.locator("body.is-live")).to_be_visible()
            look(page, f"{language}-stream-{name}")
        for path in (
            "/door?q=jean",
            "/door/scan",
            "/talks",
            "/talks/edit/t1",
            "/people",
            "/system",
            "/changes",
            "/report",
            "/own-pin",
        ):
            go_to(page, server.url + path)
            look(page, f"{language}-{re.sub('[^a-z]+', '-', path[1:])}")
        for path in ("/stream/stop", "/door/release", "/nowhere", "/screen", "/watch"):
            page.goto(server.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"], path


def test_the_language_is_chosen_by_a_touch_and_without_scripts(browser: Browser, full: House) -> None:
    with full.served() as server, watched(browser, server.url, viewport=SMALL, java_script_enabled=False) as context:
        page = context.new_page()
        full.choose(PIN)
        page.goto(f"{server.url}/login")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        page.get_by_role("link", name="Français").click()
        expect(page.get_by_role("heading", name="Se connecter")).to_be_visible()
        page.get_by_role("link", name="English").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_french_phone_says_in_french_that_it_hears_nothing(browser: Browser, full: House) -> None:
    with (
        full.served() as server,
        watched(browser, server.url, viewport=SMALL, locale="fr-FR") as context,
    ):
        page = context.new_page()
        log_in_at(page, full, server.url)
        expect(page.locator("#pulse")).to_have_text("À jour")
        page.goto(f"{server.url}/door")
        expect(page.locator("body.is-live")).to_be_visible()
        page.route(re.compile("/door"), lambda route: route.abort())
        page.locator("#q").fill("zoe")
        expect(page.locator("#said")).to_contain_text("La recherche n'a pas eu de réponse")
        page.locator("#walk-in [data-step='1']").click()
        expect(page.locator("#walk-in .unit")).to_have_text("personnes")
        page.locator("#walk-in .button").first.click()
        expect(page.locator("#said")).to_contain_text("Appuyez de nouveau")


def test_a_french_page_without_news_says_so_in_french(browser: Browser, busy: House) -> None:
    with busy.served() as server, watched(browser, server.url, viewport=SMALL, locale="fr-FR") as context:
        page = context.new_page()
        log_in_at(page, busy, server.url)
        with hanging_ledger(busy):
            expect(page.locator("#pulse")).to_have_text(re.compile(r"Sans nouvelles depuis \d+ s"), timeout=6000)
            page.screenshot(path=PICTURES / "fr-home-stale.png")
        expect(page.locator("#pulse")).to_have_text("À jour")


def test_a_page_stays_in_its_language_while_another_tab_chooses(browser: Browser, full: House) -> None:
    with full.served() as server, logged_in(browser, server, full, at="/stream") as page:
        other = page.context.new_page()
        other.goto(f"{server.url}/stream")
        other.get_by_role("link", name="Français").click()
        expect(other.locator("body.is-live")).to_be_visible()
        full.news.say(STREAM)
        expect(other.locator("#stream-title")).to_have_text("Diffusion")
        expect(other.locator('[data-list="stream.lines"]')).to_contain_text("Enregistrement")
        expect(page.locator('[data-list="stream.lines"]')).to_contain_text("Recording")
        page.reload()
        expect(page.locator("#stream-title")).to_have_text("Diffusion")
