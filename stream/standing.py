"""Where a leg stands, its thread, and its wait for the next try: alike for every kind of leg."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from hardware.clock import Clock
from hardware.worker import Worker
from stream.health import FIRST_PICTURE, Health
from stream.liveness import FAULT, has_failed, quiet_s

_STOP_LIMIT_S = 10.0


class Stand(NamedTuple):
    """What a leg says of itself at a moment; as in LegState."""

    state: Health
    cause: str
    action: str
    retry_in_s: float | None


class Standing:
    """One leg's. Safe with threads."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._retry_now = threading.Event()
        self._worker: Worker | None = None
        self._state = Health.STOPPED
        self._cause = ""
        self._action = ""
        self._retry_at_s: float | None = None

    @property
    def quiet_s(self) -> float:
        """Seconds since the leg's thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    @property
    def state(self) -> Health:
        """What was last said."""
        return self._state

    def now(self) -> Stand:
        """All of it; a thread that failed is a leg that is lost."""
        with self._lock:
            retry_in_s = None if self._retry_at_s is None else max(0.0, self._retry_at_s - self._clock.monotonic())
            if has_failed(self._worker):
                return Stand(Health.LOST, FAULT, self._action, retry_in_s)
            return Stand(self._state, self._cause, self._action, retry_in_s)

    def say(self, state: Health, cause: str = "", action: str = "") -> None:
        """From now on it stands so."""
        with self._lock:
            self._state, self._cause, self._action, self._retry_at_s = state, cause, action, None

    def begin(self, run: Callable[[Worker], None]) -> None:
        """Start the leg's thread."""
        self._retry_now.clear()
        self.say(Health.WAITING, FIRST_PICTURE)
        self._worker = Worker(f"stream-{self._name}", run)
        self._worker.start()

    def end(self) -> None:
        """Let the thread end in good order. Safe to call twice."""
        if self._worker is not None:
            self._worker.ask_to_stop()
            self._retry_now.set()
            self._worker.stop(timeout_s=_STOP_LIMIT_S)
            self._worker = None
        self.say(Health.STOPPED)

    def retry(self) -> None:
        """End a wait, when there is one; a later one is not cut short."""
        with self._lock:
            if self._retry_at_s is not None:
                self._retry_now.set()

    def wait(self, worker: Worker, wait_s: float, state: Health, cause: str, action: str = "") -> None:
        """Stand so until it is time to try again, or somebody wants it now; and go on standing so."""
        with self._lock:
            self._state, self._cause, self._action = state, cause, action
            self._retry_at_s = self._clock.monotonic() + wait_s
        while wait_s > 0 and not self._retry_now.wait(min(wait_s, 1.0)):
            worker.tick()
            wait_s -= 1.0
        with self._lock:
            self._retry_at_s = None
            self._retry_now.clear()
