"""The continuity counters of a transport stream that we write, and where runs of packets of one PID end.

Some two thousand packets a second pass, twice: so what is alike in many is done to all of them at once, on every 188th
byte (ISO/IEC 13818-1, 2.4.3.2: the flags and the PID are in bytes 1 and 2, the counter in byte 3).
"""

from __future__ import annotations

from stream.mpegts import PACKET_BYTES

_UNIT_START = 0x40
_PID_HIGH = bytes(byte & 0x1F for byte in range(256))  # what of byte 1 is PID
_HAS_PAYLOAD = 0x10
_UNCOUNTED = bytes(byte & 0xF0 for byte in range(256))
_IS_EMPTY = bytes(not byte & _HAS_PAYLOAD for byte in range(256))
_LONGEST = 4096  # packets that are counted at once
_CYCLE = bytes(range(16)) * (_LONGEST // 16 + 1)


def run_end(firsts: bytes | bytearray, seconds: bytes | bytearray, at: int) -> int:
    """Up to which packet those from `at` on are of one PID, with the same flags; one that begins a unit is alone.

    `firsts` and `seconds` are bytes 1 and 2 of all packets.
    """
    if firsts[at] & _UNIT_START:
        return at + 1
    ends = []
    for each in (firsts, seconds):
        rest = each[at:]
        ends.append(len(each) - len(rest.lstrip(rest[:1])))
    return min(ends)


class Counters:
    """The next counter of each PID. For one thread."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def number(self, packets: bytearray) -> None:
        """Write the counter of its PID into each of some whole packets; it only counts those with payload (2.4.3.3)."""
        # Without its flags no packet begins a unit: that is nothing to a counter.
        firsts, seconds = packets[1::PACKET_BYTES].translate(_PID_HIGH), packets[2::PACKET_BYTES]
        at = 0
        while at < len(firsts):
            end = run_end(firsts, seconds, at)
            self._number_run(packets, at, end, firsts[at] << 8 | seconds[at])
            at = end

    def _number_run(self, packets: bytearray, at: int, end: int, pid: int) -> None:
        counter = self._next.get(pid, 0)
        where = slice(at * PACKET_BYTES + 3, end * PACKET_BYTES, PACKET_BYTES)
        controls = packets[where]
        if 1 not in controls.translate(_IS_EMPTY) and end - at <= _LONGEST:
            counted = _CYCLE[counter : counter + end - at]
            self._next[pid] = (counter + end - at) & 0x0F
        else:
            counted = bytes(self._count(pid, has_payload=bool(control & _HAS_PAYLOAD)) for control in controls)
        merged = int.from_bytes(controls.translate(_UNCOUNTED), "big") | int.from_bytes(counted, "big")
        packets[where] = merged.to_bytes(end - at, "big")

    def _count(self, pid: int, *, has_payload: bool) -> int:
        counter = self._next.get(pid, 0)
        self._next[pid] = (counter + has_payload) & 0x0F
        return counter if has_payload else (counter - 1) & 0x0F
