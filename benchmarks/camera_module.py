"""What it costs to hand a camera module's pictures to the encoder: with their stamps (NUT), and bare.

Pictures of 1280x720, 30 a second, go through a pipe to a reader that throws them away; in turns. Prints seconds of CPU
a second of the writing process, the copy out of picamera2's buffer included, one line a turn and the medians.

    .venv/bin/python benchmarks/camera_module.py --turns 5 --seconds 10
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time
from collections.abc import Callable

import numpy as np

from stream.camera_module import Outlet, Shot, planar
from stream.settings import Picture

PICTURE = Picture()
SIZE_PX = (PICTURE.width_px, PICTURE.height_px)
Give = Callable[[np.ndarray], None]


def bare(fd: int) -> Give:
    """The pictures alone, from the thread that takes them."""

    def give(array: np.ndarray) -> None:
        left = memoryview(planar(array, *SIZE_PX))
        while left:
            left = left[os.write(fd, left) :]

    return give


def stamped(fd: int) -> Give:
    """As the product does."""
    outlet = Outlet(fd, SIZE_PX, PICTURE.frames_per_s)
    return lambda array: outlet.put(Shot(planar(array, *SIZE_PX), time.monotonic_ns() // 1000))


def cpu(way: Callable[[int], Give], seconds: float) -> float:
    """Seconds of CPU a second of this process."""
    reads, writes = os.pipe()
    with subprocess.Popen(["/bin/cat"], stdin=reads, stdout=subprocess.DEVNULL) as reader:
        os.close(reads)
        give = way(writes)
        dma = np.random.default_rng(1).integers(16, 235, (SIZE_PX[1] * 3 // 2, SIZE_PX[0]), dtype=np.uint8)
        began_s, before = time.monotonic(), os.times()
        for number in range(round(seconds * PICTURE.frames_per_s)):
            give(dma.copy())
            time.sleep(max(0.0, began_s + (number + 1) / PICTURE.frames_per_s - time.monotonic()))
        after = os.times()
        reader.kill()
    os.close(writes)
    return (after.user + after.system - before.user - before.system) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    asked = parser.parse_args()
    used: dict[str, list[float]] = {"bare": [], "stamped": []}
    for _ in range(asked.turns):
        for name, way in (("bare", bare), ("stamped", stamped)):
            used[name].append(cpu(way, asked.seconds))
        print("  ".join(f"{name} {each[-1]:.3f}" for name, each in used.items()), flush=True)
    print("median  " + "  ".join(f"{name} {statistics.median(each):.3f}" for name, each in used.items()))


if __name__ == "__main__":
    main()
