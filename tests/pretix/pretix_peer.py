"""A real pretix server for tests, seeded, and the line to it, which can be cut, lose answers and give 500s.

The server is Django with SQLite and two workers of gunicorn, from an environment of its own ($PLATYPUS_PRETIX, or
.pretix/ in the project's folder): requirements/pretix.txt. Without that environment its tests are skipped, unless
`./install.sh test` runs them, which makes it.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
ENVIRONMENT = Path(os.environ.get("PLATYPUS_PRETIX", ROOT / ".pretix"))
START_S = 60.0

_CONFIG = """\
[pretix]
instance_name=test-peer
url={url}
currency=EUR
datadir={data}
registration=off
password_reset=off
ecb_rates=off
plugins_default=pretix.plugins.checkinlists

[locale]
default=en
timezone=Europe/Paris

[database]
backend=sqlite3
name={data}/db.sqlite3

[django]
secret={secret}
debug=off
"""


class Position(NamedTuple):
    """A ticket that the server has."""

    order: str
    id: int
    secret: str


class Peer:
    """The server, as its organizer sees it: with a token of the team."""

    def __init__(self, url: str, facts: Mapping[str, Any]) -> None:
        self.url = url
        self._facts = facts
        self._devices = iter(facts["devices"])

    def handshake(self, url: str = "") -> str:
        """The QR code of a device that nobody has enrolled yet."""
        return json.dumps({"handshake_version": 1, "url": url or self.url, "token": next(self._devices)})

    def position(self, event: str, name: str) -> Position:
        """A ticket by what it was made for, see pretix_seed.py."""
        return Position(*self._facts["events"][event]["positions"][name])

    def numbered(self, event: str) -> Sequence[Position]:
        """Plain paid tickets."""
        return [Position(*each) for each in self._facts["events"][event]["numbered"]]

    def lists(self, event: str) -> Mapping[str, int]:
        """Check-in lists by name."""
        lists: Mapping[str, int] = self._facts["events"][event]["lists"]
        return lists

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the API as the organizer."""
        headers = {"Content-Type": "application/json", "Authorization": f"Token {self._facts['token']}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310  # our own server
            f"{self.url}/api/v1/organizers/venue/{path}", data, headers, method=method
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            content = answer.read()
        return json.loads(content) if content else None

    def kept(self, event: str, position: Position | None = None) -> list[dict[str, Any]]:
        """Every scan that the server keeps of an event, or of one ticket, taken or refused, oldest first."""
        found, page = [], 1
        while page:
            answer = self.call("GET", f"events/{event}/checkins/?page={page}")
            found += answer["results"]
            page = page + 1 if answer["next"] else 0
        return sorted(
            (row for row in found if position is None or row["position"] == position.id), key=lambda row: row["id"]
        )

    def change(self, event: str, position: Position, what: str, body: Mapping[str, Any] | None = None) -> Any:
        """Do something to the ticket's order, such as mark_canceled."""
        return self.call("POST", f"events/{event}/orders/{position.order}/{what}/", body or {})

    def buy(self, event: str, name: str, item: int, buyer: str = "") -> Position:
        """A new paid order of one ticket; without a name nobody said who comes."""
        body = {
            "email": "late@example.org",
            "locale": "en",
            "sales_channel": "web",
            "status": "p",
            "simulate": False,
            "payment_provider": "manual",
            "positions": [
                {
                    "positionid": 1,
                    "item": item,
                    "variation": None,
                    "attendee_name_parts": {"_scheme": "full", "full_name": name} if name else {},
                    "answers": [],
                }
            ],
        }
        if buyer:
            body["invoice_address"] = {"is_business": False, "name_parts": {"_scheme": "full", "full_name": buyer}}
        order = self.call("POST", f"events/{event}/orders/", body)
        return Position(order["code"], order["positions"][0]["id"], order["positions"][0]["secret"])

    def secret(self, event: str, position: Position) -> str:
        """The ticket's code as it is now."""
        secret: str = self.call("GET", f"events/{event}/orderpositions/{position.id}/")["secret"]
        return secret


class Line:
    """The line between us and the server. What it does is set by the attributes, for requests to come."""

    def __init__(self, target: str) -> None:
        self.target = target.removeprefix("http://")
        self.is_cut = False
        self.loses_answers_of: Callable[[str], bool] = lambda path: False  # carried out, and the answer is lost
        self.fails: Callable[[str], bool] = lambda path: False  # HTTP 500, and nothing is carried out
        self.asked: list[str] = []  # "POST /api/v1/..."
        line = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:
                line._carry(self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _carry(self, asked: BaseHTTPRequestHandler) -> None:
        body = asked.rfile.read(int(asked.headers.get("Content-Length", 0)))
        self.asked.append(f"{asked.command} {asked.path}")
        if self.is_cut:
            asked.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.fails(asked.path):
            asked.send_response(500)
            asked.end_headers()
            asked.wfile.write(b"<h1>Server Error (500)</h1>")
            return
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in ("connection",)}
        there = http.client.HTTPConnection(self.target, timeout=20)  # the Host header stays ours
        try:
            there.request(asked.command, asked.path, body, headers)
            answer = there.getresponse()
            content = answer.read()
        finally:
            there.close()
        if self.loses_answers_of(asked.path):
            asked.connection.shutdown(socket.SHUT_RDWR)
            return
        asked.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                asked.send_header(name, value)
        asked.end_headers()
        asked.wfile.write(content)


@contextmanager
def peer(folder: Path, port: int, tickets: int, devices: int = 40) -> Iterator[Peer]:
    """The server, running on `port` of this machine, with its data in `folder`."""
    data, url = folder / "data", f"http://127.0.0.1:{port}"
    data.mkdir(parents=True)
    config = folder / "pretix.cfg"
    config.write_text(_CONFIG.format(url=url, data=data, secret=os.urandom(32).hex()))
    environment = {
        **os.environ,
        "PRETIX_CONFIG_FILE": str(config),
        "DJANGO_SETTINGS_MODULE": "pretix_settings",
        "PYTHONPATH": str(HERE / "server"),
        "PLATYPUS_TABLES_AT_ONCE": "1",
    }
    python = str(ENVIRONMENT / "bin" / "python")
    run = [python, "-m", "pretix", "migrate", "--noinput", "--run-syncdb"]
    _run(run, environment, folder / "migrate.log")
    facts = folder / "facts.json"
    seed = [python, str(HERE / "server" / "pretix_seed.py"), str(facts), str(tickets), str(devices)]
    _run(seed, environment, folder / "seed.log")
    with (folder / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            [
                str(ENVIRONMENT / "bin" / "gunicorn"),
                "pretix.wsgi",
                "--workers=2",
                "--no-control-socket",
                f"--bind=127.0.0.1:{port}",
            ],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_for(url, server, folder / "gunicorn.log")
            yield Peer(url, json.loads(facts.read_text()))
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(20)


def _run(command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=200, cwd=log.parent)
    log.write_bytes(done.stdout + done.stderr)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:4])} failed:\n{log.read_text()[-2000:]}")


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if server.poll() is not None:
            raise RuntimeError(f"gunicorn ended:\n{log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"{url}/api/v1/version", timeout=5).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):  # it is up, and wants a token
                error.close()
                return
            error.close()
        except OSError:
            time.sleep(0.1)  # it has not bound its port yet
    raise RuntimeError(f"pretix did not answer within {START_S:.0f} s:\n{log.read_text()[-2000:]}")
