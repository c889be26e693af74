"""What is said without being asked about the camera and its encoder: no picture, or too few of them."""

from __future__ import annotations

import threading

from stream.alarms import Alarm, Latch
from stream.health import Health, SourceState
from stream.settings import CameraModule, NetworkCamera, Source, TestPicture, VideoDevice, VideoFile

_FIRST_PICTURE_S = 10.0  # a network camera may take that long to answer


class SourceAlarms:
    """Follows the state of one source; to be asked at least once a second. Safe with threads."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._starting = Latch(on_after_s=_FIRST_PICTURE_S, off_after_s=0.0)
        self._no_picture = Latch(on_after_s=2.0, off_after_s=2.0)  # on 3 s after the last picture
        self._slow = Latch(on_after_s=0.0, off_after_s=5.0)  # the rate is one of 10 s already
        self._why = ""
        self._pace = ""

    def look(self, now_s: float, state: SourceState, pace: str) -> tuple[Alarm, ...]:
        """What is wrong at `now_s` (monotonic); `pace` says in words how many pictures there are."""
        with self._lock:
            if state.state is Health.STOPPED:
                for latch in (self._starting, self._no_picture, self._slow):
                    latch.reset()
                return ()
            is_late = self._starting.look(now_s, is_bad=state.state is Health.CONNECTING)
            is_missing = is_late or state.state is Health.LOST
            if is_missing:
                self._why = state.cause
            is_slow = state.state is Health.BEHIND
            if is_slow:
                self._pace = pace
            self._slow.look(now_s, is_bad=is_slow)
            if self._no_picture.look(now_s, is_bad=is_missing):
                return (
                    Alarm(code="no-picture", cause=self._why or "no picture from the camera", action=self._action()),
                )
            if self._slow.is_on:
                action = "Choose a smaller picture or a faster preset under [stream.picture], and close what else runs"
                return (Alarm(code="slow", cause=self._pace, action=action),)
            return ()

    def _action(self) -> str:
        match self._source:
            case VideoDevice():
                return "Look whether the camera is on and its cable plugged in at both ends"
            case CameraModule():
                return "Switch the Raspberry Pi off, and push the camera's ribbon cable in at both ends"
            case NetworkCamera():
                return "Look whether the camera has power and network"
            case VideoFile():
                return "Look whether the film is there and can be played"
            case TestPicture():
                return "Restart the stream service"
