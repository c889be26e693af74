"""The panel of a gate, as the door sees it, and one that only remembers what it was asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from hardware.errors import PanelError
from hardware.panel.signals import Signal, lasts_s


class Panel(Protocol):
    """Light, buzzer and counter of one gate. Every call returns at once; every way out leaves all dark and silent."""

    @property
    def showing(self) -> Signal:
        """The signal that runs now; `IDLE` when the last one has ended by itself."""

    def show(self, signal: Signal) -> None:
        """Begin `signal` at once, in place of the one that runs. Raises `PanelError` when a pin cannot be driven."""

    def count(self, inside: int, capacity: int) -> None:
        """Show how many are in; a full room looks different. A capacity of 0 means: no limit is known."""

    def close(self) -> None:
        """Everything off. Safe to call twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class AbsentPanel:
    """A panel that could not be opened: every call says why."""

    def __init__(self, cause: str) -> None:
        self._cause = cause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def showing(self) -> Signal:
        """Nothing."""
        return Signal.IDLE

    def show(self, signal: Signal) -> None:
        """Raises `PanelError`."""
        raise PanelError(self._cause)

    def count(self, inside: int, capacity: int) -> None:
        """Raises `PanelError`."""
        raise PanelError(self._cause)

    def close(self) -> None:
        """There is nothing to close."""


class Shown(NamedTuple):
    """One signal that was asked for."""

    signal: Signal
    at_s: float  # monotonic


class FakePanel:
    """Remembers every signal with its time, and the last count."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.shown: list[Shown] = []
        self.counts: list[tuple[int, int]] = []  # (inside, capacity)
        self.releases: list[float] = []  # monotonic s of each release() without a signal
        self.is_closed = False
        self._monotonic = monotonic

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def signals(self) -> list[Signal]:
        """The signals alone, in order."""
        return [shown.signal for shown in self.shown]

    @property
    def showing(self) -> Signal:
        """See `Panel.showing`."""
        if self.is_closed or not self.shown:
            return Signal.IDLE
        last = self.shown[-1]
        return last.signal if self._monotonic() < last.at_s + lasts_s(last.signal) else Signal.IDLE

    def show(self, signal: Signal) -> None:
        """Remember it."""
        self._check_open()
        self.shown.append(Shown(signal, self._monotonic()))

    def count(self, inside: int, capacity: int) -> None:
        """Remember it."""
        self._check_open()
        self.counts.append((inside, capacity))

    def release(self) -> None:
        """Remember it; see `GpioPanel.release`."""
        self._check_open()
        self.releases.append(self._monotonic())

    def close(self) -> None:
        """Later calls raise `PanelError`."""
        self.is_closed = True

    def _check_open(self) -> None:
        if self.is_closed:
            raise PanelError("the panel is closed. Open it anew.")
