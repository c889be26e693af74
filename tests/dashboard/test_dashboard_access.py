"""The entrance's promises: links once and briefly, no weak PIN, guesses that wait, a file nobody else reads."""

from __future__ import annotations

import resource
import signal
import stat
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dashboard_house import NAME, PIN, wait_for
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.security import generate_password_hash

from hardware.clock import ManualClock
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_errors import (
    AccessError,
    AccessFileError,
    LinkGone,
    TooManyTries,
    WeakPin,
    WrongLogin,
)
from kiosk.dashboard.access_file import FIRST_NAME, AccessFile, Person
from kiosk.dashboard.pins import METHOD, MOST_WAITING, Pins, refuse_weak
from kiosk.dashboard.throttle import ACCOUNT, ADDRESS, Throttle, network

HOME = "192.0.2.1"
OLD_FILE = """{
  "secret_key": "6mUCZ8bLVEJWmYtr_2e4EW6KzoHVyfyD8fCDjNyEMho",
  "generation": "4SDs1ik0KjvD8cZ3ljrBGw",
  "pin_hash": "scrypt:32768:8:1$HASH",
  "link": null
}
"""


@pytest.fixture
def access(tmp_path: Path, clock: ManualClock) -> Access:
    """As at a venue: here, and nowhere else in these tests, a hash costs what it must cost there."""
    return Access(tmp_path, clock)


def choose(access: Access, pin: str = PIN, name: str = NAME) -> Person:
    return access.invitations.use(access.login_link(), name, pin)


def test_nobody_comes_in_before_a_pin_was_chosen(access: Access) -> None:
    with pytest.raises(WrongLogin):
        access.people.log_in("", "", HOME)


def test_a_link_lets_one_person_in_and_no_second(access: Access) -> None:
    token = access.login_link()
    access.invitations.check(token)
    access.invitations.use(token, NAME, PIN)
    assert access.people.log_in(NAME, PIN, HOME).role == "organizer"
    with pytest.raises(LinkGone):
        access.invitations.use(token, "Eve", "another-pin")
    assert [person.name for person in access.people.all()] == [NAME]


def test_of_those_who_use_one_link_at_once_one_wins(access: Access) -> None:
    token = access.login_link()
    outcomes: list[str] = []

    def use(name: str) -> None:
        try:
            access.invitations.use(token, name, PIN)
            outcomes.append(name)
        except LinkGone:
            outcomes.append("gone")

    at_once([lambda name=f"Ada {n}": use(name) for n in range(MOST_WAITING)])  # type: ignore[misc]
    assert outcomes.count("gone") == MOST_WAITING - 1
    assert [person.name for person in access.people.all()] == [name for name in outcomes if name != "gone"]


def at_once(tasks: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_a_link_is_over_after_half_an_hour_whatever_the_wall_clock_says(access: Access, clock: ManualClock) -> None:
    token = access.login_link()
    clock.advance(1799)
    clock.jump_to(datetime(2031, 1, 1, tzinfo=UTC))
    access.invitations.check(token)
    clock.advance(2)
    with pytest.raises(LinkGone):
        access.invitations.check(token)


def test_a_new_link_of_the_command_line_voids_the_one_before(access: Access) -> None:
    first = access.login_link()
    second = access.login_link()
    with pytest.raises(LinkGone):
        access.invitations.check(first)
    access.invitations.check(second)


def test_a_weak_pin_leaves_the_link_usable(access: Access) -> None:
    token = access.login_link()
    with pytest.raises(WeakPin):
        access.invitations.use(token, NAME, "123456")
    access.invitations.use(token, NAME, PIN)


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
    link = access.login_link()
    first = (tmp_path / "dashboard.json").read_text()
    person = access.invitations.use(link, NAME, PIN)
    phone = access.phones.log_in(person, "Test phone")
    second = (tmp_path / "dashboard.json").read_text()
    assert link not in first
    assert PIN not in second and phone.token not in second
    assert f"{METHOD}$" in second
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dashboard.json", "dashboard.lock"]


def test_a_link_made_by_another_process_is_seen_at_once(tmp_path: Path, clock: ManualClock) -> None:
    server, command = Access(tmp_path, clock), Access(tmp_path, clock)
    key = server.secret_key()
    server.invitations.use(command.login_link(), NAME, PIN)
    command.people.log_in(NAME, PIN, HOME)
    assert command.secret_key() == key


def test_a_file_from_before_there_were_names_is_an_organizer_s(tmp_path: Path, access: Access) -> None:
    """As the release before wrote it; only the hash is made here, of a PIN that the test knows."""
    pin_hash = Pins().hash(PIN)
    (tmp_path / "dashboard.json").write_text(OLD_FILE.replace("scrypt:32768:8:1$HASH", pin_hash))
    assert access.people.log_in("organizer", PIN, HOME).name == FIRST_NAME
    assert access.secret_key() == "6mUCZ8bLVEJWmYtr_2e4EW6KzoHVyfyD8fCDjNyEMho"
    access.invitations.make("door", "somebody")  # written anew
    assert [(each.name, each.role) for each in access.people.all()] == [("Organizer", "organizer")]
    assert access.people.log_in("Organizer", PIN, HOME)


@pytest.mark.parametrize(
    "damage", ["{", "", "[]", '{"people": []}', '{"secret_key": "x", "people": [{"role": "god"}]}']
)
def test_a_damaged_file_is_said_with_what_to_do_and_left_as_it_is(access: Access, tmp_path: Path, damage: str) -> None:
    (tmp_path / "dashboard.json").write_text(damage)
    for touch in (access.secret_key, access.people.all, access.login_link, lambda: access.phones.find("token")):
        with pytest.raises(AccessFileError, match="Put a copy of it back"):
            touch()
    assert (tmp_path / "dashboard.json").read_text() == damage


def test_a_disk_that_is_full_changes_nothing(tmp_path: Path, clock: ManualClock) -> None:
    access = Access(tmp_path, clock)
    choose(access)
    before = (tmp_path / "dashboard.json").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # writing more fails, as on a full disk
    try:
        with pytest.raises(AccessFileError, match="cannot be written"):
            access.login_link()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert (tmp_path / "dashboard.json").read_bytes() == before
    access.login_link()


def test_two_processes_that_write_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Each makes links under a maker's name of its own; all are there afterwards."""
    code = (
        "import sys; from pathlib import Path\n"
        "from hardware.clock import SystemClock; from kiosk.dashboard.access import Access\n"
        "access = Access(Path(sys.argv[1]), SystemClock())\n"
        "for _ in range(12): access.invitations.make('door', sys.argv[2])\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), maker]) for maker in ("one", "two")]
    assert [child.wait(30) for child in children] == [0, 0]
    made = Counter(link.made_by for link in AccessFile(tmp_path).load().links)
    assert made == {"one": 12, "two": 12}


def test_a_new_pin_logs_out_every_phone(access: Access) -> None:
    phone = access.phones.log_in(choose(access), "Test phone")
    choose(access, "other-pin-9")
    assert access.phones.find(phone.token) is None


def test_wrong_pins_wait_longer_and_longer_and_the_right_one_waits_too(access: Access, clock: ManualClock) -> None:
    choose(access)
    for _ in range(ADDRESS.free - 1):
        with pytest.raises(WrongLogin):
            access.people.log_in(NAME, "wrong-1", HOME)
    waits = []
    for _ in range(3):
        with pytest.raises(TooManyTries) as told:
            access.people.log_in(NAME, "wrong-1", HOME)
        waits.append(told.value.wait_s)
        with pytest.raises(TooManyTries):  # even the right PIN is not looked at
            access.people.log_in(NAME, PIN, HOME)
        clock.advance(told.value.wait_s)
    assert waits == [5, 10, 20]
    access.people.log_in(NAME, PIN, "192.0.2.2")
    access.people.log_in(NAME, PIN, HOME)


def test_who_knows_the_pin_has_all_tries_again(access: Access) -> None:
    choose(access)
    for _ in range(2):
        for _ in range(ADDRESS.free - 1):
            with pytest.raises(WrongLogin):
                access.people.log_in(NAME, "wrong-1", HOME)
        access.people.log_in(NAME, PIN, HOME)


def test_guesses_made_at_once_get_no_more_tries_than_one_after_another(access: Access) -> None:
    choose(access)
    outcomes: list[str] = []

    def guess() -> None:
        try:
            access.people.log_in(NAME, "wrong-1", HOME)
        except AccessError as error:
            outcomes.append(error.code)

    at_once([guess] * 20)
    assert len(outcomes) == 20
    assert outcomes.count("wrong_login") <= ADDRESS.free - 1


def test_an_account_that_many_addresses_guess_at_waits_a_minute_at_most(clock: ManualClock) -> None:
    throttle = Throttle(clock)
    for number in range(200):
        throttle.failed(f"192.0.2.{number}", "ada")
    assert throttle.wait_s("198.51.100.1", "ada") == ACCOUNT.longest_s
    clock.advance(ACCOUNT.longest_s)
    assert throttle.wait_s("198.51.100.1", "ada") == 0


def test_a_thousand_wrong_logins_slow_nobody_else(clock: ManualClock) -> None:
    throttle = Throttle(clock)
    for number in range(1000):
        throttle.failed(f"10.0.{number // 250}.{number % 250}", f"guess {number % 20}")
    assert throttle.wait_s("192.0.2.1", "ada") == 0
    assert throttle.wait_s("10.0.0.1", "ada") == 0  # one wrong guess from there


def test_who_logs_in_meanwhile_is_let_in_at_once(access: Access) -> None:
    """A thousand guesses, sent as fast as they are answered, from a phone that is throttled by then."""
    choose(access)
    guessed = 0

    def guess() -> None:
        nonlocal guessed
        for _ in range(1000):
            with pytest.raises(AccessError):
                access.people.log_in("Eve", "wrong-1", "192.0.2.66")
            guessed += 1

    guesser = threading.Thread(target=guess)
    guesser.start()
    assert access.people.log_in(NAME, PIN, HOME).name == NAME
    guesser.join(60)
    assert guessed == 1000


def test_who_waits_for_a_hash_is_never_more_than_a_few() -> None:
    pins = Pins()
    with pins.turn():
        waiting = [threading.Thread(target=pins.hash, args=(PIN,)) for _ in range(MOST_WAITING - 1)]
        for thread in waiting:
            thread.start()
        wait_for(lambda: pins._places._value == 0)
        with pytest.raises(TooManyTries):
            pins.hash(PIN)
    for thread in waiting:
        thread.join(30)


def test_a_name_that_nobody_has_costs_the_time_and_says_the_words_of_a_wrong_pin(access: Access) -> None:
    choose(access)
    costs_s: dict[str, list[float]] = {NAME: [], "Nobody": []}
    said = set()
    for number in range(4):
        for name, costs in costs_s.items():
            began_s = time.process_time()  # of this process: what else the machine does is not counted
            with pytest.raises(WrongLogin) as told:
                access.people.log_in(name, "wrong-1", f"192.0.2.{number}")
            costs.append(time.process_time() - began_s)
            said.add(str(told.value))
    assert len(said) == 1
    wrong_pin_s, wrong_name_s = (statistics.median(costs) for costs in costs_s.values())
    assert 0.5 < wrong_name_s / wrong_pin_s < 2


def test_pins_are_hashed_as_the_hash_of_nobody_is() -> None:
    assert generate_password_hash(PIN).startswith(f"{METHOD}$"), "werkzeug's choice has changed: follow it"


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 4000)), max_size=80))
def test_a_wait_is_never_negative_and_never_beyond_the_longest(steps: list[tuple[int, float]]) -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    for number, pause_s in steps:
        throttle.failed(f"192.0.2.{number}", "ada")
        assert 0 <= throttle.wait_s(f"192.0.2.{number}", "ada") <= ADDRESS.longest_s
        clock.advance(pause_s)


def test_one_household_of_ipv6_counts_as_one() -> None:
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9%eth0")
    assert network("2001:db8:1:3::1") != network("2001:db8:1:2::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1")
