"""The recording: the timeline written to a file by ourselves, safe against a power cut to within a second.

No ffmpeg muxer syncs, and the kernel may hold the last 30 s; hence fdatasync every second (measured: 0.6 s lost).
The disk is shared with the ledger of the door, which must always find room: the recording stops before it is full.
"""

from __future__ import annotations

import errno
import logging
import threading
from pathlib import Path

from hardware.clock import Clock
from hardware.worker import Worker
from stream.disk import Disk, LocalDisk, RecordingFile
from stream.health import FIRST_PICTURE, Health, LegKind, LegState
from stream.hub import Chunk, Hub, Tap
from stream.liveness import FAULT, has_failed, quiet_s
from stream.rate import Rate

log = logging.getLogger(__name__)

SYNC_PERIOD_S = 1.0
QUEUE_LIMIT_BYTES = 16_000_000  # 50 s at 2.5 Mb/s: an SD card may pause for seconds, and nothing should be lost then
RESERVE_BYTES = 64_000_000  # left to the ledger, the order and the logs
_RETRY_S = 5.0
_BEHIND_BYTES = 1_000_000
_HUNGRY_AFTER_S = 3.0


class Recording:
    """Writes one file a session, another one after trouble. Counters last as long as this object."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        disk: Disk | None = None,
        reserve_bytes: int = RESERVE_BYTES,
        retry_s: float = _RETRY_S,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._disk = disk or LocalDisk()
        self._reserve_bytes = reserve_bytes
        self._retry_s = retry_s
        self._lock = threading.Lock()
        self._retry_now = threading.Event()
        self._worker: Worker | None = None
        self._tap: Tap | None = None
        self._state = Health.STOPPED
        self._cause = ""
        self._frames = 0
        self._reopened = 0
        self._dropped_before = 0
        self._retry_at_s: float | None = None
        self._rate = Rate()
        self._file_name: str | None = None

    @property
    def file_name(self) -> str | None:
        """Name of the file that is being written."""
        return self._file_name

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    def start(self, hub: Hub) -> None:
        """Begin to write what `hub` sends."""
        self._retry_now.clear()
        self._set(Health.WAITING, FIRST_PICTURE)
        self._worker = Worker("stream-recording", lambda worker: self._run(worker, hub))
        self._worker.start()

    def stop(self) -> None:
        """Write what still waits, sync, close."""
        if self._worker is not None:
            self._worker.ask_to_stop()
            self._retry_now.set()
            self._worker.stop(timeout_s=10.0)
            self._worker = None
        self._set(Health.STOPPED)

    def retry(self) -> None:
        """Try again now, when it waits."""
        with self._lock:
            if self._retry_at_s is not None:  # else a later wait would be cut short
                self._retry_now.set()

    def state(self) -> LegState:
        """What it is doing now."""
        now_s = self._clock.monotonic()
        with self._lock:
            tap = self._tap
            state, cause = self._state, self._cause
            queue_bytes = tap.queue_bytes if tap else 0
            if has_failed(self._worker):
                state, cause = Health.LOST, FAULT
            elif state is Health.LIVE and tap is not None:
                if tap.fed_at_s is None or now_s - tap.fed_at_s > _HUNGRY_AFTER_S:
                    state, cause = Health.WAITING, "nothing comes from the camera"
                elif queue_bytes > _BEHIND_BYTES:
                    state, cause = Health.BEHIND, f"the disk is slow: {queue_bytes // 1000} kB wait"
            return LegState(
                name="recording",
                kind=LegKind.RECORDING,
                state=state,
                cause=cause,
                frames_sent=self._frames,
                reconnects=self._reopened,
                dropped_frames=self._dropped_before + (tap.dropped_frames if tap else 0),
                queue_bytes=queue_bytes,
                bit_rate_kbps=round(self._rate.per_s(now_s) * 8 / 1000),
                retry_in_s=None if self._retry_at_s is None else max(0.0, self._retry_at_s - now_s),
            )

    def _run(self, worker: Worker, hub: Hub) -> None:
        is_again = False
        while not worker.is_stopping:
            tap = hub.attach("recording", QUEUE_LIMIT_BYTES)
            with self._lock:
                self._tap = tap
            try:
                self._record(worker, tap, is_again=is_again)
            except OSError as error:
                cause = self._words(error)
                log.error('leg=recording event=lost cause="%s" retry_in_s=%.1f', cause, self._retry_s)  # noqa: TRY400
                self._set(Health.LOST, cause, self._clock.monotonic() + self._retry_s)
                is_again = True
            finally:
                hub.detach(tap)
                with self._lock:
                    self._dropped_before += tap.dropped_frames
                    self._tap = None
            if not worker.is_stopping:
                self._wait(worker)

    def _wait(self, worker: Worker) -> None:
        """Until it is time to try again, or somebody wants it now."""
        rest_s = self._retry_s
        while rest_s > 0 and not self._retry_now.wait(min(rest_s, 1.0)):
            worker.tick()
            rest_s -= 1.0
        with self._lock:
            self._retry_at_s = None
            self._retry_now.clear()

    def _record(self, worker: Worker, tap: Tap, *, is_again: bool) -> None:
        """One file, until asked to stop and all is written. Raises OSError."""
        self._check_room()
        first = self._first(worker, tap)
        if first is None:
            return
        path, file = self._create()
        written = False
        try:
            file.write(first.data)
            self._note(first)
            written = True
            self._set(Health.LIVE)
            self._file_name = path.name
            with self._lock:
                self._reopened += is_again
            log.info("leg=recording event=live file=%s", path.name)
            self._write_on(worker, tap, file)
        finally:
            self._file_name = None
            file.close()
            if not written:
                self._disk.remove(path)
            log.info("leg=recording event=closed file=%s", path.name)

    def _write_on(self, worker: Worker, tap: Tap, file: RecordingFile) -> None:
        synced_s = self._clock.monotonic()
        while True:
            worker.tick()
            chunk = tap.take(0.2)
            if chunk is not None:
                file.write(chunk.data)
                self._note(chunk)
            elif worker.is_stopping:
                return
            if self._clock.monotonic() - synced_s >= SYNC_PERIOD_S:
                file.sync()
                synced_s = self._clock.monotonic()
                self._check_room()

    def _first(self, worker: Worker, tap: Tap) -> Chunk | None:
        while True:
            worker.tick()
            chunk = tap.take(0.2)
            if chunk is not None or worker.is_stopping:
                return chunk

    def _create(self) -> tuple[Path, RecordingFile]:
        """A file of this moment's name. A clock that was set back must not cost an older recording."""
        begun = self._clock.stamp().wall.astimezone()
        for number in range(1, 1000):
            suffix = "" if number == 1 else f"-{number}"
            path = self._folder / f"{begun:%Y-%m-%d_%H%M%S}{suffix}.ts"
            try:
                return path, self._disk.create(path)
            except FileExistsError:
                continue
        raise FileExistsError(errno.EEXIST, "a thousand recordings of the same second", str(self._folder))

    def _check_room(self) -> None:
        free = self._disk.free_bytes(self._folder)
        if free < self._reserve_bytes:
            raise OSError(errno.ENOSPC, f"{free // 1_000_000} MB left")

    def _words(self, error: OSError) -> str:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return (
                f"the disk is full ({error.strerror}): delete old recordings in {self._folder}; "
                "the stream and the door go on"
            )
        return f"the recording cannot be written ({error.strerror}): check the disk and {self._folder}"

    def _note(self, chunk: Chunk) -> None:
        with self._lock:
            self._frames += chunk.frames
            self._rate.add(self._clock.monotonic(), len(chunk.data))

    def _set(self, state: Health, cause: str = "", retry_at_s: float | None = None) -> None:
        with self._lock:
            self._state, self._cause, self._retry_at_s = state, cause, retry_at_s
