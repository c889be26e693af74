"""Which cameras and microphones are plugged in, by looking at /sys and /proc: nothing is opened, whoever has it."""

from __future__ import annotations

import re
from pathlib import Path

from hardware.checks import Check

_PLUG = "plug it in, or use another cable or another socket"
_PLUG_SOUND = "plug it in, or name another one: arecord -l lists those there are"
# v4l2 sub-devices of a camera module are called by their sensor; others are lenses and parts of the Pi
_SENSOR = re.compile(r"(imx|ov|os|gc|ar|mira|arducam)[\d_-]", re.IGNORECASE)
_ALSA = re.compile(r"(?:plug)?hw:(?:CARD=)?([^,]+)(?:,(?:DEV=)?(\d+))?")


def device_check(name: str, path: str, root: Path = Path("/")) -> Check:
    """A camera or capture card that Linux calls /dev/video0, or by a longer name.

    By /sys: a program that may use no device does not see /dev/video0. A longer name is a link that it cannot follow;
    then it is told which cameras there are.
    """
    device, known = root / path.lstrip("/"), root / "sys/class/video4linux"
    called = _name(known / device.resolve().name / "name")
    if called is None and path.startswith("/dev/v4l/") and not (root / "dev/v4l").exists():
        called = ", ".join(sorted({each for file in known.glob("video*/name") if (each := _name(file))})) or None
    if called is None and not device.exists():
        return Check(name, "bad", f"there is no {path}", _PLUG)
    return Check(name, "ok", f"seen: {called or path}")


def module_check(name: str, number: int, root: Path = Path("/")) -> Check:
    """A camera module on the ribbon cable, as the kernel found its sensor."""
    names = [_name(each) for each in sorted((root / "sys/class/video4linux").glob("v4l-subdev*/name"))]
    found = [each for each in names if each and _SENSOR.match(each)]
    if len(found) <= number:
        do = "power off, push the ribbon cable in at both ends, and see rpicam-hello --list-cameras"
        return Check(name, "bad", f"{len(found)} camera modules are seen, and number {number} is wanted", do)
    return Check(name, "ok", f"seen: {', '.join(found)}")


def microphone_check(name: str, alsa: str, root: Path = Path("/")) -> Check:
    """An ALSA capture device by its name, such as plughw:1,0."""
    sound = root / "proc/asound"
    wanted = _ALSA.fullmatch(alsa)
    if wanted is None:  # "default", or a name of somebody's own asound.conf
        cards = sorted({path.parent.name for path in sound.glob("card*/pcm*c")})
    else:
        card, number = wanted[1], wanted[2] or "0"
        folder = sound / (f"card{card}" if card.isdecimal() else card)
        cards = [card] if (folder / f"pcm{number}c").is_dir() else []
    if not cards:
        return Check(name, "bad", f"no microphone is seen at {alsa}", _PLUG_SOUND)
    return Check(name, "ok", f"seen: {alsa}")


def _name(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None  # there is none, or it went away meanwhile
