"""What the buttons mean, as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import NoNextTalk, NoSuchTalk, NotLive
from stream.order import Order, OrderFile, Scene
from stream.program import STOPPED, Command, obey, undo_words, upcoming
from stream.talks import FixedTalks, TalkInfo

TALKS = FixedTalks([TalkInfo(id="a", title="First"), TalkInfo(id="b", title="Second")])
FOUR = FixedTalks([TalkInfo(id=each, title=f"Talk {each.upper()}") for each in "abcd"])
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
        (["start", "next_talk", "introduced"], "back to the camera, nobody on stage"),
        (["start", "next_talk", "introduced", "next_talk"], "back to the camera: First"),
        (["start", "hide_camera", "stop"], "live again with the hidden camera"),
    ],
)
def test_undo_says_what_it_would_do(commands: list[Command], words: str) -> None:
    assert undo_words(after(*commands), TALKS) == words


def chosen(*commands: str, begin: Order = STOPPED) -> Order:
    """The order after commands such as "camera" and "make_next c"."""
    order = begin
    for each in commands:
        command, _, talk_id = each.partition(" ")
        order = obey(order, command, FOUR, "t", talk_id)  # type: ignore[arg-type]  # words of a table
    return order


@pytest.mark.parametrize(
    ("commands", "scene", "then_comes"),
    [
        (["start", "put_on_stage c"], Scene("camera", "c"), "d"),
        (["go_live", "put_on_stage c"], Scene("starting", "c"), "d"),
        (["go_live", "next_talk", "put_on_stage c"], Scene("next", "c"), "d"),
        (["start", "hide_camera", "put_on_stage c"], Scene("hidden", "c"), "d"),
        (["start", "put_on_stage c", "put_on_stage a"], Scene("camera", "a"), "b"),
        (["start", "put_on_stage d", "next_talk"], None, None),  # NoNextTalk
        (["start", "put_on_stage a", "make_next d"], Scene("camera", "a", "d"), "d"),
        (["start", "put_on_stage a", "make_next d", "take_break"], Scene("break", "a", "d"), "d"),
        (["start", "put_on_stage a", "make_next d", "next_talk"], Scene("next", "d"), None),
        (["start", "put_on_stage a", "make_next d", "put_on_stage b"], Scene("camera", "b"), "c"),
        (["go_live", "make_next c"], Scene("starting", None, "c"), "c"),
        (["go_live", "make_next c", "make_next b", "next_talk"], Scene("next", "b"), "c"),
        (["go_live", "next_talk", "make_next d", "introduced"], Scene("camera", "a", "d"), "d"),
        (["go_live", "make_next c", "stop", "go_live"], Scene("starting"), "a"),
        (["go_live", "make_next c", "stop", "undo"], Scene("starting", None, "c"), "c"),
        (["go_live", "make_next c", "undo"], Scene("starting"), "a"),
        (["start", "put_on_stage b", "put_on_stage d", "undo"], Scene("camera", "b"), "c"),
        (["start", "put_on_stage a", "make_next d", "next_talk", "introduced", "undo"], Scene("camera", "a", "d"), "d"),
    ],
)
def test_a_talk_chosen_by_the_thumb(commands: list[str], scene: Scene | None, then_comes: str | None) -> None:
    if scene is None:
        with pytest.raises(NoNextTalk):
            chosen(*commands)
        return
    order = chosen(*commands)
    assert order.scene == scene
    following = upcoming(order.scene, FOUR)
    assert (following.id if following else None) == then_comes


@pytest.mark.parametrize("command", ["put_on_stage", "make_next"])
def test_a_talk_is_chosen_while_live_and_from_the_agenda_only(command: Command) -> None:
    with pytest.raises(NotLive, match="press Go live first"):
        obey(STOPPED, command, FOUR, "t", "a")
    with pytest.raises(NoSuchTalk, match="'gone'"):
        obey(after("start"), command, FOUR, "t", "gone")


def test_a_chosen_next_talk_that_was_deleted_leaves_the_choice_to_the_agenda() -> None:
    order = chosen("start", "put_on_stage a", "make_next d")
    without = FixedTalks([TalkInfo(id=each, title=each) for each in "abc"])
    assert obey(order, "next_talk", without, "t").talk == "b"


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        (["start", "put_on_stage a", "make_next d"], "next is again: Talk B"),
        (["start", "put_on_stage d", "make_next a"], "next is again what the agenda says"),
        (["start", "put_on_stage a", "put_on_stage d"], "back to the camera: Talk A"),
        (["start", "put_on_stage a"], "back to the camera, nobody on stage"),
    ],
)
def test_undo_says_what_becomes_of_a_chosen_talk(commands: list[str], words: str) -> None:
    assert undo_words(chosen(*commands), FOUR) == words


def test_undo_after_an_introduction_does_not_bring_its_slate_back() -> None:
    order = chosen("go_live", "next_talk", "make_next d", "introduced", "undo")
    assert order.scene == Scene("camera", "a")


COMMANDS: list[Command] = [
    "start",
    "go_live",
    "next_talk",
    "camera",
    "take_break",
    "end",
    "hide_camera",
    "put_on_stage",
    "make_next",
    "stop",
    "undo",
]


@given(st.lists(st.sampled_from([*COMMANDS, "introduced"]), max_size=8), st.sampled_from(COMMANDS))
def test_a_button_pressed_twice_is_a_button_pressed_once(commands: list[Command], last: Command) -> None:
    order = STOPPED
    for command in [*commands, last]:
        try:
            order = obey(order, command, TALKS, "t", "b")
        except (NotLive, NoNextTalk):
            continue
    try:
        assert obey(order, last, TALKS, "t", "b") == order
    except NotLive:
        assert order.do == "stopped"
    except NoNextTalk:
        assert upcoming(order.scene, TALKS) is None


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
