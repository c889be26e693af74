"""A network of our own: the venue, a server somewhere, and a road between them that can swallow what is on it.

Three network namespaces. The road is a router; when it is cut it no longer forwards: both ends keep their carrier and
their addresses, nobody is told, packets vanish. That is what a dead uplink behind a live Wi-Fi looks like. It needs
`ip` (iproute2), and root or the right to make user namespaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from waiting import until

VENUE, SERVER = "10.77.2.2", "10.77.1.2"
NOBODY = "10.77.9.9"  # what is sent there vanishes
_FORWARDS = "/proc/sys/net/ipv4/ip_forward"


class NoNetworks(RuntimeError):
    """This machine or this user cannot make network namespaces; says why."""


class Place:
    """A network namespace (and a mount namespace), which lasts as long as the process that holds it."""

    def __init__(self, inside: Place | None = None) -> None:
        argv = ["unshare", "--net", "--mount"]
        if inside is not None and not _IS_ROOT:
            argv = [*inside._enter("--user", "--preserve-credentials"), *argv]
        elif not _IS_ROOT:
            argv.append("--map-root-user")
        ours = Path("/proc/self/ns/net").readlink()
        self._holder = subprocess.Popen(
            mortal([*argv, "cat"]), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        link = Path(f"/proc/{self._holder.pid}/ns/net")
        until(lambda: self._holder.poll() is not None or _there(link) not in (None, ours), 5, "a namespace")
        if self._holder.poll() is not None:
            assert self._holder.stderr is not None
            said = self._holder.stderr.read().decode(errors="replace").strip()
            self.close()
            raise NoNetworks(f"no network namespaces here: {said}")
        until(lambda: Path(f"/proc/{self._holder.pid}/comm").read_text() == "cat\n", 5, "its holder")
        self.run(["ip", "link", "set", "lo", "up"])

    @property
    def pid(self) -> int:
        """The process that holds it; its /proc/PID/root shows the place's file systems."""
        return self._holder.pid

    def argv(self, command: Sequence[str]) -> list[str]:
        """`command`, to be run there; the process started is the command itself."""
        user = () if _IS_ROOT else ("--user", "--preserve-credentials")
        return [*self._enter("--net", "--mount", *user), *command]

    def run(self, command: Sequence[str], said: str = "") -> None:
        """Run it there, to its end. AssertionError when it fails."""
        done = subprocess.run(self.argv(command), input=said, capture_output=True, text=True, check=False, timeout=10)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"

    def close(self) -> None:
        """Forget it, and what was mounted there."""
        self._holder.kill()
        self._holder.communicate()

    def _enter(self, *what: str) -> list[str]:
        return ["nsenter", f"--target={self.pid}", *what, "--"]


class Network:
    """The three places, joined. Raises NoNetworks."""

    def __init__(self) -> None:
        if shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            raise NoNetworks("the program ip is missing: apt install iproute2")
        self._places: list[Place] = []
        try:
            self.road = self._place()
            self.server = self._place()
            self.venue = self._place()
            for name, place, address in (("s", self.server, SERVER), ("v", self.venue, VENUE)):
                hop = address.rpartition(".")[0] + ".1"
                pair = ["link", "add", name, "type", "veth", "peer", "name", "road", "netns", str(place.pid)]
                self.road.run(["ip", *pair])
                self.road.run(["ip", "address", "add", f"{hop}/24", "dev", name])
                self.road.run(["ip", "link", "set", name, "up"])
                place.run(["ip", "address", "add", f"{address}/24", "dev", "road"])
                place.run(["ip", "link", "set", "road", "up"])
                place.run(["ip", "route", "add", "default", "via", hop])
            self.road.run(["ip", "route", "add", "blackhole", f"{NOBODY}/32"])
            self.mend()
        except BaseException:
            self.close()
            raise

    def cut(self) -> None:
        """From now on every packet vanishes silently."""
        self.road.run(["tee", _FORWARDS], "0")

    def mend(self) -> None:
        """Packets arrive again."""
        self.road.run(["tee", _FORWARDS], "1")

    def close(self) -> None:
        """Forget all. Safe to call twice."""
        for place in self._places:
            place.close()
        self._places.clear()

    def _place(self) -> Place:
        self._places.append(Place(self._places[0] if self._places else None))
        return self._places[-1]


def mortal(argv: Sequence[str]) -> list[str]:
    """A command that ends when the thread that starts it does, killed or not."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *argv]


def _there(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:
        return None


_IS_ROOT = os.geteuid() == 0
