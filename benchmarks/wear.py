"""What an evening writes to the card: bytes an hour, by program, as the kernel counts them on their way to the disk.

    .venv/bin/python benchmarks/wear.py [--json] [--minutes 10] [--folder DIR]

The demo's venue with `run_dir` in memory, as on a Pi, and all else in a folder on a disk (in memory nothing would be
counted). For half of the minutes no stream is on, for the other half it records; then the recording becomes an MP4.
/proc/PID/io tells of each of our programs, and of what it started, how many bytes it sent to the block layer: pages of
4 kB, once for each time that they were written. The journal of the file system is not in it, nor what the card makes
of it inside.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from kiosk.bus import Bus
from kiosk.demo import cast, servers
from kiosk.demo.evening import Evening, prepare
from kiosk.ledger.ledger import Ledger
from kiosk.news import EVERY_DOOR_STATE, STREAM_COMMAND, DoorState, StreamCommand
from stream.process import Child

OURS = ("dashboard", "stream", "door")
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
LIMIT_S = 60.0
STEP_S = 0.2


class Venue:
    """Our programs at work."""

    def __init__(self, evening: Evening, stack: ExitStack) -> None:
        self._evening = evening
        self._stack = stack
        broker, socket = servers.mosquitto(evening.folder)
        self._add(broker)
        self._add(servers.nginx(evening.folder / "nginx", evening.rtmp_port))
        self._bus = stack.enter_context(Bus(str(socket), "wear"))
        self._doors: list[DoorState] = []
        self._bus.listen(EVERY_DOOR_STATE, DoorState, lambda _, state: self._doors.append(state))
        argv = [sys.executable, "-m", "kiosk"]
        self._children = {name: self._add(Child(name, [*argv, name, "--config", str(evening.config)])) for name in OURS}
        wait(lambda: any(state.camera == "ok" for state in self._doors), "the door")

    def order(self, do: str) -> None:
        reply = self._bus.ask(STREAM_COMMAND, StreamCommand(do=do), 20.0)  # type: ignore[arg-type]
        if not reply.ok:
            raise SystemExit(f"the stream did not {do}: {reply.error}")

    def written(self, is_over: Callable[[float], bool]) -> Mapping[str, float]:
        """Megabytes, by program, until it is over after so many seconds."""
        counts: dict[tuple[str, int], list[int]] = {}
        begun_s = now_s = time.monotonic()
        while not is_over(now_s - begun_s):
            for name, child in self._children.items():
                root = psutil.Process(child.pid)
                for process in (root, *root.children(recursive=True)):
                    try:
                        count = process.io_counters().write_bytes
                    except psutil.NoSuchProcess:  # it ended meanwhile: its last figure stands
                        continue
                    counts.setdefault((name, process.pid), [0 if now_s > begun_s else count, count])[1] = count
            time.sleep(STEP_S)
            now_s = time.monotonic()
        return {
            name: round(sum(last - first for (whose, _), (first, last) in counts.items() if whose == name) / 1e6, 3)
            for name in OURS
        }

    def scans(self) -> int:
        with Ledger(self._evening.ledger) as ledger:
            count = ledger.head_count(ledger.event(cast.EVENT))
        return count.admitted + count.refused

    def recorded(self) -> Sequence[Path]:
        return list(self._evening.recordings.glob("*.ts"))

    def _add(self, child: Child) -> Child:
        self._stack.callback(child.stop)
        return child


def wait(is_so: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + LIMIT_S
    while not is_so():
        if time.monotonic() > until_s:
            raise SystemExit(f"{what} did not begin within {LIMIT_S:.0f} s")
        time.sleep(0.1)


@contextmanager
def venue(folder: Path) -> Iterator[Venue]:
    evening = prepare(folder, 0, 1)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory, ExitStack() as stack:
        text = evening.config.read_text(encoding="utf-8")
        on_disk = f'run_dir = "{folder / "run"}"'
        assert on_disk in text
        evening.config.write_text(text.replace(on_disk, f'run_dir = "{memory}"'), encoding="utf-8")
        yield Venue(evening, stack)


def measure(folder: Path, minutes: float) -> dict[str, object]:
    half_s = minutes * 30

    def an_hour(mb: float) -> float:
        return round(mb * 3600 / half_s, 1)

    with venue(folder) as there:
        before = there.scans()
        idle = there.written(lambda seconds: seconds > half_s)
        seen = there.scans() - before
        there.order("start")
        live = there.written(lambda seconds: seconds > half_s)
        recorded_mb = sum(path.stat().st_size for path in there.recorded()) / 1e6
        there.order("stop")
        film = there.written(lambda seconds: not there.recorded() or seconds > LIMIT_S)
    return {
        "scans": seen,
        "kb_a_scan": round(idle["door"] * 1000 / seen, 1),
        "mb_an_hour_without_stream": {name: an_hour(mb) for name, mb in idle.items()},
        "mb_an_hour_recording": {name: an_hour(mb) for name, mb in live.items()},
        "mb_an_hour_recorded": an_hour(recorded_mb),
        "mb_written_for_an_mb_of_film": round(film["stream"] / recorded_mb, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--folder", type=Path, default=Path.home(), help="on the disk that is asked about")
    options = parser.parse_args()
    disk = max(
        (each for each in psutil.disk_partitions(all=True) if options.folder.resolve().is_relative_to(each.mountpoint)),
        key=lambda each: len(each.mountpoint),
    )
    if disk.fstype in IN_MEMORY:
        parser.error(f"{options.folder} is in memory ({disk.fstype}): name a folder on a disk")
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="wear-") as folder:
        found = measure(Path(folder), options.minutes)
    found["machine"] = f"{platform.machine()}, Python {platform.python_version()}, {disk.fstype}"
    print(json.dumps(found, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
