"""The entrance's promises: links once and briefly, no weak PIN, guesses that wait, a file nobody else reads."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from dashboard_house import PIN
from hypothesis import given
from hypothesis import strategies as st

from hardware.clock import ManualClock
from kiosk.dashboard.access import (
    Access,
    AccessError,
    AccessFileError,
    LinkGone,
    TooManyTries,
    WeakPin,
    WrongPin,
    refuse_weak,
)
from kiosk.dashboard.throttle import COMMON_TRIES, FREE_TRIES, LONGEST_WAIT_S, Throttle, network


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def access(tmp_path: Path, clock: ManualClock) -> Access:
    return Access(tmp_path, clock)


def test_nobody_comes_in_before_a_pin_was_chosen(access: Access) -> None:
    assert not access.has_pin
    with pytest.raises(WrongPin):
        access.check_pin("", "192.0.2.1")


def test_a_link_lets_one_pin_be_chosen_and_no_second(access: Access) -> None:
    token = access.new_link()
    access.check_link(token)
    access.choose_pin(token, PIN)
    access.check_pin(PIN, "192.0.2.1")
    with pytest.raises(LinkGone):
        access.choose_pin(token, "another-pin")
    access.check_pin(PIN, "192.0.2.1")


def test_of_two_who_use_one_link_at_once_one_wins(access: Access) -> None:
    token = access.new_link()
    outcomes: list[str] = []

    def choose(pin: str) -> None:
        try:
            access.choose_pin(token, pin)
            outcomes.append(pin)
        except LinkGone:
            outcomes.append("gone")

    threads = [threading.Thread(target=choose, args=(f"tulip-{n}x",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes.count("gone") == 3
    access.check_pin(next(pin for pin in outcomes if pin != "gone"), "192.0.2.1")


def test_a_link_is_over_after_half_an_hour_whatever_the_wall_clock_says(access: Access, clock: ManualClock) -> None:
    token = access.new_link()
    clock.advance(1799)
    access.check_link(token)
    clock.advance(2)
    with pytest.raises(LinkGone):
        access.check_link(token)


def test_a_new_link_voids_the_one_before(access: Access) -> None:
    first = access.new_link()
    second = access.new_link()
    with pytest.raises(LinkGone):
        access.check_link(first)
    access.check_link(second)


def test_a_weak_pin_leaves_the_link_usable(access: Access) -> None:
    token = access.new_link()
    with pytest.raises(WeakPin):
        access.choose_pin(token, "123456")
    access.choose_pin(token, PIN)


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "tulip",
        "123456",
        "000000",
        "654321",
        "121212",
        "123123",
        "abcdef",
        "Password",
        "234567",
        "aaaaaaaa",
        "x" * 129,
    ],
)
def test_an_obvious_pin_is_refused(pin: str) -> None:
    with pytest.raises(WeakPin):
        refuse_weak(pin)


@pytest.mark.parametrize("pin", ["314159", "tulip-47", "correct horse battery", "éàüöß7"])
def test_an_ordinary_pin_is_taken(pin: str) -> None:
    refuse_weak(pin)


def test_the_file_is_ours_alone_and_holds_no_token_and_no_pin(access: Access, tmp_path: Path) -> None:
    token = access.new_link()
    first = (tmp_path / "dashboard.json").read_text()
    access.choose_pin(token, PIN)
    second = (tmp_path / "dashboard.json").read_text()
    assert token not in first
    assert PIN not in second
    assert "scrypt:" in second
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dashboard.json", "dashboard.lock"]


def test_a_link_made_by_another_process_is_seen_at_once(tmp_path: Path, clock: ManualClock) -> None:
    server, command = Access(tmp_path, clock), Access(tmp_path, clock)
    key = server.secret_key()
    token = command.new_link()
    server.choose_pin(token, PIN)
    command.check_pin(PIN, "192.0.2.1")
    assert command.secret_key() == key


def test_a_broken_file_is_said_with_what_to_do(access: Access, tmp_path: Path) -> None:
    (tmp_path / "dashboard.json").write_text("{")
    with pytest.raises(AccessFileError, match="Delete it"):
        access.generation()


def test_a_new_pin_begins_a_new_generation(access: Access) -> None:
    before = access.generation()
    access.choose_pin(access.new_link(), PIN)
    assert access.generation() != before


def test_wrong_pins_wait_longer_and_longer_and_the_right_one_waits_too(access: Access, clock: ManualClock) -> None:
    access.choose_pin(access.new_link(), PIN)
    for _ in range(FREE_TRIES - 1):
        with pytest.raises(WrongPin):
            access.check_pin("wrong-1", "192.0.2.1")
    waits = []
    for _ in range(3):
        with pytest.raises(TooManyTries) as told:
            access.check_pin("wrong-1", "192.0.2.1")
        waits.append(told.value.wait_s)
        with pytest.raises(TooManyTries):  # even the right PIN is not looked at
            access.check_pin(PIN, "192.0.2.1")
        clock.advance(told.value.wait_s)
    assert waits == [5, 10, 20]
    access.check_pin(PIN, "192.0.2.2")
    access.check_pin(PIN, "192.0.2.1")


def test_guesses_made_at_once_get_no_more_tries_than_one_after_another(access: Access) -> None:
    access.choose_pin(access.new_link(), PIN)
    outcomes: list[str] = []

    def guess() -> None:
        try:
            access.check_pin("wrong-1", "192.0.2.1")
        except AccessError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes.count("wrong_pin") == FREE_TRIES - 1
    assert len(outcomes) == 20


def test_many_addresses_together_are_slowed_but_never_shut_out(clock: ManualClock) -> None:
    throttle = Throttle(clock)
    for number in range(COMMON_TRIES):
        throttle.failed(f"192.0.2.{number}")
    assert 0 < throttle.wait_s("198.51.100.1") <= 10
    clock.advance(10)
    assert throttle.wait_s("198.51.100.1") == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 4000)), max_size=80))
def test_a_wait_is_never_negative_and_never_beyond_the_longest(steps: list[tuple[int, float]]) -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    for number, pause_s in steps:
        throttle.failed(f"192.0.2.{number}")
        assert 0 <= throttle.wait_s(f"192.0.2.{number}") <= LONGEST_WAIT_S
        clock.advance(pause_s)


def test_one_household_of_ipv6_counts_as_one() -> None:
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9%eth0")
    assert network("2001:db8:1:3::1") != network("2001:db8:1:2::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1")
