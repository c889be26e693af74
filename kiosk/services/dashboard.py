"""The dashboard's process."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import click

from hardware.clock import Clock, SystemClock
from hardware.errors import PlatypusError
from hardware.heap import keep_heap_lean
from kiosk.bus import Bus
from kiosk.config import Config, load_config
from kiosk.dashboard import ports
from kiosk.dashboard.access import Access
from kiosk.dashboard.app import create_app
from kiosk.dashboard.certificate import names_of_machine, own_address, own_certificate, read_certificate
from kiosk.dashboard.front import Front
from kiosk.dashboard.ledger_desk import LedgerDesk
from kiosk.dashboard.live import Live
from kiosk.dashboard.server import DashboardServer, serve
from kiosk.dashboard.settings import DashboardSettings
from kiosk.dashboard.watching import PreviewFiles
from kiosk.ledger.ledger import Ledger
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
)
from kiosk.services.running import until_told
from stream.health import StreamState
from stream.preview_files import preview_folder


def run_dashboard(config_path: Path) -> None:
    """Until SIGTERM or SIGINT. Prints a one-time login link while no PIN was chosen."""
    keep_heap_lean()
    config, clock = load_config(config_path), SystemClock()
    settings = config.dashboard
    access = Access(Path(config.state_dir), clock)
    front = _front(config, clock)

    def say_where(server: DashboardServer) -> None:
        click.echo(f"dashboard: {server.url} on this machine")
        if front is not None:
            front.start()
            click.echo(f"on phones: {phones_url(settings)} (certificate {front.certificate.sha256})")
        if not access.has_pin:
            url = server.url if front is None else phones_url(settings)
            click.echo(f"log in for the first time (30 minutes, once): {_link(url, access)}")

    with (
        front or nullcontext(),
        until_told() as stopping,
        Ledger(config.ledger_path) as ledger,
        Bus(config.bus.socket, "dashboard") as bus,
    ):
        news = Hearing(bus, clock)
        desk = LedgerDesk(ledger, ledger.event(config.door.event), clock, timedelta(seconds=config.door.dwell_s))
        live = Live(desk, news, clock, settings)
        preview = PreviewFiles(preview_folder(Path(config.run_dir)), clock)
        app = create_app(settings, access=access, live=live, news=news, desk=desk, preview=preview)
        upstream = None if front is None else front.upstream
        serve(app, live, settings.host, settings.port, stopping=stopping, started=say_where, upstream=upstream)


def _front(config: Config, clock: Clock) -> Front | None:
    """HTTPS; one that cannot be had is told, and the screen and this machine's own browsers go on."""
    settings = config.dashboard.https
    if not settings.enabled:
        return None
    try:
        if settings.certificate is not None and settings.key is not None:
            certificate = read_certificate(Path(settings.certificate), Path(settings.key))
        else:
            names = [*names_of_machine(), *config.dashboard.hosts, *filter(None, (config.dashboard.public_host,))]
            certificate = own_certificate(Path(config.state_dir) / "tls", names, clock.stamp().wall)
        return Front(settings, certificate, Path(config.run_dir), clock)
    except (PlatypusError, OSError, ValueError) as error:
        log.error("https event=absent cause=%s next=this-machine-only", error)  # noqa: TRY400  # its text says all
        return None


def phones_url(settings: DashboardSettings) -> str:
    """How phones reach this page."""
    if settings.public_url:
        return settings.public_url
    host = own_address() or socket.gethostname()
    return f"https://{host}:{settings.https.port}" if settings.https.enabled else f"http://{host}:{settings.port}"


def login_link(config_path: Path, base: str = "") -> str:
    """A fresh one-time link to the dashboard; an earlier one is void, the PIN stays until a new one is chosen.

    `base` is the address it begins with; "": that of phones.
    """
    config = load_config(config_path)
    return _link(base or phones_url(config.dashboard), Access(Path(config.state_dir), SystemClock()))


log = logging.getLogger(__name__)


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
