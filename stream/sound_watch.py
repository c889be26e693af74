"""Whether the room can be heard: levels for the meter, and alarms when there is silence, clipping or no sound at all.

| alarm | when | gone when |
|---|---|---|
| no-sound | the source of the sound gave none for 2 s | it gave some for 1 s |
| silence | it stayed below -60 dBFS for 4.5 s | it was louder for 1 s |
| clipping | full scale in three or more of the last forty twentieths of a second, for 1 s | less for 3 s |

The first is raised before the start and in a break as well, when there is still time to do something about it; the
others only while viewers are to hear the room.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from stream.alarms import Alarm, Latch
from stream.health import SoundState
from stream.order import Order, Scene
from stream.sound_levels import Level

# Below what ffmpeg's own silencedetect takes for silence by default. A room with people in it is louder, a microphone
# that is switched off at its own end some 30 dB more quiet.
SILENT_DB: Final = -60.0
CLIPPED_DB: Final = -0.1  # one step of 16 bits below full scale is -0.0003
_METER_S: Final = 1.0
_LOUDEST_S: Final = 0.5  # longer than the pauses between words
_CLIPPING_S: Final = 2.0
_CLIPPED_BLOCKS: Final = 3  # one clap is in two at most
_NO_SOUND_S: Final = 1.0  # and 1 s of patience
_FIRST_SOUND_S: Final = 4.0  # at the start, when nothing has failed yet
_WITH_SOUND_SOON: Final = frozenset({"starting", "next", "camera", "break"})


class SoundWatch:
    """Told of levels and troubles by the threads of the sound's source, asked by others. Times are monotonic seconds.

    `source` is how the source is called in words, "the microphone hw:1,0", and `check` what a person should make sure
    of, "it is plugged in". `absent` says why there is no sound and none is missed, "" when there should be some.
    """

    def __init__(self, source: str, check: str, *, absent: str = "") -> None:
        self._source = source
        self._check = check
        self._lock = threading.Lock()
        self._absent = absent
        self._last_cause = ""
        self._trouble = ""
        self._levels: deque[tuple[float, Level]] = deque()
        self._heard_at_s: float | None = None  # None: the stream is stopped
        self._has_begun = False
        self._no_sound = Latch(on_after_s=1.0, off_after_s=1.0)
        self._silence = Latch(on_after_s=4.0, off_after_s=1.0)
        self._clipping = Latch(on_after_s=1.0, off_after_s=3.0)
        self._alarms: tuple[Alarm, ...] = ()

    def begin(self, now_s: float) -> None:
        """The stream begins, for the first time or after `end`: nothing is known yet."""
        with self._lock:
            self._trouble = ""
            self._heard_at_s = now_s
            self._has_begun = False

    def end(self) -> None:
        """The stream has ended: nothing is missed."""
        with self._lock:
            self._heard_at_s = None
            self._levels.clear()
            self._be_calm()

    def heard(self, level: Level, now_s: float) -> None:
        """The source gave a block of sound."""
        with self._lock:
            self._trouble = ""
            self._heard_at_s = now_s
            self._has_begun = True
            self._levels.append((now_s, level))
            while self._levels[0][0] < now_s - _CLIPPING_S:
                self._levels.popleft()

    def fails(self, cause: str) -> None:
        """The source has ended, for this reason; it is tried again."""
        with self._lock:
            self._trouble = cause

    def is_absent(self, cause: str) -> None:
        """The source has turned out to have no sound at all."""
        with self._lock:
            self._absent = cause

    def state(self, now_s: float, *, is_on_air: bool) -> SoundState:
        """What the meter shows."""
        with self._lock:
            last = self._since(now_s - _METER_S)
            return SoundState(
                peak_db=max((level.peak_db for level in last), default=None),
                rms_db=max((level.rms_db for level in last), default=None),
                on_air=is_on_air,
                cause=self._cause(now_s) if self._heard_at_s is not None or self._absent else "",
            )

    def alarms(self) -> tuple[Alarm, ...]:
        """What is wrong, as seen at the last look."""
        return self._alarms

    def look(self, now_s: float, order: Order | None) -> None:
        """Judge what was heard; call some times a second."""
        with self._lock:
            is_live = order is not None and order.do == "live" and self._heard_at_s is not None and not self._absent
            if order is None or not is_live or order.program not in _WITH_SOUND_SOON:
                self._be_calm()
                return
            self._alarms = tuple(self._judge(now_s, order.scene))

    def _judge(self, now_s: float, scene: Scene) -> list[Alarm]:
        if self._no_sound.look(now_s, is_bad=self._is_quiet(now_s)):
            self._clipping.reset()
            action = f"Check that {self._check}: the sound comes back by itself."
            self._last_cause = self._cause(now_s) or self._last_cause  # it is back, and the alarm still for a second
            return [Alarm(code="no-sound", cause=self._last_cause, action=action)]
        if not scene.has_room_sound:
            self._silence.reset()
            self._clipping.reset()
            return []
        found = []
        loudest = max((level.rms_db for level in self._since(now_s - _LOUDEST_S)), default=SILENT_DB)
        if self._silence.look(now_s, is_bad=loudest < SILENT_DB):
            action = "Check that the microphone is switched on and turned up."
            cause = f"the room is silent: {self._source} hears {loudest:.0f} dBFS"
            found.append(Alarm(code="silence", cause=cause, action=action))
        blocks = self._since(now_s - _CLIPPING_S)
        clipped = sum(level.peak_db >= CLIPPED_DB for level in blocks)
        if self._clipping.look(now_s, is_bad=clipped >= _CLIPPED_BLOCKS):
            cause = f"the sound is too loud: {self._source} is at full scale in {clipped} of {len(blocks)} moments"
            found.append(Alarm(code="clipping", cause=cause, action="Turn the microphone or the mixer down."))
        return found

    def _cause(self, now_s: float) -> str:
        if self._absent:
            return self._absent
        if not self._is_quiet(now_s) or self._heard_at_s is None:
            return ""
        why = self._trouble or f"{self._source} gives no sound for {now_s - self._heard_at_s:.0f} s"
        return f"{why}: viewers hear silence until it is back"

    def _is_quiet(self, now_s: float) -> bool:
        limit_s = _NO_SOUND_S if self._has_begun or self._trouble else _FIRST_SOUND_S
        return self._heard_at_s is None or now_s - self._heard_at_s > limit_s

    def _since(self, since_s: float) -> list[Level]:
        return [level for at_s, level in self._levels if at_s >= since_s]

    def _be_calm(self) -> None:
        for latch in (self._no_sound, self._silence, self._clipping):
            latch.reset()
        self._alarms = ()
