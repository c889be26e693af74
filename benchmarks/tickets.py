"""A hundred thousand tickets: how long lists, searches and printing take, and how much memory.

    .venv/bin/python benchmarks/tickets.py [--json] [--tickets 100000] [--rounds 3] [--printing]

Each import is a `platypus tickets import` of its own into a new ledger; then the same list again. Memory is what the
kernel saw at most of a program: that one, or the one which reads a spreadsheet for it; "together" is what both had at
one moment (proportional set size, looked at twenty times a second). A search is what a volunteer's page asks, in a
ledger of as many tickets. Printing is `platypus tickets issue` for 500 people who have their tickets already, in one
form after the other, with a logo and four sponsors; `--printing` measures nothing else. Medians; beside the time the
CPU's, which other work slows less.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil
from openpyxl import Workbook
from PIL import Image, ImageDraw

from kiosk.ledger.ledger import Ledger

_HEADINGS = ("id", "Codes-barres", "Nom", "Prénom", "Email", "Tarif", "Payé", "Commande", "Société", "Téléphone")
_CONFIG = """
state_dir = "{folder}/state"
run_dir = "{folder}/run"
[bus]
socket = "{folder}/bus.sock"
[door]
event = "evening"
camera = {{ kind = "pictures", folder = "{folder}" }}
[door.panel]
pins = "mock"
[mail]
from = "tickets@example.org"
"""
_ASKED = {"new, CSV": "20 s, 150 MB", "500 as a4": "10 s", "search": "0.05 s"}


def rows(count: int) -> Iterator[tuple[str, ...]]:
    for n in range(count):
        name, order = f"Nom{n * 7919 % count:06}", f"C{n // 2:06}"
        yield str(n), str(1_000_000 + n), name, f"Prénom{n}", f"p{n}@example.org", "Plein", "Oui", order, "ACME", "06"


def write_lists(folder: Path, count: int) -> None:
    lines = [";".join(row) for row in (_HEADINGS, *rows(count))]
    (folder / "list.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (_HEADINGS, *rows(count)):
        sheet.append(row)
    book.save(folder / "list.xlsx")
    for file, name in (("people.csv", "Łukasz Name{}"), ("arabic.csv", "محمد بن عبد الله {}")):
        people = [f"{name.format(n)};name{n}@example.org" for n in range(500)]
        (folder / file).write_text("\n".join(("Name;E-mail", *people)) + "\n", encoding="utf-8")


def draw_look(folder: Path) -> None:
    (folder / "sponsors").mkdir(parents=True)
    for name in ("logo.png", *(f"sponsors/{n}.png" for n in range(4))):
        logo = Image.new("RGBA", (600, 200))
        ImageDraw.Draw(logo).ellipse((0, 0, 599, 199), "#c1121f")
        logo.save(folder / name)


class Run(NamedTuple):
    """What a command took."""

    seconds: float
    mb: float  # of the largest program, at most
    together_mb: float
    cpu_s: float


def run(folder: Path, *words: str) -> Run:
    argv = [sys.executable, "-m", "kiosk", *words]
    begun_s, together, pid = time.monotonic(), 0, 0
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=os.environ | _surroundings(folder)) as process:
        while not pid:
            together = max(together, proportional(process.pid))
            time.sleep(0.05)
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"platypus {' '.join(words)} ended with {process.returncode}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Run(time.monotonic() - begun_s, usage.ru_maxrss * 1024 / 1e6, together / 1e6, cpu_s)


def proportional(pid: int) -> int:
    """Bytes of a process and its children."""
    found = 0
    try:
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            found += process.memory_full_info().pss
    except psutil.Error:  # it ended meanwhile
        return found
    return found


def _surroundings(folder: Path) -> dict[str, str]:
    return {"PLATYPUS_CONFIG": str(folder / "platypus.toml")}


def fresh(folder: Path) -> None:
    shutil.rmtree(folder / "state", ignore_errors=True)
    run(folder, "event", "create", "evening", "--name", "An evening", "--capacity", "50")


def searches(folder: Path, count: int) -> tuple[float, float]:
    """Median seconds, and of CPU, of a search for a name, with and without accents, and for one that nobody has."""
    took_s, cpu_s = [], []
    with Ledger(folder / "state" / "ledger.db") as ledger:
        event = ledger.event("evening")
        for n in range(100):
            for text in (f"nom{n * 997 % count:06}", f"Prénom{n * 991 % count}", f"nobody {n}"):
                begun_s, begun_cpu_s = time.monotonic(), time.process_time()
                ledger.find(event, text)
                took_s.append(time.monotonic() - begun_s)
                cpu_s.append(time.process_time() - begun_cpu_s)
    return statistics.median(took_s), statistics.median(cpu_s)


def measured(rounds: int, once: Callable[[], Run]) -> dict[str, float]:
    found = [once() for _ in range(rounds)]
    return {name: round(statistics.median(getattr(each, name) for each in found), 2) for name in Run._fields}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="one object for programs")
    options.add_argument("--tickets", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--printing", action="store_true", help="printing alone")
    given = options.parse_args()
    told: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "platypus.toml").write_text(_CONFIG.format(folder=folder), encoding="utf-8")
        # By a process of its own: what its parent had in memory is counted as a child's, too (getrusage(2)).
        writer = multiprocessing.get_context("spawn").Process(
            target=write_lists, args=(folder, 1 if given.printing else given.tickets)
        )
        writer.start()
        writer.join()

        def take(kind: str, *, is_new: bool) -> Run:
            if is_new:
                fresh(folder)
            return run(folder, "tickets", "import", str(folder / f"list.{kind}"), "--event", "evening")

        if not given.printing:
            told["new, CSV"] = measured(given.rounds, lambda: take("csv", is_new=True))
            told["the same again"] = measured(given.rounds, lambda: take("csv", is_new=False))
            told["new, XLSX"] = measured(given.rounds, lambda: take("xlsx", is_new=True))
            took_s, cpu_s = searches(folder, given.tickets)
            told["search"] = {"seconds": round(took_s, 4), "cpu_s": round(cpu_s, 4)}
        fresh(folder)
        draw_look(folder / "state" / "look")
        for file in ("people.csv", "arabic.csv"):
            whose = ("tickets", "issue", str(folder / file), "--event", "evening", "--out", str(folder / "out"))
            run(folder, *whose, "--form", "png")
            for form in ("a4", "page", "label", "png", "svg") if file == "people.csv" else ("a4",):
                what = f"500 as {form}" if file == "people.csv" else f"500 as {form}, Arabic"
                told[what] = measured(given.rounds, partial(run, folder, *whose, "--form", form))
            if file == "people.csv":
                told["500 as letters"] = measured(given.rounds, partial(run, folder, *whose, "--eml"))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if given.json:
        print(json.dumps({"machine": machine, "tickets": given.tickets, **told}))
        return
    print(f"{machine}; {given.tickets:,} tickets, medians of {given.rounds}; load {os.getloadavg()[0]:.1f}")
    for what, row in told.items():
        memory = f"{row['mb']:8.1f} MB, together {row['together_mb']:6.1f}" if "mb" in row else ""
        asked = f"asked {_ASKED[what]}" if what in _ASKED else ""
        print(f"{what:20}{row['seconds']:9.4g} s {row['cpu_s']:8.4g} s CPU {memory:32} {asked}")


if __name__ == "__main__":
    main()
