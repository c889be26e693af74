"""The preview: what viewers see, as a picture for the organizer's phone and as HLS for a screen in the room next door.

One ffmpeg makes both from the timeline, at low priority: it copies the segments and decodes keyframes only (a hundredth
of a core). It is a leg like the others, and none of them ever waits for it. What it made is gone when it ends, so that
no old picture looks like a new one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from random import random

from hardware.clock import Clock
from hardware.worker import Worker
from stream import copies
from stream.backoff import Backoff
from stream.errors import ChildError
from stream.health import Health, LegKind, LegState
from stream.hub import LEG_LIMIT_BYTES, Chunk, Hub, Tap
from stream.preview_files import PICTURE, PLAYLIST
from stream.process import Child
from stream.rate import Rate
from stream.settings import Picture
from stream.standing import Standing
from stream.tap import first_of

log = logging.getLogger(__name__)

STUCK_AFTER_S = 10.0  # keyframes, and with them pictures and segments, come at least each 4 s
_LOOK_PERIOD_S = 0.5
_HUNGRY_AFTER_S = 1.0
_PORTION_S = 0.25  # nobody sees it sooner for being woken at each frame
_BEHIND_AFTER_S = 6.0
_STEPS_S = (1.0, 2.0, 5.0)
_SLOWER_S = ((60.0, 15.0),)


class Preview:
    """Keeps picture and segments in `folder` new. Counters last as long as this object."""

    def __init__(
        self,
        folder: Path,
        picture: Picture,
        clock: Clock,
        *,
        limit_bytes: int = LEG_LIMIT_BYTES,
        stuck_after_s: float = STUCK_AFTER_S,
        chance: Callable[[], float] = random,
    ) -> None:
        self._folder = folder
        self._picture = picture
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._stuck_after_s = stuck_after_s
        self._backoff = Backoff(_STEPS_S, _SLOWER_S, chance)
        self._standing = Standing("preview", clock)
        self._lock = threading.Lock()  # of what follows
        self._tap: Tap | None = None
        self._frames = 0
        self._dropped_before = 0
        self._restarts = 0
        self._rate = Rate()
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the ffmpeg that runs now."""
        return self._pid

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return self._standing.quiet_s

    def start(self, hub: Hub) -> None:
        """Begin to make pictures of what `hub` sends."""
        self._backoff.reset()
        self._standing.begin(lambda worker: self._run(worker, hub))

    def stop(self) -> None:
        """End it, and leave no picture behind."""
        self._standing.end()

    def retry(self) -> None:
        """Try again now, when it waits."""
        self._backoff.reset()
        self._standing.retry()

    def state(self) -> LegState:
        """What it is doing now."""
        stand = self._standing.now()
        with self._lock:
            return LegState(
                name="preview",
                kind=LegKind.PREVIEW,
                state=stand.state,
                cause=stand.cause,
                frames_sent=self._frames,
                reconnects=self._restarts,
                dropped_frames=self._dropped_before + (self._tap.dropped_frames if self._tap else 0),
                queue_bytes=self._tap.queue_bytes if self._tap else 0,
                bit_rate_kbps=round(self._rate.per_s(self._clock.monotonic()) * 8 / 1000),
                retry_in_s=stand.retry_in_s,
            )

    def _run(self, worker: Worker, hub: Hub) -> None:
        while not worker.is_stopping:
            tap = hub.attach("preview", self._limit_bytes)
            with self._lock:
                self._tap = tap
            try:
                cause = self._make(worker, tap)
            except OSError as error:
                cause = f"{self._folder} cannot be written: {error.strerror}"
            finally:
                hub.detach(tap)
                with self._lock:
                    self._dropped_before += tap.dropped_frames
                    self._tap = None
            if not worker.is_stopping:
                self._wait_after(cause, worker)

    def _make(self, worker: Worker, tap: Tap) -> str:
        """One ffmpeg from start to end. Returns why it ended. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._empty()
        first = first_of(tap, worker)
        if first is None:
            return ""
        # Players hold on to numbers and caches to names: each run goes on above the one before.
        argv = copies.preview(self._picture, first_segment=int(self._clock.monotonic() * 10))
        try:
            child = Child("preview", ["nice", "-n", "10", *argv], has_stdin=True, folder=self._folder)
        except ChildError as error:
            return str(error)
        self._pid = child.pid
        self._standing.say(Health.CONNECTING, "making the first picture")
        try:
            return self._feed(worker, tap, child, first)
        finally:
            self._pid = None
            child.stop(patience_s=1.0)
            self._empty()

    def _feed(self, worker: Worker, tap: Tap, child: Child, first: Chunk) -> str:
        rest = memoryview(first.data)
        self._note(first)
        look_at_s = self._clock.monotonic()
        outputs = [_Output(self._folder / name, look_at_s) for name in (PICTURE, PLAYLIST)]
        while not worker.is_stopping:
            worker.tick()
            if not rest and not (rest := self._portion(tap)):
                worker.wait(_PORTION_S)
            try:
                if rest:
                    rest = rest[child.write(rest, 0.1) :]
            except BrokenPipeError:
                return _why(child)
            if child.exit_code is not None:
                return _why(child)
            if self._clock.monotonic() >= look_at_s:
                look_at_s = self._clock.monotonic() + _LOOK_PERIOD_S
                if not self._judge(tap, outputs):
                    child.kill()
                    return "no picture was made any more"
        return ""

    def _portion(self, tap: Tap) -> memoryview:
        """All that waits."""
        chunks = list(iter(lambda: tap.take(0.0), None))
        for chunk in chunks:
            self._note(chunk)
        return memoryview(b"".join(chunk.data for chunk in chunks))

    def _judge(self, tap: Tap, outputs: list[_Output]) -> bool:
        """Whether it may go on."""
        now_s = self._clock.monotonic()
        ages_s = [output.age_s(now_s) for output in outputs]
        if tap.fed_at_s is None or now_s - tap.fed_at_s > _HUNGRY_AFTER_S:
            for output in outputs:
                output.excuse(now_s)
            self._standing.say(Health.WAITING, "nothing comes from the camera")
        elif max(ages_s) > self._stuck_after_s:
            return False
        elif all(output.was_made for output in outputs):
            if max(ages_s) > _BEHIND_AFTER_S:
                self._standing.say(Health.BEHIND, f"the last picture is {max(ages_s):.0f} s old")
            else:
                self._backoff.reset()
                self._standing.say(Health.LIVE)
        return True

    def _wait_after(self, cause: str, worker: Worker) -> None:
        wait_s = self._backoff.next_wait_s(self._clock.monotonic())
        log.warning('leg=preview event=lost cause="%s" retry_in_s=%.1f', cause, wait_s)
        self._standing.wait(worker, wait_s, Health.LOST, cause)
        with self._lock:
            self._restarts += 1

    def _empty(self) -> None:
        for path in self._folder.iterdir():
            path.unlink(missing_ok=True)

    def _note(self, chunk: Chunk) -> None:
        with self._lock:
            self._frames += chunk.frames
            self._rate.add(self._clock.monotonic(), len(chunk.data))


class _Output:
    """One file that has to become new again and again; seen by the clock that does not jump."""

    def __init__(self, path: Path, now_s: float) -> None:
        self._path = path
        self._seen_ns: int | None = None
        self._changed_s = now_s

    @property
    def was_made(self) -> bool:
        """Whether there is one."""
        return self._seen_ns is not None

    def age_s(self, now_s: float) -> float:
        """Seconds since it was last new, or since it was first waited for."""
        try:
            made_ns = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return now_s - self._changed_s
        if made_ns != self._seen_ns:
            self._seen_ns, self._changed_s = made_ns, now_s
        return now_s - self._changed_s

    def excuse(self, now_s: float) -> None:
        """There was nothing to make it of."""
        self._changed_s = now_s


def _why(child: Child) -> str:
    code = child.stop(patience_s=0.5)
    troubles = [line for line in child.last_lines if "[error]" in line or "[fatal]" in line]
    if troubles:
        return f"the preview ended: {troubles[-1].split(']', 1)[-1].strip(' []')}"
    return "the preview was killed" if code < 0 else f"the preview ended (exit code {code})"
