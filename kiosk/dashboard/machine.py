"""The machine this page comes from, looked at beside all else: a firmware, or a network, may take seconds to answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from hardware.checks import Check
from hardware.clock import Clock
from hardware.worker import Worker

log = logging.getLogger(__name__)

SLACK_S = 5.0  # of a busy machine, beside what a look itself takes


class Look(NamedTuple):
    """One question to the machine, asked again and again in a thread of its own."""

    name: str
    ask: Callable[[], Sequence[Check]]
    period_s: float  # from the end of one to the begin of the next
    longest_s: float  # what one takes when nothing answers


class Machine(Protocol):
    """How the machine is doing."""

    def latest(self) -> Sequence[Check]:
        """What the last looks gave; never waits. Nothing when there was none lately."""


class MachineWatch:
    """Looks again and again: one that hangs makes no other one old. A context manager."""

    def __init__(self, looks: Sequence[Look], clock: Clock) -> None:
        self._looks = tuple(looks)
        self._clock = clock
        self._lock = threading.Lock()
        self._found: dict[str, tuple[float, tuple[Check, ...]]] = {}
        self.workers = tuple(Worker(f"dashboard-{look.name}", self._watching(look)) for look in self._looks)

    def __enter__(self) -> Self:
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.stop()

    def latest(self) -> Sequence[Check]:
        """See `Machine`."""
        with self._lock:
            found = dict(self._found)
        now_s = self._clock.monotonic()
        told = [found[look.name] for look in self._looks if look.name in found and _is_new(look, found, now_s)]
        return tuple(check for _, checks in told for check in checks)

    def look(self) -> None:
        """Look at everything now."""
        for each in self._looks:
            self._look(each)

    def _look(self, look: Look) -> None:
        found = tuple(look.ask())
        with self._lock:
            self._found[look.name] = (self._clock.monotonic(), found)

    def _watching(self, look: Look) -> Callable[[Worker], None]:
        def run(worker: Worker) -> None:
            while True:
                worker.tick()
                try:
                    self._look(look)
                except Exception:
                    log.exception("machine event=look-failed look=%s next=again", look.name)
                if not worker.wait(look.period_s):
                    return

        return run


def _is_new(look: Look, found: dict[str, tuple[float, tuple[Check, ...]]], now_s: float) -> bool:
    """Whether the next look could not have ended yet: what is older would look like now."""
    return now_s - found[look.name][0] < look.period_s + look.longest_s + SLACK_S


class FakeMachine:
    """A machine that is as it is told to be."""

    def __init__(self, *checks: Check) -> None:
        self.checks: tuple[Check, ...] = checks

    def latest(self) -> Sequence[Check]:
        """See `Machine`."""
        return self.checks
