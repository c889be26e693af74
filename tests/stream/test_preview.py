"""What viewers see, as a picture and as HLS: always new or not there, and no other leg ever feels it."""

from __future__ import annotations

import io
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from stream_stage import SMALL, STEP_TICKS, is_running, until, video_steps

from hardware.clock import SystemClock
from stream import copies
from stream.director import Director
from stream.health import Health, LegKind, LegState
from stream.hub import Hub, Inlet
from stream.preview import Preview
from stream.preview_files import PICTURE, PLAYLIST, SEGMENT, preview_folder
from stream.settings import StreamSettings

LISTED = re.compile(r"^live-[0-9]+\.ts$", re.MULTILINE)


class Stage:
    """A preview and the hub it is fed by, which is fed by hand with 3 s of film again and again."""

    def __init__(self, folder: Path, film: bytes, clock: SystemClock, stuck_after_s: float) -> None:
        self.folder = folder
        self.clock = clock
        self.preview = Preview(folder, SMALL, clock, stuck_after_s=stuck_after_s, chance=lambda: 0.0)
        self._hub = Hub(SMALL.frames_per_s, clock)
        self._inlet: Inlet = self._hub.inlet("camera")
        self._hub.select_sound(self._inlet)
        self._film = film
        self._feed_at_s = 0.0
        self.preview.start(self._hub)

    @property
    def state(self) -> LegState:
        return self.preview.state()

    def until(self, is_so: Callable[[], object], limit_s: float = 15.0) -> float:
        """Feed until it is so. Ten times faster than it was filmed, so that segments do not take long."""

        def feed() -> object:
            now_s = self.clock.monotonic()
            if now_s >= self._feed_at_s:
                self._feed_at_s = now_s + 0.3
                self._inlet.restart()
                self._inlet.feed(self._film)
            return is_so()

        return until(feed, limit_s)

    def is_made(self) -> bool:
        return self.state.state is Health.LIVE

    def segments(self) -> list[str]:
        """What the playlist lists."""
        return LISTED.findall((self.folder / PLAYLIST).read_text())


@pytest.fixture
def begin(tmp_path: Path, real_ts: bytes, clock: SystemClock) -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def build(stuck_after_s: float = 10.0) -> Stage:
        stages.append(Stage(tmp_path / "run" / "preview", real_ts, clock, stuck_after_s))
        return stages[-1]

    yield build
    for each in stages:
        each.preview.stop()


def test_it_makes_a_picture_of_what_viewers_see_and_segments_that_play(begin: Callable[..., Stage]) -> None:
    stage = begin()
    assert (stage.state.state, stage.state.cause) == (Health.WAITING, "waiting for the first picture")
    stage.until(stage.is_made)
    assert stage.state.kind is LegKind.PREVIEW
    still = Image.open(io.BytesIO((stage.folder / PICTURE).read_bytes()))
    assert (still.format, still.size) == ("JPEG", (320, 180))
    assert np.asarray(still).std() > 40, "moving bars, not a grey nothing"
    stage.until(lambda: len(stage.segments()) >= 3)
    with av.open(str(stage.folder / stage.segments()[1])) as film:
        kinds = {packet.stream.type for packet in film.demux() if packet.dts is not None}
    assert kinds == {"video", "audio"}
    assert stage.state.cause == ""


def test_old_segments_are_deleted_while_it_runs(begin: Callable[..., Stage]) -> None:
    stage = begin()
    stage.until(stage.is_made)
    first = stage.segments()[0]
    stage.until(lambda: not (stage.folder / first).exists(), 20)
    assert len(stage.segments()) == 5
    assert len([path for path in stage.folder.iterdir() if SEGMENT.fullmatch(path.name)]) <= 7


def test_nothing_is_left_after_a_stop_nor_of_a_run_before(begin: Callable[..., Stage], tmp_path: Path) -> None:
    folder = tmp_path / "run" / "preview"
    folder.mkdir(parents=True)
    (folder / "live-1.ts").write_bytes(b"of yesterday")
    (folder / PICTURE).write_bytes(b"of yesterday")
    stage = begin()
    until(lambda: not any(folder.iterdir()))
    stage.until(stage.is_made)
    stage.preview.stop()
    assert list(folder.iterdir()) == []
    assert stage.state.state is Health.STOPPED
    assert stage.preview.pid is None


def test_one_that_is_killed_is_back_by_itself_with_segments_of_new_names(begin: Callable[..., Stage]) -> None:
    stage = begin()
    stage.until(stage.is_made)
    before, pid = stage.segments(), stage.preview.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    stage.until(lambda: stage.state.state is Health.LOST)
    assert stage.state.cause == "the preview was killed"
    assert not (stage.folder / PICTURE).exists(), "an old picture is no picture"
    stage.until(stage.is_made)
    assert stage.state.reconnects == 1
    assert min(map(number, stage.segments())) > max(map(number, before))
    assert "ENDLIST" not in (stage.folder / PLAYLIST).read_text()


def number(segment: str) -> int:
    return int(segment.removeprefix("live-").removesuffix(".ts"))


def test_one_that_is_stuck_is_killed_and_begun_anew(begin: Callable[..., Stage]) -> None:
    stage = begin(stuck_after_s=2.0)
    stage.until(stage.is_made)
    pid = stage.preview.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    stage.until(lambda: stage.state.state is Health.LOST)
    assert stage.state.cause == "no picture was made any more"
    assert not is_running(pid)
    stage.until(stage.is_made)


def test_a_hub_without_pictures_is_not_the_previews_fault(begin: Callable[..., Stage]) -> None:
    stage = begin(stuck_after_s=2.0)
    stage.until(stage.is_made)
    pid, at_s = stage.preview.pid, stage.clock.monotonic()
    until(lambda: stage.state.state is Health.WAITING)
    assert stage.state.cause == "nothing comes from the camera"
    until(lambda: stage.clock.monotonic() - at_s > 4.0)
    assert stage.preview.pid == pid
    stage.until(stage.is_made)


def test_a_folder_that_cannot_be_written_is_said(begin: Callable[..., Stage], tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no folder")
    stage = begin()
    stage.until(lambda: stage.state.state is Health.LOST)
    assert "cannot be written" in stage.state.cause


@pytest.mark.slow
def test_no_other_leg_feels_a_preview_that_is_stuck_or_killed(tmp_path: Path, clock: SystemClock) -> None:
    director = Director(StreamSettings(picture=SMALL), {}, tmp_path / "state", tmp_path / "run", clock)
    with director:
        director.start()

        def is_live() -> bool:
            return {leg.name: leg.state for leg in director.state().legs} == {
                "recording": Health.LIVE,
                "preview": Health.LIVE,
            }

        until(is_live, 20)
        os.kill(director.pids["preview"], signal.SIGKILL)
        until(lambda: not is_live())
        until(is_live, 20)
        os.kill(director.pids["preview"], signal.SIGSTOP)
        frames = director.state().legs[0].frames_sent
        until(lambda: director.state().legs[0].frames_sent > frames + 45)
        director.stop()
        recorded = director.state().legs[0].frames_sent
    (film,) = (tmp_path / "state" / "recordings").iterdir()
    steps = video_steps(film)
    assert set(steps) == {STEP_TICKS}
    assert len(steps) + 1 == recorded
    assert list(preview_folder(tmp_path / "run").iterdir()) == []


def test_whoever_wants_no_preview_has_none(tmp_path: Path, clock: SystemClock) -> None:
    of = StreamSettings(picture=SMALL, preview=False)
    with Director(of, {}, tmp_path / "state", tmp_path / "run", clock) as director:
        director.start()
        until(lambda: director.state().legs[0].state is Health.LIVE)
        assert [leg.name for leg in director.state().legs] == ["recording"]
        assert not preview_folder(tmp_path / "run").exists()


def test_the_preview_decodes_keyframes_only_and_copies_the_rest() -> None:
    argv = " ".join(copies.preview(SMALL, first_segment=70))
    assert argv.startswith("ffmpeg -f mpegts -analyzeduration 500000 -copyts -fpsprobesize 0 -probesize 300000 -skip")
    assert "-skip_frame nokey -threads 1 -i pipe:0 -filter_complex [0:v]scale=320:-2[" in argv
    still = (
        "-map [s1] -f image2 -atomic_writing 1 -color_range pc -fps_mode passthrough -pix_fmt yuv420p -q:v 5 "
        "-strict unofficial -update 1 picture.jpg"
    )
    assert still in argv
    assert (
        "-map 0:v -map 0:a -f hls -codec copy -hls_flags delete_segments+independent_segments+temp_file+omit_endlist "
        "-hls_list_size 5 -hls_segment_filename live-%d.ts -hls_time 1 -start_number 70 live.m3u8" in argv
    )
