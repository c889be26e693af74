"""The one shape of thread we use: named, can always be asked to stop, joined with a limit, seen to be alive."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Self

from hardware.errors import PlatypusError

log = logging.getLogger(__name__)


class Worker:
    """Runs `body(worker)` in a thread until it returns or is asked to stop.

    The body calls `tick()` whenever it is alive and well (a watchdog reads `quiet_s`) and looks at `is_stopping`,
    or sleeps with `wait()`, which returns early when asked to stop. A body that raises is logged with its
    traceback and kept in `failure`; whoever owns the worker decides what happens next.
    """

    def __init__(self, name: str, body: Callable[[Worker], None]) -> None:
        self.name = name
        self.failure: BaseException | None = None
        self._body = body
        self._stopping = threading.Event()
        self._last_tick_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def is_stopping(self) -> bool:
        """Whether the body was asked to end."""
        return self._stopping.is_set()

    @property
    def quiet_s(self) -> float:
        """Seconds since the body last ticked."""
        return time.monotonic() - self._last_tick_s

    def start(self) -> None:
        """Start the thread; once."""
        self._last_tick_s = time.monotonic()
        self._thread.start()

    def tick(self) -> None:
        """Say: alive and well."""
        self._last_tick_s = time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Sleep, or less when asked to stop. Returns whether to go on."""
        return not self._stopping.wait(seconds)

    def ask_to_stop(self) -> None:
        """Ask, without waiting."""
        self._stopping.set()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Ask the body to end and wait for it. Returns whether it did; safe to call twice and from the body."""
        self._stopping.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                log.error("worker=%s event=did-not-stop after_s=%.1f", self.name, timeout_s)
                return False
        return True

    def _run(self) -> None:
        try:
            self._body(self)
        except PlatypusError as error:  # foreseen: its text says all
            self.failure = error
            log.error("worker=%s event=failed cause=%s", self.name, error)  # noqa: TRY400  # no traceback needed
        except Exception as error:
            self.failure = error
            log.exception("worker=%s event=failed", self.name)
