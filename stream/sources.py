"""The encoder of the stage camera, under supervision: started again whenever it ends or falls silent."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from hardware.clock import Clock
from hardware.worker import Worker
from stream import graph
from stream.alarms import Alarm
from stream.backoff import Backoff
from stream.camera_watch import CameraWatch
from stream.errors import ChildError
from stream.health import FIRST_PICTURE, Health, SourceState
from stream.hub import Hub, Inlet
from stream.liveness import FAULT, has_failed, quiet_s
from stream.module_feed import ModuleFeed
from stream.picture_watch import PictureWatch, may_stand_still
from stream.process import Child
from stream.rate import Rate
from stream.settings import CameraModule, Source, Stamped, StreamSettings, VideoDevice
from stream.sound_levels import LevelPipe
from stream.sound_watch import SoundWatch
from stream.source_alarms import SourceAlarms
from stream.video_coding import VideoCoding

log = logging.getLogger(__name__)

QUIET_LIMIT_S = 6.0
FIRST_BYTES_LIMIT_S = 12.0  # a network camera may take that long to answer
_HEALTHY_AFTER_S = 10.0  # then a next failure is a new one
_FROZEN_AFTER_S = 1.0
_PIPE_BYTES = 1 << 20  # 3 s at 2.5 Mb/s: a pause of ours is none of the encoder's
_READ_BYTES = 1 << 16  # room for more would be mapped from the kernel, and given back, each time
_SMALL_PIPE_BYTES = 1 << 18  # 9 s of small pictures
_SLOW = 0.95  # of the frames that a second should have
# What ffmpeg 5.1 writes when a device has no format of the codec that was asked for (libavdevice/v4l2.c).
_NO_SUCH_FORMAT = "Cannot find a proper format"


class Encoder:
    """Runs the camera's ffmpeg and feeds the hub of the moment. Counters last as long as this object."""

    def __init__(
        self,
        settings: StreamSettings,
        clock: Clock,
        *,
        quiet_limit_s: float = QUIET_LIMIT_S,
        folder: Path | None = None,
        lower_third: Callable[[], Path | None] = lambda: None,
        coding: VideoCoding | None = None,
    ) -> None:
        self._settings = settings
        self._coding = coding or VideoCoding.software(settings.picture)
        self._lower_third = lower_third
        self._source: Source = settings.source  # asked for less, once the device has refused something
        self._clock = clock
        self._quiet_limit_s = quiet_limit_s
        self._folder = folder
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._inlet: Inlet | None = None
        self._frames_before = 0
        self._restarts = 0
        self._state = Health.STOPPED
        self._cause = ""
        self._frame_at_s = 0.0
        self._live_since_s = 0.0
        self._rate = Rate()
        self._watch = CameraWatch(settings.picture.frames_per_s)
        self._pictures = PictureWatch(clock, may_stand_still=may_stand_still(settings.source))
        self._alarms = SourceAlarms(settings.source)
        self._is_plain_next = False  # the next encoder goes without the lower third: perhaps that was it
        self._has_sound = graph.has_own_sound(settings.source)  # until it was seen to have none
        self._sound = SoundWatch(
            "the camera", "the camera is on", absent="" if self._has_sound else "no microphone is set"
        )
        self._pid: int | None = None
        self._module_pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the encoder that runs now."""
        return self._pid

    @property
    def module_pid(self) -> int | None:
        """Process id of what gives a camera module's pictures to it."""
        return self._module_pid

    @property
    def watch(self) -> CameraWatch:
        """Whether its frames come as they should."""
        return self._watch

    @property
    def sound(self) -> SoundWatch:
        """What is heard of a source that has its own sound."""
        return self._sound

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    def start(self, hub: Hub) -> Inlet:
        """Begin to feed `hub`. Returns where it does."""
        inlet = hub.inlet("camera", is_clocked=isinstance(self._source, Stamped))
        self._watch.begin()
        self._sound.begin(self._clock.monotonic())
        with self._lock:
            self._inlet = inlet
            self._state, self._cause = Health.CONNECTING, FIRST_PICTURE
        self._worker = Worker("stream-encoder", lambda worker: self._run(worker, inlet))
        self._worker.start()
        return inlet

    def stop(self) -> None:
        """End the encoder; the frames it had begun still reach the hub."""
        if self._worker is not None:
            self._worker.stop(timeout_s=10.0)
            self._worker = None
        with self._lock:
            if self._inlet is not None:
                self._frames_before += self._inlet.frames_seen
                self._inlet = None
            self._state, self._cause = Health.STOPPED, ""
        self._sound.end()

    def state(self) -> SourceState:
        """What it is doing now."""
        with self._lock:
            frames = self._frames_before + (self._inlet.frames_seen if self._inlet else 0)
            state, cause = self._state, self._cause
            if has_failed(self._worker):
                state, cause = Health.LOST, FAULT
            elif state is Health.LIVE:
                now_s = self._clock.monotonic()
                wanted = self._settings.picture.frames_per_s
                if now_s - self._frame_at_s > _FROZEN_AFTER_S:
                    state, cause = Health.LOST, f"no picture from the camera for {now_s - self._frame_at_s:.0f} s"
                elif self._rate.per_s(now_s) < wanted * _SLOW and self._rate_is_full(now_s):
                    state = Health.BEHIND
                    cause = (
                        f"{self._pace(now_s)}: "
                        "the camera or the computer is too slow, choose a smaller picture or a faster preset"
                    )
            return SourceState(state=state, cause=cause, frames=frames, restarts=self._restarts)

    def alarms(self) -> tuple[Alarm, ...]:
        """What is wrong with its picture or its encoder; to be asked at least once a second."""
        now_s, state = self._clock.monotonic(), self.state()
        with self._lock:
            pace = self._pace(now_s)
        found = self._alarms.look(now_s, state, pace)
        if not any(alarm.code == "no-picture" for alarm in found):
            found = (*found, *self._pictures.alarms(now_s))
        return (*found, *self._coding.alarms())

    def _pace(self, now_s: float) -> str:
        return f"{self._rate.per_s(now_s):.1f} pictures a second instead of {self._settings.picture.frames_per_s}"

    def _rate_is_full(self, now_s: float) -> bool:
        return now_s - self._live_since_s > _HEALTHY_AFTER_S

    def _run(self, worker: Worker, inlet: Inlet) -> None:
        backoff = Backoff((0.2, 1.0, 2.0, 4.0))
        while True:
            began_s = self._clock.monotonic()
            frames = inlet.frames_seen
            cause = self._run_once(worker, inlet)
            self._is_plain_next = inlet.frames_seen == frames
            self._watch.ended(self._clock.monotonic())
            self._sound.fails(cause)
            if worker.is_stopping:
                inlet.finish()
                return
            inlet.restart()
            now_s = self._clock.monotonic()
            if now_s - began_s > _HEALTHY_AFTER_S:
                backoff.reset()
            wait_s = backoff.next_wait_s(now_s)
            with self._lock:
                self._state, self._cause = Health.LOST, cause
                self._restarts += 1
            log.warning('source=camera event=lost cause="%s" retry_in_s=%.1f', cause, wait_s)
            if not worker.wait(wait_s):
                return

    def _run_once(self, worker: Worker, inlet: Inlet) -> str:
        """One encoder from start to end, and the camera module before it. Returns why they ended."""
        if not isinstance(self._source, CameraModule):
            return self._encode(worker, inlet, None)
        try:
            feed = ModuleFeed(self._source, self._settings.picture)
        except ChildError as error:
            return str(error)
        self._module_pid = feed.pid
        trouble: str | None = None
        try:
            cause = self._encode(worker, inlet, feed.frames_fd)
        finally:
            self._module_pid = None
            trouble = feed.stop()
        return trouble or cause

    def _encode(self, worker: Worker, inlet: Inlet, frames_fd: int | None) -> str:
        """One encoder from start to end, which is given `frames_fd`. Returns why it ended."""
        source = self._source
        lower_third = None if self._is_plain_next else self._lower_third()
        (ours, theirs), (small_ours, small_theirs) = os.pipe(), os.pipe()
        with contextlib.suppress(PermissionError):  # a machine that allows less: the usual 64 kB do as well
            fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            fcntl.fcntl(small_ours, fcntl.F_SETPIPE_SZ, _SMALL_PIPE_BYTES)
        levels = LevelPipe(self._sound, self._clock) if self._has_sound else None
        maybe = (None if levels is None else levels.theirs, frames_fd)
        give_fds = (theirs, small_theirs, *(fd for fd in maybe if fd is not None))
        try:
            argv = graph.encoder(
                source,
                self._coding.picture,
                out_fd=theirs,
                frames_fd=frames_fd,
                watch_fd=small_theirs,
                levels_fd=None if levels is None else levels.theirs,
                lower_third=lower_third,
                at_s=self._clock.monotonic(),
            )
        except BaseException:
            for fd in (ours, small_ours, *give_fds):  # from here on those to give are the child's, which
                os.close(fd)  # closes them however it ends
            raise
        try:
            child = Child(
                "encoder",
                argv,
                give_fds=give_fds,
                secrets=graph.secrets_of(source),
                folder=self._folder,
            )
        except ChildError as error:
            os.close(ours)
            os.close(small_ours)
            return str(error)
        self._pid = child.pid
        frames = inlet.frames_seen
        try:
            with self._pictures.watching(small_ours):
                return self._attend(worker, inlet, child, ours)
        finally:
            self._pid = None
            child.kill()
            os.close(ours)
            if not worker.is_stopping:
                self._coding.ended("camera", child.last_lines, gave_frames=inlet.frames_seen > frames)
            if levels is not None:
                levels.join()

    def _attend(self, worker: Worker, inlet: Inlet, child: Child, ours: int) -> str:
        """Take what an encoder gives until it ends, or has to. Returns why."""
        quiet = self._pump(worker, inlet, ours)
        if quiet is not None:
            child.kill()
            return quiet
        if worker.is_stopping:
            worker_done = threading.Thread(target=child.stop, name="encoder-stop", daemon=True)
            worker_done.start()  # it writes its last frames while it stops: somebody must read them
            _drain(ours, inlet)
            worker_done.join()
            return "stopped"
        code = child.stop()
        return self._why(code, child.last_lines)

    def _pump(self, worker: Worker, inlet: Inlet, fd: int) -> str | None:
        """Bytes from `fd` to the inlet, until the end (None), a stop (None) or a silence (what to say of it)."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        limit_s = max(FIRST_BYTES_LIMIT_S, self._quiet_limit_s)
        byte_at_s = self._clock.monotonic()
        self._rate.reset()
        while not worker.is_stopping:
            worker.tick()
            if poll.poll(200):
                data = os.read(fd, _READ_BYTES)
                if not data:
                    return None
                before = inlet.frames_seen
                inlet.feed(data)
                byte_at_s = self._clock.monotonic()
                limit_s = self._quiet_limit_s
                self._note_frames(inlet.frames_seen - before, byte_at_s)
                if self._watch.comes_in_fits(byte_at_s):
                    return "the camera's pictures came in fits and starts"
            elif self._clock.monotonic() - byte_at_s > limit_s:
                return f"the camera sent nothing for {limit_s:.0f} s"
        return None

    def _note_frames(self, frames: int, now_s: float) -> None:
        if not frames:
            return
        self._watch.frames(frames, now_s)
        with self._lock:
            self._frame_at_s = now_s
            self._rate.add(now_s, frames)
            if self._state is not Health.LIVE:
                log.info("source=camera event=live")
                self._state, self._cause = Health.LIVE, ""
                self._live_since_s = now_s

    def _why(self, code: int, lines: Sequence[str]) -> str:
        """The words for an encoder that ended; and what the next one does without."""
        source = self._source
        if self._has_sound and any("matches no streams" in line for line in lines):
            self._has_sound = False
            self._sound.is_absent("the camera has no sound")
            return "the camera has no sound: it goes on with silence"
        is_mjpeg = isinstance(source, VideoDevice) and source.format == "mjpeg"
        if is_mjpeg and any(_NO_SUCH_FORMAT in line for line in lines):
            self._source = msgspec.structs.replace(source, format="raw")
            return "the camera has no MJPEG: it goes on with what it gives"
        troubles = [line for line in lines if "[error]" in line or "[fatal]" in line]
        said = troubles[-1].split("]", 1)[-1].strip(" []") if troubles else f"exit code {code}"
        return f"the camera's encoder ended: {said}"


def _drain(fd: int, inlet: Inlet) -> None:
    while data := os.read(fd, _READ_BYTES):
        inlet.feed(data)
