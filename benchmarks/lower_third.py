"""What the lower third costs the encoder: processor seconds a second, with and without, one after the other.

python benchmarks/lower_third.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from stream import graph
from stream.lettering import Lettering
from stream.look import Look
from stream.lower_third import as_video, draw
from stream.settings import Picture, TestPicture
from stream.talks import TalkInfo

SECONDS, ROUNDS = 10, 5
TALK = TalkInfo(id="a", title="What the door knows about you", speaker="Łukasz Wiśniewski 🚀")


def cost(picture: Picture, strip: Path | None) -> float:
    """Processor seconds a second of one encoder on moving bars."""
    argv = graph.encoder(TestPicture(), picture, out_fd=1, lower_third=strip)
    out = argv.index("pipe:1")
    argv[out:out] = ["-t", str(SECONDS)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, stdout=quiet, stderr=quiet) as encoder:
        _, _, used = os.wait4(encoder.pid, 0)
        encoder.returncode = 0
    return (used.ru_utime + used.ru_stime) / SECONDS


def main() -> None:
    """Print medians."""
    with tempfile.TemporaryDirectory() as name:
        strip = Path(name, "strip")
        for picture in (Picture(), Picture(width_px=1920, height_px=1080, video_kbps=4500)):
            strip.write_bytes(as_video(draw(TALK, picture, Look(), Lettering(Path(name)))))
            pairs = [(cost(picture, None), cost(picture, strip)) for _ in range(ROUNDS)]
            without, having = (statistics.median(each) for each in zip(*pairs, strict=True))
            print(f"{picture.height_px}p: {without:.3f} without, {having:.3f} with a lower third")


if __name__ == "__main__":
    main()
