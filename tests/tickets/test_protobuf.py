"""The wire format of Protocol Buffers, as far as a ticket needs it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.tickets.protobuf import MalformedMessage, read_fields, signed64


def test_the_fields_of_a_message_come_in_their_order() -> None:
    message = bytes.fromhex("0a0943544a714a4f6c31481001200e")  # of libpretixsync's test vector
    assert list(read_fields(message)) == [(1, b"CTJqJOl1H"), (2, 1), (4, 14)]


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("", []),
        ("089601", [(1, 150)]),  # the example of the format's own documentation
        ("0880808080808080808001", [(1, 1 << 63)]),
        ("08ffffffffffffffffff01", [(1, (1 << 64) - 1)]),
        ("0900000000000000010d00000002", [(1, b"\0\0\0\0\0\0\0\1"), (1, b"\0\0\0\2")]),
        ("f8ffffff0f01", [((1 << 29) - 1, 1)]),
        ("1200", [(2, b"")]),
    ],
)
def test_each_type_of_field_is_read(message: str, fields: list[tuple[int, int | bytes]]) -> None:
    assert list(read_fields(bytes.fromhex(message))) == fields


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("08", "does not end"),
        ("0880", "does not end"),
        ("08ffffffffffffffffff02", "64 bits"),
        ("08ffffffffffffffffffff01", "64 bits"),
        ("0001", "no possible number"),
        ("f8ffffffff0101", "no possible number"),
        ("0b0c", "type 3"),
        ("0f", "type 7"),
        ("0a0541", "wants 5 bytes where 1"),
        ("0d000000", "wants 4 bytes where 3"),
        ("0affffffffffffffffff01", "wants"),
    ],
)
def test_bytes_that_are_no_message_are_refused_in_words(message: str, says: str) -> None:
    with pytest.raises(MalformedMessage, match=says):
        list(read_fields(bytes.fromhex(message)))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(message: bytes) -> None:
    try:
        fields = list(read_fields(message))
    except MalformedMessage:
        return
    assert len(fields) * 2 <= len(message)


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_negative_number_is_its_own_complement(number: int) -> None:
    assert signed64(number % (1 << 64)) == number
