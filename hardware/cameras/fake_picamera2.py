"""As much of picamera2 0.3.38 and libcamera as our driver touches, for machines without them. For tests.

Names, shapes and errors are those of the real ones: `capture_request` raises `TimeoutError`, `set_controls` refuses
what is not advertised, arrays are wider than the picture, and a request that is not released starves the camera.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

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
STREAMS = ("main", "lores")
PADDING_PX = 64  # the stride exceeds the width
COLOURS = (90, 160)  # U and V of every picture


class FakePicamera2:
    """One camera module. Class attributes are the machine: tests set them on a subclass."""

    cameras: ClassVar[list[dict[str, Any]]] = [{"Model": "imx708", "Location": 2, "Id": "/base/imx708", "Num": 0}]
    advertised: ClassVar[Mapping[str, Any]] = {**AUTOFOCUS, **EXPOSURE, "FrameDurationLimits": (33333, 120000, None)}
    busy_times: ClassVar[int] = 0  # so many openings are refused
    is_paced: ClassVar[bool] = False  # frames come at the configured FrameRate, as a sensor's do; else each 10 ms
    opened: ClassVar[list[FakePicamera2]] = []

    def __init__(self, camera_num: int = 0, tuning: dict[str, Any] | None = None) -> None:
        kind = type(self)
        if kind.busy_times > 0:
            kind.busy_times -= 1
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.tuning = tuning
        self.camera_controls = dict(self.advertised)
        self.camera_properties = {"Model": kind.cameras[camera_num]["Model"], "ScalerCropMaximum": (0, 0, 4608, 2592)}
        self.sensor_modes = MODES
        self.controls_set: dict[str, Any] = {}
        self.configuration: dict[str, Any] = {}
        self.is_closed = False
        self.is_stuck = threading.Event()  # set: no frame comes
        self.unreleased = 0
        self._started = False
        self._made = 0
        self._stamp_ns = 0
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

    def create_video_configuration(self, **wanted: Any) -> dict[str, Any]:
        unknown = set(wanted) - {
            *("main", "lores", "raw", "transform", "colour_space", "buffer_count", "controls", "queue", "sensor")
        }
        if unknown:
            raise ValueError(f"unknown: {unknown}")
        (main_width, main_height), (width, height) = (wanted.get(name, wanted["main"])["size"] for name in STREAMS)
        if width > main_width or height > main_height:
            raise RuntimeError("lores stream dimensions may not exceed main stream")
        return wanted

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration

    def camera_configuration(self) -> dict[str, Any]:
        return self.configuration

    def set_controls(self, controls: Mapping[str, Any]) -> None:
        for name in controls:
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self.controls_set.update(controls)

    def start(self) -> None:
        self._started = True

    def capture_request(self, wait: float | None = None) -> FakeRequest:
        pause = threading.Event()
        if not self._started or self.is_stuck.is_set() or self.unreleased >= self.configuration["buffer_count"]:
            pause.wait(wait)
            raise TimeoutError
        period_ns = 1_000_000_000 // self.configuration["controls"]["FrameRate"] if self.is_paced else 10_000_000
        now_ns = time.monotonic_ns()
        missed = max(0, now_ns - self._stamp_ns) // period_ns if self._stamp_ns else 0
        self._stamp_ns = (self._stamp_ns or now_ns) + (missed + 1) * period_ns  # the sensor waits for nobody
        pause.wait(max(0, self._stamp_ns - now_ns) / 1e9)
        self._made += 1
        self.unreleased += 1
        return FakeRequest(self, self._made, self._stamp_ns)

    def luma(self, number: int, stamp_ns: int) -> int:
        """How bright picture `number` is all over; it was taken at `stamp_ns` (monotonic)."""
        return (10 + number) % 200

    def close(self) -> None:
        self._started = False
        self.is_closed = True


class FakeRequest:
    """One completed capture: one grey all over, then the two colour planes, two lines of them in one of the array."""

    def __init__(self, camera: FakePicamera2, number: int, stamp_ns: int) -> None:
        self._camera = camera
        self._number = number
        self._stamp_ns = stamp_ns

    def make_array(self, name: str) -> NDArray[np.uint8]:
        width, height = self._camera.configuration[name]["size"]
        stride = width + PADDING_PX
        plane = np.full((height * 3 // 2, stride), 255, np.uint8)
        plane[:height, :width] = self._camera.luma(self._number, self._stamp_ns)
        colours = plane[height:].reshape(2, height // 2, stride // 2)
        for colour, value in zip(colours, COLOURS, strict=True):
            colour[:, : width // 2] = value
        return plane

    def get_metadata(self) -> dict[str, Any]:
        return {"SensorTimestamp": self._stamp_ns}

    def release(self) -> None:
        if self._camera.unreleased == 0:
            raise RuntimeError("CompletedRequest: acquiring lost request")
        self._camera.unreleased -= 1


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
