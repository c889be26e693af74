"""An evening that faults happen to: the real stream process at a venue, a real server elsewhere, a viewer beside it.

`platypus stream` runs as its own process in the venue's network, with a real broker, under a loop that starts it again
half a second after it ends, whatever the reason: what systemd does for `Restart=always` with `RestartSec=0.5`.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self

import av
import msgspec
import numpy as np
import tomli_w
from fault_network import NOBODY, SERVER, Network, Place, mortal
from numbered import FLASH_EVERY_S, is_flash, missing, read_number
from waiting import until

from hardware.programs import find_program
from hardware.worker import Worker
from kiosk.bus import Bus
from kiosk.demo.servers import mosquitto
from kiosk.news import STREAM_COMMAND, STREAM_STATE, StreamCommand, StreamOrder
from stream.health import Health, LegState, StreamState
from stream.settings import Destination, Picture, StreamSettings, VideoFile

HERE = Path(__file__).parent
SMALL = Picture(
    width_px=320, height_px=180, frames_per_s=15, keyframe_s=1, video_kbps=300, audio_kbps=64, preset="ultrafast"
)
KEY = "right-key"
START_AGAIN_S = 0.5
# `live` takes everybody, `closed` says no as a server can, `asks` closes without a word as one with a callback does.
ADDRESSES = {
    "hall": f"rtmp://{SERVER}/live",
    "closed": f"rtmp://{SERVER}/closed",
    "asks": f"rtmp://{SERVER}/asks",
    "dead-host": f"rtmp://{NOBODY}/live",
    "no-name": "rtmp://nobody.invalid/live",
}
_NGINX = """
daemon off; master_process off; user root; pid {folder}/nginx.pid; error_log {folder}/error.log info;
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
events {{ worker_connections 64; }}
http {{ access_log off; server {{ listen 127.0.0.1:8080; location / {{ return 403; }} }}
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
}}
rtmp {{ access_log off; server {{ listen 1935;
  application live {{ live on; wait_key on; }}
  application closed {{ live on; deny publish all; }}
  application asks {{ live on; on_publish http://127.0.0.1:8080/; }}
}} }}
"""


class Seen(NamedTuple):
    """One picture at the viewer's."""

    at_s: float  # monotonic
    time_s: float  # as the server gave it
    number: int  # -1: a slate


class Film(NamedTuple):
    """A recording, decoded."""

    numbers: list[int | None]  # None: a slate
    longest_step_s: float
    offsets_s: list[float]  # of the sound after the picture, at each flash with a beep

    @property
    def lost(self) -> int:
        """How many of the camera's pictures are missing between the first and the last."""
        return len(missing(self.numbers))


class Server:
    """nginx with its RTMP module, in a place of its own."""

    def __init__(self, place: Place, folder: Path) -> None:
        folder.mkdir()
        self._place = place
        self._log = folder / "error.log"
        conf = folder / "nginx.conf"
        conf.write_text(_NGINX.format(folder=folder), encoding="utf-8")
        self._argv = [find_program("nginx"), "-p", str(folder), "-c", str(conf), "-e", str(self._log)]
        self._out = folder / "nginx.out"
        self._nginx: subprocess.Popen[bytes] | None = None

    @property
    def sessions(self) -> int:
        """How often somebody began to publish with our key, and was let."""
        log = self._log.read_text(errors="replace")
        return log.count(f"publish: name='{KEY}'") - log.count("already publishing")

    def start(self) -> None:
        """Begin to listen."""
        with self._out.open("ab") as out:
            self._nginx = subprocess.Popen(mortal(self._place.argv(self._argv)), stdout=out, stderr=out)

    def send(self, number: signal.Signals) -> None:
        """A signal; SIGKILL takes it away."""
        assert self._nginx is not None
        self._nginx.send_signal(number)
        if number is signal.SIGKILL:
            self._nginx.wait()

    def close(self) -> None:
        """Gone."""
        if self._nginx is not None:
            self.send(signal.SIGKILL)


class Camera:
    """stage_camera.py, and the FIFO it writes to."""

    def __init__(self, folder: Path, picture: Picture) -> None:
        self.fifo = folder / "camera"
        os.mkfifo(self.fifo)
        self._rate = picture.frames_per_s
        self._epoch_s = time.monotonic()
        size = [str(each) for each in (picture.width_px, picture.height_px, picture.frames_per_s)]
        self._argv = [sys.executable, str(HERE / "stage_camera.py"), str(self.fifo), *size, str(self._epoch_s)]
        self._out = folder / "camera.out"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def first_numbers(self) -> list[int]:
        """The first picture that each of its readers got."""
        return [first for word, first, *_ in self._said if word == "first"]

    @property
    def left_out(self) -> set[int]:
        """The pictures that nobody took from it in time: its reader, or the whole machine, was seconds late."""
        return {
            number for word, first, *rest in self._said if word == "left-out" for number in range(first, rest[0] + 1)
        }

    @property
    def _said(self) -> list[tuple[str, int, *tuple[int, ...]]]:
        lines = [line.split() for line in self._out.read_text().splitlines()]
        return [(word, int(first), *map(int, rest)) for word, first, *rest in lines]

    def due_s(self, number: int) -> float:
        """When a picture was made (monotonic)."""
        return self._epoch_s + number / self._rate

    def number_at(self, at_s: float) -> int:
        """The first picture that is made after a moment (monotonic)."""
        return int((at_s - self._epoch_s) * self._rate) + 1

    def start(self) -> None:
        """Plug it in."""
        with self._out.open("ab") as out:
            self._process = subprocess.Popen(mortal(self._argv), stdout=out)

    def send(self, number: signal.Signals) -> None:
        """SIGSTOP freezes it, SIGCONT thaws it, SIGKILL pulls the plug."""
        assert self._process is not None
        self._process.send_signal(number)
        if number is signal.SIGKILL:
            self._process.wait()

    def close(self) -> None:
        """Gone."""
        if self._process is not None:
            self.send(signal.SIGKILL)


class Viewer:
    """audience.py, and what it wrote down."""

    def __init__(self, place: Place, log: Path) -> None:
        self._log = log
        argv = [sys.executable, str(HERE / "audience.py"), f"rtmp://127.0.0.1/live/{KEY}", str(log)]
        self._process = subprocess.Popen(mortal(place.argv(argv)))

    @property
    def seen(self) -> list[Seen]:
        """All pictures until now."""
        if not self._log.exists():
            return []
        lines = [line.split() for line in self._log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [Seen(float(at), float(ms) / 1000, int(n)) for at, ms, n in (x for x in lines if len(x) == 3)]

    def leave(self) -> None:
        """Stop watching. Safe to call twice."""
        self._process.kill()
        self._process.wait()


class Evening:
    """Everything, from the first picture on; a context manager. `room_mb` gives recordings a disk of their own."""

    def __init__(
        self,
        folder: Path,
        destinations: Sequence[str] = ("hall",),
        *,
        picture: Picture = SMALL,
        room_mb: int | None = None,
    ) -> None:
        self._folder = folder
        self.picture = picture
        self._stack = ExitStack()
        self._told: list[tuple[float, StreamState]] = [(time.monotonic(), StreamState(online=False))]
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.network = Network()
            self._stack.callback(self.network.close)
            # A server whose kernel takes little for it. With Linux' own 6 MB a server that is frozen for less than
            # 20 s (at 2.5 Mb/s) is not even noticed.
            self.network.server.run(["tee", "/proc/sys/net/ipv4/tcp_rmem"], "4096 65536 131072")
            self.server = Server(self.network.server, folder / "nginx")
            self._stack.callback(self.server.close)
            self.server.start()
            self.camera = Camera(folder, picture)
            self._stack.callback(self.camera.close)
            self.camera.start()
            self._make_recordings_dir(room_mb)
            self._broker, socket = mosquitto(folder)
            self._stack.callback(self._broker.kill)
            self._configure(socket, picture, destinations)
            self._bus = Bus(str(socket), "test")
            self._stack.callback(self._bus.close)
            self._bus.listen(STREAM_STATE, StreamState, self._hear)
            self._keeper = Worker("service-manager", self._keep_running)
            self._stack.callback(self._keeper.stop, 30)
            self._keeper.start()
            self.viewer = Viewer(self.network.server, folder / "viewer.log")
            self._stack.callback(self.viewer.leave)
            until(lambda: self.state().online, 20, "platypus stream says that it is there")
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        """Of `platypus stream`."""
        assert self._process is not None
        return self._process.pid

    @property
    def pushers(self) -> list[int]:
        """Process ids of the pushers."""
        return [pid for pid in self.children if b"flv" in _argv(pid)]

    @property
    def encoders(self) -> list[int]:
        """Process ids of the camera's encoder (one, or none)."""
        return [pid for pid in self.children if str(self.camera.fifo).encode() in _argv(pid)]

    @property
    def children(self) -> list[int]:
        """Process ids of all children of `platypus stream`, those of its threads too."""
        found = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(pid) for each in found for pid in _text(each).split()]

    def state(self) -> StreamState:
        """What it last said."""
        return self._told[-1][1]

    def said_at_s(self, name: str, state: Health, since_s: float) -> float:
        """When it first said that of a leg, after `since_s` (monotonic). It speaks twice a second."""
        said = (at for at, told in self._told for leg in told.legs if leg.name == name and leg.state is state)
        return next(at for at in said if at > since_s)

    def leg(self, name: str) -> LegState:
        """What it last said of a leg."""
        return next(each for each in self.state().legs if each.name == name)

    def order(self, do: StreamOrder) -> None:
        """Press a button."""
        reply = self._bus.ask(STREAM_COMMAND, StreamCommand(do=do), 20)
        assert reply.ok, reply.error

    def begin(self, *, wait_for: str = "hall") -> None:
        """Slates are there, live with the camera, and somebody sees it."""
        slates = self._folder / "run" / "slates"
        until(lambda: len(list(slates.glob("*.ts"))) >= 5 and not list(slates.glob("*.part")), 30, "slates")
        self.order("start")
        self.until_live(wait_for)
        until(lambda: [each for each in self.viewer.seen if each.number >= 0][20:], 10, "pictures at the viewer's")

    def until_live(self, name: str = "hall", limit_s: float = 30.0) -> float:
        """Until a leg is live; seconds it took."""
        return until(lambda: self.state().online and self.leg(name).state is Health.LIVE, limit_s, f"{name} is live")

    def until_seen_on(self, pictures: int = 30, limit_s: float = 60.0) -> None:
        """Until the viewer has seen so many pictures that the camera takes from now on: others may still be on the way,
        from before what has just happened."""
        first = self.camera.number_at(time.monotonic())
        until(
            lambda: sum(each.number >= first for each in self.viewer.seen) >= pictures,
            limit_s,
            "pictures of the camera at the viewer's",
        )

    def recorded(self) -> list[Film]:
        """The recordings, decoded, in the order in which they were made; stops the stream before."""
        kept = []
        for path in sorted(self.recordings.glob("*.ts")):  # closed, it becomes another film, and this name goes
            kept.append(path.with_suffix(".seen"))
            os.link(path, kept[-1])
        self.order("stop")
        return [watch(path) for path in kept]

    def _make_recordings_dir(self, room_mb: int | None) -> None:
        inside = self._folder / "recordings"
        inside.mkdir()
        self.recordings = inside
        if room_mb is not None:
            venue = self.network.venue
            venue.run(["mount", "-t", "tmpfs", "-o", f"size={room_mb}m", "recordings", str(inside)])
            self.recordings = Path(f"/proc/{venue.pid}/root{inside}")

    def _configure(self, socket: Path, picture: Picture, destinations: Sequence[str]) -> None:
        settings = StreamSettings(
            source=VideoFile(path=str(self.camera.fifo)),
            picture=picture,
            destinations=tuple(Destination(name=name, url=ADDRESSES[name]) for name in destinations),
            recordings_dir=str(self._folder / "recordings"),
        )
        config = {
            "state_dir": str(self._folder / "state"),
            "run_dir": str(self._folder / "run"),
            "bus": {"socket": str(socket)},
            "door": {"event": "evening", "camera": {"kind": "pictures", "folder": "."}, "panel": {"pins": "mock"}},
            "stream": {name: of for name, of in msgspec.to_builtins(settings).items() if of is not None},
        }
        for each in config["stream"]["destinations"]:
            each.pop("ca_file")
        self._config = self._folder / "platypus.toml"
        self._config.write_text(tomli_w.dumps(config), encoding="utf-8")
        secrets = self._folder / "secrets.toml"
        secrets.touch(0o600)
        secrets.write_text(tomli_w.dumps({"stream_keys": dict.fromkeys(destinations, KEY)}), encoding="utf-8")

    def _keep_running(self, worker: Worker) -> None:
        argv = [sys.executable, "-m", "kiosk", "stream", "--config", str(self._config)]
        with (self._folder / "platypus.log").open("ab") as log:
            while not worker.is_stopping:
                process = subprocess.Popen(mortal(self.network.venue.argv(argv)), stdout=log, stderr=log)
                self._process = process
                while process.poll() is None and worker.wait(0.02):
                    worker.tick()
                if worker.is_stopping:
                    process.terminate()
                    process.wait(20)
                worker.wait(START_AGAIN_S)

    def _hear(self, _topic: str, state: StreamState) -> None:
        self._told.append((time.monotonic(), state))


def gap_s(seen: Sequence[Seen], since_s: float) -> float:
    """The longest time without a picture at the viewer's that ended after `since_s`."""
    pairs = itertools.pairwise(seen)
    return max(later.at_s - earlier.at_s for earlier, later in pairs if later.at_s > since_s)


def time_gap_s(seen: Sequence[Seen], since_s: float) -> float:
    """The longest step between the times of two pictures: what a player with a small buffer shows as a gap."""
    pairs = itertools.pairwise(seen)
    return max(later.time_s - earlier.time_s for earlier, later in pairs if later.at_s > since_s)


def back_s(seen: Sequence[Seen]) -> float:
    """How far time went back for the viewer: a player shows nothing until it has passed what it had seen.

    Up to the distance of keyframes is normal where a connection begins anew: it does so with the last keyframe.
    """
    latest = itertools.accumulate((each.time_s for each in seen), max)
    return max(before - each.time_s for each, before in zip(seen, latest, strict=True))


def watch(path: Path) -> Film:
    """Decode a recording."""
    numbers: list[int | None] = []
    times: list[float] = []
    flashes: list[float] = []
    sounds: list[tuple[float, float]] = []  # time, loudness of every 64 samples
    with av.open(str(path), format="mpegts") as film:
        for frame in film.decode(film.streams.video[0], film.streams.audio[0]):
            if isinstance(frame, av.VideoFrame):
                luma = frame.to_ndarray(format="gray")
                numbers.append(read_number(luma))
                times.append(float(frame.time))
                if numbers[-1] is not None and is_flash(luma):
                    flashes.append(times[-1])
            else:
                level = np.abs(frame.to_ndarray()[0][: frame.samples // 64 * 64]).reshape(-1, 64).max(axis=1)
                sounds += [(float(frame.time) + k * 64 / frame.rate, float(each)) for k, each in enumerate(level)]
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return Film(numbers, max(steps, default=0.0), _offsets_s(flashes, sounds))


def _offsets_s(flashes: Sequence[float], sounds: Sequence[tuple[float, float]]) -> list[float]:
    loud = np.array([level > 0.05 for _, level in sounds], bool)
    at = np.array([time_s for time_s, _ in sounds])
    beeps = at[1:][loud[1:] & ~loud[:-1]] if len(at) > 1 else at
    near = [float(beeps[np.argmin(np.abs(beeps - flash))] - flash) for flash in flashes if len(beeps)]
    return [each for each in near if abs(each) < FLASH_EVERY_S / 4]  # the others' flash or beep went with a fault


def _argv(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
