"""No picture and too few pictures are alarms; and a real encoder with a real trouble raises the right one in time."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stream_stage import SMALL, until

from hardware.clock import ManualClock, SystemClock
from stream import graph
from stream.alarms import Alarm, worst_first
from stream.health import Health, SourceState
from stream.hub import Hub
from stream.process import Child
from stream.settings import NetworkCamera, StreamSettings, TestPicture, VideoDevice
from stream.source_alarms import SourceAlarms
from stream.sources import Encoder

WITHIN_S = 5.0
SAID_EVERY_S = 0.5  # the stream process tells its state twice a second


class Course:
    """States of a source, one after the other, and what is said of them."""

    def __init__(self) -> None:
        self._clock = ManualClock()
        self._alarms = SourceAlarms(NetworkCamera(url="rtsp://cam/1"))

    def goes_on(self, state: Health, seconds: float, cause: str = "") -> list[Alarm]:
        """What is said at the end."""
        said: tuple[Alarm, ...] = ()
        for _ in range(round(seconds / SAID_EVERY_S)):
            self._clock.advance(SAID_EVERY_S)
            said = self._alarms.look(self._clock.monotonic(), SourceState(state=state, cause=cause), "20.0 of 30")
        return list(said)


def codes(alarms: list[Alarm]) -> list[str]:
    return [alarm.code for alarm in alarms]


def test_a_camera_that_is_slow_to_answer_at_the_start_is_no_alarm() -> None:
    course = Course()
    assert course.goes_on(Health.CONNECTING, 9.0) == []
    assert course.goes_on(Health.LIVE, 5.0) == []


def test_one_that_never_answers_is() -> None:
    assert codes(Course().goes_on(Health.CONNECTING, 13.0)) == ["no-picture"]


def test_an_encoder_that_is_back_within_a_second_is_no_alarm() -> None:
    course = Course()
    course.goes_on(Health.LIVE, 5.0)
    assert course.goes_on(Health.LOST, 1.5) == []
    assert course.goes_on(Health.LIVE, 1.0) == []


def test_a_lost_camera_is_an_alarm_with_its_cause_and_one_thing_to_do() -> None:
    (said,) = Course().goes_on(Health.LOST, 3.0, "no picture from the camera for 4 s")
    assert said.code == "no-picture"
    assert said.cause == "no picture from the camera for 4 s"
    assert "power and network" in said.action


def test_a_camera_that_comes_for_a_moment_only_is_still_an_alarm() -> None:
    course = Course()
    course.goes_on(Health.LOST, 5.0)
    assert codes(course.goes_on(Health.LIVE, 1.0)) == ["no-picture"]
    assert course.goes_on(Health.LIVE, 2.0) == []


def test_a_slow_encoder_is_an_alarm_until_it_keeps_up() -> None:
    course = Course()
    (said,) = course.goes_on(Health.BEHIND, 1.0)
    assert (said.code, said.cause) == ("slow", "20.0 of 30")
    assert codes(course.goes_on(Health.LIVE, 4.0)) == ["slow"]
    assert course.goes_on(Health.LIVE, 2.0) == []


def test_nothing_is_said_of_a_camera_that_nobody_wants() -> None:
    course = Course()
    course.goes_on(Health.LOST, 5.0)
    assert course.goes_on(Health.STOPPED, 0.5) == []


def test_the_worst_is_said_first() -> None:
    given = [Alarm(code=code, cause="", action="") for code in ("hot", "frozen", "no-picture")]
    assert codes(list(worst_first(given))) == ["no-picture", "frozen", "hot"]


# A machine with a camera: the V4L2 input becomes a picture of our making, all the rest is the real thing.
_STAGED_FFMPEG = """#!{python}
import os, sys
argv = sys.argv[1:]
begin = argv.index("v4l2") - 1
argv[begin : argv.index("/dev/video0") + 1] = ["-f", "lavfi", "-re", "-i", {scene!r}]
os.execv("/usr/bin/ffmpeg", ["ffmpeg", *argv])
"""
BARS = "testsrc2=size=320x180:rate=15"
Begin = Callable[[str], Encoder]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: SystemClock) -> Iterator[Begin]:
    """Starts encoders of a device that gives a scene, and stops them."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    begun: list[Encoder] = []

    def build(scene: str) -> Encoder:
        program = tmp_path / "ffmpeg"
        program.write_text(_STAGED_FFMPEG.format(python=sys.executable, scene=scene))
        program.chmod(0o755)
        encoder = Encoder(StreamSettings(source=VideoDevice(), picture=SMALL), clock)
        begun.append(encoder)
        encoder.start(Hub(SMALL.frames_per_s, clock))
        until(lambda: encoder.state().state is Health.LIVE)
        return encoder

    yield build
    for each in begun:
        each.stop()


def says(encoder: Encoder, *wanted: str) -> bool:
    return tuple(alarm.code for alarm in encoder.alarms()) == wanted


@pytest.mark.slow
def test_a_frozen_camera_is_said_within_five_seconds_and_the_end_of_it_too(begin: Begin) -> None:
    encoder = begin(f"{BARS},loop=loop=120:size=1:start=30")  # 2 s that move, 8 s that do not
    assert until(lambda: says(encoder, "frozen"), 15) <= 2 + WITHIN_S
    until(lambda: says(encoder), 10)
    assert encoder.state().restarts == 0


@pytest.mark.slow
def test_a_black_camera_is_said_within_five_seconds_and_the_end_of_it_too(begin: Begin) -> None:
    encoder = begin(f"{BARS},drawbox=t=fill:color=black:enable='between(t,2,9)'")
    assert until(lambda: says(encoder, "black"), 15) <= 2 + WITHIN_S
    until(lambda: says(encoder), 10)


def test_a_silent_camera_is_said_within_five_seconds_and_the_end_of_it_too(begin: Begin) -> None:
    encoder = begin(BARS)
    assert encoder.pid is not None
    os.kill(encoder.pid, signal.SIGSTOP)
    try:
        assert until(lambda: says(encoder, "no-picture"), 15) <= WITHIN_S
    finally:
        os.kill(encoder.pid, signal.SIGCONT)
    until(lambda: says(encoder), 10)


@pytest.mark.slow
def test_a_camera_that_is_well_is_no_alarm(begin: Begin) -> None:
    encoder = begin(BARS)
    said: set[str] = set()
    start = encoder.state().frames
    until(lambda: said.update(alarm.code for alarm in encoder.alarms()) or encoder.state().frames > start + 90, 15)
    assert said == set()


def test_the_small_pictures_do_not_make_the_stream_come_in_lumps(clock: SystemClock) -> None:
    """An output with few pictures is easily fed first: then the others wait half a second for their sound."""
    (ours, theirs), (small_ours, small_theirs) = os.pipe(), os.pipe()
    fcntl.fcntl(small_ours, fcntl.F_SETPIPE_SZ, 1 << 18)  # room for all of them: they are read at the end
    argv = graph.encoder(TestPicture(), SMALL, out_fd=theirs, watch_fd=small_theirs)
    with Child("encoder", argv, give_fds=(theirs, small_theirs)) as child:
        os.read(ours, 1 << 20)
        began_s = clock.monotonic()
        tenths: set[int] = set()  # of a second, in which something came
        while (passed_s := clock.monotonic() - began_s) < 3.0:
            if os.read(ours, 1 << 20):
                tenths.add(int(passed_s * 10))
        child.kill()
        small_bytes = len(os.read(small_ours, 1 << 20))
    os.close(ours)
    os.close(small_ours)
    assert len(tenths) > 20, "in lumps it would be in some 6 of 30"
    assert 4 <= small_bytes / (graph.WATCH_WIDTH_PX * graph.WATCH_HEIGHT_PX) <= 8
