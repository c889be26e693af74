"""A stage whose camera and microphone tell the time, and how far apart picture and sound are in a film of it.

The camera's picture is a grey that grows from black to white in each second of the machine's monotonic clock; the
microphone hears a beep of a tenth of a second whenever a second begins, and a faint hum all the time. ffmpeg is the
real one; only the devices are not: an `ffmpeg` of ours comes first in the PATH and puts generated sources in their
place, with the stamps that the devices have (V4L2 the monotonic clock's, ALSA the wall clock's).
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from stream.silence import silent_frame

MICROPHONE, MISSING = "hw:1,0", "hw:9,0"

_STAGED_FFMPEG = """#!{python}
import os, sys, time
argv = sys.argv[1:]
ahead = time.time() - time.monotonic()
if "v4l2" in argv:
    begin, end = argv.index("v4l2") - 1, argv.index("/dev/video0") + 1
    rate = argv[argv.index("-framerate") + 1]
    grey = "geq=lum='16+219*mod(T,1)':cb=128:cr=128"
    source = f"color=s=32x18:r={{rate}},realtime,setpts=(RTCTIME/1000000-{{ahead:.6f}})/TB,{{grey}}"
    argv[begin:end] = ["-f", "lavfi", "-i", source]
if {microphone!r} in argv:
    begin, end = argv.index("alsa") - 1, argv.index({microphone!r}) + 1
    offset = argv[argv.index("-itsoffset") + 1]
    now = time.monotonic()
    beep = f"{loudness}*(lt(mod(t+{{now:.6f}},1),0.1)*sin(2*PI*1000*t)+0.01*sin(2*PI*200*t))"
    source = f"aevalsrc=exprs='{{beep}}|{{beep}}':s=48000,arealtime,asetpts=PTS+{{now + ahead:.6f}}/TB"
    argv[begin:end] = ["-itsoffset", offset, "-f", "lavfi", "-i", source]
os.execv("/usr/bin/ffmpeg", ["ffmpeg", *argv])
"""


def install(folder: Path, *, loudness: float = 0.5) -> None:
    """Put the staged ffmpeg into `folder`, for the PATH. The beep's loudness is a factor of full scale."""
    program = folder / "ffmpeg"
    program.write_text(_STAGED_FFMPEG.format(python=sys.executable, microphone=MICROPHONE, loudness=loudness))
    program.chmod(0o755)


class Beep(NamedTuple):
    """One beep of a film, and by how much it comes later than the picture of its moment."""

    at_s: float
    late_ms: float


def beeps(film: Path) -> list[Beep]:
    """Every beep of which the camera's picture is there. The slates' pictures are no even grey, and left out."""
    frames_at, phases = [], []
    onsets: list[list[float]] = []
    with av.open(str(film), format="mpegts") as source:
        for frame in source.decode(video=0):
            grey = frame.to_ndarray()[: frame.height]
            if grey.std() < 4:
                frames_at.append(float(frame.pts * frame.time_base))
                phases.append((float(grey.mean()) - 16) / 219)
    last_at = -1.0  # the last loud sample
    with av.open(str(film), format="mpegts") as source:
        for frame in source.decode(audio=0):
            began_at = float(frame.pts * frame.time_base)
            for index in np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.05):
                sample_at = began_at + int(index) / frame.sample_rate
                if sample_at - last_at > 0.5:
                    onsets.append([sample_at, sample_at])
                onsets[-1][1] = last_at = sample_at
    at, phase = np.array(frames_at), np.array(phases)
    found = []
    for onset, end in onsets:
        near = np.abs(at - onset) < 0.3
        is_whole = end - onset > 0.098  # not cut off at its beginning or its end
        if near.sum() >= 5 and is_whole:
            late = phase[near] + onset - at[near]
            found.append(Beep(onset, float(np.median((late + 0.5) % 1 - 0.5)) * 1000))
    return found


def silent_frames(film: Path) -> int:
    """How many frames of sound are the hub's own silence, from the second second on: a microphone opens with some."""
    silence = bytes(silent_frame(0))[-13:]
    with av.open(str(film), format="mpegts") as source:
        packets = [bytes(packet) for packet in source.demux(audio=0) if packet.dts is not None]
    return packets[47:].count(silence)


def sound_steps(film: Path) -> list[int]:
    """The steps between the DTS of one sound frame and the next, as PyAV reads them. Ticks."""
    with av.open(str(film), format="mpegts") as source:
        times = [packet.dts for packet in source.demux(audio=0) if packet.dts is not None]
    return [int(later - earlier) for earlier, later in itertools.pairwise(times)]
