"""What a backup and its restore cost: time and memory of the commands, and how long a scan waits meanwhile.

python benchmarks/backup.py [--tickets 100000]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import fill

from hardware.clock import SystemClock
from kiosk.config import secrets_path
from kiosk.ledger import NewTicket, Presentation
from kiosk.ledger.ledger import Ledger
from kiosk.tickets.codes import digest

_CONFIG = """\
state_dir = "{folder}/state"
run_dir = "{folder}/run"
[door]
event = "evening"
camera = {{ kind = "pictures", folder = "{folder}" }}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=100_000)
    tickets = parser.parse_args().tickets
    with tempfile.TemporaryDirectory(dir="/var/tmp") as temporary:  # on a disk
        old, new = (Path(temporary) / name for name in ("old", "new"))
        for folder in (old, new):
            folder.mkdir()
            (folder / "platypus.toml").write_text(_CONFIG.format(folder=folder))
            secrets_path(folder / "platypus.toml").touch(0o600)
        filler = multiprocessing.Process(target=filled, args=(old / "state" / "ledger.db", tickets))
        filler.start()  # apart: a child's peak begins with its parent's
        filler.join()
        size = (old / "state" / "ledger.db").stat().st_size
        print(f"{tickets} tickets, {2 * tickets} rows: a ledger of {size / 1e6:.0f} MB")
        file = Path(temporary) / "backup.zip"
        tell("backup", old, "backup", str(file))
        print(f"  the file: {file.stat().st_size / 1e6:.1f} MB")
        tell("restore --check", new, "restore", str(file), "--check")
        tell("restore", new, "restore", str(file), "--yes")
        with Ledger(old / "state" / "ledger.db") as ledger:
            late(ledger, old)


def filled(path: Path, tickets: int) -> None:
    with Ledger(path) as ledger:
        fill(ledger, tickets)


def tell(name: str, folder: Path, *words: str) -> None:
    begun = time.monotonic()
    child = start(folder, *words)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, name
    print(f"{name}: {time.monotonic() - begun:.1f} s, {usage.ru_maxrss / 1024:.0f} MB at most")


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kiosk", words[0], "--config", str(folder / "platypus.toml"), *words[1:]]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def late(ledger: Ledger, folder: Path) -> None:
    """Scans one after the other, while a backup is made."""
    event, clock = ledger.event("evening"), SystemClock()
    ledger.put_tickets(event, [NewTicket(0, digest(b"late %d" % n), is_own=False) for n in range(2_000)])
    took: list[float] = []
    with start(folder, "backup", str(folder / "second.zip")) as child:
        while child.poll() is None and len(took) < 2_000:
            code = b"late %d" % len(took)
            begun = time.monotonic()
            ledger.admit(event, Presentation(code, f"late-{len(took)}", "main", "camera", clock.stamp()))
            took.append(time.monotonic() - begun)
            time.sleep(0.02)
    took.sort()
    median_ms, longest_ms = took[len(took) // 2] * 1e3, took[-1] * 1e3
    print(f"a scan while one is made ({len(took)}): median {median_ms:.0f}, longest {longest_ms:.0f} ms")


main()
