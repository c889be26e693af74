"""The page of the system: how the machine is, and a wiring test that answers nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from dashboard_house import House, token_on, wait_for

from hardware.board import Board
from hardware.checks import Check
from hardware.clock import ManualClock
from kiosk.dashboard.machine import OLD_S, MachineWatch
from kiosk.news import DoorState, Reply


@pytest.fixture
def gates(house: House) -> House:
    house.news.say(DoorState(gate="main", camera="ok", panel="admitted"))
    house.news.say(DoorState(gate="side", camera="ok"))
    return house


def test_the_machine_is_told_in_words_with_what_to_do(gates: House) -> None:
    gates.machine.checks = (
        Check("temperature", "attention", "79 °C", "give it air: the firmware slows down from 80 °C"),
        Check("disk", "ok", "12.0 GB free at /var/lib/platypus"),
    )
    page = gates.somebody("Zoë", "door").get("/system").text
    assert "79 °C. Give it air" in page
    assert "12.0 GB free at /var/lib/platypus" in page
    assert "Green: admitted" in page and "Dark, waiting" in page


@pytest.mark.parametrize("part", ["lights", "counter", "strike"])
def test_a_part_of_one_gate_is_tried_by_one_press(gates: House, part: str) -> None:
    ada = gates.somebody("Ada", "organizer")
    data = {"csrf_token": token_on(ada, "/system"), "gate": "side"}
    assert ada.post(f"/system/try/{part}", data=data).location == "/system"
    assert gates.news.tried == [("side", part)]
    assert gates.noted()[0].what.startswith("System: ")


def test_a_gate_that_refuses_or_is_not_there_is_said(gates: House) -> None:
    ada = gates.somebody("Ada", "organizer")
    token = token_on(ada, "/system")
    gates.news.reply = Reply(ok=False, error="a guest is being answered at this gate: try again in a moment")
    answer = ada.post("/system/try/lights", data={"csrf_token": token, "gate": "main"}, follow_redirects=True)
    assert "Not done: a guest is being answered" in answer.text
    assert gates.noted()[0].why == "a guest is being answered at this gate: try again in a moment"
    gates.news.reply = None
    answer = ada.post("/system/try/lights", data={"csrf_token": token, "gate": "main"}, follow_redirects=True)
    assert "Not done: nobody answered" in answer.text
    for stranger in ("", "+/#", "../main", "x" * 500):
        answer = ada.post("/system/try/strike", data={"csrf_token": token, "gate": stranger}, follow_redirects=True)
        assert "There is no gate" in answer.text
    assert len(gates.news.tried) == 2, "what is not heard of is asked nothing"


def test_only_organizers_free_the_latch(gates: House) -> None:
    zoe = gates.somebody("Zoë", "door")
    assert 'action="/system/try/' not in zoe.get("/system").text
    data = {"csrf_token": token_on(zoe, "/system"), "gate": "main"}
    assert zoe.post("/system/try/strike", data=data).status_code == 403
    assert gates.somebody("Léa", "viewer").get("/system").status_code == 403
    assert gates.news.tried == []


def test_what_was_seen_too_long_ago_is_not_told(tmp_path: Path) -> None:
    clock = ManualClock()
    watch = MachineWatch(Board(), tmp_path, clock)
    assert watch.latest() == ()
    watch.look()
    assert [check.name for check in watch.latest() if check.name == "disk"] == ["disk"]
    clock.advance(OLD_S + 1)
    assert watch.latest() == ()


def test_a_board_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    class Hanging(Board):
        may_answer = threading.Event()

        def temperature_c(self) -> float | None:
            self.may_answer.wait()
            return 50.0

    board = Hanging()
    with MachineWatch(board, tmp_path, ManualClock()) as watch:
        assert watch.latest() == ()
        board.may_answer.set()
        wait_for(watch.latest)


def test_whoever_is_at_the_pi_itself_learns_where_phones_go(make_house: Callable[..., House]) -> None:
    local = make_house(host="127.0.0.1")
    assert "Other machines cannot come here" in local.somebody("Zoë", "door").get("/system").text
    public = make_house(public_url="https://door.example.org")
    page = public.somebody("Zoë", "door").get("/system").text
    assert "https://door.example.org" in page and "<svg" in page
