"""The list of what people changed: who, when, what; one JSON line a change, on the disk before the answer goes out.

It has a file of its own beside the ledger, which is the door's: when that is locked, Stop must work and be noted.
A SIGKILL or a pulled plug costs at most the line that was being written; a torn one is passed over. Past `MOST_BYTES`
the older half goes.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from hardware.clock import Clock
from hardware.durable import append_durably, make_folder, open_lock, write_durably
from hardware.errors import PlatypusError

log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000  # some 5000 changes: years of evenings
LONGEST_WHAT = 300  # characters


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One line."""

    at: str  # ISO 8601, UTC: the wall clock's
    is_trusted: bool  # whether a time server had set that clock
    who: str
    what: str
    outcome: Literal["done", "refused"] = "done"
    why: str = ""  # it was refused


class Newest(NamedTuple):
    """The end of the list."""

    changes: Sequence[Change]  # newest first
    unreadable: int  # lines passed over


class ChangesError(PlatypusError, OSError):
    """The list cannot be read or written."""

    code = "changes"


class Changes:
    """The list, over state_dir/changes.jsonl. Safe for threads and for several processes."""

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        self._path = state_dir / "changes.jsonl"
        self._clock = clock

    def add(self, who: str, what: str, *, refused: bool = False, why: str = "") -> None:
        """Add a line; durable when this returns. Raises ChangesError. Never hand over a PIN, a key or a code."""
        stamp = self._clock.stamp()
        change = Change(
            at=stamp.wall.isoformat(timespec="seconds"),
            is_trusted=stamp.is_trusted,
            who=who[:LONGEST_WHAT],
            what=what[:LONGEST_WHAT],
            outcome="refused" if refused else "done",
            why=why[:LONGEST_WHAT],
        )
        try:
            self._append(msgspec.json.encode(change) + b"\n")
        except OSError as error:
            raise ChangesError(f"{self._path} cannot be written: {error.strerror}. Is the disk full?") from error

    def newest(self, limit: int) -> Newest:
        """The newest lines, `limit` at most. Raises ChangesError."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        except OSError as error:
            raise ChangesError(f"{self._path} cannot be read: {error.strerror}.") from error
        changes: list[Change] = []
        unreadable = 0
        for line in reversed(lines):
            if len(changes) == limit:
                break
            try:
                changes.append(msgspec.json.decode(line, type=Change))
            except (msgspec.DecodeError, UnicodeDecodeError):
                unreadable += bool(line.strip())
        return Newest(changes, unreadable)

    def _append(self, line: bytes) -> None:
        make_folder(self._path.parent)
        lock = open_lock(self._path.with_suffix(".lock"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if append_durably(self._path, line) <= MOST_BYTES:
                return
            lines = self._path.read_bytes().splitlines(keepends=True)
            write_durably(self._path, b"".join(lines[len(lines) // 2 :]))
            log.info("changes event=pruned lines=%d", len(lines) // 2)
        finally:
            os.close(lock)
