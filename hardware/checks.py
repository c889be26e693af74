"""What a look at something gave, for people: fine, to be looked at, or bad; with the one thing to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from hardware.board import Board

_HOT_C = 75  # the firmware slows down from 80
_TIGHT_BYTES = 5_000_000_000  # four hours of stream at 2.5 Mb/s
_FULL_BYTES = 500_000_000
_SUPPLY = "use the official power supply and its own cable, and take USB devices away from this machine"
_SLOWED = "give it air and a good power supply: pictures may be left out while it is slow"
_TIGHT_MEMORY = 0.1  # of it left: the kernel begins to take programs' own pages out


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "attention", "bad"]
    says: str
    do: str = ""  # what a person can do about it


def as_table(checks: Iterable[Check]) -> str:
    """For people."""
    signs = {"ok": "✓ ok", "attention": "! look", "bad": "✗ bad"}
    return "\n".join(
        f"{signs[check.state]:<7} {check.name:<18} {check.says}" + (f"\n{'':27}→ {check.do}" if check.do else "")
        for check in checks
    )


def clock_check(*, is_trusted: bool, do: str) -> Check:
    """Whether a time server has set the clock; `do` is what it means when none has."""
    if is_trusted:
        return Check("clock", "ok", "set by a time server")
    return Check("clock", "attention", "not confirmed by a time server", do)


def power_checks(board: Board) -> list[Check]:
    """Heat and supply, where the machine can tell."""
    checks = []
    celsius, power = board.temperature_c(), board.power()
    if celsius is not None:
        is_hot = celsius >= _HOT_C
        do = "give it air: the firmware slows down from 80 °C" if is_hot else ""
        checks.append(Check("temperature", "attention" if is_hot else "ok", f"{celsius:.0f} °C", do))
    if power is None:
        return checks
    if power.is_under_voltage:
        checks.append(Check("power", "bad", "the supply is too weak now (under-voltage)", _SUPPLY))
    elif power.was_under_voltage:
        checks.append(Check("power", "attention", "the supply was too weak since the start (under-voltage)", _SUPPLY))
    else:
        checks.append(Check("power", "ok", "steady since the start"))
    if power.is_throttled:
        checks.append(Check("speed", "bad", "the firmware slows this machine down now", _SLOWED))
    elif power.was_throttled:
        checks.append(Check("speed", "attention", "the firmware slowed this machine down since the start", _SLOWED))
    else:
        checks.append(Check("speed", "ok", "never slowed down since the start"))
    return checks


def disk_check(board: Board, folder: Path, kbps: int = 0) -> Check:
    """Room in the file system that holds `folder`, or will hold it when it is made.

    `kbps`: of the recording; then it says for how long there is room.
    """
    try:
        while not folder.exists():
            folder = folder.parent
        disk = board.disk(folder)
    except OSError:  # a folder above it is not for us
        disk = None
    if disk is None:
        return Check("disk", "bad", f"{folder} cannot be looked at", "check state_dir in platypus.toml")
    says = room = f"{disk.free_bytes / 1e9:.1f} GB free at {folder}"
    if kbps:
        minutes = disk.free_bytes / (kbps * 125) / 60
        is_long = minutes >= 600
        says = (
            f"{room}: {minutes / 60:.0f} hours of recording"
            if is_long
            else f"{room}: {minutes:.0f} minutes of recording"
        )
    if disk.is_volatile:
        do = "switched off, this machine forgets everything: move state_dir to a disk, docs/operations.md says how"
        return Check("disk", "bad", f"{room}, in memory only: the state would be lost", do)
    if disk.is_read_only:
        return Check("disk", "bad", f"{room}, and nothing can be written", "mount it for writing, or move state_dir")
    if disk.free_bytes < _FULL_BYTES:
        return Check("disk", "bad", says, "delete old recordings")
    is_tight = disk.free_bytes < _TIGHT_BYTES
    return Check("disk", "attention" if is_tight else "ok", says, "delete old recordings" if is_tight else "")


def system_checks(board: Board) -> list[Check]:
    """A system that is kept in memory forgets at each start what was changed in it."""
    if board.is_system_kept():
        return []
    do = "before an upgrade, switch the overlay off: sudo raspi-config, Performance Options"
    return [Check("system", "ok", "read-only: what is changed in it is lost at the next start", do)]


def memory_checks(board: Board) -> list[Check]:
    """How much memory a new program could have, where the machine can tell."""
    memory = board.memory()
    if memory is None:
        return []
    says = f"{memory.available_bytes / 1e9:.1f} of {memory.total_bytes / 1e9:.1f} GB of memory free"
    if memory.available_bytes < _TIGHT_MEMORY * memory.total_bytes:
        return [Check("memory", "attention", says, "close other programs on this machine")]
    return [Check("memory", "ok", says)]
