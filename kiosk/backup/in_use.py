"""Who works with the files of the state: the programs of the evening, or a restore, never both.

Each program holds a lock that ends with it, however it ends. It waits for a restore under way, and finishes one that
was interrupted, where it has the rights to.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hardware.durable import make_folder, open_lock, share
from hardware.units import PROGRAMS, Program
from kiosk.backup.errors import InUse
from kiosk.backup.swap import finish

_RESTORE = ".restore"


@contextmanager
def works_on(state_dir: Path, program: Program, elsewhere: Sequence[Path] = ()) -> Iterator[None]:
    """For as long as `program` runs; `elsewhere` as `finish` has it. Raises RestoreError, OSError."""
    make_folder(state_dir)
    with ExitStack() as held:
        with _locked(state_dir / _RESTORE, fcntl.LOCK_EX):
            finish(state_dir, elsewhere)
            held.enter_context(_locked(state_dir / f".in-use-{program}", fcntl.LOCK_SH))  # a Pi may have two gates
        yield


@contextmanager
def nobody_works_on(state_dir: Path) -> Iterator[None]:
    """For a restore. Raises InUse, OSError."""
    make_folder(state_dir)
    with ExitStack() as held:
        try:
            held.enter_context(_locked(state_dir / _RESTORE, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            raise InUse(f"another restore works in {state_dir}, or a program starts: wait until it is done") from None
        running = []
        for program in PROGRAMS:
            try:
                held.enter_context(_locked(state_dir / f".in-use-{program}", fcntl.LOCK_EX | fcntl.LOCK_NB))
            except BlockingIOError:
                running.append(program)
        if running:
            units = " ".join(f"platypus-{each}" for each in running)
            raise InUse(
                f"{', '.join(f'platypus {each}' for each in running)} run(s) with the files in {state_dir}: stop with "
                f"Ctrl-C, or sudo systemctl stop {units}; restore, then start again. Nothing was changed."
            )
        yield


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    share(path)
    handle = open_lock(path)
    try:
        fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)


def running(state_dir: Path) -> set[Program]:
    """Which programs hold it now; waits for nobody and makes nothing. Of a folder that is not ours to read: none."""
    found: set[Program] = set()
    for program in PROGRAMS:
        try:
            handle = os.open(state_dir / f".in-use-{program}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue  # it never ran here, or runs for another user
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found.add(program)
        finally:
            os.close(handle)
    return found
