"""The page of the system: how the machine is, and a wiring test that answers nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from dashboard_house import House, token_on, wait_for

from hardware.checks import Check
from hardware.clock import ManualClock
from kiosk.dashboard.machine import SLACK_S, Look, MachineWatch
from kiosk.news import DoorState, Reply

DISK = Check("disk", "ok", "12.0 GB free at /var/lib/platypus")
NETWORK = Check("network", "ok", "connected by eth0, address 192.0.2.7")


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


def test_what_was_seen_too_long_ago_is_not_told() -> None:
    clock = ManualClock()
    looks = [Look("disk", lambda: [DISK], 5.0, 2.0), Look("network", lambda: [NETWORK], 60.0, 44.0)]
    watch = MachineWatch(looks, clock)
    assert watch.latest() == ()
    watch.look()
    assert watch.latest() == (DISK, NETWORK)
    clock.advance(5 + 2 + SLACK_S)
    assert watch.latest() == (NETWORK,)
    clock.advance(91)  # 60 until it is asked again, and four hosts that do not answer
    assert watch.latest() == (NETWORK,)
    clock.advance(6)
    assert watch.latest() == ()


def test_a_look_that_hangs_makes_no_other_one_old() -> None:
    may_answer = threading.Event()

    def hang() -> list[Check]:
        may_answer.wait(10)
        return [NETWORK]

    with MachineWatch(
        [Look("network", hang, 60.0, 11.0), Look("disk", lambda: [DISK], 5.0, 2.0)], ManualClock()
    ) as watch:
        assert wait_for(watch.latest) == (DISK,)
        may_answer.set()
        assert wait_for(lambda: len(watch.latest()) == 2 and watch.latest()) == (NETWORK, DISK)


def test_a_look_that_breaks_is_logged_and_made_again(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([None, [DISK]])

    def break_once() -> list[Check]:
        answer = next(answers)
        if answer is None:
            raise ValueError("of a kernel nobody has seen")
        return answer

    with MachineWatch([Look("disk", break_once, 0.01, 2.0)], ManualClock()) as watch:
        assert wait_for(watch.latest) == (DISK,)
    assert "event=look-failed look=disk" in caplog.text


def test_what_is_wrong_stands_first(gates: House) -> None:
    gates.machine.checks = (DISK, Check("speed", "bad", "the firmware slows this machine down now"), NETWORK)
    page = gates.somebody("Zoë", "door").get("/system").text
    assert page.index("slows this machine down") < page.index("12.0 GB free")


def test_a_viewer_is_told_nothing_of_the_machine(gates: House) -> None:
    gates.machine.checks = (NETWORK,)
    assert "192.0.2.7" in gates.live.now().home_json.decode()
    assert "192.0.2.7" not in gates.live.now().nameless_json.decode()


def test_whoever_is_at_the_pi_itself_learns_where_phones_go(make_house: Callable[..., House]) -> None:
    local = make_house(host="127.0.0.1")
    assert "Other machines cannot come here" in local.somebody("Zoë", "door").get("/system").text
    public = make_house(public_url="https://door.example.org")
    page = public.somebody("Zoë", "door").get("/system").text
    assert "https://door.example.org" in page and "<svg" in page
