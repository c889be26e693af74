"""How the machine itself is doing: heat, power, disk, memory, and whether its clock can be believed.

Everything is read when asked, from /proc, /sys and `vcgencmd`; `Board(root=...)` reads another tree, for tests. What
this machine does not have (a laptop has no under-voltage bit) is None, never a guess.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hardware.clock import is_synchronised

log = logging.getLogger(__name__)

_VCGENCMD = "usr/bin/vcgencmd"
_VCGENCMD_S = 2.0  # it answers in milliseconds; it hangs when the firmware does

# Bits of get_throttled, as Raspberry Pi documents them; 16 more for "since boot"
_UNDER_VOLTAGE, _CAPPED, _THROTTLED, _SOFT_LIMIT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_SINCE_BOOT = 16


@dataclass(frozen=True)
class Power:
    """What the firmware has done about heat and a weak supply, now and at any time since boot."""

    is_under_voltage: bool
    is_throttled: bool  # for either reason: frequency capped, throttled, or at the soft temperature limit
    was_under_voltage: bool
    was_throttled: bool


@dataclass(frozen=True)
class Memory:
    """Bytes of RAM: all of it, and what a new program could have without swapping."""

    total_bytes: int
    available_bytes: int


@dataclass(frozen=True)
class Disk:
    """Room in the file system that holds a folder."""

    total_bytes: int
    free_bytes: int  # for us, without what is kept for root
    is_volatile: bool  # a RAM disk: gone with the power, so no place for a ledger
    is_read_only: bool = False


@dataclass(frozen=True)
class Mount:
    """A line of /proc/mounts."""

    point: Path
    kind: str  # ext4, tmpfs, overlay, ...
    options: frozenset[str]


@dataclass(frozen=True)
class BoardState:
    """Everything at once."""

    model: str | None
    temperature_c: float | None
    power: Power | None
    memory: Memory | None
    disk: Disk | None
    is_clock_trusted: bool


class Board:
    """The machine under `root`."""

    def __init__(self, root: Path = Path("/"), *, is_clock_trusted: Callable[[], bool] = is_synchronised) -> None:
        self._root = root
        self._is_clock_trusted = is_clock_trusted
        self._power_trouble = ""  # said once, not at each look of an evening

    def state(self, folder: Path) -> BoardState:
        """All of it, with the disk of `folder`. Takes a few ms, at worst the 2 s of a firmware that does not answer."""
        return BoardState(
            model=self.model(),
            temperature_c=self.temperature_c(),
            power=self.power(),
            memory=self.memory(),
            disk=self.disk(folder),
            is_clock_trusted=self._is_clock_trusted(),
        )

    def model(self) -> str | None:
        """For instance "Raspberry Pi 4 Model B Rev 1.4"; None where no device tree names it."""
        text = self._text("proc/device-tree/model")
        return text.rstrip("\0\n") or None if text is not None else None

    def temperature_c(self) -> float | None:
        """Degrees Celsius of the hottest thermal zone (the firmware throttles from 80)."""
        zones = sorted((self._root / "sys/class/thermal").glob("thermal_zone*/temp"))
        readings = [self._number(zone) for zone in zones]
        millis = [reading for reading in readings if reading is not None]
        return max(millis) / 1000 if millis else None

    def power(self) -> Power | None:
        """None when this is not a Pi, or its firmware did not answer (which is logged)."""
        bits = self._throttled_bits()
        if bits is None:
            return None
        slowed = _CAPPED | _THROTTLED | _SOFT_LIMIT
        return Power(
            is_under_voltage=bool(bits & _UNDER_VOLTAGE),
            is_throttled=bool(bits & slowed),
            was_under_voltage=bool(bits & _UNDER_VOLTAGE << _SINCE_BOOT),
            was_throttled=bool(bits & slowed << _SINCE_BOOT),
        )

    def memory(self) -> Memory | None:
        """From /proc/meminfo."""
        lines = (self._text("proc/meminfo") or "").splitlines()
        kib = {name: int(rest.split()[0]) for name, colon, rest in (line.partition(":") for line in lines) if colon}
        if "MemTotal" not in kib or "MemAvailable" not in kib:
            return None
        return Memory(kib["MemTotal"] * 1024, kib["MemAvailable"] * 1024)

    def disk(self, folder: Path) -> Disk | None:
        """Of the file system that holds `folder`; None when the folder is not there."""
        try:
            usage = shutil.disk_usage(folder)
        except OSError as error:
            log.warning("event=no-disk-figure folder=%r reason=%r", str(folder), error.strerror)
            return None
        mount = self.mount(folder)
        is_read_only = mount is not None and "ro" in mount.options
        return Disk(usage.total, usage.free, self._is_volatile(mount), is_read_only)

    def mounts(self) -> list[Mount]:
        """All of them, in the order they were made."""
        found = []
        for line in (self._text("proc/mounts") or "").splitlines():
            _, point, kind, options, *_ = line.split()
            found.append(Mount(Path(point.replace("\\040", " ")), kind, frozenset(options.split(","))))
        return found

    def mount(self, folder: Path) -> Mount | None:
        """The one that holds `folder`."""
        where = folder.resolve()
        by_point = {each.point: each for each in self.mounts()}  # a later mount hides an earlier one
        holding = [point for point in by_point if where.is_relative_to(point)]
        return by_point[max(holding, key=lambda point: len(point.parts))] if holding else None

    def is_system_kept(self) -> bool:
        """Whether what is changed in the system itself survives a start: not with an overlay, nor read-only."""
        root = next((each for each in reversed(self.mounts()) if each.point == Path("/")), None)
        return root is None or not (self._is_volatile(root) or "ro" in root.options)

    def uptime_s(self) -> float | None:
        """Since the start of the machine."""
        text = self._text("proc/uptime")
        return float(text.split()[0]) if text else None

    def kernel(self) -> str | None:
        """For instance "6.12.25+rpt-rpi-v8"."""
        text = self._text("proc/sys/kernel/osrelease")
        return text.strip() if text else None

    def system(self) -> str | None:
        """For instance "Debian GNU/Linux 13 (trixie)"."""
        for line in (self._text("etc/os-release") or "").splitlines():
            key, _, value = line.partition("=")
            if key == "PRETTY_NAME":
                return value.strip('"')
        return None

    def _is_volatile(self, mount: Mount | None) -> bool:
        """Whether it lives in RAM. An overlay does with the read-only system of a Pi; one over a folder that is on a
        disk, as a container's may be, does not.
        """
        if mount is None:
            return False
        if mount.kind != "overlay":
            return mount.kind in {"tmpfs", "ramfs"}
        upper = next((each.partition("=")[2] for each in mount.options if each.startswith("upperdir=")), "")
        below = self.mount(Path(upper)) if upper else None
        return below is None or below.kind in {"tmpfs", "ramfs", "overlay"}  # an overlay: it cannot be seen from here

    def _throttled_bits(self) -> int | None:
        command = self._root / _VCGENCMD
        if not os.access(command, os.X_OK):
            return self._kernels_bits()
        try:
            answer = subprocess.run(
                [str(command), "get_throttled"], capture_output=True, text=True, timeout=_VCGENCMD_S, check=True
            ).stdout
            bits = int(answer.strip().removeprefix("throttled="), 16)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            # most often: this user is not in the group video and may not open /dev/vcio
            kept = self._kernels_bits()
            if kept is None and str(error) != self._power_trouble:
                self._power_trouble = str(error)
                log.warning("event=no-power-figure reason=%r", str(error))
            return kept
        self._power_trouble = ""
        return bits

    def _kernels_bits(self) -> int | None:
        """The same bits as the kernel keeps them, for a program that may not ask the firmware."""
        for file in sorted((self._root / "sys/devices/platform").glob("soc*/soc*:firmware/get_throttled")):
            try:
                return int(file.read_text(encoding="ascii"), 16)
            except (OSError, ValueError):
                continue
        return None

    def _text(self, path: str) -> str | None:
        try:
            return (self._root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None  # not on this machine: the caller answers None

    def _number(self, path: Path) -> int | None:
        try:
            return int(path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None  # a zone that is switched off cannot be read
