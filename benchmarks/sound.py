"""What it costs that the microphone has an ffmpeg of its own: CPU of one process for picture and sound, and of two.

Both make the same picture (1280x720, 30 a second, superfast) and the same sound, in turns; the devices are replaced by
generated sources in real time. Prints seconds of CPU a second, one line a turn and the medians.

    .venv/bin/python benchmarks/sound.py --turns 5 --seconds 20
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import time

from stream import graph
from stream.settings import Picture, TestPicture, VideoDevice

PICTURE = Picture()
BARS = ["-f", "lavfi", "-re", "-i", "testsrc2=size=1280x720:rate=30"]
TONE = ["-f", "lavfi", "-re", "-i", "sine=frequency=440:sample_rate=48000"]


def one(out: int) -> list[list[str]]:
    """Picture and sound in one process."""
    return [graph.encoder(TestPicture(), PICTURE, out_fd=out, levels_fd=out)]


def two(out: int) -> list[list[str]]:
    """The camera's and the microphone's."""
    camera = graph.encoder(VideoDevice(), PICTURE, out_fd=out)
    microphone = graph.microphone("hw:1,0", PICTURE, out_fd=out, levels_fd=out, at_s=0.0, wall_ahead_s=0.0)
    return [replaced(camera, "v4l2", "/dev/video0", BARS), replaced(microphone, "alsa", "hw:1,0", TONE)]


def replaced(argv: list[str], kind: str, device: str, source: list[str]) -> list[str]:
    """The command with a generated source in the place of a device."""
    begin, end = argv.index(kind) - 1, argv.index(device) + 1
    return [*argv[:begin], *source, *argv[end:]]


def cpu(commands: list[list[str]], seconds: float, out: int) -> float:
    """Seconds of CPU a second of all `commands` together, their start included."""
    before = os.times()
    children = [
        subprocess.Popen(argv, pass_fds=[out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for argv in commands
    ]
    time.sleep(seconds)
    for child in children:
        if child.poll() is not None:
            raise SystemExit(f"{child.args} ended by itself ({child.returncode}).")
        child.terminate()
        child.wait()
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used / seconds


def main() -> None:
    """Measure in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    out = os.open(os.devnull, os.O_WRONLY)
    found: dict[str, list[float]] = {"one": [], "two": []}
    for turn in range(asked.turns):
        for name, commands in (("one", one(out)), ("two", two(out))):
            found[name].append(cpu(commands, asked.seconds, out))
        print(f"turn {turn + 1}: one {found['one'][-1]:.3f}, two {found['two'][-1]:.3f}", flush=True)
    differences = [b - a for a, b in zip(found["one"], found["two"], strict=True)]
    medians = [statistics.median(each) for each in (found["one"], found["two"], differences)]
    print("median: one {:.3f}, two {:.3f}, two less one {:+.3f}".format(*medians))


if __name__ == "__main__":
    main()
