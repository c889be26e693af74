"""A few seconds of a stream looked at: is there a picture, and is it sharp.

    python -m stream.sampling FILM.ts

A program of its own, which says a `Sample` in JSON on stderr: what decodes takes 30 MB, for some seconds an evening.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import av
import msgspec
import numpy as np
import numpy.typing as npt

from stream.sample import Sample

_DARKEST_LEVEL = 30  # the brightest hundredth of a picture that shows nothing stays below
_TILES = 12  # across and down
_LEAST_CONTRAST = 40  # grey levels within a tile: less is a wall, noise and all
_MARGIN_PX = 12  # around a tile: an edge at its border has its whole contrast in there


def look_at(film: bytes) -> Sample:
    """Decode the keyframes of a transport stream (H.264). What cannot be decoded is left out."""
    y: npt.NDArray[np.uint8] | None = None
    pictures = 0
    with av.open(io.BytesIO(film), mode="r", format="mpegts") as opened:
        opened.streams.video[0].codec_context.skip_frame = "NONKEY"
        for packet in opened.demux(video=0):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue  # cut off at the end, or begun before
            for frame in frames:
                pictures += 1
                y = np.asarray(frame.to_ndarray(format="gray"), np.uint8)
    return Sample(
        pictures=pictures,
        is_black=y is not None and bool(np.percentile(y[::8, ::8], 99) < _DARKEST_LEVEL),
        edge_px=None if y is None else edge_px(y),
    )


def edge_px(y: npt.NDArray[np.uint8]) -> float | None:
    """How wide the sharpest edges of a picture are: a tile's contrast over its steepest slope, of the best tenth.

    `y` is height x width, grey levels. Of a straight edge behind a Gaussian it is 2.5 standard deviations.
    """
    grey = y.astype(np.float32)
    soft = (grey[:-1, :-1] + grey[1:, :-1] + grey[:-1, 1:] + grey[1:, 1:]) / 4  # against noise and coding
    down, across = np.gradient(soft)
    slope = np.hypot(down, across)
    height, width = soft.shape
    rows, columns = max(height // _TILES, 8), max(width // _TILES, 8)
    widths = []
    for top in range(0, height - rows + 1, rows):
        for left in range(0, width - columns + 1, columns):
            around = soft[max(top - _MARGIN_PX, 0) : top + rows + _MARGIN_PX, max(left - _MARGIN_PX, 0) :]
            around = around[:, : columns + 2 * _MARGIN_PX]
            low, high = np.percentile(around, (1, 99))
            if high - low >= _LEAST_CONTRAST:
                steepest = np.percentile(slope[top : top + rows, left : left + columns], 99)
                widths.append(float((high - low) / max(steepest, 1.0)))
    return float(np.percentile(widths, 10)) if widths else None


if __name__ == "__main__":
    sys.stderr.write(msgspec.json.encode(look_at(Path(sys.argv[1]).read_bytes())).decode() + "\n")
