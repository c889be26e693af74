"""A hub with all that can be fed to it, for the tests of what viewers see and hear."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from stream_stage import AUDIO, AUDIO_STEP_TICKS, camera, microphone

from hardware.clock import ManualClock
from stream import mpegts
from stream.hub import Hub, Inlet
from stream.mpegts import PACKET_BYTES, TICKS_PER_S
from stream.silence import silent_frame

FRAME_S = 1024 / 48_000


class Stage:
    """A hub with a camera, a slate and a microphone, and a leg that keeps all it was sent."""

    def __init__(self, *, is_clocked: bool = False) -> None:
        self.clock = ManualClock()
        self.hub = Hub(15, self.clock)
        self.camera = self.hub.inlet("camera", is_clocked=is_clocked)
        self.slate = self.hub.inlet("slate")
        self.slate.lag_s = 2.75 / 15
        self.microphone = self.hub.inlet("microphone", is_clocked=is_clocked)
        self._tap = self.hub.attach("leg", 1 << 30)
        self._data = b""

    @property
    def data(self) -> bytes:
        while (chunk := self._tap.take(0)) is not None:
            self._data += chunk.data
        return self._data

    @property
    def now_ticks(self) -> int:
        """What a device stamps on a frame of now."""
        return round(self.clock.monotonic() * TICKS_PER_S)

    def speak(self, frames: int, *, begin: int | None = None, mark: int = 9) -> None:
        """The microphone hears so many frames in real time, stamped with their moment."""
        begin = self.now_ticks if begin is None else begin
        for number in range(frames):
            self.clock.advance(FRAME_S)
            self.microphone.feed(microphone(1, begin=begin + number * AUDIO_STEP_TICKS, mark=mark))

    def live(self, seconds: int, *pictures: Inlet, speaks: bool = True, late_s: float = 0.0, mark: int = 9) -> None:
        """So much time passes: each of `pictures` gives frames, and the microphone, if it speaks, frames of sound that
        come in `late_s` after their moment. All are stamped with their moment. A slate's come later, as
        SlateSource gives them."""
        begin_s, begin = self.clock.monotonic(), self.now_ticks
        films = {inlet.name: frames_of(camera(15 * seconds, begin=begin)) for inlet in pictures}
        moments = [(number * FRAME_S, "") for number in range(math.ceil(seconds / FRAME_S))]
        for inlet in pictures:
            lag_s = 2.75 / 15 if inlet is self.slate else 0.0
            moments += [(number / 15 + lag_s, inlet.name) for number in range(15 * seconds)]
        stamp = begin - round(late_s * TICKS_PER_S)
        for at_s, name in sorted(moments):
            self.clock.advance(begin_s + at_s - self.clock.monotonic())
            if name:
                (self.slate if name == "slate" else self.camera).feed(next(films[name]))
                continue
            if speaks:
                self.microphone.feed(microphone(1, begin=stamp, mark=mark))
            stamp += AUDIO_STEP_TICKS
        self.clock.advance(begin_s + seconds - self.clock.monotonic())


def frames_of(film: bytes) -> Iterator[bytes]:
    """A stream cut before each video frame."""
    cuts = [at for at in range(0, len(film), PACKET_BYTES) if film[at + 1] == 0x41 and film[at + 2] == 0]
    for begin, end in itertools.pairwise([0, *cuts[1:], len(film)]):
        yield film[begin:end]


def sounds(data: bytes) -> list[tuple[int, int]]:
    """The DTS of each frame of sound, and the byte it is filled with: 0 for silence. Ticks."""
    buf, silence = bytearray(data), bytes(silent_frame(0))[-13:]
    found = []
    for at in range(0, len(buf), PACKET_BYTES):
        if mpegts.pid_of(buf, at) == AUDIO and mpegts.is_unit_start(buf, at):
            times = mpegts.pes(buf, at)
            assert times is not None
            is_silent = bytes(buf[at : at + PACKET_BYTES]).endswith(silence)
            found.append((times.dts, 0 if is_silent else buf[at + PACKET_BYTES - 1]))
    return found


def steps(times: list[int]) -> set[int]:
    return {mpegts.ticks_between(later, earlier) for earlier, later in itertools.pairwise(times)}
