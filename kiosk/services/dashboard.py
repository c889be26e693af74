"""The dashboard's process."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

import click

from hardware.clock import Clock, SystemClock
from hardware.errors import PlatypusError
from hardware.heap import keep_heap_lean
from hardware.notify import Notifier
from hardware.power_switch import SystemdPower
from kiosk import log_ring
from kiosk.backup.in_use import works_on
from kiosk.bus import Bus
from kiosk.config import Config, ConfigError, event_secret, load_config, usable_parts
from kiosk.dashboard import ports, qr
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_file import Role
from kiosk.dashboard.address import phones_url
from kiosk.dashboard.app import create_app
from kiosk.dashboard.certificate import names_of_machine, own_certificate, read_certificate
from kiosk.dashboard.changes import Changes
from kiosk.dashboard.front import Front
from kiosk.dashboard.invitations import COMMAND_LINE
from kiosk.dashboard.ledger_desk import LedgerDesk
from kiosk.dashboard.live import Live
from kiosk.dashboard.machine import Look, MachineWatch
from kiosk.dashboard.safe_mode import create_safe_app
from kiosk.dashboard.server import DashboardServer, serve
from kiosk.dashboard.settings import DashboardSettings
from kiosk.dashboard.sponsors import Sponsors
from kiosk.dashboard.ticket_office import TicketOffice
from kiosk.dashboard.upkeep import Upkeep
from kiosk.dashboard.watching import PreviewFiles
from kiosk.forgetting import Forgetting
from kiosk.health import Health
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.records import LedgerError, UnknownEvent
from kiosk.news import (
    EVERY_DOOR_STATE,
    EVERY_SCAN,
    STREAM_AGENDA,
    STREAM_COMMAND,
    STREAM_STATE,
    AgendaNews,
    DoorCommand,
    DoorState,
    PanelPart,
    Reply,
    ScanNews,
    StreamCommand,
    door_command_topic,
)
from kiosk.pretix.desk import PretixDesk
from kiosk.pretix.links import Links
from kiosk.safekeeping import shelf_of
from kiosk.services.running import until_told
from kiosk.support import support_file
from kiosk.veil import Veil
from stream.health import StreamState
from stream.preview_files import preview_folder

log = logging.getLogger(__name__)

_NO_BEGINNING = (ConfigError, LedgerError, UnknownEvent)
_SAFE_THREADS = 8
_LOOK_AGAIN_S = 2.0  # whether the settings are mended


def run_dashboard(config_path: Path) -> None:
    """Until SIGTERM or SIGINT. Prints a one-time login link while there is nobody who may log in.

    Under a service manager, settings that cannot be used, or a ledger, are told on its page until they can; at a
    terminal that is an error.
    """
    keep_heap_lean()
    with until_told() as stopping:
        while not stopping.is_set():
            try:
                with _at_work(config_path) as config:
                    _serve(config, config_path, stopping)
            except _NO_BEGINNING as error:
                if not Notifier().is_heard:
                    raise
                log.error("dashboard event=safe-mode cause=%s", error)  # noqa: TRY400  # its text says all
                _tell_what_is_wrong(error, config_path, stopping)


@contextmanager
def _at_work(config_path: Path) -> Iterator[Config]:
    """With the state held against a restore. Raises ConfigError, RestoreError, OSError."""
    config = load_config(config_path)
    with works_on(Path(config.state_dir), "dashboard", (config_path.parent, config.look_path)):
        yield load_config(config_path)  # a restore that was finished just now may have brought another one


def _tell_what_is_wrong(error: PlatypusError, config_path: Path, stopping: threading.Event) -> None:
    """On every page, until it is mended or we are told to stop."""
    clock, parts, causes = SystemClock(), usable_parts(config_path), [error]
    settings = parts.dashboard
    app = create_safe_app(settings, lambda: Veil([str(causes[-1])]).over(str(causes[-1])), clock)
    front = _front(settings, parts.state_dir, parts.run_dir, clock)
    upstream = None if front is None else front.upstream
    manager = Notifier()
    with (
        front or nullcontext(),
        DashboardServer(app, settings.host, settings.port, threads=_SAFE_THREADS, upstream=upstream) as server,
    ):
        if front is not None:
            front.start()
        manager.ready("the settings have to be mended: see the page")
        while not stopping.wait(_LOOK_AGAIN_S):
            try:
                with _at_work(config_path) as config, Ledger(config.ledger_path) as ledger:
                    ledger.event(config.door.event)
            except _NO_BEGINNING as still:
                causes[:] = [still]
            else:
                return
            if server.worker.is_alive:
                manager.well()


def _serve(config: Config, config_path: Path, stopping: threading.Event) -> None:
    clock, settings = SystemClock(), config.dashboard
    access = Access(Path(config.state_dir), clock)
    front = _front(settings, Path(config.state_dir), Path(config.run_dir), clock)
    # Before anybody can reach the page: a link that is made later, by the command line, is not to be void at once.
    first = None if _is_in_journal() or access.people.all() else access.login_link()

    def say_where(server: DashboardServer) -> None:
        click.echo(f"dashboard: {server.url} on this machine")
        is_https_absent = front is None and settings.https.enabled and not settings.public_url
        url = server.url if is_https_absent else phones_url(settings, server.port) or server.url
        if front is not None:
            front.start()
            click.echo(f"on phones: {url} (certificate {front.certificate.sha256})")
        if first is not None:
            link = f"{url}/first/{first}"
            click.echo(f"log in for the first time (30 minutes, once): {link}")
            show_code(link)

    with (
        front or nullcontext(),
        Ledger(config.ledger_path) as ledger,
        Bus(config.bus.socket, "dashboard") as bus,
        MachineWatch(_looks(config), clock) as machine,
    ):
        links = Links(config.pretix_path)
        shelf = shelf_of(config, config_path, clock)
        after = config.privacy.after
        forgetting = Forgetting(
            ledger, config.reports_path, links, clock, after, settings.zone, shelf, config.logbook_path
        )
        news = Hearing(bus, clock)
        event = ledger.event(config.door.event)
        pretix = PretixDesk.of(ledger, event, links, clock, settings.language)
        desk = LedgerDesk(ledger, event, clock, timedelta(seconds=config.door.dwell_s), config.logbook_path)
        live = Live(desk, news, clock, settings, machine=machine)
        preview = PreviewFiles(preview_folder(Path(config.run_dir)), clock)
        app = create_app(
            settings,
            access=access,
            changes=Changes(Path(config.state_dir), clock),
            live=live,
            news=news,
            desk=desk,
            tickets=TicketOffice.of(
                ledger,
                event,
                lambda: event_secret(config, event.slug),
                config.columns_path,
                forgetting,
                pretix,
                config.look_path,
                settings.zone,
            ),
            shelf=shelf,
            preview=preview,
            sponsors=Sponsors(config.look_path),
            upkeep=Upkeep(
                power=SystemdPower(),
                log=lambda: log_ring.newest(config),
                support=lambda: support_file(config_path, machine.latest()),
            ),
        )
        upstream = None if front is None else front.upstream
        with forgetting.worker, pretix.sync.worker:
            serve(app, live, settings.host, settings.port, stopping=stopping, started=say_where, upstream=upstream)


def _looks(config: Config) -> list[Look]:
    health = Health(config)
    return [
        Look("machine", health.machine, 5.0, 2.0),
        Look("parts", health.parts, 30.0, 20.0),
        Look("network", health.network, 60.0, health.network_longest_s),
    ]


def _front(dashboard: DashboardSettings, state_dir: Path, run_dir: Path, clock: Clock) -> Front | None:
    """HTTPS; one that cannot be had is told, and the screen and this machine's own browsers go on."""
    settings = dashboard.https
    if not settings.enabled:
        return None
    try:
        if settings.certificate is not None and settings.key is not None:
            certificate = read_certificate(Path(settings.certificate), Path(settings.key))
        else:
            names = [*names_of_machine(), *dashboard.hosts, *filter(None, (dashboard.public_host,))]
            certificate = own_certificate(state_dir / "tls", names, clock.stamp().wall)
        return Front(settings, certificate, run_dir, clock)
    except (PlatypusError, OSError, ValueError) as error:
        log.error("https event=absent cause=%s next=this-machine-only", error)  # noqa: TRY400  # its text says all
        return None


def login_link(config_path: Path, base: str = "") -> str:
    """A fresh one-time link that makes an organizer or gives one a new PIN; an earlier one from here is void.

    `base` is the address it begins with; "": that of phones, or of this machine where no phone can come.
    """
    config = load_config(config_path)
    settings = config.dashboard
    state_dir, clock = Path(config.state_dir), SystemClock()
    base = base or phones_url(settings, settings.port) or f"http://{settings.host}:{settings.port}"
    link = _link(base, Access(state_dir, clock))
    Changes(state_dir, clock).add("The command line", "People: A login link for an organizer is made.")
    return link


def make_token(config_path: Path, name: str, role: Role) -> str:
    """A token for a program, in full. Raises BadName, NameTaken, TooMany."""
    config, clock = load_config(config_path), SystemClock()
    state_dir = Path(config.state_dir)
    secret, token = Access(state_dir, clock).tokens.make(name, role, COMMAND_LINE)
    Changes(state_dir, clock).add("The command line", f"People: A token for {role} is made: {token.name}")
    return secret


def show_code(link: str) -> None:
    """The link as a QR code, to whoever sits at a terminal: not into a log."""
    if sys.stdout.isatty():
        click.echo(qr.for_terminal(link))


class Hearing:
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
        now_s = self._clock.monotonic()
        doors = tuple(ports.Heard(state, now_s - said_s) for _, (state, said_s) in sorted(self._doors.copy().items()))
        stream = self._stream
        return ports.NewsNow(doors, ports.Heard(stream[0], now_s - stream[1]) if stream else None, self._agenda)

    def subscribe(self, callback: Callable[[ports.AnyNews], None]) -> None:
        self._callbacks.append(callback)

    def command(self, command: StreamCommand, timeout_s: float) -> Reply:
        return self._bus.ask(STREAM_COMMAND, command, timeout_s)

    def try_panel(self, gate: str, part: PanelPart, timeout_s: float) -> Reply:
        return self._bus.ask(door_command_topic(gate), DoorCommand(try_part=part), timeout_s)

    def _hear(self, _topic: str, news: ports.AnyNews) -> None:
        if isinstance(news, DoorState):
            self._doors[news.gate] = (news, self._clock.monotonic())
        elif isinstance(news, StreamState):
            self._stream = (news, self._clock.monotonic())
        elif isinstance(news, AgendaNews):
            self._agenda = news
        for callback in self._callbacks:
            callback(news)


def _is_in_journal() -> bool:
    """Whether what we say is kept by the journal, where others read it: a link is for a terminal (systemd.exec(5))."""
    try:
        status = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):  # no real file, as under a test
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _link(base: str, access: Access) -> str:
    return f"{base}/first/{access.login_link()}"
