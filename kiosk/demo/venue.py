"""The demo's venue: the servers and our three processes run an evening, and all is counted."""

from __future__ import annotations

import http.client
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import click

from kiosk.bus import Bus
from kiosk.config import load_config
from kiosk.dashboard.address import phones_url
from kiosk.demo import cast, servers
from kiosk.demo.evening import FRAMES_PER_S, ZONE, DemoError, Evening, own_folder, prepare
from kiosk.demo.report import Film, inspect, report
from kiosk.ledger.ledger import Ledger
from kiosk.news import EVERY_DOOR_STATE, EVERY_SCAN, STREAM_COMMAND, STREAM_STATE, DoorState, ScanNews, StreamCommand
from kiosk.services.dashboard import login_link
from kiosk.services.running import until_told
from stream import copies
from stream.health import Health, LegKind, StreamState
from stream.process import Child

log = logging.getLogger(__name__)

_SERVERS = ("mosquitto", "nginx")
_OURS = ("dashboard", "stream", "door")
_READY_S = 30.0
_STEP_S = 0.2
_FILMS_LIMIT_S = 30.0  # what is not an MP4 by then (10 min of it) stays as it was recorded


def run_demo(folder: Path, *, port: int, seed: int, seconds: float | None) -> tuple[dict[str, Any], bool]:
    """Run the venue in `folder` until told to stop, or for `seconds`. Returns the report and whether all went well.

    Raises DemoError, or another PlatypusError, when something is missing; whatever had started is stopped again.
    """
    with own_folder(folder), _logging_to(folder / "demo.log"), until_told() as stopping:
        evening = prepare(folder, port, seed)
        with ExitStack() as stack:
            venue = _Venue(stack, evening, stopping)
            venue.open_house()
            _say(f"dashboard       {venue.dashboard_url}")
            _say(f"first login     {login_link(evening.config, venue.dashboard_url)}   (once, within 30 minutes)")
            phones = phones_url(load_config(evening.config).dashboard, evening.dashboard_port)
            _say(f"on a phone      {phones}   (it warns once: self-signed)")
            _say(f"the screen      {venue.dashboard_url}/screen")
            _say(f"watch           ffplay {evening.play_url}")
            _say(f"all files       {folder}")
            _say(
                "Visitors come to the door now. Ctrl-C ends the evening."
                if seconds is None
                else f"{seconds:.0f} s from now on."
            )
            venue.go_live()
            begun = time.monotonic()
            venue.run(seconds)
            lasted = time.monotonic() - begun
            _say("closing ...")
            venue.close_up()
        recordings = sorted(path for kind in ("*.mp4", "*.ts") for path in evening.recordings.glob(kind))
        films = [_inspect(path) for path in recordings]
        with Ledger(evening.ledger) as ledger:
            told = report(
                seconds=lasted,
                ledger=ledger,
                event=ledger.event(cast.EVENT),
                door=venue.door,
                stream=venue.stream,
                stream_at_end=venue.stream_at_end,
                films=films,
                played_back=venue.played_back,
            )
    broken = _broken_promises(told)
    for promise in broken:
        _say(f"not as it should be: {promise}")
    return told, not broken


class Interrupted(DemoError):
    """Somebody stopped the demo while it was being set up."""

    code = "interrupted"


class _Venue:
    """The running parts, started in order; the stack stops them in the opposite one."""

    def __init__(self, stack: ExitStack, evening: Evening, stopping: threading.Event) -> None:
        self._stack = stack
        self._stopping = stopping
        self._evening = evening
        self._children: dict[str, Child] = {}
        self._viewer: Child | None = None
        self._seen_before = 0  # frames that viewers who are gone had seen
        self.door: DoorState | None = None
        self.stream: StreamState | None = None
        self.stream_at_end: StreamState | None = None  # as it was before it was told to stop
        self.dashboard_url = f"http://127.0.0.1:{evening.dashboard_port}"

    @property
    def played_back(self) -> int:
        """Video frames that viewers got back from the RTMP server."""
        progress = self._viewer.progress if self._viewer else None
        return self._seen_before + (progress.frame if progress else 0)

    def open_house(self) -> None:
        """Start everything and wait until the dashboard can be looked at."""
        folder = self._evening.folder
        broker, socket = servers.mosquitto(folder)
        self._add(broker)
        self._add(servers.nginx(folder / "nginx", self._evening.rtmp_port))
        bus = self._stack.enter_context(Bus(str(socket), "demo"))
        self._wait("the message broker", lambda: bus.is_connected)
        bus.listen(EVERY_DOOR_STATE, DoorState, self._take_door)
        bus.listen(STREAM_STATE, StreamState, self._take_stream)
        bus.listen(EVERY_SCAN, ScanNews, _say_scan)
        for name in _OURS:
            self._start(name)
        self._bus = bus
        self._wait("the dashboard", lambda: _answers(self._evening.dashboard_port))

    def go_live(self) -> None:
        """Wait for door and stream, order the stream to start, and wait until the server takes it."""
        self._wait("the door's camera", lambda: self.door is not None and self.door.camera == "ok")
        self._wait("the stream", lambda: self.stream is not None and self.stream.online)
        self._order("start")
        self._stack.callback(self._stop_viewer)
        self._wait("the RTMP server", self._is_pushing_and_watched)

    def run(self, seconds: float | None) -> None:
        """Look after the evening: a viewer who lost the stream comes back, a part that died is named."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self._stopping.wait(_STEP_S) and (until is None or time.monotonic() < until):
            self._mend()

    def _mend(self) -> None:
        """A process of ours that died is started again, as systemd would; a viewer who lost the stream comes back."""
        for name in _OURS:
            child = self._children[name]
            if child.exit_code is not None:
                _say(f"  {name} ended (exit code {child.exit_code}); it is started again")
                self._start(name)
        for name in _SERVERS:
            self._still_runs(name)
        self._watch()

    def _watch(self) -> None:
        """Have a viewer, as soon as there is something to see."""
        if self._viewer is not None and self._viewer.exit_code is None:
            return
        self._stop_viewer()
        legs = self.stream.legs if self.stream else ()
        if any(leg.kind is LegKind.DESTINATION and leg.frames_sent > 0 for leg in legs):
            self._viewer = Child("viewer", copies.viewer(self._evening.play_url))

    def _is_pushing_and_watched(self) -> bool:
        self._watch()
        return self._is_pushing()

    def close_up(self) -> None:
        """End the stream as an organizer would, so that the recording is whole and the last numbers are known."""
        self.stream_at_end = self.stream
        self._order("stop")
        until = time.monotonic() + _FILMS_LIMIT_S
        while list(self._evening.recordings.glob("*.ts")) and time.monotonic() < until:
            time.sleep(_STEP_S)

    def _order(self, do: str) -> None:
        reply = self._bus.ask(STREAM_COMMAND, StreamCommand(do=do), 10.0)  # type: ignore[arg-type]
        if not reply.ok:
            raise DemoError(f"the stream did not {do}: {reply.error}")
        self.stream = reply.state or self.stream

    def _is_pushing(self) -> bool:
        legs = self.stream.legs if self.stream else ()
        return any(leg.kind is LegKind.DESTINATION and leg.state is Health.LIVE for leg in legs)

    def _stop_viewer(self) -> None:
        if self._viewer is not None:
            self._viewer.stop()
            self._seen_before, self._viewer = self.played_back, None

    def _take_door(self, _topic: str, state: DoorState) -> None:
        if state.online:  # the farewell knows no numbers
            self.door = state

    def _take_stream(self, _topic: str, state: StreamState) -> None:
        if state.online:
            self.stream = state

    def _start(self, name: str) -> None:
        self._add(Child(name, [sys.executable, "-m", "kiosk", name, "--config", str(self._evening.config)]))

    def _add(self, child: Child) -> None:
        self._stack.callback(child.stop)
        self._children[child.name] = child

    def _still_runs(self, name: str) -> None:
        child = self._children[name]
        if child.exit_code is not None:
            said = "\n  ".join(child.last_lines[-5:]) or "(it said nothing)"
            raise DemoError(
                f"{child.name} ended by itself (exit code {child.exit_code}). It said:\n  {said}\n"
                f"More in {self._evening.folder / 'demo.log'}"
            )

    def _wait(self, what: str, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY_S
        while not is_ready():
            for name in self._children:
                self._still_runs(name)
            if self._stopping.wait(0.05):
                raise Interrupted("the demo was stopped before the evening began; nothing is left running")
            if time.monotonic() > deadline:
                raise DemoError(
                    f"{what} was not ready within {_READY_S:.0f} s; see {self._evening.folder / 'demo.log'}"
                )


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Everything into a file; the terminal shows what people want to see."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        handler.close()


def _inspect(path: Path) -> Film:
    try:
        return inspect(path, FRAMES_PER_S)
    except av.FFmpegError as error:
        raise DemoError(f"the recording {path} cannot be played: {error}") from error


def _broken_promises(told: dict[str, Any]) -> list[str]:
    """What the demo promises and did not keep."""
    occupancy, stream = told["occupancy"], told["stream"]
    promises = {
        "somebody was admitted": told["scans"]["admitted"] > 0,
        "the door's count is the ledger's": occupancy["ledger"] == occupancy["door"],
        "frames came back from the RTMP server": stream["frames_played_back"] > 0,
        "frames were recorded": stream["frames_recorded"] > 0,
        "the recording has no gap": stream["recording_gaps"] == 0,
    }
    return [promise for promise, is_kept in promises.items() if not is_kept]


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False  # not yet
    finally:
        connection.close()


def _say(line: str) -> None:
    click.echo(line, err=True)  # stdout is for the report alone


def _say_scan(_topic: str, scan: ScanNews) -> None:
    answer = "admitted" if scan.is_admitted else f"refused: {scan.reason}"
    at = datetime.fromisoformat(scan.at).astimezone(ZONE)
    _say(f"  {at:%H:%M:%S}  {answer:<28} {scan.inside} of {scan.capacity} inside")
