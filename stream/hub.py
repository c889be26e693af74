"""The switcher: sources in, one unbroken timeline out, a queue for each leg.

Picture and sound are switched apart. Of several inlets one gives the picture; another that is selected takes over at
its next keyframe, and an encoder that was restarted goes on at its first one: both are the same thing here, a new *run*
whose times are moved to follow what was sent before. Nobody downstream sees more than frames that come one step after
the other, or later when time really passed.

The sound is that of the inlet selected for it, frame after frame of 1024 samples, and silence where none comes. It is
put where it belongs beside the picture, to half a frame of sound: exactly, when both come from one source or both
sources stamp their frames by the machine's clock; else by when they come in. A run stays where it was put; only when
a picture that takes over shows that it is off by a whole frame of sound, it is put right.
"""

from __future__ import annotations

import logging
import threading

from hardware.clock import Clock
from stream import mpegts
from stream.continuity import Counters
from stream.inlet import Inlet, Unit
from stream.mpegts import (
    AUDIO_PID,
    TICKS_PER_S,
    VIDEO_PID,
    WRAP_TICKS,
    ticks_between,
)
from stream.silence import SOUND_STEP_TICKS, silent_frame
from stream.tap import LEG_LIMIT_BYTES, Chunk, Tap, leg_limit_bytes

__all__ = ["LEG_LIMIT_BYTES", "START_TICKS", "Chunk", "Hub", "Inlet", "Tap", "leg_limit_bytes"]

log = logging.getLogger(__name__)

START_TICKS = 10 * TICKS_PER_S  # room below the first frame: the sound's first packet may begin a little before it
SOUND_PATIENCE_S = 0.7  # as with the camera: so long sound may be late before silence is put in its place
FIRST_SOUND_PATIENCE_S = 0.3  # a pusher that begins with the first frame waits 0.5 s for the sound's parameters
_GOP_LIMIT_BYTES = 16_000_000  # more than 4 s at 20 Mb/s; a source without keyframes must not fill the memory
_OLD_TIMES_STEPS = 4  # so much longer a picture may stand still for the sound to stay where it is
_JUMP_TICKS = 10 * TICKS_PER_S  # a source whose own time jumps further than this is taken as restarted


class Hub:
    """One timeline and its legs. Every method may be called from any thread.

    It begins `begin_s` later than a new one: viewers of an earlier process, who stayed, see no time twice.
    """

    def __init__(self, frames_per_s: int, clock: Clock, *, begin_s: float = 0.0) -> None:
        self._begin_ticks = (START_TICKS + round(begin_s * TICKS_PER_S)) % WRAP_TICKS
        self._clock = clock
        self._frames_per_s = frames_per_s
        self._lock = threading.RLock()
        self._taps: list[Tap] = []
        self._gop: list[Chunk] = []
        self._gop_bytes = 0
        self._on_air: Inlet | None = None
        self._selected: Inlet | None = None
        self._sound: Inlet | None = None  # whose sound is wanted; None: silence
        self._counters = Counters()
        self._tables = mpegts.tables()
        self._video_ticks: int | None = None  # DTS of the last video frame sent
        self._video_at_s = 0.0
        self._audio_ticks: int | None = None  # of the last frame of sound
        self._heard_at_s = 0.0  # when the selected sound last gave some, or was selected
        self._zero_ticks: int | None = None  # the timeline at zero of the machine's clock, by the camera's stamps

    def inlet(self, name: str, *, is_clocked: bool = False) -> Inlet:
        """A new source; the first one is selected by itself. See Inlet for `is_clocked`."""
        with self._lock:
            inlet = Inlet(name, self, self._lock, self._clock, is_clocked=is_clocked)
            if self._selected is None:
                self._selected = self._sound = inlet
            return inlet

    def select(self, inlet: Inlet, *, at_once: bool = False) -> None:
        """Let the picture of `inlet` take over at its next keyframe; until then the one on air stays, unless it has
        to go at once."""
        with self._lock:
            self._selected = inlet
            if inlet is self._on_air:
                return
            if at_once and self._on_air is not None:
                self._on_air.pause()

    def select_sound(self, inlet: Inlet | None) -> None:
        """Let viewers hear `inlet` from its next frame of sound on, and nothing else; silence when it is None.

        Sound whose own picture is about to take over waits for it.
        """
        with self._lock:
            if inlet is self._sound:
                return
            if self._sound is not None:
                self._sound.sound_offset = None
            self._sound = inlet
            self._heard_at_s = self._clock.monotonic()

    def needs(self, inlet: Inlet) -> bool:
        """Whether the picture of `inlet` is on air, or is to be."""
        with self._lock:
            return inlet is self._selected or inlet.is_on_air

    def hears(self, inlet: Inlet) -> bool:
        """Whether viewers hear `inlet` now."""
        with self._lock:
            is_late = self._clock.monotonic() - self._heard_at_s > SOUND_PATIENCE_S
            return inlet is self._sound and inlet.sound_offset is not None and not is_late

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

    def take_picture(self, inlet: Inlet, unit: Unit) -> None:
        """Put a frame of `inlet` on the timeline, when its picture is on air or may take over with this frame."""
        offset = inlet.picture_offset
        if offset is not None and not self._is_next_frame((unit.dts + offset) % WRAP_TICKS):
            log.warning("source=%s event=time-jumped next=wait-for-keyframe", inlet.name)
            offset = inlet.picture_offset = None
        if offset is None:
            if not unit.is_key or inlet is not self._selected:
                return
            offset = self._admit(inlet, unit)
        self._video_ticks, self._video_at_s = (unit.dts + offset) % WRAP_TICKS, unit.at_s
        inlet.frames += 1
        self._stamp(unit.packets, VIDEO_PID, offset)
        tables = bytearray(self._tables if unit.is_key else b"")
        self._counters.number(tables)
        self._emit(Chunk(bytes(tables + unit.packets), unit.is_key, 1))
        self._fill_with_silence(self._video_ticks)

    def take_sound(self, inlet: Inlet, unit: Unit) -> None:
        """Put a frame of sound on the timeline, when viewers are to hear `inlet`."""
        if inlet is not self._sound or self._video_ticks is None:
            return
        offset = inlet.sound_offset
        if offset is None:
            offset = inlet.sound_offset = self._place(inlet, unit)
            if offset is None:
                return
        ticks = (unit.dts + offset) % WRAP_TICKS
        if abs(ticks_between(ticks, self._ticks_at(unit.at_s))) > _JUMP_TICKS:
            log.warning("source=%s event=sound-jumped next=put-right", inlet.name)
            inlet.sound_offset = None
            return
        if self._audio_ticks is not None:
            ahead = ticks_between(ticks, self._audio_ticks)
            steps = round(ahead / SOUND_STEP_TICKS)
            if steps < 1:
                self._wait_for_sound(ahead)
                return
            if ahead <= _JUMP_TICKS:
                ticks = (self._audio_ticks + steps * SOUND_STEP_TICKS) % WRAP_TICKS
                self._fill_with_silence_to(ticks)
        self._audio_ticks, self._heard_at_s = ticks, self._clock.monotonic()
        self._stamp(unit.packets, AUDIO_PID, (ticks - unit.dts) % WRAP_TICKS)
        self._emit(Chunk(bytes(unit.packets), is_keyframe=False, frames=0))

    def _is_next_frame(self, ticks: int) -> bool:
        return self._video_ticks is not None and 0 < ticks_between(ticks, self._video_ticks) <= _JUMP_TICKS

    def _admit(self, inlet: Inlet, unit: Unit) -> int:
        """Begin a run of pictures with a keyframe. Returns by how many ticks to move it.

        It follows the last frame by one frame step, or by as many whole ones as fit into the time that passed. A camera
        whose stamps tell goes on in its own old times, when they are only some steps later: so the sound can stay.
        """
        if self._on_air is not None and self._on_air is not inlet:
            self._on_air.pause()
        self._on_air = inlet
        follows = self._begin_ticks
        if self._video_ticks is not None:
            step = TICKS_PER_S / self._frames_per_s
            steps = max(1, int((unit.at_s - inlet.lag_s - self._video_at_s) * self._frames_per_s + 0.01))
            if inlet.is_clocked and self._zero_ticks is not None:
                stamped = round(ticks_between((unit.dts + self._zero_ticks) % WRAP_TICKS, self._video_ticks) / step)
                steps = stamped if steps < stamped <= steps + _OLD_TIMES_STEPS else steps
            follows = self._video_ticks + round(steps * step)
        offset = inlet.picture_offset = (follows - unit.dts) % WRAP_TICKS
        if inlet.is_clocked:
            self._zero_ticks = offset if self._is_of_now(unit) else None
            if self._zero_ticks is None:
                log.warning("source=%s event=stamps-unknown next=sound-beside-it-by-arrival", inlet.name)
        if self._audio_ticks is None:
            self._heard_at_s = self._clock.monotonic()
        elif self._sound is not None and self._sound.sound_offset is not None:
            exact = self._exact_offset(self._sound)
            off_by = 0 if exact is None else ticks_between(exact, self._sound.sound_offset)
            if abs(off_by) >= SOUND_STEP_TICKS:
                log.info("source=%s event=sound-put-right by_ms=%.0f", self._sound.name, off_by * 1000 / TICKS_PER_S)
                self._sound.sound_offset = None
        return offset

    def _place(self, inlet: Inlet, unit: Unit) -> int | None:
        """Where a run of sound that begins with `unit` belongs: by how many ticks to move it; None when not yet."""
        if inlet is self._selected and not inlet.is_on_air:
            return None
        exact = self._exact_offset(inlet) if not inlet.is_clocked or self._is_of_now(unit) else None
        offset = (self._ticks_at(unit.at_s) - unit.dts) % WRAP_TICKS if exact is None else exact
        if self._audio_ticks is None:
            return offset
        ahead = ticks_between((unit.dts + offset) % WRAP_TICKS, self._audio_ticks)
        steps = round(ahead / SOUND_STEP_TICKS)
        if steps < 1:
            self._wait_for_sound(ahead)
            return None
        return (self._audio_ticks + steps * SOUND_STEP_TICKS - unit.dts) % WRAP_TICKS

    def _wait_for_sound(self, ahead: int) -> None:
        """Silence was sent in the place of a frame. Sound comes later than the picture of its moment, by as much as a
        source takes: so when it is not far, silence is held back until the sound has come up with it."""
        if ahead > -SOUND_PATIENCE_S * TICKS_PER_S:
            self._heard_at_s = self._clock.monotonic()

    def _exact_offset(self, inlet: Inlet) -> int | None:
        """By how many ticks the sound of `inlet` has to be moved to be beside its picture; None when no clock says."""
        if inlet.picture_offset is not None:
            return inlet.picture_offset
        return self._zero_ticks if inlet.is_clocked else None

    def _is_of_now(self, unit: Unit) -> bool:
        """Whether a frame's stamp can be a time of the machine's clock."""
        return abs(ticks_between(unit.dts, round(unit.at_s * TICKS_PER_S) % WRAP_TICKS)) < _JUMP_TICKS

    def _ticks_at(self, at_s: float) -> int:
        """What the timeline reads at a moment, as far as the pictures tell."""
        base = self._begin_ticks if self._video_ticks is None else self._video_ticks
        return (base + round((at_s - self._video_at_s) * TICKS_PER_S)) % WRAP_TICKS

    def _fill_with_silence(self, ticks: int) -> None:
        """Send silence up to `ticks`, a picture's, when nobody else gives sound."""
        if self._sound is not None:
            patience_s = FIRST_SOUND_PATIENCE_S if self._audio_ticks is None else SOUND_PATIENCE_S
            if self._clock.monotonic() - self._heard_at_s <= patience_s:
                return
        if self._audio_ticks is None or ticks_between(ticks, self._audio_ticks) > _JUMP_TICKS:
            self._audio_ticks = (ticks - SOUND_STEP_TICKS) % WRAP_TICKS
        self._fill_with_silence_to(ticks + SOUND_STEP_TICKS // 2)

    def _fill_with_silence_to(self, ticks: int) -> None:
        """Send silence until a frame of sound at `ticks` follows, or nearly so."""
        while self._audio_ticks is not None and ticks_between(ticks, self._audio_ticks) >= SOUND_STEP_TICKS * 3 // 2:
            self._audio_ticks = (self._audio_ticks + SOUND_STEP_TICKS) % WRAP_TICKS
            packet = silent_frame(self._audio_ticks)
            self._counters.number(packet)
            self._emit(Chunk(bytes(packet), is_keyframe=False, frames=0))

    def _stamp(self, packets: bytearray, pid: int, offset: int) -> None:
        """Make a frame's packets those of the timeline: their PID, their times, their numbers."""
        for at in mpegts.with_adaptation(packets):
            if pid == AUDIO_PID:
                mpegts.drop_pcr(packets, at)  # the program's clock comes with the picture
            elif at:
                mpegts.restamp(packets, at, offset)
        mpegts.restamp(packets, 0, offset)
        mpegts.set_pid(packets, pid)
        self._counters.number(packets)

    def _emit(self, chunk: Chunk) -> None:
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
