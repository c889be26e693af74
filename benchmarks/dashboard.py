"""Sixty phones look at the first page while guests come in: how soon each sees it, and what a press costs meanwhile.

    .venv/bin/python benchmarks/dashboard.py [--json] [--phones 60] [--scans 60] [--names 300]

`platypus dashboard` is its own process, with a broker beside it; this one is the door (the ledger's row, then the news
on the bus) and all phones, each with its own stream of events. From the row's commit to the phone: until it has read
the whole snapshot that holds the answer. Meanwhile one more phone presses +1 and -1, five times a second. Memory is the
process' at the end. HTTPS is nginx's, and left out: phones and server are on one machine here.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import json
import os
import platform
import re
import secrets
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import tomli_w

from hardware.clock import SystemClock
from kiosk.bus import Bus
from kiosk.dashboard.access import Access
from kiosk.demo.servers import free_port, mosquitto
from kiosk.ledger import GateMode, NewTicket, Presentation
from kiosk.ledger.ledger import Ledger
from kiosk.news import DoorState, ScanNews, door_state_topic, scan_topic
from kiosk.tickets.codes import digest

PRESSES_PER_S = 5


class Phones:
    """Many open pages, read by one thread; remembers when each first held a scan's answer."""

    def __init__(self, port: int, cookie: str, count: int) -> None:
        self.seen: dict[int, list[float]] = {}  # by scan: monotonic, one a phone
        self._selector = selectors.DefaultSelector()
        self._newest: dict[int, int] = {}
        self.refused = 0
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            ask = f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
            connection.sendall(ask.encode())
            self._selector.register(connection, selectors.EVENT_READ, bytearray())
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            for key, _ in self._selector.select():
                connection: Any = key.fileobj
                data = connection.recv(1 << 20)
                if not data:
                    self.refused += 1
                    self._selector.unregister(connection)
                    continue
                key.data.extend(data)
                while (end := key.data.find(b"\n\n")) >= 0:
                    event = bytes(key.data[:end])
                    del key.data[: end + 2]
                    if b"event: snapshot" in event:
                        self._note(connection.fileno(), event, time.monotonic())

    def _note(self, phone: int, event: bytes, at_s: float) -> None:
        found = re.search(rb'"answers":\[\{"key":(\d+)', event)
        newest = int(found[1]) if found else 0
        for scan in range(self._newest.get(phone, newest) + 1, newest + 1):
            self.seen.setdefault(scan, []).append(at_s)
        self._newest[phone] = newest


class Desk:
    """One phone that presses."""

    def __init__(self, url: str, name: str, pin: str) -> None:
        self._url = url
        self._jar = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar)).open
        self._token = self._token_on("/login")
        self.post("/login", {"name": name, "pin": pin})
        self._token = self._token_on("/door")
        self.took_s: list[float] = []

    @property
    def cookie(self) -> str:
        """What the other phones send, too."""
        return "; ".join(f"{each.name}={each.value}" for each in self._jar)

    def post(self, path: str, fields: dict[str, str]) -> None:
        data = urllib.parse.urlencode({**fields, "csrf_token": self._token}).encode()
        self._open(self._url + path, data, timeout=10).read()

    def press(self, worker: threading.Event) -> None:
        """Until told: press, and note how long the answer took, with the page it leads to."""
        delta = 1
        while not worker.wait(1 / PRESSES_PER_S):
            began_s = time.monotonic()
            self.post("/door/correct", {"delta": str(delta), "nonce": secrets.token_hex(16)})
            self.took_s.append(time.monotonic() - began_s)
            delta = -delta

    def _token_on(self, path: str) -> str:
        page = self._open(self._url + path, timeout=10).read().decode()
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page[:500]
        return found[1]


def measure(folder: Path, phones: int, scans: int, names: int) -> dict[str, Any]:
    clock, port = SystemClock(), free_port()
    broker, bus_socket = mosquitto(folder)
    config = folder / "platypus.toml"
    state = folder / "state"
    state.mkdir()
    told = {
        "state_dir": str(state),
        "run_dir": str(folder / "run"),
        "bus": {"socket": str(bus_socket)},
        "door": {"event": "evening", "camera": {"kind": "pictures", "folder": "."}, "panel": {"pins": "mock"}},
        "dashboard": {"port": port, "https": {"enabled": False}},
    }
    config.write_text(tomli_w.dumps(told), encoding="utf-8")
    codes = [secrets.token_hex(8).encode() for _ in range(max(scans, names))]
    pin = secrets.token_hex(8)
    access = Access(state, clock)
    access.invitations.use(access.login_link(), "Organizer", pin)
    argv = [sys.executable, "-m", "kiosk", "dashboard", "--config", str(config)]
    with Ledger(state / "ledger.db") as ledger, Bus(str(bus_socket), "door-main") as bus:
        evening = ledger.create_event("evening", "An evening", 1000)
        ledger.put_tickets(
            evening, [NewTicket(0, digest(code), is_own=True, holder=f"Guest {n}") for n, code in enumerate(codes)]
        )
        with (folder / "log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as dashboard:
            try:
                wait_for(port, dashboard)
                desk = Desk(f"http://127.0.0.1:{port}", "Organizer", pin)
                crowd = Phones(port, desk.cookie, phones)
                stop = threading.Event()
                pressing = threading.Thread(target=desk.press, args=(stop,))
                pressing.start()
                time.sleep(3)
                committed: dict[int, float] = {}
                for number, code in enumerate(codes[:scans]):
                    shown = Presentation(code, secrets.token_hex(16), "main", "camera", clock.stamp())
                    done = ledger.admit(evening, shown, GateMode.ENTRY)
                    committed[done.scan_id] = time.monotonic()
                    news = {"scan_id": done.scan_id, "gate": "main", "at": clock.stamp().wall.isoformat()}
                    bus.publish(
                        scan_topic("main"),
                        ScanNews(**news, is_admitted=True, reason=None, inside=number, capacity=1000),
                    )
                    bus.keep(door_state_topic("main"), DoorState(gate="main", camera="ok", inside=number))
                    time.sleep(0.37)
                time.sleep(2)
                stop.set()
                pressing.join()
                refused = crowd.refused
                memory = psutil.Process(dashboard.pid).memory_full_info()
            finally:
                dashboard.terminate()
                broker.kill()
    late_ms = [1000 * (at_s - begun_s) for scan, begun_s in committed.items() for at_s in crowd.seen.get(scan, [])]
    press_ms = [1000 * each for each in desk.took_s]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "at": clock.stamp().wall.isoformat(timespec="minutes"),
        "load": round(os.getloadavg()[0], 1),
        "phones": phones,
        "refused": refused,
        "missing": scans * phones - len(late_ms),  # answers that a phone never had in a snapshot of its own
        "to_phone_ms": figures(late_ms),
        "press_ms": figures(press_ms),
        "pss_mb": round(memory.pss / 1e6, 1),
        "rss_mb": round(memory.rss / 1e6, 1),
    }


def figures(values_ms: list[float]) -> dict[str, float]:
    parts = statistics.quantiles(values_ms, n=100)
    return {"median": round(parts[49], 1), "p95": round(parts[94], 1), "longest": round(max(values_ms), 1)}


def wait_for(port: int, dashboard: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).read()
        except OSError:
            if time.monotonic() > until_s or dashboard.poll() is not None:
                raise
            time.sleep(0.1)
        else:
            return


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="one object for programs")
    options.add_argument("--phones", type=int, default=60)
    options.add_argument("--scans", type=int, default=60)
    options.add_argument("--names", type=int, default=300, help="tickets in the ledger")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(Path(folder), given.phones, given.scans, given.names)
    if given.json:
        print(json.dumps(told))
        return
    print(f"{told['machine']}; load {told['load']}; {told['phones']} phones, {told['refused']} turned away")
    print(f"from commit to phone, ms: {told['to_phone_ms']} (asked: p95 under 200); {told['missing']} never seen")
    print(f"a press meanwhile, with the page it leads to, ms: {told['press_ms']} (asked: under 300)")
    print(f"memory of platypus dashboard: {told['pss_mb']} MB PSS, {told['rss_mb']} MB RSS (asked: under 110)")


if __name__ == "__main__":
    main()
