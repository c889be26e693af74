"""The demo's evening on disk: a folder of its own, with the event, its tickets and its visitors."""

from __future__ import annotations

import fcntl
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

from hardware.cameras.visitors import write_visitors
from hardware.errors import PlatypusError
from hardware.programs import find_program
from kiosk import office
from kiosk.config import event_secret, load_config, secrets_path
from kiosk.dashboard.settings import DashboardSettings
from kiosk.demo import cast, servers
from kiosk.ticket_press import Wish
from kiosk.tickets.forms import Form

FRAMES_PER_S = 25
ZONE = DashboardSettings().zone  # the terminal tells the time as the pages do
_MARK = ".platypus-demo"  # a folder with this file is ours to empty
_BEFORE_THE_TALKS = timedelta(minutes=5)
_LEAST_FREE_BYTES = 500_000_000  # an hour of the demo's recording is about 500 MB


class DemoError(PlatypusError, RuntimeError):
    """The venue cannot be set up, or a part of it died; its text says which and why."""

    code = "demo"


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """An empty folder for us alone; one that a demo used before is emptied, any other is left alone."""
    mark = folder / _MARK
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not mark.exists() and any(folder.iterdir()):
            raise DemoError(f"{folder} holds other files: choose an empty folder with --dir.")
        with mark.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DemoError(
                    f"another demo runs in {folder}: stop it, or choose another folder with --dir."
                ) from None
            for old in folder.iterdir():
                if old.is_dir() and not old.is_symlink():
                    shutil.rmtree(old)
                elif old != mark:
                    old.unlink()
            yield
    except OSError as error:
        if isinstance(error, PlatypusError):
            raise
        raise DemoError(f"{folder} cannot be used: {error.strerror or error}. Choose another with --dir.") from error


class Evening(NamedTuple):
    """What was prepared on disk."""

    folder: Path
    config: Path
    ledger: Path
    bus_socket: Path
    rtmp_port: int
    dashboard_port: int
    https_port: int
    play_url: str

    @property
    def recordings(self) -> Path:
        """Where the stream records."""
        return self.folder / "state" / "recordings"


def prepare(folder: Path, port: int, seed: int) -> Evening:
    """Configuration, event, tickets and visitors, made with the commands an organizer uses.

    Raises DemoError when there is no room, no program or no port for the venue.
    """
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE_BYTES:
        raise DemoError(
            f"{folder} has {free / 1e6:.0f} MB free, the demo wants {_LEAST_FREE_BYTES / 1e6:.0f}: "
            "choose another with --dir."
        )
    for program in ("ffmpeg", "mosquitto", "nginx", "setpriv"):
        find_program(program)
    if port and _is_taken(port):
        raise DemoError(f"port {port} is taken by another program: choose another with --port, or --port 0 for any.")
    state = folder / "state"
    state.mkdir(mode=0o700)
    rtmp_port = servers.free_port()
    evening = Evening(
        folder=folder,
        config=folder / "platypus.toml",
        ledger=state / "ledger.db",
        bus_socket=folder / "bus.sock",
        rtmp_port=rtmp_port,
        dashboard_port=port or servers.free_port(),
        https_port=servers.free_port(),
        play_url=f"rtmp://127.0.0.1:{rtmp_port}/live/talk",
    )
    visitors_file = folder / "visitors.json"
    with evening.config.open("wb") as file:
        tomli_w.dump(_settings(evening, visitors_file, seed), file)
    key_file = secrets_path(evening.config)
    key_file.touch(mode=0o600)
    key_file.write_text('[stream_keys]\nvenue = "talk"\n', encoding="utf-8")
    office.create_event(evening.config, cast.EVENT, cast.EVENT_NAME, cast.SEATS)
    agenda = folder / "agenda.csv"
    cast.write_agenda(agenda, datetime.now(ZONE) + _BEFORE_THE_TALKS)
    office.import_agenda(evening.config, agenda, room=None, day=None)
    people = folder / "people.csv"
    cast.write_people(people)
    office.issue_tickets(evening.config, cast.EVENT, people, folder / "tickets", Wish((Form.PNG,)))
    write_visitors(visitors_file, cast.visitors(event_secret(load_config(evening.config), cast.EVENT), seed))
    return evening


def _settings(evening: Evening, visitors_file: Path, seed: int) -> dict[str, Any]:
    return {
        "state_dir": str(evening.folder / "state"),
        "run_dir": str(evening.folder / "run"),
        "bus": {"socket": str(evening.bus_socket)},
        "door": {
            "event": cast.EVENT,
            "camera": {"kind": "simulated", "visitors_file": str(visitors_file), "seed": seed, "repeat": True},
            "panel": {"pins": "mock"},
        },
        "stream": {
            "source": {"kind": "test-picture"},
            "picture": {"frames_per_s": FRAMES_PER_S, "video_kbps": 1000},
            "destinations": [{"name": "venue", "url": f"rtmp://127.0.0.1:{evening.rtmp_port}/live"}],
        },
        "dashboard": {"port": evening.dashboard_port, "show_names": True, "https": {"port": evening.https_port}},
    }


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
