"""Cameras that look at the door: each gives its newest frame in grey, or says why it cannot.

with open_camera(SimulatedCamera(visitors_file="visitors.json")) as camera:
    frame = camera.newest(timeout_s=2.0)   # frame.y: uint8 (height, width)
"""

from __future__ import annotations

from typing import assert_never

from hardware.cameras.frames import Camera, Frame, Luma
from hardware.cameras.newest import Driver, NewestFrames
from hardware.cameras.scripted import ScriptedCamera
from hardware.cameras.settings import (
    CameraSettings,
    DeviceCamera,
    FileCamera,
    Picamera2Camera,
    PicturesCamera,
    RtspCamera,
    SimulatedCamera,
)

__all__ = [
    "Camera",
    "CameraSettings",
    "DeviceCamera",
    "FileCamera",
    "Frame",
    "Luma",
    "Picamera2Camera",
    "PicturesCamera",
    "RtspCamera",
    "ScriptedCamera",
    "SimulatedCamera",
    "open_camera",
]


def open_camera(settings: CameraSettings) -> Camera:
    """The camera that `settings` describe, already looking.

    Raises `CameraError` at once for what no waiting can cure: a file, folder or list of visitors that is missing
    or empty. A device that is absent or busy is tried again in the background; `newest` says why it is not there.
    """
    return NewestFrames(_driver(settings))


def _driver(settings: CameraSettings) -> Driver:  # drivers are imported when used: each pulls in a large library
    match settings:
        case Picamera2Camera():
            from hardware.cameras.picamera2 import Picamera2Driver  # noqa: PLC0415

            return Picamera2Driver(settings)
        case DeviceCamera():
            from hardware.cameras.film import device_driver  # noqa: PLC0415

            return device_driver(settings)
        case RtspCamera():
            from hardware.cameras.film import rtsp_driver  # noqa: PLC0415

            return rtsp_driver(settings)
        case FileCamera():
            from hardware.cameras.film import file_driver  # noqa: PLC0415

            return file_driver(settings)
        case PicturesCamera():
            from hardware.cameras.pictures import PicturesDriver  # noqa: PLC0415

            return PicturesDriver(settings)
        case SimulatedCamera():
            from hardware.cameras.simulated import SimulatedDriver  # noqa: PLC0415

            return SimulatedDriver(settings)
        case _:
            assert_never(settings)
