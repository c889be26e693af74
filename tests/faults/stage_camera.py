"""A stage camera of numbered pictures and beeps, as a process that can be stopped and killed.

    python tests/faults/stage_camera.py FIFO WIDTH HEIGHT RATE EPOCH

Writes raw pictures and sound into FIFO for whoever opens it, for as long as they read, then for the next one. Matroska
says the rate of its pictures; with NUT ffmpeg keeps back the first 20 to guess it, and is late by them for ever.
Picture n is due n / RATE seconds after EPOCH (monotonic): what nobody reads is gone, as with any camera, except that
a reader who was slow for less than LATE_LIMIT_S gets all. Prints `first N` for each reader, and `left-out FIRST LAST`
of what was skipped for one who was slower.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from fractions import Fraction

import av
import numpy as np
from numbered import NumberedPictures

RATE_HZ = 48_000
LATE_LIMIT_S = 2.0
_NOW = {"flush_packets": "1", "cluster_time_limit": "1"}  # each picture a cluster, gone at once


def main(fifo: str, width: int, height: int, rate: int, epoch_s: float) -> None:
    pictures = NumberedPictures(width, height, rate)
    while True:
        with contextlib.suppress(BrokenPipeError):  # the reader is gone: wait for the next one
            show(fifo, pictures, (width, height), rate, epoch_s)


def show(fifo: str, pictures: NumberedPictures, size: tuple[int, int], rate: int, epoch_s: float) -> None:
    """For one reader, until it is gone: BrokenPipeError."""
    samples = RATE_HZ // rate
    beep = (8000 * np.sin(np.arange(samples) * 2 * np.pi * 1000 / RATE_HZ)).astype(np.int16)[None, :]
    hush = np.zeros_like(beep)
    reader = os.open(fifo, os.O_WRONLY)  # waits until there is one
    with open(reader, "wb", buffering=0), av.open(f"pipe:{reader}", "w", format="matroska", options=_NOW) as film:  # noqa: PTH123
        video = film.add_stream("rawvideo", rate=rate)
        video.width, video.height = size
        video.pix_fmt, video.time_base = "yuv420p", Fraction(1, rate)
        audio = film.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        number = first = int((time.monotonic() - epoch_s) * rate) + 1
        while True:
            late_s = time.monotonic() - epoch_s - number / rate
            if late_s < 0:
                time.sleep(-late_s)
            elif late_s > LATE_LIMIT_S:
                due = number + int(late_s * rate)
                print("left-out", number, due - 1, flush=True)
                number = due
            picture = av.VideoFrame.from_ndarray(pictures.draw(number), format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, rate)
            sound = av.AudioFrame.from_ndarray(beep if pictures.is_flash(number) else hush, layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = RATE_HZ, number * samples, Fraction(1, RATE_HZ)
            film.mux(video.encode(picture))
            film.mux(audio.encode(sound))
            if number == first:
                print("first", number, flush=True)
            number += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
