"""What the tests of the stream play with: small pictures, a transport stream made by hand, a real RTMP server."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av

from hardware.clock import SystemClock
from stream import copies, mpegts
from stream.mpegts import PACKET_BYTES, write_pcr, write_timestamp
from stream.process import Child
from stream.settings import Picture

SMALL = Picture(
    width_px=320,
    height_px=180,
    frames_per_s=15,
    keyframe_s=1,
    video_kbps=300,
    audio_kbps=64,
    preset="ultrafast",
)
STEP_TICKS = 90_000 // SMALL.frames_per_s
VIDEO, AUDIO, MAP = 0x100, 0x101, 0x1000
AUDIO_STEP_TICKS = 1920


def until(is_so: Callable[[], object], limit_s: float = 10.0, what: str = "") -> float:
    """Wait until `is_so()`; seconds it took. AssertionError after `limit_s`."""
    clock = SystemClock()
    began_s = clock.monotonic()
    pause = threading.Event()
    while not is_so():
        waited_s = clock.monotonic() - began_s
        assert waited_s < limit_s, f"not within {limit_s} s: {what or is_so}"
        pause.wait(0.02)
    return clock.monotonic() - began_s


def is_running(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# A transport stream made by hand.


def packets(pid: int, payload: bytes, *, pcr: int | None = None, is_key: bool = False) -> bytes:
    """One payload in as many packets as it takes, counters from 0."""
    made = bytearray()
    first = True
    counter = 0
    while payload or first:
        field = b""
        if first and (pcr is not None or is_key):
            flags = (0x10 if pcr is not None else 0) | (0x40 if is_key else 0)
            clock = bytearray(6 if pcr is not None else 0)
            if pcr is not None:
                write_pcr(clock, 0, pcr)
            field = bytes([flags]) + bytes(clock)
        room = PACKET_BYTES - 4 - (len(field) + 1 if field else 0)
        part, payload = payload[:room], payload[room:]
        if len(part) < room:
            missing = room - len(part)
            if not field:
                missing -= 1
                field = b"\x00" if missing else b""
                missing -= len(field)
                has_field = True
            else:
                has_field = True
            field += b"\xff" * missing
        else:
            has_field = bool(field)
        head = bytes([0x47, (0x40 if first else 0) | pid >> 8, pid & 0xFF, (0x30 if has_field else 0x10) | counter])
        made += head + (bytes([len(field)]) + field if has_field else b"") + part
        counter = (counter + 1) & 15
        first = False
    return bytes(made)


def section(pid: int, body: bytes) -> bytes:
    """A table in one packet."""
    return packets(pid, (b"\x00" + body + _checksum(body)).ljust(184, b"\xff"))


def _checksum(body: bytes) -> bytes:
    """CRC-32 as in annex A of ISO/IEC 13818-1."""
    rest = 0xFFFFFFFF
    for byte in body:
        rest ^= byte << 24
        for _ in range(8):
            rest = (rest << 1 ^ (0x04C11DB7 if rest & 0x80000000 else 0)) & 0xFFFFFFFF
    return rest.to_bytes(4, "big")


def tables() -> bytes:
    """PAT and PMT: H.264 and AAC."""
    pat = bytes([0, 0xB0, 13, 0, 1, 0xC1, 0, 0, 0, 1, 0xE0 | MAP >> 8, MAP & 0xFF])
    pmt = bytes([2, 0xB0, 23, 0, 1, 0xC1, 0, 0, 0xE0 | VIDEO >> 8, VIDEO & 0xFF, 0xF0, 0])
    pmt += bytes([0x1B, 0xE0 | VIDEO >> 8, VIDEO & 0xFF, 0xF0, 0, 0x0F, 0xE0 | AUDIO >> 8, AUDIO & 0xFF, 0xF0, 0])
    return section(0, pat) + section(MAP, pmt)


def pes_packet(stream_id: int, pts: int, data: bytes, dts: int | None = None) -> bytes:
    """A PES packet with one or two times."""
    times = bytearray(5 if dts is None else 10)
    times[0] = 0x20 if dts is None else 0x30
    write_timestamp(times, 0, pts)
    if dts is not None:
        times[5] = 0x10
        write_timestamp(times, 5, dts)
    flags = 0x80 if dts is None else 0xC0
    return bytes([0, 0, 1, stream_id, 0, 0, 0x80, flags, len(times)]) + bytes(times) + data


def camera(frames: int, *, gop: int = 15, begin: int = 0, size: int = 600, mark: int = 0) -> bytes:
    """A source's stream: `frames` of video with sound between, as a new encoder writes it."""
    made = bytearray(tables())
    sound = begin
    for number in range(frames):
        at = begin + number * STEP_TICKS
        is_key = number % gop == 0
        nal = b"\0\0\0\1\x09\xf0\0\0\0\1" + (b"\x65" if is_key else b"\x41") + bytes([mark]) * size
        made += packets(VIDEO, pes_packet(0xE0, at, nal), pcr=at, is_key=is_key)
        while sound < at + STEP_TICKS:
            made += packets(AUDIO, pes_packet(0xC0, sound, b"\xff\xf1" + bytes([mark]) * 100))
            sound += AUDIO_STEP_TICKS
    return bytes(made)


def microphone(frames: int, *, begin: int = 0, mark: int = 9) -> bytes:
    """A stream of sound alone, as ffmpeg writes it: on the first PID, with the clock in it, its lengths said."""
    pid, stream = VIDEO, bytes([0x0F, 0xE0 | VIDEO >> 8, VIDEO & 0xFF, 0xF0, 0])
    head = bytes([2, 0xB0, 18, 0, 1, 0xC1, 0, 0, 0xE0 | pid >> 8, pid & 0xFF, 0xF0, 0])
    made = bytearray(tables()[:PACKET_BYTES] + section(MAP, head + stream))
    for number in range(frames):
        at = (begin + number * AUDIO_STEP_TICKS) % mpegts.WRAP_TICKS
        frame = bytearray(pes_packet(0xC0, at, b"\xff\xf1" + bytes([mark]) * 250))
        frame[4:6] = (len(frame) - 6).to_bytes(2, "big")
        made += packets(pid, bytes(frame), pcr=at)
    return bytes(made)


def video_steps(path: Path | str) -> list[int]:
    """The steps between the DTS of one video frame and the next, as PyAV reads them. Ticks."""
    with av.open(str(path), format="mp4" if str(path).endswith(".mp4") else "mpegts") as film:
        times = [packet.dts for packet in film.demux(video=0) if packet.dts is not None]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def finished_films(folder: Path) -> list[Path]:
    """The films in `folder`, the oldest first, when there is nothing left to finish."""
    until(lambda: {path.suffix for path in folder.iterdir()} == {".mp4"}, 20, "all films are made")
    return sorted(folder.iterdir())


def unit_times(data: bytes) -> tuple[list[int], list[int]]:
    """The DTS of the video frames and of the sound packets in a transport stream. Ticks."""
    buf = bytearray(data)
    times: dict[int, list[int]] = {VIDEO: [], AUDIO: []}
    for at in range(0, len(buf), PACKET_BYTES):
        if mpegts.is_unit_start(buf, at) and (found := mpegts.pes(buf, at)) is not None:
            times[mpegts.pid_of(buf, at)].append(found.dts)
    return times[VIDEO], times[AUDIO]


def is_unbroken(data: bytes) -> bool:
    """Whether the continuity counters of every PID go on one by one."""
    last: dict[int, int] = {}
    for at in range(0, len(data), PACKET_BYTES):
        pid = (data[at + 1] & 0x1F) << 8 | data[at + 2]
        if pid == mpegts.NULL_PID:
            continue
        counter = data[at + 3] & 15
        if pid in last and counter != (last[pid] + 1) % 16:
            return False
        last[pid] = counter
    return True


def codec_headers(data: bytes) -> set[bytes]:
    """Every different SPS and PPS in the video of a transport stream; those that are whole."""
    buf, film = bytearray(data), b""
    for at in range(0, len(buf) - PACKET_BYTES + 1, PACKET_BYTES):
        start = mpegts.payload_at(buf, at)
        if mpegts.pid_of(buf, at) == VIDEO and start is not None:
            film += bytes(buf[start : at + PACKET_BYTES])
    *nals, _unfinished = film.split(b"\0\0\1")
    return {nal.rstrip(b"\0") for nal in nals if nal and nal[0] & 0x9F in (7, 8)}


def play(url: str, frames: int, limit_s: float = 10.0) -> float:
    """Play `url` until so many video frames came; seconds it took. AssertionError when they don't come."""
    with Child("viewer", copies.viewer(url), secrets=(url.rpartition("/")[2],)) as viewer:
        return until(lambda: viewer.progress and viewer.progress.frame >= frames, limit_s, "frames at the viewer")


class Viewer:
    """Somebody who watches from here to the end, and keeps what came, with its times as the server gave them."""

    def __init__(self, url: str, film: Path) -> None:
        self._film = film
        argv = ["ffmpeg", "-nostdin", "-loglevel", "level+info", "-nostats", "-progress", "pipe:1", "-copyts"]
        argv += ["-i", url, "-map", "0", "-c", "copy", "-copyts", "-f", "mpegts", str(film)]
        self._child = Child("viewer", argv)

    @property
    def frames(self) -> int:
        """How many video frames came until now."""
        return self._child.progress.frame if self._child.progress else 0

    def leave(self) -> None:
        """Stop watching. Safe to call twice."""
        self._child.stop()

    @property
    def gap_s(self) -> float:
        """The longest step between the times of two video frames; after `leave`."""
        return max(video_steps(self._film)) / 90_000

    @property
    def decoding_errors(self) -> str:
        """What a decoder has to say against it; after `leave`."""
        argv = ["/usr/bin/ffmpeg", "-v", "error", "-i", str(self._film), "-f", "null", "-"]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stderr


# A real server.

_NGINX = """
daemon off; master_process off; {user} pid {folder}/nginx.pid; error_log {folder}/error.log info;
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
events {{ worker_connections 64; }}
rtmp {{ access_log off; server {{ listen 127.0.0.1:{port};
  application live {{ live on; wait_key on; }}
  application closed {{ live on; deny publish all; }}
  application asks {{ live on; on_publish http://127.0.0.1:{asks_port}/; }}
}} }}
"""


class RtmpServer:
    """nginx with its RTMP module: `live` takes everything, `closed` nothing, `asks` only the key "right-key"."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._asks = _Asks(("127.0.0.1", 0), _KeyCheck)
        self._asking = threading.Thread(target=self._asks.serve_forever, daemon=True)
        self._asking.start()
        user = f"user {_own_name()};" if os.geteuid() == 0 else ""
        conf = _NGINX.format(folder=folder, port=self.port, asks_port=self._asks.server_address[1], user=user)
        self._conf = folder / "nginx.conf"
        self._conf.write_text(conf)
        self._nginx: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where `live`, `closed` and `asks` are."""
        return f"rtmp://127.0.0.1:{self.port}"

    @property
    def sessions(self) -> int:
        """How often somebody began to publish at `asks`."""
        return self._asks.publishes

    @property
    def pid(self) -> int:
        """The process that holds the connections."""
        assert self._nginx is not None
        return self._nginx.pid

    def start(self) -> None:
        """Listen; returns when it does."""
        nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert nginx, "apt install nginx libnginx-mod-rtmp"
        log = (self._folder / "nginx.out").open("ab")
        with log:
            self._nginx = subprocess.Popen(
                [nginx, "-p", str(self._folder), "-c", str(self._conf), "-e", str(self._folder / "error.log")],
                stdout=log,
                stderr=log,
            )
        until(self._answers, what="nginx listens")

    def kill(self) -> None:
        """Gone, without a word to anybody."""
        if self._nginx is not None:
            self._nginx.kill()
            self._nginx.wait()
            self._nginx = None

    def close(self) -> None:
        """Gone for good."""
        self.kill()
        self._asks.shutdown()
        self._asks.server_close()
        self._asking.join(5)

    def _answers(self) -> bool:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class _Asks(ThreadingHTTPServer):
    publishes = 0


class _KeyCheck(BaseHTTPRequestHandler):
    server: _Asks

    def do_POST(self) -> None:
        self.server.publishes += 1
        asked = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200 if b"name=right-key" in asked else 403)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Say nothing."""


class Line:
    """A network that carries so many bytes a second to a server on this machine, and drops nothing."""

    def __init__(self, port: int, bytes_per_s: int) -> None:
        self._to, self.bytes_per_s = port, bytes_per_s
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what waits, waits at the sender
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self._is_closed = threading.Event()
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        """Where it begins."""
        return int(self._listening.getsockname()[1])

    def close(self) -> None:
        """Cut it."""
        self._is_closed.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                for pair in ((client, server, True), (server, client, False)):
                    self._threads.append(threading.Thread(target=self._carry, args=pair))
                    self._threads[-1].start()

    def _carry(self, here: socket.socket, there: socket.socket, is_up: bool) -> None:
        with here, there, contextlib.suppress(OSError):
            while data := here.recv(self.bytes_per_s // 50 if is_up else 65536):
                there.sendall(data)
                if self._is_closed.wait(0.02):
                    return


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _own_name() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name
