"""Levels as ffmpeg writes them, and what the organizer hears of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.alarms import Alarm
from stream.order import Order, Program
from stream.sound_levels import FLOOR_DB, Level, LevelReader
from stream.sound_watch import SoundWatch

BLOCK_S = 0.05
QUIET, TALK, LOUD = Level(-81.0, -88.0), Level(-12.0, -30.0), Level(0.0, -3.0)
WRITTEN = """frame:0    pts:0       pts_time:0
lavfi.astats.1.Peak_level=-18.063656
lavfi.astats.1.RMS_level=-21.073778
lavfi.astats.2.Peak_level=-6.020600
lavfi.astats.2.RMS_level=-24.500000
frame:1    pts:2400    pts_time:0.05
lavfi.astats.1.Peak_level=-inf
lavfi.astats.1.RMS_level=-inf
lavfi.astats.2.Peak_level=-inf
lavfi.astats.2.RMS_level=-inf
frame:2    pts:4800    pts_time:0.1
"""


@given(st.integers(1, 100))
def test_the_louder_channel_counts_in_whatever_portions_its_levels_come(portion: int) -> None:
    reader = LevelReader()
    data = WRITTEN.encode()
    found = [level for at in range(0, len(data), portion) for level in reader.take(data[at : at + portion])]
    assert found == [Level(-6.0206, -21.073778), Level(FLOOR_DB, FLOOR_DB)]


def test_what_is_no_number_is_silence() -> None:
    reader = LevelReader()
    text = "lavfi.astats.1.Peak_level=nan\nlavfi.astats.1.RMS_level=\nframe:1\n"
    assert reader.take(text.encode()) == [Level(FLOOR_DB, FLOOR_DB)]


class Room:
    """A watch that is looked at twenty times a second."""

    def __init__(self, program: Program = "camera") -> None:
        self.watch = SoundWatch("the microphone hw:1,0", "it is plugged in")
        self.order = Order(do="live", since="t", program=program)
        self.now_s = 100.0
        self.watch.begin(self.now_s)

    def hear(self, level: Level | None, seconds: float) -> None:
        """The same level for a while; None: the microphone gives nothing."""
        for _ in range(round(seconds / BLOCK_S)):
            self.now_s += BLOCK_S
            if level is not None:
                self.watch.heard(level, self.now_s)
            self.watch.look(self.now_s, self.order)

    def until(self, codes: list[str], level: Level | None) -> float:
        """Seconds of `level` until just these alarms are on."""
        for number in range(400):
            if self.codes == codes:
                return number * BLOCK_S
            self.hear(level, BLOCK_S)
        raise AssertionError(f"{self.codes} and not {codes}")

    @property
    def codes(self) -> list[str]:
        return [alarm.code for alarm in self.watch.alarms()]


@pytest.mark.parametrize(
    ("code", "level"),
    [("silence", QUIET), ("silence", Level(FLOOR_DB, FLOOR_DB)), ("clipping", LOUD), ("no-sound", None)],
)
def test_each_trouble_is_said_within_five_seconds_and_goes_away_by_itself(code: str, level: Level | None) -> None:
    room = Room()
    room.hear(TALK, 10)
    assert room.codes == []
    assert room.until([code], level) <= 5.0
    room.hear(level, 20)
    assert room.codes == [code]
    assert room.until([], TALK) <= 6.0
    room.hear(TALK, 10)
    assert room.codes == []


def test_a_speaker_who_takes_a_breath_and_a_clap_are_no_alarms() -> None:
    room = Room()
    for _ in range(10):
        room.hear(TALK, 2.0)
        room.hear(QUIET, 3.0)
        room.hear(LOUD, 0.1)
        assert room.codes == []


def test_an_alarm_does_not_flicker_with_a_door_that_slams() -> None:
    room = Room()
    room.hear(QUIET, 6)
    room.hear(TALK, 0.1)
    room.hear(QUIET, 2)
    assert room.codes == ["silence"]


def test_an_alarm_says_which_microphone_and_with_which_number() -> None:
    room = Room()
    room.hear(QUIET, 6)
    room.hear(TALK, 3)
    assert room.codes == []
    room.hear(QUIET, 6)
    (alarm,) = room.watch.alarms()
    assert alarm == Alarm(
        code="silence",
        cause="the room is silent: the microphone hw:1,0 hears -88 dBFS",
        action="Check that the microphone is switched on and turned up.",
    )
    room.watch.fails("the microphone hw:1,0 fails (No such device)")
    room.hear(None, 3)
    (alarm,) = room.watch.alarms()
    assert (alarm.code, alarm.cause) == (
        "no-sound",
        "the microphone hw:1,0 fails (No such device): viewers hear silence until it is back",
    )
    room.hear(TALK, 0.2)
    assert room.watch.alarms() == (alarm,), "for a second more, in the same words"


def test_a_microphone_that_never_gives_anything_is_said_as_well_but_may_take_a_while_to_open() -> None:
    room = Room()
    room.hear(None, 3.9)
    assert room.codes == []
    assert room.watch.state(room.now_s, is_on_air=False).cause == ""
    room.hear(None, 1.2)
    assert room.codes == ["no-sound"]
    assert "gives no sound for 5 s" in room.watch.alarms()[0].cause


@pytest.mark.parametrize(
    ("program", "codes"),
    [
        ("camera", ["no-sound", "silence", "clipping"]),
        ("next", ["no-sound", "silence", "clipping"]),
        ("starting", ["no-sound"]),
        ("break", ["no-sound"]),
        ("end", []),
        ("hidden", []),
    ],
)
def test_only_what_viewers_hear_or_will_hear_is_worth_an_alarm(program: Program, codes: list[str]) -> None:
    found = []
    for level in (None, QUIET, LOUD):
        room = Room(program)
        room.hear(level, 10)
        found += room.codes
    assert found == codes


def test_an_order_that_makes_it_quiet_ends_the_alarm_and_so_does_the_stop() -> None:
    room = Room()
    room.hear(QUIET, 6)
    room.order = Order(do="live", since="t", program="hidden")
    room.hear(QUIET, BLOCK_S)
    assert room.codes == []
    room.order = Order(do="live", since="t", program="camera")
    room.hear(None, 6)
    assert room.codes == ["no-sound"]
    room.watch.end()
    assert room.codes == []
    room.watch.look(room.now_s + 10, room.order)
    assert room.codes == []


def test_sound_that_comes_back_is_not_said_to_be_too_loud_because_it_was_before_it_went() -> None:
    room = Room()
    room.hear(LOUD, 6)
    room.until(["no-sound"], None)
    assert room.until([], TALK) < 1.5


@pytest.mark.parametrize(
    ("program", "level"), [("break", QUIET), ("break", LOUD), ("hidden", QUIET), ("hidden", LOUD), ("hidden", None)]
)
def test_what_was_wrong_before_a_pause_is_no_alarm_after_it(program: Program, level: Level | None) -> None:
    room = Room()
    room.hear(level, 6)
    assert room.codes
    for order in (program, "camera"):
        room.order = Order(do="live", since="t", program=order)
        room.hear(TALK, 3 if order == program else BLOCK_S)
    assert room.codes == []


def test_a_stream_that_begins_anew_knows_nothing_of_the_troubles_before() -> None:
    room = Room()
    room.hear(TALK, 1)
    room.watch.fails("the microphone hw:1,0 fails (No such device)")
    room.watch.end()
    room.watch.begin(room.now_s)
    room.hear(None, 3.9)
    assert room.codes == [], "it may take a while to open"


def test_where_no_microphone_is_set_the_state_says_so_and_nothing_is_missed() -> None:
    watch = SoundWatch("the camera", "the camera is on", absent="no microphone is set")
    watch.begin(0.0)
    watch.look(100.0, Order(do="live", since="t"))
    assert watch.alarms() == ()
    state = watch.state(100.0, is_on_air=False)
    assert (state.cause, state.peak_db, state.on_air) == ("no microphone is set", None, False)


def test_the_meter_shows_the_last_second() -> None:
    room = Room()
    room.hear(LOUD, 0.1)
    room.hear(TALK, 1.2)
    state = room.watch.state(room.now_s, is_on_air=True)
    assert (state.peak_db, state.rms_db, state.on_air) == (-12.0, -30.0, True)
    assert room.watch.state(room.now_s + 2, is_on_air=False).peak_db is None
    assert not math.isinf(room.watch.state(room.now_s, is_on_air=True).rms_db or 0)
