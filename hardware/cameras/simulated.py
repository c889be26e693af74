"""A door without a camera: drawn visitors hold up real QR codes, for tests and the demo.

Everything that costs is drawn once (the room with its noise, each visitor's hand); a frame is a copy and a paste.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from hardware.cameras.frames import Frame, Luma
from hardware.cameras.newest import pace
from hardware.cameras.props import Patch, Prop, draw_prop
from hardware.cameras.visitors import Pose, Visitor, VisitorTimeline, read_visitors
from hardware.errors import CameraError

if TYPE_CHECKING:
    from hardware.cameras.settings import SimulatedCamera
    from hardware.worker import Worker

NOISE = 2.0  # grey levels, one standard deviation
ROOMS = 4  # copies of the room with different noise, shown in turn
BLURRED_ABOVE = 0.25  # widths a second; beyond it, a 1/60 s exposure smears a module


class Scene:
    """The picture of every frame number, for one list of visitors and one seed."""

    def __init__(
        self,
        visitors: Sequence[Visitor],
        *,
        seed: int = 0,
        width_px: int = 1280,
        height_px: int = 720,
        frames_per_s: float = 12,
        repeat: bool = False,
    ) -> None:
        self.timeline = VisitorTimeline(visitors, seed=seed, frames_per_s=frames_per_s, repeat=repeat)
        self._seed = seed
        self._scale = min(width_px / 1280, height_px / 720)
        rng = np.random.default_rng([seed, 1 << 20])
        room = _room(width_px, height_px).astype(np.float32)
        self._rooms = [
            np.clip(room + rng.normal(0, NOISE, room.shape).astype(np.float32), 0, 255).astype(np.uint8)
            for _ in range(ROOMS)
        ]
        self._noise = np.round(rng.normal(0, NOISE, (height_px + 64, width_px + 64))).astype(np.int16)
        self._props: OrderedDict[int, Prop] = OrderedDict()

    def picture(self, number: int) -> Luma:
        """Frame `number`: uint8 (height, width), a new array."""
        y = self._rooms[number % ROOMS].copy()
        pose = self.timeline.pose(number)
        if pose is not None:
            prop = self._prop(pose.visitor)
            self._paste(y, prop.moving if pose.speed > BLURRED_ABOVE else prop.held, pose, number)
        return y

    def _prop(self, index: int) -> Prop:
        if index not in self._props:
            self._props[index] = draw_prop(
                self.timeline.visitors[index], seed=self._seed, index=index, scale=self._scale
            )
            if len(self._props) > 4:  # a day's visitors would fill the memory
                self._props.popitem(last=False)
        return self._props[index]

    def _paste(self, y: Luma, patch: Patch, pose: Pose, number: int) -> None:
        height, width = y.shape
        patch_height, patch_width = patch.grey.shape
        left = round(pose.x * width - patch_width / 2)
        top = round(pose.y * height - patch_height / 2)
        rows = slice(max(0, top), min(height, top + patch_height))
        columns = slice(max(0, left), min(width, left + patch_width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        inside = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
        alpha = patch.alpha[inside].astype(np.int16)
        scene = y[rows, columns].astype(np.int16)
        noise_top, noise_left = (number * 37) % 64, (number * 23) % 64
        noise = self._noise[
            noise_top + rows.start : noise_top + rows.stop, noise_left + columns.start : noise_left + columns.stop
        ]
        hand = patch.grey[inside].astype(np.int16) + noise
        # (hand - scene) * alpha would overflow 16 bits: halve alpha to 0..128, shift by 7
        alpha = (alpha + 1) >> 1
        np.clip(scene + (((hand - scene) * alpha) >> 7), 0, 255, out=scene)
        y[rows, columns] = scene


class SimulatedDriver:
    """Shows a `Scene` in real time. Raises `CameraError` when the visitors' file cannot be read."""

    is_live = True  # the door stays, empty, when everyone has come

    def __init__(self, settings: SimulatedCamera) -> None:
        self.name = f"simulated:{Path(settings.visitors_file).name}"
        self._settings = settings
        self._visitors = read_visitors(settings.visitors_file)

    def frames(self, worker: Worker) -> Generator[Frame, None, None]:
        """See `Driver.frames`. Frame n is `Scene.picture(n)`; a slow machine leaves numbers out."""
        settings = self._settings
        scene = Scene(
            self._visitors,
            seed=settings.seed,
            width_px=settings.width_px,
            height_px=settings.height_px,
            frames_per_s=settings.frames_per_s,
            repeat=settings.repeat,
        )
        start_s = time.monotonic()
        number = 0
        while pace(worker, start_s + number / settings.frames_per_s):
            yield Frame(scene.picture(number), time.monotonic(), number)
            number = max(number + 1, math.floor((time.monotonic() - start_s) * settings.frames_per_s))


def write_film(
    path: str | Path,
    visitors: Sequence[Visitor],
    seed: int = 0,
    *,
    width_px: int = 1280,
    height_px: int = 720,
    frames_per_s: int = 12,
    frame_count: int | None = None,
) -> VisitorTimeline:
    """Write the scene as an H.264 video (even sizes only), whole unless `frame_count` says less. Returns who is when.

    Raises `CameraError` when it cannot be written.
    """
    import av  # noqa: PLC0415  the camera itself does without

    scene = Scene(visitors, seed=seed, width_px=width_px, height_px=height_px, frames_per_s=frames_per_s)
    try:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=frames_per_s, options={"preset": "veryfast", "crf": "20"})
            stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
            for number in range(scene.timeline.frame_count if frame_count is None else frame_count):
                picture = av.VideoFrame.from_ndarray(scene.picture(number), format="gray").reformat(format="yuv420p")
                picture.pts = number
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise CameraError(
            f"film {path} cannot be written: {error.strerror}. Is the folder there, and is there room?"
        ) from error
    return scene.timeline


def _room(width_px: int, height_px: int) -> NDArray[np.uint8]:
    """A lobby, out of focus: wall, floor, a lit doorway, two posters and a plant."""
    scale_x, scale_y = width_px / 1280, height_px / 720
    across = np.linspace(105, 140, width_px, dtype=np.float32)
    down = np.linspace(10, -25, height_px, dtype=np.float32)
    picture = Image.fromarray((across[None, :] + down[:, None]).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom, grey in (
        (0, 560, 1280, 720, 82),
        (900, 90, 1150, 600, 176),
        (1010, 90, 1018, 600, 120),
        (120, 120, 290, 350, 160),
        (150, 150, 260, 240, 92),
        (360, 160, 470, 320, 74),
        (40, 470, 110, 640, 60),
    ):
        draw.rectangle((left * scale_x, top * scale_y, right * scale_x, bottom * scale_y), fill=grey)
    draw.ellipse((10 * scale_x, 360 * scale_y, 150 * scale_x, 520 * scale_y), fill=48)
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(7 * min(scale_x, scale_y))))
