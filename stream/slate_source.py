"""The source of the slates: plays one into the hub in real time, for as long as viewers need it.

When the camera has been silent for a while before the slate takes over, the slate first makes up for that while (up to
CATCH_UP_S): its frames carry the times the camera's would have had, and viewers get no gap in time at all.
"""

from __future__ import annotations

import logging
import threading

from hardware.clock import Clock
from hardware.worker import Worker
from stream.hub import Hub, Inlet
from stream.liveness import quiet_s
from stream.slate_loop import SlateLoop, SlatePlay

log = logging.getLogger(__name__)

CATCH_UP_S = 3.0  # some 0.4 MB at once; a leg's queue takes 1 MB
_IDLE_S = 0.2
_LAG_STEPS = 2.75  # a camera that was stopped and went on was up to two steps later than before


class SlateSource:
    """Feeds the hub of the moment. Commands come from any thread and never wait."""

    def __init__(self, frames_per_s: int, clock: Clock) -> None:
        self._step_s = 1 / frames_per_s
        self._clock = clock
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._worker: Worker | None = None
        self._hub: Hub | None = None
        self._inlet: Inlet | None = None
        self._play: SlatePlay | None = None

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    @property
    def is_on_air(self) -> bool:
        """Whether viewers see a slate."""
        return self._inlet is not None and self._inlet.is_on_air

    def start(self, hub: Hub) -> None:
        """Be ready to feed `hub`."""
        with self._lock:
            self._hub, self._inlet = hub, hub.inlet("slate")
        self._worker = Worker("stream-slate", self._run)
        self._worker.start()

    def stop(self) -> None:
        """Give no more. Safe to call twice."""
        if self._worker is not None:
            self._worker.ask_to_stop()
            self._wake.set()
            self._worker.stop()
            self._worker = None
        with self._lock:
            self._hub = self._inlet = self._play = None

    def show(self, loop: SlateLoop | None, *, stands_in: bool = False) -> None:
        """Take what is on air off, and show `loop` from its first frame on; nothing at all when it is None.

        One that `stands_in` for a camera lags a little behind: so there is room for the camera that comes back, whose
        frames may be some steps later than they were, to go on in its own old times, beside the sound that went on.

        When a slate is on air already, the next frame is the first one of `loop`.
        """
        with self._lock:
            if self._hub is None or self._inlet is None:
                return
            is_running = self._play is not None and self._hub.needs(self._inlet)
            self._hub.select(self._inlet, at_once=True)
            if loop is None:
                self._play = None
                self._inlet.pause()
            elif is_running and self._play is not None:
                if self._play.loop is not loop:
                    self._play.replace(loop)
            else:
                self._play = SlatePlay(loop, self._begin_s(self._hub, self._inlet, stands_in=stands_in))
        self._wake.set()

    def _begin_s(self, hub: Hub, inlet: Inlet, *, stands_in: bool) -> float:
        """When the first frame would have been due: one step after the last one that viewers got, and then the lag."""
        now_s = self._clock.monotonic()
        last_s = hub.frame_at_s
        inlet.lag_s = 0.0
        if last_s is None or now_s - last_s > CATCH_UP_S:
            return now_s
        if stands_in:
            inlet.lag_s = _LAG_STEPS * self._step_s
        return last_s + self._step_s + inlet.lag_s

    def _run(self, worker: Worker) -> None:
        while not worker.is_stopping:
            worker.tick()
            wait_s = self._give_what_is_due()
            self._wake.wait(wait_s)
            self._wake.clear()

    def _give_what_is_due(self) -> float:
        """Returns how long to wait, in seconds."""
        with self._lock:
            if self._play is None or self._hub is None or self._inlet is None:
                return _IDLE_S
            now_s = self._clock.monotonic()
            while (due_s := self._play.due_s) <= now_s:
                if not self._hub.needs(self._inlet):
                    self._play = None
                    return _IDLE_S
                self._inlet.feed(self._play.take(), due_s, is_whole=True)
            return min(_IDLE_S, due_s - now_s)
