"""The page of the talks as an organizer meets it: on a phone, with one thumb, with and without scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dashboard_browser import PHONE, PICTURES, log_in, logged_in, watched
from dashboard_house import PIN, House
from playwright.sync_api import Browser, Locator, Page, Route, expect
from talks_stage import ARABIC, EVENING, LONG, SEVEN, Stage

from hardware.clock import ManualClock
from kiosk.news import StreamCommand

ANSWER_MS = 300
OTHER = {
    "schedule": {
        "conference": {
            "title": "December",
            "days": [
                {"rooms": {"Stage": [{"title": "New", "date": "2026-12-01T19:00:00+01:00", "duration": "00:20"}]}}
            ],
        }
    }
}


@pytest.fixture
def stage(make_house: Callable[..., House], tmp_path: Path) -> Stage:
    return Stage(make_house(clock=ManualClock(SEVEN.replace(minute=3)), beat_s=0.2), tmp_path)


@contextmanager
def at_the_talks(browser: Browser, stage: Stage, **options: Any) -> Iterator[Page]:
    with stage.house.served() as server, logged_in(browser, server, stage.house, **options) as page:
        page.get_by_role("link", name="Stream", exact=True).click()
        page.get_by_role("link", name="All talks").click()
        expect(page.locator("body.is-live")).to_be_visible()
        yield page


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("listitem", name=title)


def state(page: Page, title: str) -> Locator:
    return row(page, title).locator(".state")


def timed(page: Page, button: Locator) -> int:
    """Milliseconds from a press until its answer stands on the page."""
    page.evaluate(
        """() => {
            window.took = new Promise((done) => {
                let begun = 0;
                const begin = () => { begun = performance.now(); };
                document.addEventListener("submit", begin, { once: true, capture: true });
                const look = new MutationObserver(() => { look.disconnect(); done(performance.now() - begun); });
                look.observe(document.getElementById("said"), { childList: true });
            });
        }"""
    )
    button.click()
    return round(page.evaluate("window.took"))


def test_an_evening_with_one_thumb(browser: Browser, stage: Stage) -> None:
    with at_the_talks(browser, stage) as page:
        page.evaluate("window.notReloaded = true")
        said = page.locator("#said")
        expect(state(page, "Welcome")).to_have_text("On stage, by the clock")
        page.screenshot(path=PICTURES / "talks-before.png", full_page=True)
        for do in ("go_live", "next_talk"):
            stage.obey(StreamCommand(do=do))  # type: ignore[arg-type]  # as on the other page
        expect(state(page, "Welcome")).to_have_text("On stage")
        stage.director.introduced()
        stage.say()
        took_ms = {}

        took_ms["stage"] = timed(page, row(page, ARABIC).get_by_role("button", name="Put on stage now"))
        expect(said).to_contain_text(f"On stage: {ARABIC}")
        expect(state(page, ARABIC)).to_have_text("On stage")
        page.screenshot(path=PICTURES / "talks-stage.png")
        took_ms["undo-stage"] = timed(page, said.get_by_role("button", name="Undo"))
        expect(state(page, "Welcome")).to_have_text("On stage")

        took_ms["next"] = timed(page, row(page, "Goodbye").get_by_role("button", name="Make it the next"))
        expect(state(page, "Goodbye")).to_have_text("Next")
        assert stage.director.state().program == "camera"

        row(page, "Goodbye").locator("summary").click()
        took_ms["up"] = timed(page, row(page, "Goodbye").get_by_role("button", name="Up"))
        expect(row(page, "Goodbye").get_by_role("button", name="Up")).to_be_visible()
        assert stage.ids()[-2:] == ["t5", "t4"]
        page.screenshot(path=PICTURES / "talks-open.png", full_page=True)
        took_ms["down"] = timed(page, row(page, "Goodbye").get_by_role("button", name="Down"))
        assert stage.file.read() == EVENING
        took_ms["remove"] = timed(page, row(page, "Goodbye").get_by_role("button", name="Remove"))
        expect(row(page, "Goodbye")).to_have_count(0)
        took_ms["undo"] = timed(page, page.get_by_role("button", name="Undo the last change"))
        expect(row(page, "Goodbye")).to_have_count(1)
        assert page.evaluate("window.notReloaded")
    print("milliseconds from a press to its answer:", took_ms)
    assert max(took_ms.values()) < ANSWER_MS


def test_a_talk_is_typed_and_edited(browser: Browser, stage: Stage) -> None:
    with at_the_talks(browser, stage) as page:
        page.get_by_role("link", name="Add a talk").click()
        expect(page.get_by_label("Starts")).to_have_value("2026-11-24T20:00")
        page.get_by_label("Title").fill("Größenwahn & <i>Schnabeltiere</i> 🦆")
        page.get_by_label("Speakers").fill("Zoë")
        page.get_by_label("Starts").fill("2026-11-24T19:05")
        page.screenshot(path=PICTURES / "talk-add.png", full_page=True)
        page.get_by_role("button", name="Add").click()
        added = row(page, "Größenwahn & <i>Schnabeltiere</i> 🦆")
        expect(added).to_contain_text("19:05")
        assert stage.titles()[1] == "Größenwahn & <i>Schnabeltiere</i> 🦆"
        added.locator("summary").click()
        added.get_by_role("link", name="Edit").click()
        page.get_by_label("Minutes").fill("soon")
        page.get_by_label("The speaker does not want to be recorded").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("is not a duration")
        page.screenshot(path=PICTURES / "talk-mistake.png", full_page=True)
        page.get_by_label("Minutes").fill("1h30")
        page.get_by_role("button", name="Save").click()
        expect(added).to_contain_text("90 min")
        expect(added).to_contain_text("Do not record")


def test_a_file_from_the_phone_and_back_again(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    good, bad, large = tmp_path / "schedule.json", tmp_path / "talks.csv", tmp_path / "film.mp4"
    good.write_text(json.dumps({**OTHER, "abstracts": "x" * 1_900_000}), encoding="utf-8")
    bad.write_text("title,start\nA,25:00\nB,soon\nC,2026-12-01 19:00\n", encoding="utf-8")
    large.write_bytes(b"\0" * 2_000_001)
    with at_the_talks(browser, stage) as page:
        said = page.locator("#said")
        page.get_by_label("schedule.json").set_input_files(large)
        page.get_by_role("button", name="Take these talks").click()
        expect(said).to_contain_text("more than 2 MB")
        page.get_by_label("schedule.json").set_input_files(bad)
        page.get_by_role("button", name="Take these talks").click()
        expect(said).to_contain_text("nothing was taken, mend these first")
        expect(said).to_contain_text("row 3: 'soon' is not a time")
        page.screenshot(path=PICTURES / "talks-bad-file.png")
        assert stage.file.read() == EVENING
        page.get_by_label("schedule.json").set_input_files(good)
        page.get_by_role("button", name="Take these talks").click()
        expect(said).to_contain_text("1 talk from schedule.json")
        expect(row(page, "New")).to_contain_text("19:00")
        page.screenshot(path=PICTURES / "talks-file.png", full_page=True)
        said.get_by_role("button", name="Undo").click()
        expect(row(page, "Goodbye")).to_be_visible()
        assert stage.file.read() == EVENING


def test_two_phones_see_each_other_s_changes_and_never_overwrite_them(browser: Browser, stage: Stage) -> None:
    with at_the_talks(browser, stage) as page:
        row(page, ARABIC).locator("summary").click()
        stage.obey(
            StreamCommand(do="replace_agenda", agenda=EVENING.remove("t1"), made_from=stage.desk.news().revision)
        )
        expect(page.locator(".talk")).to_have_count(5)
        expect(row(page, ARABIC).get_by_role("button", name="Up")).to_be_visible()

        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route("**/talks?part", hold)  # the news does not reach this phone any more
        stage.obey(
            StreamCommand(
                do="replace_agenda",
                agenda=stage.file.read().remove("t5"),
                made_from=stage.desk.news().revision,
            )
        )
        row(page, ARABIC).get_by_role("button", name="Up").click()
        expect(page.locator("#said")).to_contain_text("The agenda was changed meanwhile")
        expect(page.locator(".talk")).to_have_count(4)
        assert stage.ids() == ["t0", "t2", "t3", "t4"]
        for route in held:
            route.abort()


def test_a_stream_that_is_gone_leaves_the_talks_to_read(browser: Browser, stage: Stage) -> None:
    with at_the_talks(browser, stage) as page:
        stage.leave()
        expect(page.get_by_text("The talks can be read, not changed, until it is back.")).to_be_visible()
        expect(page.locator(".talk summary")).to_have_count(0)
        expect(page.get_by_role("button", name="Take these talks")).to_be_disabled()
        page.screenshot(path=PICTURES / "talks-gone.png")
        stage.say()
        expect(page.locator(".talk summary")).to_have_count(6)
        expect(page.get_by_role("button", name="Take these talks")).to_be_enabled()


def test_a_lost_answer_is_said(browser: Browser, stage: Stage) -> None:
    stage.obey(StreamCommand(do="start"))
    with at_the_talks(browser, stage) as page:
        page.route("**/talks/stage", lambda route: route.abort())
        button = row(page, "Goodbye").get_by_role("button", name="Put on stage now")
        button.click()
        expect(page.locator("#said")).to_contain_text("Look at the talks, then press again.")
        page.unroute("**/talks/stage")
        button.click()
        expect(state(page, "Goodbye")).to_have_text("On stage")


def test_nothing_sticks_out_of_a_small_phone_and_everything_is_large_enough_for_a_thumb(
    browser: Browser, stage: Stage
) -> None:
    stage.obey(StreamCommand(do="start"))
    with at_the_talks(browser, stage, color_scheme="dark") as page:
        page.set_viewport_size({"width": 320, "height": 640})
        for summary in page.locator("summary").all():
            summary.click()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 320
        sizes = page.evaluate(
            """[...document.querySelectorAll("main button, main a, main summary, main input:not([type=hidden])")]
               .filter((each) => each.checkVisibility())
               .map((each) => [each.textContent.trim() || each.id, each.getBoundingClientRect()])
               .filter(([, box]) => box.height < 44 || box.width < 44).map(([name]) => name)"""
        )
        assert sizes == []
        page.screenshot(path=PICTURES / "talks-small-dark.png", full_page=True)
        row(page, LONG[:500].strip()).get_by_role("link", name="Edit").click()
        page.screenshot(path=PICTURES / "talk-small-dark.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_without_scripts_every_press_works(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    stage.obey(StreamCommand(do="start"))
    stage.house.choose(PIN)
    good = tmp_path / "schedule.json"
    good.write_text(json.dumps(OTHER), encoding="utf-8")
    with (
        stage.house.served() as server,
        watched(browser, server.url, viewport=PHONE, java_script_enabled=False) as context,
    ):
        page = context.new_page()
        page.goto(server.url)
        log_in(page)
        page.get_by_role("link", name="Stream", exact=True).click()
        page.get_by_role("link", name="All talks").click()
        row(page, ARABIC).get_by_role("button", name="Put on stage now").click()
        expect(state(page, ARABIC)).to_have_text("On stage")
        row(page, "Goodbye").get_by_role("button", name="Make it the next").click()
        expect(state(page, "Goodbye")).to_have_text("Next")
        page.locator("#said").get_by_role("button", name="Undo").click()
        expect(state(page, "Goodbye")).to_have_count(0)
        for press in ("Up", "Down", "Remove"):
            row(page, "Goodbye").locator("summary").click()
            row(page, "Goodbye").get_by_role("button", name=press).click()
        expect(row(page, "Goodbye")).to_have_count(0)
        page.screenshot(path=PICTURES / "talks-no-scripts.png", full_page=True)
        page.get_by_label("schedule.json").set_input_files(good)
        page.get_by_role("button", name="Take these talks").click()
        assert stage.titles() == ["New"]
        page.get_by_role("button", name="Undo the last change").click()
        assert stage.ids() == ["t0", "t1", "t2", "t3", "t4"]
