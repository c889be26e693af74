"""Whether the door tells a lens out of focus from everything else that it must not be alarmed by. Drawn, from a seed.

    .venv/bin/python benchmarks/focus.py [--json] [--minutes 2] [--seed 1]

First: one guest after the other with the simulated door's media, the whole picture blurred by so many modules of their
codes: how many of twelve are read; in how many looks an unread code is seen, and how wide its edges are in modules (5th
percentile, median, 95th); after how many seconds the lens is said to be out of focus.
Then what must stay silent, for some minutes each: the seconds of false alarm.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import get_args

import numpy as np
from hard_frames import draw
from PIL import Image, ImageDraw, ImageFilter

from hardware.cameras import Luma
from hardware.cameras.simulated import Scene
from hardware.cameras.visitors import Medium, Visitor
from hardware.clock import ManualClock
from kiosk.door.lens import Lens
from kiosk.door.reader import Reader
from kiosk.tickets.codes import own_code

FRAMES_PER_S = 10
MODULE_PX = 8.2  # of the simulated visitors, in the mean
CODES = [own_code(bytes(32), "focus", number) for number in range(60)]


def watched(pictures: Iterable[Luma]) -> dict[str, float | str | None]:
    """What reader and lens make of a sequence."""
    clock, lens = ManualClock(), Lens()
    reader = Reader(clock)
    alarmed = 0
    edges: list[float] = []
    served: set[bytes] = set()
    said_s: float | None = None
    for frames, y in enumerate(pictures, 1):
        clock.advance(1 / FRAMES_PER_S)
        sight = reader.look(y)
        served |= {read.data for read in sight.reads}
        if sight.unread is not None:
            edges.append(sight.unread.edge_modules)
        if "out of focus" in lens.judge(y, sight, clock.monotonic()):
            alarmed += 1
            said_s = frames / FRAMES_PER_S if said_s is None else said_s
    return {
        "codes_read": len(served),
        "looks": reader.steps["focus"],
        "seen": len(edges),
        "edge_modules": " ".join(f"{edge:.2f}" for edge in np.percentile(edges, (5, 50, 95))) if edges else None,
        "said_after_s": said_s,
        "said_for_s": alarmed / FRAMES_PER_S,
    }


def blurred(y: Luma, sigma_px: float) -> Image.Image:
    return Image.fromarray(y).filter(ImageFilter.GaussianBlur(sigma_px))


def noisy(picture: Image.Image, rng: np.random.Generator, sigma: float = 2.5) -> Luma:
    y = np.asarray(picture)
    return np.clip(y + rng.normal(0, sigma, y.shape).astype(np.float32), 0, 255).astype(np.uint8)


def guests(seed: int, sigma_modules: float, rng: np.random.Generator) -> Iterator[Luma]:
    """Twelve, who each try for some five seconds and shift the hand once."""
    media = get_args(Medium)
    visitors = [Visitor(code, media[number % len(media)]) for number, code in enumerate(CODES[:12])]
    scene = Scene(visitors, seed=seed, frames_per_s=FRAMES_PER_S)
    for visitor in visitors:
        held = [number for number in range(scene.timeline.frame_count) if scene.timeline.held_at(number) is visitor]
        shown = [held[0] - 2, *held, *held[::-1], *held[:8], held[-1] + 2, 0, 0]
        for place in ((0, 0), (60, 25)):
            for number in shown:
                y = np.roll(scene.picture(number), place, axis=(1, 0))
                yield noisy(blurred(y, sigma_modules * MODULE_PX), rng, 1)


def background(rng: np.random.Generator) -> Image.Image:
    """A lobby as a camera that is set to 25 cm sees it."""
    y = np.asarray(Image.fromarray(draw(rng, None).y).resize((1280, 720)))
    return blurred(y, float(rng.uniform(3, 9)))


def person(rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """Somebody two metres away in a patterned shirt, and the mask."""
    cloth = Image.fromarray(rng.integers(20, 230, (40, 16), dtype=np.uint8)).resize(
        (260, 640), Image.Resampling.NEAREST
    )
    mask = Image.new("L", (320, 720), 0)
    pen = ImageDraw.Draw(mask)
    pen.ellipse((110, 20, 210, 150), fill=255)
    pen.rounded_rectangle((30, 140, 290, 720), 60, fill=255)
    body = Image.new("L", mask.size, int(rng.integers(90, 190)))
    body.paste(cloth, (30, 150))
    sigma = ImageFilter.GaussianBlur(float(rng.uniform(4, 8)))
    return body.filter(sigma), mask.filter(sigma)


def passers_by(minutes: float, rng: np.random.Generator, *, posters: bool) -> Iterator[Luma]:
    """People walk through, stop, and turn; with posters on the wall whose codes are out of focus."""
    scene = background(rng)
    for number in range(int(minutes * 60 * FRAMES_PER_S)):
        since = number % 60
        if number % 600 == 0:  # another lobby each minute, the same posters
            scene = background(rng)
            if posters:
                for left in (60, 840):
                    scene.paste(blurred(_poster(), 4.5), (left, 200))
        if since == 0:
            body, mask = person(rng)
            way = rng.uniform(-300, 1280, 2)
        x = way[0] + (way[1] - way[0]) * min(since / 25, 1) + 4 * np.sin(number / 3)  # then stands and talks
        frame = scene.copy()
        frame.paste(body, (int(x), 40), mask)
        yield noisy(frame, rng)


def _poster() -> Luma:
    scene = Scene([Visitor(CODES[0], "paper")], seed=3, frames_per_s=FRAMES_PER_S)
    held = next(number for number in range(scene.timeline.frame_count) if scene.timeline.held_at(number))
    return scene.picture(held)[200:520, 440:840]


def one_spoilt_code(minutes: float, rng: np.random.Generator) -> Iterator[Luma]:
    """In focus, with a thumb on it, for as long as it takes; held by hand."""
    scene = Scene([Visitor(CODES[1], "phone")] * 80, seed=5, frames_per_s=FRAMES_PER_S)
    held = [number for number in range(scene.timeline.frame_count) if scene.timeline.held_at(number)]
    for number in range(int(minutes * 60 * FRAMES_PER_S)):
        at = held[number % len(held)]
        pose = scene.timeline.pose(at)
        assert pose is not None
        picture = Image.fromarray(scene.picture(at))
        x, y = pose.x * 1280, pose.y * 720
        ImageDraw.Draw(picture).ellipse((x - 40, y - 120, x + 60, y - 20), fill=150)
        yield noisy(picture, rng)


def waving(minutes: float, rng: np.random.Generator) -> Iterator[Luma]:
    """A phone that never holds still: always smeared."""
    scene = Scene([Visitor(CODES[2], "phone")] * 80, seed=6, frames_per_s=FRAMES_PER_S)
    for number in range(int(minutes * 60 * FRAMES_PER_S)):
        y = scene.picture(20).astype(np.float32)
        y = np.roll(y, int(300 * np.sin(number / 4)), axis=1)
        length, is_slanted = 14 + int(8 * np.cos(number / 4)), number // 100 % 2
        y = np.mean([np.roll(y, (step * is_slanted, step), axis=(0, 1)) for step in range(0, length, 2)], axis=0)
        yield noisy(Image.fromarray(y.astype(np.uint8)), rng)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="one object for programs")
    options.add_argument("--minutes", type=float, default=2, help="of each thing that must stay silent")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    rng = np.random.default_rng(chosen.seed)
    told = {
        f"guests, blurred by {sigma} modules": watched(guests(chosen.seed, sigma, rng))
        for sigma in (0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
    }
    told |= {
        "people pass, stop and talk": watched(passers_by(chosen.minutes, rng, posters=False)),
        "the same before two posters with blurred codes": watched(passers_by(chosen.minutes, rng, posters=True)),
        "one spoilt code, in focus": watched(one_spoilt_code(chosen.minutes, rng)),
        "a phone that is waved, in focus": watched(waving(min(chosen.minutes, 0.5), rng)),
    }
    if chosen.json:
        print(json.dumps(told))
        return
    for name, row in told.items():
        print(f"{name:50}" + ", ".join(f"{column} {value}" for column, value in row.items()))


main()
