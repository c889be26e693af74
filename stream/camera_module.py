"""The camera module's own process: pictures with the moment they were taken, from picamera2 into the encoder's pipe.

    python -m stream.camera_module OUT_FD SOURCE PICTURE      (the structs of settings.py, as JSON)

Apart from us because libcamera may hang or crash, and must take nobody with it. The pipe carries NUT with raw pictures:
of what PyAV writes and ffmpeg reads, it keeps stamps of a microsecond and costs no more than the bare pictures would
(`benchmarks/camera_module.py`). Ends when nobody reads any more. Troubles go to stderr as ffmpeg's do: "[error] words".
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import av
import msgspec
import numpy as np
from numpy.typing import NDArray

from hardware.cameras.picamera2 import Requests, open_module, whole_field_mode
from hardware.errors import CameraError, CameraStalled
from hardware.worker import Worker
from stream.settings import CameraModule, Picture

NAME = "the camera module"
BUFFERS = 6  # picamera2's own number for video: the sensor never waits for us
WAIT_S = 0.5  # for one picture, before looking whether anybody reads
SILENCE_S = 5.0  # less than the encoder's patience, so that the words come from here
_WAITING = 4  # pictures: 0.13 s at 30 a second; what is older is of no use to anybody
_TELL_EVERY_S = 10.0
_MICROSECOND = Fraction(1, 1_000_000)


class Shot(NamedTuple):
    """One picture, YUV 4:2:0, and when it was taken (monotonic)."""

    planes: bytes
    at_us: int


class Outlet:
    """Writes pictures into a pipe from a thread of its own; when the reader is slow, the oldest are left out."""

    def __init__(self, fd: int, size_px: tuple[int, int], frames_per_s: int, layout: str = "yuv420p") -> None:
        self.left_out = 0
        self._waiting: deque[Shot] = deque()
        self._changed = threading.Condition()
        self._film = av.open(f"pipe:{fd}", "w", format="nut", options={"flush_packets": "1"})
        self._stream = self._film.add_stream("rawvideo", rate=frames_per_s)
        self._stream.width, self._stream.height = size_px
        self._stream.pix_fmt = layout
        self._stream.time_base = _MICROSECOND
        self._worker = Worker("camera-module-outlet", self._run)
        self._worker.start()

    @property
    def is_read(self) -> bool:
        """Whether anybody may still read."""
        return self._worker.is_alive

    def put(self, shot: Shot) -> None:
        """Give one picture; never waits."""
        with self._changed:
            if len(self._waiting) == _WAITING:
                self._waiting.popleft()
                self.left_out += 1
            self._waiting.append(shot)
            self._changed.notify()

    def _run(self, worker: Worker) -> None:
        with contextlib.suppress(BrokenPipeError):  # the encoder ended: so do we
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: bool(self._waiting))
                    shot = self._waiting.popleft()
                packet = av.Packet(shot.planes)
                packet.stream, packet.time_base = self._stream, _MICROSECOND
                packet.pts = packet.dts = shot.at_us
                packet.is_keyframe = True
                self._film.mux_one(packet)
                worker.tick()


def planar(array: NDArray[np.uint8], width_px: int, height_px: int) -> bytes:
    """The three planes one after the other, without padding, of picamera2's "YUV420" array.

    That one is (at least height * 3/2, stride) uint8: a line of it holds one of luma, or two of a colour, each with its
    padding (picamera2 manual, appendix A).
    """
    stride = array.shape[1]
    if array.shape == (height_px * 3 // 2, width_px):
        return array.tobytes()
    colours = array[height_px : height_px * 3 // 2].reshape(height_px, stride // 2)[:, : width_px // 2]
    return array[:height_px, :width_px].tobytes() + colours.tobytes()


def interleaved(array: NDArray[np.uint8], width_px: int, height_px: int) -> bytes:
    """The same of picamera2's "NV12" array: luma, then lines of both colours in turn, as long as those of luma."""
    return array[: height_px * 3 // 2, :width_px].tobytes()


# What picamera2 calls a format: what FFmpeg calls it, how it is taken out of an array. A Pi gives YUV420 when asked to;
# cameras that libcamera serves without a Pi's processor may have NV12 alone.
LAYOUTS: Mapping[str, tuple[str, Callable[[NDArray[np.uint8], int, int], bytes]]] = {
    "YUV420": ("yuv420p", planar),
    "NV12": ("nv12", interleaved),
}


def monotonic_us(stamp_ns: int | None, now_ns: int, since_boot_ns: int) -> int:
    """When a picture was taken by the monotonic clock, which is at `now_ns`.

    libcamera says that stamps count from boot; V4L2's, which a Pi hands on, are monotonic. They differ by the time that
    a machine slept, if ever: the nearer one is meant. Without a stamp, now.
    """
    if stamp_ns is None:
        return now_ns // 1000
    slept_ns = since_boot_ns - now_ns
    is_since_boot = abs(now_ns - stamp_ns) > abs(since_boot_ns - stamp_ns)
    return (stamp_ns - slept_ns if is_since_boot else stamp_ns) // 1000


def stage_controls(source: CameraModule, advertised: Mapping[str, Any]) -> dict[str, Any]:
    """The controls for a stage, those of them that the camera advertises (libcamera refuses the whole set else)."""
    from libcamera import controls as libcamera  # noqa: PLC0415  only there on a Pi

    wanted: dict[str, Any] = {
        "AeFlickerMode": libcamera.AeFlickerModeEnum.Manual,
        "AeFlickerPeriod": 10_000,  # microseconds: lamps on 50 Hz mains brighten 100 times a second
    }
    if source.focus == "fixed":
        wanted |= {"AfMode": libcamera.AfModeEnum.Manual, "LensPosition": source.lens_dioptres}
    else:
        wanted["AfMode"] = libcamera.AfModeEnum.Continuous
    return {name: value for name, value in wanted.items() if name in advertised}


def _configure(camera: Any, source: CameraModule, picture: Picture) -> tuple[str, tuple[int, int]]:
    """Returns the format (of `LAYOUTS`) and the size that libcamera made of our wish."""
    from libcamera import ColorSpace, Transform  # noqa: PLC0415  only there on a Pi

    size_px = (picture.width_px, picture.height_px)
    configuration = camera.create_video_configuration(
        main={"size": size_px, "format": "YUV420"},
        buffer_count=BUFFERS,
        colour_space=ColorSpace.Rec709(),  # what the stream says it is; by itself small pictures would be SMPTE 170M
        transform=Transform(hflip=source.upside_down, vflip=source.upside_down),
        controls={"FrameRate": picture.frames_per_s},
        sensor=whole_field_mode(camera.sensor_modes, size_px),
    )
    camera.configure(configuration)
    camera.set_controls(stage_controls(source, camera.camera_controls))
    main = camera.camera_configuration()["main"]
    if main["format"] not in LAYOUTS:
        raise CameraError(f"{NAME} gives its pictures as {main['format']}, not as YUV420: use another one.")
    return main["format"], (int(main["size"][0]), int(main["size"][1]))


def film(source: CameraModule, picture: Picture, out_fd: int) -> None:
    """Pictures into `out_fd` until nobody reads any more. Raises CameraError."""
    try:
        opened = open_module(NAME, source.camera_num)
        with contextlib.closing(opened) as camera, contextlib.closing(Requests(camera)) as requests:  # stops it, too
            given_as, size_px = _configure(camera, source, picture)
            layout, taken_out = LAYOUTS[given_as]
            outlet = Outlet(out_fd, size_px, picture.frames_per_s, layout)
            camera.start()
            seen_s = told_s = time.monotonic()
            told = 0
            while outlet.is_read:
                now_s = time.monotonic()
                if outlet.left_out > told and now_s - told_s > _TELL_EVERY_S:
                    _say("warning", f"{outlet.left_out - told} pictures left out: the encoder takes them too slowly")
                    told, told_s = outlet.left_out, now_s
                try:
                    request = requests.next(WAIT_S)
                except TimeoutError:
                    if now_s - seen_s > SILENCE_S:
                        raise CameraStalled(
                            f"{NAME} gave no picture for {SILENCE_S:.0f} s: check its ribbon cable, with the power off."
                        ) from None
                    continue
                try:
                    array = request.make_array("main")  # a copy
                    stamp_ns = request.get_metadata().get("SensorTimestamp")
                finally:
                    request.release()  # one forgotten release after the other starves the camera
                seen_s = time.monotonic()
                now_ns, since_boot_ns = time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
                outlet.put(Shot(taken_out(array, *size_px), monotonic_us(stamp_ns, now_ns, since_boot_ns)))
    except CameraError:
        raise
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        raise CameraError(f"{NAME} failed: {error}. If it stays, see rpicam-hello --list-cameras.") from error


def _say(level: str, words: str) -> None:
    sys.stderr.write(f"[{level}] {words}\n")
    sys.stderr.flush()


def main(argv: list[str]) -> int:
    """The process. Returns its exit code: 0 when it ended because nobody reads, or was told to."""
    out_fd, source, picture = argv
    try:
        film(msgspec.json.decode(source, type=CameraModule), msgspec.json.decode(picture, type=Picture), int(out_fd))
    except CameraError as error:
        _say("error", str(error))
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
