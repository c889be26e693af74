"""What one destination is given: the program, or its low-rate copy, one after the other in one session.

The copy has the program's own times and codec headers, so that a change is nothing but a keyframe which comes from
elsewhere; only the continuity counters are counted anew. To the low rate it changes as soon as there is a keyframe
later than what was sent, and what still waited of the program is dropped: that is the congestion. Back to the program
the copy, which is some frames late, goes on until it reaches a keyframe of the program: nothing is missing there.
"""

from __future__ import annotations

import logging
from typing import Protocol

from stream import mpegts
from stream.continuity import Counters
from stream.hub import Hub
from stream.mpegts import PACKET_BYTES
from stream.tap import Chunk, Tap

log = logging.getLogger(__name__)

_PATIENCE_TICKS = 3 * mpegts.TICKS_PER_S  # of a copy that is later than this nobody waits for the end


class LowRateCopy(Protocol):
    """Where the low-rate copy is to be had; LowRate is one."""

    def join(self, name: str) -> Tap:
        """A queue of it, from its next keyframe on."""

    def leave(self, tap: Tap) -> None:
        """Forget a queue."""


class Feed:
    """For one thread, but for the figures. `close` it in the end."""

    def __init__(
        self, hub: Hub, name: str, limit_bytes: int, copy: LowRateCopy | None = None, *, is_low: bool = False
    ) -> None:
        self._hub = hub
        self._name = name
        self._limit_bytes = limit_bytes
        self._copy = copy
        self._is_low = is_low and copy is not None
        self._dropped_before = 0
        self._tap = self._attach(is_low=self._is_low)
        self._next: Tap | None = None  # what takes over at its next keyframe
        self._held: Chunk | None = None  # that keyframe
        self._last: Chunk | None = None  # the last one sent that has a picture
        self._counters = Counters()  # they go on, whichever source it came from, and whatever was dropped

    @property
    def is_low(self) -> bool:
        """Whether the low-rate copy is what is given now."""
        return self._is_low

    @property
    def queue_bytes(self) -> int:
        """What waits to be taken."""
        return self._tap.queue_bytes

    @property
    def fed_at_s(self) -> float | None:
        """When there last was something to give (monotonic)."""
        return self._tap.fed_at_s

    @property
    def dropped_frames(self) -> int:
        """Pictures left out since the beginning."""
        return self._dropped_before + self._tap.dropped_frames

    def close(self) -> None:
        """Take no more."""
        self._cancel()
        self._detach(self._tap, is_low=self._is_low)

    def ask(self, *, low: bool) -> None:
        """Change to the low rate, or back, at the next keyframe; at once nothing happens."""
        if self._copy is None or low == self._is_low:
            self._cancel()
        elif self._next is None:
            self._next = self._attach(is_low=low)

    def take(self, timeout_s: float) -> Chunk | None:
        """The next frames, None when there are none within `timeout_s`."""
        if self._next is not None and self._held is None:
            self._held = self._keyframe_after_last(self._next)
        if self._held is not None and not self._is_low:
            return self._change()
        chunk = self._tap.take(timeout_s)
        if self._held is not None and (chunk is None or self._has_reached(chunk, self._held)):
            return self._change()
        return None if chunk is None else self._sent(chunk)

    def _keyframe_after_last(self, tap: Tap) -> Chunk | None:
        while (chunk := tap.take(0.0)) is not None:
            if chunk.is_keyframe and (self._last is None or _is_later(chunk, self._last)):
                return chunk
        return None

    def _has_reached(self, late: Chunk, keyframe: Chunk) -> bool:
        one, other = _video_dts(late.data), _video_dts(keyframe.data)
        if one is None or other is None:
            return False
        return not -_PATIENCE_TICKS < mpegts.ticks_between(one, other) < 0

    def _change(self) -> Chunk:
        held, following = self._held, self._next
        if held is None or following is None:  # only called with both
            raise RuntimeError(f"{self._name}: nothing to change to")
        left_out = self._tap.queue_frames if not self._is_low else 0
        self._detach(self._tap, is_low=self._is_low)
        self._dropped_before += self._tap.dropped_frames + left_out
        self._tap, self._next, self._held = following, None, None
        self._dropped_before -= self._tap.dropped_frames  # while it waited it was no loss
        self._is_low = not self._is_low
        log.info("leg=%s event=%s dropped=%d", self._name, "low-rate" if self._is_low else "full-rate", left_out)
        return self._sent(held)

    def _sent(self, chunk: Chunk) -> Chunk:
        if chunk.frames:
            self._last = chunk
        packets = bytearray(chunk.data)
        self._counters.number(packets)
        return chunk._replace(data=bytes(packets))

    def _attach(self, *, is_low: bool) -> Tap:
        if is_low and self._copy is not None:
            return self._copy.join(self._name)
        return self._hub.attach(self._name, self._limit_bytes)

    def _detach(self, tap: Tap, *, is_low: bool) -> None:
        if is_low and self._copy is not None:
            self._copy.leave(tap)
        else:
            self._hub.detach(tap)

    def _cancel(self) -> None:
        if self._next is not None:
            self._detach(self._next, is_low=not self._is_low)
            self._next = self._held = None


def _is_later(chunk: Chunk, other: Chunk) -> bool:
    one, two = _video_dts(chunk.data), _video_dts(other.data)
    return one is not None and two is not None and mpegts.ticks_between(one, two) > 0


def _video_dts(data: bytes) -> int | None:
    """The time of the first picture in some packets. Ticks."""
    buf = bytearray(data)
    for at in range(0, len(buf) - PACKET_BYTES + 1, PACKET_BYTES):
        if mpegts.is_unit_start(buf, at) and (start := mpegts.payload_at(buf, at)) is not None:
            is_video = buf[start : start + 3] == b"\0\0\1" and buf[start + 3] & 0xF0 == 0xE0  # table 2-22
            if is_video and (times := mpegts.pes(buf, at)) is not None:
                return times.dts
    return None
