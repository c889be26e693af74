"""A mailbox for one frame: a thread takes every frame the driver makes, a reader gets the newest, nothing queues.

A reader that needs 60 ms for a frame must not look at what was in front of the camera a second ago. So the frame it
did not come for in time is overwritten; `Frame.number` tells how many that were.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from types import TracebackType
from typing import Protocol, Self

from hardware.cameras.frames import Frame
from hardware.errors import CameraError, CameraGone, CameraStalled, EndOfFilm
from hardware.worker import Worker

log = logging.getLogger(__name__)

RETRY_S = (0.5, 1.0, 2.0, 4.0)  # a replugged USB camera is back in 2 s; the last is repeated for ever


class Driver(Protocol):
    """One kind of camera, as a generator that runs in the mailbox's thread."""

    name: str  # without passwords
    is_live: bool  # whether it may come back: a device is tried again, a film that ended is not

    def frames(self, worker: Worker) -> Generator[Frame, None, None]:
        """Open, yield frames numbered from 0, close in `finally`; return when shown wholly or asked to stop.

        Sleeps with `worker.wait` only, and blocks for at most a second or so at a time. Raises `CameraError`.
        """


class NewestFrames:
    """A `Camera` over any `Driver`. Starts at once; see `Camera` for what `newest` promises."""

    def __init__(self, driver: Driver, *, retry_s: Sequence[float] = RETRY_S) -> None:
        self.name = driver.name
        self._driver = driver
        self._retry_s = retry_s
        self._news = threading.Condition()
        self._frame: Frame | None = None  # the one slot
        self._made = 0  # frames made by all openings together
        self._trouble: CameraError | None = None  # why there is none now; tried again
        self._end: CameraError | None = None  # why there will never be one again
        self._worker = Worker(f"camera {driver.name}", self._grab)
        self._worker.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def newest(self, timeout_s: float) -> Frame:
        """See `Camera.newest`."""
        with self._news:
            self._news.wait_for(lambda: self._frame is not None or self._end is not None, timeout_s)
            frame, self._frame = self._frame, None
            if frame is not None:
                return frame
            if self._end is not None:
                raise type(self._end)(str(self._end)) from self._end.__cause__
            if self._trouble is not None:
                raise type(self._trouble)(str(self._trouble)) from self._trouble.__cause__
        raise CameraStalled(f"{self.name}: no picture for {timeout_s:.1f} s. Is its cable in and its lens free?")

    def close(self) -> None:
        """See `Camera.close`."""
        with self._news:
            self._end = CameraGone(f"{self.name} is closed")
            self._frame = None
            self._news.notify_all()
        self._worker.stop()

    def _grab(self, worker: Worker) -> None:
        try:
            self._grab_until_the_end(worker)
        finally:  # also when a driver has a bug: nobody may wait for a thread that is gone
            with self._news:
                self._end = self._end or CameraGone(f"{self.name}: its driver failed, see the log; restart the service")
                self._news.notify_all()

    def _grab_until_the_end(self, worker: Worker) -> None:
        failures = 0
        while worker.wait(0):
            made_before = self._made
            try:
                with closing(self._driver.frames(worker)) as frames:
                    for frame in frames:
                        worker.tick()
                        self._publish(frame._replace(number=made_before + frame.number))
                        if not worker.wait(0):
                            return
                if not worker.wait(0):
                    return
                raise EndOfFilm(f"{self.name} has been shown to its end")
            except CameraError as error:
                if not self._driver.is_live:
                    log.info("camera=%r event=over code=%s reason=%r", self.name, error.code, str(error))
                    with self._news:
                        over = error if isinstance(error, CameraGone) else CameraGone(str(error))
                        self._end = self._end or over
                    return
                failures = 1 if self._made > made_before else failures + 1
                retry_s = self._retry_s[min(failures, len(self._retry_s)) - 1]
                log.warning("camera=%r event=lost retry_s=%.1f reason=%r", self.name, retry_s, str(error))
                with self._news:
                    self._trouble = error
            if not worker.wait(retry_s):
                return

    def _publish(self, frame: Frame) -> None:
        with self._news:
            if self._end is not None:
                return
            if self._trouble is not None:
                log.info("camera=%r event=back number=%d", self.name, frame.number)
            self._trouble = None
            self._made = frame.number + 1
            self._frame = frame
            self._news.notify_all()


def pace(worker: Worker, due_s: float) -> bool:
    """Sleep until the monotonic time `due_s`. Returns whether to go on."""
    return worker.wait(max(0.0, due_s - time.monotonic()))
