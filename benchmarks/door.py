"""The door from the frame handed over to the pins changed, with the commit in it, and its parts.

    .venv/bin/python benchmarks/door.py [--json] [--scans 400] [--tickets 50,5000,50000] [--dir FOLDER] [--no-memory]

Real ledger on the disk of --dir (default: a temporary folder), real panel code on simulated pins, pictures of real
codes. Wall time, so the disk's fsync is in it; on a shared machine trust the medians and the ratios. Memory is that of
a `platypus door` process with the simulated camera, after 20 s.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import segno
import tomli_w

from hardware.cameras import Luma
from hardware.cameras.visitors import Visitor, write_visitors
from hardware.clock import SystemClock
from hardware.panel import PanelSettings, Signal
from hardware.panel.gpio import GpioPanel, pin_factory
from kiosk.door.presence import Presence
from kiosk.door.reader import MotionGate, Reader
from kiosk.ledger import Event, Ledger, NewTicket, Presentation
from kiosk.tickets.codes import digest

GREEN_PIN = 17
SIZE = (720, 1280)
CHUNK = 20_000


def picture(code: str) -> Luma:
    """A frame of SIZE in which somebody holds a code."""
    modules = [[40 if dark else 220 for dark in row] for row in segno.make_qr(code, error="q").matrix_iter(border=4)]
    drawn = np.kron(np.array(modules, np.uint8), np.ones((7, 7), np.uint8))
    scene = np.random.default_rng(1).integers(90, 130, SIZE, dtype=np.uint8)
    scene[200 : 200 + len(drawn), 500 : 500 + len(drawn)] = drawn
    return scene


def code_of(number: int) -> str:
    return f"{number:026d}"


def fill(ledger: Ledger, event: Event, tickets: int) -> None:
    for first in range(0, tickets, CHUNK):
        numbers = range(first, min(first + CHUNK, tickets))
        ledger.put_tickets(event, [NewTicket(n + 1, digest(code_of(n).encode()), is_own=True) for n in numbers])


def percentiles(times_s: list[float]) -> dict[str, float]:
    return {
        name: round(1000 * float(np.percentile(times_s, share)), 3)
        for name, share in (("p50", 50), ("p95", 95), ("p99", 99))
    }


def timed(into: dict[str, list[float]], name: str, work: Callable[[], Any]) -> Any:
    begun = time.perf_counter()
    result = work()
    into[name].append(time.perf_counter() - begun)
    return result


def measure_parts(folder: Path, scans: int) -> dict[str, dict[str, float]]:
    """Each part of one scan, and the whole, over `scans` guests with a ticket each."""
    clock = SystemClock()
    parts: dict[str, list[float]] = {
        name: [] for name in ("gate", "read", "presence", "decide and commit", "show", "whole")
    }
    factory = pin_factory("mock")
    with Ledger(folder / "parts.db") as ledger, GpioPanel(PanelSettings(pins="mock"), factory) as panel:
        event = ledger.create_event("evening", "An evening", capacity=scans)
        fill(ledger, event, scans)
        gate, reader, presence = MotionGate(), Reader(clock), Presence()
        green = factory.pin(GREEN_PIN)
        for number in range(scans):
            y = picture(code_of(number))
            panel.show(Signal.IDLE)
            begun = time.perf_counter()
            timed(parts, "gate", lambda y=y: gate.is_open(y, clock.monotonic()))
            reads = timed(parts, "read", lambda y=y: reader.read_still(y))
            (showing,) = timed(parts, "presence", lambda r=reads: presence.see({x.data for x in r}, clock.monotonic()))
            shown = Presentation(showing.code, showing.nonce, "main", "camera", clock.stamp())
            decision = timed(parts, "decide and commit", lambda s=shown: ledger.admit(event, s))
            showing.is_answered = True
            assert decision.is_admitted
            shining = time.perf_counter()
            panel.show(Signal.ADMITTED)
            while not green.state:  # gpiozero's own thread raises the pin
                pass
            now = time.perf_counter()
            parts["show"].append(now - shining)
            parts["whole"].append(now - begun)
    return {name: percentiles(times) for name, times in parts.items()}


def measure_sizes(folder: Path, sizes: list[int], scans: int) -> dict[str, Any]:
    """Deciding with ledgers of several sizes, in turns, so that the machine's moods meet all of them."""
    clock = SystemClock()
    books = {}
    for size in sizes:
        ledger = Ledger(folder / f"tickets-{size}.db")
        event = ledger.create_event("evening", "An evening", capacity=max(size, scans))
        fill(ledger, event, size)
        books[size] = (ledger, event)
    times: dict[int, list[float]] = {size: [] for size in sizes}
    for turn in range(scans):
        for size, (ledger, event) in books.items():
            code = code_of(turn * 7919 % size).encode()
            shown = Presentation(code, f"{size}-{turn}", "main", "camera", clock.stamp())
            begun = time.perf_counter()
            ledger.admit(event, shown)
            times[size].append(time.perf_counter() - begun)
    for ledger, _ in books.values():
        ledger.close()
    medians = {size: statistics.median(values) for size, values in times.items()}
    first = medians[sizes[0]]
    return {
        str(size): {"median_ms": round(1000 * value, 3), "ratio": round(value / first, 2)}
        for size, value in medians.items()
    }


def measure_rate(folder: Path, scans: int) -> dict[str, float]:
    """Scans a minute of one process that does nothing else, and the CPU it takes: read, decide, commit."""
    clock = SystemClock()
    pictures = [picture(code_of(number)) for number in range(100)]
    with Ledger(folder / "rate.db") as ledger:
        event = ledger.create_event("evening", "An evening", capacity=scans)
        fill(ledger, event, scans)
        reader = Reader(clock)
        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(scans):
            reads = reader.read_still(pictures[number % len(pictures)])
            assert reads
            ledger.admit(event, Presentation(code_of(number).encode(), f"r{number}", "main", "camera", clock.stamp()))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"scans_per_minute": round(60 * scans / wall), "cpu_ms_per_scan": round(1000 * cpu / scans, 2)}


def measure_memory(folder: Path) -> dict[str, float]:
    """RSS of a `platypus door` process with the simulated camera, after 20 s."""
    config = folder / "platypus.toml"
    visitors = folder / "visitors.json"
    write_visitors(visitors, [Visitor(code_of(number), "phone") for number in range(4)])
    camera = {"kind": "simulated", "visitors_file": str(visitors), "repeat": True}
    settings = {
        "state_dir": str(folder / "state"),
        "run_dir": str(folder / "run"),
        "bus": {"socket": str(folder / "nobody.sock")},
        "door": {"event": "evening", "camera": camera, "panel": {"pins": "mock"}},
    }
    config.write_text(tomli_w.dumps(settings), encoding="utf-8")
    with Ledger(folder / "state" / "ledger.db") as ledger:
        ledger.create_event("evening", "An evening", capacity=50)
    words = [sys.executable, "-m", "kiosk", "door", "--config", str(config)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as door:
        time.sleep(20)
        rss = psutil.Process(door.pid).memory_info().rss
        door.terminate()
    return {"rss_mb": round(rss / 1e6, 1)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="one object for programs")
    options.add_argument("--scans", type=int, default=400)
    options.add_argument("--tickets", default="50,5000,50000", help="sizes to compare; 500000 takes a minute to fill")
    options.add_argument("--dir", type=Path, help="a folder on the disk to be measured")
    options.add_argument("--no-memory", action="store_true", help="leave out the 20 s of the door's process")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.dir) as name:
        folder = Path(name)
        told: dict[str, Any] = {
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "parts_ms": measure_parts(folder, chosen.scans),
            "rate": measure_rate(folder, chosen.scans),
            "decide_by_tickets": measure_sizes(folder, [int(size) for size in chosen.tickets.split(",")], chosen.scans),
        }
        if not chosen.no_memory:
            told["memory"] = measure_memory(folder)
    if chosen.json:
        print(json.dumps(told))
        return
    print(f"{told['machine']}; {chosen.scans} scans; ms")
    for name, row in told["parts_ms"].items():
        print(f"{name:20}" + "".join(f"{key:>6} {value:8.3f}" for key, value in row.items()))
    print(
        f"one process: {told['rate']['scans_per_minute']} scans a minute, {told['rate']['cpu_ms_per_scan']} ms CPU each"
    )
    for size, row in told["decide_by_tickets"].items():
        print(f"{size:>8} tickets: decide and commit {row['median_ms']} ms median, {row['ratio']} of the smallest")
    if "memory" in told:
        print(f"platypus door: {told['memory']['rss_mb']} MB")


main()
