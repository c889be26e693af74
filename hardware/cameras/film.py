"""Cameras that libav reads: a USB camera (V4L2), a camera on the network (RTSP), a video file in real time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from hardware.cameras.address import without_credentials
from hardware.cameras.frames import Frame, Luma
from hardware.cameras.newest import pace
from hardware.errors import CameraError, CameraStalled

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from hardware.cameras.settings import DeviceCamera, FileCamera, RtspCamera
    from hardware.worker import Worker

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 4.0
SILENCE_S = 3.0  # without one picture for so long, a live camera is closed and opened anew
NONBLOCK = "+4"  # AVFMT_FLAG_NONBLOCK of libavformat/avformat.h, which has no name among the options
POLL_S = 0.004  # how often a quiet V4L2 device is asked: a sixteenth of a frame at 15 a second
LONGEST_PAUSE_S = 2.0  # a jump of a file's timestamps beyond this is damage, not a pause to wait for
DAMAGED_IN_A_ROW = 50  # packets; beyond this nothing readable follows

# Formats whose first plane is 8-bit luma, as named by libav; any other is converted
_LUMA_FIRST = ("yuv4", "yuvj4", "nv12", "nv21", "nv16", "gray")


@dataclass(frozen=True)
class Film:
    """What to open and how; `shown_as` is the only form of the address that people and logs see."""

    address: str
    shown_as: str
    is_live: bool
    advice: str  # what to do when it cannot be opened
    format: str | None = None
    options: tuple[dict[str, str], ...] = ({},)  # tried in this order, for devices that refuse some
    repeat: bool = False
    silence_s: float = SILENCE_S
    open_container: Callable[..., Any] = field(default=av.open, repr=False)


class FilmDriver:
    """Reads a `Film`, frame by frame: a live one as it comes, a file at the pace of its timestamps."""

    def __init__(self, film: Film) -> None:
        self.name = film.shown_as
        self.is_live = film.is_live
        self._film = film
        self._damaged = 0

    def frames(self, worker: Worker) -> Generator[Frame, None, None]:
        """See `Driver.frames`."""
        number = 0
        while worker.wait(0):
            shown_before = number
            with self._open() as container:
                if not container.streams.video:
                    raise CameraError(f"{self.name} holds no picture track. Choose a video.")
                stream = container.streams.video[0]
                stream.thread_type = "SLICE" if self.is_live else "AUTO"  # threads by frame hold frames back
                for y, taken_s in self._shown(self._decoded(container, stream, worker), worker):
                    yield Frame(y, taken_s, number)
                    number += 1
            if not worker.wait(0):
                return
            if self.is_live:
                raise CameraError(f"{self.name} ended its stream. {self._film.advice}")
            if number == shown_before:
                raise CameraError(f"{self.name} has no readable frame. {self._film.advice}")
            if not self._film.repeat:
                return

    def _open(self) -> InputContainer:
        refusal: av.FFmpegError | None = None
        began_s = time.monotonic()
        for options in self._film.options:
            try:
                container: InputContainer = self._film.open_container(
                    self._film.address,
                    format=self._film.format,
                    options=options,
                    timeout=(OPEN_TIMEOUT_S, self._film.silence_s) if self.is_live else None,
                )
            except av.FFmpegError as error:
                refusal = error
                if not isinstance(error, ValueError):  # EINVAL: it does not know this option, try the next set
                    break
            else:
                return container
        assert refusal is not None  # noqa: S101  options is never empty
        # Neither the error's text nor the error itself goes on: both may carry the password of the address
        is_late = self.is_live and time.monotonic() - began_s >= OPEN_TIMEOUT_S  # libav calls that invalid data
        reason = f"no answer in {OPEN_TIMEOUT_S:.0f} s" if is_late else _reason(refusal)
        raise CameraError(f"{self.name} cannot be opened: {reason}. {self._film.advice}") from None

    def _decoded(
        self, container: InputContainer, stream: VideoStream, worker: Worker
    ) -> Iterator[tuple[VideoFrame, float | None]]:
        """Frames with their time in the film (seconds); damaged ones are left out."""
        self._damaged = 0
        in_a_row = 0
        for packet in self._packets(container, stream, worker):
            try:
                pictures = packet.decode()
            except av.FFmpegError as error:
                self._damaged += 1
                in_a_row += 1
                if in_a_row == 1:
                    log.warning("camera=%r event=damaged-frame reason=%r", self.name, _reason(error))
                if in_a_row >= DAMAGED_IN_A_ROW:
                    raise CameraError(
                        f"{self.name} is damaged: {in_a_row} packets unreadable. {self._film.advice}"
                    ) from None
                continue
            for picture in pictures:
                in_a_row = 0
                yield picture, picture.time

    def _packets(self, container: InputContainer, stream: VideoStream, worker: Worker) -> Iterator[Packet[Any]]:
        heard_s = time.monotonic()
        while worker.wait(0):
            try:
                for packet in container.demux(stream):
                    yield packet
                    heard_s = time.monotonic()
                    if not worker.wait(0):
                        return
            except av.error.BlockingIOError:  # a device opened with nonblock: nothing yet
                if time.monotonic() - heard_s > self._film.silence_s:
                    raise self._silent() from None
                worker.wait(POLL_S)
                continue
            except av.error.ExitError:  # libav's word for our own timeout
                raise self._silent() from None
            except av.FFmpegError as error:
                raise CameraError(f"{self.name} cannot be read on: {_reason(error)}. {self._film.advice}") from None
            return

    def _silent(self) -> CameraStalled:
        return CameraStalled(f"{self.name} gave no picture for {self._film.silence_s:.1f} s. {self._film.advice}")

    def _shown(
        self, decoded: Iterator[tuple[VideoFrame, float | None]], worker: Worker
    ) -> Iterator[tuple[Luma, float]]:
        """A live frame at once; a file's frame when its time has come. Ends early when asked to stop."""
        if self.is_live:
            for picture, _ in decoded:
                yield luma(picture), time.monotonic()
            return
        start_s = time.monotonic()
        shown_at_s = 0.0  # in the film, after corrections
        last_s: float | None = None
        for picture, film_s in decoded:
            step_s = 0.0 if last_s is None or film_s is None else film_s - last_s
            shown_at_s += step_s if 0.0 <= step_s <= LONGEST_PAUSE_S else 0.0
            last_s = film_s if film_s is not None else last_s
            if not pace(worker, start_s + shown_at_s):
                return
            yield luma(picture), time.monotonic()


def luma(picture: VideoFrame) -> Luma:
    """The brightness of a decoded picture: uint8 (height, width), a copy."""
    if not picture.format.name.startswith(_LUMA_FIRST) or picture.format.components[0].bits != 8:
        picture = picture.reformat(format="gray")
    plane = picture.planes[0]
    rows: Luma = np.frombuffer(memoryview(plane), np.uint8)  # line_size may exceed the width
    return rows.reshape(-1, plane.line_size)[: picture.height, : picture.width].copy()


def device_driver(settings: DeviceCamera, *, open_container: Callable[..., Any] = av.open) -> FilmDriver:
    """A V4L2 device. MJPEG is asked first: uncompressed, USB 2 carries some ten 1280x720 pictures a second."""
    wanted = {
        "video_size": f"{settings.width_px}x{settings.height_px}",
        "framerate": str(settings.frames_per_s),
        "fflags": NONBLOCK,  # else a device that hangs could never be closed
    }
    return FilmDriver(
        Film(
            address=settings.path,
            shown_as=settings.path,
            is_live=True,
            format="v4l2",
            options=({**wanted, "input_format": "mjpeg"}, wanted, {"fflags": NONBLOCK}),
            advice="Is it plugged in, held by another program, and is this user in the group video?"
            " See v4l2-ctl --list-devices.",
            open_container=open_container,
        )
    )


def rtsp_driver(settings: RtspCamera) -> FilmDriver:
    """A network camera, over TCP: UDP loses packets on a busy wifi, and a torn code cannot be read."""
    return FilmDriver(
        Film(
            address=settings.url,
            shown_as=without_credentials(settings.url),
            is_live=True,
            options=({"rtsp_transport": "tcp", "fflags": "nobuffer"},),
            advice="Is the camera on, on this network, and are the user and password right?",
        )
    )


def file_driver(settings: FileCamera) -> FilmDriver:
    """A video file. Raises `CameraError` when there is none."""
    if not Path(settings.path).is_file():
        raise CameraError(f"{settings.path} is not a file. Give the path of a video.")
    return FilmDriver(
        Film(
            address=settings.path,
            shown_as=settings.path,
            is_live=False,
            advice="Play it with another player; if that fails too, the file is damaged.",
            repeat=settings.repeat,
        )
    )


def _reason(error: av.FFmpegError) -> str:
    """The error in words, without the address that libav puts into its text."""
    if isinstance(error, av.error.ExitError):
        return "no answer in time"
    return error.strerror or type(error).__name__
