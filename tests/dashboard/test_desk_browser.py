"""The volunteer's page as a volunteer meets it: on a phone, in one hand, in a hurry, sometimes without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from dashboard_browser import PHONE, PICTURES, log_in, logged_in
from dashboard_house import PIN, House, wait_for
from playwright.sync_api import Browser, Page, Route, expect

from hardware.clock import Stamp, SystemClock
from kiosk.dashboard.ledger_desk import LedgerDesk
from kiosk.dashboard.ports import Press
from kiosk.ledger import Hand, NewTicket
from kiosk.news import DoorState
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status

PEOPLE = [
    NewTicket(1, digest(b"ZOE"), False, "Zoë Ødegård", "zoe@example.org", "Standard", order_code="A1", note="vegan"),
    NewTicket(2, digest(b"J2"), False, "Jean Dupont", "jd@example.net", order_code="C3", guests=2),
    NewTicket(3, digest(b"KOFI"), False, "Kofi Mensah", "kofi@example.org", status=Status.UNPAID),
]


@pytest.fixture
def venue(make_house: Callable[..., House]) -> Iterator[House]:
    house = make_house(clock=SystemClock(), reads_ledger=True, beat_s=0.2)
    house.ledger.put_tickets(house.evening, PEOPLE)
    house.news.say(DoorState(gate="main", camera="ok"))
    return house


@contextmanager
def at_the_door(browser: Browser, house: House, **options: object) -> Iterator[Page]:
    with house.served() as server, logged_in(browser, server, house, **options) as page:
        page.get_by_role("link", name="Door", exact=True).click()
        expect(page.locator("body.is-live")).to_be_visible()
        yield page


def inside(house: House) -> int:
    return house.ledger.head_count(house.evening).inside


def passes_unseen(house: House, nonce: str, delta: int = 1) -> None:
    """Somebody else's press, on another phone."""
    LedgerDesk(house.ledger, house.evening, house.clock).correct(delta, Press("desk XYZ", nonce))
    house.news.say(DoorState(gate="main", camera="ok"))


def test_a_volunteer_s_evening(browser: Browser, venue: House) -> None:
    with at_the_door(browser, venue) as page:
        page.evaluate("window.notReloaded = true")
        count, said = page.locator(".count"), page.locator("#said")

        page.get_by_label("Find a ticket").press_sequentially("zoe")
        found = page.get_by_role("listitem", name="Zoë Ødegård")
        expect(found).to_contain_text("Not here yet")
        expect(found.locator(".attention")).to_have_text("vegan")
        page.screenshot(path=PICTURES / "door-found.png")
        found.get_by_role("button", name="Check in").click()
        expect(said).to_contain_text("Zoë Ødegård is in")
        expect(count).to_contain_text("1 of 6 inside")
        expect(found).to_contain_text("Inside since")
        page.screenshot(path=PICTURES / "door-in.png")
        said.get_by_role("button", name="Undo").click()
        expect(said).to_contain_text("Undone")
        expect(count).to_contain_text("0 of 6 inside")
        expect(page.locator('.answer[data-struck="true"]')).to_contain_text("Admitted, then undone")

        page.get_by_label("Find a ticket").fill("kofi")
        page.get_by_role("listitem", name="Kofi Mensah").get_by_role("button", name="Check in").click()
        expect(said).to_contain_text("Kofi Mensah: not paid")
        page.screenshot(path=PICTURES / "door-refused.png")
        said.get_by_role("button", name="Let in anyway").click()
        expect(said).to_contain_text("Let in against the rules.")

        walk_in = page.locator("#walk-in")
        walk_in.get_by_role("button", name="One more").click()
        expect(walk_in.locator(".stepper label")).to_have_text("people")
        walk_in.get_by_label("Name").fill("Ann Lee")
        walk_in.get_by_role("button", name="Let in").click()
        expect(said).to_contain_text("Ann Lee: house full")
        page.screenshot(path=PICTURES / "door-full.png")
        said.get_by_role("button", name="Put on the waiting list").click()
        waiting = page.get_by_role("listitem", name="Ann Lee")
        expect(waiting).to_contain_text("2 people")
        page.get_by_role("button", name="+1 came in").click()
        expect(count).to_contain_text("2 of 6 inside")
        page.locator(".row").first.get_by_role("button", name="Undo").click()
        expect(count).to_contain_text("1 of 6 inside")
        waiting.get_by_role("button", name="Let in").click()
        expect(said).to_contain_text("Ann Lee: not yet")
        waiting.get_by_role("button", name="Remove").click()
        expect(waiting).to_have_count(0)
        assert page.evaluate("window.notReloaded")
        page.screenshot(path=PICTURES / "door-rows.png", full_page=True)
    assert inside(venue) == 1


def test_what_is_being_typed_stays_while_the_page_lives(browser: Browser, venue: House) -> None:
    with at_the_door(browser, venue) as page:
        page.locator("#walk-in").get_by_label("Name").fill("Half a na")
        page.get_by_label("Find a ticket").fill("dupont")
        stepper = page.get_by_role("listitem", name="Jean Dupont")
        stepper.get_by_role("button", name="One fewer").click()
        passes_unseen(venue, "elsewhere-1")
        expect(page.locator(".count")).to_contain_text("1 of 6 inside")
        expect(page.locator(".row")).to_contain_text("Corrected by +1")
        expect(page.locator(".row")).to_contain_text("by desk XYZ")
        assert page.locator("#walk-in").get_by_label("Name").input_value() == "Half a na"
        assert page.get_by_label("Find a ticket").input_value() == "dupont"
        assert stepper.get_by_label("People of this ticket who came").last.input_value() == "2"
        expect(page.get_by_label("Find a ticket")).not_to_have_attribute("value", "dupont")  # no reload
        stepper.get_by_role("button", name="Check in").click()
        expect(page.locator("#said")).to_contain_text("Jean Dupont: 2 people came in")
    assert inside(venue) == 3


def test_a_search_hides_no_news_of_the_rows(browser: Browser, venue: House) -> None:
    with at_the_door(browser, venue) as page:
        for number in range(3):
            page.get_by_label("Find a ticket").fill("dupont"[: 4 + number])
            passes_unseen(venue, f"elsewhere-{number}")
            expect(page.locator(".row")).to_have_count(number + 1)
        expect(page.locator(".found > li")).to_have_count(1)


def test_a_press_whose_answer_was_lost_is_pressed_again_and_counts_once(browser: Browser, venue: House) -> None:
    with at_the_door(browser, venue) as page:
        lost: list[str] = []

        def lose(route: Route) -> None:
            if lost:
                route.continue_()
            else:
                lost.append(route.request.url)
                route.fetch(max_redirects=0)  # it arrives, and its answer does not
                route.abort()

        page.route("**/door/correct", lose)
        page.get_by_role("button", name="+1 came in").click()
        expect(page.locator("#said")).to_contain_text("Press again: it counts once.")
        page.get_by_role("button", name="+1 came in").click()
        expect(page.locator("#said")).to_contain_text("1 inside now.")
        page.get_by_role("button", name="+1 came in").click()  # a new press has a new nonce
        expect(page.locator("#said")).to_contain_text("2 inside now.")
    assert inside(venue) == 2


def test_let_in_anyway_can_be_pressed_again_when_its_answer_was_lost(browser: Browser, venue: House) -> None:
    with at_the_door(browser, venue) as page:
        lost: list[str] = []

        def lose(route: Route) -> None:
            if lost or "override" not in (route.request.post_data or ""):
                route.continue_()
            else:
                lost.append(route.request.url)
                route.fetch(max_redirects=0)  # it arrives, and its answer does not
                route.abort()

        page.route("**/door/check-in", lose)
        page.get_by_label("Find a ticket").fill("kofi")
        page.get_by_role("button", name="Check in").click()
        page.get_by_role("button", name="Let in anyway").click()
        expect(page.locator("#said")).to_contain_text("Press again: it counts once.")
        page.get_by_role("button", name="Let in anyway").click()
        expect(page.locator("#said")).to_contain_text("is in")
    assert lost and inside(venue) == 1


def test_the_page_works_without_scripts(browser: Browser, venue: House) -> None:
    venue.choose(PIN)
    with venue.served() as server:
        context = browser.new_context(viewport=PHONE, java_script_enabled=False)
        page = context.new_page()
        page.goto(server.url)
        log_in(page)
        page.get_by_role("link", name="Door", exact=True).click()
        page.get_by_label("Find a ticket").fill("ODEGARD")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("button", name="Check in").click()
        expect(page.locator("#said")).to_contain_text("Zoë Ødegård is in")
        expect(page.get_by_role("listitem", name="Zoë Ødegård")).to_contain_text("Inside since")
        page.reload()  # what the answer said is gone, and nothing is pressed again
        expect(page.locator("#said")).to_have_text("")
        page.get_by_role("link", name="Release kept seats").click()
        page.get_by_role("button", name="Yes, release them").click()
        expect(page.locator("#said")).to_contain_text("kept")
        context.close()
    assert inside(venue) == 1


def test_a_guest_is_let_in_by_the_keyboard_alone(browser: Browser, venue: House) -> None:
    with at_the_door(browser, venue) as page:
        keys = page.keyboard
        for _ in range(12):
            if page.evaluate("document.activeElement.id") == "q":
                break
            keys.press("Tab")
        keys.type("zoe")
        expect(page.get_by_role("listitem", name="Zoë Ødegård")).to_be_visible()
        keys.press("Tab")
        expect(page.get_by_role("button", name="Check in")).to_be_focused()
        keys.press("Enter")
        expect(page.locator("#said")).to_contain_text("Zoë Ødegård is in")
        expect(page.locator("#said")).to_be_focused()
        keys.press("Tab")
        keys.press("Tab")
        expect(page.locator("#said").get_by_role("button", name="Undo")).to_be_focused()
        keys.press("Enter")
        expect(page.locator("#said")).to_contain_text("Undone")
    assert inside(venue) == 0


def test_every_target_of_the_desk_is_big_and_nothing_overflows(browser: Browser, venue: House) -> None:
    long = NewTicket(0, digest(b"L"), False, "Wolfeschlegelsteinhausenbergerdorff" * 2, "w@" + "x" * 60, note="n" * 90)
    venue.ledger.put_tickets(venue.evening, [long])
    hand = Hand("desk XYZ", "n-1", "desk", venue.clock.stamp())
    venue.ledger.check_in(venue.evening, venue.ledger.find(venue.evening, "wolf")[0].ticket.id, hand)
    venue.ledger.wait(venue.evening, "Wolfeschlegelsteinhausenbergerdorff" * 2, 2, hand._replace(nonce="n-2"))
    with at_the_door(browser, venue) as page:
        page.get_by_label("Find a ticket").fill("o")
        expect(page.locator(".found > li")).to_have_count(4)
        page.get_by_role("button", name="+1 came in").click()
        expect(page.locator("#said")).to_contain_text("One more is counted")
        for width_px in (360, 390, 1280):
            page.set_viewport_size({"width": width_px, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") == width_px
            for target in page.locator("a:visible, button:visible, input:visible").all():
                box = target.bounding_box()
                assert box
                assert box["height"] >= 48 and box["width"] >= 48, target.evaluate("element => element.outerHTML")
            page.screenshot(path=PICTURES / f"door-{width_px}.png", full_page=True)
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=PICTURES / "door-1280-dark.png", full_page=True)


def test_the_release_asks_first(browser: Browser, venue: House) -> None:
    with at_the_door(browser, venue) as page:
        page.get_by_role("link", name="Release kept seats").click()
        dialog = page.get_by_role("dialog", name="Release kept seats?")
        dialog.get_by_role("link", name="Keep them").click()
        expect(dialog).to_be_hidden()
        assert venue.ledger.seats(venue.evening, venue.clock.stamp()).kept
        page.get_by_role("link", name="Release kept seats").click()
        dialog.get_by_role("button", name="Yes, release them").click()
        expect(dialog).to_be_hidden()
        wait_for(lambda: not venue.ledger.seats(venue.evening, venue.clock.stamp()).kept)
        expect(page.locator("#said")).to_contain_text("kept")


class UnsetClock(SystemClock):
    """The clock of a machine that woke up in the past."""

    def stamp(self) -> Stamp:
        stamp = super().stamp()
        return stamp._replace(wall=stamp.wall - timedelta(days=2000), is_trusted=False)


def test_a_volunteer_sets_the_clock_with_one_press(browser: Browser, make_house: Callable[..., House]) -> None:
    house = make_house(clock=UnsetClock(), reads_ledger=True, beat_s=0.2)
    with at_the_door(browser, house) as page:
        card = page.locator("#no-time")
        expect(card).to_be_visible()
        page.screenshot(path=PICTURES / "door-no-time.png", full_page=True)
        card.get_by_role("button", name="Set it to this phone's time").click()
        expect(page.locator("#said")).to_contain_text("The clock is set")
        expect(card).to_be_hidden()
        told = house.ledger.known_time(house.clock.stamp())
        assert told.told_by == "hand"
        assert abs(told.wall - SystemClock().stamp().wall) < timedelta(seconds=10)


def test_the_home_page_marks_notes_and_undone_rows_live(browser: Browser, venue: House) -> None:
    with venue.served() as server, logged_in(browser, server, venue) as page:
        desk = LedgerDesk(venue.ledger, venue.evening, venue.clock)
        entry = desk.check_in(venue.ledger.find(venue.evening, "zoe")[0].ticket.id, Press("desk XYZ", "n-1"))
        venue.news.say(DoorState(gate="main", camera="ok"))
        first = page.locator(".answers li").first
        expect(first.locator(".attention")).to_have_text("vegan")
        desk.undo(entry.scan_id, Press("desk XYZ", "n-2"))
        venue.news.say(DoorState(gate="main", camera="ok"))
        expect(first).to_contain_text("Undone")
        undone = page.locator('.answers li[data-struck="true"]')
        expect(undone).to_contain_text("Admitted, then undone")
        assert "line-through" in undone.locator(".who").evaluate("who => getComputedStyle(who).textDecorationLine")
        expect(undone.locator(".attention")).to_be_hidden()
        page.screenshot(path=PICTURES / "home-undone.png", full_page=True)
