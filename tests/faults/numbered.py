"""Pictures that carry their number, so that a lost one is known by its absence, however it was coded on its way."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

BITS = 16
FLASH_EVERY_S = 2
_WHITE, _BLACK = 235, 16


class NumberedPictures:
    """Draws them: two rows of blocks on top (the number, and its complement), below a textured floor that moves.

    Every FLASH_EVERY_S seconds the lower half is white for one picture; the camera's sound beeps with it.
    """

    def __init__(self, width_px: int, height_px: int, frames_per_s: int) -> None:
        self._row_px = height_px // 8
        self._every = FLASH_EVERY_S * frames_per_s
        shades = np.linspace(60, 150, width_px)[None, :] + np.random.default_rng(1).normal(0, 4, (height_px, width_px))
        self._floor = shades.astype(np.uint8)
        self._grey = np.full((height_px // 2, width_px), 128, np.uint8)
        self._columns = np.arange(width_px) * BITS // width_px

    def is_flash(self, number: int) -> bool:
        """Whether this one flashes."""
        return number % self._every == 0

    def draw(self, number: int) -> npt.NDArray[np.uint8]:
        """Picture `number` modulo 2^16: planes of yuv420p one below the other, uint8 (height * 3 / 2, width)."""
        bits = number >> self._columns & 1
        luma = np.roll(self._floor, number, axis=1)
        luma[: self._row_px] = np.where(bits, _WHITE, _BLACK)
        luma[self._row_px : 2 * self._row_px] = np.where(bits, _BLACK, _WHITE)
        if self.is_flash(number):
            luma[len(luma) // 2 :] = _WHITE
        return np.concatenate([luma, self._grey])


def read_number(luma: npt.NDArray[np.uint8]) -> int | None:
    """The number in a decoded picture's luma, uint8 (height, width); None when it is none of ours (a slate)."""
    height, width = luma.shape
    row, block = height // 8, width // BITS
    inner = luma[:, : block * BITS].reshape(height, BITS, block)[:, :, block // 4 : -(block // 4)]
    ones = inner[row // 4 : row - row // 4].mean(axis=(0, 2))
    zeros = inner[row + row // 4 : 2 * row - row // 4].mean(axis=(0, 2))
    if np.any(np.abs(ones - zeros) < (_WHITE - _BLACK) / 2):
        return None
    return sum(1 << bit for bit in range(BITS) if ones[bit] > zeros[bit])


def is_flash(luma: npt.NDArray[np.uint8]) -> bool:
    """Whether a decoded picture of ours is one that flashes."""
    return bool(luma[len(luma) * 3 // 4 :].mean() > (_WHITE + 150) / 2)


def missing(numbers: Iterable[int | None]) -> list[int]:
    """The numbers between the first and the last that are not there, in order. Slates (None) do not count."""
    seen = {each for each in numbers if each is not None}
    return sorted(set(range(min(seen), max(seen))) - seen) if seen else []
