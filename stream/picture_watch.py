"""Whether the camera gives a picture worth showing: frozen and black ones, from small grey pictures twice a second.

They come from the camera's encoder, before anything is drawn over them, so it is never a slate that is judged.

**Frozen** means that not one of 14400 pixels changed: what a stuck driver or a hung camera gives again and again. A
camera that films a still scene never does: of its noise some pixels are left, even the least noise (1 of 255) through
the worst coding (H.264 at 1 Mb/s, a keyframe each 4 s) moved 3 pixels or more each time; `benchmarks/watching.py`.
A capture card that shows slides gives the same bits for minutes, and V4L2 does not tell one from a camera: hence
`still_picture_ok` of the source. A film may hold a slide as well, and cannot hang without falling silent.

**Black** means that all but a few pixels are dark: a lens cap, a blank HDMI signal, a room without light.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hardware.clock import Clock
from hardware.worker import Worker
from stream.alarms import Alarm, Latch
from stream.graph import WATCH_HEIGHT_PX, WATCH_WIDTH_PX
from stream.settings import CameraModule, NetworkCamera, Source, TestPicture, VideoDevice, VideoFile

log = logging.getLogger(__name__)

_PICTURE_BYTES = WATCH_WIDTH_PX * WATCH_HEIGHT_PX
_DARK = bytes(range(24))  # of 255; libavfilter's blackdetect takes a tenth of the range, too
_BRIGHT_SHARE = 0.005  # a dark slide with a few words on it is no black picture
_STALE_S = 2.0  # without a small picture for so long nothing is known: somebody else says that there is none
_READ_BYTES = 1 << 16


def may_stand_still(source: Source) -> bool:
    """Whether this source may show the same bits for minutes without being broken."""
    match source:
        case VideoDevice() | NetworkCamera():
            return source.still_picture_ok
        case VideoFile():
            return True
        case TestPicture() | CameraModule():
            return False


class PictureWatch:
    """Judges the small pictures of one source. Safe with threads."""

    def __init__(self, clock: Clock, *, may_stand_still: bool) -> None:
        self._clock = clock
        self._may_stand_still = may_stand_still
        self._lock = threading.Lock()
        # With up to 0.5 s until the first equal picture, and as much for the encoder: an alarm within 5 s.
        self._frozen = Latch(on_after_s=3.0, off_after_s=1.0)
        self._black = Latch(on_after_s=3.0, off_after_s=1.0)
        self._last = b""
        self._taken_at_s = self._still_since_s = self._dark_since_s = -_STALE_S

    @contextmanager
    def watching(self, fd: int) -> Iterator[None]:
        """Take what comes from `fd` (8-bit grey, WATCH_WIDTH_PX x WATCH_HEIGHT_PX) in a thread; closes it."""
        with self._lock:
            self._forget()
        try:
            with Worker("stream-pictures", lambda worker: self._read(worker, fd)):
                yield
        finally:
            os.close(fd)

    def take(self, picture: bytes, now_s: float) -> None:
        """Judge one small picture."""
        is_same = picture == self._last
        is_dark = len(picture.translate(None, delete=_DARK)) <= len(picture) * _BRIGHT_SHARE
        with self._lock:
            self._last, self._taken_at_s = picture, now_s
            self._still_since_s = self._still_since_s if is_same else now_s
            self._dark_since_s = self._dark_since_s if is_dark else now_s
            self._frozen.look(now_s, is_bad=is_same and not self._may_stand_still)
            self._black.look(now_s, is_bad=is_dark)

    def alarms(self, now_s: float) -> tuple[Alarm, ...]:
        """What is wrong with the picture; nothing while none comes. A frozen black one is black."""
        with self._lock:
            if now_s - self._taken_at_s > _STALE_S:
                return ()
            if self._black.is_on:
                return (
                    Alarm(
                        code="black",
                        cause=f"the camera's picture is black for {now_s - self._dark_since_s:.0f} s",
                        action="Take off the lens cap, switch on the light, or wake what is plugged in",
                    ),
                )
            if self._frozen.is_on:
                return (
                    Alarm(
                        code="frozen",
                        cause=f"the camera's picture has not changed for {now_s - self._still_since_s:.0f} s",
                        action="Unplug the camera and plug it in again. If it shows slides, write "
                        "still_picture_ok = true under [stream.source]",
                    ),
                )
            return ()

    def _forget(self) -> None:
        self._last = b""
        self._taken_at_s = self._still_since_s = self._dark_since_s = -_STALE_S
        self._frozen.reset()
        self._black.reset()

    def _read(self, worker: Worker, fd: int) -> None:
        """Until the end. The pipe is emptied whatever happens here: an encoder that waits for us would be silent."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        rest = b""
        can_judge = True
        while not worker.is_stopping:
            worker.tick()
            if not poll.poll(200):
                continue
            data = os.read(fd, _READ_BYTES)
            if not data:
                return
            rest += data
            while len(rest) >= _PICTURE_BYTES:
                picture, rest = rest[:_PICTURE_BYTES], rest[_PICTURE_BYTES:]
                if can_judge:
                    can_judge = self._try(picture)

    def _try(self, picture: bytes) -> bool:
        try:
            self.take(picture, self._clock.monotonic())
        except Exception:
            log.exception("source=camera event=pictures-not-judged next=without-these-alarms")
            return False
        return True
