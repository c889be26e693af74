"""A machine that seems to have a Raspberry Pi's hardware encoder: x264 takes its part, with headers of its own.

An `ffmpeg` of ours comes first in the PATH; all but the encoder is the real thing.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stream.video_coding import VideoHardware

_STAGED_FFMPEG = """#!{python}
import os, sys
argv = sys.argv[1:]
with open({asked!r}, "a") as asked:
    asked.write("hardware\\n" if "h264_v4l2m2m" in argv else "software\\n")
profiles = iter({profiles!r} * len(argv))
made = []
for word in argv:
    if word == "h264_v4l2m2m":
        made += ["libx264", "-preset", "veryfast", "-tune", "zerolatency", "-sc_threshold", "0", "-level", "3.1"]
    elif word == "77" and made[-1] == "-profile:v":
        made.append(next(profiles))
    else:
        made.append(word)
os.execv("/usr/bin/ffmpeg", ["ffmpeg", *made])
"""


class CodingStage:
    """The machine; its `folder` is to be first in the PATH."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked = folder / "asked-for"
        self.hardware = VideoHardware(folder)

    def install(self, *, profiles: tuple[str, ...] = ("main",), kind: str = "bcm2835-codec-encode") -> None:
        """Put the encoder there; its outputs have these profiles in turn."""
        program = self._folder / "ffmpeg"
        program.write_text(
            _STAGED_FFMPEG.format(python=sys.executable, asked=str(self._asked), profiles=list(profiles))
        )
        program.chmod(0o755)
        name = self._folder / "sys/class/video4linux/video11/name"
        name.parent.mkdir(parents=True)
        name.write_text(f"{kind}\n")
        (self._folder / "dev").mkdir()
        (self._folder / "dev/video11").touch()

    @property
    def asked_for(self) -> list[str]:
        """ "hardware" or "software" for each ffmpeg, in order."""
        return self._asked.read_text().split() if self._asked.exists() else []
