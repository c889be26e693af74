"""How a process of ours runs: until it is told to end, or its main worker does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hardware.errors import PlatypusError
from hardware.notify import QUIET_LIMIT_S, Notifier
from hardware.worker import Worker


class ServiceError(PlatypusError, RuntimeError):
    """A worker of a process ended by itself; the process ends too, and is started again by who watches it."""

    code = "service"


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that SIGTERM, SIGINT and SIGHUP set. Handlers only set it: everything ends in its own order."""
    stopping = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_until(
    stopping: threading.Event,
    worker: Worker,
    quiet_s: Callable[[], float] = lambda: 0.0,
    *,
    look_period_s: float = 1.0,
) -> None:
    """Run a process' main worker until told, or until it ends. Raises ServiceError when it failed.

    `quiet_s` says for how long the quietest of all other parts was not seen well: systemd hears that all is well only
    while it is.
    """
    manager = Notifier()
    with worker:
        manager.ready()
        while worker.is_alive and not stopping.wait(look_period_s):
            if max(worker.quiet_s, quiet_s()) < QUIET_LIMIT_S:
                manager.well()
        manager.stopping()
    if worker.failure is not None:
        raise ServiceError(f"{worker.name} ended: {worker.failure}") from worker.failure
