"""Switching off, starting anew, the log and the file for support: for organizers, each asked once more and noted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from api_stage import Program, problem
from dashboard_browser import PHONE, PICTURES, logged_in
from dashboard_house import House, token_on
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from werkzeug.test import TestResponse

from hardware.board import Board, Power
from hardware.checks import Check, power_checks
from hardware.units import LogLine, Unit, unit_check
from kiosk.dashboard.told import known
from kiosk.dashboard.upkeep import NOTED
from kiosk.news import DoorState
from stream.health import StreamState


class WeakPi(Board):
    """Warm, on a poor supply."""

    def temperature_c(self) -> float | None:
        return 61.0

    def power(self) -> Power | None:
        return Power(is_under_voltage=False, is_throttled=False, was_under_voltage=True, was_throttled=False)


AT = datetime(2026, 11, 24, 19, 5, 2, tzinfo=UTC)


@pytest.fixture
def ada(house: House) -> FlaskClient:
    return house.somebody("Ada", "organizer")


def press(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    return client.post(path, data={"csrf_token": token_on(client, "/system"), **fields})


@pytest.mark.parametrize(
    ("path", "fields", "done", "noted"),
    [
        ("/system/off", {}, "off", "System: the machine is switched off"),
        ("/system/anew", {}, "anew", "System: the machine is restarted"),
        ("/system/program", {"program": "door"}, "door", "System: the door's program is restarted"),
        ("/system/program", {"program": "stream"}, "stream", "System: the stream's program is restarted"),
        ("/system/program", {"program": "dashboard"}, "dashboard", "System: the dashboard is restarted"),
    ],
)
def test_one_press_behind_a_question_does_it_and_stands_in_the_list(
    house: House, ada: FlaskClient, path: str, fields: dict[str, str], done: str, noted: str
) -> None:
    answer = press(ada, path, **fields)
    assert answer.status_code == 200 and house.power.done == [done]
    assert house.noted()[0].what == noted


def test_whoever_switches_off_reads_how_to_come_back(ada: FlaskClient) -> None:
    assert "pull its plug and put it back" in ada.get("/system/off").text
    assert "pull its plug and put it back" in press(ada, "/system/off").text


def test_the_question_says_what_would_happen_as_things_stand(house: House, ada: FlaskClient) -> None:
    page = ada.get("/system/off").text
    assert "paper list" in page and "The stream ends" not in page and "ten minutes" not in page
    house.news.say(StreamState(order="live"))
    house.book.scan(None)
    house.clock.advance(1200)
    for _ in range(3):
        house.book.scan(None)
    house.news.say(StreamState(order="live"))
    house.live.renew()
    page = ada.get("/system/off").text
    assert "The stream ends for everyone who watches." in page
    assert "3 people came in during the last ten minutes." in page
    assert "goes on by itself" in ada.get("/system/program/stream").text


def test_nothing_else_is_started_anew(house: House, ada: FlaskClient) -> None:
    for stranger in ("", "ssh", "../door", "door.service", "x" * 500):
        press(ada, "/system/program", program=stranger)
        assert house.noted()[0].outcome == "refused"
    assert house.power.done == []
    assert ada.get("/system/program/ssh").status_code == 404


def test_where_it_cannot_be_done_that_is_said_and_there_is_no_button(house: House, ada: FlaskClient) -> None:
    house.power.cause = "This dashboard was started by hand, not by systemd: it switches nothing."
    page = ada.get("/system").text
    assert house.power.cause in page and 'href="/system/off"' not in page
    page = ada.get("/system/off").text
    assert house.power.cause in page and "Yes, switch it off" not in page
    answer = press(ada, "/system/off")
    assert answer.location == "/system"
    assert "Not done: This dashboard was started by hand" in ada.get("/system").text
    assert house.noted()[0].why == house.power.cause


@pytest.mark.parametrize("role", ["viewer", "door"])
def test_only_organizers_switch_read_the_log_or_take_the_file(house: House, role: str) -> None:
    house.log_lines.append(LogLine(AT, "door", "event=scan outcome=admitted"))
    zoe = house.somebody("Zoë", role)  # type: ignore[arg-type]
    token = token_on(zoe, "/")
    for path in ("/system/off", "/system/anew", "/system/program", "/system/support"):
        assert zoe.post(path, data={"csrf_token": token, "program": "door"}).status_code == 403
    for path in ("/system/off", "/system/anew", "/system/program/door"):
        assert zoe.get(path).status_code == 403
    page = zoe.get("/system?log=1").text
    assert "event=scan" not in page and "/system/off" not in page
    assert house.power.done == []


def test_a_press_from_elsewhere_switches_nothing(house: House, ada: FlaskClient) -> None:
    assert ada.post("/system/off").status_code == 400
    assert ada.get("/system/support").status_code == 405
    assert house.power.done == []


def test_the_log_is_read_when_somebody_wants_it_newest_first(house: House, ada: FlaskClient) -> None:
    house.log_lines += [LogLine(AT, "door", "event=first"), LogLine(AT + timedelta(seconds=9), "stream", "<b>second")]
    assert "event=first" not in ada.get("/system").text
    page = ada.get("/system?log=1").text
    assert page.index("&lt;b&gt;second") < page.index("event=first")
    assert "2026-11-24 20:05:02" in page, "in the venue's own time"


def test_the_file_is_taken_away_by_a_press_and_noted(house: House, ada: FlaskClient) -> None:
    answer = press(ada, "/system/support")
    assert answer.data == b"PK of support" and answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=platypus-support-2026-11-24-")
    assert house.noted()[0].what == "System: a file for support was downloaded"


def test_programs_see_the_machine_and_switch_it_as_people_do(house: House) -> None:
    house.machine.checks = (Check("disk", "ok", "12.0 GB free"),)
    organizer, door = Program(house, "organizer"), Program(house, "door", "Other")
    assert door.get("/system").get_json()["checks"][0]["says"] == "12.0 GB free"
    problem(Program(house, "viewer", "Third").get("/system"), 403, "not_for_role")
    for path in ("/system/off", "/system/anew"):
        problem(door.post(path), 403, "not_for_role")
    assert organizer.post("/system/anew").get_json() == {"said": "the machine is restarted"}
    assert house.noted()[0].what == "System: the machine is restarted"
    organizer.post("/system/program", {"program": "stream"})
    problem(organizer.post("/system/program", {"program": "ssh"}), 422, "invalid")
    assert house.power.done == ["anew", "stream"]
    house.power.cause = "This dashboard was started by hand, not by systemd: it switches nothing."
    assert problem(organizer.post("/system/off"), 409, "power") == house.power.cause


def test_what_the_list_of_changes_says_of_it_is_known_in_every_language() -> None:
    assert [said for said in NOTED.values() if known(f"System: {said}") is None or known(said) is None] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_organizer_at_a_phone_restarts_the_machine(browser: Browser, house: House, scheme: str) -> None:
    house.news.say(DoorState(gate="main", camera="ok"))
    house.news.say(StreamState(order="live"))
    house.machine.checks = (
        *power_checks(WeakPi()),
        Check("disk", "ok", "21.2 GB free at /var/lib/platypus: 18 hours of recording"),
        Check("memory", "ok", "2.6 of 4.0 GB of memory free"),
        Check("door camera", "ok", "seen: imx708_wide"),
        Check("platypus-door", "ok", "running since 2026-11-24 19:02"),
        unit_check(Unit("platypus-stream", "failed", "failed", "exit-code", 5, "")),
        Check(
            "versions", "ok", "Platypus 0.1.0, Python 3.11.2, Debian GNU/Linux 12 (bookworm), kernel 6.12.25+rpt-rpi-v8"
        ),
        Check("network", "ok", "connected by eth0, address 192.0.2.7"),
        Check("way to youtube", "ok", "it answers: a.rtmps.youtube.com"),
    )
    house.log_lines += [
        LogLine(AT + timedelta(seconds=n), "door", f"INFO kiosk.door.loop event=scan outcome=admitted row={n}")
        for n in range(30)
    ]
    with house.served() as server, logged_in(browser, server, house, color_scheme=scheme) as page:
        page.goto(f"{server.url}/system")
        page.screenshot(path=PICTURES / f"system-{scheme}.png", full_page=True)
        page.get_by_role("link", name="Show the log").click()
        expect(page.get_by_text("row=29")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.screenshot(path=PICTURES / f"system-log-{scheme}.png", full_page=True)
        page.get_by_role("link", name="Restart the machine").click()
        expect(page.get_by_text("The stream breaks off, and goes on by itself.")).to_be_visible()
        page.screenshot(path=PICTURES / f"system-anew-{scheme}.png", full_page=True)
        page.get_by_role("button", name="Yes, restart it").click()
        expect(page.get_by_role("heading", name="The machine restarts")).to_be_visible()
        page.screenshot(path=PICTURES / f"system-restarts-{scheme}.png", full_page=True)
    assert house.power.done == ["anew"]
