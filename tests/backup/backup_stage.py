"""An installation of Platypus in a folder, as far as a backup is concerned; and another one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hardware.clock import ManualClock, SystemClock
from hardware.durable import write_durably
from kiosk import safekeeping
from kiosk.backup import archive
from kiosk.backup.manifest import Manifest, Member
from kiosk.config import Config, load_config, make_event_secret, secrets_path
from kiosk.dashboard.access import Access
from kiosk.dashboard.changes import Changes
from kiosk.ledger import Event, NewTicket, Presentation
from kiosk.ledger.ledger import Ledger
from kiosk.tickets.codes import digest
from stream.agenda import Agenda, AgendaFile, Talk
from stream.order import Order, OrderFile

STARTS = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
CONFIG = """\
# written by a person
state_dir = "{state}"
run_dir = "{folder}/run"
[bus]
socket = "{folder}/bus.sock"
[door]
event = "evening"
camera = {{ kind = "pictures", folder = "{folder}" }}
[door.panel]
pins = "mock"
"""


class Pi:
    """One machine, as its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config_path = folder / "etc" / "platypus.toml"

    def configure(self, more: str = "") -> Pi:
        """Only platypus.toml and secrets.toml."""
        self.config_path.parent.mkdir(parents=True, exist_ok=True)
        self.config_path.write_text(CONFIG.format(folder=self.folder, state=self.state) + more, encoding="utf-8")
        write_durably(secrets_path(self.config_path), b'[stream_keys]\nvenue = "talk"\n')
        return self

    def prepare(self, guests: int = 3) -> Pi:
        """An evening, with everything that there may be."""
        self.configure()
        with self.ledger() as ledger:
            event = ledger.create_event("evening", "An evening", 50, starts_at=STARTS)
            ledger.put_tickets(event, [NewTicket(0, digest(code(n)), True, f"Guest {n}") for n in range(guests)])
        make_event_secret(self.config, "evening")
        AgendaFile(self.config.agenda_path).write(Agenda(talks=(Talk(id="t1", title="Otters"),)))
        OrderFile(self.state / "stream-order.json").write(Order(do="live", since=STARTS.isoformat(), program="hidden"))
        clock = SystemClock()
        access = Access(self.state, clock)
        access.invitations.use(access.login_link(), "Ada", "tulip-47")
        Changes(self.state, clock).add("Ada", "Stream: go live")
        for name, text in {
            "look/logo.png": "a logo",
            "look/sponsors/one.png": "a sponsor",
            "tls/certificate.pem": "a certificate",
            "reports/before.json": "{}",
            "ticket-columns.json": "{}",
            "recordings/talk.ts": "a film",
        }.items():
            write_durably(self.state / name, text.encode())
        return self

    @property
    def config(self) -> Config:
        return load_config(self.config_path)

    @property
    def aside(self) -> list[Path]:
        return sorted(self.state.glob("before-restore-*"))

    def ledger(self) -> Ledger:
        return Ledger(self.state / "ledger.db")

    def admit(self, n: int, nonce: str) -> str:
        """Show the ticket of guest `n`. Returns "admitted", or why not."""
        with self.ledger() as ledger:
            return admit(ledger, ledger.event("evening"), n, nonce)

    def back_up(self) -> Path:
        return safekeeping.make(self.config_path).path

    def restore(self, file: Path, **choices: Any) -> None:
        safekeeping.put_back(self.config_path, file, safekeeping.foresee(self.config_path, file, **choices))

    def content(self) -> Mapping[str, bytes]:
        """Every file of the state that a backup takes, but the ledger."""
        places = safekeeping.places_of(self.config, self.config_path)
        return {name: path.read_bytes() for name, path in places.files()}

    def everything(self) -> Mapping[str, bytes]:
        """Every file there is, but locks and what SQLite keeps beside a ledger."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
            and path.suffix != ".lock"
            and not path.name.startswith((".in-use", ".restore", ".lock"))
            and not path.name.endswith(("-wal", "-shm"))
        }


def code(n: int) -> bytes:
    return f"code of guest {n}".encode()


def admit(ledger: Ledger, event: Event, n: int, nonce: str) -> str:
    decision = ledger.admit(event, Presentation(code(n), nonce, "main", "camera", ManualClock().stamp()))
    return "admitted" if decision.is_admitted else str(decision.reason)


def rewritten(file: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None], *, seals: bool = True) -> Path:
    """A file of somebody who knows the format: `change` is given its files and its manifest."""
    with zipfile.ZipFile(file) as old:
        files = {name: old.read(name) for name in old.namelist() if name != "manifest.json"}
        manifest = json.loads(old.read("manifest.json"))
    change(files, manifest)
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in files.items():
            new.writestr(name, content)
        new.writestr("manifest.json", json.dumps(manifest))
        new.comment = archive._MARK + b"0" * 64
    return sealed(file.with_name("changed.zip"), body.getvalue(), seals=seals)


def sealed(path: Path, raw: bytes, *, seals: bool = True) -> Path:
    """With a seal that fits."""
    sha256 = archive._digest(io.BytesIO(raw), len(raw) - 64).encode() if seals else b"0" * 64
    path.write_bytes(raw[:-64] + sha256)
    return path


def member(name: str, content: bytes) -> dict[str, Any]:
    """A line of the manifest."""
    import hashlib

    line = Member(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    return {"name": line.name, "size": line.size, "sha256": line.sha256}


def manifest_of(file: Path) -> Manifest:
    return archive.glance(file)


def platypus(pi: Pi, *words: str, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
    """The command, as an organizer types it."""
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PLATYPUS_CONFIG": str(pi.config_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done
