"""The pictures that the virtual camera shows in turn, each for four frames: codes before a lens, or nobody.

    python make_pictures.py FOLDER

Written into FOLDER are four, with the codes `TICKET-0` to `TICKET-3`. Each has a grey border of its own, by which a
film of them is told from anything else. libcamera reads them when a camera is configured.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import segno
from PIL import Image

SIZE_PX = (1280, 720)
CODES = [f"TICKET-{number}".encode() for number in range(4)]
GREYS = (70, 110, 150, 190)  # of the borders, in turn
_CODE_PX = 420


def picture(code: bytes | None, grey: int) -> Image.Image:
    """`code` as a phone shows it in the middle of the picture; None: a wall."""
    image = Image.new("RGB", SIZE_PX, (grey, grey, grey))
    if code is not None:
        drawn = io.BytesIO()
        segno.make(code, error="m", micro=False).save(drawn, kind="png", scale=10, border=4)
        qr = Image.open(drawn).convert("RGB").resize((_CODE_PX, _CODE_PX), Image.Resampling.LANCZOS)
        image.paste(qr, ((SIZE_PX[0] - _CODE_PX) // 2, (SIZE_PX[1] - _CODE_PX) // 2))
    return image


def make_pictures(folder: Path, codes: Sequence[bytes | None]) -> None:
    """Nothing else into `folder` than 0.jpg, 1.jpg ..., as libcamera names them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, code in enumerate(codes):
        picture(code, GREYS[number % len(GREYS)]).save(folder / f"{number}.jpg", quality=95, subsampling=0)


if __name__ == "__main__":
    make_pictures(Path(sys.argv[1]), CODES)
