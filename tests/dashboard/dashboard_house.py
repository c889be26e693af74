"""A dashboard over a ledger and a bus in memory: as an application, as a real server, and in a real browser."""

from __future__ import annotations

import functools
import re
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from hardware.clock import ManualClock
from hardware.power_switch import FakePower
from hardware.units import LogLine
from kiosk.backup.places import Places
from kiosk.backup.shelf import Shelf
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_file import Person, Role
from kiosk.dashboard.app import create_app
from kiosk.dashboard.changes import Change, Changes
from kiosk.dashboard.ledger_desk import LedgerDesk
from kiosk.dashboard.live import BEAT_S, Live
from kiosk.dashboard.machine import FakeMachine
from kiosk.dashboard.pins import Pins
from kiosk.dashboard.ports import EventFacts, FakeDoorbook, FakeNews
from kiosk.dashboard.server import DashboardServer, serve
from kiosk.dashboard.settings import DashboardSettings, HttpsSettings
from kiosk.dashboard.sponsors import Sponsors
from kiosk.dashboard.ticket_office import TicketOffice
from kiosk.dashboard.upkeep import Upkeep
from kiosk.dashboard.watching import PreviewFiles
from kiosk.forgetting import Forgetting
from kiosk.ledger import Event
from kiosk.ledger.ledger import Ledger
from kiosk.pretix.desk import PretixDesk
from kiosk.pretix.links import Links
from kiosk.tickets.pretix.fake_server import FakePretix
from stream.preview_files import preview_folder

NAME = "Ada"
PIN = "tulip-47"
SECRET = bytes(range(32))  # of the evening: its tickets of our own derive from it
LIGHT = "scrypt:256:8:1"  # nobody guesses a PIN of ours: what a hash must cost is looked at in test_dashboard_access.py
NO_HASH = f"{LIGHT}$nobody${'0' * 128}"  # of no PIN


class Compiled(BytecodeCache):
    """The templates as Jinja compiled them for the first house: they are the same files for every other one."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._codes.get(bucket.key):
            bucket.bytecode_from_string(code)  # not when the file is another one meanwhile: its checksum is in there

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


@functools.cache
def empty_ledger() -> bytes:
    """The file of a ledger in which nothing is written, made step by step once: each house gets a copy of it."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "empty.db"
        Ledger(made).close()
        return made.read_bytes()


def wait_for(condition: Callable[[], Any], limit_s: float = 5.0) -> Any:
    """What `condition` returns once it is true; fails after `limit_s`."""
    end_s = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < end_s, f"did not happen within {limit_s} s"
        threading.Event().wait(0.01)
    return found


@dataclass
class House:
    """Everything a dashboard is given, and the application made of it."""

    settings: DashboardSettings
    clock: ManualClock
    access: Access
    changes: Changes
    book: FakeDoorbook
    news: FakeNews
    machine: FakeMachine
    live: Live
    app: flask.Flask
    ledger: Ledger
    evening: Event  # in the ledger
    pretix: FakePretix
    pretix_desk: PretixDesk
    shelf: Shelf  # of backups
    power: FakePower
    log_lines: list[LogLine]
    preview_folder: Path  # where the stream's process would put picture and segments

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def organizer(self) -> FlaskClient:
        """A client that is logged in, by name and PIN; the first one chooses them."""
        client = self.client()
        if not self.access.people.all():
            self.choose(PIN)
        answer = client.post("/login", data={"name": NAME, "pin": PIN, "csrf_token": token_on(client, "/login")})
        assert answer.status_code == 303
        return client

    def choose(self, pin: str, name: str = NAME) -> Person:
        """A PIN for an organizer, by a link of the command line: a new one, or another one for who is there."""
        return self.access.invitations.use(self.access.login_link(), name, pin)

    def somebody(self, name: str, role: Role) -> FlaskClient:
        """A client of a person who was here all along, without the cost of a PIN's hash."""
        person = next((each for each in self.access.people.all() if each.name == name), None)
        if person is None:
            person = Person(id=f"id-of-{name}", name=name, role=role, pin_hash=NO_HASH)
            with self.access._file.changing() as change:
                change.to(people=(*change.before.people, person))
        client = self.client()
        with client.session_transaction() as session:
            session["_user_id"] = self.access.phones.log_in(person, "Test phone").token
        return client

    def noted(self) -> list[Change]:
        """The list of changes, newest first."""
        return list(self.changes.newest(1000).changes)

    @contextmanager
    def served(self, threads: int = 56, upstream: Path | None = None) -> Iterator[DashboardServer]:
        """The application behind waitress on a free port, stopped cleanly afterwards."""
        stopping = threading.Event()
        servers: list[DashboardServer] = []
        failures: list[BaseException] = []

        def run() -> None:
            try:
                serve(
                    self.app,
                    self.live,
                    "127.0.0.1",
                    0,
                    stopping=stopping,
                    started=servers.append,
                    threads=threads,
                    upstream=upstream,
                )
            except BaseException as error:  # noqa: BLE001 - told to the test below
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield wait_for(lambda: servers and servers[0])
        finally:
            stopping.set()
            thread.join(10)
        assert not thread.is_alive()
        assert not failures


def token_on(client: FlaskClient, path: str) -> str:
    """The CSRF token in the page at `path`."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found, f"no form at {path}"
    return found[1]


def found_at(client: FlaskClient, text: str, page: str = "/door") -> str:
    """Where a search of a page shows what it found."""
    said = client.post(f"{page}/find", data={"q": text, "csrf_token": token_on(client, "/own-pin")})
    assert said.status_code == 303
    return said.location


def build(
    folder: Path,
    *,
    most_listeners: int = 48,
    beat_s: float = BEAT_S,
    clock: Any = None,
    reads_ledger: bool = False,
    **settings: Any,
) -> House:
    """A house whose desk writes a real ledger; its pages read that one, or else the fake book."""
    options = DashboardSettings(**{"https": HttpsSettings(enabled=False), **settings})
    clock = clock or ManualClock()
    event = EventFacts(
        name="Lightning talks, November",
        capacity=50,
        starts_at=datetime(2026, 11, 24, 18, 0, tzinfo=UTC),
        stream_page="https://live.example.org/talks",
    )
    book = FakeDoorbook(event, clock, tickets=58)
    news, machine = FakeNews(clock), FakeMachine()
    state = folder / uuid.uuid4().hex
    state.mkdir()
    (state / "ledger.db").write_bytes(empty_ledger())
    ledger = Ledger(state / "ledger.db")
    places = Places(state, state / "platypus.toml", state / "secrets.toml", folder / "look")
    shelf = Shelf(places, state / "backups", 10, clock, timedelta(days=14))
    evening = ledger.create_event("evening", event.name, 6, fire_limit=8, starts_at=event.starts_at)
    desk = LedgerDesk(ledger, evening, clock)
    live = Live(
        desk if reads_ledger else book,
        news,
        clock,
        options,
        machine=machine,
        most_listeners=most_listeners,
        beat_s=beat_s,
    )
    access, changes = Access(folder, clock, Pins(LIGHT)), Changes(folder, clock)
    shots = preview_folder(folder / "run")
    shots.mkdir(parents=True, exist_ok=True)
    preview = PreviewFiles(shots, clock)
    links, pretix = Links(folder / f"{uuid.uuid4().hex}.json"), FakePretix()
    pretix_desk = PretixDesk.of(ledger, evening, links, clock, options.language, lambda _: pretix, pretix.enrol)
    power, lines = FakePower(), list[LogLine]()
    upkeep = Upkeep(power, lambda: tuple(lines), lambda: b"PK of support")
    app = create_app(
        options,
        access=access,
        changes=changes,
        live=live,
        news=news,
        desk=desk,
        tickets=TicketOffice.of(
            ledger,
            evening,
            lambda: SECRET,
            folder / "ticket-columns.json",
            Forgetting(ledger, folder / "reports", links, clock, timedelta(days=14), options.zone, shelf),
            pretix_desk,
            folder / "look",
            options.zone,
        ),
        shelf=shelf,
        preview=preview,
        sponsors=Sponsors(folder / "look"),
        upkeep=upkeep,
    )
    app.jinja_env.bytecode_cache = COMPILED
    return House(
        *(options, clock, access, changes, book, news, machine, live, app, ledger, evening),
        *(pretix, pretix_desk, shelf, power, lines, shots),
    )
