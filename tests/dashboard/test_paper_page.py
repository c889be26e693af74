"""The page of the paper list: printed, and its ticks typed back in with a phone; and the same for programs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from api_stage import Program, issue
from dashboard_browser import PICTURES, log_in_at, watched
from dashboard_house import House, token_on
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from werkzeug.test import TestResponse

from kiosk.dashboard import paper_words, views
from kiosk.dashboard.language import speaking
from kiosk.ledger import Hand, NewTicket, Presentation
from kiosk.ledger.audit import audit
from kiosk.ledger.ticket_book import TicketBook
from kiosk.paper_list import PaperList
from kiosk.tickets.codes import digest
from kiosk.tickets.line_numbers import line_number
from kiosk.tickets.status import Status

PAGE = "/tickets/paper"
PARIS = ZoneInfo("Europe/Paris")
STARTS = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # seven in the evening at the venue


@pytest.fixture
def night(house: House) -> House:
    """Five tickets after an evening: one was scanned before the Pi died, one is not paid, one revoked."""
    house.clock.jump_to(STARTS + timedelta(minutes=2))
    issue(house, "Zoë Ødegård", "Ada Lovelace")
    issue(house, "Jean Dupont", guests=3)
    issue(house, "Kofi Jeannot", status=Status.UNPAID)
    issue(house, "أمينة حداد", status=Status.REVOKED)
    house.ledger.admit(
        house.evening, Presentation(b"Zo\xc3\xab \xc3\x98deg\xc3\xa5rd", "n", "side", "camera", house.clock.stamp())
    )
    house.clock.advance(4 * 3600)
    return house


def line(house: House, number: int) -> str:
    return line_number(house.evening.id, number)


def press(phone: FlaskClient, name: str, **fields: object) -> TestResponse:
    return phone.post(f"{PAGE}/{name}", data={"csrf_token": token_on(phone, PAGE), **fields})


def text_of(page: TestResponse) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


def test_it_is_seen_before_it_is_done(night: House) -> None:
    phone = night.somebody("Dora", "door")
    mistyped = f"2-{(int(line(night, 2)[-1]) + 1) % 10}"
    typed = f"{line(night, 1)} {line(night, 2)} 19:05 {line(night, 3)} x2 {line(night, 4)} {mistyped}"
    seen = press(phone, "look", ticks=typed, walk_ins="2", at="19:10")
    said = text_of(seen)
    assert seen.status_code == 200 and night.ledger.occupancy(night.evening).inside == 1
    for words in (
        "Already in since 19:02 (side): nothing changes",
        "Ada Lovelace",
        "Comes in, at 19:05",
        "Comes in, at 19:10 · 2 people",
        "Not taken: not paid",
        "is mistyped: its last digit does not fit",
        "2 walk-ins come in",
        "6 of 6 inside.",
    ):
        assert words in said, words
    taken = press(phone, "take", ticks=typed, walk_ins="2", at="19:10", did_get_in=line(night, 4))
    said = text_of(taken)
    assert "Came in at 19:05" in said and "though not paid: noted as against the rules" in said
    assert "7 inside: 1 more than the 6 seats" in said
    assert night.ledger.occupancy(night.evening).inside == 7 and audit(night.ledger) == []
    left = re.findall(r"<textarea[^>]*>([^<]*)", taken.text)
    assert left == [mistyped], "what was not understood stays in the field"
    again = text_of(press(phone, "take", ticks=typed, walk_ins="2", at="19:10", did_get_in=line(night, 4)))
    assert again.count("Typed before: nothing changes") == 3 and "2 were counted before, nothing changes" in again
    assert night.ledger.occupancy(night.evening).inside == 7


def test_history_and_report_say_that_it_came_from_the_paper(night: House) -> None:
    organizer = night.somebody("Ada", "organizer")
    press(organizer, "take", ticks=line(night, 2), gate="side door")
    (row,) = night.ledger.recent_scans(night.evening, 1)
    assert row.gate == "paper side door" and "from the paper" in views.line(row, PARIS).note
    assert not views.is_for_screen(row), "no guest is greeted hours after they came"
    assert re.search(r"Paper</th><td>1</td>", organizer.get("/report").text)


def test_the_list_of_changes_tells_it_without_names(night: House) -> None:
    phone = night.somebody("Dora", "door")
    press(phone, "look", ticks=f"{line(night, 2)} nonsense")
    press(phone, "take", ticks=f"{line(night, 2)} nonsense", walk_ins="1")
    what = [each.what for each in night.noted()]
    assert what[:2] == [
        "Tickets: the paper was typed in: people by tickets 1, without 1, not understood 1",
        "Tickets: 1 ticks of the paper were looked at",
    ]


def test_the_sheet_has_the_date_and_what_is_to_be_known_of_each_ticket(night: House) -> None:
    night.clock.is_trusted = False
    book = TicketBook(night.ledger, night.evening)
    heir = book.replace(issue_own(night), lambda number: digest(b"heir %d" % number)).number
    facts = PaperList(night.ledger, night.evening).facts(night.clock.stamp())
    sheet = paper_words.sheet(facts, PARIS)
    assert sheet.about == "Tuesday 24 November 2026, 19:00 · 6 seats · 7 tickets" and "clock not sure" in sheet.made
    lines = {each.name: (each.state, each.persons, each.is_in, each.is_struck) for each in sheet.lines if each.letter}
    assert lines == {
        "Dupont, Jean": ("", "\N{MULTIPLICATION SIGN}4", False, False),
        "Jeannot, Kofi": ("not paid", "", False, False),
        "Lovelace, Ada": ("", "", False, False),
        "Ødegård, Zoë": ("in since 19:02", "", True, False),
        "حداد, أمينة": ("revoked", "", False, True),
    }
    assert [each.state for each in sheet.lines if not each.letter] == [f"now {line(night, heir)}", ""]
    with speaking("fr"):
        assert paper_words.sheet(facts, PARIS).about.startswith("mardi 24 novembre 2026")


def issue_own(house: House) -> int:
    """A ticket of our own, of nobody."""
    house.ledger.put_tickets(house.evening, [NewTicket(0, digest(b"own"), is_own=True)])
    return house.ledger.tickets(house.evening)[-1].number


def test_viewers_have_no_paper(night: House) -> None:
    phone = night.somebody("Vera", "viewer")
    for path in (PAGE, f"{PAGE}.pdf"):
        assert phone.get(path).status_code == 403
    assert PAGE not in phone.get("/").text
    assert f'href="{PAGE}"' in night.somebody("Dora", "door").get("/door").text
    assert f'href="{PAGE}"' in night.somebody("Ada", "organizer").get("/tickets").text
    assert 'href="/tickets"' not in night.somebody("Dora", "door").get(PAGE).text


def test_the_paper_is_a_file_for_who_is_at_the_door(night: House) -> None:
    answer = night.somebody("Dora", "door").get(f"{PAGE}.pdf")
    assert answer.status_code == 200 and answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"] == "attachment; filename=evening-paper.pdf"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_speaks_french(night: House) -> None:
    phone = night.somebody("Dora", "door")
    phone.get("/language/fr")
    assert 'lang="fr"' in phone.get(PAGE).text
    assert press(phone, "look", ticks=f"{line(night, 2)} {line(night, 4)} x 25:00", walk_ins="1").status_code == 200
    assert phone.get(f"{PAGE}.pdf").data.startswith(b"%PDF-")


@pytest.mark.parametrize("field", [{"walk_ins": "-1"}, {"walk_ins": "9999"}, {"at": "25:00"}, {"day": "tomorrow"}])
def test_what_no_form_of_ours_sends_is_refused(night: House, field: dict[str, str]) -> None:
    phone = night.somebody("Dora", "door")
    assert press(phone, "take", ticks=line(night, 2), **field).status_code == 400
    assert night.ledger.occupancy(night.evening).inside == 1


def test_nothing_typed_is_nothing_done(night: House) -> None:
    phone = night.somebody("Dora", "door")
    assert "Nothing was typed." in text_of(press(phone, "look", ticks="  "))
    assert press(phone, "look").status_code == 200


def test_a_ledger_that_cannot_be_read_is_said_and_what_was_typed_stays(night: House) -> None:
    phone = night.somebody("Dora", "door")
    token = token_on(phone, PAGE)
    night.ledger.database._engine.dispose()
    night.ledger.database.path.write_bytes(b"no database" * 100)
    answer = phone.post(f"{PAGE}/take", data={"csrf_token": token, "ticks": "12-4 13-7"})
    assert answer.status_code == 503 and "Not done" in answer.text and "12-4 13-7" in answer.text
    assert phone.get(f"{PAGE}.pdf").status_code == 503


def test_a_program_types_the_paper_in_too(night: House) -> None:
    program = Program(night, "door")
    sent = {"ticks": f"{line(night, 2)} 19:05 {line(night, 4)} xyz", "walk_ins": 1, "gate": "main"}
    seen = program.post("/paper/look", sent).get_json()
    assert night.ledger.occupancy(night.evening).inside == 1
    assert [(each["line"], each["fate"], each["reason"]) for each in seen["ticks"]] == [
        (line(night, 2), "enters", None),
        (line(night, 4), "refused", "unpaid"),
    ]
    assert seen["wrong"] == [{"word": "xyz", "why": "no_number", "other": ""}]
    assert seen["ticks"][0]["at"] == "2026-11-24T19:05:00+01:00" and seen["inside"] == 3
    forced = {**sent, "did_get_in": [line(night, 4)]}
    assert program.post("/paper/take", forced).get_json()["inside"] == 4
    again = program.post("/paper/take", forced).get_json()
    assert (again["inside"], again["walk_ins"], again["walk_ins_before"]) == (4, 0, 1)
    assert {each["fate"] for each in again["ticks"]} == {"typed_before"}
    wrong = f"4-{(int(line(night, 4)[-1]) + 1) % 10}"
    mistyped = program.post("/paper/take", {**sent, "did_get_in": [wrong]}).get_json()["wrong"]
    assert mistyped[1] == {"word": wrong, "why": "wrong_check", "other": ""}
    what = night.noted()[1].what
    assert what == "Tickets: the paper was typed in: people by tickets 0, without 0, not understood 1"


def test_undoing_a_tick_is_a_press_at_the_door(night: House) -> None:
    phone = night.somebody("Dora", "door")
    press(phone, "take", ticks=line(night, 2))
    (row,) = night.ledger.recent_scans(night.evening, 1)
    night.ledger.undo(night.evening, row.scan_id, Hand("Dora", "u", "desk", night.clock.stamp()))
    assert "Typed before" in text_of(press(phone, "look", ticks=line(night, 2)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_with_a_phone_it_is_typed_seen_and_taken(browser: Browser, night: House, scheme: str) -> None:
    with night.served() as server:
        for width in (390, 320):
            options = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
            with watched(browser, server.url, **options) as context:
                page = context.new_page()
                log_in_at(page, night, server.url)
                page.goto(f"{server.url}{PAGE}")
                page.screenshot(path=PICTURES / f"paper-{scheme}-{width}.png", full_page=True)
                typed = " ".join(line(night, number) for number in (1, 2, 3, 4, 5))
                page.get_by_label("Numbers of the paper").fill(f"{typed} 19:05 77-0 hello")
                page.get_by_label("Walk-ins").fill("3")
                page.get_by_role("button", name="Look at them").click()
                page.get_by_label("They did get in").first.check()
                page.screenshot(path=PICTURES / f"paper-look-{scheme}-{width}.png", full_page=True)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                page.get_by_role("button", name="Take the right ones").click()
                page.get_by_text("What was done").wait_for()
                page.screenshot(path=PICTURES / f"paper-take-{scheme}-{width}.png", full_page=True)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert night.ledger.occupancy(night.evening).inside == 11, "a refused one more each time"
    assert audit(night.ledger) == []
