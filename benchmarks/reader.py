"""The door's reader beside its two libraries alone, and each of its steps, on the same drawn frames, in one run.

    .venv/bin/python benchmarks/reader.py [--json] [--frames 300] [--seed 1]

The frames are those of hard_frames.py, a quarter as many without a code. They compare decoders; they say nothing about
your phones. All times are CPU time of this process; on a shared machine trust the ratios. "Steps" is the policy up to
each of its steps, and what was tried and dropped. "Live" is a whole simulated evening, where the policy's gate and
throttle count. "Slowed" multiplies each decoder's measured CPU time, as a slower board would (assumed, not measured: 4
for a Pi 4, 8 for a Zero 2 W); a busy decoder drops frames.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import zxingcpp
from hard_frames import HardFrame, draw
from pyzbar import pyzbar

from hardware.cameras import Luma
from hardware.cameras.simulated import Scene
from hardware.cameras.visitors import Medium, Visitor
from hardware.clock import ManualClock
from kiosk.door.finders import Mask, darker
from kiosk.door.reader import STEPS, Reader, near_miss_crop
from kiosk.tickets.codes import own_code

EMPTY_SHARE = 4  # one frame without a code for so many with one
MEDIA = get_args(Medium)
FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
Decoder = Callable[[Luma], set[bytes]]


def pyzbar_alone(y: Luma) -> set[bytes]:
    return {found.data for found in pyzbar.decode(y, symbols=[pyzbar.ZBarSymbol.QRCODE])}


def zxing_alone(y: Luma) -> set[bytes]:
    return {found.bytes for found in zxingcpp.read_barcodes(y, formats=FORMATS)}


def policy(y: Luma) -> set[bytes]:
    return {read.data for read in Reader(ManualClock()).read_still(y)}


DECODERS: dict[str, Decoder] = {
    "pyzbar": pyzbar_alone,
    "zxing-cpp": zxing_alone,
    "policy": policy,
}


def until(*steps: str) -> Decoder:
    """The policy with these steps only."""
    return lambda y: {read.data for read in Reader(ManualClock(), steps).read_still(y)}


def then(first: Decoder, second: Decoder) -> Decoder:
    """The second only where the first reads nothing."""
    return lambda y: first(y) or second(y)


def zbar_on_near_misses(y: Luma) -> set[bytes]:
    """Tried and dropped: the crop of what zxing-cpp saw and could not decode, on its local threshold."""
    found = zxingcpp.read_barcodes(y, formats=FORMATS, return_errors=True)
    crops = [near_miss_crop(y, code.position) for code in found if not code.valid]
    return {data for crop in crops if crop.size for data in pyzbar_alone(_black_white(darker(crop)))}


def zbar_on_everything(y: Luma) -> set[bytes]:
    """Tried and dropped: the local threshold of the whole picture and its inverse, without a look for finders."""
    is_dark = darker(y)
    return pyzbar_alone(_black_white(is_dark)) or pyzbar_alone(_black_white(~is_dark))


def _black_white(is_dark: Mask) -> Luma:
    return np.where(is_dark, np.uint8(0), np.uint8(255))


LADDER = {f"+ {step}" if count else step: until(*STEPS[: count + 1]) for count, step in enumerate(STEPS)}
ON_CROP = until(*STEPS[:3])
DROPPED = {
    "zbar on the crop": then(ON_CROP, zbar_on_near_misses),
    "all after it": then(then(ON_CROP, zbar_on_near_misses), until(*STEPS)),
    "zbar on everything": then(ON_CROP, zbar_on_everything),
}


class Tally:
    """What one decoder made of the stills."""

    def __init__(self) -> None:
        self.cpu_ms: list[float] = []
        self.with_code: list[bool] = []
        self.reads = 0
        self.false = 0

    def give(self, decode: Decoder, frame: HardFrame) -> None:
        begun = time.process_time()
        found = decode(frame.y)
        self.cpu_ms.append((time.process_time() - begun) * 1000)
        wanted = set() if frame.code is None else {frame.code.encode()}
        self.with_code.append(bool(wanted))
        self.reads += bool(wanted & found)
        self.false += len(found - wanted)

    def mean_ms(self, *, with_code: bool) -> float:
        return statistics.mean(ms for ms, has in zip(self.cpu_ms, self.with_code, strict=True) if has == with_code)


def measure_stills(frames: int, seed: int) -> dict[str, Tally]:
    """Each frame is given to every decoder, in random order."""
    rng = np.random.default_rng(seed)
    decoders = {**DECODERS, **LADDER, **DROPPED}
    tallies = {name: Tally() for name in decoders}
    for number in range(frames + frames // EMPTY_SHARE):
        frame = draw(rng, own_code(bytes(32), "benchmark", number) if number < frames else None)
        for name in rng.permutation(list(decoders)):
            tallies[name].give(decoders[name], frame)
    return tallies


def compared(tally: Tally, frames: int) -> dict[str, float]:
    return {
        "read_percent": round(100 * tally.reads / frames, 1),
        "false_reads": tally.false,
        "cpu_ms_mean": round(statistics.mean(tally.cpu_ms), 2),
        "cpu_ms_median": round(statistics.median(tally.cpu_ms), 2),
        "cpu_ms_p95": round(float(np.percentile(tally.cpu_ms, 95)), 2),
        "ms_with_code": round(tally.mean_ms(with_code=True), 2),
        "ms_without": round(tally.mean_ms(with_code=False), 2),
        "reads_per_cpu_s": round(1000 * tally.reads / sum(tally.cpu_ms), 1),
    }


def added(tally: Tally, before: Tally) -> dict[str, float]:
    """What one step more won, and what it cost."""
    won = tally.reads - before.reads
    ms = sum(tally.cpu_ms) - sum(before.cpu_ms)
    return {
        "reads_won": won,
        "false_reads": tally.false,
        "ms_added_mean": round(ms / len(tally.cpu_ms), 3),
        "reads_per_extra_cpu_s": round(1000 * won / ms) if ms > 0 else float("inf"),
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
    tallies = measure_stills(chosen.frames, chosen.seed)
    stills = {name: compared(tallies[name], chosen.frames) for name in DECODERS}
    ladder = list(LADDER)
    steps = {name: added(tallies[name], tallies[before]) for before, name in pairwise(ladder)}
    crop, rest = tallies[ladder[2]], tallies[ladder[-1]]
    dropped = {
        "zbar on the near miss' crop, after + zxing-enlarged": added(tallies["zbar on the crop"], crop),
        "the same, and all steps after it, beside the policy": added(tallies["all after it"], rest),
        "zbar on the whole threshold and inverse, after + zxing-enlarged": added(tallies["zbar on everything"], crop),
        "the policy's steps on finders together, after + zxing-enlarged": added(rest, crop),
    }
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
        "policy_to_pyzbar": {
            column: round(stills["policy"][column] / stills["pyzbar"][column], 3)
            for column in ("cpu_ms_mean", "ms_with_code", "ms_without")
        },
        "steps": {ladder[0]: {"reads": tallies[ladder[0]].reads}, **steps},
        "dropped": dropped,
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
    print("the policy's CPU, of pyzbar's alone: " + ", ".join(f"{k} {v}" for k, v in told["policy_to_pyzbar"].items()))
    print(f"\nsteps; {ladder[0]} reads {tallies[ladder[0]].reads} of {chosen.frames}, each further one:")
    for name, row in (steps | dropped).items():
        print(f"{name:66}" + ", ".join(f"{column} {value}" for column, value in row.items()))
    print("\nlive, 15 frames/s, mean CPU ms a frame: " + ", ".join(f"{name} {ms}" for name, ms in live.items()))
    print(f"the policy's CPU, live: {told['live_cpu_of_policy_to_pyzbar']} of pyzbar's alone")
    print("\ntime to first read: median, max ms")
    for case, rows in first.items():
        cells = (f"{name} {row['read']} {row['median_ms']} {row['max_ms']}" for name, row in rows.items())
        print(f"{case:26}" + "".join(f"{cell:>28}" for cell in cells))


main()
