"""A camera made of a folder of pictures, each held before the lens for a while."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from hardware.cameras.frames import Frame, Luma
from hardware.cameras.newest import pace
from hardware.errors import CameraError

if TYPE_CHECKING:
    from hardware.cameras.settings import PicturesCamera
    from hardware.worker import Worker

log = logging.getLogger(__name__)

LONGEST_SIDE_PX = 1920  # a phone's 12-megapixel photograph would cost the reader ten frames
_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".tif", ".tiff", ".webp"}


class PicturesDriver:
    """Shows the pictures of a folder in the order of their names; a bad one is logged and skipped.

    Raises `CameraError` when the folder holds none.
    """

    is_live = False

    def __init__(self, settings: PicturesCamera) -> None:
        self.name = settings.folder
        self._settings = settings
        folder = Path(settings.folder)
        if not folder.is_dir():
            raise CameraError(f"{folder} is not a folder. Give the path of a folder of pictures.")
        self._paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
        if not self._paths:
            raise CameraError(f"{folder} holds no picture ({', '.join(sorted(_SUFFIXES))}). Put some there.")

    def frames(self, worker: Worker) -> Generator[Frame, None, None]:
        """See `Driver.frames`."""
        number = 0
        due_s = time.monotonic()
        times_each = max(1, round(self._settings.seconds_each * self._settings.frames_per_s))
        while not worker.is_stopping:
            shown_before = number
            for path in self._paths:
                y = _read(path)
                if y is None:
                    continue
                for _ in range(times_each):
                    if not pace(worker, due_s):
                        return
                    yield Frame(y, time.monotonic(), number)
                    number += 1
                    due_s += self._settings.seconds_each / times_each
            if number == shown_before:
                raise CameraError(f"{self.name}: none of its {len(self._paths)} pictures can be read. Replace them.")
            if not self._settings.repeat:
                pace(worker, due_s)  # the last one is held as long as the others
                return


def load_luma(path: Path) -> Luma:
    """One picture in grey, upright, its longest side at most 1920 px. Raises `CameraError` when it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                picture.draft("L", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))  # lets a JPEG be decoded small
                upright = ImageOps.exif_transpose(picture).convert("L")
        upright.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        return np.asarray(upright)
    except (
        OSError,
        SyntaxError,  # Pillow's word for a broken PNG
        ValueError,
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise CameraError(f"{path} cannot be read as a picture: {getattr(error, 'strerror', None) or error}") from error


def _read(path: Path) -> Luma | None:
    try:
        return load_luma(path)
    except CameraError as error:
        log.warning("camera=%r event=bad-picture file=%r reason=%r", str(path.parent), path.name, str(error))
        return None
