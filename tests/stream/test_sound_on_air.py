"""A camera and a microphone apart, with real ffmpegs: what befalls one is nothing to the other; they stay in step."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sound_stage import MICROPHONE, MISSING, beeps, install, silent_frames, sound_steps
from stream_stage import SMALL, until, video_steps

from hardware.clock import Stamp, SystemClock
from stream.director import Director
from stream.health import Health
from stream.hub import Hub
from stream.microphone import Microphone
from stream.mixer import STANDING_IN
from stream.settings import Picture, StreamSettings, TestPicture, VideoDevice

PICTURE = Picture(
    width_px=320, height_px=180, frames_per_s=30, keyframe_s=1, video_kbps=300, audio_kbps=64, preset="ultrafast"
)
STEP_TICKS = 90_000 // PICTURE.frames_per_s
SYNC_MS = 40.0
Begin = Callable[..., Director]


@pytest.fixture
def begin(tmp_path: Path, clock: SystemClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Builds directors on a staged machine, waits for their slates, and closes them, whatever happens."""
    directors: list[Director] = []
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def build(microphone: str | None = MICROPHONE, loudness: float = 0.5, sound_later_ms: int = 0) -> Director:
        install(tmp_path, loudness=loudness)
        source = VideoDevice(microphone=microphone, sound_later_ms=sound_later_ms)
        of = StreamSettings(picture=PICTURE, source=source, introduce_s=60, preview=False)
        directors.append(Director(of, {}, tmp_path / "state", tmp_path / "run", clock))
        until(lambda: len(list((tmp_path / "run" / "slates").glob("*.ts"))) >= 5, 20, "slates are ready")
        return directors[-1]

    yield build
    for director in directors:
        director.close()


def recorded(tmp_path: Path) -> Path:
    """What was written, as it was written: when it is closed it becomes another film under another name."""
    return tmp_path / "recording.ts"


def is_heard(director: Director) -> bool:
    return director.state().sound.on_air


def until_live(director: Director, tmp_path: Path) -> None:
    until(lambda: director.state().on_air == "camera" and is_heard(director), 15, "camera and room on air")
    keep_recording(tmp_path)


def keep_recording(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "recordings"
    until(lambda: list(folder.glob("*.ts")), what="the recording takes what waits a moment later")
    (film,) = folder.glob("*.ts")
    if not recorded(tmp_path).exists():
        os.link(film, recorded(tmp_path))


def roll(director: Director, seconds: float) -> None:
    """Let the recording go on for so long."""
    frames = director.state().legs[0].frames_sent
    until(lambda: director.state().legs[0].frames_sent >= frames + seconds * PICTURE.frames_per_s, seconds + 10)


def only_small_steps(film: Path) -> bool:
    """Whether each picture follows the last by a step, or by a few where a camera came back to its own old times."""
    others = [step / STEP_TICKS for step in video_steps(film) if step != STEP_TICKS]
    print("other steps of pictures:", others)
    return len(others) <= 3 and all(step in (2, 3, 4, 5) for step in others)


def in_step(film: Path) -> list[float]:
    """How late the sound is at each beep, ms."""
    late = [beep.late_ms for beep in beeps(film)]
    print("sound is late by, ms:", [round(each, 1) for each in late])
    return late


@pytest.mark.slow
def test_viewers_go_on_hearing_the_room_while_the_camera_is_frozen(begin: Begin, tmp_path: Path) -> None:
    director = begin()
    director.start()
    until_live(director, tmp_path)
    roll(director, 3)
    camera = director.pids["camera"]
    os.kill(camera, signal.SIGSTOP)
    until(lambda: director.state().program_cause == STANDING_IN)
    roll(director, 3)
    assert is_heard(director)
    assert {alarm.code for alarm in director.state().alarms} <= {"no-picture"}
    os.kill(camera, signal.SIGCONT)
    until_live(director, tmp_path)
    roll(director, 3)
    director.stop()
    film = recorded(tmp_path)
    assert only_small_steps(film)
    assert set(sound_steps(film)) == {1920}
    assert silent_frames(film) == 0, "every frame is one that the microphone heard"
    late = in_step(film)
    assert len(late) >= 4
    assert max(abs(each) for each in late) < SYNC_MS


def test_a_microphone_that_is_killed_costs_no_picture_and_comes_back_by_itself(begin: Begin, tmp_path: Path) -> None:
    director = begin()
    director.start()
    until_live(director, tmp_path)
    roll(director, 2)
    killed = director.pids["microphone"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: director.pids.get("microphone", killed) != killed)
    until(lambda: is_heard(director))
    roll(director, 3)
    assert director.state().source.restarts == 0
    director.stop()
    film = recorded(tmp_path)
    assert set(video_steps(film)) == {STEP_TICKS}
    assert set(sound_steps(film)) == {1920}
    assert 0 < silent_frames(film) < 2.0 * 48_000 / 1024
    late = in_step(film)
    assert len(late) >= 3
    assert max(abs(each) for each in late) < SYNC_MS


@pytest.mark.slow
def test_a_microphone_that_hangs_is_replaced_and_said_meanwhile(begin: Begin, tmp_path: Path) -> None:
    director = begin()
    director.start()
    until_live(director, tmp_path)
    until(lambda: director.state().sound.peak_db is not None, what="its level is known, too")
    os.kill(director.pids["microphone"], signal.SIGSTOP)
    took_s = until(lambda: director.state().alarms)
    (alarm,) = director.state().alarms
    assert (alarm.code, MICROPHONE in alarm.cause) == ("no-sound", True)
    assert took_s < 5
    until(lambda: is_heard(director) and not director.state().alarms, 10)
    assert director.state().on_air == "camera"
    roll(director, 2)
    director.stop()
    film = recorded(tmp_path)
    assert set(video_steps(film)) == {STEP_TICKS}
    assert set(sound_steps(film)) == {1920}
    assert max(abs(each) for each in in_step(film)) < SYNC_MS


@pytest.mark.slow
def test_both_die_again_and_again_and_stay_in_step(begin: Begin, tmp_path: Path) -> None:
    director = begin()
    director.start()
    until_live(director, tmp_path)
    roll(director, 1)
    for name in ("camera", "microphone", "camera", "camera"):
        killed = director.pids[name]
        os.kill(killed, signal.SIGKILL)
        until(lambda name=name, killed=killed: director.pids.get(name, killed) != killed)
        until_live(director, tmp_path)
        roll(director, 2)
    director.stop()
    film = recorded(tmp_path)
    assert only_small_steps(film)
    assert set(sound_steps(film)) == {1920}
    late = in_step(film)
    assert len(late) >= 5
    assert max(abs(each) for each in late) < SYNC_MS


def test_a_microphone_that_does_not_open_is_said_and_costs_nothing_else(begin: Begin, tmp_path: Path) -> None:
    director = begin(MISSING)
    director.start()
    until(lambda: director.state().on_air == "camera", 15)
    keep_recording(tmp_path)
    until(lambda: director.state().alarms)
    state = director.state()
    (alarm,) = state.alarms
    assert alarm.code == "no-sound"
    assert alarm.cause.startswith(f"the microphone {MISSING} fails (cannot open audio device")
    assert "No such file" in alarm.cause
    assert state.sound.cause == alarm.cause
    assert (state.source.state, state.source.cause, state.source.restarts) == (Health.LIVE, "", 0)
    director.stop()
    film = recorded(tmp_path)
    assert set(sound_steps(film)) == {1920}
    assert silent_frames(film) == len(sound_steps(film)) + 1 - 47


@pytest.mark.slow
def test_who_hides_the_camera_hides_the_room_and_a_break_is_silent_but_an_introduction_is_heard(begin: Begin) -> None:
    director = begin()
    director.go_live()
    until(lambda: director.state().on_air == "slate")
    until(lambda: director.state().sound.peak_db)
    for order, is_on in (
        (director.next_talk, True),
        (director.camera, True),
        (director.hide_camera, False),
        (director.camera, True),
        (director.take_break, False),
    ):
        order()
        if not is_on:
            assert not is_heard(director), "at once"
            roll(director, 1)
            assert not is_heard(director)
        else:
            until(lambda: is_heard(director), 3)
            roll(director, 1)
            until(lambda: is_heard(director), 1, "the camera that took over has put it right")


@pytest.mark.slow
def test_a_camera_without_a_microphone_is_streamed_with_silence_and_raises_no_alarm(
    begin: Begin, tmp_path: Path
) -> None:
    director = begin(None)
    director.start()
    until(lambda: director.state().on_air == "camera", 15)
    keep_recording(tmp_path)
    roll(director, 6)
    state = director.state()
    assert (state.sound.cause, state.sound.on_air, state.alarms) == ("no microphone is set", False, ())
    director.stop()
    assert set(sound_steps(recorded(tmp_path))) == {1920}
    assert "microphone" not in director.pids


@pytest.mark.slow
@pytest.mark.parametrize(("loudness", "code"), [(0.0, "silence"), (4.0, "clipping")])
def test_too_quiet_and_too_loud_are_said(begin: Begin, tmp_path: Path, loudness: float, code: str) -> None:
    director = begin(loudness=loudness)
    director.start()
    until_live(director, tmp_path)
    until(lambda: [alarm.code for alarm in director.state().alarms] == [code], 8)


@pytest.mark.slow
@pytest.mark.parametrize("later_ms", [-300, 400])
def test_the_sound_may_be_set_later_or_earlier(begin: Begin, tmp_path: Path, later_ms: int) -> None:
    director = begin(sound_later_ms=later_ms)
    director.start()
    until_live(director, tmp_path)
    roll(director, 4)
    director.stop()
    film = recorded(tmp_path)
    assert set(sound_steps(film)) == {1920}
    late = in_step(film)
    assert len(late) >= 2
    assert max(abs(each - later_ms) for each in late) < SYNC_MS


class SetClock(SystemClock):
    """The machine's clock, of which the wall part can be set."""

    ahead = timedelta()

    def stamp(self) -> Stamp:
        """As the machine says, and so much ahead."""
        stamp = super().stamp()
        return stamp._replace(wall=stamp.wall + self.ahead)


def test_a_wall_clock_that_is_set_costs_a_moment_of_sound_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    install(tmp_path)
    clock = SetClock()
    microphone = Microphone(MICROPHONE, PICTURE, clock)
    inlet = microphone.start(Hub(30, clock))
    try:
        until(lambda: microphone.sound.state(clock.monotonic(), is_on_air=False).peak_db)
        before = microphone.pid
        clock.ahead = timedelta(hours=1)
        until(lambda: microphone.pid not in (before, None), 5)
        until(lambda: microphone.sound.state(clock.monotonic(), is_on_air=False).cause == "")
        after = microphone.pid
        until(lambda: microphone.sound.state(clock.monotonic(), is_on_air=False).peak_db)
        assert microphone.pid == after, "and not again"
    finally:
        microphone.stop()
    assert not inlet.is_on_air
    assert microphone.pid is None


def test_a_source_with_its_own_sound_has_a_meter_too(clock: SystemClock, tmp_path: Path) -> None:
    of = StreamSettings(picture=SMALL, source=TestPicture(), preview=False)
    director = Director(of, {}, tmp_path / "state", tmp_path / "run", clock)
    try:
        director.start()
        until(lambda: is_heard(director), 15)
        until(lambda: director.state().sound.peak_db)
        assert director.state().sound.peak_db == pytest.approx(-18.06, abs=0.1)
        assert director.pids.keys() == {"camera"}
    finally:
        director.close()
