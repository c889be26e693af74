"""What systemd says of our own services, and the end of their log. None and nothing where there is no systemd."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from hardware.checks import Check

log = logging.getLogger(__name__)

PATTERN = "platypus-*.service"
Program = Literal["door", "stream", "dashboard"]
PROGRAMS: tuple[Program, ...] = get_args(Program)
_SHOWN = "Id,LoadState,ActiveState,SubState,Result,NRestarts,ActiveEnterTimestamp"
_LIMIT_S = 5.0


class Unit(NamedTuple):
    """One service of ours."""

    name: str  # without .service
    active: str  # active, activating, failed, inactive, ...
    sub: str  # running, auto-restart, ...
    result: str  # success, exit-code, watchdog, oom-kill, ...
    restarts: int  # by systemd, since it was loaded
    since: str  # as systemd writes it; "" when it never ran


class LogLine(NamedTuple):
    """One line of the log of a program."""

    at: datetime  # aware, as the machine believed
    program: str  # door, stream, dashboard, or a longer name
    text: str


def unit_of(program: str) -> str:
    """What systemd calls it."""
    return f"platypus-{program}.service"


def is_systemd(root: Path = Path("/")) -> bool:
    """Whether systemd runs this machine."""
    return (root / "run/systemd/system").is_dir()


def units(root: Path = Path("/")) -> Sequence[Unit]:
    """Our services that systemd has loaded; none where it does not run or does not answer."""
    if not is_systemd(root):
        return ()
    told = _said(root, "systemctl", ["show", "--no-pager", f"--property={_SHOWN}", PATTERN])
    found = []
    for block in told.split("\n\n"):
        facts = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if facts.get("LoadState") == "loaded":
            restarts = facts.get("NRestarts", "")
            found.append(
                Unit(
                    name=facts.get("Id", "").removesuffix(".service"),
                    active=facts.get("ActiveState", ""),
                    sub=facts.get("SubState", ""),
                    result=facts.get("Result", ""),
                    restarts=int(restarts) if restarts.isdecimal() else 0,
                    since=facts.get("ActiveEnterTimestamp", ""),
                )
            )
    return sorted(found)


def unit_check(unit: Unit) -> Check:
    """The words for a service."""
    words = unit.since.split()  # Tue 2026-11-24 19:02:11 CET
    since = f"{words[1]} {words[2][:5]}" if len(words) >= 3 else ""
    if unit.active == "active":
        says = f"running since {since}" if since else "running"
        if unit.restarts:
            do = "look at the log; platypus support makes a file to show to somebody"
            return Check(unit.name, "attention", f"{says}; it was started again {unit.restarts} times", do)
        return Check(unit.name, "ok", says)
    if unit.active in {"activating", "reloading"} and unit.sub != "auto-restart":
        return Check(unit.name, "attention", "it is starting", "wait a moment")
    do = f"look at the log, then sudo systemctl restart {unit.name}"
    is_known = unit.result not in {"", "success"}
    return Check(unit.name, "bad", f"it does not run ({unit.result})" if is_known else "it does not run", do)


def journal(most: int, root: Path = Path("/")) -> Sequence[LogLine]:
    """The newest `most` lines of our services, oldest first; none where nobody lets us read them."""
    if not is_systemd(root):
        return ()
    wanted = [word for program in PROGRAMS for word in ("-u", unit_of(program))]
    told = _said(root, "journalctl", ["--no-pager", "--quiet", "-o", "json", "-n", str(most), *wanted])
    found = []
    for line in told.splitlines():
        try:
            found.append(_line(json.loads(line)))
        except (ValueError, KeyError, TypeError):
            log.warning("journal event=line-not-understood bytes=%d", len(line))
    return found


def _line(entry: dict[str, Any]) -> LogLine:
    message = entry["MESSAGE"]
    if isinstance(message, list):  # bytes that are no text
        message = bytes(message).decode("utf-8", "replace")
    unit = str(entry.get("_SYSTEMD_UNIT") or entry.get("UNIT") or "")
    at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
    return LogLine(at, unit.removesuffix(".service").removeprefix("platypus-"), str(message))


def _said(root: Path, program: str, words: Sequence[str]) -> str:
    command = root / "usr/bin" / program
    if not os.access(command, os.X_OK):
        return ""
    try:
        return subprocess.run(
            [str(command), *words], capture_output=True, text=True, errors="replace", timeout=_LIMIT_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("systemd event=no-answer program=%s reason=%s", program, type(error).__name__)
        return ""
