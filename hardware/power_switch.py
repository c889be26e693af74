"""Switching this machine off, starting it anew, and starting one of our services anew."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path
from typing import Protocol

from hardware.errors import PlatypusError
from hardware.units import PROGRAMS, is_systemd, unit_of

log = logging.getLogger(__name__)

_LIMIT_S = 10.0


class PowerError(PlatypusError, RuntimeError):
    """The machine or a service was left as it is; the text says why, and what to do at the machine."""

    code = "power"


class Power(Protocol):
    """What can be switched."""

    def trouble(self) -> str:
        """Why nothing can be switched from here; "" when it can be tried."""

    def switch_off(self) -> None:
        """Returns when it has begun. Raises PowerError."""

    def start_anew(self) -> None:
        """The machine. Returns when it has begun. Raises PowerError."""

    def start_program_anew(self, program: str) -> None:
        """One of units.PROGRAMS. Returns when it has begun. Raises PowerError."""


class SystemdPower:
    """Asks systemd, whose polkit decides; for a program that systemd itself looks after, so not for one in a terminal:
    nobody wants the laptop of a rehearsal to be switched off.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def trouble(self) -> str:
        """See `Power`."""
        if not is_systemd(self._root) or not os.access(self._command, os.X_OK):
            return "This machine is not run by systemd: switch it off at the machine itself."
        if not any(f"/{unit_of(each)}" in self._own_group() for each in PROGRAMS):
            return "This dashboard was started by hand, not by systemd: it switches nothing."
        return ""

    def switch_off(self) -> None:
        """See `Power`."""
        self._do("poweroff")

    def start_anew(self) -> None:
        """See `Power`."""
        self._do("reboot")

    def start_program_anew(self, program: str) -> None:
        """See `Power`."""
        if program not in PROGRAMS:
            raise PowerError(f"There is no program {program[:40]!r}: choose door, stream or dashboard.")
        self._do("restart", unit_of(program))

    @property
    def _command(self) -> Path:
        return self._root / "usr/bin/systemctl"

    def _own_group(self) -> str:
        try:
            return (self._root / "proc/self/cgroup").read_text(encoding="utf-8")
        except OSError:
            return ""

    def _do(self, *words: str) -> None:
        if trouble := self.trouble():
            raise PowerError(trouble)
        what = " ".join(words)
        # --no-block: whoever starts the dashboard anew from the dashboard still gets an answer
        argv = [str(self._command), "--no-ask-password", "--no-block", *words]
        try:
            subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=_LIMIT_S, check=True)
        except subprocess.CalledProcessError as error:
            said = error.stderr.strip().splitlines()[-1:] or ["no reason given"]
            log.warning("power do=%s outcome=refused cause=%r", what, said[0])
            raise PowerError(f"systemd does not do it ({said[0]}). At the machine: sudo systemctl {what}") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("power do=%s outcome=failed cause=%s", what, type(error).__name__)
            raise PowerError(f"systemd does not answer. At the machine: sudo systemctl {what}") from error
        log.warning("power do=%s outcome=begun", what)


class FakePower:
    """Switches nothing, and remembers what it was told."""

    def __init__(self, trouble: str = "") -> None:
        self.cause = trouble
        self.done: list[str] = []

    def trouble(self) -> str:
        """See `Power`."""
        return self.cause

    def switch_off(self) -> None:
        """See `Power`."""
        self._do("off")

    def start_anew(self) -> None:
        """See `Power`."""
        self._do("anew")

    def start_program_anew(self, program: str) -> None:
        """See `Power`."""
        if program not in PROGRAMS:
            raise PowerError(f"There is no program {program[:40]!r}: choose door, stream or dashboard.")
        self._do(program)

    def _do(self, what: str) -> None:
        if self.cause:
            raise PowerError(self.cause)
        self.done.append(what)
