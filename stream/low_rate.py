"""The low-rate copy of the program, for destinations whose network is too slow: one transcoder for all that need it.

It runs while somebody needs it. Its output is cut into frames as the hub's are, with the times they came with.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import threading
from pathlib import Path

from hardware.clock import Clock
from hardware.worker import Worker
from stream import graph, mpegts
from stream.backoff import Backoff
from stream.errors import ChildError
from stream.hub import Hub
from stream.liveness import quiet_s
from stream.mpegts import PACKET_BYTES, PAT_PID
from stream.process import Child
from stream.settings import Picture
from stream.tap import LEG_LIMIT_BYTES, Chunk, Tap
from stream.video_coding import VideoCoding

log = logging.getLogger(__name__)

_INPUT_LIMIT_BYTES = 4_000_000
_STUCK_AFTER_S = 6.0
_PIPE_BYTES = 1 << 18
_READ_BYTES = 1 << 16


class LowRate:
    """Copies the hub of the moment. Safe with threads; nobody waits for it."""

    def __init__(
        self, picture: Picture, clock: Clock, folder: Path | None = None, coding: VideoCoding | None = None
    ) -> None:
        self._coding = coding or VideoCoding.software(picture)
        self._clock = clock
        self._folder = folder
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._taps: list[Tap] = []
        self._worker: Worker | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the transcoder, when it runs."""
        return self._pid

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    def start(self, hub: Hub) -> None:
        """Be ready to copy what `hub` sends."""
        self._worker = Worker("stream-low-rate", lambda worker: self._run(worker, hub))
        self._worker.start()

    def stop(self) -> None:
        """End; safe to call twice."""
        if self._worker is not None:
            self._worker.ask_to_stop()
            self._wake.set()
            self._worker.stop(timeout_s=10.0)
            self._worker = None

    def join(self, name: str) -> Tap:
        """A queue of the copy, from its next keyframe on."""
        tap = Tap(name, LEG_LIMIT_BYTES)
        with self._lock:
            self._taps.append(tap)
        self._wake.set()
        return tap

    def leave(self, tap: Tap) -> None:
        """Forget a queue; the transcoder ends with the last one."""
        with self._lock:
            if tap in self._taps:
                self._taps.remove(tap)
        tap.close()

    def _run(self, worker: Worker, hub: Hub) -> None:
        backoff = Backoff((0.2, 1.0, 2.0, 4.0))
        while not worker.is_stopping:
            worker.tick()
            if not self._taps:
                backoff.reset()
                self._wake.wait(0.5)
                self._wake.clear()
                continue
            cause = self._copy(worker, hub)
            if self._taps and not worker.is_stopping:
                wait_s = backoff.next_wait_s(self._clock.monotonic())
                log.warning('low-rate event=lost cause="%s" retry_in_s=%.1f', cause, wait_s)
                worker.wait(wait_s)

    def _copy(self, worker: Worker, hub: Hub) -> str:
        """One transcoder, for as long as it is needed. Returns why it ended."""
        ours, theirs = os.pipe()
        with contextlib.suppress(PermissionError):  # a machine that allows less: the usual 64 kB do as well
            fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            argv = graph.transcoder(self._coding.picture, out_fd=theirs)
        except BaseException:
            os.close(ours)
            os.close(theirs)
            raise
        try:
            child = Child("low-rate", argv, give_fds=(theirs,), has_stdin=True, folder=self._folder)
        except ChildError as error:
            os.close(ours)
            return str(error)
        self._pid = child.pid
        tap = hub.attach("low-rate", _INPUT_LIMIT_BYTES)
        try:
            return self._pump(worker, tap, child, ours)
        finally:
            self._pid = None
            hub.detach(tap)
            child.kill()
            os.close(ours)
            if self._taps and not worker.is_stopping:  # it was needed
                self._coding.ended("low-rate", child.last_lines, gave_frames=False)

    def _pump(self, worker: Worker, tap: Tap, child: Child, fd: int) -> str:
        cutter = FrameCutter()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        rest = memoryview(b"")
        moved_s = self._clock.monotonic()
        while self._taps and not worker.is_stopping:
            worker.tick()
            if not rest:
                chunk = tap.take(0.02)
                rest = memoryview(chunk.data if chunk else b"")
            try:
                if rest:
                    rest = rest[child.write(rest, 0.0) :]
            except BrokenPipeError:
                return f"exit code {child.stop()}"
            now_s = self._clock.monotonic()
            while poll.poll(20 if rest else 0):
                data = os.read(fd, _READ_BYTES)
                if not data:
                    return f"exit code {child.stop()}"
                moved_s = now_s
                for chunk in cutter.feed(data):
                    self._give(chunk, now_s)
            is_hungry = tap.fed_at_s is None or now_s - tap.fed_at_s > 1.0
            moved_s = now_s if is_hungry else moved_s
            if now_s - moved_s > _STUCK_AFTER_S:
                return f"it gave nothing for {_STUCK_AFTER_S:.0f} s"
        return "not needed"

    def _give(self, chunk: Chunk, now_s: float) -> None:
        with self._lock:
            for tap in self._taps:
                tap.put(chunk, now_s)


class FrameCutter:
    """Cuts a transport stream at the beginnings of its pictures; those that can be decoded alone get their tables."""

    def __init__(self) -> None:
        self._buf = bytearray()
        self._walked = 0
        self._tables: dict[int, bytes] = {}  # the last packet of each
        self._map_pid: int | None = None
        self._program = mpegts.Program(None, frozenset())
        self._has_begun = False  # a picture begins at the start of _buf
        self._is_keyframe = False

    def feed(self, data: bytes) -> list[Chunk]:
        """Take some bytes; the frames that are complete by now. What comes before the first picture is left out."""
        self._buf += data
        buf, chunks = self._buf, []
        while self._walked + PACKET_BYTES <= len(buf):
            at = self._walked
            pid = mpegts.pid_of(buf, at)
            if mpegts.is_unit_start(buf, at):
                if pid in (PAT_PID, self._map_pid):
                    self._learn(pid, at)
                elif pid == self._program.video_pid and mpegts.pes(buf, at) is not None:
                    chunks += self._cut(at)
                    at = 0
            self._walked = at + PACKET_BYTES
        return chunks

    def _cut(self, at: int) -> list[Chunk]:
        chunks = [self._chunk(bytes(self._buf[:at]))] if self._has_begun else []
        del self._buf[:at]
        self._has_begun = True
        self._is_keyframe = mpegts.is_keyframe(self._buf, 0)
        return chunks

    def _chunk(self, data: bytes) -> Chunk:
        tables = b"".join(self._tables.values()) if self._is_keyframe else b""
        return Chunk(tables + data, self._is_keyframe, 1)

    def _learn(self, pid: int, at: int) -> None:
        section = mpegts.table(self._buf, at)
        if section is None:
            return
        self._tables[pid] = bytes(self._buf[at : at + PACKET_BYTES])
        if pid == PAT_PID:
            self._map_pid = mpegts.program_map_pid(section)
        else:
            self._program = mpegts.program(section) or self._program
