"""Whether this machine reaches others: its way out, the names it finds, and hosts that answer. Each look has a limit.

Names are looked up by `getent`, a program that can be ended: the resolver of a C library may hang for half a minute,
and a thread that is in it cannot.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

from hardware.checks import Check

_GETENT_S = 5.0
_CONNECT_S = 3.0
HOST_S = _GETENT_S + 2 * _CONNECT_S  # what a look at a host takes at most: its name, then an address of each kind
_WEAK_DBM = -75  # Wi-Fi below it begins to lose packets
_NO_GATEWAY = "00000000"


class WayOut(NamedTuple):
    """Where packets for elsewhere go."""

    interface: str
    address: str  # of this machine there; "" when it has none
    wifi_dbm: int | None  # None: a cable


def way_out(root: Path = Path("/")) -> WayOut | None:
    """From the kernel's tables; None when there is no default route."""
    interface = _interface(root)
    if interface is None:
        return None
    return WayOut(interface, _own_address(), _wifi_dbm(root, interface))


def network_check(way: WayOut | None, *, is_needed: bool) -> Check:
    """The words for it. `is_needed`: there is a destination elsewhere; the door needs no network."""
    if way is None:
        do = "plug a cable in, or join a Wi-Fi; the door goes on without"
        return Check("network", "bad" if is_needed else "attention", "no way out of this machine", do)
    if way.wifi_dbm is not None and way.wifi_dbm < _WEAK_DBM:
        says = f"connected by {way.interface}, whose Wi-Fi is weak ({way.wifi_dbm} dBm)"
        return Check("network", "attention", says, "use a cable, or bring access point and machine nearer")
    return Check("network", "ok", f"connected by {way.interface}, address {way.address or '-'}")


def host_check(name: str, host: str, port: int) -> Check:
    """Whether somebody listens there: a connection that is closed at once, without a word. Takes up to HOST_S."""
    try:
        addresses = _found(host)
    except (OSError, subprocess.SubprocessError):
        addresses = []
    if not addresses:
        do = "check the network, and the address in platypus.toml"
        return Check(name, "bad", f"the name {host} is not found", do)
    for address in addresses:
        try:
            socket.create_connection((address, port), _CONNECT_S).close()
        except OSError:
            continue
        return Check(name, "ok", f"it answers: {host}")
    do = "check the network: a guest Wi-Fi may let only web pages through"
    return Check(name, "bad", f"no answer of {host} at port {port}", do)


def _found(host: str) -> list[str]:
    """At most one address of each kind. Raises OSError, SubprocessError."""
    answer = subprocess.run(
        ["/usr/bin/getent", "ahosts", host], capture_output=True, text=True, timeout=_GETENT_S, check=True
    ).stdout
    every = [line.split()[0] for line in answer.splitlines() if line]
    by_kind = {":" in address: address for address in reversed(every)}
    return [address for address in dict.fromkeys(every) if address in by_kind.values()]


def _interface(root: Path) -> str | None:
    for line in _lines(root / "proc/net/route")[1:]:
        words = line.split()
        if words[1] == _NO_GATEWAY and words[7] == _NO_GATEWAY:  # destination and mask
            return words[0]
    for line in _lines(root / "proc/net/ipv6_route"):
        words = line.split()
        if set(words[0]) == {"0"} and words[1] == "00" and words[-1] != "lo":
            return words[-1]
    return None


def _wifi_dbm(root: Path, interface: str) -> int | None:
    for line in _lines(root / "proc/net/wireless")[2:]:
        name, _, rest = line.strip().partition(":")
        if name == interface:
            return round(float(rest.split()[2]))
    return None


def _own_address() -> str:
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):  # RFC 5737, 3849
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, 9))  # nothing is sent, the kernel only chooses a way
                address: str = probe.getsockname()[0]
                return address
        except OSError:
            continue
    return ""


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []  # no Wi-Fi, or no IPv6: that table is not there
