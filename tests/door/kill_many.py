"""Runs a door again and again and kills it with SIGKILL at random moments; prints what was seen, as JSON.

    python kill_many.py LEDGER KILLS SEED

A process of its own, so that each door can be forked from a parent without threads: 200 kills take seconds. Each door
tells through a pipe which code is before its camera and when its green pin rises; the parent believes only the pipe.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
from pathlib import Path

import numpy as np
import segno

from hardware.cameras import Frame, Luma
from hardware.clock import SystemClock
from hardware.panel import PanelSettings, Signal
from hardware.panel.gpio import GpioPanel, pin_factory
from hardware.worker import Worker
from kiosk.door.loop import Door, Gate
from kiosk.ledger.ledger import Ledger
from kiosk.news import DoorState, ScanNews

GREEN_PIN = 17
CODES = [f"T{number:04d}" for number in range(1500)]


def picture(code: str) -> Luma:
    modules = [[0 if dark else 255 for dark in row] for row in segno.make_qr(code, error="m").matrix_iter(border=4)]
    return np.kron(np.array(modules, np.uint8), np.ones((4, 4), np.uint8))


class TellingCamera:
    """A crowd: a code a frame, each told through the pipe before it is seen."""

    name = "crowd"

    def __init__(self, pipe: int, rng: random.Random, pictures: dict[str, Luma]) -> None:
        self._pipe, self._rng, self._pictures = pipe, rng, pictures
        self._clock = SystemClock()
        self._number = 0

    def newest(self, timeout_s: float) -> Frame:
        code = self._rng.choice(CODES)
        os.write(self._pipe, f"C {code}\n".encode())
        self._number += 1
        return Frame(self._pictures[code], self._clock.monotonic(), self._number)


class Silence:
    """News for nobody."""

    def state(self, state: DoorState) -> None:
        pass

    def scan(self, scan: ScanNews) -> None:
        pass


class PinTeller:
    """The real panel on simulated pins; tells when the green one has risen."""

    def __init__(self, pipe: int) -> None:
        factory = pin_factory("mock")
        self._panel = GpioPanel(PanelSettings(pins="mock"), factory)
        self._pipe = pipe
        self._green = factory.pin(GREEN_PIN)

    @property
    def showing(self) -> Signal:
        return self._panel.showing

    def show(self, signal_: Signal) -> None:
        self._panel.show(signal_)
        if signal_ is Signal.ADMITTED and self._green.state:  # amber is green too
            os.write(self._pipe, b"G\n")

    def count(self, inside: int, capacity: int) -> None:
        self._panel.count(inside, capacity)


def be_a_door(path: Path, pipe: int, seed: int, pictures: dict[str, Luma]) -> None:
    with Ledger(path) as ledger:
        gate = Gate("main", ledger.event("evening"))
        camera = TellingCamera(pipe, random.Random(seed), pictures)
        door = Door(gate, camera, ledger, PinTeller(pipe), Silence(), SystemClock())  # type: ignore[arg-type]
        door.run(Worker("door", door.run))


def one_life(path: Path, seed: int, rng: random.Random, pictures: dict[str, Luma]) -> list[str]:
    """One door, from its start to its kill; returns the codes that got a green."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            be_a_door(path, writing, seed, pictures)
        finally:
            os._exit(1)
    os.close(writing)
    said = b""
    frames = rng.randint(1, 8)  # so many are seen first: on a busy machine a life is longer, not emptier
    while said.count(b"C ") < frames:
        part = os.read(reading, 65536)
        if not part:
            raise RuntimeError("the door ended by itself")
        said += part
    select.select([], [], [], rng.uniform(0.0, 0.02))  # killed at any moment of its work on the last of them
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while part := os.read(reading, 65536):
        said += part
    os.close(reading)
    greens, shown = [], ""
    for line in said.decode().split("\n"):
        if line.startswith("C "):
            shown = line[2:]
        elif line == "G":
            greens.append(shown)
    return greens


def main() -> None:
    path, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    pictures = {code: picture(code) for code in CODES}
    greens = []
    for life in range(kills):
        greens += one_life(path, seed * 10_000 + life, rng, pictures)
    print(json.dumps({"kills": kills, "greens": greens}))


main()
