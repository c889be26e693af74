"""Files of a restore take the place of those there were: all of them, also when it is killed in the middle.

What is to be done is written down first, and each step may be done again; so whoever comes next (the restore again, or
a program that starts) goes on to the end. Before that is written down nothing of the old state was touched. Nothing is
ever deleted: what was there goes aside.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from hardware.durable import sync_folder, write_durably
from kiosk.backup.errors import RestoreError, why

STAGING = ".restoring"  # in the state folder, and at the beginning of names elsewhere
STAGING_ASIDE = ".restoring-aside"
_PLAN = ".restore-plan.json"


class Move(msgspec.Struct, frozen=True):
    """One name to another, on the same disk."""

    source: str
    target: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, in this order."""

    replaced: tuple[Move, ...] = ()  # files, in the place of what is there
    aside: tuple[Move, ...] = ()  # what was there
    enter: tuple[Move, ...] = ()  # what takes its place


def is_unfinished(state_dir: Path) -> bool:
    """Whether a restore was interrupted after its plan was written down."""
    return (state_dir / _PLAN).exists()


def commit(state_dir: Path, plan: Plan) -> None:
    """Write the plan down: from here on it will be done. Raises OSError."""
    write_durably(state_dir / _PLAN, msgspec.json.encode(plan))


def finish(state_dir: Path) -> None:
    """Do what is written down, and clear away what a restore left. Raises RestoreError."""
    try:
        if is_unfinished(state_dir):
            _carry_out(msgspec.json.decode((state_dir / _PLAN).read_bytes(), type=Plan))
            (state_dir / _PLAN).unlink()
            sync_folder(state_dir)
        for left in (state_dir / STAGING, state_dir / STAGING_ASIDE):
            if left.exists():
                shutil.rmtree(left)
        for half in state_dir.glob(f".{_PLAN}-*"):  # of a plan that was never written down as a whole
            half.unlink()
    except (OSError, msgspec.DecodeError) as error:
        raise RestoreError(
            f"a restore was interrupted and cannot be finished ({why(error)}): free some space or mend the rights, "
            "then run it again, as root: sudo platypus restore"
        ) from error


def _carry_out(plan: Plan) -> None:
    for move in plan.replaced:
        if os.path.lexists(move.source):
            Path(move.source).replace(move.target)
    _sync(plan.replaced)
    for move in plan.aside:
        if os.path.lexists(move.source) and not os.path.lexists(move.target):
            Path(move.source).rename(move.target)
    _sync(plan.aside)  # before anything enters: after a power cut, what went aside is not to be in both places
    for move in plan.enter:
        if os.path.lexists(move.source):
            Path(move.source).rename(move.target)
    _sync(plan.enter)


def _sync(moves: Iterable[Move]) -> None:
    for folder in {Path(each).parent for move in moves for each in (move.source, move.target)}:
        if folder.is_dir():
            sync_folder(folder)
