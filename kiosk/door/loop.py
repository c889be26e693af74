"""The door's loop: newest frame -> reader -> presence -> ledger -> panel -> news.

No green without a durable row: the panel is told after `admit` returned. Whatever a guest shows, whatever breaks,
the loop goes on; what it cannot do it says in its state, in words, and manual check-in goes on beside it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal, NamedTuple, Protocol

from msgspec import structs

from hardware.cameras import Camera
from hardware.clock import Clock, Stamp
from hardware.errors import CameraError, CameraGone, CameraStalled, EndOfFilm, PanelError, PlatypusError
from hardware.panel import Panel, Signal
from hardware.worker import Worker
from kiosk.door.lens import Lens
from kiosk.door.presence import Presence, Showing
from kiosk.door.reader import Reader
from kiosk.ledger import DWELL, Decision, Direction, Event, GateMode, LedgerError, Occupancy, Presentation, Reason
from kiosk.news import DoorState, ScanNews

log = logging.getLogger(__name__)

_STALLED_S = 2.0  # a camera silent for so long is said to be stalled
_STATE_EVERY_S = 1.0
_RETRY_LEDGER_S = 1.0
_COUNT_EVERY_S = 1.0
# What a decoder may hand us at most. The largest QR holds 2,953 bytes; a ticket has some 200.
_LONGEST_CODE = 3000
_NO_ANSWERS = frozenset({Signal.IDLE, Signal.OUT_OF_ORDER, Signal.TEST})
_BETWEEN_S = 1.0  # a ledger that hangs keeps a guest, not whoever waits here
_ANSWERING = "a guest is being answered at this gate: try again in a moment"


class Admissions(Protocol):
    """The ledger, as the door needs it."""

    def admit(self, event: Event, shown: Presentation, mode: GateMode, dwell: timedelta) -> Decision: ...

    def occupancy(self, event: Event) -> Occupancy: ...

    def fix_clock(self, now: Stamp) -> None: ...


class DoorNews(Protocol):
    """Where the door tells what happens; never waits, never fails."""

    def state(self, state: DoorState) -> None: ...

    def scan(self, scan: ScanNews) -> None: ...


class Gate(NamedTuple):
    """Which door this is, and for which evening."""

    name: str
    event: Event
    mode: GateMode = GateMode.ENTRY
    dwell: timedelta = DWELL


class Door:
    """One gate at work. `run` is the body of its worker; everything it uses is given to it."""

    def __init__(
        self, gate: Gate, camera: Camera, book: Admissions, panel: Panel, news: DoorNews, clock: Clock
    ) -> None:
        self._gate = gate
        self._camera = camera
        self._book = book
        self._panel = panel
        self._news = news
        self._clock = clock
        self._reader = Reader(clock)
        self._lens = Lens()
        self._presence = Presence()
        self._state = DoorState(gate=gate.name, event=gate.event.slug)
        self._told_s = float("-inf")
        self._ledger_failed_s = float("-inf")
        self._counted_s = float("-inf")
        self._telling = threading.Lock()
        self._serving = threading.Lock()  # the camera's loop and other sources serve one guest at a time
        self._ledger_trouble = ""
        self._count_trouble = ""
        self._panel_trouble = ""
        self._frames = 0
        self._was_clock_trusted = False
        self._rate = _Rate(clock)

    def run(self, worker: Worker) -> None:
        """Serve guests until asked to stop, or until a film given as camera has been shown wholly.

        Raises CameraGone when the camera will not come back by itself.
        """
        self._count_heads()
        while not worker.is_stopping:
            worker.tick()
            try:
                frame = self._camera.newest(_STALLED_S)
            except EndOfFilm:
                log.info("gate=%s event=end-of-film frames=%d", self._gate.name, self._frames)
                break
            except CameraGone as error:
                self._camera_is("lost", str(error))
                raise  # the process ends, and whoever watches it starts it anew
            except CameraStalled as error:
                self._camera_is("stalled", str(error))
                continue
            except CameraError as error:
                self._camera_is("lost", str(error))
                if not worker.wait(_STALLED_S / 2):
                    break
                continue
            self._frames += 1
            if self._clock.monotonic() - self._counted_s >= _COUNT_EVERY_S:
                self._count_heads()  # people are let in by hand too, and at other gates
            sight = self._reader.look(frame.y)
            blind = self._lens.judge(frame.y, sight, frame.taken_s)
            self._camera_is("unclear" if blind else "ok", blind or self._trouble)
            if not sight.was_looked_at:
                continue  # nothing moved: who was in view still is
            codes = [read.data for read in sight.reads if 0 < len(read.data) <= _LONGEST_CODE]
            with self._serving:
                self._serve(self._presence.see(codes, frame.taken_s, is_blurred=bool(sight.near_misses)))
        log.info("gate=%s event=closed steps=%s", self._gate.name, dict(self._reader.steps))

    def present(self, code: bytes, source: str) -> None:
        """Serve a code that came from elsewhere than the camera ("scanner"); from any thread.

        If the ledger fails the panel says so, and the guest shows the code again.
        """
        if 0 < len(code) <= _LONGEST_CODE:
            with self._serving:
                if self._clock.monotonic() - self._ledger_failed_s < _RETRY_LEDGER_S:
                    self._show(Signal.ATTENTION)  # not now: the guest shows it again
                else:
                    self._serve([Showing(code)], source)

    def _serve(self, showings: Sequence[Showing], source: str = "camera") -> None:
        if not showings or self._clock.monotonic() - self._ledger_failed_s < _RETRY_LEDGER_S:
            return
        decisions = [decision for showing in showings if (decision := self._decide(showing, source)) is not None]
        if decisions:
            # Two codes at once: the one that needs a volunteer is the one to be seen. A stranger's code beside a good
            # ticket (a poster, a wifi code) is none of that.
            good = [decision for decision in decisions if decision.reason is not Reason.INVALID] or decisions
            self._show(max((_signal(decision) for decision in good), key=_SEVERITY.index))
            for decision in decisions:
                self._tell_scan(decision)
            self._count(decisions[-1].inside, decisions[-1].capacity)

    def _decide(self, showing: Showing, source: str) -> Decision | None:
        at = self._clock.stamp()
        try:
            shown = Presentation(showing.code, showing.nonce, self._gate.name, source, at)
            decision = self._book.admit(self._gate.event, shown, self._gate.mode, self._gate.dwell)
        except PlatypusError as error:
            # The same nonce is tried again while the code is in view, so a lost answer cannot count twice.
            self._ledger_failed_s = self._clock.monotonic()
            self._note_ledger(str(error))
            self._show(Signal.ATTENTION)
            self._tell(cause=self._trouble)
            return None
        self._note_ledger("")
        showing.is_answered = True
        log.info(
            "gate=%s scan=%d way=%s answer=%s inside=%d capacity=%d",
            self._gate.name,
            decision.scan_id,
            decision.direction,
            decision.reason or "admitted",
            decision.inside,
            decision.capacity,
        )
        return decision

    def _tell_scan(self, decision: Decision) -> None:
        self._news.scan(
            ScanNews(
                scan_id=decision.scan_id,
                gate=self._gate.name,
                at=self._clock.stamp().wall.isoformat(),
                is_admitted=decision.is_admitted,
                reason=decision.reason,
                caveats=decision.caveats,
                inside=decision.inside,
                capacity=decision.capacity,
            )
        )

    def _note_clock(self, at: Stamp) -> None:
        """Once the clock is trusted: rows of this boot that were made before get their right time."""
        if at.is_trusted and not self._was_clock_trusted:
            try:
                self._book.fix_clock(at)
            except LedgerError:
                log.exception("gate=%s event=clock-fix-failed", self._gate.name)
                return  # a second later again
            self._was_clock_trusted = True

    def _count_heads(self) -> None:
        self._counted_s = self._clock.monotonic()
        self._note_clock(self._clock.stamp())
        try:
            count = self._book.occupancy(self._gate.event)
        except LedgerError as error:
            self._count_trouble = str(error)
            return
        self._count_trouble = ""
        if (count.inside, count.capacity) != (self._state.inside, self._state.capacity):
            self._count(count.inside, count.capacity)

    def _note_ledger(self, trouble: str) -> None:
        if bool(trouble) != bool(self._ledger_trouble):  # one line for one outage: a full disk is not made fuller
            log.warning("gate=%s ledger=%r", self._gate.name, trouble or "works again")
        self._ledger_trouble = trouble

    def _show(self, signal: Signal) -> None:
        try:
            self._panel.show(signal)
        except PanelError as error:
            # The answer is in the ledger and on its way to screen and phones: the guest is not kept waiting.
            self._note_panel(str(error))
        else:
            self._note_panel("")

    def _count(self, inside: int, capacity: int) -> None:
        try:
            self._panel.count(inside, capacity)
        except PanelError as error:
            self._note_panel(str(error))
        self._tell(inside=inside, capacity=capacity, cause=self._trouble)

    def _note_panel(self, trouble: str) -> None:
        if trouble != self._panel_trouble:
            log.warning("gate=%s panel=%r", self._gate.name, trouble or "works again")
        self._panel_trouble = trouble

    @property
    def _trouble(self) -> str:
        return self._ledger_trouble or self._count_trouble or self._panel_trouble

    def _camera_is(self, camera: Literal["ok", "unclear", "stalled", "lost"], cause: str) -> None:
        if camera != self._state.camera:
            log.info("gate=%s camera=%s cause=%r", self._gate.name, camera, cause)
            # One beep when it begins, then amber for as long as it lasts; a guest who comes later must see it too.
            if camera != "ok":
                self._show(Signal.ATTENTION)
            elif self._panel.showing is Signal.OUT_OF_ORDER:
                self._show(Signal.IDLE)
            self._tell(camera=camera, cause=cause)
        elif camera != "ok" and self._panel.showing is Signal.IDLE:
            self._show(Signal.OUT_OF_ORDER)
            self._tell(cause=cause)
        elif cause != self._state.cause or self._clock.monotonic() - self._told_s >= _STATE_EVERY_S:
            self._tell(cause=cause)

    @contextmanager
    def between_guests(self) -> Iterator[None]:
        """Have the panel for something else than an answer; no guest is served meanwhile. From any thread.

        Raises PanelError when a guest is being answered: nothing may be taken for an answer, and nothing end one.
        """
        if not self._serving.acquire(timeout=_BETWEEN_S):
            raise PanelError(_ANSWERING)
        try:
            if self._panel.showing not in _NO_ANSWERS:
                raise PanelError(_ANSWERING)
            yield
        finally:
            self._serving.release()

    def recount(self) -> None:
        """Show how many are in, whatever is shown now; from any thread."""
        self._count(self._state.inside, self._state.capacity)

    def note(self, **changes: Any) -> None:
        """Say in the state what stands beside the camera: passed_in, passed_out, passage, scanner; from any thread."""
        self._tell(**changes)

    def _tell(self, **changes: Any) -> None:
        with self._telling:
            self._tell_now(**changes)

    def _tell_now(self, **changes: Any) -> None:
        self._told_s = self._clock.monotonic()
        self._state = structs.replace(
            self._state,
            frames=self._frames,
            frames_per_s=self._rate.of(self._frames),
            panel=self._panel.showing,
            steps=dict(self._reader.steps),
            **changes,
        )
        self._news.state(self._state)


_SEVERITY = (Signal.ADMITTED, Signal.NOTED, Signal.ATTENTION, Signal.REFUSED)


def _signal(decision: Decision) -> Signal:
    """Green, red; amber when the ticket is good and the room is not. A note matters to who comes in, not who leaves."""
    if decision.is_admitted:
        is_noted = decision.direction is Direction.ENTRY and decision.ticket is not None and decision.ticket.note
        return Signal.NOTED if is_noted else Signal.ADMITTED
    return Signal.ATTENTION if decision.reason is Reason.FULL else Signal.REFUSED


class _Rate:
    """Frames per second over the last five seconds."""

    _SPAN_S = 5.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque()

    def of(self, frames: int) -> float:
        now = self._clock.monotonic()
        self._marks.append((now, frames))
        while now - self._marks[0][0] > self._SPAN_S and len(self._marks) > 2:
            self._marks.popleft()
        then, before = self._marks[0]
        return round((frames - before) / (now - then), 1) if now > then else 0.0
