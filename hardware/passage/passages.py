"""What happens in the doorway, as the door hears of it; and a doorway that does what a test says."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from hardware.errors import PassageError
from hardware.passage.beams import BeamEvent, BeamsBlocked, BeamsFree, Direction, Passed


@dataclass(frozen=True)
class ExitPressed:
    """Somebody inside pressed the exit button."""

    at_s: float  # monotonic


PassageEvent = BeamEvent | ExitPressed


class Passages(Protocol):
    """The beam pair and the exit button of one gate."""

    @property
    def is_blocked(self) -> bool:
        """Whether something has been in the beams for too long, now."""

    def next_event(self, timeout_s: float) -> PassageEvent | None:
        """The oldest event nobody has taken yet; waits up to `timeout_s`, then None.

        Raises `PassageError` when the pins can no longer be read: no later event will come.
        """

    def close(self) -> None:
        """Give the pins back. Safe to call twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class FakePassages:
    """A doorway in which people do as told."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.is_closed = False
        self._is_blocked = False
        self._monotonic = monotonic
        self._events: queue.SimpleQueue[PassageEvent] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_blocked(self) -> bool:
        """See `Passages.is_blocked`."""
        return self._is_blocked

    def walk(self, direction: Direction, *, is_sure: bool = True) -> None:
        """Somebody passes."""
        self._events.put(Passed(direction, self._monotonic(), is_sure))

    def press_exit(self) -> None:
        """Somebody presses the button."""
        self._events.put(ExitPressed(self._monotonic()))

    def block(self) -> None:
        """Somebody has stood in the beams for too long."""
        self._is_blocked = True
        self._events.put(BeamsBlocked(self._monotonic(), ("outer", "inner")))

    def free(self) -> None:
        """And goes."""
        self._is_blocked = False
        self._events.put(BeamsFree(self._monotonic()))

    def next_event(self, timeout_s: float) -> PassageEvent | None:
        """See `Passages.next_event`."""
        if self.is_closed:
            raise PassageError("the doorway's pins are closed. Open them anew.")
        try:
            return self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Later calls raise `PassageError`."""
        self.is_closed = True
