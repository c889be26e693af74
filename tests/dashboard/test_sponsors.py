"""Sponsors on the screen at the door: the slates' own logos, and nothing else of that folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from dashboard_browser import watched
from dashboard_house import House
from PIL import Image
from playwright.sync_api import Browser, expect

from kiosk.news import DoorState


@pytest.fixture
def folder(house: House) -> Path:
    sponsors = house.preview_folder.parents[1] / "look" / "sponsors"
    sponsors.mkdir(parents=True)
    for number, name in enumerate(("Acme & co.png", "Ünïversité.jpg")):
        Image.new("RGB", (60, 20), ("navy", "green")[number]).save(sponsors / name)
    (sponsors / "notes.txt").write_text("who pays what")
    (sponsors / "empty.png").touch()
    (sponsors / "huge.png").write_bytes(bytes(2_000_001))
    (sponsors.parent / "look.toml").write_text('association = "secret"')
    return sponsors


def test_logos_are_shown_by_name_and_nothing_else_is_handed_out(house: House, folder: Path) -> None:
    zoe = house.somebody("Zoë", "door")
    page = zoe.get("/screen").text
    assert "Thanks to" in page
    assert 'src="/screen/sponsors/Acme%20&amp;%20co.png" alt="Acme &amp; co"' in page
    assert "huge.png" not in page and "empty.png" not in page and "notes" not in page
    answer = zoe.get("/screen/sponsors/Acme & co.png")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for name in ("notes.txt", "huge.png", "empty.png", "..%2flook.toml", "../look.toml", ".hidden.png", "none.png"):
        assert zoe.get(f"/screen/sponsors/{name}").status_code == 404, name


def test_a_link_out_of_the_folder_is_followed_no_further_than_a_picture(house: House, folder: Path) -> None:
    (folder / "passwd.png").symlink_to("/etc/passwd")
    answer = house.somebody("Zoë", "door").get("/screen/sponsors/passwd.png")
    assert answer.status_code == 404


def test_without_sponsors_nobody_is_thanked(house: House) -> None:
    page = house.somebody("Zoë", "door").get("/screen").text
    assert "Thanks to" not in page and "sponsors.js" not in page


def test_one_logo_after_the_other_and_none_beside_an_answer(browser: Browser, house: House, folder: Path) -> None:
    (folder / "zz-torn.png").write_bytes(b"no picture")
    house.news.say(DoorState(gate="main", camera="ok"))
    size = {"width": 1280, "height": 720}
    with house.served() as server, watched(browser, server.url, viewport=size) as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{server.url}/screen")
        shown = page.locator(".sponsors img:visible")
        expect(shown).to_have_count(1)
        seen = set()
        for _ in range(6):
            seen.add(shown.get_attribute("alt"))
            page.clock.run_for(6100)
            house.news.say(DoorState(gate="main", camera="ok"))
        assert seen == {"Acme & co", "Ünïversité"}
        page.evaluate("document.body.dataset.mode = 'answer'")
        expect(page.locator(".sponsors")).to_be_hidden()
