"""What the dashboard needs of the ledger and of the bus, as small Protocols.

The service's main binds the real ledger to its event, and the real bus to its topics. Reading and news have fakes;
the front desk has none, since the real ledger on a new file is as fast (20 ms) and never wrong about itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from hardware.clock import Clock
from kiosk.ledger import (
    Decision,
    Found,
    GateMode,
    HeadCount,
    KnownTime,
    Movement,
    ScanRow,
    Seats,
    Waiting,
)
from kiosk.ledger.report import Report
from kiosk.news import AgendaNews, BusError, DoorState, PanelPart, Reply, ScanNews, StreamCommand
from stream.health import StreamState

AnyNews = ScanNews | DoorState | StreamState | AgendaNews
State = TypeVar("State")

DESK_GATE = "desk"  # the gate that rows made on the volunteer's page name
PROGRAM_GATE = "program"  # that of codes that a program read, with the name of its token behind it
PHONE_GATE = "phone"  # that of codes read by a phone, with the three letters of its session behind it


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
    agenda: AgendaNews | None = None


class Doorbook(Protocol):
    """The ledger, as the dashboard reads it. Every call may raise PlatypusError or OSError."""

    def event(self) -> EventFacts:
        """The event whose door this is."""

    def head_count(self) -> HeadCount:
        """How many people, now."""

    def movements(self) -> Sequence[Movement]:
        """Every row that changed how many are inside, in their order."""

    def recent_scans(self, limit: int) -> Sequence[ScanRow]:
        """The last rows, newest first, at most `limit`."""

    def seats(self) -> Seats:
        """What is left for people without a ticket."""

    def waiting_list(self) -> Sequence[Waiting]:
        """Who waits for a seat, first come first."""

    def time(self) -> KnownTime:
        """What time it is, and who vouches for it."""


class Press(NamedTuple):
    """One press of a button on the volunteer's page; said again with the same nonce it was done once."""

    actor: str  # who: a person, and letters that tell their phones apart
    nonce: str


class FrontDesk(Protocol):
    """What a volunteer does at the door, written to the ledger. Every call may raise PlatypusError or OSError."""

    def find(self, text: str, limit: int) -> Sequence[Found]:
        """Tickets whose holder, e-mail or order contains every word of `text`; case and accents do not matter."""

    def scan(self, code: bytes, mode: GateMode, press: Press, gate: str) -> Decision:
        """Decide on a code that a phone read, as any gate of this mode does."""

    def check_in(self, ticket_id: int, press: Press, *, persons: int | None = None, override: bool = False) -> Decision:
        """Let a ticket's people in; `override`: whatever the rules say, up to the fire limit. Raises UnknownTicket."""

    def check_out(self, ticket_id: int, press: Press) -> Decision:
        """Let a ticket's people out. Raises UnknownTicket."""

    def walk_in(self, press: Press, *, name: str | None, persons: int, override: bool = False) -> Decision:
        """Let in people without a ticket."""

    def admit_waiting(self, waiting_id: int, press: Press, *, override: bool = False) -> Decision:
        """Let in somebody from the waiting list, in its order, or against it. Raises UnknownTicket."""

    def waiting_list(self) -> Sequence[Waiting]:
        """Who waits for a seat, first come first."""

    def recent_scans(self, limit: int) -> Sequence[ScanRow]:
        """The last rows, newest first, at most `limit`."""

    def report(self, zone: tzinfo) -> Report:
        """The evening so far in numbers; a second for 100,000 rows."""

    def wait(self, name: str, persons: int, press: Press) -> int:
        """Put somebody at the end of the waiting list. Returns their number on it."""

    def stop_waiting(self, waiting_id: int, press: Press) -> None:
        """Take somebody off the waiting list; harmless when they are not on it."""

    def correct(self, delta: int, press: Press) -> int:
        """Count people who passed unseen. Returns who is inside now."""

    def undo(self, scan_id: int, press: Press) -> int:
        """Take back a row. Returns who is inside now. Raises CannotUndo."""

    def release_no_shows(self, press: Press) -> Seats:
        """Keep nobody's seat from now on. Returns the seats as they are afterwards."""

    def set_clock(self, wall: datetime, press: Press) -> None:
        """Say what time it is (aware), when the machine does not know. Raises ClockKnown, WrongTime."""


class News(Protocol):
    """The bus, as the dashboard hears it."""

    def latest(self) -> NewsNow:
        """The last known states with their ages; never waits."""

    def subscribe(self, callback: Callable[[AnyNews], None]) -> None:
        """Call back at any news, in another thread: the callback only puts on a queue."""

    def command(self, command: StreamCommand, timeout_s: float) -> Reply:
        """Ask the stream process, and wait for its answer. Raises BusError when nobody answers in time."""

    def try_panel(self, gate: str, part: PanelPart, timeout_s: float) -> Reply:
        """Ask a gate to try a part of its panel. Raises BusError when nobody answers in time."""


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

    def movements(self) -> Sequence[Movement]:
        self._fail_if_told()
        with self._lock:
            return [Movement(row.at, 1) for row in self._rows if row.is_admitted]

    def recent_scans(self, limit: int) -> Sequence[ScanRow]:
        self._fail_if_told()
        with self._lock:
            return self._rows[::-1][:limit]

    def seats(self) -> Seats:
        self._fail_if_told()
        count = self.head_count()
        return Seats(max(0, count.capacity - count.inside), 0, 0)

    def waiting_list(self) -> Sequence[Waiting]:
        self._fail_if_told()
        return []

    def time(self) -> KnownTime:
        self._fail_if_told()
        stamp = self._clock.stamp()
        return KnownTime(stamp.wall, "server" if stamp.is_trusted else "nobody")

    def _fail_if_told(self) -> None:
        self.may_read.wait()
        if self.failure is not None:
            raise self.failure


class FakeNews:
    """A bus in memory: say something, and subscribers hear it; commands are kept and answered by `reply`, or `obey`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._doors: dict[str, tuple[DoorState, float]] = {}
        self._stream: tuple[StreamState, float] | None = None
        self._agenda: AgendaNews | None = None
        self._callbacks: list[Callable[[AnyNews], None]] = []
        self.commands: list[StreamCommand] = []
        self.reply: Reply | None = Reply(ok=True)  # None: nobody answers
        self.tried: list[tuple[str, PanelPart]] = []
        self.obey: Callable[[StreamCommand], Reply] | None = None  # whoever plays the stream

    def say(self, news: AnyNews) -> None:
        """Publish: states are kept, everybody hears it."""
        if isinstance(news, DoorState):
            self._doors[news.gate] = (news, self._clock.monotonic())
        elif isinstance(news, StreamState):
            self._stream = (news, self._clock.monotonic())
        elif isinstance(news, AgendaNews):
            self._agenda = news
        for callback in self._callbacks:
            callback(news)

    def latest(self) -> NewsNow:
        now_s = self._clock.monotonic()
        doors = tuple(Heard(state, now_s - said_s) for _, (state, said_s) in sorted(self._doors.items()))
        stream = Heard(self._stream[0], now_s - self._stream[1]) if self._stream else None
        return NewsNow(doors, stream, self._agenda)

    def subscribe(self, callback: Callable[[AnyNews], None]) -> None:
        self._callbacks.append(callback)

    def command(self, command: StreamCommand, timeout_s: float) -> Reply:
        self.commands.append(command)
        if self.reply is None:
            raise BusError(f"the stream process did not answer within {timeout_s:g} s; is it running?")
        return self.obey(command) if self.obey is not None else self.reply

    def try_panel(self, gate: str, part: PanelPart, timeout_s: float) -> Reply:
        self.tried.append((gate, part))
        if self.reply is None:
            raise BusError(f"nobody answered within {timeout_s:g} s; is that process running?")
        return self.reply
