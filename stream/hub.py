"""The switcher: sources in, one unbroken timeline out, a queue for each leg.

An `Inlet` takes the transport stream of one source in any portions and gives whole frames on. Of several inlets one is
on air; another that is selected takes over at its next keyframe, and an encoder that was restarted goes on at its first
one: both are the same thing here, a new *run* whose times are moved to follow what was sent before. Nobody downstream
sees more than frames that come one step after the other, or later when time really passed.
"""

from __future__ import annotations

import logging
import threading
from contextlib import AbstractContextManager

from hardware.clock import Clock
from stream import mpegts
from stream.mpegts import NULL_PID, PACKET_BYTES, PAT_PID, SYNC, TICKS_PER_S, WRAP_TICKS, ticks_between
from stream.tap import LEG_LIMIT_BYTES, Chunk, Tap, leg_limit_bytes

__all__ = ["LEG_LIMIT_BYTES", "START_TICKS", "Chunk", "Hub", "Inlet", "Tap", "leg_limit_bytes"]

log = logging.getLogger(__name__)

START_TICKS = 10 * TICKS_PER_S  # room below the first frame: the sound's first packet may begin a little before it
_GOP_LIMIT_BYTES = 16_000_000  # more than 4 s at 20 Mb/s; a source without keyframes must not fill the memory
_JUMP_TICKS = 10 * TICKS_PER_S  # a source whose own time jumps further than this is taken as restarted


class Hub:
    """One timeline and its legs. Every method may be called from any thread.

    It begins `begin_s` later than a new one: viewers of an earlier process, who stayed, see no time twice.
    """

    def __init__(self, frames_per_s: int, clock: Clock, *, begin_s: float = 0.0) -> None:
        self._begin_ticks = START_TICKS + round(begin_s * TICKS_PER_S)
        self._clock = clock
        self._frames_per_s = frames_per_s
        self._lock = threading.RLock()
        self._taps: list[Tap] = []
        self._gop: list[Chunk] = []
        self._gop_bytes = 0
        self._on_air: Inlet | None = None
        self._selected: Inlet | None = None
        self._counters = [0] * (NULL_PID + 1)  # the next continuity counter of each PID
        self._video_ticks: int | None = None  # DTS of the last video frame sent
        self._video_at_s = 0.0
        self._before: tuple[int | None, float] = (None, 0.0)  # the same of the frame before that
        self._audio_ticks: int | None = None

    def inlet(self, name: str) -> Inlet:
        """A new source; the first one is selected by itself."""
        with self._lock:
            inlet = Inlet(name, self, self._lock)
            if self._selected is None:
                self._selected = inlet
            return inlet

    def select(self, inlet: Inlet, *, at_once: bool = False) -> None:
        """Let `inlet` take over at its next keyframe; until then the one on air stays, unless it has to go at once."""
        with self._lock:
            self._selected = inlet
            if inlet is self._on_air:
                return
            inlet.pause()
            if at_once and self._on_air is not None:
                self._on_air.pause()

    def needs(self, inlet: Inlet) -> bool:
        """Whether `inlet` is on air, or is to be."""
        with self._lock:
            return inlet is self._selected or inlet.is_on_air

    @property
    def frame_at_s(self) -> float | None:
        """When the last video frame was taken (monotonic); None before the first."""
        with self._lock:
            return None if self._video_ticks is None else self._video_at_s

    def attach(self, name: str, limit_bytes: int = LEG_LIMIT_BYTES) -> Tap:
        """A new queue, filled with everything since the last keyframe."""
        tap = Tap(name, limit_bytes)
        with self._lock:
            for chunk in self._gop:
                tap.put(chunk, self._clock.monotonic())
            self._taps.append(tap)
        return tap

    def detach(self, tap: Tap) -> None:
        """Forget a queue; safe to call twice."""
        with self._lock:
            if tap in self._taps:
                self._taps.remove(tap)
        tap.close()

    # What inlets ask of their hub, under its lock.

    def admit(self, inlet: Inlet, dts: int, at_s: float | None) -> int | None:
        """Whether a run of `inlet` may begin with the keyframe at `dts`: by how many ticks to move it, or None.

        It follows the last frame by one frame step, or by as many as fit into the time that passed until `at_s`,
        which is now when None.
        """
        if inlet is not self._selected:
            return None
        if self._on_air is not None and self._on_air is not inlet:
            self._on_air.pause()
        self._on_air = inlet
        now_s = self._clock.monotonic() if at_s is None else at_s
        self._before = (self._video_ticks, self._video_at_s)
        follows = self._begin_ticks
        if self._video_ticks is not None:
            steps = max(1, round((now_s - self._video_at_s) * self._frames_per_s))
            follows = (self._video_ticks + round(steps * TICKS_PER_S / self._frames_per_s)) % WRAP_TICKS
        self._video_ticks, self._video_at_s = follows, now_s
        return (follows - dts) % WRAP_TICKS

    def is_next_frame(self, dts: int, at_s: float | None) -> bool:
        """Note a video frame at `dts` of the timeline, taken at `at_s`; False when it does not follow the last one."""
        if self._video_ticks is None or not 0 < ticks_between(dts, self._video_ticks) <= _JUMP_TICKS:
            return False
        self._before = (self._video_ticks, self._video_at_s)
        self._video_ticks, self._video_at_s = dts, self._clock.monotonic() if at_s is None else at_s
        return True

    def is_next_sound(self, dts: int) -> bool:
        """Note a sound packet at `dts`; False when it would go back in time."""
        if self._audio_ticks is not None and ticks_between(dts, self._audio_ticks) <= 0:
            return False
        self._audio_ticks = dts
        return True

    def number(self, packet: bytearray, at: int) -> None:
        """Write the next continuity counter of its PID into a packet; it only counts packets with payload."""
        pid = (packet[at + 1] & 0x1F) << 8 | packet[at + 2]
        control = packet[at + 3]
        counter = self._counters[pid]
        if control & 0x10:
            packet[at + 3] = control & 0xF0 | counter
            self._counters[pid] = (counter + 1) & 0x0F
        else:
            packet[at + 3] = control & 0xF0 | (counter - 1) & 0x0F

    def take_back(self, packets: bytearray, *, has_frame: bool) -> None:
        """Forget packets that were numbered and never sent, and the video frame that begins in them."""
        for at in range(0, len(packets), PACKET_BYTES):
            pid = (packets[at + 1] & 0x1F) << 8 | packets[at + 2]
            if packets[at + 3] & 0x10 and pid != NULL_PID:
                self._counters[pid] = (self._counters[pid] - 1) & 0x0F
        if has_frame:
            self._video_ticks, self._video_at_s = self._before

    def emit(self, chunk: Chunk) -> None:
        """Give a chunk to every leg, and keep it for the next one to come."""
        if chunk.is_keyframe:
            self._gop.clear()
            self._gop_bytes = 0
        if self._gop or chunk.is_keyframe:
            self._gop.append(chunk)
            self._gop_bytes += len(chunk.data)
            if self._gop_bytes > _GOP_LIMIT_BYTES:
                log.error("hub event=no-keyframe bytes=%d next=wait-for-one", self._gop_bytes)
                self._gop.clear()
        now_s = self._clock.monotonic()
        for tap in self._taps:
            tap.put(chunk, now_s)


class Inlet:
    """Where one source's transport stream comes in. Built by `Hub.inlet`."""

    def __init__(self, name: str, hub: Hub, lock: AbstractContextManager[bool]) -> None:
        self.name = name
        self.frames = 0  # video frames that went on the timeline
        self.frames_seen = 0  # video frames that began to come in, on air or not
        self._hub = hub
        self._lock = lock
        self._at_s: float | None = None
        self._buf = bytearray()
        self._walked = 0  # offset in _buf up to which packets were looked at
        self._offset_ticks: int | None = None  # None: off air, a keyframe is awaited
        self._pat: bytes | None = None
        self._pmt: bytes | None = None
        self._pmt_pid: int | None = None
        self._program = mpegts.Program(None, frozenset())
        self._muted: set[int] = set()  # PIDs whose packet in progress is left out
        # The chunk being collected begins at _start of _buf; all before _cut is complete.
        self._start = 0
        self._cut = 0
        self._head = b""  # tables that go before it
        self._is_key = False
        self._frames_begun = 0
        self._frames_cut = 0

    @property
    def is_on_air(self) -> bool:
        """Whether its frames are what the legs get now."""
        return self._offset_ticks is not None

    def restart(self) -> None:
        """The source begins anew: forget the unfinished frame, wait for a keyframe."""
        with self._lock:
            self._go_off_air(self._walked)
            self._buf.clear()
            self._walked = 0
            self._drop_until(0)

    def pause(self) -> None:
        """Leave the air in the middle of a running source; the next keyframe may bring it back."""
        with self._lock:
            self._go_off_air(self._walked)

    def feed(self, data: bytes, at_s: float | None = None) -> None:
        """Take some bytes of the source, in whatever portions they come. They are of now, or of `at_s` (monotonic)."""
        with self._lock:
            self._at_s = at_s
            self._buf += data
            self._walk()

    def finish(self) -> None:
        """The source ended well: give on its last frame too, which no following one has closed."""
        with self._lock:
            if self._offset_ticks is not None:
                self._cut, self._frames_cut = self._walked, self._frames_begun
                self._give()
            self.restart()

    def _go_off_air(self, at: int) -> None:
        """Drop the frame in progress, up to `at`, as if it had never begun."""
        if self._offset_ticks is not None:
            unfinished = bytearray(self._head) + self._buf[self._start : at]
            self._hub.take_back(unfinished, has_frame=self._frames_begun > 0)
        self._offset_ticks = None
        self._muted.clear()
        self._drop_until(at)
        self._head, self._is_key = b"", False
        self._frames_begun = self._frames_cut = 0

    def _drop_until(self, at: int) -> None:
        self._start = self._cut = at

    def _walk(self) -> None:
        """Look at each new packet once: cut at frames, move the times, number the packets."""
        buf = self._buf
        number = self._hub.number
        at = self._walked
        while at + PACKET_BYTES <= len(buf):
            if buf[at] != SYNC:
                self._resync(at)
                continue
            first = buf[at + 1]
            pid = (first & 0x1F) << 8 | buf[at + 2]
            if first & 0x40:
                if pid in (PAT_PID, self._pmt_pid):
                    self._learn(pid, at)
                elif pid == self._program.video_pid:
                    self._video_begins(at)
                elif pid in self._program.audio_pids and self._offset_ticks is not None:
                    self._audio_begins(pid, at)
            elif buf[at + 3] & 0x20 and self._offset_ticks is not None:
                mpegts.restamp(buf, at, self._offset_ticks)  # a clock reference on its own
            if self._offset_ticks is None:
                self._drop_until(at + PACKET_BYTES)
            elif pid in self._muted:
                buf[at + 1] = 0x1F  # a null packet: everybody leaves it out, and the others keep their places
                buf[at + 2] = 0xFF
            else:
                number(buf, at)
            at += PACKET_BYTES
        self._walked = at
        self._give()
        del buf[: self._start]
        self._walked -= self._start
        self._drop_until(0)

    def _resync(self, at: int) -> None:
        buf = self._buf
        to = buf.find(SYNC, at + 1)
        while 0 <= to < len(buf) - PACKET_BYTES and buf[to + PACKET_BYTES] != SYNC:
            to = buf.find(SYNC, to + 1)
        to = len(buf) if to < 0 else to
        log.warning("source=%s event=out-of-sync bytes=%d", self.name, to - at)
        del buf[at:to]

    def _learn(self, pid: int, at: int) -> None:
        section = mpegts.table(self._buf, at)
        if section is None:
            return
        packet = bytes(self._buf[at : at + PACKET_BYTES])
        if pid == PAT_PID:
            self._pat, self._pmt_pid = packet, mpegts.program_map_pid(section)
        else:
            self._pmt, self._program = packet, mpegts.program(section) or self._program

    def _video_begins(self, at: int) -> None:
        times = mpegts.pes(self._buf, at)
        if times is None:
            return
        self.frames_seen += 1
        is_key = mpegts.is_keyframe(self._buf, at)
        if self._offset_ticks is not None:
            self._cut, self._frames_cut = at, self._frames_begun
            if not self._hub.is_next_frame((times.dts + self._offset_ticks) % WRAP_TICKS, self._at_s):
                log.warning("source=%s event=time-jumped next=wait-for-keyframe", self.name)
                self._give()
                self._go_off_air(at)
        if self._offset_ticks is None:
            if not is_key or self._pat is None or self._pmt is None:
                return
            self._offset_ticks = self._hub.admit(self, times.dts, self._at_s)
            if self._offset_ticks is None:
                return
            self._drop_until(at)
        if is_key:
            self._give()
            self._head, self._is_key = self._tables(), True
        self._frames_begun += 1
        mpegts.restamp(self._buf, at, self._offset_ticks)

    def _audio_begins(self, pid: int, at: int) -> None:
        times = mpegts.pes(self._buf, at)
        if times is None or self._offset_ticks is None:
            return
        self._cut, self._frames_cut = at, self._frames_begun
        if self._hub.is_next_sound((times.dts + self._offset_ticks) % WRAP_TICKS):
            self._muted.discard(pid)
            mpegts.restamp(self._buf, at, self._offset_ticks)
        else:
            self._muted.add(pid)

    def _tables(self) -> bytes:
        tables = bytearray((self._pat or b"") + (self._pmt or b""))
        for at in range(0, len(tables), PACKET_BYTES):
            self._hub.number(tables, at)
        return bytes(tables)

    def _give(self) -> None:
        """Give on what is complete; what was begun stays for the next time."""
        if self._cut <= self._start:
            return
        data = self._head + self._buf[self._start : self._cut]
        chunk = Chunk(bytes(data), self._is_key, self._frames_cut)
        self.frames += chunk.frames
        self._frames_begun -= chunk.frames
        self._start, self._head, self._is_key, self._frames_cut = self._cut, b"", False, 0
        self._hub.emit(chunk)
