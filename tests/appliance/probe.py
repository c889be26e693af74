"""Tries, from within a service's sandbox and as its user, what it may and what it must not; one line of JSON a try.

Run by tests/appliance/inside in a copy of the unit that differs in ExecStart alone.
"""

import ctypes
import errno
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CLONE_NEWUSER, PTRACE_SEIZE = 0x10000000, 0x4206
UNSHARE, PTRACE = {"x86_64": (272, 101), "aarch64": (97, 117)}[platform.machine()]  # asm/unistd.h of each


def outcome(act: Callable[[], object]) -> str:
    """How it ended: "done", or the name of the error."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "done"


def write(path: str) -> Callable[[], object]:
    """Makes a file and removes it."""

    def act() -> None:
        Path(path).write_text("x", encoding="ascii")
        Path(path).unlink()

    return act


def system_call(number: int, *words: int) -> Callable[[], object]:
    """One that Python has no name for."""

    def act() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(ctypes.c_long(number), *(ctypes.c_long(word) for word in words)) == -1:
            raise OSError(ctypes.get_errno(), "")

    return act


def told(*argv: str) -> str:
    """What a program answers, on whichever line."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout + done.stderr).strip()


def main() -> None:
    """Everything; `sys.argv` names processes of the others."""
    tries = {
        f"write {folder}": outcome(write(f"{folder}/probe"))
        for folder in ("/etc", "/usr", "/opt/platypus", "/var", "/var/tmp/..", "/etc/platypus", "/root", "/boot")
    }
    tries |= {f"write {folder}": outcome(write(f"{folder}/probe")) for folder in ("/var/lib/platypus", "/run/platypus")}
    for path in (
        "/etc/platypus/platypus.toml",
        "/etc/platypus/secrets.toml",
        "/var/lib/platypus/dashboard.json",
        "/var/lib/platypus/event-secrets.json",
        "/var/lib/platypus/ledger.db",
        "/dev/video0",
        "/dev/gpiochip0",
        "/dev/snd/probe",
        "/dev/mem",
    ):
        tries[f"read {path}"] = outcome(lambda path=path: os.close(os.open(path, os.O_RDONLY)))
    for pid in map(int, sys.argv[1:]):
        tries[f"signal {pid}"] = outcome(lambda pid=pid: os.kill(pid, 0))
        tries[f"see {pid}"] = outcome(lambda pid=pid: Path(f"/proc/{pid}/cmdline").read_bytes())
    tries["unshare"] = outcome(system_call(UNSHARE, CLONE_NEWUSER))
    tries["ptrace"] = outcome(system_call(PTRACE, PTRACE_SEIZE, 1, 0, 0))
    tries["limit memory"] = outcome(lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32)))
    tries["setuid"] = outcome(lambda: os.setuid(0))
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    tries |= {key: status[key] for key in ("NoNewPrivs", "CapEff", "CapBnd", "Seccomp")}
    if os.environ.get("PROBE_POLKIT"):
        manager = ("busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1")
        manager += ("org.freedesktop.systemd1.Manager",)
        for verb, unit in (
            ("RestartUnit", "platypus-door.service"),
            ("StopUnit", "platypus-door.service"),
            ("StartUnit", "platypus-door.service"),
            ("RestartUnit", "dbus.service"),
        ):
            tries[f"{verb} {unit}"] = told(*manager, verb, "ss", unit, "replace")
        login = (
            "busctl",
            "call",
            "org.freedesktop.login1",
            "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager",
        )
        tries |= {
            f"login1 {each}": told(*login, each) for each in ("CanPowerOff", "CanReboot", "CanSuspend", "CanHalt")
        }
        clock = ("busctl", "call", "org.freedesktop.timedate1", "/org/freedesktop/timedate1")
        clock += ("org.freedesktop.timedate1",)
        tries["SetTime"] = told(*clock, "SetTime", "xbb", "0", "true", "false")
        name = ("busctl", "call", "org.freedesktop.hostname1", "/org/freedesktop/hostname1")
        name += ("org.freedesktop.hostname1",)
        tries["SetHostname"] = told(*name, "SetHostname", "sb", "probe", "false")
    print(json.dumps(tries, indent=1))


if __name__ == "__main__":
    main()
