"""The door's own process on the real picamera2: it reads what the virtual camera shows, and survives its freezing."""

from __future__ import annotations

import contextlib
import csv
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tomli_w
from make_pictures import make_pictures

from kiosk import office
from kiosk.bus import Bus
from kiosk.config import event_secret, load_config
from kiosk.demo import servers
from kiosk.ledger import Reason
from kiosk.ledger.ledger import Ledger
from kiosk.news import DoorState, door_state_topic
from kiosk.ticket_press import Wish
from kiosk.tickets import codes
from kiosk.tickets.forms import Form

FROZEN = Path("/tmp/the-camera-is-frozen")
SHOWN = Path("/opt/pictures")
GUESTS = 4
NOBODY = 8  # pictures of a wall after those of the tickets: each round is a presentation of its own
WANTED_PER_S = 8  # of 15: what a busy machine manages, too
SAID_S = 2.5  # silent for 2 s the camera is stalled; then it has to be told


class DoorStage:
    """A venue whose guests come again and again, its door, and what the door says of itself."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "platypus.toml"
        self._broker, socket = servers.mosquitto(folder)
        door = {"event": "evening", "camera": {"kind": "picamera2"}, "panel": {"pins": "mock"}}
        settings = {"state_dir": str(folder / "state"), "run_dir": str(folder / "run"), "door": door}
        self.config.write_text(tomli_w.dumps(settings | {"bus": {"socket": str(socket)}}), encoding="utf-8")
        office.create_event(self.config, "evening", "An evening", 50)
        with (folder / "people.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("Name",), *((f"Guest {n}",) for n in range(1, GUESTS + 1))])
        office.issue_tickets(self.config, "evening", folder / "people.csv", folder / "tickets", Wish((Form.PNG,)))
        secret = event_secret(load_config(self.config), "evening")
        tickets = [codes.own_code(secret, "evening", number) for number in range(1, GUESTS + 1)]
        make_pictures(SHOWN, [*tickets, *([None] * NOBODY)])
        self.state = DoorState(gate="")
        self.log = folder / "door.log"
        self._bus = Bus(str(socket), "watching")
        self._bus.listen(door_state_topic(load_config(self.config).door.gate), DoorState, self._note)
        with self.log.open("wb") as log:
            argv = [sys.executable, "-m", "kiosk", "door", "--config", str(self.config)]
            self.process = subprocess.Popen(argv, stderr=log)

    def _note(self, _topic: str, state: DoorState) -> None:
        self.state = state

    def counted(self) -> tuple[int, int]:
        """How many were admitted, and how often a ticket was shown again."""
        with Ledger(load_config(self.config).ledger_path) as ledger:
            event = ledger.event("evening")
            refused = ledger.refusals(event)
            assert set(refused) <= {Reason.ALREADY_REDEEMED}
            return ledger.head_count(event).admitted, refused.get(Reason.ALREADY_REDEEMED, 0)

    def until(self, is_so: Callable[[], bool], limit_s: float) -> float:
        """Wait; seconds it took."""
        began_s = time.monotonic()
        while not is_so():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - began_s < limit_s, (self.state, self.log.read_text()[-3000:])
            threading.Event().wait(0.02)
        return time.monotonic() - began_s

    def close(self) -> None:
        FROZEN.unlink(missing_ok=True)
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.process.kill()
        self._bus.close()
        self._broker.stop()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[DoorStage]:
    stage = DoorStage(tmp_path)
    yield stage
    stage.close()


def test_the_door_admits_what_the_camera_shows_says_that_it_is_stalled_and_reads_again(stage: DoorStage) -> None:
    took_s = stage.until(lambda: stage.counted()[0] == GUESTS, 30)
    print(f"door: {GUESTS} tickets admitted {took_s:.1f} s after its start")
    stage.until(lambda: stage.state.camera == "ok" and stage.state.frames_per_s > WANTED_PER_S, 10)
    print(f"door: {stage.state.frames_per_s} frames a second")
    for frozen_s, is_opened_anew in ((4.0, False), (8.0, True)):
        again = stage.counted()[1]
        FROZEN.touch()
        frozen_at_s = time.monotonic()
        said_s = stage.until(lambda: stage.state.camera == "stalled", SAID_S)
        stage.until(lambda: time.monotonic() - frozen_at_s >= frozen_s, 60)  # noqa: B023  it ends in here
        FROZEN.unlink()
        back_s = stage.until(lambda: stage.state.camera in ("ok", "unclear"), 10)  # unclear: it sees the wall
        read_s = stage.until(lambda: stage.counted()[1] > again, 10)  # noqa: B023
        print(
            f"door: frozen for {frozen_s:.0f} s: said after {said_s:.2f} s, "
            f"pictures {back_s:.2f} s after it thawed, a code read {read_s:.2f} s after that"
        )
        assert ("event=lost" in stage.log.read_text()) is is_opened_anew
    print(f"door: {stage.counted()[1]} tickets shown again and refused")
    assert stage.counted()[0] == GUESTS, "and nobody came in twice"
    stage.process.terminate()
    assert stage.process.wait(10) == 0, stage.log.read_text()
    assert "Traceback" not in stage.log.read_text()
