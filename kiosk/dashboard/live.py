"""News to pages: one worker makes snapshots and hands them to every open page, and never waits for one.

A snapshot is whole, so a page that missed some needs only the next. The beat comes from the worker itself: when the
worker hangs (a locked database, say) pages hear nothing and mark themselves stale.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self, TypeGuard

import msgspec

from hardware.clock import Clock
from hardware.errors import PlatypusError
from hardware.worker import Worker
from kiosk.dashboard import views
from kiosk.dashboard.language import speaking, spoken
from kiosk.dashboard.machine import Machine
from kiosk.dashboard.ports import AnyNews, Doorbook, News
from kiosk.dashboard.settings import DashboardSettings, Language
from kiosk.ledger import HeadCount, Movement, ScanRow, Seats, Waiting

log = logging.getLogger(__name__)

BEAT_S = 1.0  # a snapshot at least so often; a page is stale after 3 s
CALM_S = 0.03  # between two snapshots, so that a burst of news is told together
SHOWN_SCANS = 20
NEW_SCANS = 50  # looked at for "which gate answered what", more than any door gives in a beat
CURVE_LASTS_S = 2.0  # all rows of the evening are read for it
SEATS_LAST_S = 5.0  # a time to release kept seats passes without a row; anything else that moves seats leaves a trace
BACKLOG = 8  # snapshots a slow page may leave unread before it is dropped
PATIENCE_S = 0.5
HUSH_S = 5.0  # a listener without news writes a comment, only to notice that its page has gone


class TooManyListeners(PlatypusError, RuntimeError):
    """As many pages are open as the server has threads for."""

    code = "too_many_listeners"


class Snapshot:
    """The facts of one moment, with the first page made once in each language for all who show it."""

    def __init__(
        self, number: int, facts: views.Facts, at: datetime, settings: DashboardSettings, began_s: float
    ) -> None:
        self.number = number
        self.at = at  # aware, UTC
        self.facts = facts
        self.began_s = began_s  # monotonic: what was done before is in it
        self._settings = settings
        self._homes: dict[tuple[Language, bool], views.HomeView] = {}
        self._jsons: dict[tuple[Language, bool], bytes] = {}

    @property
    def home(self) -> views.HomeView:
        """The organizer's page, in the language of the moment."""
        return self._home(names=True)

    @property
    def home_json(self) -> bytes:
        """The same, for the wire."""
        return self._json(names=True)

    @property
    def nameless(self) -> views.HomeView:
        """The same for whoever may not know who comes."""
        return self._home(names=False)

    @property
    def nameless_json(self) -> bytes:
        """The same, for the wire."""
        return self._json(names=False)

    def screen(self, gate: str | None) -> views.ScreenView:
        """The attendee screen of a gate, or of all, in the language of the moment."""
        return views.screen(self.facts, gate, show_names=self._settings.show_names)

    def screen_json(self, gate: str | None) -> bytes:
        """The same, for the wire."""
        return msgspec.json.encode(self.screen(gate))

    def _home(self, *, names: bool) -> views.HomeView:
        key = spoken(), names
        if key not in self._homes:
            with speaking(key[0]):  # held, so that none of its many words asks for it again
                self._homes[key] = views.home(self.facts, self._settings.zone, self.at, names=names)
        return self._homes[key]

    def _json(self, *, names: bool) -> bytes:
        key = spoken(), names
        if key not in self._jsons:
            self._jsons[key] = msgspec.json.encode(self._home(names=names))
        return self._jsons[key]


class Listener:
    """One open page: a short queue of snapshots. Iterating ends when dropped or when the server stops."""

    def __init__(self, leave: Callable[[Listener], None]) -> None:
        self._queue: queue.Queue[Snapshot | None] = queue.Queue(BACKLOG + 1)  # one place is kept for the end
        self._leave = leave
        self.is_over = False

    def offer(self, snapshot: Snapshot) -> bool:
        """Hand over without waiting. Returns whether there was room; a page without room is over."""
        if self._queue.qsize() >= BACKLOG:
            self.end()
            return False
        self._queue.put_nowait(snapshot)
        return True

    def end(self) -> None:
        """Say that nothing more comes."""
        if not self.is_over:
            self.is_over = True
            self._queue.put_nowait(None)

    def leave(self) -> None:
        """The page has gone: free its place."""
        self._leave(self)

    def __iter__(self) -> Iterator[Snapshot | None]:
        """Snapshots as they come; None after a hush."""
        while not self.is_over:
            try:
                snapshot = self._queue.get(timeout=HUSH_S)
            except queue.Empty:
                yield None
                continue
            if snapshot is None:
                return
            yield snapshot


class Live:
    """Makes snapshots, on news or each second, and fans them out. A context manager; `stop` ends every listener."""

    def __init__(
        self,
        doorbook: Doorbook,
        news: News,
        clock: Clock,
        settings: DashboardSettings,
        *,
        machine: Machine,
        most_listeners: int = 64,
        beat_s: float = BEAT_S,
    ) -> None:
        self._doorbook = doorbook
        self._news = news
        self._clock = clock
        self._settings = settings
        self._machine = machine
        self._most_listeners = most_listeners
        self._beat_s = beat_s
        self._bell: queue.Queue[None] = queue.Queue(1)
        self._making = threading.Lock()
        self._made = threading.Condition()
        self._lock = threading.Lock()  # guards the three below
        self._listeners: set[Listener] = set()
        self._latest: Snapshot | None = None
        self._is_stopped = False
        self._trouble_since: dict[str, float] = {}
        self._fresh: dict[str, tuple[ScanRow, float]] = {}  # by gate: newest answer, when first seen (monotonic s)
        self._last_scan: int | None = None
        self._movements: tuple[int, float, Sequence[Movement]] = (0, 0.0, ())  # up to which row, when read, and all
        self._seats: tuple[tuple[object, ...], float, Seats] | None = None  # for what, when, and how many
        self._renewals = 0
        self._in_trouble = False
        self.worker = Worker("dashboard-live", self._run)
        news.subscribe(self._ring)

    def __enter__(self) -> Self:
        self.worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the worker and every open page; safe to call twice."""
        self.worker.ask_to_stop()
        self._ring()
        self.worker.stop()
        with self._lock:
            self._is_stopped = True
            listeners = list(self._listeners)
        for listener in listeners:
            listener.end()

    @property
    def listeners(self) -> int:
        """How many pages are open."""
        with self._lock:
            return len(self._listeners)

    def join(self) -> Listener:
        """A new open page, with the current snapshot waiting for it. Raises TooManyListeners."""
        current = self.now()
        with self._lock:
            if self._is_stopped or len(self._listeners) >= self._most_listeners:
                raise TooManyListeners(
                    f"{len(self._listeners)} live pages are open already; close one, or try again in a moment."
                )
            listener = Listener(self._left)
            listener.offer(current)
            self._listeners.add(listener)
            return listener

    def now(self) -> Snapshot:
        """The current snapshot. While the worker runs, only it reads the ledger: a request waits `PATIENCE_S` for it
        and then says that the ledger does not answer, lest a ledger that hangs takes every thread of the server.
        """
        latest = self._latest
        if self._is_young(latest):
            return latest
        if not self.worker.is_alive:
            return self._make()
        self._ring()
        with self._made:
            self._made.wait_for(lambda: self._is_young(self._latest), PATIENCE_S)
        latest = self._latest
        if self._is_young(latest):
            return latest
        event = latest.facts.event if latest else None
        facts = views.Facts(event=event, news=self._news.latest(), trouble="The ledger does not answer.")
        return Snapshot(0, facts, self._clock.stamp().wall, self._settings, time.monotonic())

    def renew(self) -> None:
        """Have everything read anew and wait for it, `PATIENCE_S` at most: the next page shows what was just done."""
        self._renewals += 1
        since_s = time.monotonic()
        if not self.worker.is_alive:
            self._make()
            return
        self._ring()
        with self._made:
            self._made.wait_for(lambda: self._latest is not None and self._latest.began_s >= since_s, PATIENCE_S)

    def nudge(self) -> None:
        """Have everything read anew soon, without waiting for it."""
        self._renewals += 1
        self._ring()

    def _left(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def _ring(self, _news: AnyNews | None = None) -> None:
        """Runs in the bus's thread: only wakes the worker, which reads everything anew."""
        try:
            self._bell.put_nowait(None)
        except queue.Full:
            return  # it rings already

    def _run(self, worker: Worker) -> None:
        while not worker.is_stopping:
            try:
                snapshot = self._make()
            except Exception:
                # Pages hear nothing and say so themselves; the next beat tries again.
                log.exception("live event=snapshot-failed next_try_s=%.1f", self._beat_s)
            else:
                worker.tick()
                self._tell(snapshot)
            worker.wait(CALM_S)
            try:
                self._bell.get(timeout=self._beat_s)
            except queue.Empty:
                continue

    def _tell(self, snapshot: Snapshot) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            if not listener.is_over and not listener.offer(snapshot):
                log.warning("live event=slow-page-dropped unread=%d", BACKLOG)

    def _make(self) -> Snapshot:
        """Read everything anew."""
        with self._making:
            number = self._latest.number + 1 if self._latest else 1
            began_s = time.monotonic()
            facts = self._gather()
            at = facts.time.wall if facts.time else self._clock.stamp().wall
            snapshot = Snapshot(number, facts, at, self._settings, began_s)
        with self._made:
            self._latest = snapshot
            self._made.notify_all()
        return snapshot

    def _gather(self) -> views.Facts:
        now_s = self._clock.monotonic()
        news = self._news.latest()
        for heard in news.doors:
            if heard.state.camera == "ok":
                self._trouble_since.pop(heard.state.gate, None)
            else:
                self._trouble_since.setdefault(heard.state.gate, now_s)
        trouble = {gate: now_s - since_s for gate, since_s in self._trouble_since.items()}
        try:
            event = self._doorbook.event()
            people = self._doorbook.head_count()
            scans = self._doorbook.recent_scans(NEW_SCANS)
            waiting = self._doorbook.waiting_list()
            time_now = self._doorbook.time()
            seats = self._count_seats(people, scans, waiting, now_s)
            movements = self._all_movements(scans, now_s)
        except (PlatypusError, OSError) as error:
            if not self._in_trouble:
                log.exception("live event=ledger-unreadable next_try_s=%.1f", self._beat_s)
            self._in_trouble = True
            known = self._latest.facts.event if self._latest else None
            text = str(error) or type(error).__name__
            return views.Facts(
                event=known, news=news, trouble=f"The ledger cannot be read: {text}", camera_trouble_s=trouble
            )
        self._in_trouble = False
        self._note_fresh(scans, now_s)
        return views.Facts(
            event=event,
            people=people,
            scans=tuple(scans[:SHOWN_SCANS]),
            movements=movements,
            seats=seats,
            waiting=tuple(waiting),
            time=time_now,
            machine=self._machine.latest(),
            news=news,
            camera_trouble_s=trouble,
            fresh={gate: (row, now_s - seen_s) for gate, (row, seen_s) in self._fresh.items()},
        )

    def _all_movements(self, scans: Sequence[ScanRow], now_s: float) -> Sequence[Movement]:
        """Read again only when there is another row, and not for each of a burst."""
        newest = scans[0].scan_id if scans else 0
        if newest != self._movements[0] and now_s - self._movements[1] >= CURVE_LASTS_S:
            self._movements = (newest, now_s, self._doorbook.movements())
        return self._movements[2]

    def _count_seats(
        self, people: HeadCount, scans: Sequence[ScanRow], waiting: Sequence[Waiting], now_s: float
    ) -> Seats:
        """The seats, looked at again only when something moved: it is the one question that asks every ticket."""
        moved = (self._renewals, people, scans[0].scan_id if scans else 0, *waiting)
        if self._seats is None or self._seats[0] != moved or now_s - self._seats[1] > SEATS_LAST_S:
            self._seats = (moved, now_s, self._doorbook.seats())
        return self._seats[2]

    def _note_fresh(self, rows: Sequence[ScanRow], now_s: float) -> None:
        """Remember each gate's newest answer and when we first saw it, by our own clock: the wall clock may jump."""
        newest = rows[0].scan_id if rows else 0
        if self._last_scan is not None:  # what was there when we started is not news
            for row in reversed(rows):
                if row.scan_id > self._last_scan and views.is_for_screen(row):
                    self._fresh[row.gate] = (row, now_s)
        self._last_scan = newest
        over = [gate for gate, (_, seen_s) in self._fresh.items() if now_s - seen_s > views.ANSWER_SHOWN_S]
        for gate in over:
            del self._fresh[gate]

    def _is_young(self, snapshot: Snapshot | None) -> TypeGuard[Snapshot]:
        """Whether a snapshot may still be shown as the present."""
        return snapshot is not None and time.monotonic() - snapshot.began_s < 1.5 * self._beat_s
