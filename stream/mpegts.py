"""MPEG transport stream packets: find them, read their times, write other times into them.

Only what the hub needs, after ISO/IEC 13818-1 (the section is named where a layout is used). All functions work in
place on a `bytearray` at the offset of a packet, because a packet is handled some two thousand times a second.
Times are ticks of 90 kHz, modulo 2^33 (26.5 hours).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

PACKET_BYTES = 188
SYNC = 0x47
TICKS_PER_S = 90_000
WRAP_TICKS = 1 << 33

PAT_PID = 0
NULL_PID = 0x1FFF
# Where the timeline has its parts, wherever a source had them; ffmpeg's own choice.
MAP_PID, VIDEO_PID, AUDIO_PID = 0x1000, 0x100, 0x101
_H264, _AAC = 0x1B, 0x0F  # stream_type, table 2-34
_AUDIO_TYPES = frozenset({0x03, 0x04, 0x0F, 0x11})  # MPEG-1/2 audio, AAC in ADTS, AAC in LATM
_HEVC = 0x24

_RANDOM_ACCESS = 0x40  # adaptation field flags, 2.4.3.5
_HAS_PCR = 0x10
_NAL_IDR = 5  # H.264 table 7-1
_NAL_SPS = 7
_HAS_ADAPTATION = bytes(bool(byte & 0x20) for byte in range(256))  # by byte 3, 2.4.3.2
_FLAGS = bytes(byte & 0xE0 for byte in range(256))  # what of byte 1 is not PID


class Pes(NamedTuple):
    """Where the times of a PES packet are, and what they say. Ticks; `dts` equals `pts` when only that is written."""

    pts_at: int  # offset of the five bytes
    dts_at: int | None
    pts: int
    dts: int


class Program(NamedTuple):
    """Which PIDs carry what, out of a program map table."""

    video_pid: int | None
    audio_pids: frozenset[int]


def ticks_between(later: int, earlier: int) -> int:
    """How far `later` is after `earlier`, the short way round the wrap: -2^32 to 2^32 - 1 ticks."""
    return (later - earlier + (WRAP_TICKS >> 1)) % WRAP_TICKS - (WRAP_TICKS >> 1)


def pid_of(buf: bytearray, at: int) -> int:
    """The packet identifier of the packet at `at`."""
    return (buf[at + 1] & 0x1F) << 8 | buf[at + 2]


def is_unit_start(buf: bytearray, at: int) -> bool:
    """Whether a PES packet or a table begins in this packet (payload_unit_start_indicator)."""
    return bool(buf[at + 1] & 0x40)


def payload_at(buf: bytearray, at: int) -> int | None:
    """Offset of the payload in `buf`, or None when the packet has none (2.4.3.2)."""
    control = buf[at + 3]
    if not control & 0x10:
        return None
    start = at + 4
    if control & 0x20:
        start += 1 + buf[at + 4]
    return start if start < at + PACKET_BYTES else None


def read_timestamp(buf: bytearray, at: int) -> int:
    """The 33 bits of a PTS or DTS at `at`, spread over five bytes with marker bits between (2.4.3.6). Ticks."""
    return (buf[at] & 0x0E) << 29 | buf[at + 1] << 22 | (buf[at + 2] & 0xFE) << 14 | buf[at + 3] << 7 | buf[at + 4] >> 1


def write_timestamp(buf: bytearray, at: int, ticks: int) -> None:
    """Write 33 bits at `at`; the four bits that say which time it is stay as they are."""
    buf[at] = buf[at] & 0xF0 | (ticks >> 29) & 0x0E | 1
    buf[at + 1] = (ticks >> 22) & 0xFF
    buf[at + 2] = (ticks >> 14) & 0xFE | 1
    buf[at + 3] = (ticks >> 7) & 0xFF
    buf[at + 4] = (ticks << 1) & 0xFE | 1


def with_adaptation(packets: bytes | bytearray) -> Iterator[int]:
    """Offsets of those of some whole packets that have an adaptation field: a few of a frame's many."""
    flags = packets[3::PACKET_BYTES].translate(_HAS_ADAPTATION)
    number = flags.find(1)
    while number >= 0:
        yield number * PACKET_BYTES
        number = flags.find(1, number + 1)


def set_pid(packets: bytearray, pid: int) -> None:
    """Give some whole packets another PID."""
    high = bytes([pid >> 8]) * (len(packets) // PACKET_BYTES)
    flags = packets[1::PACKET_BYTES].translate(_FLAGS)
    merged = int.from_bytes(flags, "big") | int.from_bytes(high, "big")
    packets[1::PACKET_BYTES] = merged.to_bytes(len(high), "big")
    packets[2::PACKET_BYTES] = bytes([pid & 0xFF]) * len(high)


def pcr_at(buf: bytearray, at: int) -> int | None:
    """Offset of the program clock reference of the packet at `at`, or None."""
    if buf[at + 3] & 0x20 and buf[at + 4] >= 7 and buf[at + 5] & _HAS_PCR:
        return at + 6
    return None


def read_pcr(buf: bytearray, at: int) -> int:
    """The 90 kHz part of a clock reference at `at` (2.4.3.5). Ticks."""
    return buf[at] << 25 | buf[at + 1] << 17 | buf[at + 2] << 9 | buf[at + 3] << 1 | buf[at + 4] >> 7


def write_pcr(buf: bytearray, at: int, ticks: int) -> None:
    """Write the 90 kHz part; the 27 MHz rest stays as it is."""
    buf[at] = (ticks >> 25) & 0xFF
    buf[at + 1] = (ticks >> 17) & 0xFF
    buf[at + 2] = (ticks >> 9) & 0xFF
    buf[at + 3] = (ticks >> 1) & 0xFF
    buf[at + 4] = (ticks & 1) << 7 | buf[at + 4] & 0x7F


def drop_pcr(buf: bytearray, at: int) -> None:
    """Make stuffing of the clock reference of the packet at `at`, when it has one."""
    clock_at = pcr_at(buf, at)
    if clock_at is not None:
        buf[at + 5] &= ~_HAS_PCR
        buf[clock_at : clock_at + 6] = b"\xff" * 6


def pes(buf: bytearray, at: int) -> Pes | None:
    """The times of the PES packet that starts in the packet at `at`, or None when it has none."""
    start = payload_at(buf, at)
    end = at + PACKET_BYTES
    if start is None or start + 14 > end or buf[start] or buf[start + 1] or buf[start + 2] != 1:
        return None
    flags = buf[start + 7]
    if not flags & 0x80:
        return None
    pts = read_timestamp(buf, start + 9)
    if flags & 0x40 and start + 19 <= end:
        return Pes(start + 9, start + 14, pts, read_timestamp(buf, start + 14))
    return Pes(start + 9, None, pts, pts)


def first_ticks(data: bytes) -> int | None:
    """The DTS of the first PES packet that begins in `data`, whole packets; None when none does."""
    buf = bytearray(data)
    for at in range(0, len(buf), PACKET_BYTES):
        if is_unit_start(buf, at) and (found := pes(buf, at)) is not None:
            return found.dts
    return None


def pes_bytes(buf: bytearray, at: int) -> int | None:
    """How many bytes of payload the PES packet that starts in the packet at `at` has; None when it does not say."""
    start = payload_at(buf, at)
    if start is None or start + 6 > at + PACKET_BYTES:
        return None
    length = buf[start + 4] << 8 | buf[start + 5]
    return length + 6 if length else None


def restamp(buf: bytearray, at: int, offset_ticks: int) -> None:
    """Move every time in the packet at `at` by `offset_ticks`, modulo 2^33. Packets without times stay as they are."""
    clock_at = pcr_at(buf, at)
    if clock_at is not None:
        write_pcr(buf, clock_at, (read_pcr(buf, clock_at) + offset_ticks) % WRAP_TICKS)
    if is_unit_start(buf, at):
        times = pes(buf, at)
        if times is not None:
            restamp_pes(buf, times, offset_ticks)


def restamp_pes(buf: bytearray, times: Pes, offset_ticks: int) -> None:
    """Move the times found by `pes`."""
    write_timestamp(buf, times.pts_at, (times.pts + offset_ticks) % WRAP_TICKS)
    if times.dts_at is not None:
        write_timestamp(buf, times.dts_at, (times.dts + offset_ticks) % WRAP_TICKS)


def is_keyframe(buf: bytearray, at: int) -> bool:
    """Whether the video PES packet that starts at `at` can be decoded without an earlier one.

    Said by the multiplexer (random_access_indicator), or seen: an H.264 sequence header or IDR picture near its start.
    """
    control = buf[at + 3]
    if control & 0x20 and buf[at + 4] and buf[at + 5] & _RANDOM_ACCESS:
        return True
    start = payload_at(buf, at)
    end = at + PACKET_BYTES
    while start is not None:
        found = buf.find(b"\x00\x00\x01", start, end - 1)
        if found < 0:
            return False
        if buf[found + 3] & 0x1F in (_NAL_IDR, _NAL_SPS) and not buf[found + 3] & 0x80:
            return True
        start = found + 3
    return False


def table(buf: bytearray, at: int) -> bytes | None:
    """The section that starts in the packet at `at`, without its checksum; None when it does not fit in the packet."""
    start = payload_at(buf, at)
    if start is None or not is_unit_start(buf, at):
        return None
    start += 1 + buf[start]  # pointer_field, 2.4.4.1
    if start + 3 > at + PACKET_BYTES:
        return None
    end = start + 3 + ((buf[start + 1] & 0x0F) << 8 | buf[start + 2]) - 4
    if end > at + PACKET_BYTES - 4 or end < start + 8:
        return None
    return bytes(buf[start:end])


def program_map_pid(pat: bytes) -> int | None:
    """Where the map of the first program is, out of a program association section (2.4.4.3)."""
    for entry in range(8, len(pat) - 3, 4):
        if pat[entry] << 8 | pat[entry + 1]:
            return (pat[entry + 2] & 0x1F) << 8 | pat[entry + 3]
    return None


def program(pmt: bytes) -> Program | None:
    """What the program is made of, out of a program map section (2.4.4.8)."""
    if len(pmt) < 12 or pmt[0] != 2:
        return None
    video: int | None = None
    audio: set[int] = set()
    entry = 12 + ((pmt[10] & 0x0F) << 8 | pmt[11])
    while entry + 5 <= len(pmt):
        pid = (pmt[entry + 1] & 0x1F) << 8 | pmt[entry + 2]
        if pmt[entry] in (_H264, _HEVC) and video is None:
            video = pid
        elif pmt[entry] in _AUDIO_TYPES:
            audio.add(pid)
        entry += 5 + ((pmt[entry + 3] & 0x0F) << 8 | pmt[entry + 4])
    return Program(video, frozenset(audio))


def tables() -> bytes:
    """PAT and PMT of the timeline: one program of H.264, whose packets carry the clock, and AAC in ADTS."""
    video, audio = (bytes([0xE0 | pid >> 8, pid & 0xFF]) for pid in (VIDEO_PID, AUDIO_PID))
    association = b"\x00\x01\xc1\x00\x00\x00\x01" + bytes([0xE0 | MAP_PID >> 8, MAP_PID & 0xFF])
    streams = bytes([_H264]) + video + b"\xf0\x00" + bytes([_AAC]) + audio + b"\xf0\x00"
    return _section(PAT_PID, 0, association) + _section(
        MAP_PID, 2, b"\x00\x01\xc1\x00\x00" + video + b"\xf0\x00" + streams
    )


def _section(pid: int, table_id: int, body: bytes) -> bytes:
    """A table in one packet (2.4.4)."""
    length = len(body) + 4
    section = bytes([table_id, 0xB0 | length >> 8, length & 0xFF]) + body
    head = bytes([SYNC, 0x40 | pid >> 8, pid & 0xFF, 0x10, 0])
    return (head + section + _checksum(section).to_bytes(4, "big")).ljust(PACKET_BYTES, b"\xff")


def _checksum(section: bytes) -> int:
    """CRC-32 of annex A, most significant bit first."""
    rest = 0xFFFFFFFF
    for byte in section:
        rest ^= byte << 24
        for _ in range(8):
            rest = (rest << 1 ^ (0x04C11DB7 if rest & 0x80000000 else 0)) & 0xFFFFFFFF
    return rest
