"""axe-core finds nothing on any page, in any state of an evening, in both languages and both themes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from dashboard_browser import PHONE, go_to, log_in_at, watched
from dashboard_house import PIN, House
from language_stage import CHECKED, STREAM, fill
from playwright.sync_api import Browser, Page

from stream.health import StreamState

LOCALES = {"en": "en-GB", "fr": "fr-FR"}
# Pages by their endpoint: where, and in which state of the stream.
PAGES: dict[str, tuple[tuple[str, StreamState], ...]] = {
    "home": (("/", STREAM), ("/", CHECKED)),
    "stream": (("/stream", STREAM), ("/stream", CHECKED)),
    "door": (("/door", STREAM), ("/door?q=jean", STREAM), ("/door?q=zzz", STREAM)),
    "door_scan": (("/door/scan", STREAM),),
    "ticket_list": (("/tickets", STREAM), ("/tickets?q=zzz", STREAM)),
    "ticket": (("/tickets/1", STREAM), ("/tickets/3", STREAM)),
    "tickets_paper": (("/tickets/paper", STREAM),),
    "confirm_forget": (("/tickets/forget", STREAM),),
    "pretix": (("/tickets/pretix", STREAM), ("/tickets/pretix?choose=1", STREAM)),
    "confirm_pretix_leave": (("/tickets/pretix/leave", STREAM),),
    "talks": (("/talks", STREAM),),
    "add_talk": (("/talks/add", STREAM),),
    "edit_talk": (("/talks/edit/t1", STREAM),),
    "people": (("/people", STREAM),),
    "system": (("/system", STREAM), ("/system?log=1", STREAM)),
    "confirm_off": (("/system/off", STREAM),),
    "confirm_anew": (("/system/anew", STREAM),),
    "confirm_program": (("/system/program/door", STREAM),),
    "backups": (("/backups", STREAM),),
    "changes": (("/changes", STREAM),),
    "report": (("/report", STREAM),),
    "own_pin": (("/own-pin", STREAM),),
    "confirm_stop": (("/stream/stop", STREAM),),
    "confirm_release": (("/door/release", STREAM),),
    "screen": (("/screen", STREAM),),
    "watch": (("/watch", STREAM),),
}
# Pages of strangers, and what is no page.
STRANGERS = ("/login", "/privacy", "/first/{token}", "/first/used-up", "/nowhere")
NO_PAGES = frozenset(
    {
        *("static", "healthz", "login", "first_use", "language", "privacy"),
        *("events", "screen_events", "preview_picture", "watch_playlist", "watch_segment", "metrics", "screen_sponsor"),
        *("report_pdf", "report_csv", "report_json", "tickets_paper_pdf", "ticket_print"),
    }
)


def full_house(make_house: Callable[..., House], tmp_path: Path) -> House:
    house = make_house(reads_ledger=True)
    fill(house, tmp_path)
    return house


def complaints(page: Page) -> list[str]:
    """What axe-core says of the page as it is now, in short."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {', '.join(' '.join(node['target']) for node in each['nodes'])[:300]}"
        for each in found
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LOCALES)
def test_axe_finds_nothing_on_any_page(
    browser: Browser, make_house: Callable[..., House], tmp_path: Path, language: str, scheme: str
) -> None:
    house = full_house(make_house, tmp_path)
    house.choose(PIN)
    token = house.access.invitations.make("door", house.access.people.all()[0].id)[0]
    options = {"viewport": PHONE, "locale": LOCALES[language], "color_scheme": scheme}
    found: dict[str, list[str]] = {}
    with house.served() as server, watched(browser, server.url, **options) as context:
        page = context.new_page()
        for path in STRANGERS:
            page.goto(server.url + path.format(token=token))
            found[path] = complaints(page)
        log_in_at(page, house, server.url)
        for pages in PAGES.values():
            for path, state in pages:
                house.news.say(state)
                go_to(page, server.url + path)
                page.locator("body").wait_for()
                for summary in page.locator("summary").all():
                    summary.click()
                found[f"{path} {state.order}"] = complaints(page)
    assert {path: said for path, said in found.items() if said} == {}


def test_no_page_is_left_out(house: House) -> None:
    gets = {rule.endpoint for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert gets - NO_PAGES - {each for each in gets if each.startswith("api.")} == set(PAGES)


def test_axe_would_complain(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content('<img src="x.png"><p style="color:#999;background:#fff">Faint</p>')
    assert any(said.startswith("image-alt (critical)") for said in complaints(page))
    page.close()
