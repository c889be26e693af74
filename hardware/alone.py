"""One program of a kind at a time: a lock that ends with whoever holds it, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hardware.durable import make_folder, open_lock
from hardware.errors import PlatypusError


class RunsAlready(PlatypusError, RuntimeError):
    """Another process of the same kind works with the same files."""

    code = "runs_already"


@contextmanager
def alone(path: Path, who: str) -> Iterator[None]:
    """Hold `path`, made if need be. Raises RunsAlready when somebody else does; OSError."""
    make_folder(path.parent)
    lock = open_lock(path)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunsAlready(f"{who} runs already, with the files in {path.parent}: this one ends") from None
        yield
    finally:
        os.close(lock)
