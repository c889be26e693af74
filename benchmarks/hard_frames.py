"""Pictures with and without a code, drawn from a seed: the kinds that a door meets, each with its share.

The kinds and how hard they are follow a table of conditions that was measured elsewhere (docs/performance.md). The
shares are chosen so that each library alone reads about as many as of 1,125 photographs: pyzbar 68 %, zxing-cpp 81 %.
Rolling shutter, moire and the camera's own sharpening are not drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFilter

from hardware.cameras import Luma

SIZES = ((1280, 720), (960, 720), (640, 480))
MODULE_PX = 12  # of the flat code, before it is put into the picture
SHARES = {
    "plain": 28,
    "turned": 8,
    "tilted": 7,
    "small": 8,
    "defocused": 10,
    "moving": 8,
    "dark mode": 3,
    "dim": 3,
    "very dim": 5,
    "veiled": 3,
    "noisy": 3,
    "glare": 7,
    "cracked": 8,
    "overexposed": 2,
    "dark mode, dim": 2,
    "dark mode, veiled": 2,
    "dark mode, glare": 2,
    "dark mode, cracked": 2,
}


class HardFrame(NamedTuple):
    """A drawn picture, what it holds (None for nothing), and of what kind it is."""

    y: Luma
    code: str | None
    kind: str


def draw(rng: np.random.Generator, code: str | None) -> HardFrame:
    """One picture with `code`, or without any."""
    size = SIZES[rng.integers(len(SIZES))]
    scene = _scenery(rng, size)
    if code is None:
        return HardFrame(_seen(scene, rng, "empty"), None, "empty")
    shares = np.array(list(SHARES.values()))
    kind = str(rng.choice(list(SHARES), p=shares / shares.sum()))
    _put(scene, _flat_code(rng, code, kind), rng, kind)
    return HardFrame(_seen(scene, rng, kind), code, kind)


def _scenery(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Soft light and shadow, things with edges, lines of print, and stripes that want to be codes."""
    width, height = size
    light = np.zeros((height, width), np.float32)
    for cells, levels in ((3, 45.0), (12, 18.0), (60, float(rng.uniform(2, 12)))):
        coarse = rng.normal(0, levels, (cells, cells * 2)).astype(np.float32)
        light += np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
    scene = Image.fromarray(np.clip(light + rng.uniform(70, 160), 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(scene)
    for _ in range(int(rng.integers(2, 9))):
        x, y, w, h = (int(rng.integers(0, most)) for most in (width, height, width // 3, height // 2))
        pen.rectangle((x, y, x + w, y + h), fill=int(rng.integers(20, 235)))
    for _ in range(int(rng.integers(0, 4))):  # print, and stripes
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        ink, is_print = int(rng.integers(10, 90)), rng.random() < 0.6
        pen.rectangle((x - 8, y - 8, x + 200, y + 100), fill=ink + 120)
        for step in range(8 if is_print else 40):
            for at in range(x, x + 180, 6) if is_print else (x + step * 4.5,):
                if rng.random() < 0.6:
                    box = (at, y + step * 11, at + 4, y + step * 11 + 6) if is_print else (at, y, at + 2, y + 90)
                    pen.rectangle(box, fill=ink)
    return scene.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 2.5))))


def _flat_code(rng: np.random.Generator, code: str, kind: str) -> Image.Image:
    """The code as it lies on a screen or a paper, MODULE_PX a module, in its grey levels and with its damage."""
    modules = np.array([[not dark for dark in row] for row in segno.make_qr(code, error="q").matrix_iter(border=4)])
    dark, light = float(rng.uniform(10, 60)), float(rng.uniform(170, 245))
    if kind == "overexposed":
        dark, light = 110.0, 330.0
    if "dark mode" in kind:
        modules = ~modules
    flat = np.kron(np.where(modules, light, dark), np.ones((MODULE_PX, MODULE_PX)))
    if kind.endswith("veiled"):  # the sky in the glass
        flat = 0.25 * flat + 0.75 * float(rng.uniform(150, 230))
    elif kind.endswith("very dim"):
        flat = 12 + flat * float(rng.uniform(0.10, 0.16))
    elif kind.endswith("dim"):
        flat = 15 + flat * float(rng.uniform(0.2, 0.4))
    flat = np.clip(flat, 0, 255).astype(np.uint8)
    patch = Image.fromarray(flat)
    pen, side = ImageDraw.Draw(patch), patch.width
    if kind.endswith("cracked"):
        for _ in range(int(rng.integers(2, 6))):
            ends = rng.integers(0, side, 4).tolist()
            pen.line(ends, fill=int(rng.choice([60, 110, 240, 255])), width=int(rng.integers(4, 9)))
    elif kind.endswith("glare"):
        radius = float(rng.uniform(2, 8)) * MODULE_PX
        x, y = rng.uniform(0.25 * side, 0.75 * side, 2)
        spot = Image.new("L", patch.size, 0)
        ImageDraw.Draw(spot).ellipse((x - radius, y - radius, x + radius, y + radius), fill=240)
        spot = spot.filter(ImageFilter.GaussianBlur(1.5 * MODULE_PX))
        patch = Image.fromarray(np.minimum(np.asarray(patch).astype(int) + np.asarray(spot), 255).astype(np.uint8))
    return patch


def _put(scene: Image.Image, flat: Image.Image, rng: np.random.Generator, kind: str) -> None:
    """Onto the scene: turned, tilted, as large as it is seen."""
    modules = flat.width / MODULE_PX
    most = min(8.0, 0.9 * scene.height / modules / 1.5)
    pixels_per_module = float(rng.uniform(1.9, 2.6)) if kind == "small" else float(rng.uniform(3.0, most))
    turn = np.deg2rad(rng.uniform(-180, 180) if kind == "turned" else rng.uniform(-12, 12))
    tilt = np.deg2rad(rng.uniform(30, 62) if kind == "tilted" else rng.uniform(0, 15))
    # flat point (x, y), centred, turned, then tilted about the vertical axis at four times its own size away
    x, y = (np.array([-1, 1, 1, -1]) * flat.width / 2, np.array([-1, -1, 1, 1]) * flat.width / 2)
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    near = 4 * flat.width / (4 * flat.width + x * np.sin(tilt))
    scale = pixels_per_module / MODULE_PX
    x, y = x * np.cos(tilt) * near * scale, y * near * scale
    x, y = x - x.min(), y - y.min()
    size = (int(x.max()) + 2, int(y.max()) + 2)
    corners = [(0, 0), (flat.width, 0), (flat.width, flat.width), (0, flat.width)]
    equations, wanted = [], []
    for u, v, (a, b) in zip(x, y, corners, strict=True):
        equations += [[u, v, 1, 0, 0, 0, -a * u, -a * v], [0, 0, 0, u, v, 1, -b * u, -b * v]]
        wanted += [a, b]
    way = np.linalg.solve(np.array(equations), np.array(wanted, float)).tolist()
    # Pillow's transform samples points: what gets smaller is softened before, as a lens and its pixels do
    soft = flat.filter(ImageFilter.GaussianBlur(0.4 / scale))
    seen = soft.transform(size, Image.Transform.PERSPECTIVE, way, Image.Resampling.BICUBIC)
    mask = Image.new("L", flat.size, 255).transform(size, Image.Transform.PERSPECTIVE, way)
    at = [int(rng.integers(0, max(room, 1))) for room in (scene.width - size[0], scene.height - size[1])]
    scene.paste(seen, (at[0], at[1]), mask)
    if kind == "defocused":
        blurred = scene.filter(ImageFilter.GaussianBlur(pixels_per_module * float(rng.uniform(0.25, 0.6))))
        scene.paste(blurred)
    elif kind == "moving":
        smear = int(np.ceil(pixels_per_module * float(rng.uniform(0.4, 2.0))))
        y_scene = np.asarray(scene).astype(np.float32)
        scene.paste(Image.fromarray(np.mean([np.roll(y_scene, step, 1) for step in range(smear)], 0).astype(np.uint8)))


def _seen(scene: Image.Image, rng: np.random.Generator, kind: str) -> Luma:
    """Through the lens, with the sensor's noise."""
    y = np.asarray(scene.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 0.8))))).astype(np.float32)
    noise = float(rng.uniform(6, 9)) if kind == "very dim" else float(rng.uniform(0.5, 4))
    if kind == "noisy":
        noise = float(rng.uniform(12, 28))
    return np.clip(y + rng.normal(0, noise, y.shape), 0, 255).astype(np.uint8)
