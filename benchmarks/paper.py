"""The paper list: how long it takes to print many tickets, and to type them back in.

    .venv/bin/python benchmarks/paper.py [--json] [--rounds 3]

`platypus tickets paper` for 500 and 5,000 tickets, of names in Latin letters and of names in none, each a process of
its own, its memory the peak that the kernel saw of it; then `platypus tickets ticks` with their numbers, at most a
thousand, which is what is taken in one go, and the same again. Medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kiosk.ledger import NewTicket
from kiosk.ledger.ledger import Ledger
from kiosk.tickets.codes import digest
from kiosk.tickets.line_numbers import line_number

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
"""
_LATIN = ("Zoë Ødegård", "Łukasz Żuławski", "Jean de la Tour", "Nguyễn Văn An")
_OTHER = ("王小明", "أمينة حداد", "מרים לוי", "🦆 Duck")


def fill(folder: Path, count: int, names: tuple[str, ...]) -> None:
    (folder / "platypus.toml").write_text(_CONFIG.format(folder=folder), encoding="utf-8")
    (folder / "state").mkdir()
    with Ledger(folder / "state" / "ledger.db") as ledger:
        event = ledger.create_event("evening", "An evening", 50)
        people = [
            NewTicket(
                0,
                digest(b"%d" % n),
                is_own=False,
                holder=f"{names[n % len(names)]} {n}",
                product="Standard",
                guests=n % 3,
            )
            for n in range(count)
        ]
        ledger.put_tickets(event, people)


def run(folder: Path, *words: str) -> tuple[float, float]:
    """Seconds, and MB at most."""
    argv = [sys.executable, "-m", "kiosk", "tickets", *words, "--event", "evening"]
    surroundings = os.environ | {"PLATYPUS_CONFIG": str(folder / "platypus.toml")}
    begun_s = time.monotonic()
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=surroundings) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"platypus tickets {words[0]} ended with {process.returncode}")
    return time.monotonic() - begun_s, usage.ru_maxrss * 1024 / 1e6


def measured(count: int, names: tuple[str, ...], rounds: int) -> dict[str, dict[str, float]]:
    """By what was done: seconds and MB."""
    printed, typed, again = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            fill(folder, count, names)
            printed.append(run(folder, "paper", "--out", str(folder / "paper.pdf")))
            numbers = [line_number(1, number) for number in range(1, min(count, 1_000) + 1)]
            typed.append(run(folder, "ticks", *numbers))
            again.append(run(folder, "ticks", *numbers))
    return {
        what: {"s": statistics.median(each[0] for each in runs), "mb": statistics.median(each[1] for each in runs)}
        for what, runs in (("printed", printed), ("typed in", typed), ("typed in again", again))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found = {
        "500 tickets": measured(500, _LATIN, given.rounds),
        "500 tickets, no Latin letters": measured(500, _OTHER, given.rounds),
        "5,000 tickets": measured(5_000, _LATIN, given.rounds),
        "5,000 tickets, no Latin letters": measured(5_000, _OTHER, 1),
    }
    if given.json:
        print(json.dumps(found))
        return
    for size, done in found.items():
        for what, cost in done.items():
            print(f"{size}, {what}: {cost['s']:.1f} s, {cost['mb']:.0f} MB")


if __name__ == "__main__":
    main()
