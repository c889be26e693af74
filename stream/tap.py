"""One leg's queue of whole frames: bounded, never waited for.

It starts with what a decoder needs (tables, then everything since the last keyframe), and when its leg is too slow it
loses everything up to the next keyframe: no leg ever waits for another.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import NamedTuple, Protocol

from hardware.worker import Worker
from stream.settings import Picture

log = logging.getLogger(__name__)

LEG_LIMIT_BYTES = 1_000_000  # a destination may wait this much (3 s at 2.5 Mb/s) before it jumps to the next keyframe


def leg_limit_bytes(picture: Picture) -> int:
    """How much a destination may wait: at least 1 MB, and half more than a new one gets at once (one GOP)."""
    gop_bytes = (picture.video_kbps + picture.audio_kbps) * 125 * picture.keyframe_s
    return max(LEG_LIMIT_BYTES, gop_bytes * 3 // 2)


class Chunk(NamedTuple):
    """Whole frames, one after the other; the unit in which legs take and lose."""

    data: bytes
    is_keyframe: bool  # begins with the tables and a keyframe, so a decoder can start here
    frames: int  # video frames in it
    mark: object = None  # not frames at all, but what whoever takes them was to know at this point: see Tap.mark


class Chunks(Protocol):
    """A queue that a leg takes from: a Tap, or a Feed of two of them."""

    def take(self, timeout_s: float) -> Chunk | None:
        """The oldest chunk, or None when there is none within `timeout_s`."""


def first_of(chunks: Chunks, worker: Worker) -> Chunk | None:
    """Wait for something to send; None when the leg is asked to stop before."""
    while not worker.is_stopping:
        worker.tick()
        chunk = chunks.take(0.2)
        if chunk is not None:
            return chunk
    return None


class Tap:
    """One leg's bounded queue. `put` never waits; `take` waits up to a limit."""

    def __init__(self, name: str, limit_bytes: int) -> None:
        self.name = name
        self.dropped_frames = 0
        self.fed_at_s: float | None = None  # when the hub last had something for it
        self._limit_bytes = limit_bytes
        self._queue: deque[Chunk] = deque()
        self._bytes = 0
        self._needs_keyframe = True
        self._is_closed = False
        self._changed = threading.Condition()

    @property
    def queue_frames(self) -> int:
        """Video frames that wait to be taken."""
        with self._changed:
            return sum(each.frames for each in self._queue)

    @property
    def queue_bytes(self) -> int:
        """What waits to be taken."""
        return self._bytes

    def put(self, chunk: Chunk, now_s: float) -> None:
        """Add a chunk; when the queue is full everything waiting is dropped, up to the next keyframe."""
        with self._changed:
            if self._is_closed:
                return
            self.fed_at_s = now_s
            if self._bytes + len(chunk.data) > self._limit_bytes and self._queue:
                lost = sum(each.frames for each in self._queue)
                self.dropped_frames += lost
                self._queue = deque(each for each in self._queue if each.mark is not None)
                self._bytes = 0
                self._needs_keyframe = True
                log.warning("leg=%s event=dropped-to-keyframe frames=%d", self.name, lost)
            if self._needs_keyframe and not chunk.is_keyframe:
                self.dropped_frames += chunk.frames
                return
            self._needs_keyframe = False
            self._queue.append(chunk)
            self._bytes += len(chunk.data)
            self._changed.notify()

    def mark(self, mark: object) -> None:
        """Put a mark between the frames that are there and those to come. It is never dropped."""
        with self._changed:
            if not self._is_closed:
                self._queue.append(Chunk(b"", is_keyframe=False, frames=0, mark=mark))
                self._changed.notify()

    def take(self, timeout_s: float) -> Chunk | None:
        """The oldest chunk, or None when there is none within `timeout_s` or the tap is closed and empty."""
        with self._changed:
            if not self._queue and not self._is_closed:
                self._changed.wait(timeout_s)
            if not self._queue:
                return None
            chunk = self._queue.popleft()
            self._bytes -= len(chunk.data)
            return chunk

    def close(self) -> None:
        """No more comes in; what waits can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
