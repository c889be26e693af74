"""A camera module on air with its microphone: what befalls its process costs a slate and nothing more."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sound_stage
from module_stage import ModuleStage
from sound_stage import MICROPHONE, beeps, silent_frames, sound_steps
from stream_stage import RtmpServer, Viewer, is_running, until, video_steps

from hardware.clock import SystemClock
from stream.director import Director
from stream.health import Health
from stream.mixer import STANDING_IN
from stream.preflight import Preflight
from stream.settings import CameraModule, Destination, Picture, StreamSettings

KEY = "right-key"
PICTURE = Picture(
    width_px=320, height_px=180, frames_per_s=30, keyframe_s=1, video_kbps=300, audio_kbps=64, preset="ultrafast"
)
STEP_TICKS = 90_000 // PICTURE.frames_per_s
SYNC_MS = 40.0

pytestmark = pytest.mark.slow  # each holds a whole stream for ten seconds


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleStage:
    """A machine with a camera module and a microphone."""
    sound_stage.install(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    stage = ModuleStage(tmp_path)
    monkeypatch.setattr(sys, "executable", str(stage.python))
    stage.plug_in()
    return stage


def settings(server: RtmpServer) -> StreamSettings:
    return StreamSettings(
        source=CameraModule(microphone=MICROPHONE),
        picture=PICTURE,
        destinations=(Destination(name="hall", url=f"{server.url}/asks"),),
    )


@pytest.fixture
def director(stage: ModuleStage, tmp_path: Path, clock: SystemClock, rtmp_server: RtmpServer) -> Iterator[Director]:
    with Director(settings(rtmp_server), {"hall": KEY}, tmp_path / "state", tmp_path / "run", clock) as director:
        until(lambda: len(list((tmp_path / "run" / "slates").glob("*.ts"))) >= 5, 20, "slates are ready")
        yield director


@pytest.fixture
def viewer(director: Director, rtmp_server: RtmpServer, tmp_path: Path) -> Iterator[Viewer]:
    director.start()
    until_live(director)
    until(lambda: director.state().legs[1].state is Health.LIVE, 15)
    viewer = Viewer(f"{rtmp_server.url}/asks/{KEY}", tmp_path / "viewer.ts")
    yield viewer
    viewer.leave()


def until_live(director: Director) -> None:
    until(lambda: director.state().on_air == "camera" and director.state().sound.on_air, 20, "camera and room on air")


def roll(director: Director, seconds: float) -> None:
    """Let the recording go on for so long."""
    frames = director.state().legs[0].frames_sent
    until(lambda: director.state().legs[0].frames_sent >= frames + seconds * PICTURE.frames_per_s, seconds + 10)


@pytest.mark.parametrize(
    ("whose", "fault"),
    [
        ("camera-module", signal.SIGSTOP),
        ("camera-module", signal.SIGKILL),
        pytest.param("camera", signal.SIGSTOP, marks=pytest.mark.slow),
        pytest.param("camera", signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_either_process_that_freezes_or_dies_costs_a_slate_and_neither_session_nor_sound(
    director: Director, viewer: Viewer, rtmp_server: RtmpServer, tmp_path: Path, whose: str, fault: signal.Signals
) -> None:
    film = tmp_path / "film.ts"
    (recording,) = (tmp_path / "state" / "recordings").glob("*.ts")
    film.hardlink_to(recording)  # which becomes an MP4 in its own time
    roll(director, 3)
    both = {director.pids["camera-module"], director.pids["camera"]}
    os.kill(director.pids[whose], fault)
    took_s = until(lambda: director.state().program_cause == STANDING_IN)
    roll(director, 2)
    if fault == signal.SIGSTOP:
        os.kill(director.pids[whose], signal.SIGCONT)
    else:
        assert not any(is_running(pid) for pid in both), "neither is left behind"
    until_live(director)
    roll(director, 3)
    viewer.leave()
    director.stop()
    others = [step / STEP_TICKS for step in video_steps(film) if step != STEP_TICKS]
    print(f"{whose} {fault.name}: slate after {took_s:.2f} s, gap {viewer.gap_s:.3f} s, other steps: {others}")
    assert rtmp_server.sessions == 1
    assert viewer.gap_s <= 0.3
    assert viewer.decoding_errors == ""
    assert len(others) <= 3 and all(step in (2, 3, 4, 5) for step in others)
    assert set(sound_steps(film)) == {1920}
    assert silent_frames(film) <= 5, "the microphone is heard all the time, but for the tenth in which it is put right"
    late = [beep.late_ms for beep in beeps(film)]
    print("sound is late by, ms:", [round(each, 1) for each in late])
    assert len(late) >= 4
    assert max(abs(each) for each in late) < SYNC_MS


def test_a_cable_that_comes_loose_is_said_in_words_and_the_camera_is_back_by_itself(
    stage: ModuleStage, director: Director, viewer: Viewer, rtmp_server: RtmpServer
) -> None:
    stage.unplug()
    until(lambda: "the camera module is not found" in director.state().source.cause, 15)
    until(lambda: director.state().alarms)
    (alarm,) = director.state().alarms
    assert alarm.code == "no-picture"
    assert "check its ribbon cable" in alarm.cause and "ribbon cable" in alarm.action
    assert director.state().on_air == "slate"
    stage.plug_in()
    until_live(director)
    until(lambda: not director.state().alarms)
    assert rtmp_server.sessions == 1


def test_nothing_of_it_runs_when_the_stream_is_stopped(director: Director, viewer: Viewer) -> None:
    both = {director.pids["camera-module"], director.pids["camera"]}
    director.stop()
    assert not any(is_running(pid) for pid in both)
    assert "camera-module" not in director.pids


def test_the_pre_flight_tries_it_or_says_what_is_wrong(
    stage: ModuleStage, tmp_path: Path, clock: SystemClock, rtmp_server: RtmpServer
) -> None:
    of = StreamSettings(source=CameraModule(), picture=PICTURE)
    says = []
    for is_plugged in (True, False):
        if not is_plugged:
            stage.unplug()
        preflight = Preflight(of, {}, (tmp_path / "recordings",), tmp_path, clock)
        preflight.start()
        try:
            until(lambda: preflight.readiness and preflight.readiness.is_complete, 60)  # noqa: B023  it ends in here
            assert preflight.readiness is not None
            says.append(next(check for check in preflight.readiness.checks if check.name == "camera"))
        finally:
            preflight.close()
    assert [check.state for check in says] == ["ok", "bad"]
    assert "check its ribbon cable" in says[1].says
