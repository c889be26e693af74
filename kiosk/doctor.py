"""What works on this machine: what the page of the system shows (health.py), and what can be tried for real.

A camera or a pin that a running program of ours has is not tried: that would take it away from the door.
"""

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

from hardware.cameras import open_camera
from hardware.checks import Check, clock_check
from hardware.clock import SystemClock
from hardware.errors import PlatypusError
from hardware.panel import open_panel
from kiosk.backup.in_use import running
from kiosk.config import Config, event_secret, load_config, load_secrets, secrets_path
from kiosk.door.reader import Reader
from kiosk.health import Health
from kiosk.ledger.ledger import Ledger

_CAMERA_S = 5.0  # a camera module needs some 2 s to wake up
_HOURS = "tickets with hours are admitted and marked; a phone can set it, on the page System"
_REINSTALL = "run ./install.sh again (apt install libzbar0)"


def examine(config_path: Path) -> list[Check]:
    """Look at everything. Without a good configuration, the parts it names are left out and it is said."""
    checks = [_python(), *_ffmpeg()]
    checks += [_attempt(name, partial(_decoder, name), _REINSTALL) for name in ("zxing-cpp", "zbar")]
    try:
        config = load_config(config_path)
    except PlatypusError as error:
        unknown = "not looked at: there is no good configuration"
        return [
            *checks,
            clock_check(is_trusted=SystemClock().stamp().is_trusted, do=_HOURS),
            Check("configuration", "bad", str(error), "docs/platypus.example.toml is a start"),
            *(Check(name, "attention", unknown) for name in ("secrets", "event", "camera", "pins", "broker")),
            *_all_of(Health(None)),
        ]
    checks.append(Check("configuration", "ok", str(config_path)))
    checks.append(_attempt("secrets", lambda: _secrets(config, config_path), "restore or mend that file"))
    checks.append(_attempt("event", lambda: _event(config), "platypus event create, or mend event under [door]"))
    checks.append(_attempt("clock", lambda: _clock(config), ""))
    if "door" in running(Path(config.state_dir)):
        busy = "the door has it: its state is on the page Tonight"
        checks += [Check("camera", "ok", busy), Check("pins", "ok", busy)]
    else:
        checks.append(_attempt("camera", lambda: _camera(config), ""))
        checks.append(_attempt("pins", lambda: _pins(config), ""))
    checks.append(_broker(config.bus.socket))
    return [*checks, *_all_of(Health(config))]


def _all_of(health: Health) -> list[Check]:
    return [*health.machine(), *health.parts(), *health.network()]


def _clock(config: Config) -> Check:
    """Whether the clock is right, and who says so."""
    now = SystemClock().stamp()
    if now.is_trusted or not config.ledger_path.exists():
        return clock_check(is_trusted=now.is_trusted, do=_HOURS)
    with Ledger(config.ledger_path) as ledger:
        time = ledger.known_time(now)
    if time.told_by == "hand":
        return Check("clock", "ok", f"set by a phone: {time.wall:%Y-%m-%d %H:%M} UTC")
    return clock_check(is_trusted=False, do=_HOURS)


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
