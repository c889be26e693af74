"""Waiting for what is to become true, with a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def until(is_so: Callable[[], object], limit_s: float, what: str) -> float:
    """Wait until `is_so()`; seconds it took. AssertionError after `limit_s`."""
    began_s = time.monotonic()
    pause = threading.Event()
    while not is_so():
        waited_s = time.monotonic() - began_s
        assert waited_s < limit_s, f"not within {limit_s} s: {what}"
        pause.wait(0.02)
    return time.monotonic() - began_s


def last_for(seconds: float) -> None:
    """Let a fault last: its duration is what is tested."""
    threading.Event().wait(seconds)
