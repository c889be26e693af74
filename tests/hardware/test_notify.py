"""systemd hears that a service is ready, well, and ends."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hardware.notify import Notifier
from hardware.worker import Worker
from kiosk.services.running import ServiceError, run_until


@contextmanager
def manager(address: str) -> Iterator[socket.socket]:
    """Where systemd listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + address[1:] if address.startswith("@") else address)
        listening.settimeout(5)
        yield listening


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_it_says_what_sd_notify_says(tmp_path: Path, kind: str) -> None:
    address = str(tmp_path / "notify") if kind == "file" else f"@{uuid.uuid4()}"
    with manager(address) as systemd:
        notifier = Notifier({"NOTIFY_SOCKET": address})
        notifier.ready("gate main")
        notifier.well()
        notifier.stopping()
        heard = [systemd.recv(1000) for _ in range(3)]
    assert heard == [b"READY=1\nSTATUS=gate main", b"WATCHDOG=1", b"STOPPING=1"]


def test_nobody_who_listens_is_no_trouble(tmp_path: Path) -> None:
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).well()


def run_for(beats: int, quiet_s: float, systemd: socket.socket) -> list[bytes]:
    """What is heard while a process runs whose parts were last seen well so long ago."""
    stopping, looks = threading.Event(), iter(range(beats))

    def quiet() -> float:
        if next(looks, None) is None:
            stopping.set()
        return quiet_s

    def work(worker: Worker) -> None:
        while worker.wait(0.05):
            worker.tick()

    run_until(stopping, Worker("work", work), quiet, look_period_s=0.05)
    heard = []
    while not heard or heard[-1] != b"STOPPING=1":
        heard.append(systemd.recv(1000))
    return heard


def test_the_watchdog_is_fed_while_every_part_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with manager(address) as systemd:
        well, stuck = run_for(3, 14.0, systemd), run_for(3, 15.0, systemd)
    assert well == [b"READY=1", *[b"WATCHDOG=1"] * 4, b"STOPPING=1"]
    assert stuck == [b"READY=1", b"STOPPING=1"]


def test_a_process_whose_work_failed_ends_with_the_cause() -> None:
    def fail(_: Worker) -> None:
        raise ValueError("the lamp is broken")

    with pytest.raises(ServiceError, match="work ended: the lamp is broken"):
        run_until(threading.Event(), Worker("work", fail))
