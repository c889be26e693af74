"""What all our ffmpeg command lines have in common, built with ffmpeg-python's `compile` and nothing else.

ffmpeg-python 0.2.0 orders options by name and puts global ones last, which ffmpeg accepts; what looks odd in the
commands comes from there.
"""

from __future__ import annotations

from typing import Any, Final

import ffmpeg

STATS_PERIOD_S: Final = 0.5
IO_LIMIT_US: Final = 5_000_000  # a backstop: the supervisor kills what is stuck after 3 s
TIMELINE: Final[dict[str, Any]] = {  # how the hub's transport stream is read
    "format": "mpegts",
    # No "-fflags nobuffer": it throws away what was read for probing, which is the whole first GOP.
    "copyts": None,  # the hub's timeline: a viewer who stays would else wait until the new times pass the old
    "analyzeduration": 500_000,
    "probesize": 300_000,
    "fpsprobesize": 0,
}


def compiled(output: Any, *more: str) -> list[str]:
    """The arguments of an ffmpeg that asks nothing, tells its progress on stdout and its troubles on stderr."""
    quiet = output.global_args(
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-loglevel",
        "level+info",
        "-stats_period",
        str(STATS_PERIOD_S),
        "-progress",
        "pipe:1",
        *more,
    )
    argv: list[str] = ffmpeg.compile(quiet)
    return argv
