"""A picture that is frozen or black is said within seconds, and nothing is said of a still scene."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from stream_stage import until

from hardware.clock import ManualClock
from stream.graph import WATCH_HEIGHT_PX, WATCH_WIDTH_PX
from stream.picture_watch import PictureWatch, may_stand_still
from stream.settings import CameraModule, NetworkCamera, Source, TestPicture, VideoDevice, VideoFile

PIXELS = WATCH_WIDTH_PX * WATCH_HEIGHT_PX
SLIDE = bytes([200]) * PIXELS
PERIOD_S = 0.5


class Show:
    """A watch that is shown pictures, two a second, and asked after each."""

    def __init__(self, *, may_stand_still: bool = False) -> None:
        self._clock = ManualClock()
        self.watch = PictureWatch(self._clock, may_stand_still=may_stand_still)

    def see(self, pictures: list[bytes]) -> list[str]:
        """What is said after each picture: "", or the code of the alarm."""
        said = []
        for picture in pictures:
            self._clock.advance(PERIOD_S)
            now_s = self._clock.monotonic()
            self.watch.take(picture, now_s)
            said.append("".join(alarm.code for alarm in self.watch.alarms(now_s)))
        return said

    def wait(self, seconds: float) -> list[str]:
        """What is said when no picture comes for so long."""
        self._clock.advance(seconds)
        return [alarm.code for alarm in self.watch.alarms(self._clock.monotonic())]


def moving(count: int) -> list[bytes]:
    """Pictures of which each differs from the one before in one pixel only."""
    return [bytes([200]) * at + bytes([201]) + bytes([200]) * (PIXELS - at - 1) for at in range(count)]


def frames_of(scene: str, seconds: int, tmp_path: Path, *codec: str) -> list[bytes]:
    """The small pictures of a film as the encoder makes them."""
    film = tmp_path / "film.mkv"
    lavfi = ["-f", "lavfi", "-i", scene, "-t", str(seconds)]
    subprocess.run(["/usr/bin/ffmpeg", "-v", "error", "-y", *lavfi, *codec, film], check=True)
    small = f"select=not(mod(n\\,15)),scale={WATCH_WIDTH_PX}:{WATCH_HEIGHT_PX}:flags=area,format=gray"
    to_grey = ["-vf", small, "-fps_mode", "vfr", "-f", "rawvideo", "-"]
    done = subprocess.run(["/usr/bin/ffmpeg", "-v", "error", "-i", film, *to_grey], check=True, capture_output=True)
    return [done.stdout[at : at + PIXELS] for at in range(0, len(done.stdout), PIXELS)]


def test_a_frozen_picture_is_an_alarm_within_five_seconds() -> None:
    said = Show().see([*moving(4), *[SLIDE] * 10])
    assert said.index("frozen") - 4 <= 4.5 / PERIOD_S, "the encoder needs half a second, too"
    assert set(said[said.index("frozen") :]) == {"frozen"}


def test_a_picture_that_moves_again_ends_the_alarm_by_itself() -> None:
    show = Show()
    show.see([SLIDE] * 10)
    assert show.see(moving(4))[-1] == ""


def test_one_change_in_a_frozen_picture_is_no_end_of_it() -> None:
    show = Show()
    show.see([SLIDE] * 10)
    assert set(show.see([*moving(1), *[SLIDE] * 4])) == {"frozen"}


def test_one_pixel_that_changes_is_a_camera_that_lives() -> None:
    assert set(Show().see(moving(60))) == {""}


def test_slides_may_stand_still_for_minutes_where_that_is_allowed() -> None:
    assert set(Show(may_stand_still=True).see([SLIDE] * 600)) == {""}


@pytest.mark.parametrize(
    ("source", "may"),
    [
        (VideoDevice(), False),
        (CameraModule(), False),
        (VideoDevice(still_picture_ok=True), True),
        (NetworkCamera(url="rtsp://cam/1"), False),
        (NetworkCamera(url="rtsp://cam/1", still_picture_ok=True), True),
        (VideoFile(path="/films/slides.mp4"), True),
        (TestPicture(), False),
    ],
)
def test_who_may_stand_still(source: Source, may: bool) -> None:
    assert may_stand_still(source) is may


def test_a_black_picture_is_an_alarm_even_where_pictures_may_stand_still() -> None:
    show = Show(may_stand_still=True)
    said = show.see([SLIDE, *[bytes(PIXELS)] * 10])
    assert said.index("black") - 1 <= 4.5 / PERIOD_S
    assert show.see([SLIDE] * 4)[-1] == ""


def test_a_dark_slide_with_a_few_words_is_not_black() -> None:
    words = PIXELS // 100
    assert set(Show(may_stand_still=True).see([bytes([235]) * words + bytes([18]) * (PIXELS - words)] * 20)) == {""}


def test_a_frozen_black_picture_is_said_once() -> None:
    assert Show().see([bytes(PIXELS)] * 20)[-1] == "black"


def test_nothing_is_said_of_a_picture_that_no_longer_comes() -> None:
    show = Show()
    show.see([SLIDE] * 10)
    assert show.wait(2.5) == []


MJPEG = ("-c:v", "mjpeg", "-q:v", "5")
POOR_H264 = ("-c:v", "libx264", "-preset", "veryfast", "-b:v", "1M", "-maxrate", "1M", "-bufsize", "1M", "-g", "120")


@pytest.mark.parametrize("codec", [MJPEG, POOR_H264], ids=["mjpeg", "h264"])
def test_a_still_scene_with_the_least_noise_is_not_frozen(codec: tuple[str, ...], tmp_path: Path) -> None:
    scene = "smptehdbars=s=1280x720:r=30,format=yuv420p,gblur=6,noise=all_seed=1:c0s=1:c0f=t"
    pictures = frames_of(scene, 6, tmp_path, *codec)
    assert len(pictures) == 12
    assert set(Show().see(pictures)) == {""}


def test_the_noise_of_a_covered_lens_is_black(tmp_path: Path) -> None:
    scene = "color=black:s=1280x720:r=30,format=yuv420p,noise=all_seed=1:c0s=30:c0f=t"
    assert Show().see(frames_of(scene, 5, tmp_path, *MJPEG))[-1] == "black"


class BrokenClock(ManualClock):
    def monotonic(self) -> float:
        raise RuntimeError("broken")


def test_a_fault_in_judging_does_not_make_the_encoder_wait(caplog: pytest.LogCaptureFixture) -> None:
    ours, theirs = os.pipe()
    with PictureWatch(BrokenClock(), may_stand_still=False).watching(ours):
        os.set_blocking(theirs, False)
        sent = 0

        def all_went() -> bool:
            nonlocal sent
            try:
                sent += os.write(theirs, SLIDE)
            except BlockingIOError:
                return False
            return sent > 40 * PIXELS

        until(all_went)
        os.close(theirs)
    assert caplog.text.count("event=pictures-not-judged") == 1
