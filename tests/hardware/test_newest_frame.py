"""The mailbox: only the newest frame, and a reason whenever there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.cameras import Frame, ScriptedCamera
from hardware.cameras.address import without_credentials
from hardware.cameras.newest import NewestFrames
from hardware.errors import CameraError, CameraStalled, EndOfFilm
from hardware.worker import Worker

PICTURE = np.zeros((4, 6), np.uint8)
Script = Callable[["StepDriver", Worker], Generator[Frame, None, None]]


class StepDriver:
    """A driver whose every opening runs the next script; the last one again and again."""

    name = "step"

    def __init__(self, *scripts: Script, is_live: bool = True) -> None:
        self.is_live = is_live
        self.scripts = list(scripts)
        self.openings = 0
        self.closings = 0
        self.go = threading.Semaphore(0)
        self.made = threading.Semaphore(0)

    def frames(self, worker: Worker) -> Generator[Frame, None, None]:
        script = self.scripts[min(self.openings, len(self.scripts) - 1)]
        self.openings += 1
        try:
            yield from script(self, worker)
        finally:
            self.closings += 1


def on_demand(driver: StepDriver, worker: Worker) -> Generator[Frame, None, None]:
    number = 0
    while worker.wait(0):
        if driver.go.acquire(timeout=0.02):
            yield Frame(PICTURE, time.monotonic(), number)
            number += 1
            driver.made.release()  # the next one is only asked for when this one is in the slot


def absent(driver: StepDriver, worker: Worker) -> Generator[Frame, None, None]:
    raise CameraError("step cannot be opened: no such device")
    yield


def two_then_end(driver: StepDriver, worker: Worker) -> Generator[Frame, None, None]:
    for number in range(2):
        yield Frame(PICTURE, time.monotonic(), number)
        driver.go.acquire()


def two_then_gone(driver: StepDriver, worker: Worker) -> Generator[Frame, None, None]:
    yield from two_then_end(driver, worker)
    raise CameraError("step was unplugged")


def broken(driver: StepDriver, worker: Worker) -> Generator[Frame, None, None]:
    raise KeyError("a bug")
    yield


def test_a_slow_reader_gets_the_newest_frame_and_can_tell_how_many_it_missed() -> None:
    driver = StepDriver(on_demand)
    with NewestFrames(driver) as camera:
        driver.go.release()
        assert camera.newest(2.0).number == 0
        driver.go.release(5)
        for _ in range(6):
            assert driver.made.acquire(timeout=2.0)
        assert camera.newest(2.0).number == 5
        with pytest.raises(CameraStalled):  # never the same frame twice
            camera.newest(0.05)


def test_a_camera_that_stops_is_seen_within_the_asked_time() -> None:
    with NewestFrames(StepDriver(on_demand)) as camera:
        began_s = time.monotonic()
        with pytest.raises(CameraStalled, match=r"no picture for 0\.3 s"):
            camera.newest(0.3)
        assert 0.29 < time.monotonic() - began_s < 0.6


def test_a_camera_that_went_away_is_opened_again_and_frame_numbers_go_on() -> None:
    driver = StepDriver(two_then_gone, absent, absent, on_demand)
    driver.go.release(3)
    with NewestFrames(driver, retry_s=(0.02, 0.05)) as camera:
        frame = camera.newest(2.0)
        while frame.number < 2:
            frame = camera.newest(2.0)
        assert frame.number == 2
        assert driver.openings == 4
    assert driver.closings == 4


def test_while_a_camera_is_away_the_error_says_why() -> None:
    with NewestFrames(StepDriver(absent), retry_s=(0.01,)) as camera:
        for _ in range(2):
            with pytest.raises(CameraError, match="no such device"):
                camera.newest(0.1)


def test_a_film_ends_once_for_all_and_is_not_opened_again() -> None:
    driver = StepDriver(two_then_end, is_live=False)
    with NewestFrames(driver) as camera:
        assert camera.newest(2.0).number == 0
        driver.go.release(2)
        assert camera.newest(2.0).number == 1
        for _ in range(2):
            with pytest.raises(EndOfFilm):
                camera.newest(2.0)
    assert driver.openings == 1


def test_a_driver_with_a_bug_is_told_at_once_and_nobody_waits_for_it() -> None:
    with NewestFrames(StepDriver(broken)) as camera:
        began_s = time.monotonic()
        with pytest.raises(CameraError, match="restart the service"):
            camera.newest(30.0)
        assert time.monotonic() - began_s < 5.0


def test_closing_frees_the_device_and_whoever_waits_for_a_frame() -> None:
    driver = StepDriver(on_demand)
    camera = NewestFrames(driver)
    seen: list[str] = []

    def read() -> None:
        try:
            camera.newest(30.0)
        except CameraError as error:
            seen.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    camera.close()
    camera.close()
    reader.join(2.0)
    assert seen == ["step is closed"]
    assert driver.openings == driver.closings
    with pytest.raises(CameraError, match="closed"):
        camera.newest(0.1)


def test_a_script_is_played_step_by_step() -> None:
    with ScriptedCamera([PICTURE, CameraStalled("step: no picture"), Frame(PICTURE, 5.0, 9), PICTURE]) as camera:
        assert camera.newest(1.0).number == 0
        with pytest.raises(CameraStalled):
            camera.newest(1.0)
        assert camera.newest(1.0).taken_s == 5.0
        assert camera.newest(1.0).number == 10
        with pytest.raises(EndOfFilm):
            camera.newest(1.0)


SAFE = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)


@given(st.text("ghijklmnop!$&'()*+,;=%:", min_size=8, max_size=20), SAFE, st.integers(1, 65535))
def test_no_password_survives_in_a_shown_address(password: str, host: str, port: int) -> None:
    for address in (
        f"rtsp://admin:{password}@{host}.test:{port}/x",
        f"rtsp://{host}.test:{port}/x?user=admin&password={password}",
    ):
        shown = without_credentials(address)
        assert shown == f"rtsp://{host}.test:{port}/x"
