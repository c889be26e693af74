"""A slate is a source like any other: it never leaves a gap, plays only when needed, and changes on air."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator

import pytest
from PIL import Image
from stream_stage import SMALL, STEP_TICKS, camera, is_unbroken, unit_times, until

from hardware.clock import ManualClock
from stream import graph
from stream.errors import BadSlate
from stream.hub import Hub
from stream.mpegts import TICKS_PER_S
from stream.slate_loop import SlateLoop, SlatePlay
from stream.slate_source import SlateSource

FAR = 1 << 30
RATE = SMALL.frames_per_s


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("slate")
    Image.new("RGB", (320, 180), "navy").save(folder / "a.png")
    argv = graph.slate([folder / "a.png"], SMALL, out=folder / "a.ts")
    subprocess.run(argv, check=True, capture_output=True)
    return (folder / "a.ts").read_bytes()


@pytest.fixture
def loop(rendered: bytes) -> SlateLoop:
    return SlateLoop(rendered, RATE)


@pytest.fixture
def hub(still_clock: ManualClock) -> Hub:
    return Hub(RATE, still_clock)


@pytest.fixture
def slates(hub: Hub, still_clock: ManualClock) -> Iterator[SlateSource]:
    source = SlateSource(RATE, still_clock)
    source.start(hub)
    yield source
    source.stop()


class Viewer:
    """A leg that keeps all it was sent."""

    def __init__(self, hub: Hub) -> None:
        self._tap = hub.attach("leg", FAR)
        self._data = b""

    @property
    def data(self) -> bytes:
        while (chunk := self._tap.take(0)) is not None:
            self._data += chunk.data
        return self._data

    @property
    def times(self) -> list[int]:
        """Of the video frames. Ticks."""
        return unit_times(self.data)[0]


def steps(times: list[int]) -> set[int]:
    return {later - earlier for earlier, later in itertools.pairwise(times)}


def test_a_loop_follows_itself_without_a_jump_in_picture_or_sound(loop: SlateLoop) -> None:
    play = SlatePlay(loop, 100.0)
    due = [play.due_s]
    data = b""
    for _ in range(3 * len(loop)):
        data += play.take()
        due.append(play.due_s)
    video, sound = unit_times(data)
    assert steps(video) == {STEP_TICKS}
    assert steps(sound) == {1920}
    assert due[0] == 100.0
    assert due[-1] == pytest.approx(124.0)


def test_another_loop_goes_on_in_the_times_of_the_one_before(rendered: bytes, loop: SlateLoop) -> None:
    play = SlatePlay(loop, 0.0)
    data = b"".join(play.take() for _ in range(len(loop) + 7))
    play.replace(SlateLoop(rendered, RATE))
    data += b"".join(play.take() for _ in range(20))
    assert steps(unit_times(data)[0]) == {STEP_TICKS}


def test_what_is_cut_short_is_no_loop(rendered: bytes) -> None:
    with pytest.raises(BadSlate, match="119 frames"):
        SlateLoop(rendered[: frame_starts(rendered)[119]], RATE)
    with pytest.raises(BadSlate, match="not 240"):
        SlateLoop(rendered, 30)


def test_a_silent_camera_is_followed_by_a_slate_that_makes_up_for_the_silence(
    hub: Hub, slates: SlateSource, loop: SlateLoop, still_clock: ManualClock
) -> None:
    stage, viewer = hub.inlet("camera"), Viewer(hub)
    hub.select(stage)
    stage.feed(camera(15))
    still_clock.advance(0.7)
    slates.show(loop)
    until(lambda: slates.is_on_air)
    still_clock.advance(1.0)
    until(lambda: len(viewer.times) >= 14 + 10 + 15 - 1)
    assert steps(viewer.times) == {STEP_TICKS}
    assert is_unbroken(viewer.data)
    hub.select(stage)
    stage.feed(camera(16, begin=777_777))
    assert steps(viewer.times) == {STEP_TICKS}
    assert stage.is_on_air


def test_a_camera_that_was_away_for_long_leaves_the_gap_that_really_was(
    hub: Hub, slates: SlateSource, loop: SlateLoop, still_clock: ManualClock
) -> None:
    stage, viewer = hub.inlet("camera"), Viewer(hub)
    hub.select(stage)
    stage.feed(camera(15))
    still_clock.advance(10.0)
    slates.show(loop)
    until(lambda: slates.is_on_air)
    still_clock.advance(0.5)
    until(lambda: len(viewer.times) > 16)
    assert steps(viewer.times) == {STEP_TICKS, 10 * TICKS_PER_S}


def test_it_plays_only_while_it_is_needed(
    hub: Hub, slates: SlateSource, loop: SlateLoop, still_clock: ManualClock
) -> None:
    stage, viewer = hub.inlet("camera"), Viewer(hub)
    slates.show(loop)
    until(lambda: slates.is_on_air)
    hub.select(stage)
    still_clock.advance(1.0)
    until(lambda: len(viewer.times) > 5, what="until the camera comes it goes on")
    stage.feed(camera(3))
    assert not slates.is_on_air
    before = len(viewer.times)
    still_clock.advance(5.0)
    until(lambda: slates.quiet_s > 0.12)
    until(lambda: slates.quiet_s < 0.05, what="it has looked since")
    assert len(viewer.times) == before


def test_a_new_slate_takes_over_on_air_at_the_next_frame(
    hub: Hub, slates: SlateSource, rendered: bytes, loop: SlateLoop, still_clock: ManualClock
) -> None:
    viewer = Viewer(hub)
    slates.show(loop)
    still_clock.advance(0.5)
    until(lambda: len(viewer.times) >= 7)
    slates.show(SlateLoop(rendered, RATE))
    still_clock.advance(0.5)
    until(lambda: len(viewer.times) >= 14)
    assert steps(viewer.times) == {STEP_TICKS}
    assert keyframes(viewer.data) == [0, 8]


def keyframes(data: bytes) -> list[int]:
    return [number for number, at in enumerate(frame_starts(data)) if data[at + 3] & 0x20 and data[at + 5] & 0x40]


def frame_starts(data: bytes) -> list[int]:
    return [at for at in range(0, len(data), 188) if data[at + 1] == 0x41 and data[at + 2] == 0]


def test_the_same_slate_shown_again_on_air_goes_on(
    hub: Hub, slates: SlateSource, loop: SlateLoop, still_clock: ManualClock
) -> None:
    viewer = Viewer(hub)
    slates.show(loop)
    still_clock.advance(0.4)
    until(lambda: len(viewer.times) >= 6)
    slates.show(loop)
    still_clock.advance(0.4)
    until(lambda: len(viewer.times) >= 12)
    assert keyframes(viewer.data) == [0]


def test_a_slate_is_back_at_once_when_it_is_wanted_again_in_the_moment_the_camera_took_over(
    hub: Hub, slates: SlateSource, loop: SlateLoop, still_clock: ManualClock
) -> None:
    stage = hub.inlet("camera")
    slates.show(loop)
    until(lambda: slates.is_on_air)
    hub.select(stage)
    stage.feed(camera(3))
    assert not slates.is_on_air
    slates.show(loop)
    still_clock.advance(0.5)
    until(lambda: slates.is_on_air, 3)


def test_a_slate_that_was_ordered_does_not_lag_even_after_one_that_stood_in(
    hub: Hub, slates: SlateSource, loop: SlateLoop, still_clock: ManualClock
) -> None:
    stage = hub.inlet("camera")
    late: list[float] = []
    for stands_in in (True, False):
        hub.select(stage)
        stage.feed(camera(15))
        last_s = still_clock.monotonic()
        still_clock.advance(0.7)
        slates.show(loop, stands_in=stands_in)
        until(lambda: slates.is_on_air)
        assert hub.frame_at_s is not None
        late.append((hub.frame_at_s - last_s) * RATE % 1)
    assert late == pytest.approx([0.75, 0.0], abs=0.01)


def test_without_any_slate_one_on_air_ends(
    hub: Hub, slates: SlateSource, loop: SlateLoop, still_clock: ManualClock
) -> None:
    viewer = Viewer(hub)
    slates.show(loop)
    until(lambda: slates.is_on_air)
    slates.show(None)
    assert not slates.is_on_air
    before = len(viewer.times)
    still_clock.advance(5.0)
    until(lambda: slates.quiet_s > 0.12)
    until(lambda: slates.quiet_s < 0.05, what="it has looked since")
    assert len(viewer.times) == before


def test_without_any_slate_the_camera_is_hidden_all_the_same(hub: Hub, slates: SlateSource) -> None:
    stage, viewer = hub.inlet("camera"), Viewer(hub)
    hub.select(stage)
    stage.feed(camera(15))
    slates.show(None)
    before = viewer.data
    stage.feed(camera(30, begin=15 * STEP_TICKS))
    assert viewer.data == before


def test_commands_after_the_end_are_harmless(slates: SlateSource, loop: SlateLoop) -> None:
    slates.stop()
    slates.show(loop)
    slates.stop()
    assert not slates.is_on_air
