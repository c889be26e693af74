"""A device that refuses what it is asked for is asked for less, and what is missing is said."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stream_stage import SMALL, until

from hardware.clock import SystemClock
from stream.health import Health
from stream.hub import Hub
from stream.settings import StreamSettings, VideoDevice
from stream.sources import Encoder

# ffmpeg on a machine with a camera: the V4L2 input becomes moving bars, all the rest is the real thing.
_STAGED_FFMPEG = """#!{python}
import json, os, sys
argv = sys.argv[1:]
with open({asked!r}, "a") as asked:
    asked.write(json.dumps(argv) + "\\n")
begin = argv.index("v4l2") - 1
end = argv.index("/dev/video0") + 1
if "mjpeg" in argv[begin:end] and not {has_mjpeg}:
    print("[video4linux2,v4l2 @ 0x1] [error] Cannot find a proper format for codec 'mjpeg' (id 7), "
          "pixel format 'none' (id -1)", "[error] /dev/video0: Invalid argument", sep="\\n", file=sys.stderr)
    sys.exit(1)
argv[begin:end] = ["-f", "lavfi", "-re", "-i", "testsrc2=size=320x180:rate=15"]
os.execv("/usr/bin/ffmpeg", ["ffmpeg", *argv])
"""


class Stage:
    """A machine with a camera."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked = folder / "asked"

    def install(self, *, has_mjpeg: bool) -> None:
        """Put the camera there."""
        program = self._folder / "ffmpeg"
        program.write_text(_STAGED_FFMPEG.format(python=sys.executable, asked=str(self._asked), has_mjpeg=has_mjpeg))
        program.chmod(0o755)

    def asked_for(self, word: str) -> list[bool]:
        """Whether each ffmpeg, in order, was given this word."""
        return [word in json.loads(line) for line in self._asked.read_text().splitlines()]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Stage(tmp_path)


@pytest.fixture
def encoders(clock: SystemClock) -> Iterator[list[Encoder]]:
    """Encoders to be stopped, whatever happens."""
    begun: list[Encoder] = []
    yield begun
    for each in begun:
        each.stop()


def begin(encoders: list[Encoder], clock: SystemClock, source: VideoDevice) -> Encoder:
    encoder = Encoder(StreamSettings(source=source, picture=SMALL), clock)
    encoders.append(encoder)
    encoder.start(Hub(SMALL.frames_per_s, clock))
    return encoder


def until_live(encoder: Encoder, restarts: int) -> None:
    until(lambda: encoder.state().restarts == restarts and encoder.state().state is Health.LIVE)


def kill(encoder: Encoder) -> None:
    assert encoder.pid is not None
    os.kill(encoder.pid, signal.SIGKILL)


def test_a_camera_without_mjpeg_is_asked_for_what_it_has_and_not_asked_again(
    stage: Stage, encoders: list[Encoder], clock: SystemClock
) -> None:
    stage.install(has_mjpeg=False)
    encoder = begin(encoders, clock, VideoDevice())
    until_live(encoder, 1)
    assert encoder.state().cause == ""
    kill(encoder)
    until_live(encoder, 2)
    assert stage.asked_for("mjpeg") == [True, False, False]


def test_a_camera_with_mjpeg_is_never_asked_for_less(stage: Stage, encoders: list[Encoder], clock: SystemClock) -> None:
    stage.install(has_mjpeg=True)
    encoder = begin(encoders, clock, VideoDevice())
    until_live(encoder, 0)
    kill(encoder)
    until_live(encoder, 1)
    assert stage.asked_for("mjpeg") == [True, True]


@pytest.mark.slow
def test_an_encoder_that_gives_pictures_in_fits_and_starts_is_begun_anew(
    stage: Stage, clock: SystemClock, encoders: list[Encoder]
) -> None:
    stage.install(has_mjpeg=True)
    encoder = begin(encoders, clock, VideoDevice())
    until(lambda: encoder.state().state is Health.LIVE)
    first = encoder.pid
    assert first is not None
    fits = threading.Event()  # never set: it lets the time of a fault go by

    def is_anew() -> bool:
        if encoder.pid != first:
            return True
        os.kill(first, signal.SIGSTOP)
        fits.wait(3.0)
        os.kill(first, signal.SIGCONT)
        fits.wait(0.5)
        return False

    until(is_anew, 40)
    until(lambda: encoder.state().state is Health.LIVE)
    assert encoder.state().restarts == 1
