"""A whole evening of faults at random: sessions, viewers' gaps, lost pictures, memory, sound beside the picture.

    python tests/faults/soak.py [--minutes 60] [--seed 7] [--json]

Every ten seconds or so something breaks, drawn from the seed: the server, the network, the camera, an ffmpeg. Lost are
pictures that the camera gave and the recording has not; those of a broken camera or encoder are counted apart. Memory
is what a process has for itself (Anonymous in /proc/PID/smaps_rollup: PSS changes with what others run): the median of
the last quarter over the median of what came between the warm-up and the middle of the rest. The warm-up is five
minutes, or a quarter of a run of less than ten. As root, or where user namespaces are allowed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from evening import Evening, back_s, gap_s, time_gap_s
from numbered import missing
from waiting import last_for

from hardware.worker import Worker

WARM_UP_S = 300.0
SAMPLE_PERIOD_S = 2.0
LAST_BEEPS = 10


class Kind(NamedTuple):
    """A fault that can happen, and what it may cost viewers beyond its own duration (the matrix' figures)."""

    begin: Callable[[Evening], None]
    end: Callable[[Evening], None]
    longest_s: float  # 0: it is over at once
    extra_s: float
    is_of_camera: bool = False  # then the server sees nothing, and pictures are lost


def _nothing(_: Evening) -> None:
    """It mends itself."""


def _kill(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


KINDS = {
    "server killed": Kind(lambda e: e.server.send(signal.SIGKILL), lambda e: e.server.start(), 6, 3),
    "server frozen": Kind(lambda e: e.server.send(signal.SIGSTOP), lambda e: e.server.send(signal.SIGCONT), 8, 2),
    "network dropped": Kind(lambda e: e.network.cut(), lambda e: e.network.mend(), 8, 7),
    "pusher killed": Kind(lambda e: _kill(e.pushers), _nothing, 0, 2),
    "camera frozen": Kind(
        lambda e: e.camera.send(signal.SIGSTOP), lambda e: e.camera.send(signal.SIGCONT), 12, 1, is_of_camera=True
    ),
    "camera gone": Kind(lambda e: e.camera.send(signal.SIGKILL), lambda e: e.camera.start(), 5, 1, is_of_camera=True),
    "encoder killed": Kind(lambda e: _kill(e.encoders), _nothing, 0, 1, is_of_camera=True),
}


class Fault(NamedTuple):
    """One that happened. Times are monotonic seconds."""

    kind: str
    began_s: float
    lasted_s: float
    over_s: float  # when viewers saw the camera again
    gap_s: float
    limit_s: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an evening of faults came to."""

    seed: int
    minutes: float
    faults: dict[str, int]
    sessions: int  # connections that began to publish
    worst_gap_s: dict[str, float]  # without a picture at the viewer's, less the duration of the fault
    longest_step_s: float  # between two pictures' times, while only camera and encoder were broken
    back_s: float
    recorded: int
    lost: int  # pictures of a camera that was well
    lost_where: list[str]  # those pictures, in words: when, how many, after which fault
    lost_to_camera: int
    left_out: int  # of those lost, how many the camera itself skipped: its reader was late by more than 2 s
    offset_ms: float  # the sound after the picture, at the end
    growth: dict[str, float]  # of memory, "platypus" and "pusher": 0.01 is one per cent
    memory_mb: dict[str, float]  # in the last quarter
    misses: list[str]  # what was worse than asked, in words


class Memory:
    """Of our process and of the pushers, looked at all the time."""

    def __init__(self, evening: Evening) -> None:
        self.seen: list[tuple[float, str, float]] = []  # when, whose, MB
        self._evening = evening
        self.worker = Worker("memory", self._run)

    def of(self, whose: str, begin_s: float, end_s: float) -> float:
        """The median between two moments, MB."""
        return statistics.median(mb for at_s, name, mb in self.seen if name == whose and begin_s <= at_s <= end_s)

    def _run(self, worker: Worker) -> None:
        while worker.wait(SAMPLE_PERIOD_S):
            worker.tick()
            whose = {"platypus": [self._evening.pid], "pusher": self._evening.pushers}
            for name, pids in whose.items():
                for pid in pids:
                    mb = own_mb(pid)
                    if mb > 0:
                        self.seen.append((time.monotonic(), name, mb))


def own_mb(pid: int) -> float:
    """Memory that a process has for itself; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Anonymous:"))
    except (OSError, StopIteration):
        return 0.0


def soak(folder: Path, minutes: float, seed: int, say: Callable[[str], None]) -> Result:
    """Let it happen. Takes `minutes` and a little."""
    chance = random.Random(seed)
    faults: list[Fault] = []
    with Evening(folder) as evening:
        evening.begin()
        memory = Memory(evening)
        with memory.worker:
            began_s = time.monotonic()
            end_s = began_s + minutes * 60
            while time.monotonic() < end_s:
                last_for(chance.uniform(3, 10))  # of peace
                faults.append(_happen(evening, chance, say))
            end_s = time.monotonic()
        evening.until_seen_on(5 * evening.picture.frames_per_s)  # some beeps without a fault
        seen = evening.viewer.seen
        sessions = evening.server.sessions
        (film,) = evening.recorded()
        lost = missing(film.numbers)
        due = [evening.camera.due_s(number) for number in lost]
        camera_left_out = evening.camera.left_out
    of_camera = [(each.began_s - 1, each.over_s) for each in faults if KINDS[each.kind].is_of_camera]
    of_fault = [any(begin <= at <= end for begin, end in of_camera) for at in due]
    explained = sum(of_fault)
    steps = [time_gap_s([x for x in seen if x.at_s <= end + 1], begin) for begin, end in of_camera]
    lasted_s = end_s - began_s
    warm_s = began_s + (WARM_UP_S if lasted_s >= 2 * WARM_UP_S else lasted_s / 4)
    half_s, last_s = (warm_s + end_s) / 2, end_s - lasted_s / 4
    late = {who: memory.of(who, last_s, end_s) for who in ("platypus", "pusher")}
    result = Result(
        seed=seed,
        minutes=round(lasted_s / 60, 1),
        faults={kind: sum(each.kind == kind for each in faults) for kind in KINDS},
        sessions=sessions,
        worst_gap_s={
            kind: round(max(each.gap_s - each.lasted_s for each in faults if each.kind == kind), 2)
            for kind in dict.fromkeys(each.kind for each in faults)
        },
        longest_step_s=round(max(steps, default=0.0), 3),
        back_s=round(back_s(seen), 3),
        recorded=len(film.numbers),
        lost=len(lost) - explained,
        lost_where=_where(
            [at - began_s for at, is_of in zip(due, of_fault, strict=True) if not is_of], faults, began_s
        ),
        lost_to_camera=explained,
        left_out=len(camera_left_out & {number for number, is_of in zip(lost, of_fault, strict=True) if not is_of}),
        offset_ms=round(1000 * statistics.median(film.offsets_s[-LAST_BEEPS:]), 1),
        growth={who: round(late[who] / memory.of(who, warm_s, half_s) - 1, 4) for who in late},
        memory_mb={who: round(mb, 1) for who, mb in late.items()},
        misses=[
            f"{each.kind} for {each.lasted_s:.1f} s: gap {each.gap_s:.1f} s instead of {each.limit_s:.1f}"
            for each in faults
            if each.gap_s > each.limit_s
        ],
    )
    return msgspec.structs.replace(result, misses=[*result.misses, *_misses(result, evening.picture.keyframe_s)])


def _where(due_s: list[float], faults: list[Fault], began_s: float) -> list[str]:
    """Lost pictures by the moments when they were due, in seconds since `began_s`; those of one moment together."""
    runs: list[list[float]] = []
    for at_s in sorted(due_s):
        if runs and at_s - runs[-1][-1] < 1:
            runs[-1].append(at_s)
        else:
            runs.append([at_s])
    words = []
    for run in runs:
        before = [each for each in faults if each.began_s - began_s <= run[0]]
        after = f", {run[0] + began_s - before[-1].began_s:.1f} s after {before[-1].kind} began" if before else ""
        over = f", {run[0] + began_s - before[-1].over_s:.1f} s after it was over" if before else ""
        words.append(f"{len(run)} pictures at {run[0]:.1f} s{after}{over}")
    return words


def _happen(evening: Evening, chance: random.Random, say: Callable[[str], None]) -> Fault:
    """One fault, from its beginning until viewers see the camera again."""
    name = chance.choice(list(KINDS))
    kind = KINDS[name]
    lasts_s = chance.uniform(1, kind.longest_s) if kind.longest_s else 0.0
    began_s = time.monotonic()
    kind.begin(evening)
    if lasts_s:
        last_for(lasts_s)
    kind.end(evening)
    lasted_s = time.monotonic() - began_s
    evening.until_seen_on(evening.picture.frames_per_s, limit_s=90)
    over_s = time.monotonic()
    evening.until_live()
    gap = gap_s(evening.viewer.seen, began_s)
    # A slate covers a broken camera: its duration is no excuse there.
    limit_s = kind.extra_s + (0.0 if kind.is_of_camera else lasted_s)
    say(f"{name:16} {lasted_s:5.1f} s   gap {gap:5.1f} s")
    return Fault(name, began_s, 0.0 if kind.is_of_camera else lasted_s, over_s, gap, limit_s)


def _misses(result: Result, keyframe_s: float) -> list[str]:
    wanted = {
        f"{result.lost} pictures lost of a camera that was well, of which it skipped {result.left_out} itself because "
        "its reader was late by more than 2 s": result.lost == 0,
        f"sound {result.offset_ms} ms beside the picture, 40 are allowed": abs(result.offset_ms) <= 40,
        f"a step of {result.longest_step_s} s in time behind a slate, 0.3 are allowed": result.longest_step_s <= 0.3,
        f"time went back by {result.back_s} s": result.back_s <= keyframe_s,
    }
    if result.minutes >= 2 * WARM_UP_S / 60:  # in less time it says nothing
        for who, growth in result.growth.items():
            wanted[f"{who} grew by {100 * growth:.1f} %, 5 are allowed"] = growth < 0.05
    return [words for words, is_so in wanted.items() if not is_so]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        result = soak(Path(folder), given.minutes, given.seed, lambda line: print(line, file=sys.stderr))
    if given.json:
        print(json.dumps(msgspec.to_builtins(result)))
    else:
        for name, figure in msgspec.to_builtins(result).items():
            print(f"{name:16} {figure}")
    return 1 if result.misses else 0


if __name__ == "__main__":
    sys.exit(main())
