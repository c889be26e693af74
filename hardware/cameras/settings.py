"""What may be chosen about a camera: one frozen struct a kind, told apart by `kind` in platypus.toml."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hardware.cameras.address import without_credentials

Pixels = Annotated[int, msgspec.Meta(ge=64, le=4608)]
FramesPerSecond = Annotated[int, msgspec.Meta(ge=1, le=120)]


class _Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    pass


class Picamera2Camera(_Kind, frozen=True, tag="picamera2"):
    """A camera module on the Pi's ribbon cable."""

    camera_num: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    width_px: Pixels = 1280
    height_px: Pixels = 720
    frames_per_s: FramesPerSecond = 15  # 15 costs the reader nothing against 30 (time to first read: 0.54 s both)
    # near: autofocus that looks from 7 to 33 cm, fast; continuous: over its whole range; fixed: at lens_dioptres
    focus: Literal["continuous", "near", "fixed"] = "near"
    lens_dioptres: Annotated[float, msgspec.Meta(ge=0.0, le=15.0)] | None = None  # 1/metres; None: 5 (20 cm)
    max_exposure_us: Annotated[int, msgspec.Meta(ge=100, le=100_000)] = 5000  # 1/200 s: a hand is never still


class DeviceCamera(_Kind, frozen=True, tag="device"):
    """A USB camera (V4L2). A path under /dev/v4l/by-id/ stays the same camera when two are plugged in."""

    path: str = "/dev/video0"
    width_px: Pixels = 1280
    height_px: Pixels = 720
    frames_per_s: FramesPerSecond = 15


class RtspCamera(_Kind, frozen=True, tag="rtsp"):
    """A camera on the network, for instance rtsp://user:password@192.168.1.20/stream1."""

    url: Annotated[str, msgspec.Meta(pattern=r"^rtsps?://[^/\s]+")]

    def __repr__(self) -> str:
        return f"RtspCamera(url={without_credentials(self.url)!r})"


class FileCamera(_Kind, frozen=True, tag="file"):
    """A video played in real time by its own timestamps, from its beginning; once, or again and again."""

    path: str
    repeat: bool = False


class PicturesCamera(_Kind, frozen=True, tag="pictures"):
    """The pictures of a folder in the order of their names, each held still for a while."""

    folder: str
    seconds_each: Annotated[float, msgspec.Meta(gt=0.0)] = 1.0
    frames_per_s: FramesPerSecond = 10  # how often a held picture is given again
    repeat: bool = False


class SimulatedCamera(_Kind, frozen=True, tag="simulated"):
    """Drawn visitors who hold up phones and papers with real QR codes."""

    visitors_file: str  # JSON, see hardware/cameras/visitors.py
    seed: int = 0  # same seed, same pictures
    width_px: Pixels = 1280
    height_px: Pixels = 720
    frames_per_s: FramesPerSecond = 12
    repeat: bool = False


CameraSettings = Picamera2Camera | DeviceCamera | RtspCamera | FileCamera | PicturesCamera | SimulatedCamera
