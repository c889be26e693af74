"""Cameras read by libav, against real files and a real TCP server: pace, damage, silence, going and coming back."""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest

from hardware.cameras import Camera, CameraSettings, DeviceCamera, FileCamera, RtspCamera, open_camera
from hardware.cameras.film import Film, FilmDriver, device_driver, luma
from hardware.cameras.newest import NewestFrames
from hardware.errors import CameraError, CameraStalled, EndOfFilm

SIZE_PX = (160, 96)


def grey_of(number: int) -> int:
    return 40 + 4 * number


def film(frames: int, *, rate: int = 20, kind: str = "mp4", codec: str = "mpeg4") -> bytes:
    """A video whose frame n is one even grey, `grey_of(n)`; every frame a keyframe."""
    target = io.BytesIO()
    with av.open(target, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, options={"g": "1", "qscale": "2"})
        stream.width, stream.height, stream.pix_fmt = *SIZE_PX, "yuv420p"
        for number in range(frames):
            picture = av.VideoFrame(*SIZE_PX, "yuv420p")
            for plane, level in zip(picture.planes, (grey_of(number), 128, 128), strict=True):
                plane.update(bytes([level]) * plane.buffer_size)
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return target.getvalue()


def play(camera: Camera) -> Iterator[tuple[int, float]]:
    """Number and time of every frame until the end."""
    while True:
        try:
            frame = camera.newest(5.0)
        except EndOfFilm:
            return
        assert frame.y.shape == (SIZE_PX[1], SIZE_PX[0])
        assert abs(int(frame.y.mean()) - grey_of(frame.number)) <= 3
        yield frame.number, frame.taken_s


def test_a_file_is_shown_once_in_real_time_from_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(film(20))
    with open_camera(FileCamera(path=str(tmp_path / "a.mp4"))) as camera:
        seen = list(play(camera))
    assert seen[0][0] == 0
    assert seen[-1][0] == 19
    for number, taken_s in seen:
        assert taken_s - seen[0][1] == pytest.approx(number / 20, abs=0.15)


def test_a_repeated_file_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(film(4))
    with open_camera(FileCamera(path=str(tmp_path / "a.mp4"), repeat=True)) as camera:
        frame = camera.newest(5.0)
        while frame.number < 9:
            frame = camera.newest(5.0)


def test_a_torn_video_is_shown_up_to_where_it_was_torn(tmp_path: Path) -> None:
    whole = film(30, kind="mpegts", codec="mpeg2video")
    (tmp_path / "torn.ts").write_bytes(whole[: len(whole) // 2])
    with open_camera(FileCamera(path=str(tmp_path / "torn.ts"))) as camera:
        seen = [number for number, _ in play(camera)]
    assert 5 <= max(seen) <= 20


def failure_of(camera: Camera, limit_s: float = 10.0) -> CameraError | None:
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        try:
            camera.newest(2.0)
        except CameraError as failure:
            return failure
    return None


@pytest.mark.parametrize("damage", ["no index", "noise in the middle", "all noise", "empty"])
def test_a_damaged_video_ends_with_a_reason_and_never_hangs(tmp_path: Path, damage: str) -> None:
    whole = bytearray(film(30))
    noise = np.random.default_rng(1).bytes(len(whole))
    match damage:
        case "no index":  # an mp4 keeps it at the end: a recording that was cut by a power failure
            whole = whole[: len(whole) // 2]
        case "noise in the middle":
            whole[300 : len(whole) // 2] = noise[300 : len(whole) // 2]
        case "all noise":
            whole = bytearray(noise)
        case "empty":
            whole.clear()
    (tmp_path / "bad.mp4").write_bytes(whole)
    began_s = time.monotonic()
    with open_camera(FileCamera(path=str(tmp_path / "bad.mp4"))) as camera:
        failure = failure_of(camera)
    assert time.monotonic() - began_s < 5.0
    assert not isinstance(failure, CameraStalled)
    assert "bad.mp4" in str(failure)


def test_a_file_that_is_not_there_or_has_no_picture_is_told(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match=r"nothing\.mp4 is not a file"):
        open_camera(FileCamera(path=str(tmp_path / "nothing.mp4")))
    with av.open(str(tmp_path / "sound.mka"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.rate = 8000
        container.mux(stream.encode(sound))
    with (
        open_camera(FileCamera(path=str(tmp_path / "sound.mka"))) as camera,
        pytest.raises(CameraError, match="no picture track"),
    ):
        camera.newest(5.0)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj422p", "nv12", "gray", "rgb24", "yuyv422", "yuv420p10le", "bgra"])
def test_brightness_is_right_whatever_the_pixels_are(pixels: str) -> None:
    shade = np.full((50, 70, 3), 60, np.uint8)
    shade[:, 35:] = 200
    y = luma(av.VideoFrame.from_ndarray(shade, format="rgb24").reformat(format=pixels))
    assert y.shape == (50, 70)
    assert y.dtype == np.uint8
    assert y[:, :30].mean() == pytest.approx(60, abs=9)  # television's range maps 60 to 67
    assert y[:, 40:].mean() == pytest.approx(200, abs=15)


class Station:
    """A TCP server that sends a script to each who connects, and then says nothing more, or hangs up."""

    def __init__(self, *scripts: bytes, hangs_up: bool) -> None:
        self._scripts = scripts
        self._hangs_up = hangs_up
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._guests: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Station:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5.0)
        for guest in self._guests:
            guest.close()

    def _serve(self) -> None:
        for number in range(100):
            try:
                guest, _ = self._listener.accept()
            except OSError:
                return
            guest.sendall(self._scripts[min(number, len(self._scripts) - 1)])
            if self._hangs_up:
                guest.close()
            else:
                self._guests.append(guest)


def live(port: int) -> FilmDriver:
    """What `rtsp_driver` builds, over plain TCP."""
    return FilmDriver(
        Film(f"tcp://127.0.0.1:{port}", "the stage", is_live=True, advice="Is it on?", format="mpegts", silence_s=1.0)
    )


def seen_within(camera: Camera, condition: Callable[[Exception | None], bool], limit_s: float = 12.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        failure: Exception | None = None
        try:
            camera.newest(0.3)
        except CameraError as error:
            failure = error
        if condition(failure):
            return
    pytest.fail("it did not come to pass")


def test_a_live_camera_that_falls_silent_is_stalled_in_time_and_then_opened_again() -> None:
    with (
        Station(film(40, kind="mpegts", codec="mpeg2video"), hangs_up=False) as station,
        NewestFrames(live(station.port), retry_s=(0.05,)) as camera,
    ):
        seen_within(camera, lambda failure: failure is None)
        seen_within(camera, lambda failure: isinstance(failure, CameraStalled), limit_s=1.0)
        seen_within(camera, lambda failure: failure is None)  # on the second connection


def test_a_live_camera_that_hangs_up_comes_back_and_meanwhile_the_error_says_so() -> None:
    video = film(40, kind="mpegts", codec="mpeg2video")
    with (
        Station(video, b"", b"", video, hangs_up=True) as station,
        NewestFrames(live(station.port), retry_s=(0.5,)) as camera,
    ):
        seen_within(camera, lambda failure: failure is None)
        seen_within(camera, lambda failure: failure is not None and "the stage" in str(failure))
        seen_within(camera, lambda failure: failure is None)


def test_a_network_camera_that_is_off_is_told_without_its_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
    settings = RtspCamera(url=f"rtsp://door:hunter2@127.0.0.1:{port}/s?password=hunter2")
    with open_camera(settings) as camera, pytest.raises(CameraError, match="Connection refused") as caught:
        camera.newest(0.5)
    chain: BaseException | None = caught.value
    texts = [repr(settings), camera.name, caplog.text]
    while chain is not None:
        texts.append(f"{chain!r} {chain}")
        chain = chain.__cause__ or chain.__context__
    assert "127.0.0.1" in texts[0]
    assert not [text for text in texts if "hunter2" in text]


def test_a_usb_camera_is_asked_for_mjpeg_first_and_taken_as_it_is_when_it_refuses(tmp_path: Path) -> None:
    (tmp_path / "usb.ts").write_bytes(film(20, kind="mpegts", codec="mpeg2video"))
    asked: list[tuple[str, dict[str, Any]]] = []

    def refusing(address: str, **how: Any) -> Any:
        asked.append((address, how))
        if "video_size" in how["options"]:
            raise av.error.ArgumentError(22, "Invalid argument", address)
        return av.open(str(tmp_path / "usb.ts"))

    settings = DeviceCamera(path="/dev/video7", width_px=640, height_px=480, frames_per_s=10)
    with NewestFrames(device_driver(settings, open_container=refusing)) as camera:
        assert camera.newest(5.0).y.shape == (SIZE_PX[1], SIZE_PX[0])
    assert [(address, how["format"]) for address, how in asked[:3]] == [("/dev/video7", "v4l2")] * 3
    assert asked[0][1]["options"]["input_format"] == "mjpeg"
    assert asked[1][1]["options"] == {"video_size": "640x480", "framerate": "10", "fflags": "+4"}


class NotYet:
    """A container of a device opened without blocking: it says EAGAIN `times` before each packet."""

    def __init__(self, path: Path, times: int) -> None:
        self._container = av.open(str(path))
        self._times = times
        self._left = times
        self.streams = self._container.streams
        self.is_closed = False

    def __enter__(self) -> NotYet:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()
        self.is_closed = True

    def demux(self, stream: Any) -> Iterator[Any]:
        packets = self._container.demux(stream)
        while True:
            if self._left:
                self._left -= 1
                raise av.error.BlockingIOError(11, "Resource temporarily unavailable")
            packet = next(packets, None)
            if packet is None or packet.dts is None:  # the end
                return
            self._left = self._times
            yield packet


def test_a_usb_camera_that_has_nothing_yet_is_asked_again_and_can_be_closed_while_silent(tmp_path: Path) -> None:
    (tmp_path / "usb.ts").write_bytes(film(20, kind="mpegts", codec="mpeg2video"))
    slow, silent = NotYet(tmp_path / "usb.ts", times=3), NotYet(tmp_path / "usb.ts", times=1_000_000)
    opened = iter((slow, silent, *(NotYet(tmp_path / "usb.ts", times=1_000_000) for _ in range(9))))
    driver = FilmDriver(
        Film("/dev/x", "x", is_live=True, advice="", silence_s=0.5, open_container=lambda *_, **__: next(opened))
    )
    with NewestFrames(driver, retry_s=(0.4,)) as camera:
        seen_within(camera, lambda failure: failure is None)
        seen_within(camera, lambda failure: failure is not None and "ended its stream" in str(failure))
        seen_within(camera, lambda failure: failure is not None and "gave no picture" in str(failure))
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 1.0
    assert slow.is_closed
    assert silent.is_closed


def test_a_usb_camera_that_is_not_plugged_in_is_told_with_what_to_do() -> None:
    with (
        open_camera(DeviceCamera(path="/dev/video-none")) as camera,
        pytest.raises(CameraError, match=r"/dev/video-none cannot be opened: No such file.*group video"),
    ):
        camera.newest(0.3)


@pytest.mark.parametrize(
    "text",
    [
        '{"kind":"device","path":"/dev/video2"}',
        '{"kind":"rtsp","url":"rtsp://10.0.0.2/stream"}',
        '{"kind":"file","path":"a.mp4","repeat":true}',
        '{"kind":"pictures","folder":"p"}',
        '{"kind":"picamera2","focus":"fixed","lens_dioptres":6.5}',
        '{"kind":"simulated","visitors_file":"v.json"}',
    ],
)
def test_settings_are_told_apart_by_kind_and_unknown_keys_are_refused(text: str) -> None:
    assert msgspec.json.decode(text, type=CameraSettings)
    with pytest.raises(msgspec.ValidationError, match="unknown field `colour`"):
        msgspec.json.decode(text.replace("}", ',"colour":1}'), type=CameraSettings)
