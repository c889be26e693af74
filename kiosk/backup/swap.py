"""Files of a restore take the place of those there were: all of them, also when it is killed in the middle.

What is to be done is written down first, and each step may be done again; so whoever comes next (the restore again, or
a program that starts and may do it) goes on to the end. Before that is written down nothing of the old state was
touched. Nothing is ever deleted: what was there goes aside.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from hardware.durable import sync_folder, write_durably
from kiosk.backup.errors import RestoreError, why
from kiosk.backup.places import ASIDE

log = logging.getLogger(__name__)

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
    """Whether a restore was interrupted after its plan was written down. Raises OSError."""
    return is_there(state_dir / _PLAN)


def commit(state_dir: Path, plan: Plan) -> None:
    """Write the plan down: from here on it will be done. Raises OSError."""
    write_durably(state_dir / _PLAN, msgspec.json.encode(plan))


def finish(state_dir: Path, elsewhere: Sequence[Path] = ()) -> None:
    """Do what is written down, and clear away what a restore left. Raises RestoreError.

    `elsewhere` are the folder of the configuration and the look. Root moves nothing in any other place: the folder of
    the state is its owner's, who could write a plan.
    """
    path = state_dir / _PLAN
    try:
        if is_unfinished(state_dir):
            plan = msgspec.json.decode(path.read_bytes(), type=Plan)
            if os.geteuid() == 0:
                _refuse_strange(path, plan, (state_dir, *elsewhere))
            _carry_out(plan)
            path.unlink()
            sync_folder(state_dir)
    except (OSError, msgspec.DecodeError) as error:
        if isinstance(error, RestoreError):
            raise
        raise RestoreError(
            f"a restore was interrupted and cannot be finished by this program ({why(error)}): run it again as root, "
            "with the same backup and, if need be, more space: sudo platypus restore FILE"
        ) from error
    for left in (state_dir / STAGING, state_dir / STAGING_ASIDE, *state_dir.glob(f".{_PLAN}-*")):
        try:
            remove(left)
        except OSError as error:  # of another user; nothing was touched, so there is no reason to stop
            log.warning("backup event=leftover-stays cause=%s next=a-restore-as-root-removes-it", why(error))


def is_there(path: str | Path) -> bool:
    """Whether there is something of this name, be it a link to nowhere. Raises OSError when that cannot be known."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def remove(path: Path) -> None:
    """A file, or a folder with all that is in it, if it is there. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _refuse_strange(path: Path, plan: Plan, places: Sequence[Path]) -> None:
    for move in (*plan.replaced, *plan.aside, *plan.enter):
        for each in (move.source, move.target):
            if not any(_is_of(Path(each), place) for place in places):
                raise RestoreError(
                    f"a restore that was interrupted wants to move {each}, where nothing of Platypus is: look at "
                    f"{path}. Was it made with another platypus.toml? If nobody here wrote it, delete it"
                )


def _is_of(path: Path, place: Path) -> bool:
    """Whether `path` is below `place`, or beside it under a name of ours."""
    folder, place = path.parent.resolve(), place.parent.resolve() / place.name
    is_named = path.name in (place.name, f"{STAGING}-{place.name}") or path.name.startswith(f"{place.name}-{ASIDE}")
    return folder.is_relative_to(place.resolve()) or (folder == place.parent and is_named)


def _carry_out(plan: Plan) -> None:
    for move in plan.replaced:
        if is_there(move.source):
            Path(move.source).replace(move.target)
    _sync(plan.replaced)
    for move in plan.aside:
        if is_there(move.source) and not is_there(move.target):
            Path(move.source).rename(move.target)
    _sync(plan.aside)  # before anything enters: after a power cut, what went aside is not to be in both places
    for move in plan.enter:
        if is_there(move.source):
            Path(move.source).rename(move.target)
    _sync(plan.enter)


def _sync(moves: Iterable[Move]) -> None:
    for folder in {Path(each).parent for move in moves for each in (move.source, move.target)}:
        if folder.is_dir():
            sync_folder(folder)
