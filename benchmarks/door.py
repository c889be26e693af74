"""The door from the frame handed over to the pins changed, with the commit in it, and its parts.

    .venv/bin/python benchmarks/door.py [--json] [--scans 400] [--full | --tickets 50,5000,50000] [--dir FOLDER]

Real ledger on the disk of --dir (default: a temporary folder), real panel code on simulated pins, pictures of real
codes. Wall time, so the disk's fsync is in it; the same once more on a folder in memory says what is left beside the
disk. On a shared machine trust the medians and the ratios. Memory is that of a `platypus door` process with the
simulated camera, the most of its first 75 s; --no-memory leaves it out.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import segno
import tomli_w

from hardware.cameras import Luma
from hardware.cameras.visitors import Visitor, write_visitors
from hardware.clock import SystemClock
from hardware.panel import PanelSettings, Signal
from hardware.panel.gpio import GpioPanel, pin_factory
from kiosk.door.presence import Presence
from kiosk.door.reader import MotionGate, Reader
from kiosk.ledger import Event, GateMode, NewTicket, Presentation
from kiosk.ledger.ledger import Ledger
from kiosk.tickets.codes import digest

GREEN_PIN = 17
SIZE = (720, 1280)
CHUNK = 20_000
IN_MEMORY = Path("/dev/shm")  # noqa: S108  a file system without a disk: what is left there is ours, not the disk's
PEOPLE = 50  # who come and go while sizes are compared: the same number of them, with the same history, at each size


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


@contextmanager
def evening(folder: Path, name: str, tickets: int) -> Iterator[tuple[Ledger, Event]]:
    """A new ledger with so many tickets and seats."""
    with Ledger(folder / f"{name}.db") as ledger:
        event = ledger.create_event("evening", "An evening", capacity=tickets)
        fill(ledger, event, tickets)
        yield ledger, event


def measure_parts(folder: Path, scans: int) -> dict[str, dict[str, float]]:
    """Each part of one scan, and the whole, over `scans` guests with a ticket each."""
    clock = SystemClock()
    parts: dict[str, list[float]] = {
        name: [] for name in ("gate", "read", "presence", "decide and commit", "show", "whole", "beside reading")
    }
    factory = pin_factory("mock")
    with evening(folder, "parts", scans) as (ledger, event), GpioPanel(PanelSettings(pins="mock"), factory) as panel:
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
            now = time.perf_counter()
            assert green.state, "show returned before the pin was high"
            parts["show"].append(now - shining)
            parts["whole"].append(now - begun)
            parts["beside reading"].append(now - begun - parts["read"][-1])
    return {name: percentiles(times) for name, times in parts.items()}


def measure_sizes(folder: Path, sizes: list[int], scans: int) -> dict[str, Any]:
    """Deciding with ledgers of several sizes, in turns, so that the machine's moods meet all of them.

    An entry is timed; the exit that follows is not. `cpu` is without waiting for the disk. `head_count_ms` is what the
    door asks each second beside it.
    """
    clock = SystemClock()
    books, filled_s = {}, {}
    for size in sizes:
        begun = time.perf_counter()
        ledger = Ledger(folder / f"tickets-{size}.db")
        event = ledger.create_event("evening", "An evening", capacity=size)
        fill(ledger, event, size)
        books[size] = (ledger, event)
        filled_s[size] = time.perf_counter() - begun
    wall: dict[int, list[float]] = {size: [] for size in sizes}
    cpu: dict[int, list[float]] = {size: [] for size in sizes}
    count: dict[int, list[float]] = {size: [] for size in sizes}
    for turn in range(scans):
        for size, (ledger, event) in books.items():
            code = code_of(turn % PEOPLE * (size // PEOPLE)).encode()
            shown = Presentation(code, f"in-{turn}", "main", "camera", clock.stamp())
            begun, worked = time.perf_counter(), time.thread_time()
            decision = ledger.admit(event, shown)
            cpu[size].append(time.thread_time() - worked)
            wall[size].append(time.perf_counter() - begun)
            assert decision.is_admitted
            ledger.admit(event, shown._replace(nonce=f"out-{turn}", at=clock.stamp()), GateMode.EXIT)
            if turn % 20 == 0:
                begun = time.perf_counter()
                ledger.head_count(event)
                count[size].append(time.perf_counter() - begun)
    for ledger, _ in books.values():
        ledger.close()
    walls = {size: statistics.median(values) for size, values in wall.items()}
    cpus = {size: statistics.median(values) for size, values in cpu.items()}
    return {
        str(size): {
            "median_ms": round(1000 * walls[size], 3),
            "ratio": round(walls[size] / walls[sizes[0]], 2),
            "cpu_ms": round(1000 * cpus[size], 3),
            "cpu_ratio": round(cpus[size] / cpus[sizes[0]], 2),
            "head_count_ms": round(1000 * statistics.median(count[size]), 3),
            "fill_s": round(filled_s[size], 1),
        }
        for size in sizes
    }


def measure_rate(folder: Path, scans: int) -> dict[str, float]:
    """Scans a minute of one process that does nothing else, and the CPU it takes: read, decide, commit, show."""
    clock = SystemClock()
    wall = cpu = 0.0
    with (
        evening(folder, "rate", scans) as (ledger, event),
        GpioPanel(PanelSettings(pins="mock"), pin_factory("mock")) as panel,
    ):
        gate, reader, presence = MotionGate(), Reader(clock), Presence()
        for first in range(0, scans, 100):  # drawn beforehand, as a camera would; and not all at once
            pictures = [picture(code_of(number)) for number in range(first, min(first + 100, scans))]
            begun, worked = time.perf_counter(), time.process_time()
            for y in pictures:
                gate.is_open(y, clock.monotonic())
                reads = reader.read_still(y)
                (showing,) = presence.see({read.data for read in reads}, clock.monotonic())
                shown = Presentation(showing.code, showing.nonce, "main", "camera", clock.stamp())
                assert ledger.admit(event, shown).is_admitted
                showing.is_answered = True
                panel.show(Signal.ADMITTED)
            wall, cpu = wall + time.perf_counter() - begun, cpu + time.process_time() - worked
    return {"scans_per_minute": round(60 * scans / wall), "cpu_ms_per_scan": round(1000 * cpu / scans, 2)}


def measure_memory(folder: Path) -> dict[str, float]:
    """The highest RSS of a `platypus door` process with the simulated camera, in its first 75 s."""
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
        event = ledger.create_event("evening", "An evening", capacity=50)
        fill(ledger, event, 50)
    words = [sys.executable, "-m", "kiosk", "door", "--config", str(config)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as door:
        time.sleep(75)
        status = Path(f"/proc/{door.pid}/status").read_text(encoding="ascii")  # raises when it has ended
        highest_kib = int(status.partition("VmHWM:")[2].split()[0])
        door.terminate()
    with Ledger(folder / "state" / "ledger.db") as ledger:
        rows = len(ledger.recent_scans(event, 1000))
    assert rows, "the door scanned nobody: its memory says nothing"
    return {"highest_rss_mb": round(highest_kib * 1024 / 1e6, 1), "rows": rows}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="one object for programs")
    options.add_argument("--scans", type=int, default=400)
    options.add_argument("--tickets", default="50,5000,50000", help="sizes to compare, 50 or more each")
    options.add_argument("--full", action="store_true", help="as --tickets 50,5000,500000; takes longer to fill")
    options.add_argument("--dir", type=Path, help="a folder on the disk to be measured")
    options.add_argument("--no-memory", action="store_true", help="leave out the 75 s of the door's process")
    chosen = options.parse_args()
    sizes = [50, 5000, 500_000] if chosen.full else [int(size) for size in chosen.tickets.split(",")]
    with tempfile.TemporaryDirectory(dir=chosen.dir) as name:
        folder = Path(name)
        told: dict[str, Any] = {
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "scans": chosen.scans,
            "parts_ms": measure_parts(folder, chosen.scans),
            "rate": measure_rate(folder, chosen.scans),
            "by_tickets": measure_sizes(folder, sizes, chosen.scans),
        }
        if not chosen.no_memory:
            told["memory"] = measure_memory(folder)
    if IN_MEMORY.is_dir():
        with tempfile.TemporaryDirectory(dir=IN_MEMORY) as name:
            told["parts_without_disk_ms"] = measure_parts(Path(name), chosen.scans)
    print(json.dumps(told) if chosen.json else as_text(told))


def as_text(told: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{told['machine']}; {told['scans']} scans; ms"]
    for title, key in (("with the disk", "parts_ms"), ("without a disk", "parts_without_disk_ms")):
        lines.append(f"-- {title}")
        for name, row in told.get(key, {}).items():
            lines.append(f"{name:20}" + "".join(f"{share:>6} {value:8.3f}" for share, value in row.items()))
    rate = told["rate"]
    lines.append(f"one process: {rate['scans_per_minute']} scans a minute, {rate['cpu_ms_per_scan']} ms CPU each")
    for size, row in told["by_tickets"].items():
        lines.append(
            f"{size:>8} tickets: decide and commit {row['median_ms']} ms ({row['ratio']} of the smallest),"
            f" CPU {row['cpu_ms']} ms ({row['cpu_ratio']}), head count {row['head_count_ms']} ms,"
            f" filled in {row['fill_s']} s"
        )
    if "memory" in told:
        lines.append(f"platypus door: at most {told['memory']['highest_rss_mb']} MB, {told['memory']['rows']} rows")
    return "\n".join(lines)


main()
