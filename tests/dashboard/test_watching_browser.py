"""The picture on the organizer's phone and the film in the room next door, in a real browser, from a real stream."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dashboard_browser import PICTURES, logged_in, watched
from dashboard_house import House, wait_for
from playwright.sync_api import Browser, Page, expect

from hardware.clock import SystemClock
from kiosk.news import DoorState
from stream.director import Director
from stream.preview_files import PICTURE
from stream.settings import Picture, StreamSettings

LAPTOP = {"width": 1280, "height": 720}
NO_HLS_OF_ITS_OWN = "HTMLMediaElement.prototype.canPlayType = () => ''"


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(clock=SystemClock(), watch="local")


@contextmanager
def streaming(house: House) -> Iterator[Director]:
    """A real stream of moving bars whose preview lies where the house looks."""
    picture = Picture(width_px=640, height_px=360, frames_per_s=15, keyframe_s=1, video_kbps=600, preset="ultrafast")
    folder = house.preview_folder.parent
    with Director(StreamSettings(picture=picture), {}, folder / "state", folder, SystemClock()) as director:
        director.start()
        wait_for((house.preview_folder / PICTURE).exists, 20)
        yield director


def tell(house: House, director: Director) -> None:
    house.news.say(DoorState(gate="main", camera="ok"))
    house.news.say(director.state())


def age_s(page: Page) -> float:
    text = page.locator(".viewers .age").inner_text()
    return 0.0 if text == "just now" else float(text.removesuffix(" s ago"))


def colours(page: Page) -> int:
    """How many different colours the picture on the page has; a grey nothing has one."""
    return page.evaluate(
        """() => { const canvas = document.querySelector('.viewers canvas');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        return new Set(Array.from({length: 200}, (_, i) => data.slice(i * 400, i * 400 + 3).join())).size; }"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_organizer_sees_what_viewers_see_and_how_old_it_is(browser: Browser, house: House, scheme: str) -> None:
    with streaming(house) as director, house.served() as server:
        tell(house, director)
        with logged_in(browser, server, house, at="/stream", color_scheme=scheme) as page:
            expect(page.locator(".viewers canvas")).to_be_visible()
            expect(page.locator(".viewers")).to_contain_text("The camera")
            wait_for(lambda: age_s(page) < 4, 10)
            assert colours(page) > 5
            page.screenshot(path=PICTURES / f"peek-{scheme}.png", full_page=True)
            page.get_by_role("button", name="Enlarge what viewers see").click()
            large = page.get_by_role("dialog", name="What viewers see")
            expect(large.get_by_role("img", name="What viewers see")).to_be_visible()
            page.screenshot(path=PICTURES / f"peek-large-{scheme}.png")
            large.get_by_role("button", name="Close").click()
            expect(large).to_be_hidden()


@pytest.mark.slow
def test_an_old_picture_is_not_shown_as_if_it_were_new(browser: Browser, house: House, tmp_path: Path) -> None:
    with streaming(house) as director, house.served() as server:
        tell(house, director)
        kept = shutil.copy(house.preview_folder / PICTURE, tmp_path / "kept.jpg")
        with logged_in(browser, server, house, at="/stream") as page:
            expect(page.locator(".viewers canvas")).to_be_visible()
            state = director.state()
            director.stop()
            made_s = SystemClock().stamp().wall.timestamp() - 7
            shutil.copy(kept, house.preview_folder / PICTURE)
            os.utime(house.preview_folder / PICTURE, (made_s, made_s))

            def says_no_picture() -> bool:
                house.news.say(state)
                return page.locator(".viewers .none").is_visible()

            wait_for(says_no_picture, 10)
            assert page.locator(".viewers .age").inner_text() == ""
            assert not page.locator(".viewers canvas").is_visible()
            page.locator(".stream").first.screenshot(path=PICTURES / "peek-none.png")


def test_a_page_that_nobody_looks_at_asks_for_no_pictures(browser: Browser, house: House) -> None:
    with streaming(house) as director, house.served() as server:
        tell(house, director)
        with logged_in(browser, server, house, at="/stream") as page:
            page.clock.install()
            page.reload()
            expect(page.locator(".viewers canvas")).to_be_visible()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))

            def asked_within_9_s() -> set[str]:
                tell(house, director)  # a stream that says nothing is taken for gone
                expect(page.locator(".viewers")).to_be_visible()
                asked.clear()
                page.clock.run_for(9000)
                page.evaluate("fetch('/healthz').then((answer) => answer.text())")  # told after all that went before
                wait_for(lambda: page.evaluate("1") and "healthz" in asked)
                return set(asked)

            assert "preview.jpg" in asked_within_9_s()
            page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
            asked_within_9_s()  # one may have been under way
            assert "preview.jpg" not in asked_within_9_s()


IS_ON_TOP = """(words) => { const box = words.getBoundingClientRect();
    return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === words; }"""


def film(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "() => { const v = document.querySelector('video'); return { at: v.currentTime, width: v.videoWidth }; }"
    )
    return found


def plays_on(page: Page, seconds: float = 2.0) -> bool:
    """Whether it plays for so long from now."""
    start = film(page)["at"]
    wait_for(lambda: film(page)["at"] > start + seconds, seconds + 20)
    return True


@contextmanager
def next_door(browser: Browser, url: str, script: str = "") -> Iterator[Page]:
    """A laptop in the room next door, which has no login."""
    with watched(browser, url, viewport=LAPTOP) as context:
        page = context.new_page()
        if script:
            page.add_init_script(script)
        page.goto(f"{url}/watch")
        yield page


@pytest.mark.parametrize("script", ["", NO_HLS_OF_ITS_OWN], ids=["as it is", "hls.js"])
def test_the_film_plays_in_the_room_next_door(browser: Browser, house: House, script: str) -> None:
    with streaming(house), house.served() as server, next_door(browser, server.url, script) as page:
        wait_for(lambda: film(page)["at"] > 1, 30)
        assert plays_on(page)
        assert film(page)["width"] == 640
        expect(page.locator("[data-said]:visible")).to_have_count(0)
        page.screenshot(path=PICTURES / f"watch{'-hls' if script else ''}.png")
        page.get_by_role("button", name="Sound on").click()
        assert page.evaluate("document.querySelector('video').muted") is False
        assert plays_on(page)


@pytest.mark.slow
def test_the_room_next_door_waits_for_the_stream_and_survives_its_troubles(browser: Browser, house: House) -> None:
    with house.served() as server, next_door(browser, server.url) as page:
        expect(page.get_by_text("The stream has not begun yet.")).to_be_visible()
        assert page.get_by_text("The stream has not begun yet.").evaluate(IS_ON_TOP)
        page.screenshot(path=PICTURES / "watch-waiting.png")
        with streaming(house) as director:
            wait_for(lambda: film(page)["at"] > 1, 30)
            os.kill(director.pids["preview"], signal.SIGKILL)
            wait_for(lambda: "preview" in director.pids and (house.preview_folder / PICTURE).exists(), 15)
            assert plays_on(page, 6)
            director.stop()
            expect(page.get_by_text("The stream is interrupted.")).to_be_visible(timeout=30_000)
            assert page.get_by_text("The stream is interrupted.").evaluate(IS_ON_TOP)
            page.screenshot(path=PICTURES / "watch-lost.png")
            director.start()
            wait_for(lambda: film(page)["at"] > 1, 40)
