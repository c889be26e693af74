"""A phone as a scanner, in a real browser whose camera shows a film of tickets, against the real pages and ledger."""

from __future__ import annotations

import base64
import random
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zxingcpp
from dashboard_browser import CHROMIUM, FLAGS, PHONE, PICTURES, log_in
from dashboard_house import PIN, House, wait_for
from PIL import Image
from playwright.sync_api import Page, Playwright, Route, expect, sync_playwright
from scan_stage import FOREIGN, JEAN, KOFI, MIA, PEOPLE, ZOE, Shot, phone, start, write_film

from hardware.clock import SystemClock
from kiosk.door.presence import Presence
from kiosk.ledger import Hand, ScanRow

pytestmark = pytest.mark.slow  # films of seconds before a camera; the server's part is in test_scanning.py

NOBODY: Shot = ((), 2.2)  # long enough for a code to be away
THE_END: Shot = ((), 30.0)  # a film begins anew when it is over

# A browser that knows QR by itself; the picture is read by the test, outside of the page.
KNOWS_QR = """
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect(video) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    return (await window.readPicture(canvas.toDataURL("image/png"))).map((rawValue) => ({ rawValue }));
  }
};
"""
# What the phone sounds and how it shakes, written down.
LISTENS = """
window.given = [];
navigator.vibrate = (pattern) => window.given.push(["buzz", ...pattern]);
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  window.given.push(["beep", this.frequency.value]);
  start.call(this, at);
};
"""
# A camera whose pictures can be stopped, or which another app takes.
STOPPABLE = """
window.isShowing = true;
window.fails = "";
navigator.mediaDevices.getUserMedia = async () => {
  if (window.fails) throw new DOMException("no", window.fails);
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  const context = canvas.getContext("2d");
  let number = 0;
  setInterval(() => {
    if (!window.isShowing) return;
    context.fillStyle = `rgb(${number++ % 255}, 90, 90)`;
    context.fillRect(0, 0, 640, 480);
  }, 50);
  window.stream = canvas.captureStream(20);
  return window.stream;
};
"""
# The fake camera has no light.
HAS_LIGHT = """
window.lights = [];
const track = MediaStreamTrack.prototype;
track.getCapabilities = () => ({ torch: true });
track.applyConstraints = async ({ advanced }) => window.lights.push(advanced[0].torch);
"""
HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as started:
        yield started


@pytest.fixture
def venue(make_house: Callable[..., House]) -> House:
    house = make_house(clock=SystemClock(), reads_ledger=True, beat_s=0.2)
    house.ledger.put_tickets(house.evening, PEOPLE)
    return house


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    return lambda *shots: write_film(tmp_path / "film.y4m", shots)


def rows(house: House) -> list[ScanRow]:
    """What the ledger wrote, oldest first."""
    return list(house.ledger.recent_scans(house.evening, 100))[::-1]


def answers(page: Page) -> Any:
    return page.get_by_role("region", name="Answer")


def read_picture(url: str) -> list[str]:
    picture = Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")
    return [found.text for found in zxingcpp.read_barcodes(np.asarray(picture))]


def test_this_browser_does_not_know_qr_by_itself(playwright: Playwright, venue: House) -> None:
    """Else the tests below would not try our own reader."""
    with venue.served() as server, phone(playwright, server, venue, None) as page:
        assert page.evaluate("'BarcodeDetector' in window") is False


@pytest.mark.parametrize("reads", ["by ours", "by the browser's own"])
def test_an_evening_at_a_phone(playwright: Playwright, venue: House, film: Callable[..., Path], reads: str) -> None:
    shown = film(
        NOBODY,
        ((ZOE,), 1.5),
        NOBODY,
        ((ZOE,), 1.5),
        NOBODY,
        ((JEAN, FOREIGN), 2.0),
        NOBODY,
        ((KOFI, MIA), 2.0),
        THE_END,
    )
    script = "" if reads == "by ours" else KNOWS_QR
    with venue.served() as server, phone(playwright, server, venue, shown, script=script) as page:
        loaded: list[str] = []
        page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2]))
        if script:
            page.context.expose_function("readPicture", read_picture)
        start(page)
        said = answers(page)
        expect(said).to_contain_text("Zoë Ødegård is in", timeout=10_000)
        expect(said).to_contain_text("Note: vegan")
        expect(said).to_be_empty()
        expect(said).to_contain_text("Zoë Ødegård: already used", timeout=10_000)
        expect(said).to_contain_text("Jean Dupont is in", timeout=10_000)
        expect(said).to_contain_text("No ticket: unknown code")
        assert said.locator(".reply").count() == 2
        expect(said).to_contain_text("Kofi Mensah: revoked", timeout=10_000)
        expect(said).to_contain_text("Mia Wong: blocked")
        assert ("zxing_reader.wasm" in loaded) == (reads == "by ours")
    answered = sorted((row.holder or "", str(row.reason)) for row in rows(venue))
    assert answered == [
        ("", "invalid"),
        ("Jean Dupont", "None"),
        ("Kofi Mensah", "revoked"),
        ("Mia Wong", "blocked"),
        ("Zoë Ødegård", "None"),
        ("Zoë Ødegård", "already_redeemed"),
    ]
    assert {row.gate.partition(" ")[0] for row in rows(venue)} == {"phone"}


def test_the_way_that_was_chosen_is_remembered_and_lets_people_out(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    zoe = venue.ledger.find(venue.evening, "zoe")[0].ticket.id
    venue.ledger.check_in(venue.evening, zoe, Hand("desk XYZ", "n-1", "desk", venue.clock.stamp()))
    with venue.served() as server, phone(playwright, server, venue, film(NOBODY, ((ZOE,), 2.0), THE_END)) as page:
        page.get_by_label("Exit").check()
        page.reload()
        expect(page.get_by_label("Exit")).to_be_checked()
        start(page)
        expect(answers(page)).to_contain_text("Zoë Ødegård left", timeout=10_000)
    assert venue.ledger.head_count(venue.evening).inside == 0


def test_an_answer_goes_by_itself_and_the_code_is_in_no_address_and_in_no_store(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    shown = film(NOBODY, ((ZOE,), 20.0), THE_END)
    with venue.served() as server, phone(playwright, server, venue, shown) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        start(page)
        expect(answers(page)).to_contain_text("Zoë", timeout=10_000)
        expect(answers(page)).to_be_empty(timeout=4000)  # though the code is held there still
        assert "Zoë" not in page.content()
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        coded = base64.b64encode(ZOE.encode()).decode().rstrip("=")
        for secret in (ZOE, coded):
            assert secret not in kept and not any(secret in url for url in asked)
    assert len(rows(venue)) == 1


def test_an_answer_that_was_lost_is_said_to_be_none_and_comes_by_the_same_nonce(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    shown = film(NOBODY, ((ZOE,), 1.5), THE_END)
    with venue.served() as server, phone(playwright, server, venue, shown) as page:
        nonces: list[str] = []
        may_answer = threading.Event()

        def lose(route: Route) -> None:
            nonces.append((route.request.post_data or "").partition("nonce=")[2][:32])
            if may_answer.is_set():
                route.continue_()
            else:
                route.fetch()  # it arrives, and its answer does not
                route.abort()

        page.route("**/door/scan", lose)
        start(page)
        expect(answers(page)).to_contain_text("No answer yet: do not let them in by this", timeout=10_000)
        page.screenshot(path=PICTURES / "scan-no-answer.png")
        wait_for(lambda: page.evaluate("1") and len(nonces) > 2, 10)
        may_answer.set()
        expect(answers(page)).to_contain_text("Zoë Ødegård is in", timeout=10_000)
        expect(answers(page)).not_to_contain_text("No answer yet")
        assert len(set(nonces)) == 1
    assert [row.reason for row in rows(venue)] == [None]


@pytest.mark.slow
def test_one_is_asked_at_a_time_the_others_wait_and_too_many_are_said(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    strangers = [(f"STRANGER{n:A<18}", f"STRANGER{n + 1:A<18}") for n in (1, 3, 5)]
    shown = film(NOBODY, *((pair, 1.2) for pair in strangers), THE_END)
    with venue.served() as server, phone(playwright, server, venue, shown) as page:
        under_way: list[str] = []
        most: list[int] = []
        is_cut = [True]

        def cut(route: Route) -> None:
            under_way.append(route.request.url)
            most.append(len(under_way))
            if is_cut[0]:
                route.abort()
                under_way.pop()
            else:
                route.continue_()

        page.on("requestfinished", lambda request: under_way.clear() if request.method == "POST" else None)
        page.route("**/door/scan", cut)
        start(page)
        expect(answers(page)).to_contain_text("4 more wait behind it", timeout=10_000)
        expect(answers(page)).to_contain_text("Not taken", timeout=5000)
        is_cut[0] = False
        expect(answers(page)).to_contain_text("No ticket: unknown code", timeout=10_000)
        wait_for(lambda: page.evaluate("1") and len(rows(venue)) >= 5, 10)
        assert max(most) == 1


@pytest.mark.slow
def test_a_request_that_hangs_is_said_within_a_second_and_given_up_for_another(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    shown = film(NOBODY, ((ZOE,), 1.5), THE_END)
    with venue.served() as server, phone(playwright, server, venue, shown) as page:
        hanging: list[Route] = []
        page.route("**/door/scan", lambda route: route.continue_() if hanging else hanging.append(route))
        start(page)
        wait_for(lambda: page.evaluate("1") and hanging, 10)
        expect(answers(page)).to_contain_text("No answer yet", timeout=1500)
        expect(answers(page)).to_contain_text("Zoë Ødegård is in", timeout=8000)
    assert len(rows(venue)) == 1


def test_a_login_that_is_over_is_said_and_the_camera_is_let_go(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    shown = film(NOBODY, ((ZOE,), 3.0), THE_END)
    with venue.served() as server, phone(playwright, server, venue, shown) as page:
        for login in venue.access.phones.all():
            venue.access.phones.log_out(login.person, login.letters)
        start(page)
        expect(page.get_by_role("heading", name="You are logged out")).to_be_visible(timeout=10_000)
        assert page.evaluate("document.querySelector('video').srcObject") is None
        page.screenshot(path=PICTURES / "scan-logged-out.png")
        page.get_by_role("link", name="Log in").click()
        expect(page.get_by_label("PIN or passphrase")).to_be_visible()
    assert rows(venue) == []


def test_no_camera_and_no_permission_are_said_with_what_to_do(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    with venue.served() as server:
        with phone(playwright, server, venue, None) as page:
            page.get_by_role("button", name="Start the camera").click()
            expect(page.get_by_role("alert")).to_contain_text("No camera found")
            page.get_by_role("button", name="Try again").click()
            expect(page.get_by_role("alert")).to_contain_text("No camera found")
        with phone(playwright, server, venue, film(THE_END), permissions=[]) as page:
            page.get_by_role("button", name="Start the camera").click()
            expect(page.get_by_role("alert")).to_contain_text("The camera is not allowed")
            page.screenshot(path=PICTURES / "scan-refused.png")


def test_a_page_without_https_says_that_the_camera_needs_it(playwright: Playwright, venue: House) -> None:
    venue.choose(PIN)
    rules = "--host-resolver-rules=MAP door.local 127.0.0.1"
    browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, rules])
    with venue.served() as server:
        page = browser.new_page(viewport=PHONE)
        page.goto(f"http://door.local:{server.port}/login")
        log_in(page)
        page.get_by_role("link", name="Door", exact=True).click()
        page.get_by_role("link", name="Scan with this phone").click()
        expect(page.get_by_role("alert")).to_contain_text("works only by https")
        browser.close()


def test_a_camera_that_stops_is_seen_within_two_seconds_and_comes_back_by_itself(
    playwright: Playwright, venue: House
) -> None:
    with venue.served() as server, phone(playwright, server, venue, None, script=STOPPABLE) as page:
        start(page)
        page.evaluate("window.isShowing = false")
        expect(page.get_by_role("alert")).to_contain_text("The camera gives no picture", timeout=2000)
        page.evaluate("window.isShowing = true")
        expect(page.get_by_text("Hold a code in the picture")).to_be_visible(timeout=12_000)
        page.evaluate("window.fails = 'NotReadableError'; window.stream.getTracks()[0].stop()")
        expect(page.get_by_role("alert")).to_contain_text("Another app has the camera", timeout=5000)
        page.evaluate("window.fails = ''")
        expect(page.get_by_text("Hold a code in the picture")).to_be_visible(timeout=5000)


def test_a_reader_that_does_not_load_is_said_and_tried_again(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    shown = film(NOBODY, ((ZOE,), 60.0))
    with venue.served() as server, phone(playwright, server, venue, shown) as page:
        is_cut = [True]
        page.context.route("**/*.wasm", lambda route: route.abort() if is_cut[0] else route.continue_())
        page.get_by_role("button", name="Start the camera").click()
        expect(page.get_by_role("alert")).to_contain_text("The reader did not load", timeout=10_000)
        is_cut[0] = False
        expect(answers(page)).to_contain_text("Zoë Ødegård is in", timeout=20_000)


def test_where_the_browser_s_own_reader_breaks_ours_goes_on(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    breaks = KNOWS_QR.replace("detect(video) {", "detect(video) { throw new DOMException('gone');")
    shown = film(NOBODY, ((ZOE,), 5.0), THE_END)
    with venue.served() as server, phone(playwright, server, venue, shown, script=breaks) as page:
        start(page)
        expect(answers(page)).to_contain_text("Zoë Ødegård is in", timeout=10_000)


def test_another_camera_is_one_press_away_and_a_camera_with_a_light_has_a_button_for_it(
    playwright: Playwright, venue: House
) -> None:
    cameras = "--use-fake-device-for-media-stream=device-count=2"
    with venue.served() as server, phone(playwright, server, venue, None, script=HAS_LIGHT, flags=[cameras]) as page:
        start(page)
        which = "document.querySelector('video').srcObject.getTracks()[0].getSettings().deviceId"
        first = page.evaluate(which)
        page.get_by_role("button", name="Light").click()
        expect(page.get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "true")
        assert page.evaluate("window.lights") == [True]
        page.get_by_role("button", name="Other camera").click()
        wait_for(lambda: page.evaluate(f"document.body.dataset.state === 'scan' && {which}") not in {False, first}, 10)
        expect(page.get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "false")


def test_a_page_that_nobody_looks_at_lets_the_camera_go_and_takes_it_again(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    with venue.served() as server, phone(playwright, server, venue, film(NOBODY, ((ZOE,), 2.0), THE_END)) as page:
        start(page)
        page.evaluate("window.track = document.querySelector('video').srcObject.getTracks()[0]")
        page.evaluate(HIDE, True)
        assert page.evaluate("window.track.readyState") == "ended"
        page.evaluate(HIDE, False)
        expect(answers(page)).to_contain_text("Zoë Ødegård is in", timeout=10_000)  # the film began anew
        page.evaluate(HIDE, True)
        expect(answers(page)).to_be_empty()


def test_yes_no_and_look_here_sound_and_shake_differently_and_mute_leaves_the_shaking(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    shots = (NOBODY, ((JEAN,), 1.2), NOBODY, ((ZOE,), 1.2), NOBODY, ((KOFI,), 1.2), NOBODY, ((MIA,), 1.2), THE_END)
    with venue.served() as server, phone(playwright, server, venue, film(*shots), script=LISTENS) as page:
        start(page)
        heard: list[str] = []
        for name in ("Jean", "Zoë", "Kofi"):
            expect(answers(page)).to_contain_text(name, timeout=10_000)
            heard.append(str(page.evaluate("window.given.splice(0)")))
        assert len(set(heard)) == 3
        assert all("beep" in each and "buzz" in each for each in heard)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Mute").click()
        expect(answers(page)).to_contain_text("Mia", timeout=10_000)
        muted = str(page.evaluate("window.given.splice(0)"))
        assert "buzz" in muted and "beep" not in muted
        page.reload()
        expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")


def test_the_phone_is_started_steered_and_cleared_by_the_keyboard_alone(
    playwright: Playwright, venue: House, film: Callable[..., Path]
) -> None:
    with venue.served() as server, phone(playwright, server, venue, film(NOBODY, ((ZOE,), 9.0), THE_END)) as page:
        keys = page.keyboard

        def focused() -> str:
            return str(page.evaluate("(document.activeElement.innerText || document.activeElement.value).trim()"))

        seen = []
        for _ in range(4):
            keys.press("Tab")
            seen.append(focused())
        assert seen == ["Door", "entry", "Start the camera", "Mute"]
        keys.press("Shift+Tab")
        keys.press("Enter")
        expect(answers(page)).to_contain_text("Zoë", timeout=10_000)
        keys.press("Escape")
        expect(answers(page)).to_be_empty(timeout=500)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_every_target_is_big_and_the_answer_fills_the_phone(
    playwright: Playwright, venue: House, film: Callable[..., Path], scheme: str
) -> None:
    long = PEOPLE[0]._replace(holder="Wolfeschlegelsteinhausenbergerdorff " * 2, note="n" * 80)
    venue.ledger.put_tickets(venue.evening, [long])
    shown = film(NOBODY, ((ZOE,), 1.2), NOBODY, ((JEAN, FOREIGN), 2.0), THE_END)
    with venue.served() as server, phone(playwright, server, venue, shown, color_scheme=scheme) as page:

        def look(name: str) -> None:
            for width, height in ((844, 390), (390, 844)):
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate("document.documentElement.scrollWidth") == width
                for target in page.locator("a:visible, button:visible, #gate label:visible").all():
                    box = target.bounding_box()
                    assert box and box["height"] >= 48 and box["width"] >= 48, target.evaluate("each => each.outerHTML")
                page.screenshot(path=PICTURES / f"scan-{name}-{width}-{scheme}.png")

        look("start")
        start(page)
        look("looks")
        expect(answers(page)).to_contain_text("Wolfe", timeout=10_000)
        for width, height in ((844, 390), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            assert answers(page).bounding_box() == {"x": 0, "y": 0, "width": width, "height": height}
            page.screenshot(path=PICTURES / f"scan-long-{width}-{scheme}.png")
        expect(answers(page)).to_contain_text("unknown code", timeout=10_000)
        for width, height in ((844, 390), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=PICTURES / f"scan-two-{width}-{scheme}.png")


def test_presence_on_the_phone_is_the_door_s(playwright: Playwright, venue: House) -> None:
    """The same pictures, at the same times, make the same presentations in both languages."""
    rng = random.Random(7)
    now_s, looks = 100.0, []
    for _ in range(3000):
        now_s += rng.choice([0.05, 0.1, 0.3, 0.49, 0.8, 30.0])
        codes = rng.sample(["a", "b", "c"], rng.choice([0, 0, 0, 1, 1, 2]))
        looks.append((codes, now_s, rng.random() < 0.2, rng.random() < 0.5))
    door, here = Presence(), []
    names: dict[str, int] = {}
    for codes, at_s, is_blurred, is_taken in looks:
        seen = door.see([code.encode() for code in codes], at_s, is_blurred=is_blurred)
        here.append([(showing.code.decode(), names.setdefault(showing.nonce, len(names))) for showing in seen])
        for showing in seen:
            showing.is_answered = is_taken
    with venue.served() as server, phone(playwright, server, venue, None) as page:
        there = page.evaluate(
            """async (looks) => {
              const { Presence } = await import("/static/scan/presence.js");
              const presence = new Presence(), names = new Map();
              const name = ({ nonce }) => names.get(nonce) ?? names.set(nonce, names.size).get(nonce);
              return looks.map(([codes, atS, isBlurred, isTaken]) => {
                const seen = presence.see(codes, atS, isBlurred);
                for (const showing of seen) showing.isTaken = isTaken;
                return seen.map((showing) => [showing.code, name(showing)]);
              });
            }""",
            looks,
        )
    assert len(names) > 100
    assert [[tuple(each) for each in look] for look in there] == here
