"""Where the preview lies: the names under which the stream's process writes it and the dashboard's reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PICTURE: Final = "picture.jpg"
PLAYLIST: Final = "live.m3u8"
SEGMENT: Final = re.compile(r"live-[0-9]{1,15}\.ts")
SEGMENTS: Final = "live-%d.ts"  # the same for ffmpeg


def preview_folder(run_dir: Path) -> Path:
    """In the folder that is emptied at each boot, and should be in memory."""
    return run_dir / "preview"
