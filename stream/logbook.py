"""What became of the stream, kept on the disk: a line whenever a leg changes, and one a minute while it is on the air.

So an evening can be told afterwards, though the process was killed in it. A line holds until the next one, or, when
that is missing or of another life of the process, for itself alone: time that nobody vouches for is no time on the air.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from hardware.clock import Clock
from hardware.durable import append_durably, write_durably
from stream.health import Health, LegKind, StreamState

log = logging.getLogger(__name__)

BEAT_S = 60.0
_LARGEST_BYTES = 2_000_000  # some thirty evenings
_LINE_BYTES = 400  # one with eight destinations of 20 letters has 390
_KEPT = timedelta(days=60)
_ON = (Health.LIVE, Health.BEHIND)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """How it was from one moment on."""

    at: str  # ISO 8601, UTC; as the machine believed
    monotonic_s: float  # of this boot
    boot_id: str
    life: str  # of the process
    is_wanted: bool  # live, by the organizer's order
    on: tuple[str, ...]  # destinations that took bytes
    off: tuple[str, ...]  # destinations that did not
    recording: str = ""  # the file being written


class Logbook:
    """Writes it. A line that cannot be written is told to the log: the stream goes on."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._life = os.urandom(4).hex()
        self._last: Line | None = None
        self._is_told = False
        self._shorten()

    def note(self, state: StreamState) -> None:
        """Write a line when something changed, or a minute of being live is over."""
        stamp, legs = self._clock.stamp(), [leg for leg in state.legs if leg.kind is LegKind.DESTINATION]
        line = Line(
            at=stamp.wall.isoformat(timespec="milliseconds"),
            monotonic_s=round(stamp.monotonic_ns / 1e9, 3),
            boot_id=stamp.boot_id,
            life=self._life,
            is_wanted=state.order == "live",
            on=tuple(leg.name for leg in legs if leg.state in _ON),
            off=tuple(leg.name for leg in legs if leg.state not in _ON),
            recording=state.recording or "",
        )
        last = self._last
        if last is None and not line.is_wanted:
            return  # nothing has happened since the process began
        is_same = last is not None and _what(last) == _what(line)
        is_due = line.is_wanted and last is not None and line.monotonic_s - last.monotonic_s >= BEAT_S
        if not is_same or is_due:
            self._last = line
            self._write(line)

    def _write(self, line: Line) -> None:
        try:
            line_end = msgspec.json.encode(line) + b"\n"
            append_durably(self._path, line_end, for_group=True)  # the dashboard reads it, perhaps as another user
        except OSError as error:
            if not self._is_told:
                log.warning("logbook event=not-kept cause=%s next=the-report-will-lack-it", error.strerror)
            self._is_told = True
        else:
            self._is_told = False

    def _shorten(self) -> None:
        """Let go of what is older than two months, when the file has grown."""
        try:
            if not self._path.exists() or self._path.stat().st_size <= _LARGEST_BYTES:
                return
            since = (self._clock.stamp().wall - _KEPT).isoformat()
            kept = [line for line in read(self._path) if line.at >= since][-_LARGEST_BYTES // _LINE_BYTES :]
            content = b"".join(msgspec.json.encode(line) + b"\n" for line in kept)
            write_durably(self._path, content, for_group=True)
        except OSError as error:
            log.warning("logbook event=not-shortened cause=%s", error.strerror)


def read(path: Path) -> Sequence[Line]:
    """All lines, oldest first; one that was cut off by the plug is left out. Raises OSError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    return list(_lines(content))


def moment(line: Line) -> datetime:
    """When a line was written; aware."""
    return datetime.fromisoformat(line.at)


def _lines(content: bytes) -> Iterator[Line]:
    for raw in content.splitlines():
        try:
            yield msgspec.json.decode(raw, type=Line)
        except msgspec.DecodeError:
            log.debug("logbook event=line-cut-off")


def _what(line: Line) -> tuple[bool, tuple[str, ...], tuple[str, ...], str]:
    return line.is_wanted, line.on, line.off, line.recording
