"""What a QR of ours holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.tickets import codes
from kiosk.tickets.printing import BadCode, qr

SECRET = bytes(range(32))


def test_a_code_is_26_characters_of_base32_and_fits_version_2_at_level_q() -> None:
    code = codes.own_code(SECRET, "evening", 1)
    assert len(code) == 26 and set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    symbol = qr(code)
    assert (symbol.version, symbol.error, symbol.mode) == (2, "Q", "alphanumeric")


def test_the_same_ticket_can_be_printed_again_and_no_other_has_its_code() -> None:
    made = [
        codes.own_code(secret, event, number)
        for secret in (SECRET, bytes(32))
        for event in "ab"
        for number in (1, 2, 11)
    ]
    assert len(set(made)) == len(made)
    assert codes.own_code(SECRET, "a", 1) == made[0]


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 10**6), st.integers(0, 10**6))
def test_event_and_number_cannot_be_confused(event: str, other: str, number: int, other_number: int) -> None:
    same = codes.own_code(SECRET, event, number) == codes.own_code(SECRET, other, other_number)
    assert same == ((event, number) == (other, other_number))


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (b"ABC", b"ABC"),
        (b"\\000026ABC\n", b"ABC"),
        (b" AB\x00C\x1d ", b"ABC"),
        (b"\\000099ABC", b"\\000099ABC"),
        (b"", b""),
    ],
)
def test_a_code_is_cleaned_as_scanners_need_it(raw: bytes, meant: bytes) -> None:
    assert codes.clean(raw) == meant
    assert codes.digest(raw) == codes.digest(meant)


def test_what_does_not_fit_into_version_2_is_refused_and_not_printed_smaller() -> None:
    for code in ("A" * 30, "lower case", ""):
        with pytest.raises(BadCode, match="do not fit into a QR of version 2"):
            qr(code)


def test_a_code_is_read_out_four_characters_at_a_time() -> None:
    assert codes.groups("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "ABCD EFGH IJKL MNOP QRST UVWX YZ"
