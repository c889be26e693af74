"""Judges what tests/appliance/probe.py could do in the sandbox of door, stream and dashboard; exit 1 names what is wrong."""

import json
import sys
from pathlib import Path

OUTSIDE = ("/etc", "/usr", "/opt/platypus", "/var", "/var/tmp/..", "/etc/platypus", "/root", "/boot")
NO_FILE, DENIED = {"ENOENT"}, {"EACCES", "EPERM", "EROFS", "ENOENT"}


def main() -> int:
    """Look at all three. Returns the exit code."""
    folder, pids = Path(sys.argv[1]), dict(zip(("bus", "door", "stream", "dashboard"), sys.argv[2:], strict=True))
    wrong: list[str] = []
    for name in ("door", "stream", "dashboard"):
        tries = json.loads((folder / f"platypus-probe{name}.json").read_text())

        def expect(what: str, allowed: set[str], name: str = name, tries: dict[str, str] = tries) -> None:
            if tries[what] not in allowed:
                wrong.append(f"{name}: {what}: {tries[what]}, not {sorted(allowed)}")

        for each in OUTSIDE:
            expect(f"write {each}", DENIED)
        for each in ("write /var/lib/platypus", "write /run/platypus", "read /var/lib/platypus/ledger.db"):
            expect(each, {"done"})
        expect("read /etc/platypus/platypus.toml", {"done"})
        expect("read /etc/platypus/secrets.toml", {"done"} if name == "stream" else DENIED)
        for each in ("dashboard.json", "event-secrets.json"):
            expect(f"read /var/lib/platypus/{each}", {"done"} if name == "dashboard" else DENIED)
        expect("read /dev/mem", DENIED)
        if name == "dashboard":
            for each in ("/dev/video0", "/dev/gpiochip0"):
                expect(f"read {each}", NO_FILE)
        for other, pid in pids.items():
            if other != name:  # a copy of the unit has the uid of the service itself
                expect(f"signal {pid}", {"EPERM"})
                expect(f"see {pid}", {"ENOENT"})
        for each in ("unshare", "ptrace", "setuid"):
            expect(each, {"EPERM"})
        expect("NoNewPrivs", {"1"})
        expect("Seccomp", {"2"})
        for each in ("CapEff", "CapBnd"):
            expect(each, {"0" * 16})
        if name == "dashboard":
            wrong += judge_polkit(tries)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def judge_polkit(tries: dict[str, str]) -> list[str]:
    """What the system does for the dashboard."""
    wrong = []
    if not tries["RestartUnit platypus-door.service"].startswith("o "):
        wrong.append(f"it may not restart the door: {tries['RestartUnit platypus-door.service']}")
    for each in ("StopUnit platypus-door.service", "StartUnit platypus-door.service", "RestartUnit dbus.service"):
        if tries[each].startswith("o "):
            wrong.append(f"it may {each}")
    wrong += [
        f"login1 {each}: {tries[f'login1 {each}']}"
        for each in ("CanPowerOff", "CanReboot")
        if '"yes"' not in tries[f"login1 {each}"]
    ]
    if '"yes"' in tries["login1 CanSuspend"] or '"yes"' in tries["login1 CanHalt"]:
        wrong.append("it may suspend or halt")
    refused = ("Access denied", "authentication required", "Permission denied")
    # A container may not set the clock: polkit has allowed it when that is what fails.
    if any(each in tries["SetTime"] for each in refused):
        wrong.append(f"it may not set the clock: {tries['SetTime']}")
    if not any(each in tries["SetTimezone"] for each in refused):
        wrong.append(f"it may set the time zone: {tries['SetTimezone']}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
