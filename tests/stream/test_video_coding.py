"""The hardware encoder is used where it does what a hub needs, and for as long as it can be trusted."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import msgspec
import pytest
from coding_stage import CodingStage
from stream_stage import SMALL, RtmpServer, codec_headers, until

from hardware.clock import SystemClock
from stream.director import Director
from stream.encoder_trial import keyframe_headers, trial
from stream.health import Health
from stream.settings import Destination, Picture, StreamSettings
from stream.video_coding import RESTARTS, VideoCoding, VideoHardware

WANTS_HARDWARE = msgspec.structs.replace(SMALL, encoder="hardware")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CodingStage:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return CodingStage(tmp_path)


def chosen(stage: CodingStage, tmp_path: Path, picture: Picture = SMALL) -> VideoCoding:
    return VideoCoding(picture, tmp_path / "run", stage.hardware)


def test_the_hardware_encoder_is_taken_where_it_passes_its_trial(stage: CodingStage, tmp_path: Path) -> None:
    stage.install()
    coding = chosen(stage, tmp_path)
    assert coding.picture == msgspec.structs.replace(SMALL, encoder="hardware")
    assert stage.asked_for == ["hardware"]
    assert coding.alarms() == ()
    assert list((tmp_path / "run").iterdir()) == [], "nothing of the trial is left"


@pytest.mark.parametrize("kind", ["bcm2835-codec-decode", "rpi-hevc-dec"])
def test_a_machine_without_one_is_not_tried(stage: CodingStage, tmp_path: Path, kind: str) -> None:
    stage.install(kind=kind)
    assert chosen(stage, tmp_path).picture.encoder == "software"
    assert stage.asked_for == []


def test_one_that_is_not_wanted_is_not_tried(stage: CodingStage, tmp_path: Path) -> None:
    stage.install()
    coding = chosen(stage, tmp_path, msgspec.structs.replace(SMALL, encoder="software"))
    assert (coding.picture.encoder, stage.asked_for, coding.alarms()) == ("software", [], ())


def test_headers_that_differ_between_camera_and_slate_rule_it_out(stage: CodingStage, tmp_path: Path) -> None:
    stage.install(profiles=("baseline", "main"))
    assert chosen(stage, tmp_path).picture.encoder == "software"
    assert "not the same in every keyframe" in trial(SMALL, tmp_path)


def test_one_that_was_asked_for_and_cannot_be_used_is_an_alarm(stage: CodingStage, tmp_path: Path) -> None:
    stage.install(profiles=("no-such-profile",))
    coding = chosen(stage, tmp_path, WANTS_HARDWARE)
    (alarm,) = coding.alarms()
    assert coding.picture.encoder == "software"
    assert alarm.code == "encoder" and "no-such-profile" in alarm.cause and "[stream.picture]" in alarm.action
    assert chosen(stage, tmp_path).alarms() == (), "and none when it was not asked for"


def test_the_real_ffmpeg_understands_every_option_that_the_hardware_encoder_is_given(tmp_path: Path) -> None:
    trouble = trial(SMALL, tmp_path)
    assert trouble == "" or "Could not find a valid device" in trouble


def test_each_keyframe_of_x264_comes_with_its_headers(real_ts: bytes) -> None:
    found = keyframe_headers(real_ts)
    assert found == [frozenset(codec_headers(real_ts))] * 3
    assert len(found[0]) == 2


def test_it_has_three_restarts_and_then_no_more_until_the_next_boot(stage: CodingStage, tmp_path: Path) -> None:
    stage.install()
    coding = chosen(stage, tmp_path)
    for _ in range(RESTARTS):
        coding.ended("camera", [], gave_frames=True)
        assert not coding.is_used_up
    coding.ended("camera", ["[h264_v4l2m2m @ 0x1] [error] Could not find a valid device"], gave_frames=False)
    assert coding.is_used_up
    coding.give_up()
    assert not coding.is_used_up
    for each in (coding, chosen(stage, tmp_path)):
        assert each.picture.encoder == "software"
        assert [alarm.code for alarm in each.alarms()] == ["encoder"]
    assert stage.asked_for == ["hardware"], "not tried again"


def test_a_camera_that_is_not_there_is_no_fault_of_the_encoder(stage: CodingStage, tmp_path: Path) -> None:
    stage.install()
    coding = chosen(stage, tmp_path)
    for _ in range(10):
        coding.ended("camera", ["[error] /dev/video0: No such file or directory"], gave_frames=False)
        mapping = "[info]   Stream #0:0 -> #0:0 (mjpeg (native) -> h264 (h264_v4l2m2m))"  # and then no picture came
        coding.ended("camera", [mapping], gave_frames=False)
    assert not coding.is_used_up


def test_x264_has_no_budget() -> None:
    coding = VideoCoding(SMALL, Path("/nowhere"), VideoHardware(Path("/nowhere")))
    for _ in range(10):
        coding.ended("camera", [], gave_frames=True)
    assert not coding.is_used_up


def test_an_encoder_that_fails_four_times_costs_one_reconnect_and_is_said(
    stage: CodingStage, tmp_path: Path, clock: SystemClock, rtmp_server: RtmpServer
) -> None:
    stage.install()
    of = StreamSettings(picture=SMALL, destinations=(Destination(name="hall", url=f"{rtmp_server.url}/asks"),))
    run = tmp_path / "run"
    with Director(of, {"hall": "right-key"}, tmp_path / "state", run, clock, video_hardware=stage.hardware) as director:
        until(lambda: len(list((run / "slates").glob("*.ts"))) >= 5, 20, "slates are ready")
        director.start()
        until(lambda: director.state().legs[1].state is Health.LIVE, 15)
        (first,) = (tmp_path / "state" / "recordings").glob("*.ts")
        kept = tmp_path / "first.ts"
        kept.hardlink_to(first)  # which becomes an MP4 in its own time
        killed = 0
        for times in range(RESTARTS + 1):
            assert director.state().alarms == (), f"after {times}"
            until(lambda: director.state().on_air == "camera", 20)
            until(lambda: director.pids.get("camera", killed) != killed)  # noqa: B023  asked in here only
            killed = director.pids["camera"]
            os.kill(killed, signal.SIGKILL)
            until(lambda: director.pids.get("camera") != killed)  # noqa: B023
        until(lambda: [alarm.code for alarm in director.state().alarms] == ["encoder"], 20)
        until(lambda: director.state().on_air == "camera", 20)
        until(lambda: director.state().legs[1].state is Health.LIVE, 20)
        second = tmp_path / "state" / "recordings" / str(director.state().recording)
        until(lambda: second.stat().st_size > 100_000)
        director.take_break()
        until(lambda: director.state().on_air == "slate", 20)
        frames = director.state().legs[0].frames_sent
        until(lambda: director.state().legs[0].frames_sent > frames + 20)
        headers = [codec_headers(film.read_bytes()) for film in (kept, second)]
    assert rtmp_server.sessions == 2
    assert [len(each) for each in headers] == [2, 2], "camera and slates of a session have the same headers"
    assert not headers[0] & headers[1], "and those of another encoder the second time"
