"""The whole stream (our process, encoder, pushers, preview) beside one bare ffmpeg that does the same encode and push.

    .venv/bin/python benchmarks/livestream.py [--json] [--rounds 3] [--seconds 15] [--size 1280x720@30]

In turns: the bare ffmpeg, `platypus stream` with one destination, with three; each pushes to nginx-rtmp on loopback
what the same stage camera gives (raw pictures through a FIFO; its own cost is not counted), each is measured for
--seconds after it has settled. CPU is seconds a second of film; memory PSS and RSS, all processes together. The ratio
is the median of those of each round. Delay is from when a picture was made until it is decoded at a viewer's, who knows
it by its number. On a shared machine trust the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
import tomli_w

from hardware.clock import SystemClock
from kiosk.demo.servers import free_port, mosquitto, nginx
from kiosk.remote import order_stream
from stream import graph
from stream.preview_files import PLAYLIST
from stream.settings import Destination, Picture, StreamSettings, VideoFile

SCRIPTS = Path(__file__).parent.parent / "tests" / "faults"
NAMES = ("one", "two", "three")
SETTLE_S = 8.0  # connections have begun, nothing is rendered any more
# What a transport stream needs and FLV does not know.
_TS_ONLY = ("-muxdelay", "-muxpreload", "-pes_payload_size", "-pat_period")


class Turn(NamedTuple):
    """What one of them took."""

    cpu: dict[str, float]  # CPU seconds a second of film, by process
    pss: dict[str, float]  # MB, by process
    rss_mb: float
    delay_s: float

    @property
    def cpu_s(self) -> float:
        return sum(self.cpu.values())

    @property
    def pss_mb(self) -> float:
        return sum(self.pss.values())


@contextmanager
def camera(folder: Path, picture: Picture) -> Iterator[tuple[Path, float]]:
    """A stage camera: its FIFO, and its epoch."""
    fifo = folder / "camera"
    os.mkfifo(fifo)
    epoch_s = time.monotonic()
    size = [str(each) for each in (picture.width_px, picture.height_px, picture.frames_per_s)]
    argv = [sys.executable, str(SCRIPTS / "stage_camera.py"), str(fifo), *size, str(epoch_s)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
        try:
            yield fifo, epoch_s
        finally:
            process.kill()


@contextmanager
def bare(folder: Path, fifo: Path, picture: Picture, urls: Sequence[str]) -> Iterator[psutil.Process]:
    """The same command as our encoder's, that pushes by itself."""
    argv = graph.encoder(VideoFile(path=str(fifo)), picture, out_fd=1, levels_fd=9)  # with them comes the sound
    at = argv.index("-filter_complex") + 1
    argv[at], found = re.subn(r"\[0:a\].*?ametadata[^\[]*\[s\d+\];\[s\d+\]", "[0:a]", argv[at])  # nobody reads levels
    assert found == 1, argv[at]
    for option in _TS_ONLY:
        at = argv.index(option)
        del argv[at : at + 2]
    argv[argv.index("mpegts")] = "flv"
    argv[argv.index("pipe:1")] = urls[0]
    with (folder / "bare.log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGKILL)


@contextmanager
def ours(folder: Path, fifo: Path, picture: Picture, urls: Sequence[str]) -> Iterator[psutil.Process]:
    """`platypus stream`, live with the camera."""
    broker, socket = mosquitto(folder)
    settings = StreamSettings(
        source=VideoFile(path=str(fifo)),
        picture=picture,
        destinations=tuple(
            Destination(name=name, url=url.rpartition("/")[0]) for name, url in zip(NAMES, urls, strict=False)
        ),
    )
    stream = {name: of for name, of in msgspec.to_builtins(settings).items() if of is not None}
    for each in stream["destinations"]:
        del each["ca_file"]
    config = folder / "platypus.toml"
    told = {
        "state_dir": str(folder / "state"),
        "run_dir": str(folder / "run"),
        "bus": {"socket": str(socket)},
        "door": {"event": "evening", "camera": {"kind": "pictures", "folder": "."}, "panel": {"pins": "mock"}},
        "stream": stream,
    }
    config.write_text(tomli_w.dumps(told), encoding="utf-8")
    secrets = folder / "secrets.toml"
    secrets.touch(0o600)
    keys = {name: url.rpartition("/")[2] for name, url in zip(NAMES, urls, strict=False)}
    secrets.write_text(tomli_w.dumps({"stream_keys": keys}), encoding="utf-8")
    argv = [sys.executable, "-m", "kiosk", "stream", "--config", str(config)]
    try:
        with (folder / "platypus.log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
            slates = folder / "run" / "slates"
            wait_for(lambda: len(list(slates.glob("*.ts"))) >= 5, 60)
            order_stream(config, "start")
            yield psutil.Process(process.pid)
            process.terminate()
    finally:
        broker.kill()


def wait_for(is_so: Callable[[], bool], limit_s: float) -> None:
    until_s = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > until_s:
            raise TimeoutError(f"not within {limit_s} s")
        time.sleep(0.1)


def measure(runner: Any, destinations: int, picture: Picture, seconds: float) -> Turn:
    """One turn, with a server, a camera and a viewer of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        server = nginx(folder / "nginx", port)
        urls = [f"rtmp://127.0.0.1:{port}/live/{key}" for key in NAMES[:destinations]]
        log = folder / "viewer.log"
        try:
            with camera(folder, picture) as (fifo, epoch_s), runner(folder, fifo, picture, urls) as process:
                wait_for(lambda: answers(server.pid), 10)
                with subprocess.Popen([sys.executable, str(SCRIPTS / "audience.py"), urls[0], str(log)]) as viewer:
                    try:
                        time.sleep(SETTLE_S)
                        return look(process, log, epoch_s, picture, seconds)
                    finally:
                        viewer.kill()
        finally:
            server.kill()


def answers(pid: int) -> bool:
    return any(each.status == "LISTEN" for each in psutil.Process(pid).net_connections())


def look(process: psutil.Process, log: Path, epoch_s: float, picture: Picture, seconds: float) -> Turn:
    """What a process and its children take for some seconds."""
    family = [process, *process.children(recursive=True)]
    begun_s, before = time.monotonic(), [each.cpu_times() for each in family]
    time.sleep(seconds)
    after, ended_s = [each.cpu_times() for each in family], time.monotonic()
    memory = [each.memory_full_info() for each in family]
    cpu: dict[str, float] = {}
    pss: dict[str, float] = {}
    seen = [tuple(map(float, line.split())) for line in log.read_text().splitlines() if line[:1].isdigit()]
    seen = [each for each in seen if len(each) == 3 and each[2] >= 0 and begun_s <= each[0] <= ended_s]
    film_s = len(seen) / picture.frames_per_s
    assert film_s > 0.95 * seconds, f"{film_s:.1f} s of film in {seconds} s: the machine is too busy, or it is broken"
    for each, old, new, kept in zip(family, before, after, memory, strict=True):
        words = each.cmdline()
        what = "python" if "kiosk" in words else "preview" if PLAYLIST in words else "encoder"
        if "flv" in words and len(family) > 1:
            what = "pushers"
        took_s = new.user + new.system - old.user - old.system
        cpu[what] = cpu.get(what, 0.0) + took_s / film_s
        pss[what] = pss.get(what, 0.0) + kept.pss / 1e6
    return Turn(
        cpu=cpu,
        pss=pss,
        rss_mb=sum(each.rss for each in memory) / 1e6,
        delay_s=statistics.median(at_s - epoch_s - number / picture.frames_per_s for at_s, _, number in seen),
    )


def median(turns: Sequence[Turn]) -> dict[str, Any]:
    return {
        "cpu": round(statistics.median(each.cpu_s for each in turns), 3),
        "parts": {what: round(statistics.median(each.cpu[what] for each in turns), 3) for what in turns[0].cpu},
        "parts_mb": {what: round(statistics.median(each.pss[what] for each in turns), 1) for what in turns[0].pss},
        "pss_mb": round(statistics.median(each.pss_mb for each in turns), 1),
        "rss_mb": round(statistics.median(each.rss_mb for each in turns), 1),
        "delay_s": round(statistics.median(each.delay_s for each in turns), 3),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="one object for programs")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=15)
    options.add_argument("--size", default="1280x720@30")
    given = options.parse_args()
    found = re.fullmatch(r"(\d+)x(\d+)@(\d+)", given.size)
    if found is None:
        options.error(f"--size {given.size} is not like 1280x720@30")
    picture = Picture(width_px=int(found[1]), height_px=int(found[2]), frames_per_s=int(found[3]))
    kinds = {"bare ffmpeg": (bare, 1), "one destination": (ours, 1), "three destinations": (ours, 3)}
    turns: dict[str, list[Turn]] = {name: [] for name in kinds}
    for _ in range(given.rounds):
        for name, (runner, destinations) in kinds.items():
            turns[name].append(measure(runner, destinations, picture, given.seconds))
    alone, one, three = turns.values()
    told = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "at": SystemClock().stamp().wall.isoformat(timespec="minutes"),
        "size": given.size,
        "preset": picture.preset,
        "medians": {name: median(each) for name, each in turns.items()},
        "ratios": [round(b.cpu_s / a.cpu_s, 2) for a, b in zip(alone, one, strict=True)],
        "each_further": [round((c.cpu_s - b.cpu_s) / 2, 3) for b, c in zip(one, three, strict=True)],
    }
    told["ratio"] = statistics.median(told["ratios"])
    print(json.dumps(told) if given.json else as_text(told))


def as_text(told: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{told['machine']}; {told['size']}, preset {told['preset']}; load {os.getloadavg()[0]:.1f}"]
    lines.append(f"{'':20}{'CPU s/s':>8}{'PSS MB':>8}{'RSS MB':>8}{'delay s':>9}   of it")
    for name, row in told["medians"].items():
        parts = ", ".join(f"{what} {cpu} ({row['parts_mb'][what]} MB)" for what, cpu in row["parts"].items())
        lines.append(f"{name:20}{row['cpu']:8}{row['pss_mb']:8}{row['rss_mb']:8}{row['delay_s']:9}   {parts}")
    lines.append(f"CPU, one destination to bare ffmpeg: {told['ratio']} (asked: at most 1.25; rounds {told['ratios']})")
    lines.append(f"each further destination: {told['each_further']} CPU s/s (asked: at most 0.02)")
    return "\n".join(lines)


main()
