"""A slate's transport stream taken apart into frames, and played again and again without a seam; no threads.

What a loop must be, and why 8 s, stands at `graph.slate`.
"""

from __future__ import annotations

from typing import NamedTuple

from stream import mpegts
from stream.errors import BadSlate
from stream.graph import SLATE_S, SLATE_SOUNDS
from stream.mpegts import PACKET_BYTES, PAT_PID, TICKS_PER_S, WRAP_TICKS

LOOP_TICKS = SLATE_S * TICKS_PER_S


class _Frame(NamedTuple):
    """One video frame, and the sound and tables that come with it."""

    ticks: int  # after the loop's first frame
    start: int  # bytes of the loop
    end: int


class SlateLoop:
    """The frames of one slate. Raises BadSlate when they are no loop at `frames_per_s`."""

    def __init__(self, data: bytes, frames_per_s: int) -> None:
        self._data = data
        self._frames: list[_Frame] = []
        self._first_dts = 0
        starts, sounds = self._take_apart(bytearray(data))
        wanted = SLATE_S * frames_per_s
        if len(starts) != wanted or sounds != SLATE_SOUNDS:
            raise BadSlate(
                f"The slate has {len(starts)} frames and {sounds} of sound, not {wanted} and {SLATE_SOUNDS}: "
                "it is rendered again."
            )
        ends = [at for _, at in starts[1:]] + [len(data)]
        self._frames = [
            _Frame(ticks, 0 if number == 0 else at, end)
            for number, ((ticks, at), end) in enumerate(zip(starts, ends, strict=True))
        ]

    def __len__(self) -> int:
        return len(self._frames)

    def ticks_of(self, number: int) -> int:
        """When frame `number` is shown, counted from frame 0 on through all loops."""
        loops, number = divmod(number, len(self._frames))
        return loops * LOOP_TICKS + self._frames[number].ticks

    def frame(self, number: int, ticks: int) -> bytes:
        """The packets of frame `number`, stamped so that its video has `ticks`."""
        frame = self._frames[number % len(self._frames)]
        packets = bytearray(self._data[frame.start : frame.end])
        offset = (ticks - frame.ticks - self._first_dts) % WRAP_TICKS
        for at in range(0, len(packets), PACKET_BYTES):
            mpegts.restamp(packets, at, offset)
        return bytes(packets)

    def _take_apart(self, buf: bytearray) -> tuple[list[tuple[int, int]], int]:
        """Where each video frame begins, with its ticks after the first one; and how many sound packets there are."""
        program = mpegts.Program(None, frozenset())
        map_pid: int | None = None
        starts: list[tuple[int, int]] = []
        sounds = 0
        for at in range(0, len(buf) - PACKET_BYTES + 1, PACKET_BYTES):
            if not mpegts.is_unit_start(buf, at):
                continue
            pid = mpegts.pid_of(buf, at)
            section = mpegts.table(buf, at) if pid in (PAT_PID, map_pid) else None
            if section is not None and pid == PAT_PID:
                map_pid = mpegts.program_map_pid(section)
            elif section is not None:
                program = mpegts.program(section) or program
            elif (times := mpegts.pes(buf, at)) is not None:
                sounds += pid in program.audio_pids
                if pid == program.video_pid:
                    if not starts:
                        self._first_dts = times.dts
                    starts.append((mpegts.ticks_between(times.dts, self._first_dts), at))
        return starts, sounds


class SlatePlay:
    """Frames of a loop with the moments at which they are due, from `begin_s` (monotonic) on."""

    def __init__(self, loop: SlateLoop, begin_s: float) -> None:
        self.loop = loop
        self._begin_s = begin_s
        self._base_ticks = 0  # of this loop's frame 0, after the first loop's
        self._number = 0

    @property
    def due_s(self) -> float:
        """When the next frame is to be given (monotonic)."""
        return self._begin_s + self._next_ticks / TICKS_PER_S

    def take(self) -> bytes:
        """The next frame. Its times go on from those of the frame before, whatever loop that was of."""
        data = self.loop.frame(self._number, TICKS_PER_S + self._next_ticks)  # 1 s: its sound begins a little before
        self._number += 1
        return data

    def replace(self, loop: SlateLoop) -> None:
        """Go on with another loop: the next frame is its first one, which is a keyframe."""
        self._base_ticks = self._next_ticks
        self._number = 0
        self.loop = loop

    @property
    def _next_ticks(self) -> int:
        return self._base_ticks + self.loop.ticks_of(self._number)
