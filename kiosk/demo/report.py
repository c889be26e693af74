"""What happened in the demo, from the parts that know: the ledger, the stream's own state, a viewer, the recording."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av

from kiosk.ledger import Event
from kiosk.ledger.ledger import Ledger
from kiosk.news import DoorState
from stream.health import LegKind, StreamState

_DECODED_S = 60.0  # of a recording; the rest is looked at packet by packet, which costs a hundredth


class Film(NamedTuple):
    """What a recording holds, read back."""

    frames: int
    seconds: float
    gaps: int  # places where two pictures are further apart than one and a half frames, or time goes back
    longest_step_s: float


def inspect(path: Path, frames_per_s: int) -> Film:
    """Read a recording back; its first minute is decoded too. Raises av.FFmpegError when that fails."""
    times: list[float] = []
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.dts is None or packet.time_base is None:
                continue
            times.append(float(packet.dts * packet.time_base))
            if times[-1] - times[0] <= _DECODED_S:
                packet.decode()
    steps = [after - before for before, after in pairwise(times)]
    return Film(
        frames=len(times),
        seconds=round(times[-1] - times[0], 3) if times else 0.0,
        gaps=sum(not 0 < step <= 1.5 / frames_per_s for step in steps),
        longest_step_s=round(max(steps, default=0.0), 4),
    )


def report(
    *,
    seconds: float,
    ledger: Ledger,
    event: Event,
    door: DoorState | None,
    stream: StreamState | None,
    stream_at_end: StreamState | None,
    films: list[Film],
    played_back: int,
) -> dict[str, Any]:
    """The demo's last line; numbers are the last ones, states those before the stream was told to stop."""
    states = {leg.name: str(leg.state) for leg in (stream_at_end.legs if stream_at_end else ())}
    count = ledger.head_count(event)
    recorded = sum(film.frames for film in films)
    return {
        "seconds": round(seconds, 1),
        "scans": {"admitted": count.admitted, **{str(why): n for why, n in sorted(ledger.refusals(event).items())}},
        "occupancy": {"ledger": count.inside, "door": door.inside if door else None, "capacity": count.capacity},
        "stream": {
            "legs": [
                {
                    "name": leg.name,
                    "kind": str(leg.kind),
                    "state": states.get(leg.name, str(leg.state)),
                    "frames_sent": leg.frames_sent,
                    "frames_arrived": recorded if leg.kind is LegKind.RECORDING else played_back,
                    "reconnects": leg.reconnects,
                }
                for leg in (stream.legs if stream else ())
                if leg.kind is not LegKind.PREVIEW  # nobody here looks at it
            ],
            "films": len(films),
            "frames_recorded": recorded,
            "frames_played_back": played_back,
            "recording_gaps": sum(film.gaps for film in films),
            "longest_step_s": max((film.longest_step_s for film in films), default=None),
        },
    }
