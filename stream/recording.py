"""The recording: the timeline written to files by ourselves, one for each talk, safe against a power cut to a second.

No ffmpeg muxer syncs, and the kernel may hold the last 30 s; hence fdatasync every second (measured: 0.6 s lost).
The disk is shared with the ledger of the door, which must always find room: the recording stops before it is full,
and goes on in the spare folder, if there is one. While no folder takes it the queue keeps what it can.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from hardware.clock import Clock
from hardware.worker import Worker
from stream.alarms import Alarm
from stream.disk import Disk, LocalDisk
from stream.films import Films, words
from stream.health import FIRST_PICTURE, Health, LegKind, LegState
from stream.hub import Chunk, Hub, Tap
from stream.rate import Rate
from stream.standing import Standing
from stream.takes import Take

log = logging.getLogger(__name__)

SYNC_PERIOD_S = 1.0
QUEUE_LIMIT_BYTES = 16_000_000  # 50 s at 2.5 Mb/s: an SD card may pause for seconds, and nothing should be lost then
RESERVE_BYTES = 64_000_000  # left to the ledger, the order and the logs
NOT_RECORDED = "the speaker does not want to be recorded: it goes on with the next talk"
_RETRY_S = 5.0
_PORTION_S = 0.2  # only what is synced is safe, so nothing is gained by being woken at each frame
_BEHIND_BYTES = 1_000_000
_HUNGRY_AFTER_S = 3.0


class Recording:
    """Writes one file a take, another one after trouble. Counters last as long as this object."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        frames_per_s: int,
        spare: Path | None = None,
        disk: Disk | None = None,
        reserve_bytes: int = RESERVE_BYTES,
        retry_s: float = _RETRY_S,
    ) -> None:
        self._folders = tuple(each.absolute() for each in (folder, spare) if each is not None)
        self._clock = clock
        self._frames_per_s = frames_per_s
        self._retry_s = retry_s
        self._films = Films(self._folders, clock, disk or LocalDisk(), reserve_bytes)
        self._standing = Standing("recording", clock)
        self._lock = threading.Lock()  # of what follows
        self._tap: Tap | None = None
        self._take = Take()
        self._dropped_before = 0
        self._rate = Rate()

    @property
    def file_name(self) -> str | None:
        """Name of the file that is being written."""
        path = self._films.path
        return path.name if path is not None and self._films.is_open else None

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return self._standing.quiet_s

    def start(self, hub: Hub) -> None:
        """Begin to write what `hub` sends."""
        self._standing.begin(lambda worker: self._run(worker, hub))

    def stop(self) -> None:
        """Write what still waits, sync, close."""
        self._standing.end()

    def follow(self, take: Take) -> None:
        """What comes from now on is of `take`: a new file from the next keyframe on, or a chapter. Never waits.

        A take that must not be recorded ends the file at once.
        """
        with self._lock:
            if take == self._take:
                return
            self._take = take
            if self._tap is not None:
                self._tap.mark(take)

    def is_writing(self, path: Path) -> bool:
        """Whether this is the file that is being written."""
        return path == self._films.path

    def alarms(self) -> tuple[Alarm, ...]:
        """That it goes to the spare folder, and why."""
        trouble = self._films.trouble
        if trouble is None or not self._films.is_open:
            return ()
        first, spare = self._folders[0], self._folders[-1]
        return (
            Alarm(
                code="disk",
                cause=f"{words(trouble)}: the recording goes on in {spare}",
                action=f"After the talk, look at {first}: make room there, or put the disk back",
            ),
        )

    def retry(self) -> None:
        """Try again now, when it waits."""
        self._standing.retry()

    def state(self) -> LegState:
        """What it is doing now."""
        now_s = self._clock.monotonic()
        state, cause, _, retry_in_s = self._standing.now()
        with self._lock:
            tap = self._tap
            queue_bytes = tap.queue_bytes if tap else 0
            if state is Health.LIVE and tap is not None:
                if tap.fed_at_s is None or now_s - tap.fed_at_s > _HUNGRY_AFTER_S:
                    state, cause = Health.WAITING, "nothing comes from the camera"
                elif queue_bytes > _BEHIND_BYTES:
                    state, cause = Health.BEHIND, f"the disk is slow: {queue_bytes // 1000} kB wait"
            return LegState(
                name="recording",
                kind=LegKind.RECORDING,
                state=state,
                cause=cause,
                frames_sent=self._films.frames,
                written_s=round(self._films.frames / self._frames_per_s, 1),
                reconnects=self._films.reopened,
                dropped_frames=self._dropped_before + (tap.dropped_frames if tap else 0),
                queue_bytes=queue_bytes,
                bit_rate_kbps=round(self._rate.per_s(now_s) * 8 / 1000),
                retry_in_s=retry_in_s,
            )

    def _run(self, worker: Worker, hub: Hub) -> None:
        tap = hub.attach("recording", QUEUE_LIMIT_BYTES)
        with self._lock:
            self._tap = tap
            take = self._take
        try:
            self._films.begin_with(take)
            self._say_what_it_does()
            while not self._write(worker, tap):
                continue
        finally:
            self._films.close()
            hub.detach(tap)
            with self._lock:
                self._dropped_before += tap.dropped_frames
                self._tap = None

    def _write(self, worker: Worker, tap: Tap) -> bool:
        """Write what comes; after a trouble, wait. Returns whether that is all: it was asked to stop, and nothing waits
        that can be kept."""
        try:
            self._films.look()
            self._films.resume()
            self._write_on(worker, tap)
        except OSError as error:
            where = " and ".join(str(folder) for folder in self._folders)
            cause = f"{words(error)}: look after {where}; the stream and the door go on"
            log.error('leg=recording event=lost cause="%s" retry_in_s=%.1f', cause, self._retry_s)  # noqa: TRY400
            if not worker.is_stopping:
                self._standing.wait(worker, self._retry_s, Health.LOST, cause)
                return False
        return True

    def _write_on(self, worker: Worker, tap: Tap) -> None:
        """Raises OSError."""
        synced_s = self._clock.monotonic()
        while True:
            worker.tick()
            is_last = worker.is_stopping  # looked at before the queue: what was put there before is written
            chunk = tap.take(0.0)
            if chunk is not None:
                self._take_in(chunk)
            elif is_last:
                return
            else:
                worker.wait(_PORTION_S)
            if self._clock.monotonic() - synced_s >= SYNC_PERIOD_S:
                self._films.tend()
                synced_s = self._clock.monotonic()

    def _take_in(self, chunk: Chunk) -> None:
        if isinstance(chunk.mark, Take):
            self._films.follow(chunk.mark)
        else:
            before = self._films.is_open
            self._films.put(chunk)
            if self._films.is_open:
                with self._lock:
                    self._rate.add(self._clock.monotonic(), len(chunk.data))
            if before == self._films.is_open and self._standing.state is Health.LIVE:
                return
        self._say_what_it_does()

    def _say_what_it_does(self) -> None:
        if self._films.is_open:
            self._standing.say(Health.LIVE)
        elif not self._films.is_wanted:
            self._standing.say(Health.WAITING, NOT_RECORDED)
        else:
            self._standing.say(Health.WAITING, FIRST_PICTURE)
