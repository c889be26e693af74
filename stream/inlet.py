"""Where one source's transport stream comes in: in any portions, out as whole frames of picture and of sound.

A frame is handed to the hub when it is complete: when the next one begins (ffmpeg writes the packets of one frame
after the other), or when all the bytes that it said it has are there, as sound always says. What was begun and never
ended is forgotten.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from hardware.clock import Clock
from stream import mpegts
from stream.continuity import run_end
from stream.mpegts import PACKET_BYTES, PAT_PID, SYNC

log = logging.getLogger(__name__)

_SYNC_MARK = bytes([SYNC])
_LONGEST_BYTES = 16_000_000  # of a frame: more than any picture has, and a source without beginnings fills no memory


class Unit(NamedTuple):
    """One frame of picture or sound, as its source wrote it."""

    packets: bytearray
    dts: int
    is_picture: bool
    is_key: bool
    at_s: float  # when it began to come in (monotonic)


class Timeline(Protocol):
    """Where the frames go; Hub is one."""

    def take_picture(self, inlet: Inlet, unit: Unit) -> None:
        """A frame of picture is complete."""

    def take_sound(self, inlet: Inlet, unit: Unit) -> None:
        """A frame of sound is complete."""


class Inlet:
    """One source of the hub, built by `Hub.inlet`.

    `is_clocked`: the source stamps its frames with the moment they were taken, by the machine's monotonic clock.
    """

    def __init__(
        self,
        name: str,
        hub: Timeline,
        lock: AbstractContextManager[bool],
        clock: Clock,
        *,
        is_clocked: bool = False,
    ) -> None:
        self.name = name
        self.is_clocked = is_clocked
        self.lag_s = 0.0  # how much later than at once it comes in, when it takes over
        self.frames = 0  # video frames that went on the timeline
        self.frames_seen = 0  # video frames that began to come in, on air or not
        self.picture_offset: int | None = None  # ticks by which the hub moves them; None: off air
        self.sound_offset: int | None = None
        self._hub = hub
        self._lock = lock
        self._clock = clock
        self._buf = bytearray()
        self._pmt_pid: int | None = None
        self._program = mpegts.Program(None, frozenset())
        self._begun: Unit | None = None
        self._begun_pid = mpegts.NULL_PID
        self._missing: int | None = None  # payload bytes of the begun frame that are still to come, when it says so

    @property
    def is_on_air(self) -> bool:
        """Whether its pictures are what the legs get now."""
        return self.picture_offset is not None

    def restart(self) -> None:
        """The source begins anew: forget the unfinished frame, wait for a keyframe."""
        with self._lock:
            self._buf.clear()
            self._begun = None
            self.picture_offset = self.sound_offset = None

    def pause(self) -> None:
        """Take its picture off the air in the middle of a running source; the next keyframe may bring it back."""
        with self._lock:
            self.picture_offset = None

    def feed(self, data: bytes, at_s: float | None = None, *, is_whole: bool = False) -> None:
        """Take some bytes of the source, in whatever portions they come, or, `is_whole`, up to the end of a frame.

        They are of now, or of `at_s` (monotonic).
        """
        with self._lock:
            self._buf += data
            self._walk(self._clock.monotonic() if at_s is None else at_s)
            if is_whole:
                self._give()

    def finish(self) -> None:
        """The source ended well: give on its last frame too, which no following one has closed."""
        with self._lock:
            self._give()
            self.restart()

    def _walk(self, at_s: float) -> None:
        buf = self._buf
        while len(buf) >= PACKET_BYTES:
            in_sync = self._in_sync()
            self._take_packets(in_sync, at_s)
            del buf[: in_sync * PACKET_BYTES]
            if len(buf) >= PACKET_BYTES:
                self._resync()

    def _in_sync(self) -> int:
        """How many whole packets there are up to the first that does not begin as one."""
        marks = self._buf[: len(self._buf) // PACKET_BYTES * PACKET_BYTES : PACKET_BYTES]
        return len(marks) - len(marks.lstrip(_SYNC_MARK))

    def _take_packets(self, count: int, at_s: float) -> None:
        """Take the first packets of the buffer, those of one frame's middle at once."""
        buf = self._buf
        end = count * PACKET_BYTES
        firsts, seconds = buf[1:end:PACKET_BYTES], buf[2:end:PACKET_BYTES]
        number = 0
        while number < count:
            at = number * PACKET_BYTES
            first = firsts[number]
            pid = (first & 0x1F) << 8 | seconds[number]
            if first & 0x40:
                if pid in (PAT_PID, self._pmt_pid):
                    self._learn(pid, at)
                elif pid == self._program.video_pid or pid in self._program.audio_pids:
                    self._begin(pid, at, at_s)
            until = run_end(firsts, seconds, number)
            if self._begun is not None and pid == self._begun_pid:
                if self._missing is not None:  # it may be complete with this one
                    until = number + 1
                    self._missing -= at + PACKET_BYTES - (mpegts.payload_at(buf, at) or at + PACKET_BYTES)
                self._begun.packets.extend(buf[at : until * PACKET_BYTES])
                if len(self._begun.packets) > _LONGEST_BYTES:
                    log.warning("source=%s event=endless-frame bytes=%d", self.name, len(self._begun.packets))
                    self._begun = None
                if self._missing is not None and self._missing <= 0:
                    self._give()
            number = until

    def _resync(self) -> None:
        buf = self._buf
        to = buf.find(SYNC, 1)
        while 0 <= to < len(buf) - PACKET_BYTES and buf[to + PACKET_BYTES] != SYNC:
            to = buf.find(SYNC, to + 1)
        to = len(buf) if to < 0 else to
        log.warning("source=%s event=out-of-sync bytes=%d", self.name, to)
        del buf[:to]

    def _learn(self, pid: int, at: int) -> None:
        section = mpegts.table(self._buf, at)
        if section is None:
            return
        if pid == PAT_PID:
            self._pmt_pid = mpegts.program_map_pid(section)
        else:
            self._program = mpegts.program(section) or self._program

    def _begin(self, pid: int, at: int, at_s: float) -> None:
        self._give()
        times = mpegts.pes(self._buf, at)
        if times is None:
            return
        is_picture = pid == self._program.video_pid
        self.frames_seen += is_picture
        is_key = is_picture and mpegts.is_keyframe(self._buf, at)
        self._begun, self._begun_pid = Unit(bytearray(), times.dts, is_picture, is_key, at_s), pid
        self._missing = mpegts.pes_bytes(self._buf, at)

    def _give(self) -> None:
        """Hand on what was begun: it is complete."""
        unit, self._begun = self._begun, None
        if unit is None:
            return
        if unit.is_picture:  # as it was when it began: a new map may have come since
            self._hub.take_picture(self, unit)
        else:
            self._hub.take_sound(self, unit)
