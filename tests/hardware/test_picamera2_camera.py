"""The camera module, against a stand-in with picamera2's own names, shapes and errors."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hardware.cameras import Camera, Picamera2Camera, open_camera
from hardware.cameras.fake_picamera2 import AUTOFOCUS, EXPOSURE, FakePicamera2, fake_modules
from hardware.cameras.newest import NewestFrames
from hardware.cameras.picamera2 import Picamera2Driver, whole_field_mode
from hardware.errors import CameraError, CameraStalled


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakePicamera2]]:
    class Library(FakePicamera2):
        opened = []  # noqa: RUF012  its own, not the parent's

    for name, module in fake_modules(Library).items():
        monkeypatch.setitem(sys.modules, name, module)
    yield Library
    assert all(camera.is_closed for camera in Library.opened)


def wait_until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to pass"
        threading.Event().wait(0.005)


def is_stalled(camera: Camera) -> bool:
    try:
        camera.newest(0.3)
    except CameraStalled:
        return True
    return False


def test_frames_are_the_luma_of_the_lores_stream_without_its_padding(library: type[FakePicamera2]) -> None:
    with open_camera(Picamera2Camera(width_px=640, height_px=360)) as camera:
        frames = [camera.newest(2.0) for _ in range(3)]
    for frame in frames:
        assert frame.y.shape == (360, 640)
        assert (frame.y == frame.y[0, 0]).all()
        assert frame.y[0, 0] == 11 + frame.number


def test_every_request_is_given_back_or_the_camera_would_starve(library: type[FakePicamera2]) -> None:
    with open_camera(Picamera2Camera()) as camera:
        while camera.newest(2.0).number < 10:  # more than there are buffers
            pass
    assert library.opened[0].unreleased == 0


def test_a_stuck_camera_is_stalled_and_goes_on_when_it_comes_back(library: type[FakePicamera2]) -> None:
    with open_camera(Picamera2Camera()) as camera:
        assert not is_stalled(camera)
        library.opened[0].is_stuck.set()
        wait_until(lambda: is_stalled(camera), limit_s=2.0)
        library.opened[0].is_stuck.clear()
        assert not is_stalled(camera)
    assert len(library.opened) == 1


def test_a_camera_that_was_stuck_for_longer_than_it_has_buffers_goes_on_as_before(
    library: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hardware.cameras.picamera2.WAIT_S", 0.02)  # so that it asks more often than there are buffers
    with open_camera(Picamera2Camera()) as camera:
        camera.newest(2.0)
        library.opened[0].is_stuck.set()
        wait_until(lambda: is_stalled(camera))
        library.opened[0].is_stuck.clear()
        for _ in range(10):
            camera.newest(1.0)
    assert len(library.opened) == 1


def controls_for(library: type[FakePicamera2], settings: Picamera2Camera) -> dict[str, Any]:
    with open_camera(settings) as camera:
        camera.newest(2.0)
    return library.opened[-1].controls_set


def test_focus_is_near_and_fast_and_exposure_suits_a_bright_screen(library: type[FakePicamera2]) -> None:
    near = controls_for(library, Picamera2Camera())
    assert near["AfMode"] == "continuous"
    assert near["AfRange"] == "macro"
    assert near["AfSpeed"] == "fast"
    assert near["AfWindows"] == [(1152, 648, 2304, 1296)]
    assert near["AeExposureMode"] == "short"
    assert near["AeConstraintMode"] == "highlight"
    assert near["AeFlickerPeriod"] == 10_000
    assert controls_for(library, Picamera2Camera(focus="continuous"))["AfRange"] == "full"
    fixed = controls_for(library, Picamera2Camera(focus="fixed", lens_dioptres=6.5))
    assert fixed["AfMode"] == "manual"
    assert fixed["LensPosition"] == 6.5


@pytest.mark.parametrize("advertised", [EXPOSURE, AUTOFOCUS, {}], ids=["module 2", "no exposure", "nothing"])
def test_controls_that_the_camera_lacks_are_left_out(library: type[FakePicamera2], advertised: dict[str, Any]) -> None:
    library.advertised = advertised  # type: ignore[misc]  # a class of this test alone
    assert set(controls_for(library, Picamera2Camera())) <= set(advertised)


def test_exposure_is_capped_in_the_tuning_and_the_gains_are_kept(library: type[FakePicamera2]) -> None:
    controls_for(library, Picamera2Camera(max_exposure_us=4000))
    tuning = library.opened[0].tuning
    assert tuning is not None
    mode = library.find_tuning_algo(tuning, "rpi.agc")["channels"][0]["exposure_modes"]["normal"]
    assert mode == {"shutter": [100, 4000, 4000], "gain": [1.0, 2.0, 8.0]}


def test_a_sensor_without_a_tuning_file_works_uncapped_and_says_so(
    library: type[FakePicamera2], caplog: pytest.LogCaptureFixture
) -> None:
    library.cameras = [{"Model": "ov9999", "Num": 0}]  # type: ignore[misc]
    controls_for(library, Picamera2Camera())
    assert library.opened[0].tuning is None
    assert "event=exposure-not-capped" in caplog.text


def test_the_sensor_mode_sees_the_whole_field(library: type[FakePicamera2]) -> None:
    with open_camera(Picamera2Camera()) as camera:
        camera.newest(2.0)
        assert library.opened[0].configuration["sensor"] == {"output_size": (2304, 1296), "bit_depth": 10}
    assert whole_field_mode([], (1280, 720)) == {}


def test_a_camera_that_another_program_holds_is_told_and_taken_when_it_is_free(library: type[FakePicamera2]) -> None:
    library.busy_times = 3  # type: ignore[misc]
    with NewestFrames(Picamera2Driver(Picamera2Camera()), retry_s=(0.2,)) as camera:
        with pytest.raises(CameraError, match=r"picamera2:0 cannot be opened.*another program"):
            camera.newest(0.1)
        camera.newest(5.0)


def test_no_camera_and_no_library_are_told_with_what_to_do(
    library: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    library.cameras = []  # type: ignore[misc]
    with open_camera(Picamera2Camera()) as camera, pytest.raises(CameraError, match=r"0 cameras found.*ribbon"):
        camera.newest(0.2)
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with open_camera(Picamera2Camera()) as camera, pytest.raises(CameraError, match="apt install python3-picamera2"):
        camera.newest(0.2)


def test_a_failure_on_the_way_closes_the_camera_and_is_tried_again(library: type[FakePicamera2]) -> None:
    with NewestFrames(Picamera2Driver(Picamera2Camera()), retry_s=(0.05,)) as camera:
        camera.newest(2.0)
        library.opened[0].unreleased = -1  # the next release brings it to 0, the one after raises
        library.opened[0].close()
        library.opened[0].configuration = {}  # reading on fails
        wait_until(lambda: len(library.opened) == 2)
        camera.newest(2.0)
