"""The pages as a person meets them: in a real browser, at the size of a phone and of the display at the door."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest
from dashboard_browser import PHONE, PICTURES, log_in, logged_in, watched
from dashboard_house import PIN, House, wait_for
from playwright.sync_api import Browser, expect

from hardware.cameras.pictures import load_luma
from hardware.clock import SystemClock
from kiosk.door.reader import Reader
from kiosk.news import DoorState, Reply, StreamCommand
from stream.alarms import Alarm
from stream.director import FakeDirector
from stream.health import Health, LegKind, LegState, SourceState, StreamState
from stream.talks import TalkInfo

LIVE = StreamState(
    order="live",
    since="2026-11-24T18:02:00Z",
    source=SourceState(state=Health.LIVE),
    legs=(
        LegState(name="talk", kind=LegKind.RECORDING, state=Health.LIVE, bit_rate_kbps=2612),
        LegState(
            name="peertube",
            kind=LegKind.DESTINATION,
            state=Health.LOST,
            cause="the network is unreachable",
            retry_in_s=4,
            reconnects=3,
        ),
    ),
)
ALL_INSIDE = """[...document.querySelectorAll('.live .words, .live .figure')].every((element) => {
    const box = element.getBoundingClientRect();
    return box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
})"""


@pytest.fixture
def busy(make_house: Callable[..., House]) -> House:
    house = make_house(clock=SystemClock())
    for holder, reason in (("Amélie Poulain", None), ("Noor Haddad", None), ("Kofi Mensah", "unpaid")):
        house.book.scan(holder, reason=reason, product="Standard")
    speak(house)
    return house


def speak(house: House) -> None:
    house.news.say(DoorState(gate="main", camera="ok"))
    house.news.say(LIVE)


@contextmanager
def hanging_ledger(house: House) -> Iterator[None]:
    """A ledger whose every reading waits, as for a lock that is never given back."""
    house.book.may_read.clear()
    try:
        yield
    finally:
        house.book.may_read.set()


def test_from_the_first_link_to_the_page_of_the_evening(browser: Browser, busy: House) -> None:
    link = busy.access.login_link()
    with busy.served() as server, watched(browser, server.url, viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{server.url}/first/{link}")
        page.screenshot(path=PICTURES / "first.png")
        page.get_by_label("Your name").fill("Léa")
        page.get_by_label("New PIN or passphrase").fill("123456")
        page.get_by_role("button", name="Save and open").click()
        expect(page.get_by_role("alert")).to_contain_text("Too easy to guess")
        page.get_by_label("New PIN or passphrase").fill(PIN)
        page.get_by_role("button", name="Save and open").click()
        expect(page.get_by_role("heading", name="Lightning talks, November")).to_be_visible()
        expect(page.locator("#pulse")).to_have_text("Up to date")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_scan_appears_without_reloading(browser: Browser, busy: House, scheme: str) -> None:
    with busy.served() as server, logged_in(browser, server, busy, color_scheme=scheme) as page:
        page.evaluate("window.notReloaded = true")
        expect(page.locator(".count")).to_contain_text("2 of 50")
        busy.book.scan("Zoë Ødegård", product="Standard · vegan", caveats=("offline",))
        speak(busy)
        first = page.locator(".answer").first
        expect(first).to_contain_text("Zoë Ødegård")
        expect(first).to_contain_text("Admitted · Standard · vegan · not checked online".removeprefix("Admitted · "))
        expect(page.locator(".count")).to_contain_text("3 of 50")
        assert page.locator("progress").evaluate("bar => bar.value") == 3
        assert page.evaluate("window.notReloaded")
        page.screenshot(path=PICTURES / f"home-{scheme}.png", full_page=True)


def test_only_eight_answers_stay_newest_first(browser: Browser, busy: House) -> None:
    with busy.served() as server, logged_in(browser, server, busy) as page:
        for number in range(12):
            busy.book.scan(f"Guest {number}")
        speak(busy)
        expect(page.locator(".answer .who").first).to_have_text("Guest 11")
        assert page.locator(".answer .who").all_text_contents() == [f"Guest {n}" for n in range(11, 3, -1)]


def test_stop_asks_first_and_stops_once(browser: Browser, busy: House) -> None:
    with busy.served() as server, logged_in(browser, server, busy, at="/stream") as page:
        page.get_by_role("link", name="Stop streaming").click()
        dialog = page.get_by_role("dialog", name="Stop the stream?")
        expect(dialog).to_be_visible()
        page.screenshot(path=PICTURES / "stop.png")
        dialog.get_by_role("link", name="Keep streaming").click()
        expect(dialog).to_be_hidden()
        assert busy.news.commands == []
        page.get_by_role("link", name="Stop streaming").click()
        dialog.get_by_role("button", name="Yes, stop").click()
        expect(page.locator(".notice").first).to_contain_text("The stream is stopping.")
        assert [command.do for command in busy.news.commands] == ["stop"]


def test_the_camera_is_hidden_by_one_press_wherever_the_page_is(browser: Browser, busy: House) -> None:
    with busy.served() as server, logged_in(browser, server, busy) as page:
        hide = page.get_by_role("button", name="Hide now")
        for where in ("top", "bottom"):
            page.evaluate(f"scrollTo(0, {'0' if where == 'top' else 'document.body.scrollHeight'})")
            expect(hide).to_be_in_viewport(ratio=1)
        hide.click()
        expect(page.get_by_text("The camera and the room's sound are hidden.")).to_be_visible()
        assert [command.do for command in busy.news.commands] == ["hide_camera"]
        busy.news.say(msgspec.structs.replace(LIVE, program="hidden"))
        expect(hide).to_be_hidden()


def test_a_lost_leg_is_tried_again_by_one_press(browser: Browser, busy: House) -> None:
    with busy.served() as server, logged_in(browser, server, busy, at="/stream") as page:
        expect(page.locator("main")).to_contain_text("The network is unreachable. Next try in 4 s.")
        page.get_by_role("button", name="Retry now").click()
        expect(page.locator(".notice").first).to_contain_text("Trying again now.")
        assert [command.do for command in busy.news.commands] == ["retry"]
        busy.news.say(StreamState(order="stopped"))
        expect(page.get_by_role("button", name="Retry now")).to_be_hidden()
        page.get_by_role("button", name="Start with the camera").click()
        expect(page.locator(".notice").first).to_contain_text("Asked to start.")  # not closed in mid-answer
        assert [command.do for command in busy.news.commands] == ["retry", "start"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_alarms_stand_at_the_top_of_the_stream_and_go_by_themselves(browser: Browser, busy: House, scheme: str) -> None:
    director = FakeDirector(SystemClock())
    director.start()
    director.set_alarms(
        Alarm(code="hot", cause="the Raspberry Pi is 79 °C hot; it slows down from 80 °C", action="Give it air"),
        Alarm(
            code="frozen",
            cause="the camera's picture has not changed for 9 s",
            action="Unplug the camera and plug it in again. If it shows slides, write still_picture_ok = true "
            "under [stream.source]",
        ),
        Alarm(code="no-sound", cause="no sound from the room for 12 s", action="Check that the microphone is on"),
    )
    with busy.served() as server, logged_in(browser, server, busy, at="/stream", color_scheme=scheme) as page:
        busy.news.say(director.state())
        alarms = page.get_by_role("list", name="Alarms").get_by_role("listitem")
        expect(alarms).to_have_count(3)
        expect(alarms.nth(0)).to_contain_text("No sound from the room for 12 s. Check that the microphone is on.")
        expect(alarms.nth(2)).to_contain_text("79 °C")
        card, first = page.locator(".stream").first.bounding_box(), alarms.first.bounding_box()
        assert card and first and first["y"] - card["y"] < 40
        page.locator(".stream").first.screenshot(path=PICTURES / f"alarms-{scheme}.png")
        director.set_alarms()
        busy.news.say(director.state())
        expect(alarms).to_have_count(0)


def test_the_program_is_in_one_thumb(browser: Browser, busy: House) -> None:
    talk = TalkInfo(id="b", title="Writing a Rust driver for a 2 € sensor", speaker="Łukasz O'Brien")
    live = StreamState(order="live", program="starting", on_air="slate", next_talk=talk, undo="back to the camera")
    with busy.served() as server, logged_in(browser, server, busy, at="/stream") as page:
        busy.news.say(live)
        card = page.locator("main")
        expect(card).to_contain_text("Viewers see")
        expect(card).to_contain_text("The slate before the start")
        expect(card.get_by_role("button", name="Go live")).to_be_hidden()
        names = ["Next talk", "Camera", "Hide camera", "Break", "End", "Undo"]
        for name in names:
            button = card.get_by_role("button", name=re.compile(f"^{name}")).first
            box = button.bounding_box()
            assert box and box["height"] >= 48
        page.screenshot(path=PICTURES / "stream-program.png", full_page=True)
        expect(card.get_by_role("button", name="Next talk")).to_contain_text("sensor · Łukasz O'Brien")
        expect(card.get_by_role("button", name="Undo")).to_contain_text("Back to the camera")
        for name in ("Next talk", "Hide camera", "Break", "End", "Undo"):
            card.get_by_role("button", name=name).click()
            expect(page.locator(".notice").first).to_be_visible()
            busy.news.say(live)
        card.get_by_role("button", name=re.compile("^Camera")).click()
        wait_for(lambda: len(busy.news.commands) == 6)
        wanted = ["next_talk", "hide_camera", "take_break", "end", "undo", "camera"]
        assert [command.do for command in busy.news.commands] == wanted
        busy.news.say(StreamState(order="live", program="camera", on_air="slate", program_cause="the camera is gone"))
        expect(card).to_contain_text("A slate")
        expect(card).to_contain_text("The camera is gone.")
        busy.news.say(StreamState(order="stopped"))
        card.get_by_role("button", name="Go live").click()
        expect(page.locator(".notice").first).to_contain_text("Going live")
        assert busy.news.commands[-1].do == "go_live"


def test_the_first_page_has_one_button_the_next_one(browser: Browser, busy: House) -> None:
    talk = TalkInfo(id="b", title="Otters", speaker="Ada")
    live = StreamState(order="live", program="starting", next_talk=talk)
    with busy.served() as server, logged_in(browser, server, busy) as page:
        shown = page.locator(".next").locator("button:visible, a:visible")
        for state, says in (
            (live, "Next talk"),
            (msgspec.structs.replace(live, program="hidden"), "Camera"),
            (msgspec.structs.replace(live, program="camera", talk=talk, next_talk=None), "End"),
            (msgspec.structs.replace(live, program="end"), "Stop streaming"),
            (msgspec.structs.replace(live, program="camera", next_talk=None), None),
            (live, "Next talk"),
        ):
            busy.news.say(state)
            expect(shown).to_have_count(1 if says else 0)
            if says:
                expect(shown).to_contain_text(says)
        shown.click()
        expect(page.locator(".notice").first).to_contain_text("The next talk is introduced")
        assert page.url == f"{server.url}/"
        assert [command.do for command in busy.news.commands] == ["next_talk"]


def test_every_button_works_without_scripts(browser: Browser, busy: House) -> None:
    house = busy
    house.choose(PIN)
    with house.served() as server:
        context = browser.new_context(viewport=PHONE, java_script_enabled=False)
        page = context.new_page()
        page.goto(server.url)
        log_in(page)
        page.get_by_role("link", name="The stream in full").click()
        page.get_by_role("link", name="Stop streaming").click()
        page.get_by_role("button", name="Yes, stop").click()
        expect(page.locator(".notice").first).to_contain_text("The stream is stopping.")
        context.close()
    assert [command.do for command in house.news.commands] == ["stop"]


def test_everything_is_tried_by_one_press_before_the_doors(browser: Browser, busy: House) -> None:
    director = FakeDirector(SystemClock())

    def obey(command: StreamCommand) -> Reply:
        getattr(director, command.do)()
        busy.news.say(director.state())
        return Reply(ok=True, state=director.state())

    busy.news.obey = obey
    with busy.served() as server, logged_in(browser, server, busy, at="/stream") as page:
        busy.news.say(director.state())
        page.get_by_role("button", name="Check everything").click()
        expect(page.locator(".checks")).to_contain_text("Checked at")
        expect(page.locator(".checks")).to_contain_text("Room for 3.1 hours of recording")
        expect(page.locator(".checks")).to_contain_text("Delete old recordings.")
        page.screenshot(path=PICTURES / "stream-checked.png", full_page=True)


def test_pages_without_news_for_three_seconds_say_so_and_recover(browser: Browser, busy: House) -> None:
    with busy.served() as server, logged_in(browser, server, busy) as page:
        expect(page.locator("body.is-stale")).to_have_count(0)
        screen = page.context.new_page()
        screen.goto(f"{server.url}/screen")
        expect(screen.locator("body.is-live")).to_be_visible()
        with hanging_ledger(busy):  # the connections stay and nothing comes: the worst case
            expect(page.locator("body.is-stale")).to_have_count(1, timeout=6000)
            expect(screen.locator(".stage.stale")).to_contain_text("Please see a volunteer")
            expect(screen.locator(".stage.stale")).to_be_visible()
            expect(screen.locator(".stage.live")).to_be_hidden()
            screen.screenshot(path=PICTURES / "screen-stale.png")
            expect(page.locator("#pulse")).to_have_text(re.compile(r"No news for \d+ s"))
            assert page.locator(".people").evaluate("card => getComputedStyle(card).opacity") != "1"
            page.screenshot(path=PICTURES / "home-stale.png")
        expect(page.locator("body.is-stale")).to_have_count(0)
        expect(page.locator("#pulse")).to_have_text("Up to date")


def test_a_new_pin_sends_an_open_page_to_the_login(browser: Browser, busy: House) -> None:
    with busy.served() as server, logged_in(browser, server, busy) as page:
        busy.choose("other-pin-9")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible(timeout=10_000)


def test_trouble_at_the_door_is_in_words(browser: Browser, busy: House) -> None:
    with busy.served() as server, logged_in(browser, server, busy, color_scheme="dark") as page:
        busy.news.say(DoorState(gate="main", camera="stalled", cause="the same picture again and again"))
        expect(page.locator(".doors")).to_contain_text(re.compile(r"No picture for \d+ s"))
        expect(page.locator(".doors")).to_contain_text("Check people in by hand.")
        page.screenshot(path=PICTURES / "home-trouble.png", full_page=True)
        busy.news.say(DoorState(gate="main", online=False))
        expect(page.locator(".doors")).to_contain_text("Door is off")


def test_every_target_is_big_and_nothing_overflows(browser: Browser, busy: House) -> None:
    busy.book.scan("Wolfeschlegelsteinhausenbergerdorffvoralternwaren " * 2, product="x" * 60)
    with busy.served() as server, logged_in(browser, server, busy) as page:
        expect(page.locator(".answer").first).to_be_visible()
        for width_px in (360, 412, 1280):
            page.set_viewport_size({"width": width_px, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") == width_px
            for target in page.locator("a:visible, button:visible, input:visible").all():
                box = target.bounding_box()
                assert box
                assert box["height"] >= 48, target.inner_text()
                assert box["width"] >= 48, target.inner_text()
            page.screenshot(path=PICTURES / f"home-{width_px}.png")


def test_the_page_can_be_read_by_a_screen_reader(browser: Browser, busy: House) -> None:
    with busy.served() as server, logged_in(browser, server, busy) as page:
        assert page.locator("html").get_attribute("lang") == "en"
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        for name in ("Inside now", "Door", "Stream", "Last answers"):
            expect(page.get_by_role("region", name=name)).to_have_count(1)
        expect(page.get_by_role("progressbar", name="Inside now")).to_have_count(1)
        tones = page.locator("[data-tone]:visible:has(> .mark)")
        assert tones.count() >= 5
        for shown in tones.all():  # beside each coloured symbol there is a word
            assert shown.inner_text().strip()


@pytest.mark.parametrize(("width_px", "height_px"), [(1280, 720), (1920, 1080), (1080, 1920)])
def test_the_screen_flips_to_the_answer_and_back(browser: Browser, busy: House, width_px: int, height_px: int) -> None:
    size = {"width": width_px, "height": height_px}
    with busy.served() as server, watched(browser, server.url, viewport=size) as context:
        page = context.new_page()
        page.goto(f"{server.url}/screen")
        expect(page.locator("body.is-live")).to_be_visible()
        expect(page.locator(".title").first).to_have_text("Hold your QR code 20 cm from the camera")
        page.screenshot(path=PICTURES / f"screen-idle-{width_px}.png")
        for reason, title, tone in (
            ("revoked", "Replaced by a newer ticket", "no"),
            ("error", "We could not check", "warn"),
            (None, "Welcome!", "yes"),
        ):
            busy.book.scan("Ada Byron", reason=reason)
            speak(busy)
            expect(page.locator(".title").first).to_have_text(title)
            expect(page.locator("body")).to_have_attribute("data-tone", tone)
            shown = page.locator(f".live .m-{tone}").evaluate("path => getComputedStyle(path).display")
            assert shown != "none"
            expect(page.locator("body")).not_to_contain_text("Ada")
            assert page.evaluate(ALL_INSIDE)
            page.screenshot(path=PICTURES / f"screen-{tone}-{width_px}.png")
        if width_px == 1280:

            def is_idle() -> bool:
                speak(busy)  # as a door does, which is taken for gone when it is silent
                return page.locator("body").get_attribute("data-mode") == "idle"

            wait_for(is_idle, 8)
            busy.news.say(DoorState(gate="main", online=False))
            expect(page.locator(".title").first).to_have_text("Please see a volunteer")


@pytest.mark.parametrize(("width_px", "height_px"), [(1280, 720), (1024, 600), (800, 480), (1080, 1920)])
def test_who_finds_the_house_full_gets_the_way_to_the_stream(
    browser: Browser, busy: House, width_px: int, height_px: int
) -> None:
    size = {"width": width_px, "height": height_px}
    with busy.served() as server, watched(browser, server.url, viewport=size) as context:
        page = context.new_page()
        page.goto(f"{server.url}/screen")
        expect(page.locator("body.is-live")).to_be_visible()
        busy.book.scan("Ada Byron", reason="full")
        speak(busy)
        expect(page.locator(".title").first).to_have_text("We are full")
        expect(page.locator(".watch:visible")).to_be_visible()
        assert page.evaluate(ALL_INSIDE)
        path = PICTURES / f"screen-full-{width_px}.png"
        page.screenshot(path=path)
        reads = Reader(SystemClock()).read_still(load_luma(path))
        assert [read.data for read in reads] == [b"https://live.example.org/talks"]
        busy.book.scan("Ada Byron", reason="revoked")
        speak(busy)
        expect(page.locator(".watch:visible")).to_have_count(0)


def test_the_screen_greets_by_name_when_the_organizer_allows(
    browser: Browser, make_house: Callable[..., House]
) -> None:
    house = make_house(clock=SystemClock(), show_names=True)
    speak(house)
    with house.served() as server, watched(browser, server.url, viewport={"width": 1280, "height": 720}) as context:
        page = context.new_page()
        page.goto(f"{server.url}/screen")
        expect(page.locator("body.is-live")).to_be_visible()
        house.book.scan("Jean-Baptiste Grenouille de la Tour")
        speak(house)
        expect(page.locator(".name")).to_have_text("Jean-Baptiste Grenouille de la Tour")
        page.screenshot(path=PICTURES / "screen-name.png")
