"""The keys of one input device, straight from the kernel: /dev/input/event*, as linux/input.h describes it.

    struct input_event { unsigned long sec, usec; __u16 type, code; __s32 value; }   24 bytes, 16 on a 32-bit system

Two ioctls: EVIOCGNAME asks for the name, EVIOCGRAB takes the device for us alone until it is closed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import select
import struct
from pathlib import Path
from typing import Protocol

from hardware.errors import ScannerError
from hardware.scanners.decoder import KeyEvent
from hardware.scanners.layouts import KEY_ENTER

log = logging.getLogger(__name__)

EVENT = struct.Struct("@LLHHi")
EVIOCGRAB = 0x40044590  # _IOW('E', 0x90, int)
_NAME_BYTES = 256
EVIOCGNAME = 0x80004506 | _NAME_BYTES << 16  # _IOC(_IOC_READ, 'E', 0x06, 256)
_READ_BYTES = 64 * EVENT.size

_ADVICE = "Is it plugged in, and is this user in the group input?"


class KeyDevice(Protocol):
    """One scanner that is plugged in."""

    name: str

    def read(self, timeout_s: float) -> list[KeyEvent]:
        """What was typed; waits up to `timeout_s` for the first event. Raises `ScannerError` when it was unplugged."""

    def close(self) -> None:
        """Others may have it again."""


class EventDevice:
    """A `KeyDevice` on a path. Raises `ScannerError` saying what to do."""

    def __init__(self, path: Path, *, grab: bool) -> None:
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise ScannerError(f"the scanner {path} cannot be opened: {error.strerror}. {_ADVICE}") from error
        self._rest = b""
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        try:
            self.name = self._ask_name(str(path))
            if grab:
                self._grab(path)
        except BaseException:
            os.close(self._fd)
            raise

    def read(self, timeout_s: float) -> list[KeyEvent]:
        """See `KeyDevice.read`."""
        if not self._poll.poll(max(0.0, timeout_s) * 1000):
            return []
        try:
            read = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:  # ENODEV: no such device, any more
            raise ScannerError(f"{self.name} is gone: {error.strerror}. Plug it in again.") from error
        if not read:
            raise ScannerError(f"{self.name} is gone. Plug it in again.")
        read = self._rest + read  # the kernel gives whole events; a pipe need not
        whole = len(read) - len(read) % EVENT.size
        self._rest = read[whole:]
        return [KeyEvent(*event[2:]) for event in EVENT.iter_unpack(read[:whole])]

    def close(self) -> None:
        """See `KeyDevice.close`; a grab ends with it."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _ask_name(self, otherwise: str) -> str:
        name = bytearray(_NAME_BYTES)
        try:
            fcntl.ioctl(self._fd, EVIOCGNAME, name)
        except OSError:  # a name is for people; what the device is shows when it is read
            return otherwise
        return name.split(b"\0")[0].decode(errors="replace") or otherwise

    def _grab(self, path: Path) -> None:
        try:
            fcntl.ioctl(self._fd, EVIOCGRAB, 1)
        except OSError as error:
            raise ScannerError(
                f"the scanner {self.name} ({path}) cannot be had for us alone: {error.strerror}. Does another program"
                " hold it, or is this path no input device? With grab = false it is shared."
            ) from error


def find_by_name(part: str, sys_input: Path = Path("/sys/class/input"), dev_input: Path = Path("/dev/input")) -> Path:
    """The device whose name contains `part` (any case) and that has an Enter key; the lowest number of several.

    Raises `ScannerError` that names what is there.
    """
    seen: list[str] = []
    for event in sorted(sys_input.glob("event*"), key=lambda path: int(path.name.removeprefix("event"))):
        try:
            name = (event / "device/name").read_text(errors="replace").strip()
            keys = (event / "device/capabilities/key").read_text().split()
        except OSError:  # unplugged while we looked
            continue
        # A bit map in hexadecimal words, the lowest last. One scanner may be several devices, of which one types
        if not (keys and int(keys[-1], 16) >> KEY_ENTER & 1):
            continue
        if part.casefold() in name.casefold():
            return dev_input / event.name
        seen.append(name)
    there = ", ".join(repr(name) for name in seen) or "none"
    raise ScannerError(f"no scanner's name contains {part!r}; keyboards that are there: {there}. {_ADVICE}")
