"""A camera that plays a script: frames and failures in a given order, without threads or waiting. For tests."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from hardware.cameras.frames import Frame, Luma
from hardware.errors import CameraError, EndOfFilm


class ScriptedCamera:
    """Each `newest` gives the next step: a picture, a `Frame`, or an exception that is raised; then `EndOfFilm`."""

    def __init__(self, steps: Iterable[Luma | Frame | Exception], *, name: str = "scripted camera") -> None:
        self.name = name
        self.is_closed = False
        self.timeouts_s: list[float] = []  # what `newest` was asked
        self._steps: Iterator[Luma | Frame | Exception] = iter(steps)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def newest(self, timeout_s: float) -> Frame:
        """The next step of the script, at once."""
        if self.is_closed:
            raise CameraError(f"{self.name} is closed")
        self.timeouts_s.append(timeout_s)
        step = next(self._steps, None)
        if step is None:
            raise EndOfFilm(f"{self.name} has been shown to its end")
        if isinstance(step, Exception):
            raise step
        frame = step if isinstance(step, Frame) else Frame(step, time.monotonic(), self._number)
        self._number = frame.number + 1
        return frame

    def close(self) -> None:
        """Later calls of `newest` raise `CameraError`."""
        self.is_closed = True
