"""Somebody who watches and notes what came when; a process, because it runs beside the server.

    python tests/faults/audience.py URL LOG

Writes a line a picture to LOG: when it arrived (monotonic seconds), its time (ms, as the server gave it), its number
(-1: a slate). Who is thrown out, or finds nobody there, comes again: a line "again" and when.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

import av
from numbered import read_number

_AGAIN_S = 0.1
_PATIENCE_S = 120.0  # one who stays while the server is silent
_OPTIONS = {"analyzeduration": "1000000", "probesize": "100000", "fpsprobesize": "0"}


def main(url: str, log: str) -> None:
    with open(log, "w", encoding="ascii", buffering=1) as notes:  # noqa: PTH123
        while True:
            try:
                watch(url, notes)
            except (av.FFmpegError, OSError):
                time.sleep(_AGAIN_S)
            notes.write(f"again {time.monotonic():.3f}\n")


def watch(url: str, notes: TextIO) -> None:
    """One visit, until the server ends it."""
    with av.open(url, options=_OPTIONS, timeout=(_PATIENCE_S, _PATIENCE_S)) as show:
        if not show.streams.video:  # only sound came until now
            return
        video = show.streams.video[0]
        video.thread_type = "NONE"
        for packet in show.demux(video):
            at_s = time.monotonic()
            if packet.dts is None:
                continue
            number = None
            try:
                for frame in packet.decode():
                    number = read_number(frame.to_ndarray(format="gray"))
            except av.InvalidDataError:  # it began between two keyframes
                continue
            time_ms = float(packet.pts * packet.time_base * 1000)
            notes.write(f"{at_s:.3f} {time_ms:.0f} {-1 if number is None else number}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
