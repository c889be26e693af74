"""What we rely on in picamera2 and libcamera: one file for our stand-in and for the real ones.

The stand-in is held to it everywhere. The real ones are where tests/virtual_camera/run begins this file: there
PLATYPUS_PICAMERA2 is "real", and a file freezes the camera.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware.cameras.fake_picamera2 import FakePicamera2, fake_modules
from hardware.cameras.picamera2 import Requests, open_module
from hardware.errors import CameraError

IS_REAL = os.environ.get("PLATYPUS_PICAMERA2") == "real"
FROZEN = Path("/tmp/the-camera-is-frozen")  # see tests/virtual_camera/paced_memory.c
BUFFERS = 4
SIZE_PX = (640, 360)
SOON_S = 5.0
Freeze = Callable[[bool], None]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The class Picamera2."""
    if IS_REAL:
        yield importlib.import_module("picamera2").Picamera2
        return

    class Library(FakePicamera2):
        opened = []  # noqa: RUF012  its own, not the parent's

    for name, module in fake_modules(Library).items():
        monkeypatch.setitem(sys.modules, name, module)
    yield Library


@pytest.fixture
def camera(library: Any) -> Iterator[Any]:
    camera = library(0)
    yield camera
    camera.close()


@pytest.fixture
def running(camera: Any) -> Any:
    configure(camera)
    camera.start()
    give_back(camera)
    return camera


@pytest.fixture
def freeze(running: Any) -> Iterator[Freeze]:
    def freeze(is_frozen: bool) -> None:
        if not IS_REAL:
            (running.is_stuck.set if is_frozen else running.is_stuck.clear)()
        elif is_frozen:
            FROZEN.touch()
        else:
            FROZEN.unlink(missing_ok=True)

    yield freeze
    freeze(False)


def configure(camera: Any, **others: Any) -> None:
    wish = {"main": {"size": SIZE_PX, "format": "YUV420"}, "lores": {"size": SIZE_PX, "format": "YUV420"}}
    wish |= {"buffer_count": BUFFERS, "queue": False, "controls": {"FrameRate": 15}, "sensor": {}}
    camera.configure(camera.create_video_configuration(**(wish | others)))


def give_back(camera: Any) -> int:
    """Take one picture and give its buffer back; returns when it was taken, ns."""
    request = camera.capture_request(wait=SOON_S)
    stamp_ns: int = request.get_metadata()["SensorTimestamp"]
    request.release()
    return stamp_ns


def descriptors() -> int:
    """How many are open when nobody needs them any more."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def freeze_and_drain(camera: Any, freeze: Freeze) -> Any:
    """Freeze it; returns the job of the first picture after that."""
    freeze(True)
    while True:
        job = camera.capture_request(wait=False)
        try:
            job.get_result(0.3).release()
        except TimeoutError:
            return job


# Opening and closing


def test_cameras_are_listed_with_their_model(library: Any) -> None:
    assert [camera["Num"] for camera in library.global_camera_info()] == [0]
    assert library.global_camera_info()[0]["Model"] == "imx708"


def test_a_camera_that_is_not_there_is_a_runtime_error(library: Any) -> None:
    with pytest.raises(RuntimeError, match="No camera number 7"):
        library(7)


def test_a_second_opening_is_a_runtime_error_and_the_first_goes_on(library: Any, running: Any) -> None:
    with pytest.raises(RuntimeError, match="did not complete"):
        library(0)
    give_back(running)


def test_a_closed_camera_can_be_opened_again_and_closing_twice_is_harmless(library: Any) -> None:
    for _ in range(2):
        camera = library(0)
        configure(camera)
        camera.start()
        give_back(camera)
        camera.close()
        camera.close()


def test_a_camera_that_was_opened_and_never_started_can_be_closed(library: Any) -> None:
    library(0).close()
    camera = library(0)
    configure(camera)
    camera.close()


def test_openings_leave_no_descriptors_behind(library: Any) -> None:
    def cycle() -> int:
        camera = library(0)
        configure(camera)
        camera.start()
        give_back(camera)
        camera.close()
        return descriptors()

    cycle()  # what is opened once for all
    before = cycle()
    assert [cycle() for _ in range(3)][-1] <= before


def test_a_camera_that_is_refused_again_and_again_costs_no_descriptors(library: Any, running: Any) -> None:
    def refused() -> int:
        with pytest.raises(CameraError, match="another program"):
            open_module("door", 0)
        return descriptors()

    before = refused()
    assert [refused() for _ in range(5)][-1] <= before


# What it says of itself, and what it takes


def test_controls_are_told_with_their_range_and_those_it_lacks_are_refused(camera: Any) -> None:
    assert all(len(limits) == 3 for limits in camera.camera_controls.values())
    assert "FrameDurationLimits" in camera.camera_controls
    with pytest.raises(RuntimeError, match="Control NoSuchThing is not advertised"):
        camera.set_controls({"NoSuchThing": 1})
    camera.set_controls({})


def test_the_frame_rate_is_taken_though_it_is_no_control(camera: Any) -> None:
    assert "FrameRate" not in camera.camera_controls
    configure(camera, controls={"FrameRate": 30})
    with pytest.raises(RuntimeError, match="not advertised"):
        configure(camera, controls={"NoSuchThing": 1})


def test_properties_and_modes_can_be_asked_for_before_it_is_configured(camera: Any) -> None:
    assert camera.camera_properties["Model"] == "imx708"
    assert all(isinstance(mode, dict) for mode in camera.sensor_modes)
    assert camera.camera_configuration() == {}


def test_a_tuning_that_is_not_there_is_a_runtime_error(library: Any) -> None:
    with pytest.raises(RuntimeError, match="Tuning file not found"):
        library.load_tuning_file("no-such-sensor.json")


def test_the_names_that_we_take_from_libcamera_are_there(library: Any) -> None:
    libcamera = importlib.import_module("libcamera")
    assert libcamera.ColorSpace.Rec709() is not None
    assert libcamera.Transform(hflip=True, vflip=False) is not None
    names = ["AeExposureModeEnum.Short", "AeConstraintModeEnum.Highlight", "AeMeteringModeEnum.CentreWeighted"]
    names += ["AeFlickerModeEnum.Manual", "AfModeEnum.Manual", "AfModeEnum.Continuous", "AfSpeedEnum.Fast"]
    names += ["AfRangeEnum.Macro", "AfRangeEnum.Full", "AfMeteringEnum.Windows"]
    for name in names:
        kind, _, value = name.partition(".")
        assert hasattr(getattr(libcamera.controls, kind), value), name


# Configurations


def test_unknown_words_in_a_configuration_are_refused(camera: Any) -> None:
    with pytest.raises(TypeError):
        camera.create_video_configuration(no_such_thing=1)
    with pytest.raises(ValueError, match="Bad key 'sise'"):
        camera.create_video_configuration(main={"sise": SIZE_PX})


def test_odd_sizes_are_made_even_and_refused_after_that(camera: Any) -> None:
    wish = camera.create_video_configuration(main={"size": (641, 361), "format": "YUV420"})
    assert wish["main"]["size"] == (640, 360)
    wish["main"]["size"] = (641, 361)
    with pytest.raises(RuntimeError, match="should be even"):
        camera.configure(wish)


def test_lores_is_absent_unless_wished_and_never_larger_than_main(camera: Any) -> None:
    configure(camera, lores=None)
    assert camera.camera_configuration()["lores"] is None
    with pytest.raises(RuntimeError, match="lores stream dimensions may not exceed main stream"):
        configure(camera, lores={"size": (1280, 720), "format": "YUV420"})


def test_the_configuration_says_what_came_of_our_wish(camera: Any) -> None:
    configure(camera)
    for name in ("main", "lores"):
        stream = camera.camera_configuration()[name]
        assert stream["size"] == SIZE_PX
        assert stream["format"] in ("YUV420", "NV12")
        assert stream["stride"] >= SIZE_PX[0]
        assert stream["framesize"] >= stream["stride"] * SIZE_PX[1] * 3 // 2


def test_a_running_camera_is_not_configured(running: Any) -> None:
    with pytest.raises(RuntimeError, match="must be stopped"):
        configure(running)
    running.stop()
    configure(running)
    running.start()
    give_back(running)


# Pictures


def test_an_array_is_luma_on_top_and_half_as_much_colour_below(running: Any) -> None:
    request = running.capture_request(wait=SOON_S)
    width_px, height_px = SIZE_PX
    for name in ("main", "lores"):
        array = request.make_array(name)
        assert array.dtype == np.uint8
        assert array.shape[0] == height_px * 3 // 2
        assert array.shape[1] >= width_px
        assert array.flags.c_contiguous
    request.release()


def test_an_array_is_ours_when_its_request_is_given_back(running: Any) -> None:
    request = running.capture_request(wait=SOON_S)
    array = request.make_array("lores")
    request.release()
    before = array.copy()
    for _ in range(3 * BUFFERS):
        give_back(running)
    assert (array == before).all()
    array[:] = 0  # and may be written


def test_a_stream_that_was_not_configured_has_no_array(camera: Any) -> None:
    configure(camera, lores=None)
    camera.start()
    request = camera.capture_request(wait=SOON_S)
    with pytest.raises(RuntimeError, match="'lores' is not defined"):
        request.make_array("lores")
    request.release()


def test_pictures_tell_when_they_were_taken_in_nanoseconds(running: Any) -> None:
    stamps_ns = [give_back(running) for _ in range(5)]
    assert all(isinstance(stamp_ns, int) for stamp_ns in stamps_ns)
    assert stamps_ns == sorted(set(stamps_ns))
    clocks_ns = (time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))
    assert min(abs(clock_ns - stamps_ns[-1]) for clock_ns in clocks_ns) < 1_000_000_000


# Requests


def test_a_request_is_given_back_once(running: Any) -> None:
    request = running.capture_request(wait=SOON_S)
    request.release()
    with pytest.raises(RuntimeError, match="ref_count"):
        request.release()


def test_who_keeps_all_requests_starves_the_camera_until_one_is_given_back(running: Any) -> None:
    kept = [running.capture_request(wait=SOON_S) for _ in range(BUFFERS)]
    job = running.capture_request(wait=False)
    with pytest.raises(TimeoutError):
        job.get_result(0.5)
    kept.pop().release()
    job.get_result(SOON_S).release()
    for request in kept:
        request.release()


def test_a_request_may_be_given_back_after_the_camera_was_stopped(running: Any) -> None:
    request = running.capture_request(wait=SOON_S)
    running.stop()
    request.release()
    running.start()
    for _ in range(2 * BUFFERS):
        give_back(running)


def test_starting_and_stopping_twice_is_harmless(running: Any) -> None:
    running.start()
    give_back(running)
    running.stop()
    running.stop()
    running.start()
    give_back(running)


def test_a_camera_that_was_not_started_gives_a_timeout_error(camera: Any) -> None:
    configure(camera)
    with pytest.raises(TimeoutError):
        camera.capture_request(wait=0.2)


# A camera that freezes


def test_a_late_picture_comes_to_whoever_waits_again_for_the_same_job(running: Any, freeze: Freeze) -> None:
    job = freeze_and_drain(running, freeze)
    for _ in range(2 * BUFFERS):
        with pytest.raises(TimeoutError):
            job.get_result(0.05)
    freeze(False)
    job.get_result(SOON_S).release()
    for _ in range(2 * BUFFERS):
        give_back(running)


def test_what_nobody_waits_for_any_more_still_takes_its_picture_and_starves_the_camera(
    running: Any, freeze: Freeze
) -> None:
    """Why the driver asks once and waits again.

    The jobs are kept here: a request that is dropped when it is completed may take the process with it.
    """
    jobs = [freeze_and_drain(running, freeze), *(running.capture_request(wait=False) for _ in range(BUFFERS - 1))]
    freeze(False)
    last = running.capture_request(wait=False)
    with pytest.raises(TimeoutError):
        last.get_result(1.0)
    for job in [*jobs, last]:
        job.get_result(SOON_S).release()


def test_our_requests_outlast_any_freeze(running: Any, freeze: Freeze) -> None:
    requests = Requests(running)
    freeze(True)
    silences = 0
    while silences < 3 * BUFFERS:
        try:
            requests.next(0.1).release()
        except TimeoutError:
            silences += 1
    freeze(False)
    for _ in range(3 * BUFFERS):
        requests.next(SOON_S).release()


def test_our_requests_leave_none_behind_when_they_are_closed_before_the_camera(running: Any, freeze: Freeze) -> None:
    job = freeze_and_drain(running, freeze)
    requests = Requests(running)
    with pytest.raises(TimeoutError):
        requests.next(0.1)
    freeze(False)
    job.get_result(SOON_S).release()
    running.capture_request(wait=SOON_S).release()  # which came after the one that nobody took
    requests.close()
    requests.close()
    kept = [running.capture_request(wait=SOON_S) for _ in range(BUFFERS)]  # all are there
    for request in kept:
        request.release()


def test_a_camera_with_a_job_left_can_be_closed_and_opened_again(library: Any) -> None:
    camera = library(0)
    configure(camera)
    job = camera.capture_request(wait=False)  # and it never starts
    camera.close()
    with pytest.raises(TimeoutError):
        job.get_result(0.05)
    camera = library(0)
    configure(camera)
    camera.start()
    give_back(camera)
    camera.close()
