"""What a QR of ours holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hardware.clock import ManualClock
from kiosk.door.reader import Reader
from kiosk.tickets import codes
from kiosk.tickets.printing import Printable, PrintingError, qr, write_tickets

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


def test_printed_tickets_are_read_by_the_door_and_are_private(tmp_path: Path) -> None:
    names = ["Ada Lovelace", "Łukasz Wiśniewski", "Ζωή", "A very long name " * 8]
    prints = [Printable(n, codes.own_code(SECRET, "evening", n), name, "Seat") for n, name in enumerate(names, 1)]
    written = write_tickets(tmp_path / "out", "Soirée « talks »", "2026-11-26 19:00", prints)
    assert sorted(path.name for path in written)[:3] == ["0001.png", "0001.svg", "0002.png"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in written)
    for ticket in prints:
        with Image.open(tmp_path / "out" / f"{ticket.number:04d}.png") as picture:
            import numpy as np

            reads = Reader(ManualClock()).read_still(np.asarray(picture.convert("L")))
        assert [read.data for read in reads] == [ticket.code.encode()]
    assert (tmp_path / "out" / "tickets.pdf").read_bytes().startswith(b"%PDF-")


def test_tickets_that_cannot_be_written_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(PrintingError, match="cannot be written"):
        write_tickets(tmp_path / "out", "E", "", [Printable(1, "A" * 26, "Ada", "")])
