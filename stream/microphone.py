"""The stage microphone: an ffmpeg of its own that hears the room, started again whenever it ends or falls silent.

It is apart from the camera's encoder so that a frozen camera takes no sound with it, and a dead microphone no picture:
ffmpeg waits for the slowest of its inputs.
"""

from __future__ import annotations

import logging
import os
import re
import select
from collections.abc import Sequence
from pathlib import Path

from hardware.clock import Clock
from hardware.worker import Worker
from stream import graph
from stream.backoff import Backoff
from stream.errors import ChildError
from stream.hub import Hub, Inlet
from stream.liveness import quiet_s
from stream.process import Child
from stream.settings import Picture, Stamped, StreamSettings
from stream.sound_levels import LevelPipe
from stream.sound_watch import SoundWatch

log = logging.getLogger(__name__)

QUIET_LIMIT_S = 3.0
FIRST_BYTES_LIMIT_S = 6.0
_HEALTHY_AFTER_S = 10.0  # then a next failure is a new one
_CLOCK_STEP_S = 0.05  # of the wall clock, by which the sound would be late or early; less is put right by itself
_PORTION_BYTES = 65536
# What ffmpeg 5.1 writes when a microphone fails, for whatever reason.
_ALSA_TROUBLE = re.compile(r"\[alsa @ [^]]*\] \[(?:error|fatal)\] (.+)")


def microphone_of(settings: StreamSettings, clock: Clock, folder: Path) -> Microphone | None:
    """The microphone beside the stage camera; None for a source with its own sound, or without any."""
    source = settings.source
    if not isinstance(source, Stamped) or source.microphone is None:
        return None
    later_s = source.sound_later_ms / 1000
    return Microphone(source.microphone, settings.picture, clock, later_s=later_s, folder=folder)


class Microphone:
    """Runs the microphone's ffmpeg and feeds the hub of the moment, with the sound `later_s` later than it was."""

    def __init__(
        self,
        name: str,
        picture: Picture,
        clock: Clock,
        *,
        later_s: float = 0.0,
        quiet_limit_s: float = QUIET_LIMIT_S,
        folder: Path | None = None,
    ) -> None:
        self._name = name
        self._picture = picture
        self._clock = clock
        self._later_s = later_s
        self._quiet_limit_s = quiet_limit_s
        self._folder = folder
        self._worker: Worker | None = None
        self._sound = SoundWatch(f"the microphone {name}", "it is plugged in")
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the ffmpeg that runs now."""
        return self._pid

    @property
    def sound(self) -> SoundWatch:
        """What is heard."""
        return self._sound

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    def start(self, hub: Hub) -> Inlet:
        """Begin to feed `hub`. Returns where it does."""
        inlet = hub.inlet("microphone", is_clocked=True)
        self._sound.begin(self._clock.monotonic())
        self._worker = Worker("stream-microphone", lambda worker: self._run(worker, inlet))
        self._worker.start()
        return inlet

    def stop(self) -> None:
        """End it. Safe to call twice."""
        if self._worker is not None:
            self._worker.stop(timeout_s=10.0)
            self._worker = None
        self._sound.end()

    def _run(self, worker: Worker, inlet: Inlet) -> None:
        backoff = Backoff((0.2, 1.0, 2.0))
        while True:
            began_s = self._clock.monotonic()
            cause = self._run_once(worker, inlet)
            inlet.restart()
            if worker.is_stopping:
                return
            self._sound.fails(cause)
            now_s = self._clock.monotonic()
            if now_s - began_s > _HEALTHY_AFTER_S:
                backoff.reset()
            wait_s = backoff.next_wait_s(now_s)
            log.warning('source=microphone event=lost cause="%s" retry_in_s=%.1f', cause, wait_s)
            if not worker.wait(wait_s):
                return

    def _run_once(self, worker: Worker, inlet: Inlet) -> str:
        """One ffmpeg from start to end. Returns why it ended."""
        wall_ahead_s = self._wall_ahead_s()
        ours, theirs = os.pipe()
        levels = LevelPipe(self._sound, self._clock)
        try:
            argv = graph.microphone(
                self._name,
                self._picture,
                out_fd=theirs,
                levels_fd=levels.theirs,
                at_s=self._clock.monotonic() + self._later_s,
                wall_ahead_s=wall_ahead_s - self._later_s,
            )
        except BaseException:
            for fd in (ours, theirs, levels.theirs):  # from here on those to give are the child's
                os.close(fd)
            raise
        try:
            child = Child("microphone", argv, give_fds=(theirs, levels.theirs), folder=self._folder)
        except ChildError as error:
            os.close(ours)
            return str(error)
        self._pid = child.pid
        try:
            cause = self._pump(worker, inlet, ours, wall_ahead_s)
            if cause is None:
                code = child.stop()
                cause = self._why(code, child.last_lines)
            return cause
        finally:
            self._pid = None
            child.kill()
            os.close(ours)
            levels.join()

    def _pump(self, worker: Worker, inlet: Inlet, fd: int, wall_ahead_s: float) -> str | None:
        """Bytes from `fd` to the inlet. Returns why to end it, or None when it ended by itself."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        limit_s = max(FIRST_BYTES_LIMIT_S, self._quiet_limit_s)
        byte_at_s = looked_at_s = self._clock.monotonic()
        while not worker.is_stopping:
            worker.tick()
            is_ready = poll.poll(200)
            now_s = self._clock.monotonic()
            if is_ready:
                data = os.read(fd, _PORTION_BYTES)
                if not data:
                    return None
                inlet.feed(data)
                byte_at_s, limit_s = now_s, self._quiet_limit_s
            elif now_s - byte_at_s > limit_s:
                return f"the microphone {self._name} gave nothing for {limit_s:.0f} s"
            if now_s - looked_at_s > 0.5:
                looked_at_s = now_s
                if abs(self._wall_ahead_s() - wall_ahead_s) > _CLOCK_STEP_S:
                    return "the machine's clock was set: the microphone begins anew"
        return "stopped"

    def _wall_ahead_s(self) -> float:
        """By how much the wall clock, after which ffmpeg stamps what it hears, is ahead of the monotonic one."""
        stamp = self._clock.stamp()
        return stamp.wall.timestamp() - stamp.monotonic_ns / 1e9

    def _why(self, code: int, lines: Sequence[str]) -> str:
        alsa = [found[1] for line in lines if (found := _ALSA_TROUBLE.search(line))]
        said = alsa[-1] if alsa else f"exit code {code}"
        return f"the microphone {self._name} fails ({said})"
