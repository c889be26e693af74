"""Picture and sound are switched apart, and the sound never has a hole, an overlap or a doubt where it belongs."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import numpy as np
import pytest
from hub_stage import FRAME_S, Stage, frames_of, sounds, steps
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_stage import (
    AUDIO_STEP_TICKS,
    STEP_TICKS,
    VIDEO,
    camera,
    is_unbroken,
    microphone,
    tables,
    unit_times,
)

from stream import mpegts
from stream.hub import Inlet
from stream.mpegts import PACKET_BYTES, TICKS_PER_S, WRAP_TICKS


def test_viewers_see_the_camera_and_hear_the_microphone() -> None:
    stage = Stage()
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(2))
    for _ in range(3):
        stage.speak(10)
        stage.camera.feed(camera(4))
    heard = sounds(stage.data)
    assert {mark for _, mark in heard} == {9}
    assert steps([ticks for ticks, _ in heard]) == {AUDIO_STEP_TICKS}
    assert is_unbroken(stage.data)


def test_the_tables_are_those_that_ffmpeg_writes() -> None:
    assert mpegts.tables() == tables()


def test_the_clock_of_the_program_is_the_pictures_alone() -> None:
    stage = Stage()
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(2))
    stage.speak(5)
    buf = bytearray(stage.data)
    clocks = [mpegts.pid_of(buf, at) for at in range(0, len(buf), PACKET_BYTES) if mpegts.pcr_at(buf, at) is not None]
    assert set(clocks) == {VIDEO}
    assert len(sounds(stage.data)) == 5


def test_without_any_sound_there_is_silence_up_to_the_picture() -> None:
    stage = Stage()
    stage.hub.select_sound(None)
    stage.camera.feed(camera(40))
    pictures, heard = unit_times(stage.data)
    assert {mark for _, mark in sounds(stage.data)} == {0}
    assert heard[0] == pictures[0]
    assert steps(heard) == {AUDIO_STEP_TICKS}
    assert 0 <= pictures[-1] - heard[-1] < AUDIO_STEP_TICKS
    assert is_unbroken(stage.data)


def test_a_decoder_hears_nothing_in_it(tmp_path: Path) -> None:
    stage = Stage()
    stage.hub.select_sound(None)
    stage.camera.feed(camera(40))
    (tmp_path / "film.ts").write_bytes(stage.data)
    with av.open(str(tmp_path / "film.ts"), format="mpegts") as film:
        frames = [frame.to_ndarray() for frame in film.decode(audio=0)]
        assert (film.streams.audio[0].sample_rate, film.streams.audio[0].channels) == (48_000, 2)
    assert len(frames) == len(sounds(stage.data))
    assert not np.any(frames)


def test_silence_begins_soon_enough_for_a_pusher_that_waits_for_the_sounds_parameters() -> None:
    """0.3 s after the first picture, however long that took to come."""
    stage = Stage()
    stage.hub.select_sound(stage.microphone)
    stage.clock.advance(5.0)
    heard = []
    for frame in itertools.islice(frames_of(camera(15)), 7):
        stage.camera.feed(frame)
        stage.clock.advance(1 / 15)
        heard.append(bool(sounds(stage.data)))
    assert heard == [False] * 5 + [True] * 2


def test_sound_that_was_just_switched_on_is_waited_for() -> None:
    stage = Stage()
    stage.hub.select_sound(None)
    film = frames_of(camera(30))
    for frame in itertools.islice(film, 15):
        stage.camera.feed(frame)
        stage.clock.advance(1 / 15)
    stage.hub.select_sound(stage.microphone)
    before = len(sounds(stage.data))
    for frame in itertools.islice(film, 7):
        stage.camera.feed(frame)
        stage.clock.advance(1 / 15)
    assert len(sounds(stage.data)) == before > 0


@pytest.mark.parametrize("speaks", [True, False])
def test_a_minute_in_which_nothing_came_is_not_filled_with_silence(speaks: bool) -> None:
    stage = Stage()
    stage.hub.select_sound(stage.microphone if speaks else None)
    for begin in (0, 500_000):
        stage.speak(5)
        stage.camera.restart()
        stage.camera.feed(camera(15, begin=begin))
        stage.speak(5)
        stage.clock.advance(60.0)
    assert 10 <= len(sounds(stage.data)) < 100


def test_sound_that_is_taken_off_is_gone_at_once() -> None:
    stage = Stage()
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(2))
    stage.speak(5)
    stage.hub.select_sound(None)
    before = len(sounds(stage.data))
    stage.speak(20)
    assert len(sounds(stage.data)) == before
    assert not stage.hub.hears(stage.microphone)


def test_a_microphone_that_stops_is_followed_by_silence_and_comes_back_in_step() -> None:
    stage = Stage(is_clocked=True)
    stage.hub.select_sound(stage.microphone)
    stage.live(2, stage.camera)
    assert stage.hub.hears(stage.microphone)
    stage.live(3, stage.camera, speaks=False)
    assert not stage.hub.hears(stage.microphone)
    stage.microphone.restart()
    stage.live(2, stage.camera, mark=8)
    assert stage.hub.hears(stage.microphone)
    heard = sounds(stage.data)
    assert [mark for mark, _ in itertools.groupby(mark for _, mark in heard)] == [9, 0, 8]
    assert steps([ticks for ticks, _ in heard]) == {AUDIO_STEP_TICKS}
    assert abs(sum(mark == 0 for _, mark in heard) - 3 / FRAME_S) < 4
    assert steps(unit_times(stage.data)[0]) == {STEP_TICKS}


def test_a_short_pause_of_the_microphone_is_waited_for() -> None:
    stage = Stage(is_clocked=True)
    stage.hub.select_sound(stage.microphone)
    stage.live(2, stage.camera)
    stage.live(2, stage.camera, late_s=0.6)
    assert {mark for _, mark in sounds(stage.data)} == {9}


@pytest.mark.parametrize("late_s", [0.05, 0.3, 0.6])
def test_sound_that_takes_longer_than_the_picture_is_put_beside_it_by_its_stamps(late_s: float) -> None:
    """Where silence was sent up to the picture, it is held back until the sound has come up with it."""
    stage = Stage(is_clocked=True)
    stage.hub.select_sound(None)
    origin = stage.now_ticks
    stage.live(2, stage.camera, speaks=False)
    stage.hub.select_sound(stage.microphone)
    last_stamp = stage.now_ticks - round(late_s * TICKS_PER_S) + 140 * AUDIO_STEP_TICKS
    stage.live(3, stage.camera, late_s=late_s)
    pictures, _ = unit_times(stage.data)
    heard = sounds(stage.data)
    assert [mark for mark, _ in itertools.groupby(mark for _, mark in heard)] == [0, 9]
    assert steps([ticks for ticks, _ in heard]) == {AUDIO_STEP_TICKS}
    assert abs((heard[-1][0] - last_stamp) - (pictures[0] - origin)) <= AUDIO_STEP_TICKS / 2


def test_sound_without_stamps_is_put_beside_the_picture_of_its_arrival() -> None:
    stage = Stage()
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(30))
    stage.clock.advance(1.0)
    stage.speak(3, begin=123_456_789)
    pictures, _ = unit_times(stage.data)
    first = next(ticks for ticks, mark in sounds(stage.data) if mark)
    assert abs(first - pictures[-1] - TICKS_PER_S - AUDIO_STEP_TICKS) <= AUDIO_STEP_TICKS


@pytest.mark.parametrize(("of_picture", "of_sound"), [(777, None), (None, 777)])
def test_stamps_that_are_no_time_of_the_machines_clock_are_replaced_by_the_moment_of_arrival(
    of_picture: int | None, of_sound: int | None
) -> None:
    stage = Stage(is_clocked=True)
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(16, begin=of_picture or stage.now_ticks))
    stage.speak(5, begin=of_sound)
    pictures, heard = unit_times(stage.data)
    assert heard == [pictures[-1] + number * AUDIO_STEP_TICKS for number in range(1, 6)]


def test_a_microphone_that_begins_anew_in_times_of_its_own_is_heard_at_once() -> None:
    stage = Stage()
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(2))
    stage.speak(100, begin=777)
    stage.microphone.restart()
    stage.speak(5, begin=777, mark=8)
    assert [mark for _, mark in sounds(stage.data)] == [9] * 100 + [8] * 5


def test_half_a_frame_of_sound_that_a_microphone_left_behind_is_not_heard() -> None:
    stage = Stage()
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(2))
    stage.microphone.feed(microphone(1)[:-PACKET_BYTES])
    stage.microphone.restart()
    stage.speak(5, mark=8)
    assert [mark for _, mark in sounds(stage.data)] == [8] * 5


def test_a_source_with_its_own_sound_stays_exactly_beside_itself() -> None:
    stage = Stage()
    stage.camera.feed(camera(20, begin=777_777))
    pictures, heard = unit_times(stage.data)
    assert heard[0] == pictures[0]


def test_a_microphone_goes_on_while_a_slate_stands_in_for_the_camera() -> None:
    stage = Stage(is_clocked=True)
    stage.hub.select_sound(stage.microphone)
    stage.live(2, stage.camera)
    stage.hub.select(stage.slate, at_once=True)
    stage.live(3, stage.slate)
    stage.hub.select(stage.camera)
    stage.live(2, stage.slate, stage.camera)
    pictures, _ = unit_times(stage.data)
    heard = sounds(stage.data)
    assert stage.camera.is_on_air
    assert {mark for _, mark in heard} == {9}, "and not the slate's"
    assert abs(len(heard) - 7 / FRAME_S) < 3
    assert steps([ticks for ticks, _ in heard]) == {AUDIO_STEP_TICKS}
    assert steps(pictures) == {STEP_TICKS}
    assert is_unbroken(stage.data)


def test_a_picture_that_comes_back_late_takes_the_sound_with_it() -> None:
    """The camera's own clock tells that the sound is now 200 ms early: it is put right, without a hole."""
    stage = Stage(is_clocked=True)
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(16, begin=stage.now_ticks))
    stage.speak(47)
    stage.camera.restart()
    stamp = stage.now_ticks - round(0.2 * TICKS_PER_S)
    stage.camera.feed(camera(16, begin=stamp))
    stage.speak(47, mark=8)
    pictures, _ = unit_times(stage.data)
    heard = sounds(stage.data)
    assert steps([ticks for ticks, _ in heard]) == {AUDIO_STEP_TICKS}
    first = next(ticks for ticks, mark in heard if mark == 8)
    first_stamp = stage.now_ticks - 47 * AUDIO_STEP_TICKS
    assert abs((first - first_stamp) - (pictures[16] - stamp)) <= AUDIO_STEP_TICKS / 2 + 47


def test_sound_that_was_off_while_the_camera_began_anew_comes_back_beside_the_new_picture() -> None:
    stage = Stage(is_clocked=True)
    stage.hub.select_sound(stage.microphone)
    stage.live(2, stage.camera)
    stage.hub.select_sound(None)
    stage.camera.restart()
    stamp = stage.now_ticks - round(0.2 * TICKS_PER_S)
    stage.camera.feed(camera(2, begin=stamp))
    stage.hub.select_sound(stage.microphone)
    stage.speak(47)
    pictures, heard = unit_times(stage.data)
    last_stamp = stage.now_ticks - AUDIO_STEP_TICKS
    assert abs((heard[-1] - last_stamp) - (pictures[30] - stamp)) <= AUDIO_STEP_TICKS / 2


@pytest.mark.parametrize(("stamped", "seen"), [(2, 2), (5, 5), (6, 1), (-2, 1)])
def test_a_camera_that_comes_back_goes_on_in_its_own_old_times_when_they_are_up_to_four_steps_later(
    stamped: int, seen: int
) -> None:
    """Later than the next step, which is when it comes in; so the sound need not be moved."""
    stage = Stage(is_clocked=True)
    stage.live(2, stage.camera)
    stage.camera.restart()
    stage.camera.feed(camera(1, begin=stage.now_ticks + (stamped - 1) * STEP_TICKS))
    pictures, _ = unit_times(stage.data)
    assert pictures[30] - pictures[29] == seen * STEP_TICKS


def test_sound_waits_for_its_own_picture_that_is_about_to_take_over() -> None:
    stage = Stage()
    stage.hub.select(stage.slate)
    stage.hub.select_sound(None)
    stage.slate.feed(camera(16, mark=2))
    stage.hub.select(stage.camera)
    stage.hub.select_sound(stage.camera)
    stage.clock.advance(0.5)
    stage.camera.feed(tables() + camera(30, gop=15, begin=5, mark=1)[-40 * PACKET_BYTES :])
    assert {mark for _, mark in sounds(stage.data)} == {0}
    stage.camera.feed(camera(15, begin=9_999, mark=1))
    assert sounds(stage.data)[-1][1] == 1


def test_sound_whose_stamps_jump_ahead_and_stay_there_is_put_right() -> None:
    stage = Stage(is_clocked=True)
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(16, begin=stage.now_ticks))
    stage.speak(47)
    stage.speak(5, begin=stage.now_ticks + 3600 * TICKS_PER_S, mark=8)
    assert sounds(stage.data)[-1][1] == 8


def test_sound_whose_stamps_jump_ahead_is_put_right() -> None:
    stage = Stage(is_clocked=True)
    stage.hub.select_sound(stage.microphone)
    stage.camera.feed(camera(16, begin=stage.now_ticks))
    stage.speak(47)
    stage.speak(3, begin=stage.now_ticks + 3600 * TICKS_PER_S)
    stage.speak(5)
    _, heard = unit_times(stage.data)
    assert max(heard) - min(heard) < 3 * TICKS_PER_S


def test_the_sound_goes_over_the_33_bit_wrap_without_a_step() -> None:
    stage = Stage()
    stage.hub.select_sound(stage.microphone)
    begin = WRAP_TICKS - 40 * STEP_TICKS - 900_000
    stage.camera.feed(camera(20, begin=begin))
    stage.microphone.feed(microphone(100, begin=WRAP_TICKS - 50 * AUDIO_STEP_TICKS))
    stage.camera.feed(camera(40, begin=begin + 20 * STEP_TICKS))
    assert steps([ticks for ticks, _ in sounds(stage.data)]) == {AUDIO_STEP_TICKS}


def test_before_the_first_picture_nothing_is_sent() -> None:
    stage = Stage()
    stage.hub.select_sound(stage.microphone)
    stage.speak(20)
    assert stage.data == b""


SOURCES = st.sampled_from(["camera", "slate", "microphone"])
EVENTS = st.one_of(
    st.tuples(st.just("feed"), SOURCES, st.integers(1, 20)),
    st.tuples(st.just("restart"), SOURCES, st.just(0)),
    st.tuples(st.just("picture"), st.sampled_from(["camera", "slate"]), st.integers(0, 1)),
    st.tuples(st.just("sound"), st.sampled_from(["camera", "slate", "microphone", ""]), st.just(0)),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 9)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=40), st.booleans())
def test_whatever_is_switched_time_runs_on_in_picture_and_sound(
    events: list[tuple[str, str, int]], is_clocked: bool
) -> None:
    stage = Stage(is_clocked=is_clocked)
    inlets: dict[str, Inlet] = {"camera": stage.camera, "slate": stage.slate, "microphone": stage.microphone}
    for what, name, amount in events:
        if what == "feed":
            begin = stage.now_ticks + (0 if is_clocked else 1_000_000 * len(name))
            made = microphone(amount, begin=begin) if name == "microphone" else camera(amount, gop=5, begin=begin)
            inlets[name].feed(made)
            stage.clock.advance(amount * FRAME_S if name == "microphone" else amount / 15)
        elif what == "restart":
            inlets[name].restart()
        elif what == "picture":
            stage.hub.select(inlets[name], at_once=bool(amount))
        elif what == "sound":
            stage.hub.select_sound(inlets.get(name))
        else:
            stage.clock.advance(amount / 10)
    pictures, heard = unit_times(stage.data)
    assert all(step > 0 for step in steps(pictures))
    assert steps(heard) <= {AUDIO_STEP_TICKS}
    assert is_unbroken(stage.data)
