"""The report of an evening: a page for organizers, and files that say the same."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dashboard_browser import PICTURES, log_in_at, watched
from dashboard_house import House
from playwright.sync_api import Browser

from kiosk.dashboard.language import speaking
from kiosk.dashboard.report_sheet import sheet
from kiosk.dashboard.report_view import report_view
from kiosk.ledger import GateMode, Hand, NewTicket, Presentation
from kiosk.ledger.report import Report, report
from kiosk.tickets.codes import digest

PARIS = ZoneInfo("Europe/Paris")
FORMS = ("/report.pdf", "/report.csv", "/report.json")
HOLDER = "Zoë Ødegård"
NOTES = ("vegan", "Vegan, speaker", "halal", None, None, None)


@pytest.fixture
def evening(house: House) -> House:
    """Sixty tickets, of which most come within the hour; some are refused, some have left."""
    names = itertools.chain([HOLDER], (f"Guest {number}" for number in itertools.count()))
    people = [
        NewTicket(0, digest(b"%d" % n), False, next(names), guests=n % 5 == 0, note=NOTES[n % len(NOTES)])
        for n in range(60)
    ]
    house.ledger.change_event(house.evening, capacity=80, fire_limit=90)
    house.ledger.put_tickets(house.evening, people)
    nonces = (f"{n:032x}" for n in itertools.count(1))

    def show(code: bytes, gate: str = "main", mode: GateMode = GateMode.ENTRY) -> None:
        shown = Presentation(code, next(nonces), gate, "camera", house.clock.stamp())
        house.ledger.admit(house.evening, shown, mode)

    for n in range(50):
        house.clock.advance(30 + (n - 25) ** 2 / 4)
        show(b"%d" % n, gate="phone BCD" if n % 7 == 0 else "main")
        if n % 12 == 3:
            show(b"somebody else's")
            show(b"%d" % n)
    house.ledger.release_no_shows(house.evening, hand(house, next(nonces)))
    house.ledger.walk_in(house.evening, hand(house, next(nonces)), name="Léa", persons=2)
    wrong = hand(house, next(nonces))
    house.ledger.correct(house.evening, 10, wrong)
    house.ledger.undo(house.evening, house.ledger.recent_scans(house.evening, 1)[0].scan_id, hand(house, next(nonces)))
    house.clock.advance(5400)
    for n in range(0, 44, 2):
        house.clock.advance(20)
        show(b"%d" % n, "exit", GateMode.EXIT)
    return house


def hand(house: House, nonce: str) -> Hand:
    house.clock.advance(1)
    return Hand("Ada (door) BCD", nonce, "desk", house.clock.stamp())


def told(house: House) -> Report:
    return report(house.ledger, house.evening, house.clock.stamp(), PARIS)


def test_the_page_shows_the_numbers(evening: House) -> None:
    page = unescape(evening.somebody("Ada", "organizer").get("/report").text)
    now = told(evening)
    assert f"<strong>{now.came + now.walk_ins}</strong>" in page
    for name, number in (("No-shows", now.no_shows), ("Guests (+1)", now.guests), ("Walk-ins", 2)):
        assert f"<dt>{name}</dt><dd>{number}</dd>" in page
    assert re.search(r"vegan</th><td>20</td>", page)
    assert f"{now.peak} at most, at" in page
    assert [now.refusals[each] for each in ("already_redeemed", "invalid")] == [4, 4]
    assert all(re.search(rf"{why}</th><td>4</td>", page) for why in ("Already used", "Unknown code"))


def test_no_form_names_anybody(evening: House) -> None:
    client = evening.somebody("Organa", "organizer")
    for path in ("/report", "/report.csv", "/report.json"):
        text = client.get(path).text
        assert not [name for name in (HOLDER, "Guest 1", "Léa", "BCD", "Ada") if name in text], path


@pytest.mark.parametrize("role", ["viewer", "door"])
@pytest.mark.parametrize("path", ["/report", *FORMS])
def test_it_is_for_organizers(house: House, role: str, path: str) -> None:
    assert house.somebody("Dora", role).get(path).status_code == 403  # type: ignore[arg-type]
    assert 'href="/report"' not in house.somebody("Dora", role).get("/").text  # type: ignore[arg-type]
    assert 'href="/report"' in house.somebody("Ada", "organizer").get("/").text


def test_the_files_say_the_same(evening: House) -> None:
    client = evening.somebody("Ada", "organizer")
    now = told(evening)
    answer = client.get("/report.json")
    assert answer.headers["Content-Disposition"] == "attachment; filename=evening-report.json"
    said = json.loads(answer.data)
    assert (said["came"], said["no_shows"], said["peak"]) == (now.came, now.no_shows, now.peak)
    rows = list(csv.reader(io.StringIO(client.get("/report.csv").data.decode("utf-8-sig"))))
    assert ["event", now.event, "came", str(now.came)] in rows
    assert client.get("/report.pdf").data.startswith(b"%PDF-")


def test_before_anybody_came_there_is_a_report_too(house: House) -> None:
    client = house.somebody("Ada", "organizer")
    assert "Nobody has come yet." in client.get("/report").text
    for path in FORMS:
        assert client.get(path).status_code == 200


def test_a_ledger_that_cannot_be_read_is_said(house: House) -> None:
    house.ledger.database._engine.dispose()
    path = house.ledger.database.path
    path.write_bytes(b"no database" * 100)
    client = house.somebody("Ada", "organizer")
    for each in ("/report", *FORMS):
        answer = client.get(each)
        assert answer.status_code == 503
        assert "failed" in answer.text, each


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


NAMES = (
    "Soirée de novembre",
    "Вечер докладов",
    "講演の夕べ",
    "أمسية المحاضرات",
    "ערב הרצאות",
    "शाम की बातें",
    "🦆 Talks 🦆",
    "\u202eback\u202c\x07\n\ttwo lines",
    "long " * 40,
    "é",
    "",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("font", ["there", "absent"])
def test_a_sheet_of_paper_takes_any_name_and_is_one_page(evening: House, tmp_path: Path, name: str, font: str) -> None:
    now = told(evening)._replace(event=name)
    options = {"font": tmp_path / "no.ttf"} if font == "absent" else {}
    for language in ("en", "fr"):
        with speaking(language):  # type: ignore[arg-type]
            made = sheet(report_view(now, PARIS), now, PARIS, **options)
        assert made.startswith(b"%PDF-") and pages_of(made) == 1


def test_a_sheet_of_any_evening_is_one_page(evening: House) -> None:
    now = told(evening)
    many = {f"note {number} " * 9: now.other_notes for number in range(300)}
    gates = {f"gate-{number}": next(iter(now.gates.values())) for number in range(40)}
    crowded = now._replace(notes=many, gates=gates, unsure=3, capacity=0)
    first = now.course[0]
    years = now._replace(course=[first._replace(at=datetime(2020, 1, 1, tzinfo=UTC)), *now.course[1:]])
    one = now._replace(course=now.course[:1], slices=now.slices[:1])
    for each in (crowded, years, one):
        assert pages_of(sheet(report_view(each, PARIS), each, PARIS)) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_it(browser: Browser, evening: House, scheme: str) -> None:
    with evening.served() as server:
        for width in (390, 360):
            options = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
            with watched(browser, server.url, **options) as context:
                page = context.new_page()
                log_in_at(page, evening, server.url)
                page.locator("a.more[href='/report']").click()
                page.locator("summary").click()
                page.screenshot(path=PICTURES / f"report-{scheme}-{width}.png", full_page=True)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                with page.expect_download() as download:
                    page.get_by_role("link", name="PDF").click()
                download.value.save_as(PICTURES / "report.pdf")
