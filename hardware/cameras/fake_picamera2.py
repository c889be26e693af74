"""As much of picamera2 0.3.38 and libcamera as our driver touches, for machines without them. For tests.

Names, shapes and errors are those of the real ones: a second opening is refused, `set_controls` refuses what is not
advertised, arrays are wider than the picture, a request that is not released starves the camera, and one that nobody
waits for any more still takes its picture. `tests/hardware/test_picamera2_contract.py` holds both to it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

_AUTOFOCUS_NAMES = ("AfMode", "AfRange", "AfSpeed", "AfMetering", "AfWindows", "LensPosition")
AUTOFOCUS: dict[str, Any] = dict.fromkeys(_AUTOFOCUS_NAMES, (0, 1, 0))
EXPOSURE = dict.fromkeys(
    ("AeExposureMode", "AeConstraintMode", "AeMeteringMode", "ExposureValue", "AeFlickerMode", "AeFlickerPeriod"),
    (0, 1, 0),
)
# A Camera Module 3 (imx708): the fast mode is a crop, the two others see the whole field
MODES = [
    {"size": (1536, 864), "bit_depth": 10, "crop_limits": (768, 432, 3072, 1728)},
    {"size": (2304, 1296), "bit_depth": 10, "crop_limits": (0, 0, 4608, 2592)},
    {"size": (4608, 2592), "bit_depth": 10, "crop_limits": (0, 0, 4608, 2592)},
]
PADDING_PX = 64  # the stride exceeds the width
COLOURS = (90, 160)  # U and V of every picture
_LOOK_AGAIN_S = 0.005

_MAIN = {"format": "XBGR8888", "size": (1280, 720), "preserve_ar": True}
_DEFAULTS: dict[str, Any] = {
    "raw": {},
    "transform": None,
    "colour_space": None,
    "buffer_count": 6,
    "controls": {},
    "display": "main",
    "encode": "main",
    "queue": True,
    "sensor": {},
}
_STREAM_KEYS = ("format", "size", "stride", "preserve_ar")


class FakePicamera2:
    """One camera module. Class attributes are the machine: tests set them on a subclass."""

    cameras: ClassVar[list[dict[str, Any]]] = [{"Model": "imx708", "Location": 2, "Id": "/base/imx708", "Num": 0}]
    advertised: ClassVar[Mapping[str, Any]] = {**AUTOFOCUS, **EXPOSURE, "FrameDurationLimits": (33333, 120000, None)}
    busy_times: ClassVar[int] = 0  # so many openings are refused
    is_paced: ClassVar[bool] = False  # frames come at the configured FrameRate, as a sensor's do; else each 10 ms
    opened: ClassVar[list[FakePicamera2]] = []

    def __init__(self, camera_num: int = 0, tuning: dict[str, Any] | None = None) -> None:
        kind = type(self)
        self.is_closed = False
        self.camera_num = camera_num
        if camera_num >= len(kind.cameras):
            raise RuntimeError(f"No camera number {camera_num} found")
        is_held = any(camera.camera_num == camera_num and not camera.is_closed for camera in kind.opened)
        if is_held or kind.busy_times > 0:
            kind.busy_times = max(0, kind.busy_times - 1)
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.tuning = tuning
        self.camera_controls = dict(self.advertised)
        self.camera_properties = {"Model": kind.cameras[camera_num]["Model"], "ScalerCropMaximum": (0, 0, 4608, 2592)}
        self.sensor_modes = MODES
        self.started = False
        self.controls_set: dict[str, Any] = {}
        self.configuration: dict[str, Any] = {}
        self.is_stuck = threading.Event()  # set: no frame comes
        self.unreleased = 0
        self._asked: deque[FakeJob] = deque()  # in their order; whether or not anybody still waits for them
        self._made = 0
        self._stamp_ns = 0
        self._starts = 0
        kind.opened.append(self)

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return cls.cameras

    @staticmethod
    def load_tuning_file(tuning_file: str) -> dict[str, Any]:
        if tuning_file != "imx708.json":
            raise RuntimeError("Tuning file not found")
        modes = {"normal": {"shutter": [100, 10_000, 66_666], "gain": [1.0, 2.0, 8.0]}}
        return {"version": 2.0, "algorithms": [{"rpi.agc": {"channels": [{"exposure_modes": modes}]}}]}

    @staticmethod
    def find_tuning_algo(tuning: dict[str, Any], name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(algorithm for algorithm in tuning["algorithms"] if name in algorithm)[name]
        return found

    def create_video_configuration(
        self, main: Mapping[str, Any] | None = None, lores: Mapping[str, Any] | None = None, **wanted: Any
    ) -> dict[str, Any]:
        if unknown := set(wanted) - set(_DEFAULTS):
            raise TypeError(f"create_video_configuration() got an unexpected keyword argument {unknown.pop()!r}")
        large = _stream(_MAIN, main or {})
        small = {"format": "YUV420", "size": large["size"], "preserve_ar": False}
        streams = {"main": large, "lores": None if lores is None else _stream(small, lores)}
        return {"use_case": "video", **_DEFAULTS, **wanted, **streams}

    def configure(self, configuration: Mapping[str, Any]) -> None:
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        made = dict(configuration)
        for name in ("main", "lores"):
            if made[name] is None:
                continue
            width, height = made[name]["size"]
            if width % 2 or height % 2:
                raise RuntimeError("width and height should be even")
            stride = width + PADDING_PX
            made[name] = {**made[name], "stride": stride, "framesize": stride * height * 3 // 2}
        if made["lores"] and any(np.greater(made["lores"]["size"], made["main"]["size"])):
            raise RuntimeError("lores stream dimensions may not exceed main stream")
        self._refuse_unadvertised(made["controls"])
        self.configuration = made

    def camera_configuration(self) -> dict[str, Any]:
        return self.configuration

    def set_controls(self, controls: Mapping[str, Any]) -> None:
        self._refuse_unadvertised(controls)
        self.controls_set.update(controls)

    def _refuse_unadvertised(self, controls: Mapping[str, Any]) -> None:
        for name in controls:
            if name not in self.camera_controls and name != "FrameRate":  # picamera2's own word for the durations
                raise RuntimeError(f"Control {name} is not advertised by libcamera")

    def start(self) -> None:
        self._starts += not self.started
        self.started = True

    def stop(self) -> None:
        self.started = False
        self.unreleased = 0  # libcamera takes all back

    def capture_request(self, wait: float | Literal[False] | None = None) -> Any:
        """A request, or for `wait=False` a job for it."""
        job = FakeJob(self)
        self._asked.append(job)
        if wait is False:
            return job
        return job.get_result(wait)

    def serve(self) -> bool:
        """Give whoever asked first the next picture; whether there was any."""
        no_buffer = not self.started or self.unreleased >= self.configuration["buffer_count"]
        if no_buffer or self.is_stuck.is_set():
            return False
        period_ns = 1_000_000_000 // self.configuration["controls"]["FrameRate"] if self.is_paced else 10_000_000
        now_ns = time.monotonic_ns()
        missed = max(0, now_ns - self._stamp_ns) // period_ns if self._stamp_ns else 0
        self._stamp_ns = (self._stamp_ns or now_ns) + (missed + 1) * period_ns  # the sensor waits for nobody
        threading.Event().wait(max(0, self._stamp_ns - now_ns) / 1e9)
        self._made += 1
        self.unreleased += 1
        self._asked.popleft().request = FakeRequest(self, self._made, self._stamp_ns, self._starts)
        return True

    def give_back(self, starts: int) -> None:
        """A buffer is free again, unless the camera was stopped since."""
        if self.started and starts == self._starts:
            self.unreleased -= 1

    def luma(self, number: int, stamp_ns: int) -> int:
        """How bright picture `number` is all over; it was taken at `stamp_ns` (monotonic)."""
        return (10 + number) % 200

    def close(self) -> None:
        self.stop()
        self.configuration = {}
        self.is_closed = True


def _stream(defaults: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    for key in wanted:
        if key not in _STREAM_KEYS:
            raise ValueError(f"Bad key {key!r}: valid stream configuration keys are {_STREAM_KEYS}")
    width, height = {**defaults, **wanted}["size"]
    return {**defaults, **wanted, "size": (width - width % 2, height - height % 2)}


class FakeJob:
    """What was asked for."""

    def __init__(self, camera: FakePicamera2) -> None:
        self._camera = camera
        self.request: FakeRequest | None = None

    def get_result(self, timeout: float | None = None) -> FakeRequest:
        until_s = float("inf") if timeout is None else time.monotonic() + timeout
        while self.request is None:
            if self._camera.serve():
                continue
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            threading.Event().wait(min(left_s, _LOOK_AGAIN_S))
        return self.request


class FakeRequest:
    """One completed capture: one grey all over, then the two colour planes, two lines of them in one of the array."""

    def __init__(self, camera: FakePicamera2, number: int, stamp_ns: int, starts: int) -> None:
        self._camera = camera
        self._configuration = camera.configuration
        self._number = number
        self._stamp_ns = stamp_ns
        self._starts = starts
        self._uses = 1

    def make_array(self, name: str) -> NDArray[np.uint8]:
        stream = self._configuration.get(name)
        if stream is None:
            raise RuntimeError(f"Stream {name!r} is not defined")
        width, height = stream["size"]
        stride = stream["stride"]
        plane = np.full((height * 3 // 2, stride), 255, np.uint8)
        plane[:height, :width] = self._camera.luma(self._number, self._stamp_ns)
        colours = plane[height:].reshape(2, height // 2, stride // 2)
        for colour, value in zip(colours, COLOURS, strict=True):
            colour[:, : width // 2] = value
        return plane

    def get_metadata(self) -> dict[str, Any]:
        return {"SensorTimestamp": self._stamp_ns}

    def release(self) -> None:
        self._uses -= 1
        if self._uses < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self._camera.give_back(self._starts)


def fake_modules(camera: type[FakePicamera2]) -> dict[str, ModuleType]:
    """For `sys.modules`: "picamera2" with `camera` as its `Picamera2`, and "libcamera"."""
    picamera2, libcamera = ModuleType("picamera2"), ModuleType("libcamera")
    vars(picamera2)["Picamera2"] = camera
    vars(libcamera)["ColorSpace"] = SimpleNamespace(Rec709=lambda: "rec709")
    vars(libcamera)["Transform"] = lambda **turned: turned
    vars(libcamera)["controls"] = SimpleNamespace(
        AeExposureModeEnum=SimpleNamespace(Short="short"),
        AeConstraintModeEnum=SimpleNamespace(Highlight="highlight"),
        AeMeteringModeEnum=SimpleNamespace(CentreWeighted="centre"),
        AeFlickerModeEnum=SimpleNamespace(Manual="manual"),
        AfModeEnum=SimpleNamespace(Manual="manual", Continuous="continuous"),
        AfSpeedEnum=SimpleNamespace(Fast="fast"),
        AfRangeEnum=SimpleNamespace(Macro="macro", Full="full"),
        AfMeteringEnum=SimpleNamespace(Windows="windows"),
    )
    return {"picamera2": picamera2, "libcamera": libcamera}
