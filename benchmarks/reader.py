"""The door's reader beside its two libraries alone, on the same drawn frames, in one run.

    .venv/bin/python benchmarks/reader.py [--json] [--frames 300] [--seed 1]

Hard frames are drawn from a seed: 2 to 6 pixels a module, tilt, defocus, motion, noise, dim and inverted screens,
glare, cracks. They compare decoders; they say nothing about your phones. All times are CPU time of this process; on a
shared machine trust the ratios. "Live" is a whole simulated evening, where the policy's gate and throttle count.
"Slowed" multiplies each decoder's measured CPU time, as a slower board would (assumed, not measured: 4 for a Pi 4, 8
for a Zero 2 W); a busy decoder drops frames.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np
import segno
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter
from pyzbar import pyzbar

from hardware.cameras import Luma
from hardware.cameras.simulated import Scene
from hardware.cameras.visitors import Medium, Visitor
from hardware.clock import ManualClock
from kiosk.door.reader import Reader
from kiosk.tickets.codes import own_code

SIZE = (1280, 720)
EMPTY_SHARE = 4  # one frame without a code for so many with one
MEDIA = get_args(Medium)
FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)


class Still(NamedTuple):
    """A drawn frame and what it holds; None for nothing."""

    y: Luma
    code: bytes | None


def pyzbar_alone(y: Luma) -> set[bytes]:
    return {found.data for found in pyzbar.decode(y, symbols=[pyzbar.ZBarSymbol.QRCODE])}


def zxing_alone(y: Luma) -> set[bytes]:
    return {found.bytes for found in zxingcpp.read_barcodes(y, formats=FORMATS)}


def policy(y: Luma) -> set[bytes]:
    return {read.data for read in Reader(ManualClock()).read_still(y)}


DECODERS: dict[str, Callable[[Luma], set[bytes]]] = {
    "pyzbar": pyzbar_alone,
    "zxing-cpp": zxing_alone,
    "policy": policy,
}


def draw_still(rng: np.random.Generator, code: str | None) -> Luma:
    """One hard frame of SIZE."""
    width, height = SIZE
    coarse = Image.fromarray(rng.integers(40, 200, (9, 16), dtype=np.uint8))
    scene = coarse.resize(SIZE, Image.Resampling.BICUBIC)
    if code is not None:
        modules = [[0 if dark else 255 for dark in row] for row in segno.make_qr(code, error="q").matrix_iter(border=4)]
        pixels = float(rng.uniform(2, 6)) * len(modules)
        patch = Image.fromarray(np.array(modules, np.uint8)).resize((400, 400), Image.Resampling.NEAREST)
        if rng.random() < 0.13:
            patch = Image.eval(patch, lambda level: 255 - level)
        low, high = sorted(rng.uniform(*((20, 80) if rng.random() < 0.2 else (10, 245)), 2))
        high = max(high, low + 25)
        patch = Image.eval(patch, lambda level: int(low + level / 255 * (high - low)))
        patch = _damaged(patch, rng)
        turn = patch.rotate(
            float(rng.uniform(-40, 40)), expand=True, fillcolor=int(high), resample=Image.Resampling.BICUBIC
        )
        side = int(pixels * turn.width / 400)
        squeezed = turn.resize((max(int(side * rng.uniform(0.6, 1)), 20), side), Image.Resampling.LANCZOS)
        at = rng.integers(0, (width - squeezed.width, height - squeezed.height))
        scene.paste(squeezed, (int(at[0]), int(at[1])))
    scene = scene.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.2, 1.3))))
    y = np.asarray(scene).astype(np.float32)
    smear = int(rng.integers(0, 6)) if rng.random() < 0.4 else 0
    if smear > 1:
        y = np.mean([np.roll(y, step, axis=1) for step in range(smear)], axis=0)
    return np.clip(y + rng.normal(0, rng.uniform(1, 8), y.shape), 0, 255).astype(np.uint8)


def _damaged(patch: Image.Image, rng: np.random.Generator) -> Image.Image:
    draw = ImageDraw.Draw(patch)
    if rng.random() < 0.2:
        for _ in range(int(rng.integers(2, 7))):
            draw.line(rng.integers(0, 400, 4).tolist(), fill=int(rng.integers(120, 255)), width=6)
    if rng.random() < 0.15:
        x, y, size = rng.integers(0, 300), rng.integers(0, 300), rng.integers(30, 110)
        draw.ellipse([x, y, x + size, y + size], fill=250)
    return patch


def measure_stills(frames: int, seed: int) -> dict[str, dict[str, float]]:
    """Read rate, false reads and CPU of each decoder; each frame is given to all, in random order."""
    rng = np.random.default_rng(seed)
    cpu_ms: dict[str, list[float]] = {name: [] for name in DECODERS}
    reads, false = dict.fromkeys(DECODERS, 0), dict.fromkeys(DECODERS, 0)
    for number in range(frames + frames // EMPTY_SHARE):
        code = own_code(bytes(32), "benchmark", number) if number < frames else None
        still = Still(draw_still(rng, code), code.encode() if code else None)
        for name in rng.permutation(list(DECODERS)):
            begun = time.process_time()
            found = DECODERS[name](still.y)
            cpu_ms[name].append((time.process_time() - begun) * 1000)
            reads[name] += still.code in found
            false[name] += len(found - {still.code})
    return {
        name: {
            "read_percent": round(100 * reads[name] / frames, 1),
            "false_reads": false[name],
            "cpu_ms_mean": round(statistics.mean(cpu_ms[name]), 2),
            "cpu_ms_median": round(statistics.median(cpu_ms[name]), 2),
            "cpu_ms_p95": round(float(np.percentile(cpu_ms[name], 95)), 2),
            "reads_per_cpu_s": round(1000 * reads[name] / sum(cpu_ms[name]), 1),
        }
        for name in DECODERS
    }


def first_reads(frames_per_s: int, slowed: int, visitors: Sequence[Visitor], seed: int) -> dict[str, Any]:
    """How long after coming into view each visitor is read first; a decoder that is busy drops frames."""
    result = {}
    for name, decode in DECODERS.items():
        scene = Scene(visitors, seed=seed, frames_per_s=frames_per_s)
        clock = ManualClock()
        begun_s = clock.monotonic()
        reader = Reader(clock)
        waits: dict[int, float] = {}
        came: dict[int, float] = {}
        free_s = 0.0
        for number in range(scene.timeline.frame_count):
            now_s = number / frames_per_s
            pose = scene.timeline.pose(number)
            if pose is not None:
                came.setdefault(pose.visitor, now_s)
            if now_s < free_s or pose is None or pose.visitor in waits:
                continue
            y = scene.picture(number)
            clock.advance(begun_s + now_s - clock.monotonic())
            begun = time.process_time()
            found = {read.data for read in reader.look(y).reads} if name == "policy" else decode(y)
            free_s = now_s + (time.process_time() - begun) * slowed
            if visitors[pose.visitor].code.encode() in found:
                waits[pose.visitor] = free_s - came[pose.visitor]
        values = sorted(waits.values())
        result[name] = {
            "read": f"{len(values)}/{len(visitors)}",
            "median_ms": round(1000 * statistics.median(values)) if values else None,
            "max_ms": round(1000 * values[-1]) if values else None,
        }
    return result


def live_cpu_ms(visitors: Sequence[Visitor], seed: int, frames_per_s: int = 15) -> dict[str, float]:
    """Mean CPU a frame over a whole evening: visitors, hands that shake, and nobody in between."""
    result = {}
    for name, decode in DECODERS.items():
        scene = Scene(visitors, seed=seed, frames_per_s=frames_per_s)
        clock = ManualClock()
        reader = Reader(clock)
        spent_s = 0.0
        for number in range(scene.timeline.frame_count):
            y = scene.picture(number)
            clock.advance(1 / frames_per_s)
            begun = time.process_time()
            if name == "policy":
                reader.look(y)
            else:
                decode(y)
            spent_s += time.process_time() - begun
        result[name] = round(1000 * spent_s / scene.timeline.frame_count, 2)
    return result


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="one object for programs")
    options.add_argument("--frames", type=int, default=300, help="with a code; a quarter as many without")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    stills = measure_stills(chosen.frames, chosen.seed)
    visitors = [
        Visitor(own_code(bytes(32), "benchmark", number), MEDIA[number % len(MEDIA)])
        for number in range(2 * len(MEDIA))
    ]
    first = {
        f"{rate} frames/s, slowed x{slowed}": first_reads(rate, slowed, visitors, chosen.seed)
        for rate in (15, 30)
        for slowed in (1, 4, 8)
    }
    live = live_cpu_ms(visitors, chosen.seed)
    told = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "frames": chosen.frames,
        "seed": chosen.seed,
        "stills": stills,
        "live_cpu_ms": live,
        "live_cpu_of_policy_to_pyzbar": round(live["policy"] / live["pyzbar"], 3),
        "first_read": first,
    }
    if chosen.json:
        print(json.dumps(told))
        return
    print(f"{told['machine']}; {chosen.frames} hard frames with a code, {chosen.frames // EMPTY_SHARE} without")
    columns = list(next(iter(stills.values())))
    print(f"{'':12}" + "".join(f"{column:>17}" for column in columns))
    for name, row in stills.items():
        print(f"{name:12}" + "".join(f"{row[column]:>17}" for column in columns))
    print("live, 15 frames/s, mean CPU ms a frame: " + ", ".join(f"{name} {ms}" for name, ms in live.items()))
    print(f"the policy's CPU, live: {told['live_cpu_of_policy_to_pyzbar']} of pyzbar's alone")
    print("\ntime to first read: median, max ms")
    for case, rows in first.items():
        cells = (f"{name} {row['read']} {row['median_ms']} {row['max_ms']}" for name, row in rows.items())
        print(f"{case:26}" + "".join(f"{cell:>28}" for cell in cells))


main()
