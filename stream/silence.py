"""Silence, frame by frame: what viewers hear when nobody gives any sound."""

from __future__ import annotations

from typing import Final

from stream.mpegts import AUDIO_PID, PACKET_BYTES, SYNC, TICKS_PER_S, write_timestamp

SOUND_STEP_TICKS: Final = 1024 * TICKS_PER_S // 48_000  # of one AAC frame

# What ffmpeg 5.1 writes from the second frame of silence on, at any bit rate, 48 kHz, stereo:
#   ffmpeg -f lavfi -i anullsrc=r=48000:cl=stereo:d=1 -c:a aac -f adts - | tail -c 13 | xxd -p
_FRAME: Final = bytes.fromhex("fff14c8001bffc211004608c1c")
_PES_HEAD: Final = b"\0\0\1\xc0" + bytes([0, 8 + len(_FRAME), 0x80, 0x80, 5])
_PES_BYTES: Final = len(_PES_HEAD) + 5 + len(_FRAME)
_STUFFING: Final = PACKET_BYTES - 5 - _PES_BYTES
_HEAD: Final = bytes([SYNC, 0x40 | AUDIO_PID >> 8, AUDIO_PID & 0xFF, 0x30, _STUFFING, 0]) + b"\xff" * (_STUFFING - 1)
_TIME_AT: Final = PACKET_BYTES - len(_FRAME) - 5


def silent_frame(ticks: int) -> bytearray:
    """One packet with 21 ms of silence at `ticks`; its continuity counter is 0."""
    packet = bytearray(_HEAD + _PES_HEAD + b"\x20\0\0\0\0" + _FRAME)
    write_timestamp(packet, _TIME_AT, ticks)
    return packet
