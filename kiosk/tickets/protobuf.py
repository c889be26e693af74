"""The wire format of Protocol Buffers, as far as a ticket needs it: one flat message of numbers and short texts.

Format: https://protobuf.dev/programming-guides/encoding/. Groups are refused, since proto3 has none.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardware.errors import PlatypusError

_VARINT_BYTES = 10  # what 64 bits take at most, seven to a byte
_TAG_BITS = 32
_VARINT, _FIXED64, _COUNTED, _FIXED32 = 0, 1, 2, 5


class MalformedMessage(PlatypusError, ValueError):
    """Bytes that are no such message; its text says where they cease to be one."""

    code = "malformed_message"


def read_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field, in their order: an int (unsigned, 64 bits) for a varint, bytes for the others.

    Whoever reads takes what they know, of the type they know, and passes over the rest; of a field that comes twice the
    last counts. Raises MalformedMessage when it comes to a byte that cannot be.
    """
    at = 0
    while at < len(message):
        begun = at
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if number == 0 or tag >> _TAG_BITS:
            raise MalformedMessage(f"byte {begun} begins a field of no possible number")
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _COUNTED:
            size, at = _varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise MalformedMessage(f"byte {begun} begins a field of type {kind}, which there is not")
        if size > len(message) - at:
            raise MalformedMessage(f"field {number} wants {size} bytes where {len(message) - at} are left")
        yield number, message[at : at + size]
        at += size


def signed64(value: int) -> int:
    """An int64 of the 64 bits that a varint had."""
    return value - (1 << 64) if value >> 63 else value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where what follows it begins."""
    value = 0
    for index, byte in enumerate(message[at : at + _VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            if value >> 64:
                break
            return value, at + index + 1
    raise MalformedMessage(f"byte {at} begins a number that does not end, or has more than 64 bits")
