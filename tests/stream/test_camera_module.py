"""The camera module's own process: what comes out of its pipe, and what it says when nothing does."""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from module_stage import ModuleStage
from stream_stage import SMALL, is_running, until

from hardware.cameras.fake_picamera2 import AUTOFOCUS, COLOURS, FakePicamera2, fake_modules
from stream.camera_module import SILENCE_S, Outlet, Shot, interleaved, monotonic_us, planar, stage_controls
from stream.module_feed import ModuleFeed
from stream.settings import CameraModule

FRAME_BYTES = 320 * 180 * 3 // 2
STEP_MS = 1000 / SMALL.frames_per_s


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleStage:
    stage = ModuleStage(tmp_path)
    monkeypatch.setattr(sys, "executable", str(stage.python))
    stage.plug_in()
    return stage


@pytest.fixture
def feed(stage: ModuleStage) -> Iterator[ModuleFeed]:
    feed = ModuleFeed(CameraModule(), SMALL)
    yield feed
    feed.stop()


def shots(feed: ModuleFeed, count: int, *, pause_s: float = 0.0) -> list[av.VideoFrame]:
    """The next pictures, `pause_s` between two reads of the first ones; nobody reads on after them."""
    with os.fdopen(feed.frames_fd, "rb") as pipe:
        data = pipe.read(2 * FRAME_BYTES)
        threading.Event().wait(pause_s)
        data += pipe.read((count - 1) * FRAME_BYTES)
    with av.open(io.BytesIO(data), format="nut") as film:
        return [packet.decode()[0] for packet in film.demux(video=0) if packet.size == FRAME_BYTES]  # the last is cut


def test_each_picture_has_the_moment_it_was_taken_and_its_planes_without_padding(feed: ModuleFeed) -> None:
    began_s = time.monotonic()
    frames = shots(feed, 20)
    at_s = [float(frame.pts * frame.time_base) for frame in frames]
    assert began_s < at_s[0] < at_s[-1] < time.monotonic()
    steps = np.diff(at_s) * 1000 / STEP_MS
    whole = np.maximum(1, np.round(steps))
    assert steps == pytest.approx(whole, abs=0.0015)
    assert whole.sum() <= len(steps) + 1, "a reader whom a busy machine keeps waiting may miss one"
    for frame, at in zip(frames, at_s, strict=True):
        y, u, v = (np.unique(plane) for plane in np.split(frame.to_ndarray().ravel(), (320 * 180, 320 * 180 * 5 // 4)))
        assert (list(u), list(v)) == ([COLOURS[0]], [COLOURS[1]])
        assert list(y) == pytest.approx([16 + 219 * (at % 1)], abs=1)


def test_a_reader_who_pauses_finds_the_newest_pictures_afterwards(feed: ModuleFeed) -> None:
    fcntl.fcntl(feed.frames_fd, fcntl.F_SETPIPE_SZ, 4096)  # else some ten of these small pictures fit in
    pause_s = 1.5
    at_s = [float(frame.pts * frame.time_base) for frame in shots(feed, 12, pause_s=pause_s)]
    steps = np.diff(at_s)
    assert steps.max() > pause_s / 2, "the older ones were left out"
    assert len(at_s) >= 10 and time.monotonic() - at_s[-1] < 0.5, "and what came was of now"


def test_a_picture_never_waits_for_a_reader_and_those_left_out_are_counted() -> None:
    reads, writes = os.pipe()  # and nobody reads
    outlet = Outlet(writes, (320, 180), 15)
    for number in range(20):
        outlet.put(Shot(bytes(FRAME_BYTES), number))
    assert outlet.left_out in (15, 16), "four wait, and one is on its way into the pipe, or will be"
    os.close(reads)
    until(lambda: not outlet.is_read)
    os.close(writes)


def test_it_ends_when_nobody_reads_any_more(feed: ModuleFeed) -> None:
    shots(feed, 3)
    until(lambda: not is_running(feed.pid), 2.0)
    assert feed.stop() is None


def test_a_module_that_is_not_there_is_said_with_what_to_do(stage: ModuleStage) -> None:
    stage.unplug()
    feed = ModuleFeed(CameraModule(), SMALL)
    assert os.read(feed.frames_fd, 1) == b""
    os.close(feed.frames_fd)
    trouble = feed.stop()
    assert trouble is not None
    assert trouble.startswith("the camera module is not found (0 cameras found): check its ribbon cable")


def test_a_machine_without_the_library_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(ModuleStage(tmp_path, has_library=False).python))
    feed = ModuleFeed(CameraModule(), SMALL)
    assert os.read(feed.frames_fd, 1) == b""
    os.close(feed.frames_fd)
    assert "sudo apt install python3-picamera2" in (feed.stop() or "")


def test_a_module_that_falls_silent_says_so_and_ends(stage: ModuleStage, feed: ModuleFeed) -> None:
    with os.fdopen(feed.frames_fd, "rb") as pipe:
        pipe.read(320 * 180)
        stage.unplug()
        while pipe.read(65536):
            pass
    assert feed.stop() == (
        f"the camera module gave no picture for {SILENCE_S:.0f} s: check its ribbon cable, with the power off."
    )


def test_it_dies_with_us(stage: ModuleStage, tmp_path: Path) -> None:
    code = f"""
import sys
from stream.module_feed import ModuleFeed
from stream.settings import CameraModule
sys.executable = {str(stage.python)!r}
import stream_stage
print(ModuleFeed(CameraModule(), stream_stage.SMALL).pid, flush=True)
sys.stdin.read()
"""
    paths = os.pathsep.join([str(Path.cwd()), str(Path(__file__).parent)])
    with subprocess.Popen(
        [stage.real_python, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": paths},
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert is_running(pid)
        owner.kill()
    until(lambda: not is_running(pid), 3.0)


def test_an_array_without_padding_is_taken_as_it_is() -> None:
    array = np.arange(6 * 4, dtype=np.uint8).reshape(6, 4)
    assert planar(array, 4, 4) == array.tobytes()


def test_a_camera_that_gives_its_colours_interleaved_is_filmed_in_the_same_colours() -> None:
    reads, writes = os.pipe()
    outlet = Outlet(writes, (320, 180), 15, "nv12")
    array = np.zeros((270, 384), np.uint8)  # with padding
    array[:180, :320], array[180:, :320:2], array[180:, 1:320:2] = 77, COLOURS[0], COLOURS[1]
    for number in range(2):
        outlet.put(Shot(interleaved(array, 320, 180), number))
    with os.fdopen(reads, "rb") as pipe:
        data = pipe.read(FRAME_BYTES + 4096)
    os.close(writes)
    with av.open(io.BytesIO(data), format="nut") as film:
        frame = next(packet.decode()[0] for packet in film.demux(video=0) if packet.size == FRAME_BYTES)
    planes = np.split(frame.reformat(format="yuv420p").to_ndarray().ravel(), (320 * 180, 320 * 180 * 5 // 4))
    assert [np.unique(plane).tolist() for plane in planes] == [[77], [COLOURS[0]], [COLOURS[1]]]


@pytest.mark.parametrize(("stamp_s", "taken_s"), [(99.9, 99.9), (149.9, 99.9), (None, 100.0)])
def test_a_stamp_is_of_the_clock_that_it_is_nearer_to(stamp_s: float | None, taken_s: float) -> None:
    slept_s = 50.0
    stamp_ns = None if stamp_s is None else round(stamp_s * 1e9)
    assert monotonic_us(stamp_ns, 100_000_000_000, round((100 + slept_s) * 1e9)) == round(taken_s * 1e6)


@pytest.fixture
def libcamera(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in fake_modules(FakePicamera2).items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("libcamera")
def test_focus_is_what_the_organizer_chose_where_the_module_has_any() -> None:
    assert stage_controls(CameraModule(), AUTOFOCUS) == {"AfMode": "continuous"}
    fixed = CameraModule(focus="fixed", lens_dioptres=0.2)
    assert stage_controls(fixed, AUTOFOCUS) == {"AfMode": "manual", "LensPosition": 0.2}
    assert stage_controls(fixed, {}) == {}
