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
        f"{signs[check.state]:<7} {check.name:<14} {check.says}" + (f"\n{'':23}→ {check.do}" if check.do else "")
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
    if power is not None:
        do = "use the official power supply"
        if power.is_under_voltage or power.is_throttled:
            checks.append(Check("power", "bad", "under-voltage or throttled now", do))
        elif power.was_under_voltage or power.was_throttled:
            checks.append(Check("power", "attention", "under-voltage or throttled since boot", do))
        else:
            checks.append(Check("power", "ok", "steady since boot"))
    return checks


def disk_check(board: Board, folder: Path) -> Check:
    """Room in the file system that holds `folder`, or will hold it when it is made."""
    while not folder.exists():
        folder = folder.parent
    disk = board.disk(folder)
    if disk is None:
        return Check("disk", "bad", f"{folder} cannot be looked at", "check state_dir in platypus.toml")
    says = f"{disk.free_bytes / 1e9:.1f} GB free at {folder}"
    if disk.free_bytes < _FULL_BYTES:
        return Check("disk", "bad", says, "delete old recordings")
    if disk.is_volatile:
        return Check(
            "disk", "attention", f"{says}, in memory only", "a power cut would empty the ledger: move state_dir"
        )
    return Check("disk", "attention" if disk.free_bytes < _TIGHT_BYTES else "ok", says)


def memory_checks(board: Board) -> list[Check]:
    """How much memory a new program could have, where the machine can tell."""
    memory = board.memory()
    if memory is None:
        return []
    says = f"{memory.available_bytes / 1e9:.1f} of {memory.total_bytes / 1e9:.1f} GB of memory free"
    if memory.available_bytes < _TIGHT_MEMORY * memory.total_bytes:
        return [Check("memory", "attention", says, "close other programs on this machine")]
    return [Check("memory", "ok", says)]
