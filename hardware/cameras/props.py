"""What simulated visitors hold up: a phone or a paper with a real QR code, drawn once, as a patch to paste.

Sizes are for a picture 1280 px wide and are scaled with it. Grey levels are those that such things had in photographs
at a door: a phone's light page near 230, a dimmed one below 90, print on paper softer than a screen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import segno
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from hardware.cameras.visitors import Visitor

PHONE_PX = (300, 560)
PAPER_PX = (380, 500)
CODE_PX = (176, 236)  # the whole code without its quiet zone, on a phone
SKIN = 150
SMEAR_PX = 45  # a hand coming in at two widths a second, exposed for 1/60 s

Grey = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom


class Look(NamedTuple):
    """Grey levels of a medium."""

    body: int
    page: int
    light: int  # the code's light modules and quiet zone
    dark: int
    text: int


LOOKS = {
    "phone": Look(20, 236, 236, 22, 90),
    "paper": Look(205, 205, 205, 48, 90),
    "dark": Look(16, 24, 24, 220, 150),  # light modules on black: "light" is what a black module becomes
    "dim": Look(18, 84, 84, 40, 55),
    "cracked": Look(20, 232, 232, 24, 90),
    "tilted": Look(20, 230, 230, 24, 90),
}


class Patch(NamedTuple):
    """A picture with its transparency, both uint8 (h, w) of one shape; alpha 255 covers the scene."""

    grey: Grey
    alpha: Grey


class Prop(NamedTuple):
    """One visitor's hand: sharp while held, smeared sideways while moving."""

    held: Patch
    moving: Patch


def draw_prop(visitor: Visitor, *, seed: int, index: int, scale: float) -> Prop:
    """The hand of visitor number `index`; `scale` is the picture's width over 1280 px."""
    rng = np.random.default_rng([seed, index, 1])
    look = LOOKS[visitor.medium]
    size_px = PAPER_PX if visitor.medium == "paper" else PHONE_PX
    grey = _thing(visitor, look, size_px, rng)
    angle_deg = float(rng.uniform(-8, 8))
    tilt = float(rng.uniform(0.10, 0.16)) if visitor.medium == "tilted" else float(rng.uniform(0.0, 0.03))
    if visitor.medium == "tilted":
        angle_deg += float(rng.choice([-1, 1])) * float(rng.uniform(10, 20))
    patch = _placed(grey, tilt=tilt, tilts_left=bool(rng.integers(2)), angle_deg=angle_deg, scale=scale)
    return Prop(patch, _smeared(patch, max(3, round(SMEAR_PX * scale))))


def _thing(visitor: Visitor, look: Look, size_px: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """The flat phone or paper, in "LA": grey and transparency, with the fingers that hold it."""
    width, height = size_px
    margin = 40
    grey = Image.new("L", (width + 2 * margin, height + 2 * margin), SKIN)
    alpha = Image.new("L", grey.size, 0)
    draw, cover = ImageDraw.Draw(grey), ImageDraw.Draw(alpha)
    left, top = margin, margin
    is_paper = visitor.medium == "paper"
    outline = (left, top, left + width, top + height)
    cover.rounded_rectangle(outline, radius=0 if is_paper else 34, fill=255)
    draw.rounded_rectangle(outline, radius=0 if is_paper else 34, fill=look.body)
    if not is_paper:
        draw.rounded_rectangle((left + 12, top + 12, left + width - 12, top + height - 12), radius=24, fill=look.page)
    for side_x in (left - 14, left + width - 22):  # thumb and fingers at the lower edges, clear of the code
        for row in range(1 if side_x < left else 3):
            box = (side_x, top + height - 150 + 46 * row, side_x + 38, top + height - 108 + 46 * row)
            draw.ellipse(box, fill=SKIN - 12 * row)
            cover.ellipse(box, fill=255)
    code_px = int(rng.integers(CODE_PX[0], CODE_PX[1] + 1)) + (30 if is_paper else 0)
    code = _code(visitor.code, look, code_px)
    code_left, code_top = left + (width - code.width) // 2, top + (60 if is_paper else 120)
    grey.paste(code, (code_left, code_top))
    for line in range(3):  # a name and a date, too small to be read
        y = code_top + code.height + 34 + 26 * line
        length = int(rng.integers(90, 190))
        draw.rectangle((left + (width - length) // 2, y, left + (width + length) // 2, y + 8), fill=look.text)
    if visitor.medium == "cracked":
        finder = code_px * 8 // 25  # seven modules and their margin, of the 25 of a version 2 code
        inset = (code.width - code_px) // 2
        x0, y0 = code_left + inset, code_top + inset
        x1, y1 = x0 + code_px - finder, y0 + code_px - finder
        corners = ((x0, y0), (x1, y0), (x0, y1))
        _crack(draw, outline, [(x, y, x + finder, y + finder) for x, y in corners], rng)
    return Image.merge("LA", (grey, alpha))


def _code(text: str, look: Look, code_px: int) -> Image.Image:
    """The QR code (error correction Q) on the page's grey."""
    quiet = 2  # the page around is of the same grey and gives the rest of the four that the standard asks
    symbol = segno.make(text, error="q", micro=False, boost_error=False)
    modules = np.array([list(row) for row in symbol.matrix], np.uint8)
    bordered = np.pad(modules, quiet)
    grey = np.where(bordered, np.uint8(look.dark), np.uint8(look.light))
    side_px = round(code_px * bordered.shape[0] / modules.shape[0])
    return Image.fromarray(grey).resize((side_px, side_px), Image.Resampling.BOX)


def _crack(draw: ImageDraw.ImageDraw, outline: Box, finders: Sequence[Box], rng: np.random.Generator) -> None:
    """Bright and dark lines that run zigzag from one blow at the lower right corner across glass and code.

    They miss the three finder patterns: nothing reads a code without them, and this visitor shall get in.
    """
    start = (outline[2] - int(rng.integers(20, 60)), outline[3] - int(rng.integers(90, 160)))
    heading = math.atan2(outline[1] - start[1], outline[0] - start[0])
    drawn = 0
    while drawn < 4:
        way = _zigzag(start, heading + float(rng.uniform(-0.7, 0.9)), outline, rng)
        if any(_touches(way, box) for box in finders):
            continue
        draw.line(way, fill=int(rng.choice([60, 110, 252, 255])), width=2)
        drawn += 1


def _zigzag(start: tuple[int, int], angle: float, outline: Box, rng: np.random.Generator) -> list[tuple[float, float]]:
    x, y = float(start[0]), float(start[1])
    way = [(x, y)]
    while outline[0] < x < outline[2] and outline[1] < y < outline[3]:
        step = float(rng.uniform(25, 60))
        bend = angle + float(rng.uniform(-0.4, 0.4))
        x, y = x + step * math.cos(bend), y + step * math.sin(bend)
        way.append((x, y))
    return way


def _touches(way: Sequence[tuple[float, float]], box: Box) -> bool:
    left, top, right, bottom = box
    return any(
        left <= x0 + part * (x1 - x0) <= right and top <= y0 + part * (y1 - y0) <= bottom
        for (x0, y0), (x1, y1) in pairwise(way)
        for part in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # steps of at most 6 px; a finder has 49
    )


def _placed(flat: Image.Image, *, tilt: float, tilts_left: bool, angle_deg: float, scale: float) -> Patch:
    """The thing as the camera sees it: one edge farther away, turned, a touch out of focus."""
    width, height = flat.size
    near, far = 0.0, tilt * height
    rise_left, rise_right = (far, near) if tilts_left else (near, far)
    squeeze = tilt * width  # what turns away also gets narrower
    corners = [
        (squeeze, rise_left),
        (squeeze, height - rise_left),
        (width - squeeze, height - rise_right),
        (width - squeeze, rise_right),
    ]
    seen = flat.transform(
        flat.size,
        Image.Transform.PERSPECTIVE,
        _perspective(corners, [(0, 0), (0, height), (width, height), (width, 0)]),
        Image.Resampling.BICUBIC,
    ).rotate(angle_deg, Image.Resampling.BICUBIC, expand=True)
    if scale != 1.0:
        small = (max(2, round(seen.width * scale)), max(2, round(seen.height * scale)))
        seen = seen.resize(small, Image.Resampling.LANCZOS)
    grey, alpha = seen.split()
    grey = grey.filter(ImageFilter.GaussianBlur(0.7 * scale))
    return Patch(np.asarray(grey), np.asarray(alpha))


def _perspective(seen: list[tuple[float, float]], flat: list[tuple[float, float]]) -> list[float]:
    """The eight numbers of Pillow's PERSPECTIVE: from a point of the result to a point of the flat picture.

    x = (a u + b v + c) / (g u + h v + 1), y = (d u + e v + f) / (g u + h v + 1); four pairs give eight equations.
    """
    rows: list[list[float]] = []
    for (u, v), (x, y) in zip(seen, flat, strict=True):
        rows.append([u, v, 1, 0, 0, 0, -x * u, -x * v])
        rows.append([0, 0, 0, u, v, 1, -y * u, -y * v])
    right = [value for point in flat for value in point]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(right))]


def _smeared(patch: Patch, length_px: int) -> Patch:
    """The patch averaged over a sideways way of `length_px`, wider by as much."""
    alpha = np.pad(patch.alpha.astype(np.float32), ((0, 0), (length_px, length_px)))
    light = np.pad(patch.grey.astype(np.float32), ((0, 0), (length_px, length_px))) * alpha

    def average(rows: NDArray[np.float32]) -> NDArray[np.float64]:
        total = np.cumsum(rows, axis=1, dtype=np.float64)
        return (total[:, length_px:] - total[:, :-length_px]) / length_px

    mean_alpha = average(alpha)
    mean_grey = average(light) / np.maximum(mean_alpha, 1.0)
    return Patch(np.clip(mean_grey, 0, 255).astype(np.uint8), np.clip(mean_alpha, 0, 255).astype(np.uint8))
