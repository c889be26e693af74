"""What the camera's small grey pictures are worth and cost: noise of still scenes, and whether the stream stays even.

    python benchmarks/watching.py

Prints how many of the 14400 pixels differ from one small picture to the next when a camera films a scene that does not
move, by its noise and its coding; then the longest silence of the encoder's stream without small pictures, with them as
`graph.encoder` makes them, and as a plain branch would. Takes about a minute and a half.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from hardware.clock import SystemClock
from stream import graph
from stream.settings import Picture, TestPicture

FFMPEG = "/usr/bin/ffmpeg"
PIXELS = graph.WATCH_WIDTH_PX * graph.WATCH_HEIGHT_PX
SCENE = "smptehdbars=s=1280x720:r=30,format=yuv420p,gblur=6,noise=all_seed=1:c0s={noise}:c0f=t"
SMALL = f"select=not(mod(n\\,15)),scale={graph.WATCH_WIDTH_PX}:{graph.WATCH_HEIGHT_PX}:flags=area,format=gray"
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-b:v", "1M", "-maxrate", "1M", "-bufsize", "1M", "-g", "120")
CODECS = {"uncompressed": ("-c:v", "rawvideo"), "mjpeg q5": ("-c:v", "mjpeg", "-q:v", "5"), "h264 1 Mb/s": X264}
SECONDS = 10


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(f"pixels of {PIXELS} that differ between two small pictures of a still scene, {SECONDS} s")
        for noise in (1, 2, 4):
            for name, codec in CODECS.items():
                differing = still_scene(noise, codec, Path(folder) / "film.nut")
                print(f"  noise {noise}, {name}: least {min(differing)}, median {int(np.median(differing))}")
    print(f"the encoder, {SECONDS} s of 1280x720 at 30")
    for name, has_small, is_ahead in (("no small pictures", False, True), ("ours", True, True), ("plain", True, False)):
        silence_s, cpu = stream(has_small=has_small, is_ahead=is_ahead)
        print(f"  {name}: longest silence {silence_s * 1000:.0f} ms, CPU {cpu:.3f} of a core")


def still_scene(noise: int, codec: tuple[str, ...], film: Path) -> list[int]:
    """How many pixels differ, from each small picture to the next."""
    scene = ["-f", "lavfi", "-i", SCENE.format(noise=noise), "-t", str(SECONDS)]
    subprocess.run([FFMPEG, "-v", "error", "-y", *scene, *codec, str(film)], check=True)
    to_grey = ["-vf", SMALL, "-fps_mode", "vfr", "-f", "rawvideo", "-"]
    grey = subprocess.run([FFMPEG, "-v", "error", "-i", str(film), *to_grey], check=True, capture_output=True).stdout
    pictures = np.frombuffer(grey, np.uint8).reshape(-1, PIXELS)
    return [int((one != other).sum()) for one, other in pairwise(pictures)]


def stream(*, has_small: bool, is_ahead: bool) -> tuple[float, float]:
    """The longest silence of the stream in seconds, and the encoder's share of a core."""
    (ours, theirs), (small_ours, small_theirs) = os.pipe(), os.pipe()
    fcntl.fcntl(small_ours, fcntl.F_SETPIPE_SZ, 1 << 20)
    argv = graph.encoder(TestPicture(), Picture(), out_fd=theirs, watch_fd=small_theirs if has_small else None)
    if not is_ahead:
        argv = [each.replace("setpts=PTS+1/TB", "null") for each in argv]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(argv, pass_fds=(theirs, small_theirs), stdout=quiet, stderr=quiet)
    os.close(theirs)
    os.close(small_theirs)
    clock, silence_s = SystemClock(), 0.0
    os.read(ours, 1 << 20)
    last_s = began_s = clock.monotonic()
    poll = select.poll()
    poll.register(ours, select.POLLIN)
    while last_s - began_s < SECONDS:
        poll.poll(1000)
        os.read(ours, 1 << 20)
        now_s = clock.monotonic()
        silence_s, last_s = max(silence_s, now_s - last_s), now_s
    child.kill()
    child.wait()
    for fd in (ours, small_ours):
        os.close(fd)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return silence_s, cpu_s / SECONDS


if __name__ == "__main__":
    main()
