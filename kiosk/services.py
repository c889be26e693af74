"""Where real objects are put together: the three processes."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hardware.cameras import open_camera
from hardware.clock import Clock, SystemClock
from hardware.errors import PanelError, PassageError, PlatypusError
from hardware.panel import AbsentPanel, GpioPanel, Panel, PanelSettings, open_panel
from hardware.passage import open_passages
from hardware.scanners import open_scanner
from hardware.worker import Worker
from kiosk.agenda_desk import AgendaDesk
from kiosk.bus import Bus, Will
from kiosk.config import load_config, load_secrets, secrets_path
from kiosk.ledger import Ledger
from kiosk.news import (
    EVERY_DOOR_STATE,
    EVERY_SCAN,
    STREAM_AGENDA,
    STREAM_COMMAND,
    STREAM_STATE,
    AgendaNews,
    DoorState,
    Reply,
    ScanNews,
    StreamCommand,
    StreamOrder,
    door_state_topic,
    scan_topic,
)
from kiosk.office import agenda_file, event_name
from stream.health import StreamState
from stream.preview_files import preview_folder

if TYPE_CHECKING:
    from kiosk.dashboard import ports
    from kiosk.dashboard.access import Access

log = logging.getLogger(__name__)

_STATE_EVERY_S = 0.5


class ServiceError(PlatypusError, RuntimeError):
    """A worker of a process ended by itself; the process ends too, and is started again by who watches it."""

    code = "service"


def run_door(config_path: Path) -> None:
    """The door's process: until SIGTERM or SIGINT, or until a film given as camera has been shown."""
    from kiosk.door.loop import Door, Gate  # noqa: PLC0415  # decoders are loaded in this process only
    from kiosk.door.sidekicks import Doorway, ScannerSource  # noqa: PLC0415

    config, clock = load_config(config_path), SystemClock()
    with Ledger(config.ledger_path) as ledger:
        settings = config.door
        gate = Gate(settings.gate, ledger.event(settings.event), settings.mode, timedelta(seconds=settings.dwell_s))
        gone = Will(door_state_topic(gate.name), DoorState(gate=gate.name, online=False))
        with (
            until_told() as stopping,
            Bus(config.bus.socket, f"door-{gate.name}", gone) as bus,
            _panel(config.door.panel) as panel,
            open_camera(config.door.camera) as camera,
        ):
            door = Door(gate, camera, ledger, panel, _DoorTeller(bus, gate.name), clock)
            with ExitStack() as beside:
                if settings.scanner is not None:
                    scanner = beside.enter_context(open_scanner(settings.scanner))
                    beside.enter_context(Worker("scanner", ScannerSource(scanner, door).run))
                if settings.passage is not None:
                    latch = panel if isinstance(panel, GpioPanel) else None
                    try:
                        passages = beside.enter_context(open_passages(settings.passage))
                    except PassageError as error:  # as with the panel: guests come in all the same, and it is said
                        log.error("passage event=absent cause=%s", error)  # noqa: TRY400
                        door.note(passage=str(error))
                    else:
                        beside.enter_context(Worker("doorway", Doorway(passages, latch, door).run))
                _run_until(stopping, Worker(f"door {gate.name}", door.run))


def run_stream(config_path: Path) -> None:
    """The stream's process: until SIGTERM or SIGINT. It takes up again what had been ordered."""
    from stream.director import Director  # noqa: PLC0415  # decoders are loaded in this process only
    from stream.kept_talks import KeptTalks  # noqa: PLC0415
    from stream.slates import Slates  # noqa: PLC0415

    config = load_config(config_path)
    secrets = load_secrets(secrets_path(config_path))
    gone = Will(STREAM_STATE, StreamState(online=False))
    clock, state_dir, run_dir = SystemClock(), Path(config.state_dir), Path(config.run_dir)
    look_dir = Path(config.stream.look_dir) if config.stream.look_dir else state_dir / "look"
    event = event_name(config)
    artist = Slates(look_dir, run_dir / "pictures", config.dashboard.zone, event)
    talks = KeptTalks(agenda_file(config), clock)
    with (
        until_told() as stopping,
        Director(
            config.stream, secrets.stream_keys, state_dir, run_dir, clock, talks=talks, artist=artist, event=event
        ) as director,
        Bus(config.bus.socket, "stream", gone) as bus,
    ):
        orders: dict[StreamOrder, Callable[[], None]] = {
            "start": director.start,
            "go_live": director.go_live,
            "camera": director.camera,
            "take_break": director.take_break,
            "end": director.end,
            "hide_camera": director.hide_camera,
            "undo": director.undo,
            "stop": director.stop,
            "retry": director.retry,
            "preflight": director.preflight,
        }

        desk = AgendaDesk(director, talks)
        told: AgendaNews | None = None
        telling = threading.Lock()  # or an older agenda could be told after a newer one

        def tell_all() -> StreamState:
            nonlocal told
            with telling:
                if (agenda := desk.news()) != told:
                    told = agenda
                    bus.keep(STREAM_AGENDA, agenda)
            state = director.state()
            bus.keep(STREAM_STATE, state)
            return state

        def obey(command: StreamCommand) -> Reply:
            log.info("order=%s", command.do)
            try:
                if not desk.obey(command):
                    orders[command.do]()
            finally:
                state = tell_all()  # before the answer: who reads it finds the pages as they are now
            return Reply(ok=True, state=state)

        def tell(worker: Worker) -> None:
            while worker.wait(_STATE_EVERY_S):
                worker.tick()
                tell_all()

        bus.serve(STREAM_COMMAND, StreamCommand, obey)
        _run_until(stopping, Worker("stream state", tell))


def run_dashboard(config_path: Path) -> None:
    """The dashboard's process: until SIGTERM or SIGINT. Prints a one-time login link while no PIN was chosen."""
    from kiosk.dashboard.access import Access  # noqa: PLC0415  # Flask is loaded in this process only
    from kiosk.dashboard.app import create_app  # noqa: PLC0415
    from kiosk.dashboard.ledger_desk import LedgerDesk  # noqa: PLC0415
    from kiosk.dashboard.live import Live  # noqa: PLC0415
    from kiosk.dashboard.server import DashboardServer, serve  # noqa: PLC0415
    from kiosk.dashboard.watching import PreviewFiles  # noqa: PLC0415

    config, clock = load_config(config_path), SystemClock()
    settings = config.dashboard
    access = Access(Path(config.state_dir), clock)

    def say_where(server: DashboardServer) -> None:
        url = settings.public_url or server.url
        click.echo(f"dashboard: {url}")
        if not access.has_pin:
            click.echo(f"log in for the first time (30 minutes, once): {_link(url, access)}")

    with (
        until_told() as stopping,
        Ledger(config.ledger_path) as ledger,
        Bus(config.bus.socket, "dashboard") as bus,
    ):
        news = _Hearing(bus, clock)
        desk = LedgerDesk(ledger, ledger.event(config.door.event), clock)
        live = Live(desk, news, clock, settings)
        preview = PreviewFiles(preview_folder(Path(config.run_dir)), clock)
        app = create_app(settings, access=access, live=live, news=news, desk=desk, preview=preview)
        serve(app, live, settings.host, settings.port, stopping=stopping, started=say_where)


def login_link(config_path: Path) -> str:
    """A fresh one-time link to the dashboard; an earlier one is void, the PIN stays until a new one is chosen."""
    from kiosk.dashboard.access import Access  # noqa: PLC0415

    config = load_config(config_path)
    settings = config.dashboard
    host = "127.0.0.1" if settings.host in {"", "0.0.0.0", "::"} else settings.host  # noqa: S104
    base = settings.public_url or f"http://{host}:{settings.port}"
    return _link(base, Access(Path(config.state_dir), SystemClock()))


def _panel(settings: PanelSettings) -> Panel:
    """The gate's panel; one that cannot be opened keeps nobody out, but is told until it is mended."""
    try:
        return open_panel(settings)
    except PanelError as error:
        log.error("panel event=absent cause=%s", error)  # noqa: TRY400  # foreseen: its text says all
        return AbsentPanel(str(error))


class _DoorTeller:
    """The door's news on the bus."""

    def __init__(self, bus: Bus, gate: str) -> None:
        self._bus = bus
        self._gate = gate

    def state(self, state: DoorState) -> None:
        self._bus.keep(door_state_topic(self._gate), state)

    def scan(self, scan: ScanNews) -> None:
        self._bus.publish(scan_topic(self._gate), scan)


class _Hearing:
    """The bus as the dashboard hears it."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._doors: dict[str, tuple[DoorState, float]] = {}
        self._stream: tuple[StreamState, float] | None = None
        self._agenda: AgendaNews | None = None
        self._callbacks: list[Callable[[ports.AnyNews], None]] = []
        bus.listen(EVERY_DOOR_STATE, DoorState, self._hear)
        bus.listen(EVERY_SCAN, ScanNews, self._hear)
        bus.listen(STREAM_STATE, StreamState, self._hear)
        bus.listen(STREAM_AGENDA, AgendaNews, self._hear)

    def latest(self) -> ports.NewsNow:
        from kiosk.dashboard import ports  # noqa: PLC0415

        now_s = self._clock.monotonic()
        doors = tuple(ports.Heard(state, now_s - said_s) for _, (state, said_s) in sorted(self._doors.copy().items()))
        stream = self._stream
        return ports.NewsNow(doors, ports.Heard(stream[0], now_s - stream[1]) if stream else None, self._agenda)

    def subscribe(self, callback: Callable[[ports.AnyNews], None]) -> None:
        self._callbacks.append(callback)

    def command(self, command: StreamCommand, timeout_s: float) -> Reply:
        return self._bus.ask(STREAM_COMMAND, command, timeout_s)

    def _hear(self, _topic: str, news: ports.AnyNews) -> None:
        if isinstance(news, DoorState):
            self._doors[news.gate] = (news, self._clock.monotonic())
        elif isinstance(news, StreamState):
            self._stream = (news, self._clock.monotonic())
        elif isinstance(news, AgendaNews):
            self._agenda = news
        for callback in self._callbacks:
            callback(news)


def _link(base: str, access: Access) -> str:
    return f"{base.rstrip('/')}/first/{access.new_link()}"


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that SIGTERM, SIGINT and SIGHUP set. Handlers only set it: everything ends in its own order."""
    stopping = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run_until(stopping: threading.Event, worker: Worker) -> None:
    """Run a process' main worker until told, or until it ends. Raises ServiceError when it failed."""
    with worker:
        while worker.is_alive and not stopping.wait(0.2):
            continue
    if worker.failure is not None:
        raise ServiceError(f"{worker.name} ended: {worker.failure}") from worker.failure
