"""The organizer's buttons, and the one place where the stream is put together. What they mean is in program.py."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from hardware.clock import Clock
from hardware.worker import Worker
from stream import program
from stream.artist import SlateArtist
from stream.control import FakeDirector, StreamControl, program_state
from stream.errors import OrderNotKept, StreamClosed
from stream.health import StreamState
from stream.hub import Hub, leg_limit_bytes
from stream.legs import Destination, Leg, Recording
from stream.liveness import quiet_s
from stream.mixer import Mixer
from stream.order import Order, OrderFile
from stream.settings import StreamSettings
from stream.slate_source import SlateSource
from stream.sources import Encoder
from stream.studio import Studio
from stream.talks import FixedTalks, Talks
from stream.wishes import wishes

__all__ = ["Director", "FakeDirector", "StreamControl"]

log = logging.getLogger(__name__)

_LOOK_PERIOD_S = 0.05
_PLAN_PERIOD_S = 1.0


class Director:
    """Camera, slates, hub and legs under one order. Resumes by itself what was ordered before a power cut.

    `keys` are the stream keys by destination; `state_dir` holds the order (and the recordings, unless the settings
    say otherwise), `run_dir` is where the children work and may be emptied at each boot. Safe with threads: commands
    wait for each other, `state` waits for nobody. The commands are those of StreamControl.
    """

    def __init__(
        self,
        settings: StreamSettings,
        keys: Mapping[str, str],
        state_dir: Path,
        run_dir: Path,
        clock: Clock,
        *,
        talks: Talks | None = None,
        artist: SlateArtist | None = None,
    ) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        recordings = Path(settings.recordings_dir) if settings.recordings_dir else state_dir / "recordings"
        self._settings = settings
        self._clock = clock
        self._talks = talks or FixedTalks()
        self._commands = threading.Lock()
        self._is_closed = False
        self._is_running = False
        self._introduced_at_s: float | None = None  # when the camera takes over from the slate of the next talk
        self._file = OrderFile(state_dir / "stream-order.json")
        self._encoder = Encoder(settings, clock, folder=run_dir)
        self._slates = SlateSource(settings.picture.frames_per_s, clock)
        self._studio = Studio(run_dir / "slates", settings.picture, clock, artist)
        self._mixer = Mixer(self._slates, self._studio, self._talks, clock)
        self._recording = Recording(recordings, clock)
        self._destinations = [
            Destination(each, keys.get(each.name), clock, limit_bytes=leg_limit_bytes(settings.picture), folder=run_dir)
            for each in settings.destinations
        ]
        self._legs: tuple[Leg, ...] = (self._recording, *self._destinations)
        self._order: Order | None = self._file.read()
        self._studio.start()
        if self._order is None and settings.start_live:
            self._order = Order(do="live", since=self._now())
        if self._order is not None and self._order.do == "live":
            log.info("stream event=resumed since=%s program=%s", self._order.since, self._order.program)
            self._follow(self._order)
        self._looking = Worker("stream-program", self._look)
        self._looking.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the children that run now: "camera", and destinations by name."""
        found = {"camera": self._encoder.pid} | {each.name: each.pid for each in self._destinations}
        return {name: pid for name, pid in found.items() if pid is not None}

    @property
    def quiet_s(self) -> float:
        """Seconds since the quietest thread was last seen well, infinite when one failed: for the watchdog.

        Some seconds are normal while a child is being stopped or a disk is slow; 15 are not.
        """
        sources = (self._encoder.quiet_s, self._slates.quiet_s, self._studio.quiet_s)
        return max(quiet_s(self._looking), *sources, *(leg.quiet_s for leg in self._legs))

    def start(self) -> None:
        """Go live with the camera, or back to it."""
        self._obey("start")

    def go_live(self) -> None:
        """Go live with the slate before the start."""
        self._obey("go_live")

    def next_talk(self) -> None:
        """Introduce the next talk, then show it."""
        self._obey("next_talk")

    def camera(self) -> None:
        """Show the camera."""
        self._obey("camera")

    def take_break(self) -> None:
        """Show the slate of a break."""
        self._obey("take_break")

    def end(self) -> None:
        """Show the last slate."""
        self._obey("end")

    def hide_camera(self) -> None:
        """Hide picture and sound of the room, at once."""
        self._obey("hide_camera")

    def undo(self) -> None:
        """Back to before the last order."""
        self._obey("undo")

    def stop(self) -> None:
        """End the stream and close the recording; takes as long as the legs take to end in good order."""
        self._obey("stop")

    def retry(self) -> None:
        """Every leg that waits to try again does so now."""
        for leg in self._legs:
            leg.retry()

    def state(self) -> StreamState:
        """Everything about the stream; never waits for a command in progress."""
        return StreamState(
            source=self._encoder.state(),
            legs=tuple(leg.state() for leg in self._legs),
            recording=self._recording.file_name,
            on_air=self._mixer.on_air,
            program_cause=self._mixer.cause,
            **program_state(self._order, self._talks),
        )

    def close(self) -> None:
        """End all children in good order. The order stays as it is, for the next boot. Safe to call twice."""
        with self._commands:
            self._is_closed = True
            self._halt()
        self._looking.stop()
        self._studio.stop()

    def _obey(self, command: program.Command) -> None:
        with self._commands:
            if self._is_closed:
                raise StreamClosed("The stream is shutting down: try again when it is back.")
            before = self._order or program.STOPPED
            order = program.obey(before, command, self._talks, self._now())
            if order != before:
                log.info("stream event=ordered command=%s order=%s program=%s", command, order.do, order.program)
            self._follow(order)
            self._file.write(order)

    def _follow(self, order: Order) -> None:
        """Do what the order says; under the lock of the commands."""
        is_new = self._order is None or order.scene != self._order.scene or not self._is_running
        self._order = order
        if order.do == "stopped":
            self._introduced_at_s = None
            self._halt()
            return
        if is_new:
            is_introduction = order.program == "next"
            ends_at_s = self._clock.monotonic() + self._settings.introduce_s
            self._introduced_at_s = ends_at_s if is_introduction else None
        if self._is_running:
            self._mixer.show(order.scene)
        else:
            self._run(order)

    def _run(self, order: Order) -> None:
        self._is_running = True
        begin_s = order.age_s(self._clock.stamp().wall)  # more than any earlier process can have sent
        hub = Hub(self._settings.picture.frames_per_s, self._clock, begin_s=begin_s)
        for leg in self._legs:
            leg.start(hub)
        self._slates.start(hub)  # first, and so selected: the camera goes on air only when the mixer says so
        self._mixer.begin(hub, self._encoder.start(hub), self._encoder.watch, order.scene)

    def _halt(self) -> None:
        """The sources first, so that their last frames still reach the legs; then all legs at once."""
        if not self._is_running:
            return
        self._is_running = False
        self._mixer.end()
        self._encoder.stop()
        self._slates.stop()
        ends = [threading.Thread(target=leg.stop, name="stream-stop", daemon=True) for leg in self._legs]
        for each in ends:
            each.start()
        for each in ends:
            each.join()

    def _look(self, worker: Worker) -> None:
        """The program goes on by itself: slates that stand in, countdowns, introductions that are over."""
        plan_at_s = self._clock.monotonic()
        while worker.wait(_LOOK_PERIOD_S):
            worker.tick()
            now_s = self._clock.monotonic()
            self._mixer.look()
            if self._is_introduced(now_s):
                self._end_introduction(now_s)
            if now_s >= plan_at_s:
                plan_at_s = now_s + _PLAN_PERIOD_S
                self._studio.want(wishes(self._order or program.STOPPED, self._talks, self._clock.stamp().wall))

    def _is_introduced(self, now_s: float) -> bool:
        return self._introduced_at_s is not None and now_s >= self._introduced_at_s

    def _end_introduction(self, now_s: float) -> None:
        if not self._commands.acquire(blocking=False):  # a command is being obeyed, it may say otherwise: next time
            return
        try:
            if self._order is None or not self._is_running or not self._is_introduced(now_s):
                return
            self._introduced_at_s = None
            order = program.obey(self._order, "introduced", self._talks, self._now())
            self._follow(order)
            self._file.write(order)
        except OrderNotKept as error:
            log.error("stream event=introduced cause=%s next=goes-on", error)  # noqa: TRY400  # its text says all
        finally:
            self._commands.release()

    def _now(self) -> str:
        return self._clock.stamp().wall.isoformat(timespec="seconds")
