"""How long the next guess at a PIN has to wait: per address it comes from, and per account it is aimed at.

The two are counted apart, so that whoever guesses slows nobody else: neither other people nor other addresses.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import NamedTuple

from hardware.clock import Clock

FORGET_AFTER_S = 3600.0  # an address or account that was quiet for so long starts anew
MOST_KEPT = 2000  # addresses, and accounts; the one that was quiet longest is forgotten first


class Patience(NamedTuple):
    """How many wrong guesses are free, and how the wait grows."""

    free: int
    first_s: float  # doubled by every further wrong one ...
    longest_s: float  # ... up to this


ADDRESS = Patience(free=5, first_s=5.0, longest_s=900.0)
# Many addresses together get 60 guesses an hour at one account's million PINs or more. The wait stays short, because
# anybody in the room's network can make the owner of a name wait.
ACCOUNT = Patience(free=10, first_s=5.0, longest_s=60.0)


class Throttle:
    """Counts wrong guesses. Not locked: whoever owns it holds a lock around each call."""

    def __init__(self, clock: Clock) -> None:
        self._addresses = Counts(ADDRESS, clock)
        self._accounts = Counts(ACCOUNT, clock)

    def wait_s(self, address: str, account: str) -> float:
        """Seconds until a guess from `address` at `account` is looked at; 0 when now."""
        return max(self._addresses.wait_s(network(address)), self._accounts.wait_s(account))

    def failed(self, address: str, account: str) -> None:
        """A guess was wrong."""
        self._addresses.failed(network(address))
        self._accounts.failed(account)

    def succeeded(self, address: str, account: str) -> None:
        """The person at `address` knows the PIN of `account`: the wrong guesses before are forgotten."""
        self._addresses.forget(network(address))
        self._accounts.forget(account)


class Counts:
    """Wrong guesses by key. Not locked either."""

    def __init__(self, patience: Patience, clock: Clock) -> None:
        self._patience = patience
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # how many, when the last

    def wait_s(self, key: str) -> float:
        """Seconds until a guess by `key` is looked at; 0 when now."""
        now_s = self._clock.monotonic()
        count, last_s = self._wrong.get(key, (0, now_s))
        over = count - self._patience.free
        if over < 0 or now_s - last_s >= FORGET_AFTER_S:
            return 0.0
        own_s: float = min(self._patience.longest_s, self._patience.first_s * 2.0 ** min(over, 20))
        return max(0.0, last_s + own_s - now_s)

    def failed(self, key: str) -> None:
        """A guess was wrong."""
        now_s = self._clock.monotonic()
        count, last_s = self._wrong.pop(key, (0, now_s))
        self._wrong[key] = ((0 if now_s - last_s >= FORGET_AFTER_S else count) + 1, now_s)
        if len(self._wrong) > MOST_KEPT:
            self._wrong.popitem(last=False)

    def forget(self, key: str) -> None:
        """Begin anew."""
        self._wrong.pop(key, None)


def network(address: str) -> str:
    """Who is counted as one: an IPv4 address, or an IPv6 /64 (one household holds all of it)."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
