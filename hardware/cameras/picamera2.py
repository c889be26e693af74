"""A camera module on the Pi's ribbon cable, set up to read codes held 10 to 60 cm before it.

Sizes and controls follow the picamera2 manual and what the camera advertises: a control that this camera lacks
(autofocus on a module 2, nearly everything on a simulated one) is left out, because libcamera refuses the whole set.
"""

from __future__ import annotations

import copy
import logging
import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from hardware.cameras.frames import Frame
from hardware.errors import CameraError, CameraStalled

if TYPE_CHECKING:
    from hardware.cameras.settings import Picamera2Camera
    from hardware.worker import Worker

log = logging.getLogger(__name__)

LENS_DIOPTRES = 5.0  # 20 cm, the middle of where phones are held
WAIT_S = 0.5  # for one frame, before looking whether we should stop
SILENCE_S = 5.0  # without a frame for so long, the camera is closed and opened anew
BUFFERS = 4  # a frame is copied out at once, so four are plenty; each costs some 3 MB of contiguous memory


class Picamera2Driver:
    """Yields the luma plane of the lores stream."""

    is_live = True

    def __init__(self, settings: Picamera2Camera) -> None:
        self.name = f"picamera2:{settings.camera_num}"
        self._settings = settings

    def frames(self, worker: Worker) -> Generator[Frame, None, None]:
        """See `Driver.frames`."""
        try:
            opened = open_module(self.name, self._settings.camera_num, max_exposure_us=self._settings.max_exposure_us)
            with closing(opened) as camera, closing(Requests(camera)) as requests:  # closing it stops it, too
                self._configure(camera)
                camera.start()
                width_px, height_px = camera.camera_configuration()["lores"]["size"]  # what libcamera made of our wish
                heard_s = time.monotonic()
                number = 0
                while worker.wait(0):
                    try:
                        request = requests.next(WAIT_S)
                    except TimeoutError:
                        if time.monotonic() - heard_s > SILENCE_S:
                            raise CameraStalled(
                                f"{self.name} gave no picture for {SILENCE_S:.0f} s."
                                " Power off and reseat its ribbon cable."
                            ) from None
                        continue
                    try:
                        plane = request.make_array("lores")  # a copy, (height * 3/2, stride)
                    finally:
                        request.release()  # one forgotten release after the other starves the camera
                    heard_s = time.monotonic()
                    yield Frame(plane[:height_px, :width_px], heard_s, number)
                    number += 1
        except CameraError:
            raise
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            raise CameraError(
                f"{self.name} failed: {error}. Restart the service; if it stays, see rpicam-hello --list-cameras."
            ) from error

    def _configure(self, camera: Any) -> None:
        size_px = (self._settings.width_px, self._settings.height_px)
        # lores may not be larger than main and is stretched unless both have one shape: so they are the same
        configuration = camera.create_video_configuration(
            main={"size": size_px, "format": "YUV420"},
            lores={"size": size_px, "format": "YUV420"},
            buffer_count=BUFFERS,
            queue=False,  # a frame from before we asked is an old frame
            controls={"FrameRate": self._settings.frames_per_s},
            sensor=whole_field_mode(camera.sensor_modes, size_px),
        )
        camera.configure(configuration)
        chosen = door_controls(self._settings, camera.camera_controls, camera.camera_properties)
        camera.set_controls(chosen)
        log.info("camera=%r event=configured size_px=%dx%d controls=%s", self.name, *size_px, ",".join(chosen))


class Requests:
    """The pictures of a started module, one after the other; one that is late is waited for again.

    When `capture_request(wait=seconds)` gives up, picamera2 goes on holding what was asked for: it takes a picture when
    they come again, nobody has it to give it back, and after as many as there are buffers the camera starves. It is
    also destroyed in the moment in which it is completed, and libcamera 0.7.1 was seen to crash then.
    """

    def __init__(self, camera: Any) -> None:
        self._camera = camera
        self._asked: Any = None  # picamera2's job

    def next(self, wait_s: float) -> Any:
        """The next completed request, to be released by the caller. Raises TimeoutError; ask again then."""
        if self._asked is None:
            self._asked = self._camera.capture_request(wait=False)
        request = self._asked.get_result(timeout=wait_s)
        self._asked = None
        return request

    def close(self) -> None:
        """Give back what came since anybody waited; before the camera is closed. Safe to call twice."""
        if self._asked is not None:
            with suppress(
                TimeoutError
            ):  # then it is ours for as long as we live, or it would be destroyed when it comes
                self._asked.get_result(timeout=0).release()
                self._asked = None


def open_module(name: str, camera_num: int, *, max_exposure_us: int | None = None) -> Any:
    """A Picamera2, to be closed by the caller; `name` is what messages call it. Raises CameraError."""
    try:
        from picamera2 import Picamera2  # noqa: PLC0415  slow, and only there on a Pi
    except ImportError as error:
        raise CameraError(
            f"{name}: python3-picamera2 is missing ({error}). sudo apt install python3-picamera2, and run"
            " from an environment that sees the system's packages."
        ) from error
    try:
        cameras = Picamera2.global_camera_info()
        if camera_num >= len(cameras):
            raise CameraError(
                f"{name} is not found ({len(cameras)} cameras found): check its ribbon cable. Power off, push it in at"
                " both ends (contacts to the board), and see rpicam-hello --list-cameras."
            )
        model = cameras[camera_num].get("Model", "")
        tuning = None if max_exposure_us is None else capped_tuning(Picamera2, model, max_exposure_us)
        return _opened(Picamera2, camera_num, tuning)
    except (RuntimeError, IndexError, OSError) as error:
        if isinstance(error, CameraError):
            raise
        raise CameraError(
            f"{name} cannot be opened: {error}. Does another program hold it (sudo fuser -v /dev/media*)?"
            " Is this user in the group video?"
        ) from error


def _opened(library: Any, camera_num: int, tuning: dict[str, Any] | None) -> Any:
    """`library(camera_num, tuning=tuning)`, of which nothing stays when the camera is refused.

    picamera2 makes a pipe before it asks for the camera, and leaves it open then: whoever asks every four seconds, as
    the door does, would have no descriptor left after an hour.
    """
    camera = library.__new__(library)
    try:
        camera.__init__(camera_num, tuning=tuning)
    except BaseException:
        made = vars(camera)
        if "notifymeread" in made:
            made["notifymeread"].close()
            os.close(made["notifyme_w"])
        raise
    return camera


def whole_field_mode(modes: Sequence[Mapping[str, Any]], size_px: tuple[int, int]) -> dict[str, Any]:
    """The smallest sensor mode that sees the whole field and is not smaller than `size_px`; {} when unknown.

    Left alone, libcamera takes the mode nearest in size: a crop on a Camera Module 3, as if 1.5 times nearer.
    """
    fields = {tuple(mode["crop_limits"][2:]) for mode in modes if "crop_limits" in mode}
    if not fields:
        return {}
    widest = max(fields)
    whole = [mode for mode in modes if tuple(mode.get("crop_limits", ())[2:]) == widest]
    enough = [mode for mode in whole if mode["size"][0] >= size_px[0] and mode["size"][1] >= size_px[1]]
    if not enough:
        return {}
    mode = min(enough, key=lambda mode: int(mode["size"][0]))
    return {"output_size": tuple(mode["size"]), "bit_depth": mode["bit_depth"]}


def door_controls(
    settings: Picamera2Camera, advertised: Mapping[str, Any], properties: Mapping[str, Any]
) -> dict[str, Any]:
    """The controls for a bright phone held near, those of them that the camera advertises."""
    from libcamera import controls as libcamera  # noqa: PLC0415  only there on a Pi

    wanted: dict[str, Any] = {
        "AeExposureMode": libcamera.AeExposureModeEnum.Short,
        "AeConstraintMode": libcamera.AeConstraintModeEnum.Highlight,  # a phone's screen must not burn out
        "AeMeteringMode": libcamera.AeMeteringModeEnum.CentreWeighted,
        "ExposureValue": -0.5,
        "AeFlickerMode": libcamera.AeFlickerModeEnum.Manual,
        "AeFlickerPeriod": 10_000,  # microseconds: lamps on 50 Hz mains brighten 100 times a second
    }
    match settings.focus:
        case "fixed":
            wanted["AfMode"] = libcamera.AfModeEnum.Manual
            wanted["LensPosition"] = LENS_DIOPTRES if settings.lens_dioptres is None else settings.lens_dioptres
        case "near" | "continuous":
            wanted["AfMode"] = libcamera.AfModeEnum.Continuous
            wanted["AfSpeed"] = libcamera.AfSpeedEnum.Fast
            near, full = libcamera.AfRangeEnum.Macro, libcamera.AfRangeEnum.Full
            wanted["AfRange"] = near if settings.focus == "near" else full
            field = properties.get("ScalerCropMaximum")
            if field is not None and "AfWindows" in advertised:
                x, y, width, height = field
                wanted["AfMetering"] = libcamera.AfMeteringEnum.Windows
                wanted["AfWindows"] = [(x + width // 4, y + height // 4, width // 2, height // 2)]
    return {name: value for name, value in wanted.items() if name in advertised}


def capped_tuning(library: Any, model: str, max_exposure_us: int) -> dict[str, Any] | None:
    """The sensor's tuning with every automatic exposure capped; None, and a warning, where that cannot be done.

    `AeExposureMode` alone allows 20 ms, and libcamera before 0.6 ignored it. At 30 cm a hand moving 100 mm/s smears a
    code by a module in 10 ms, and a code smeared by more than a module cannot be read.
    """
    try:
        tuning: dict[str, Any] = copy.deepcopy(library.load_tuning_file(f"{model}.json"))
        agc = library.find_tuning_algo(tuning, "rpi.agc")
        for channel in agc.get("channels", [agc]):
            for mode in channel["exposure_modes"].values():
                mode["shutter"] = [min(shutter_us, max_exposure_us) for shutter_us in mode["shutter"]]
    except (AttributeError, KeyError, TypeError, RuntimeError, OSError, StopIteration, ValueError) as error:
        log.warning("camera_model=%r event=exposure-not-capped reason=%r", model, repr(error))
        return None
    return tuning
