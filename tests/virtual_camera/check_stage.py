"""The stream on the real picamera2: its pictures are on air and on film, and its freezing costs a slate, no more."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest
from make_pictures import CODES, GREYS, make_pictures
from stream_stage import RtmpServer, finished_films

from hardware.clock import SystemClock
from kiosk.door.reader import Reader
from stream.director import Director
from stream.health import Health
from stream.mixer import STANDING_IN
from stream.settings import CameraModule, Destination, Picture, StreamSettings

FROZEN = Path("/tmp/the-camera-is-frozen")
PICTURE = Picture(
    width_px=640, height_px=360, frames_per_s=30, keyframe_s=1, video_kbps=1500, preset="ultrafast", encoder="software"
)
FROZEN_S = 4.0  # longer than it has buffers for half seconds, shorter than its patience of 5 s
KEY = "right-key"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RtmpServer]:
    (tmp_path / "nginx").mkdir()
    server = RtmpServer(tmp_path / "nginx")
    server.start()
    yield server
    server.close()


@pytest.fixture
def director(tmp_path: Path, server: RtmpServer) -> Iterator[Director]:
    make_pictures(Path("/opt/pictures"), CODES)
    settings = StreamSettings(
        source=CameraModule(),
        picture=PICTURE,
        destinations=(Destination(name="hall", url=f"{server.url}/asks"),),
        preview=False,
    )
    with Director(settings, {"hall": KEY}, tmp_path / "state", tmp_path / "run", SystemClock()) as director:
        until(lambda: len(list((tmp_path / "run" / "slates").glob("*.ts"))) >= 5, 40)
        yield director
        FROZEN.unlink(missing_ok=True)


def until(is_so: Callable[[], object], limit_s: float) -> float:
    began_s = time.monotonic()
    while not is_so():
        assert time.monotonic() - began_s < limit_s
        threading.Event().wait(0.02)
    return time.monotonic() - began_s


def roll(director: Director, seconds: float) -> None:
    """Let the recording go on for so long."""
    frames = director.state().legs[0].frames_sent
    until(lambda: director.state().legs[0].frames_sent >= frames + seconds * PICTURE.frames_per_s, seconds + 10)


def corner(frame: av.VideoFrame) -> int:
    """Which of our greys the border of a picture is; -1: it is none of ours."""
    luma = frame.to_ndarray()[4:36, 4:36]  # as libcamera gave it: whether that is 16 to 235 or 0 to 255 is its affair
    found = [number for number, grey in enumerate(GREYS) if abs(luma.mean() - grey) < 6 and luma.std() < 4]
    return found[0] if found else -1


def test_the_camera_is_on_air_its_freezing_costs_a_slate_and_it_is_back_in_the_same_session(
    director: Director, server: RtmpServer, tmp_path: Path
) -> None:
    director.start()
    took_s = until(lambda: director.state().on_air == "camera", 30)
    until(lambda: director.state().legs[1].state is Health.LIVE, 15)
    roll(director, 4)
    module = director.pids["camera-module"]
    FROZEN.touch()
    slate_s = until(lambda: director.state().program_cause == STANDING_IN, 5)
    roll(director, FROZEN_S - slate_s)
    FROZEN.unlink()
    back_s = until(lambda: director.state().on_air == "camera", 10)
    roll(director, 4)
    assert director.state().source.restarts == 0 and director.pids["camera-module"] == module
    director.stop()
    (path,) = finished_films(tmp_path / "state" / "recordings")
    if kept := os.environ.get("PLATYPUS_FILM"):
        shutil.copy(path, kept)
    reader = Reader(SystemClock())
    read: set[bytes] = set()
    shown: list[int] = []
    with av.open(str(path)) as film:
        codec = film.streams.video[0].codec_context.name
        for number, frame in enumerate(film.decode(video=0)):
            shown.append(corner(frame))
            if number % 5 == 0 and shown[-1] >= 0 and len(read) < len(CODES):
                read |= {each.data for each in reader.look(frame.to_ndarray(format="gray")).reads}
    ours = [each for each in shown if each >= 0]
    turns = [grey for grey, _ in itertools.groupby(ours)]
    out_of_turn = sum((after - before) % len(GREYS) != 1 for before, after in itertools.pairwise(turns))
    print(
        f"stage: on air {took_s:.1f} s after the start, slate {slate_s:.2f} s after it froze, "
        f"back {back_s:.2f} s after it thawed; film: {len(shown)} pictures of {codec}, {len(ours)} of the camera; "
        f"{len(read)} codes read in it; {out_of_turn} of {len(turns)} not in their turn"
    )
    assert codec == "h264"
    assert len(ours) >= 7 * PICTURE.frames_per_s
    assert len(shown) - len(ours) >= 2 * PICTURE.frames_per_s, "the slate in between"
    assert read == set(CODES)
    assert set(ours) == set(range(len(GREYS)))
    assert out_of_turn <= 3, "where the camera comes back, and what a busy machine may miss"
    assert server.sessions == 1
