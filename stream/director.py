"""What the organizer's buttons mean: start, stop, retry; and the one place where the stream is put together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from hardware.clock import Clock
from stream.errors import StreamClosed
from stream.health import Health, LegKind, LegState, SourceState, StreamState
from stream.hub import Hub, leg_limit_bytes
from stream.legs import Destination, Leg, Recording
from stream.order import Order, OrderFile
from stream.settings import StreamSettings
from stream.sources import Encoder

log = logging.getLogger(__name__)


class StreamControl(Protocol):
    """What others may ask of the stream; Director does it, FakeDirector plays it."""

    def start(self) -> None:
        """Go live, and stay so over a power cut. Raises OrderNotKept, StreamClosed."""

    def stop(self) -> None:
        """End stream and recording. Raises OrderNotKept, StreamClosed."""

    def retry(self) -> None:
        """Every leg that waits to try again does so now."""

    def state(self) -> StreamState:
        """Everything about the stream; never waits for a command in progress."""


class Director:
    """Encoder, hub and legs under one order. Resumes by itself what was ordered before a power cut.

    `keys` are the stream keys by destination; `state_dir` holds the order (and the recordings, unless the settings
    say otherwise), `run_dir` is where the children work and may be emptied at each boot. Safe with threads: commands
    wait for each other, `state` waits for nobody.
    """

    def __init__(
        self,
        settings: StreamSettings,
        keys: Mapping[str, str],
        state_dir: Path,
        run_dir: Path,
        clock: Clock,
    ) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        recordings = Path(settings.recordings_dir) if settings.recordings_dir else state_dir / "recordings"
        self._settings = settings
        self._clock = clock
        self._commands = threading.Lock()
        self._is_closed = False
        self._is_running = False
        self._file = OrderFile(state_dir / "stream-order.json")
        self._encoder = Encoder(settings, clock, folder=run_dir)
        self._recording = Recording(recordings, clock)
        self._destinations = [
            Destination(each, keys.get(each.name), clock, limit_bytes=leg_limit_bytes(settings.picture), folder=run_dir)
            for each in settings.destinations
        ]
        self._legs: tuple[Leg, ...] = (self._recording, *self._destinations)
        self._order: Order | None = self._file.read()
        if self._order.do == "live" if self._order else settings.start_live:
            log.info("stream event=resumed since=%s", self._order.since if self._order else "now")
            if self._order is None:
                self._order = Order(do="live", since=self._now())
            self._run()

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
        return max(self._encoder.quiet_s, *(leg.quiet_s for leg in self._legs))

    def start(self) -> None:
        """Go live, and stay so over a power cut; harmless when live. Raises OrderNotKept (it is live all the same)."""
        with self._commands:
            self._check_open()
            if not self._is_running:
                self._run()
            self._keep("live")

    def stop(self) -> None:
        """End the stream and close the recording; harmless when stopped. Raises OrderNotKept (it has ended)."""
        with self._commands:
            self._check_open()
            self._halt()
            self._keep("stopped")

    def retry(self) -> None:
        """Every leg that waits to try again does so now."""
        for leg in self._legs:
            leg.retry()

    def state(self) -> StreamState:
        """Everything about the stream; never waits for a command in progress."""
        order = self._order
        return StreamState(
            order=order.do if order else "stopped",
            since=order.since if order else None,
            source=self._encoder.state(),
            legs=tuple(leg.state() for leg in self._legs),
            recording=self._recording.file_name,
        )

    def close(self) -> None:
        """End all children in good order. The order stays as it is, for the next boot. Safe to call twice."""
        with self._commands:
            self._is_closed = True
            self._halt()

    def _run(self) -> None:
        self._is_running = True
        hub = Hub(self._settings.picture.frames_per_s, self._clock)
        for leg in self._legs:
            leg.start(hub)
        self._encoder.start(hub)

    def _halt(self) -> None:
        """The encoder first, so that its last frames still reach the legs; then all legs at once."""
        if not self._is_running:
            return
        self._is_running = False
        self._encoder.stop()
        ends = [threading.Thread(target=leg.stop, name="stream-stop", daemon=True) for leg in self._legs]
        for each in ends:
            each.start()
        for each in ends:
            each.join()

    def _keep(self, do: Literal["live", "stopped"]) -> None:
        if self._order is None or self._order.do != do:
            self._order = Order(do=do, since=self._now())
            log.info("stream event=ordered order=%s", do)
        self._file.write(self._order)

    def _now(self) -> str:
        return self._clock.stamp().wall.isoformat(timespec="seconds")

    def _check_open(self) -> None:
        if self._is_closed:
            raise StreamClosed("The stream is shutting down: try again when it is back.")


class FakeDirector:
    """A stream without cameras and servers: does as told at once, for the tests and demos of others.

    `fail_with` is raised by the next command; `set_leg` lets a leg be whatever a page should show.
    """

    def __init__(self, clock: Clock, destinations: tuple[str, ...] = ("hall",)) -> None:
        self._clock = clock
        self._order: str = "stopped"
        self._since: str | None = None
        self._overrides: dict[str, LegState] = {}
        self._names = destinations
        self.commands: list[str] = []
        self.fail_with: Exception | None = None

    def start(self) -> None:
        """All legs are live."""
        self._obey("start", "live")

    def stop(self) -> None:
        """All legs are stopped."""
        self._obey("stop", "stopped")

    def retry(self) -> None:
        """Forget what `set_leg` said."""
        self._obey("retry", self._order)
        self._overrides.clear()

    def set_leg(self, leg: LegState) -> None:
        """Show this for the leg of this name until the next retry."""
        self._overrides[leg.name] = leg

    def state(self) -> StreamState:
        """As ordered, with what was set."""
        is_live = self._order == "live"
        health = Health.LIVE if is_live else Health.STOPPED
        legs = [LegState(name="recording", kind=LegKind.RECORDING, state=health)]
        legs += [LegState(name=name, kind=LegKind.DESTINATION, state=health) for name in self._names]
        return StreamState(
            order=self._order,
            since=self._since,
            source=SourceState(state=health),
            legs=tuple(self._overrides.get(leg.name, leg) for leg in legs),
            recording="2026-11-24_185500.ts" if is_live else None,
        )

    def _obey(self, command: str, order: str) -> None:
        if self.fail_with is not None:
            error, self.fail_with = self.fail_with, None
            raise error
        self.commands.append(command)
        if order != self._order:
            self._order = order
            self._since = self._clock.stamp().wall.isoformat(timespec="seconds")
