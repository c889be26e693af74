"""What the buttons mean, as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import NoNextTalk, NotLive
from stream.order import Order, OrderFile, Scene
from stream.program import STOPPED, Command, obey, undo_words
from stream.talks import FixedTalks, TalkInfo

TALKS = FixedTalks([TalkInfo(id="a", title="First"), TalkInfo(id="b", title="Second")])
NONE = FixedTalks()


def after(*commands: Command, talks: FixedTalks = TALKS, begin: Order = STOPPED) -> Order:
    order = begin
    for number, command in enumerate(commands):
        order = obey(order, command, talks, f"t{number}")
    return order


@pytest.mark.parametrize(
    ("commands", "do", "program", "talk"),
    [
        (["start"], "live", "camera", None),
        (["go_live"], "live", "starting", None),
        (["go_live", "next_talk"], "live", "next", "a"),
        (["go_live", "next_talk", "next_talk"], "live", "next", "a"),
        (["go_live", "next_talk", "introduced"], "live", "camera", "a"),
        (["go_live", "next_talk", "introduced", "next_talk"], "live", "next", "b"),
        (["go_live", "next_talk", "camera"], "live", "camera", "a"),
        (["go_live", "next_talk", "take_break"], "live", "break", "a"),
        (["go_live", "next_talk", "take_break", "introduced"], "live", "break", "a"),
        (["go_live", "next_talk", "take_break", "next_talk"], "live", "next", "b"),
        (["go_live", "next_talk", "introduced", "hide_camera"], "live", "hidden", "a"),
        (["go_live", "next_talk", "introduced", "hide_camera", "camera"], "live", "camera", "a"),
        (["go_live", "next_talk", "introduced", "hide_camera", "undo"], "live", "camera", "a"),
        (["go_live", "end"], "live", "end", None),
        (["go_live", "end", "stop"], "stopped", "end", None),
        (["go_live", "next_talk", "introduced", "stop", "go_live"], "live", "starting", None),
        (["go_live", "next_talk", "introduced", "stop", "undo"], "live", "camera", "a"),
        (["stop"], "stopped", "camera", None),
        (["undo"], "stopped", "camera", None),
        (["introduced"], "stopped", "camera", None),
        (["go_live", "undo"], "live", "starting", None),
        (["start", "next_talk", "undo"], "live", "camera", None),
        (["start", "next_talk", "introduced", "undo"], "live", "camera", None),
        (["start", "next_talk", "introduced", "undo", "undo"], "live", "camera", None),
        (["start", "take_break", "take_break", "undo"], "live", "camera", None),
        (["start", "take_break", "end", "undo", "undo"], "live", "break", None),
    ],
)
def test_each_button_means_one_thing(commands: list[Command], do: str, program: str, talk: str | None) -> None:
    order = after(*commands)
    assert (order.do, order.program, order.talk) == (do, program, talk)


@pytest.mark.parametrize("command", ["next_talk", "camera", "take_break", "end", "hide_camera"])
def test_nothing_is_shown_to_nobody(command: Command) -> None:
    with pytest.raises(NotLive, match="press Go live first"):
        after(command)


def test_after_the_last_talk_there_is_none_and_it_is_said() -> None:
    begin = after("go_live", "next_talk", "introduced", "next_talk", "introduced")
    with pytest.raises(NoNextTalk, match="last talk"):
        after("next_talk", begin=begin)


def test_without_an_agenda_next_is_a_slate_without_a_name() -> None:
    order = after("go_live", "next_talk", "introduced", "next_talk", talks=NONE)
    assert (order.program, order.talk) == ("next", None)


def test_a_talk_that_left_the_agenda_is_followed_by_the_first_of_what_is_there() -> None:
    lost = Order(do="live", since="t", talk="gone")
    assert after("next_talk", begin=lost).talk == "a"
    assert after("next_talk", begin=lost, talks=NONE).talk is None


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        (["start"], ""),
        (["start", "take_break"], "back to the camera"),
        (["start", "take_break", "undo"], ""),
        (["start", "next_talk", "introduced"], "back to the camera"),
        (["start", "next_talk", "introduced", "next_talk"], "back to the camera: First"),
        (["start", "hide_camera", "stop"], "live again with the hidden camera"),
    ],
)
def test_undo_says_what_it_would_do(commands: list[Command], words: str) -> None:
    assert undo_words(after(*commands), TALKS) == words


COMMANDS: list[Command] = [
    "start",
    "go_live",
    "next_talk",
    "camera",
    "take_break",
    "end",
    "hide_camera",
    "stop",
    "undo",
]


@given(st.lists(st.sampled_from([*COMMANDS, "introduced"]), max_size=8), st.sampled_from(COMMANDS))
def test_a_button_pressed_twice_is_a_button_pressed_once(commands: list[Command], last: Command) -> None:
    order = STOPPED
    for command in [*commands, last]:
        try:
            order = obey(order, command, NONE, "t")
        except NotLive:
            continue
    try:
        assert obey(order, last, NONE, "t") == order
    except NotLive:
        assert order.do == "stopped"


def test_since_is_when_it_went_live_whatever_the_program_does() -> None:
    assert after("go_live", "take_break", "end").since == "t0"
    assert after("go_live", "stop").since == "t1"


@pytest.mark.parametrize(
    ("since", "age_s"),
    [
        ("2026-11-24T18:00:00+00:00", 3600.5),
        ("2026-11-24T19:30:00+00:00", 0),  # the clock was set back
        ("2026-11-17T19:00:00+00:00", 0),  # last week's order
        ("yesterday", 0),
        ("2026-11-24T18:00:00", 0),
    ],
)
def test_an_order_is_as_old_as_the_clock_says_when_that_can_be(since: str, age_s: float) -> None:
    now = datetime(2026, 11, 24, 19, 0, 0, 500_000, tzinfo=UTC)
    assert Order(do="live", since=since).age_s(now) == age_s


def test_the_order_survives_as_it_was_and_an_old_file_means_the_camera(tmp_path: Path) -> None:
    file = OrderFile(tmp_path / "order.json")
    order = after("go_live", "next_talk")
    file.write(order)
    assert file.read() == order
    assert order.before == Scene("starting")
    (tmp_path / "order.json").write_bytes(msgspec.json.encode({"do": "live", "since": "2026-11-24T18:55:00+00:00"}))
    old = file.read()
    assert old is not None
    assert (old.do, old.scene, old.before) == ("live", Scene("camera", None), None)
