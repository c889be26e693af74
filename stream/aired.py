"""An evening of the stream in numbers: how long viewers had it, what was missing, what was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from typing import NamedTuple

from stream.logbook import BEAT_S, Line, moment

_HOLDS_S = 1.5 * BEAT_S  # a line without a next one within this tells of itself alone
_SHORTEST_GAP_S = 1.0


class Aired(NamedTuple):
    """One destination."""

    name: str
    live_s: float
    gaps: int  # times that it was off between its first and its last moment on the air, while it was to be live
    missing_s: float  # all of them together
    longest_s: float


class StreamReport(NamedTuple):
    """All of it; nothing at all when there was no stream."""

    aired: Sequence[Aired] = ()
    recordings: int = 0  # files
    recorded_s: float = 0.0

    @property
    def is_nothing(self) -> bool:
        """Whether there was no stream."""
        return not (self.aired or self.recordings)


class _Span(NamedTuple):
    seconds: float
    line: Line
    is_known: bool  # somebody vouches for how it was


def stream_report(lines: Sequence[Line], begins: datetime, ends: datetime) -> StreamReport:
    """What the lines between two moments (aware) come to."""
    spans = _spans([line for line in lines if begins <= moment(line) <= ends])
    names = sorted({name for span in spans if span.line.is_wanted for name in (*span.line.on, *span.line.off)})
    aired = [each for name in names if (each := _aired(name, spans)).live_s]
    written = [span for span in spans if span.is_known and span.line.recording]
    files = {span.line.recording for span in spans if span.line.recording}
    return StreamReport(aired, len(files), round(sum(span.seconds for span in written), 1))


def _spans(lines: Sequence[Line]) -> Sequence[_Span]:
    """Each line with how long it held; what is between two lives of the process nobody knows: it was off."""
    found = []
    for line, then in zip_longest(lines, lines[1:]):
        if then is None:
            found.append(_Span(0.0, line, is_known=True))
            continue
        is_boot = then.boot_id == line.boot_id
        seconds = then.monotonic_s - line.monotonic_s if is_boot else (moment(then) - moment(line)).total_seconds()
        is_known = then.life == line.life and (seconds <= _HOLDS_S or not line.is_wanted)
        found.append(_Span(max(seconds, 0.0), line, is_known))
    return found


def _aired(name: str, spans: Sequence[_Span]) -> Aired:
    live_s = 0.0
    gaps: list[float] = []
    gap_s: float | None = None  # None: before the first moment on the air, or after an order to stop
    for span in spans:
        if span.is_known and name in span.line.on:
            if gap_s is not None and gap_s >= _SHORTEST_GAP_S:
                gaps.append(gap_s)
            gap_s, live_s = 0.0, live_s + span.seconds
        elif not span.line.is_wanted:
            gap_s = None
        elif gap_s is not None:
            gap_s += span.seconds
    return Aired(name, round(live_s, 1), len(gaps), round(sum(gaps), 1), round(max(gaps, default=0.0), 1))
