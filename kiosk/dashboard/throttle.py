"""How long the next guess at the PIN has to wait: per address, and for everybody together."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque

from hardware.clock import Clock

FREE_TRIES = 5  # wrong ones per address before waiting begins
FIRST_WAIT_S = 5.0  # doubled by every further wrong one ...
LONGEST_WAIT_S = 900.0  # ... up to this
FORGET_AFTER_S = 3600.0  # an address that was quiet for so long starts anew
MOST_ADDRESSES = 1000  # remembered; the oldest is forgotten first
# Many addresses together: 40 wrong ones in ten minutes, then one guess each 10 s, whoever asks. That is at most
# 400 guesses an hour at a million PINs, and still lets the organizer in after a short wait.
COMMON_TRIES = 40
COMMON_WINDOW_S = 600.0
COMMON_WAIT_S = 10.0


class Throttle:
    """Counts wrong guesses. Not locked: whoever owns it holds its own lock around a whole guess."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # network -> how many, when the last
        self._common: deque[float] = deque(maxlen=COMMON_TRIES)

    def wait_s(self, address: str) -> float:
        """Seconds until a guess from `address` is looked at; 0 when now."""
        now_s = self._clock.monotonic()
        count, last_s = self._wrong.get(network(address), (0, now_s))
        own_s = 0.0
        if count >= FREE_TRIES and now_s - last_s < FORGET_AFTER_S:
            own_s = last_s + min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(count - FREE_TRIES, 20)) - now_s
        common_s = 0.0
        if len(self._common) == COMMON_TRIES and now_s - self._common[0] < COMMON_WINDOW_S:
            common_s = self._common[-1] + COMMON_WAIT_S - now_s
        return max(0.0, own_s, common_s)

    def failed(self, address: str) -> None:
        """A guess from `address` was wrong."""
        now_s = self._clock.monotonic()
        key = network(address)
        count, last_s = self._wrong.pop(key, (0, now_s))
        self._wrong[key] = ((0 if now_s - last_s >= FORGET_AFTER_S else count) + 1, now_s)
        self._common.append(now_s)
        if len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """The person at `address` knows the PIN: their own wrong guesses are forgotten."""
        self._wrong.pop(network(address), None)


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
