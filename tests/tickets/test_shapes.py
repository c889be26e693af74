"""What a code looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signed_stage import EXAMPLE

from kiosk.tickets import codes
from kiosk.tickets.shapes import IN_WORDS, Shape, shape_of


@pytest.mark.parametrize(
    ("code", "shape"),
    [
        ("abcdefghjkmnpqrstuvwxyz234567892", Shape.PRETIX),
        ("abcdefghjkmnpqrstuvwxyz23456789o", Shape.UNKNOWN),  # o is none of pretix's letters
        (EXAMPLE, Shape.PRETIX_SIG1),
        (EXAMPLE[4:], Shape.PRETIX_SIG1),  # damaged
        ("1234567", Shape.BILLETWEB_QR),
        ("123456789012", Shape.BILLETWEB_BARCODE),
        ("12345678", Shape.UNKNOWN),
        ("A-1B2C3D4", Shape.HI_EVENTS),
        ("A-1B2C3D", Shape.UNKNOWN),
        ("A" * 25 + "B", Shape.UNKNOWN),  # no 128 bits end so
        ("\u0661" * 7, Shape.UNKNOWN),  # digits, but of another script
        ("https://example.org/ticket/1234567", Shape.UNKNOWN),
    ],
)
def test_the_forms_of_known_systems_are_told_apart(code: str, shape: Shape) -> None:
    assert shape_of(code.encode()) is shape
    assert shape_of(b"\\000026" + code.encode() + b"\r\n") is shape


@given(st.binary(min_size=32, max_size=32), st.integers(0, 10**9))
def test_our_own_codes_look_like_ours(secret: bytes, number: int) -> None:
    assert shape_of(codes.own_code(secret, "evening", number).encode()) is Shape.OWN


@given(st.binary(max_size=600))
def test_any_bytes_have_a_form_that_words_are_known_for(raw: bytes) -> None:
    assert IN_WORDS[shape_of(raw)]
