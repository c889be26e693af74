"""The machine this page comes from, looked at beside all else: its firmware may take two seconds to answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from hardware.board import Board
from hardware.checks import Check, disk_check, memory_checks, power_checks
from hardware.clock import Clock
from hardware.worker import Worker

log = logging.getLogger(__name__)

LOOK_PERIOD_S = 5.0
OLD_S = 20.0  # what is older is not told: it would look like now


class Machine(Protocol):
    """How the machine is doing."""

    def latest(self) -> Sequence[Check]:
        """What the last look gave; never waits. Nothing when there was none lately."""


class MachineWatch:
    """Looks every five seconds. A context manager."""

    def __init__(self, board: Board, folder: Path, clock: Clock) -> None:
        self._board = board
        self._folder = folder  # where the ledger is: the room that counts
        self._clock = clock
        self._lock = threading.Lock()
        self._found: tuple[float, tuple[Check, ...]] | None = None
        self.worker = Worker("dashboard-machine", self._run)

    def __enter__(self) -> Self:
        self.worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.worker.stop()

    def latest(self) -> Sequence[Check]:
        """See `Machine`."""
        with self._lock:
            found = self._found
        return found[1] if found is not None and self._clock.monotonic() - found[0] < OLD_S else ()

    def look(self) -> None:
        """Look now."""
        found = (
            *power_checks(self._board),
            disk_check(self._board, self._folder),
            *memory_checks(self._board),
        )
        with self._lock:
            self._found = (self._clock.monotonic(), found)

    def _run(self, worker: Worker) -> None:
        while True:
            worker.tick()
            self.look()
            if not worker.wait(LOOK_PERIOD_S):
                return


class FakeMachine:
    """A machine that is as it is told to be."""

    def __init__(self, *checks: Check) -> None:
        self.checks: tuple[Check, ...] = checks

    def latest(self) -> Sequence[Check]:
        """See `Machine`."""
        return self.checks
