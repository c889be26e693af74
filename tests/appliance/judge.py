"""Judges what tests/appliance/probe.py could do in the sandbox of door, stream and dashboard.

Each thing that is wrong is a line; then the exit code is 1.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

OUTSIDE = ("/etc", "/usr", "/opt/platypus", "/var", "/var/tmp/..", "/etc/platypus", "/root", "/boot")
DONE, DENIED = {"done"}, {"EACCES", "EPERM", "EROFS", "ENOENT"}
REFUSED = ("Access denied", "authentication required", "Permission denied")
STATE = "/var/lib/platypus"


def expected(name: str, pids: Mapping[str, str]) -> Iterator[tuple[str, set[str]]]:
    """Each try of a service, and how it may have ended."""
    yield from ((f"write {each}", DENIED) for each in OUTSIDE)
    yield from ((f"write {each}", DONE) for each in (STATE, "/run/platypus"))
    yield from ((f"read {each}", DONE) for each in (f"{STATE}/ledger.db", "/etc/platypus/platypus.toml"))
    yield "read /etc/platypus/secrets.toml", DONE if name == "stream" else DENIED
    for each in ("dashboard.json", "event-secrets.json"):
        yield f"read {STATE}/{each}", DONE if name == "dashboard" else DENIED
    yield "read /dev/mem", DENIED
    if name == "dashboard":  # not even the names are there
        yield from ((f"read {each}", {"ENOENT"}) for each in ("/dev/video0", "/dev/gpiochip0", "/dev/snd/probe"))
    for other, pid in pids.items():
        if other != name:  # the probe has the user of the service itself
            yield f"signal {pid}", {"EPERM"}
            yield f"see {pid}", {"ENOENT"}
    yield "limit memory", DONE  # of a child that reads what somebody sent
    yield from ((each, {"EPERM"}) for each in ("unshare", "ptrace", "setuid"))
    yield from ((each, {"0" * 16}) for each in ("CapEff", "CapBnd"))
    yield from (("NoNewPrivs", {"1"}), ("Seccomp", {"2"}))


def judge_polkit(tries: Mapping[str, str]) -> Iterator[str]:
    """What the system does for the dashboard, and should not, or the other way round."""
    if not tries["RestartUnit platypus-door.service"].startswith("o "):
        yield f"it may not restart the door: {tries['RestartUnit platypus-door.service']}"
    for each in ("StopUnit platypus-door.service", "StartUnit platypus-door.service", "RestartUnit dbus.service"):
        if tries[each].startswith("o "):
            yield f"it may {each}"
    for each in ("CanPowerOff", "CanReboot"):
        if '"yes"' not in tries[f"login1 {each}"]:
            yield f"login1 {each}: {tries[f'login1 {each}']}"
    if any('"yes"' in tries[f"login1 {each}"] for each in ("CanSuspend", "CanHalt")):
        yield "it may suspend or halt"
    if any(each in tries["SetTime"] for each in REFUSED):
        yield f"it may not set the clock: {tries['SetTime']}"
    if not any(each in tries["SetHostname"] for each in REFUSED):
        yield f"it may change the machine's name: {tries['SetHostname']}"


def main() -> int:
    """Look at all three. Returns the exit code."""
    folder, pids = Path(sys.argv[1]), dict(zip(("bus", "door", "stream", "dashboard"), sys.argv[2:], strict=True))
    wrong: list[str] = []
    for name in ("door", "stream", "dashboard"):
        tries = json.loads((folder / f"platypus-probe{name}.json").read_text())
        wrong += [
            f"{what}: {tries[what]}, not {'/'.join(sorted(allowed))}, in the sandbox of the {name}"
            for what, allowed in expected(name, pids)
            if tries[what] not in allowed
        ]
        if name == "dashboard":
            wrong += judge_polkit(tries)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
