"""Whether the threads of the stream are well: for the watchdog, and so that a fault of ours is not shown as live."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

from hardware.worker import Worker
from stream.alarms import Alarm

FAULT = "a fault of the program: its log says which; restart the stream service"


class Threaded(Protocol):
    """A part with a thread of its own."""

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""


def quiet_s(worker: Worker | None) -> float:
    """Seconds since a thread was last seen well: 0 when there is none, infinite when it failed."""
    if worker is None:
        return 0.0
    return math.inf if has_failed(worker) else worker.quiet_s


def has_failed(worker: Worker | None) -> bool:
    """Whether a thread ended by an error nobody foresaw."""
    return worker is not None and worker.failure is not None


def fault_alarms(parts: Iterable[Threaded]) -> tuple[Alarm, ...]:
    """An alarm when any of them has ended by an error nobody foresaw, and has no state of its own to tell of it."""
    if not any(math.isinf(part.quiet_s) for part in parts):
        return ()
    cause = "a part of the stream's program has ended by a fault"
    return (Alarm(code="fault", cause=cause, action="In the next pause, start the stream process again"),)
