"""Where real objects are put together: the three processes, and what the command line does for an organizer."""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import click
import msgspec

from hardware.cameras import open_camera
from hardware.clock import Clock, SystemClock
from hardware.errors import PanelError, PassageError, PlatypusError
from hardware.panel import AbsentPanel, GpioPanel, Panel, PanelSettings, open_panel
from hardware.passage import open_passages
from hardware.scanners import open_scanner
from hardware.worker import Worker
from kiosk.agenda_desk import AgendaDesk
from kiosk.bus import Bus, Will
from kiosk.config import (
    Config,
    ConfigError,
    event_secret,
    is_name,
    load_config,
    load_secrets,
    make_event_secret,
    secrets_path,
)
from kiosk.ledger import Event, Ledger, NewTicket
from kiosk.ledger.audit import audit
from kiosk.ledger.records import Imported
from kiosk.ledger.report import Report, report
from kiosk.news import (
    EVERY_DOOR_STATE,
    EVERY_SCAN,
    STREAM_AGENDA,
    STREAM_COMMAND,
    STREAM_STATE,
    AgendaNews,
    BusError,
    DoorState,
    Reply,
    ScanNews,
    StreamCommand,
    StreamOrder,
    door_state_topic,
    scan_topic,
)
from kiosk.tickets import codes
from kiosk.tickets.sheet import Row, Sheet, read_sheet
from stream.agenda import Agenda, AgendaFile
from stream.health import Readiness, StreamState
from stream.preview_files import preview_folder

if TYPE_CHECKING:
    from kiosk.dashboard import ports
    from kiosk.dashboard.access import Access

log = logging.getLogger(__name__)

_News = TypeVar("_News", bound=msgspec.Struct)
_STATE_EVERY_S = 0.5
_CONNECT_LIMIT_S = 2.0
_PREFLIGHT_LIMIT_S = 70.0
_ANSWER_LIMIT_S = 20.0  # a stop waits for its legs to end in good order


class Issued(NamedTuple):
    """What `issue_tickets` did."""

    sheet: Sheet
    done: Imported
    files: Sequence[Path]
    absent: Sequence[int]  # numbers of tickets of ours that the list does not name; they stay good


class ServiceError(PlatypusError, RuntimeError):
    """A worker of a process ended by itself; the process ends too, and is started again by who watches it."""

    code = "service"


# -- the three processes ----------------------------------------------------------------------------------------------


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
    event = _event_name(config)
    artist = Slates(look_dir, run_dir / "pictures", config.dashboard.zone, event)
    talks = KeptTalks(_agenda_file(config), clock)
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


def import_agenda(config_path: Path, file: Path, room: str | None, day: date | None) -> Agenda:
    """Take the talks of a file in place of those there were; a running stream has them within a second."""
    from stream.agenda_files import read_agenda  # noqa: PLC0415

    config = load_config(config_path)
    agenda = read_agenda(file, config.dashboard.zone, room=room, day=day)
    _agenda_file(config).write(agenda)
    return agenda


def agenda_of(config_path: Path) -> tuple[Agenda, ZoneInfo]:
    """The talks, and the venue's zone to tell their times in."""
    config = load_config(config_path)
    return _agenda_file(config).read(), config.dashboard.zone


def _agenda_file(config: Config) -> AgendaFile:
    return AgendaFile(Path(config.state_dir) / "agenda.json")


def _event_name(config: Config) -> str:
    """What the evening is called: by the agenda, else by the ledger, where it is on this machine."""
    name = _agenda_file(config).read().event
    if name or not config.ledger_path.exists():
        return name
    try:
        with Ledger(config.ledger_path) as ledger:
            return ledger.event(config.door.event).name
    except PlatypusError as error:
        log.warning("stream event=name-unknown cause=%s next=slates-without-it", error)
        return ""


# -- what an organizer asks of a running stream ------------------------------------------------------------------------


def order_stream(config_path: Path, do: StreamOrder, talk: str = "") -> StreamState:
    """Have the stream process do something; its new state. Raises BusError, ServiceError with what it said.

    `talk`, for those that choose one: its id, or its number in the agenda, the first being 1.
    """
    with _on_the_bus(config_path) as bus:
        talk_id = _talk_id(_last(bus, STREAM_AGENDA, AgendaNews), talk) if talk else ""
        reply = bus.ask(STREAM_COMMAND, StreamCommand(do=do, talk=talk_id), _ANSWER_LIMIT_S)
    if not reply.ok or reply.state is None:
        raise ServiceError(reply.error or "the stream process answered without a state; its log says why")
    return reply.state


def preflight(config_path: Path) -> Readiness:
    """Have the stream process try everything, and wait for what it finds. Raises BusError, ServiceError."""
    said: queue.Queue[StreamState] = queue.Queue()
    with _on_the_bus(config_path) as bus:
        reply = bus.ask(STREAM_COMMAND, StreamCommand(do="preflight"), _ANSWER_LIMIT_S)
        if not reply.ok:
            raise ServiceError(reply.error or "the stream process did not begin; its log says why")
        bus.listen(STREAM_STATE, StreamState, lambda _topic, state: said.put(state))
        until_s = time.monotonic() + _PREFLIGHT_LIMIT_S
        while time.monotonic() < until_s:
            try:
                state = said.get(timeout=_CONNECT_LIMIT_S)
            except queue.Empty:
                continue
            if state.order == "live" or not state.online:
                raise ServiceError("the stream went live, or its process ended, before everything was tried")
            if state.readiness is not None and state.readiness.is_complete:
                return state.readiness
    raise ServiceError(f"not everything was tried within {_PREFLIGHT_LIMIT_S:.0f} s; the log of the stream says more")


def stream_state(config_path: Path) -> StreamState:
    """What the stream process last said of itself. Raises BusError when it is not there."""
    with _on_the_bus(config_path) as bus:
        state = _last(bus, STREAM_STATE, StreamState)
    if state is None or not state.online:
        raise BusError("the stream process is not running: platypus stream")
    return state


def _last(bus: Bus, topic: str, kind: type[_News]) -> _News | None:
    """What is kept under `topic`; None when nothing is."""
    said: queue.Queue[_News] = queue.Queue()
    bus.listen(topic, kind, lambda _topic, news: said.put(news))
    try:
        return said.get(timeout=_CONNECT_LIMIT_S)
    except queue.Empty:
        return None


def _talk_id(news: AgendaNews | None, wanted: str) -> str:
    """The id of the talk that is called so, or has this number. Raises ServiceError."""
    ids = [talk.id for talk in news.agenda.talks] if news else []
    if wanted in ids:
        return wanted
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(ids):
        return ids[int(wanted) - 1]
    raise ServiceError(f"there is no talk {wanted!r}: it is an id, or a number from 1 to {len(ids)} of the agenda")


@contextmanager
def _on_the_bus(config_path: Path) -> Iterator[Bus]:
    """A place on the bus for one question. Raises BusError when the broker is not there."""
    with Bus(load_config(config_path).bus.socket, "cli") as bus:
        until_s = time.monotonic() + _CONNECT_LIMIT_S
        while not bus.is_connected:
            if time.monotonic() > until_s:
                raise BusError("the message broker is not there; is mosquitto running?")
            time.sleep(0.02)
        yield bus


# -- what an organizer prepares ---------------------------------------------------------------------------------------


def create_event(config_path: Path, slug: str, name: str, capacity: int, **choices: Any) -> Event:
    """Make an event in the ledger, and its secret beside the configuration; `choices` are Ledger.create_event's."""
    config = load_config(config_path)
    if not is_name(slug):
        raise ConfigError(f"{slug!r} is no short name: small letters, digits and - only, such as talks-2026-11")
    _refuse_bad_words(name=name, **choices)
    choices = _with_times(choices, choices.get("starts_at"))
    make_event_secret(config, slug)  # first: an event without one could issue no ticket
    with Ledger(config.ledger_path) as ledger:
        return ledger.create_event(slug, name, capacity, **choices)


def change_event(config_path: Path, slug: str, **changes: Any) -> Event:
    """Change what is given of an event; its tickets and scans stay."""
    _refuse_bad_words(**changes)
    with Ledger(load_config(config_path).ledger_path) as ledger:
        event = ledger.event(slug)
        changes = _with_times(changes, changes.get("starts_at") or event.starts_at)
        starts_at, planned = changes.get("starts_at"), event.release_no_shows_at
        if starts_at and event.starts_at and planned and "release_no_shows_at" not in changes:
            changes["release_no_shows_at"] = planned + (starts_at - event.starts_at)  # it keeps its distance
        return ledger.change_event(event, **changes)


def _with_times(choices: dict[str, Any], starts_at: datetime | None) -> dict[str, Any]:
    """`choices` with minutes after the start made a time. Raises ConfigError when there is no start."""
    minutes = choices.get("release_no_shows_at")
    if not isinstance(minutes, int):
        return choices
    if starts_at is None:
        raise ConfigError(f"{minutes} minutes after which start? Give --starts too, or a time.")
    return {**choices, "release_no_shows_at": starts_at + timedelta(minutes=minutes)}


def _refuse_bad_words(name: str | None = None, stream_page: str | None = None, **_others: Any) -> None:
    if name is not None and not name.strip():
        raise ConfigError("an event needs a name, as people call it")
    if stream_page and not stream_page.startswith(("https://", "http://")):
        raise ConfigError(f"{stream_page!r} is no page that viewers could open: it begins with https://")


def event_report(config_path: Path, slug: str) -> Report:
    """What happened at the door of an event."""
    config = load_config(config_path)
    with Ledger(config.ledger_path) as ledger:
        return report(ledger, ledger.event(slug), config.dashboard.zone)


def check_ledger(config_path: Path) -> list[str]:
    """What is wrong with the ledger; nothing when all is well. Raises ConfigError when there is none."""
    path = load_config(config_path).ledger_path
    if not path.exists():  # a check makes nothing
        raise ConfigError(f"there is no ledger at {path}: is state_dir right, and was an event made?")
    with Ledger(path) as ledger:
        return audit(ledger)


def issue_tickets(config_path: Path, slug: str, people: Path, out: Path) -> Issued:
    """A ticket of our own for each person of a list, written to `out`; a person who has one keeps it.

    People are told apart by name and e-mail; the second Jean Dupont of a list is the second in the ledger too.
    """
    from kiosk.tickets.printing import Printable, write_tickets  # noqa: PLC0415

    config = load_config(config_path)
    sheet = read_sheet(people, needs_code=False)
    secret = event_secret(config, slug)
    with Ledger(config.ledger_path) as ledger:
        event = ledger.event(slug)
        unnumbered = [_ticket(row, 0, b"", is_own=True) for row in sheet.rows]
        wanted, done = ledger.issue(
            event, unnumbered, sheet.fields, lambda number: codes.digest(codes.own_code(secret, slug, number).encode())
        )
        named = {ticket.number for ticket in wanted}
        absent = [ticket.number for ticket in ledger.tickets(event) if ticket.is_own and ticket.number not in named]
    when = event.starts_at.astimezone(config.dashboard.zone).strftime("%Y-%m-%d %H:%M") if event.starts_at else ""
    files = write_tickets(
        out,
        event.name,
        when,
        [
            Printable(
                ticket.number,
                codes.own_code(secret, event.slug, ticket.number),
                ticket.holder or "",
                ticket.product or "",
            )
            for ticket in wanted
        ],
    )
    return Issued(sheet, done, files, absent)


def import_tickets(config_path: Path, slug: str, listing: Path, code_column: str | None) -> tuple[Sheet, Imported]:
    """Take the tickets of a list that somebody else made."""
    config = load_config(config_path)
    sheet = read_sheet(listing, code_column=code_column, needs_code=True)
    with Ledger(config.ledger_path) as ledger:
        event = ledger.event(slug)
        wanted = [_ticket(row, 0, codes.digest((row.code or "").encode()), is_own=False) for row in sheet.rows]
        done = ledger.put_tickets(event, wanted, sheet.fields)
    return sheet, done


def check_config(config_path: Path) -> list[str]:
    """What is to be said of both files. Raises ConfigError for the first thing that is wrong."""
    config = load_config(config_path)
    secrets = load_secrets(secrets_path(config_path))
    lines = [f"{config_path} is good: gate {config.door.gate}, event {config.door.event}"]
    for destination in config.stream.destinations:
        if destination.name not in secrets.stream_keys:
            raise ConfigError(
                f'destination {destination.name!r} has no key: write {destination.name} = "..." '
                f"under [stream_keys] in {secrets_path(config_path)}"
            )
    lines.append(f"{secrets_path(config_path)} is good: {len(secrets.stream_keys)} key(s)")
    if not config.ledger_path.exists():  # a check makes nothing
        raise ConfigError(f"there is no ledger at {config.ledger_path}: platypus event create {config.door.event} ...")
    with Ledger(config.ledger_path) as ledger:
        event = ledger.event(config.door.event)  # first: one that was never made has no secret either
        event_secret(config, event.slug)
        lines.append(f"{config.ledger_path} knows {event.name!r}: {ledger.head_count(event).tickets} tickets")
    return lines


def _ticket(row: Row, number: int, sha256: bytes, *, is_own: bool) -> NewTicket:
    return NewTicket(
        number,
        sha256,
        is_own,
        row.holder,
        row.email,
        row.product,
        row.status,
        row.valid_from,
        row.valid_until,
        row.guests,
        row.order_code,
        row.note,
    )


# -- adapters ---------------------------------------------------------------------------------------------------------


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
