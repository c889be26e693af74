"""What the dashboard needs of the ledger and of the bus, as two small Protocols with their fakes.

The service's main binds the real ledger to its event, and the real bus to its topics.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from hardware.clock import Clock
from kiosk.ledger import HeadCount, ScanRow
from kiosk.news import BusError, DoorState, Reply, ScanNews, StreamCommand
from stream.health import StreamState

AnyNews = ScanNews | DoorState | StreamState
State = TypeVar("State")


class EventFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The event itself."""

    name: str
    capacity: int = 0
    starts_at: datetime | None = None
    stream_page: str | None = None  # where remote viewers watch; shown on the screen


class Heard(NamedTuple, Generic[State]):
    """A state and how long ago it was said."""

    state: State
    age_s: float  # monotonic


class NewsNow(NamedTuple):
    """The last known state of every process."""

    doors: tuple[Heard[DoorState], ...] = ()  # one a gate, ordered by name
    stream: Heard[StreamState] | None = None


class Doorbook(Protocol):
    """The ledger, as the dashboard reads it. Every call may raise PlatypusError or OSError."""

    def event(self) -> EventFacts:
        """The event whose door this is."""

    def head_count(self) -> HeadCount:
        """How many people, now."""

    def recent_scans(self, limit: int) -> Sequence[ScanRow]:
        """The last answers, newest first, at most `limit`."""


class News(Protocol):
    """The bus, as the dashboard hears it."""

    def latest(self) -> NewsNow:
        """The last known states with their ages; never waits."""

    def subscribe(self, callback: Callable[[AnyNews], None]) -> None:
        """Call back at any news, in another thread: the callback only puts on a queue."""

    def command(self, command: StreamCommand, timeout_s: float) -> Reply:
        """Ask the stream process, and wait for its answer. Raises BusError when nobody answers in time."""


class FakeDoorbook:
    """A ledger in memory: the fake that tests and the demo use."""

    def __init__(self, event: EventFacts, clock: Clock, tickets: int = 0) -> None:
        self._event = event
        self._clock = clock
        self._tickets = tickets
        self._rows: list[ScanRow] = []
        self._lock = threading.Lock()
        self.failure: Exception | None = None  # raised by every reading while set
        self.may_read = threading.Event()  # while cleared, every reading hangs
        self.may_read.set()

    def scan(
        self,
        holder: str | None = None,
        *,
        reason: str | None = None,
        gate: str = "main",
        product: str | None = None,
        caveats: tuple[str, ...] = (),
    ) -> ScanRow:
        """Give an answer: admitted, or refused for `reason`."""
        with self._lock:
            row = ScanRow(
                scan_id=len(self._rows) + 1,
                at=self._clock.stamp().wall,
                gate=gate,
                is_admitted=reason is None,
                reason=reason,
                holder=holder,
                product=product,
                caveats=caveats,
            )
            self._rows.append(row)
            return row

    def event(self) -> EventFacts:
        self._fail_if_told()
        return self._event

    def head_count(self) -> HeadCount:
        self._fail_if_told()
        with self._lock:
            admitted = sum(row.is_admitted for row in self._rows)
            return HeadCount(
                inside=admitted,
                capacity=self._event.capacity,
                admitted=admitted,
                refused=len(self._rows) - admitted,
                tickets=self._tickets,
            )

    def recent_scans(self, limit: int) -> Sequence[ScanRow]:
        self._fail_if_told()
        with self._lock:
            return self._rows[::-1][:limit]

    def _fail_if_told(self) -> None:
        self.may_read.wait()
        if self.failure is not None:
            raise self.failure


class FakeNews:
    """A bus in memory: say something, and subscribers hear it; commands are kept and answered by `reply`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._doors: dict[str, tuple[DoorState, float]] = {}
        self._stream: tuple[StreamState, float] | None = None
        self._callbacks: list[Callable[[AnyNews], None]] = []
        self.commands: list[StreamCommand] = []
        self.reply: Reply | None = Reply(ok=True)  # None: nobody answers

    def say(self, news: AnyNews) -> None:
        """Publish: states are kept, everybody hears it."""
        if isinstance(news, DoorState):
            self._doors[news.gate] = (news, self._clock.monotonic())
        elif isinstance(news, StreamState):
            self._stream = (news, self._clock.monotonic())
        for callback in self._callbacks:
            callback(news)

    def latest(self) -> NewsNow:
        now_s = self._clock.monotonic()
        doors = tuple(Heard(state, now_s - said_s) for _, (state, said_s) in sorted(self._doors.items()))
        return NewsNow(doors, Heard(self._stream[0], now_s - self._stream[1]) if self._stream else None)

    def subscribe(self, callback: Callable[[AnyNews], None]) -> None:
        self._callbacks.append(callback)

    def command(self, command: StreamCommand, timeout_s: float) -> Reply:
        self.commands.append(command)
        if self.reply is None:
            raise BusError(f"the stream process did not answer within {timeout_s:g} s; is it running?")
        return self.reply
