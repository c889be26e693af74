"""How the machine is, from one place: what `platypus doctor` prints and what the page of the system shows.

Everything here looks and opens nothing that a program of ours may have: no camera, no microphone, no pin. What takes
its time (the network) is a look of its own, so that it makes no other one old.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from hardware.board import Board
from hardware.cameras.settings import DeviceCamera, Picamera2Camera, RtspCamera
from hardware.checks import Check, disk_check, memory_checks, power_checks, system_checks
from hardware.devices import device_check, microphone_check, module_check
from hardware.network import HOST_S, host_check, network_check, way_out
from hardware.units import PROGRAMS, unit_check, units
from kiosk.backup.in_use import running
from kiosk.config import Config
from kiosk.version import own_version
from stream.settings import CameraModule, NetworkCamera, Stamped, VideoDevice

_PORTS = {"rtmp": 1935, "rtmps": 443, "rtsp": 554, "rtsps": 322}
_PROGRAM_S = 5.0


class Health:
    """The looks, over one configuration; None: there is no good one, and what it would name is left out."""

    def __init__(self, config: Config | None, board: Board | None = None, root: Path = Path("/")) -> None:
        self._config = config
        self._board = board or Board(root)
        self._root = root

    def machine(self) -> Sequence[Check]:
        """Heat, supply, disk, memory: a few ms, at worst the 2 s of a firmware that does not answer."""
        board, config = self._board, self._config
        return [
            *power_checks(board),
            *(self._disks(config) if config is not None else [disk_check(board, Path.cwd())]),
            *memory_checks(board),
            *system_checks(board),
        ]

    def parts(self) -> Sequence[Check]:
        """What is plugged in, what runs, and which versions: at most some seconds."""
        return [*self._devices(), *self._programs(), versions(self._board, self._root)]

    def network(self) -> Sequence[Check]:
        """The way out, and whether those answer who are needed: see `network_longest_s`."""
        hosts = self._hosts()
        way = way_out(self._root)
        check = network_check(way, is_needed=bool(hosts))
        return [check, *(host_check(*each) for each in hosts if way is not None)]

    @property
    def network_longest_s(self) -> float:
        """How long `network` may take: one after the other is asked, and none may answer."""
        return HOST_S * len(self._hosts())

    def _disks(self, config: Config) -> Sequence[Check]:
        picture = config.stream.picture
        kbps = picture.video_kbps + picture.audio_kbps
        state, recordings = Path(config.state_dir), config.stream.recordings_dir
        if recordings is None:
            return [disk_check(self._board, state, kbps)]
        there = disk_check(self._board, Path(recordings), kbps)
        return [disk_check(self._board, state), Check("recordings", there.state, there.says, there.do)]

    def _devices(self) -> Sequence[Check]:
        if self._config is None:
            return []
        found = []
        match self._config.door.camera:
            case DeviceCamera(path=path):
                found.append(device_check("door camera", path, self._root))
            case Picamera2Camera(camera_num=number):
                found.append(module_check("door camera", number, self._root))
        source = self._config.stream.source
        match source:
            case VideoDevice(path=path):
                found.append(device_check("stage camera", path, self._root))
            case CameraModule(camera_num=number):
                found.append(module_check("stage camera", number, self._root))
        if isinstance(source, Stamped):
            if source.microphone is None:
                says = "none is set: viewers hear nothing of the room"
                found.append(Check("microphone", "attention", says, "set microphone under [stream.source]"))
            else:
                found.append(microphone_check("microphone", source.microphone, self._root))
        return found

    def _programs(self) -> Sequence[Check]:
        """As systemd has them; else by the lock that each holds while it runs."""
        if loaded := units(self._root):
            return [unit_check(each) for each in loaded]
        if self._config is None:
            return []
        here = running(Path(self._config.state_dir))
        return [
            Check(f"platypus {each}", "ok", "running")
            if each in here
            else Check(f"platypus {each}", "attention", "not running", f"platypus {each} starts it")
            for each in PROGRAMS
        ]

    def _hosts(self) -> Sequence[tuple[str, str, int]]:
        """Name of the check, host and port of each that the evening needs."""
        if self._config is None:
            return []
        named = [(f"way to {each.name}", each.url) for each in self._config.stream.destinations]
        for name, camera in (("door camera", self._config.door.camera), ("stage camera", self._config.stream.source)):
            if isinstance(camera, RtspCamera | NetworkCamera):
                named.append((name, camera.url))
        found = []
        for name, url in named:
            split = urlsplit(url)
            if split.hostname:
                found.append((name, split.hostname, split.port or _PORTS.get(split.scheme, 443)))
        return found


def versions(board: Board, root: Path = Path("/")) -> Check:
    """What runs here."""
    named = {
        "Platypus": own_version(),
        "Python": ".".join(map(str, sys.version_info[:3])),
        "": board.system() or "",
        "kernel": board.kernel() or "",
        "ffmpeg": _program_says(root / "usr/bin/ffmpeg", "-version"),
        "libcamera": _program_says(root / "usr/bin/rpicam-hello", "--version"),
        "picamera2": _package("picamera2"),
        "on": board.model() or "",
    }
    return Check("versions", "ok", ", ".join(f"{name} {said}".strip() for name, said in named.items() if said))


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


@cache
def _program_says(program: Path, option: str) -> str:
    """The version that a program prints, asked once; "" when there is none."""
    if not os.access(program, os.X_OK):
        return ""
    try:
        told = subprocess.run(
            [str(program), option], capture_output=True, text=True, errors="replace", timeout=_PROGRAM_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return "?"
    words = told.replace(":", " ").split()
    return next((word for word in words if any(map(str.isdigit, word)) and "." in word), "")
