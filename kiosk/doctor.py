"""What works on this machine, from one place: each thing OK, to be looked at, or bad, with what to do."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import segno

from hardware.board import Board
from hardware.cameras import open_camera
from hardware.checks import Check, clock_check, disk_check, memory_checks, power_checks
from hardware.clock import SystemClock, is_synchronised
from hardware.errors import PlatypusError
from hardware.panel import open_panel
from kiosk.config import Config, event_secret, load_config, load_secrets, secrets_path
from kiosk.door.reader import Reader
from kiosk.ledger.ledger import Ledger

_CAMERA_S = 5.0  # a camera module needs some 2 s to wake up
_REINSTALL = "run ./install.sh again (apt install libzbar0)"


def examine(config_path: Path) -> list[Check]:
    """Look at everything. Without a good configuration, the parts it names are left out and it is said."""
    clock = clock_check(is_trusted=is_synchronised(), do="tickets with hours are admitted and marked")
    checks = [_python(), *_ffmpeg(), clock, *power_checks(Board()), *memory_checks(Board())]
    checks += [_attempt(name, partial(_decoder, name), _REINSTALL) for name in ("zxing-cpp", "zbar")]
    try:
        config = load_config(config_path)
    except PlatypusError as error:
        unknown = "not looked at: there is no good configuration"
        return [
            *checks,
            Check("configuration", "bad", str(error), "docs/platypus.example.toml is a start"),
            *(Check(name, "attention", unknown) for name in ("secrets", "event", "camera", "pins", "broker")),
            disk_check(Board(), Path.cwd()),
        ]
    checks.append(Check("configuration", "ok", str(config_path)))
    checks.append(_attempt("secrets", lambda: _secrets(config, config_path), "restore or mend that file"))
    checks.append(_attempt("event", lambda: _event(config), "platypus event create, or mend event under [door]"))
    checks.append(_attempt("camera", lambda: _camera(config), ""))
    checks.append(_attempt("pins", lambda: _pins(config), ""))
    checks.append(_broker(config.bus.socket))
    checks.append(disk_check(Board(), Path(config.state_dir)))
    return checks


def _attempt(name: str, look: Callable[[], Check], do: str) -> Check:
    try:
        return look()
    except PlatypusError as error:
        return Check(name, "bad", str(error), do)


def _python() -> Check:
    return Check("python", "ok", ".".join(str(part) for part in sys.version_info[:3]))


def _ffmpeg() -> list[Check]:
    path = shutil.which("ffmpeg")
    if path is None:
        return [Check("ffmpeg", "bad", "not installed", "apt install ffmpeg")]
    try:
        version = _output([path, "-hide_banner", "-version"]).split("\n", 1)[0]
        encoders = {
            words[1]
            for line in _output([path, "-hide_banner", "-encoders"]).splitlines()
            if len(words := line.split()) > 1
        }
    except (OSError, subprocess.SubprocessError) as error:
        return [Check("ffmpeg", "bad", f"does not run: {error}", "apt install --reinstall ffmpeg")]
    missing = sorted({"libx264", "aac"} - encoders)
    hardware = "h264_v4l2m2m" in encoders and Path("/dev/video11").exists()  # the Pi's encoder, up to model 4
    return [
        Check("ffmpeg", "ok", version),
        Check("encoders", "bad", f"without {', '.join(missing)}", "install Debian's own ffmpeg")
        if missing
        else Check("encoders", "ok", "libx264, aac" + (", and the Pi's own H.264" if hardware else "")),
    ]


def _output(argv: Sequence[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stdout


def _decoder(name: str) -> Check:
    """Reads a code drawn here."""
    symbol = segno.make_qr("PLATYPUS", error="h")
    rows = [[0 if is_dark else 255 for is_dark in row] for row in symbol.matrix_iter(border=4, scale=6)]
    y = np.array(rows, np.uint8)
    step = "zxing" if name == "zxing-cpp" else "zbar-threshold"
    reader = Reader(SystemClock(), steps=("zxing",) if step == "zxing" else ("finders", step))
    reads = reader.read_still(y) if step == "zxing" else reader.second_opinion(y)
    if [tuple(read) for read in reads] == [(b"PLATYPUS", step)]:
        return Check(name, "ok", "reads a test code")
    return Check(name, "bad", "does not read a clean code", _REINSTALL)


def _secrets(config: Config, config_path: Path) -> Check:
    secrets = load_secrets(secrets_path(config_path))
    event_secret(config, config.door.event)
    missing = [each.name for each in config.stream.destinations if each.name not in secrets.stream_keys]
    if missing:
        path = secrets_path(config_path)
        return Check("secrets", "bad", f"no key for {', '.join(missing)}", f"write them under [stream_keys] in {path}")
    return Check("secrets", "ok", f"{len(secrets.stream_keys)} stream key(s), the event's secret")


def _event(config: Config) -> Check:
    if not config.ledger_path.exists():
        return Check("event", "bad", f"there is no ledger at {config.ledger_path}", "platypus event create")
    with Ledger(config.ledger_path) as ledger:
        event = ledger.event(config.door.event)
        count = ledger.head_count(event)
    says = f"{event.name}: {count.tickets} tickets, {count.inside} of {event.capacity} inside"
    return Check(
        "event",
        "attention" if count.tickets == 0 else "ok",
        says,
        "issue or import tickets" if not count.tickets else "",
    )


def _camera(config: Config) -> Check:
    with open_camera(config.door.camera) as camera:
        frame = camera.newest(_CAMERA_S)
        height, width = frame.y.shape
        return Check("camera", "ok", f"{camera.name}: {width}x{height}")


def _pins(config: Config) -> Check:
    with open_panel(config.door.panel):
        pins = config.door.panel.pins
    if pins == "mock":
        return Check("pins", "attention", "simulated: nothing shines", 'set pins = "lgpio" under [door.panel] on a Pi')
    return Check("pins", "ok", pins)


def _broker(path: str) -> Check:
    probe = socket.socket(socket.AF_UNIX)
    try:
        probe.settimeout(2)
        probe.connect(path)
    except OSError as error:
        return Check(
            "broker", "bad", f"{path}: {error.strerror or error}", "start mosquitto; door and stream go on without"
        )
    finally:
        probe.close()
    return Check("broker", "ok", path)
