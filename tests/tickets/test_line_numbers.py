"""The numbers of the paper: read as they were written, and every slip of a finger noticed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kiosk.tickets.line_numbers import LineNumber, line_number, read_line_number

events = st.integers(1, 500)
numbers = st.integers(1, 999_999_999)


def is_taken(event: int, text: str) -> bool:
    line = read_line_number(text)
    return line is not None and line.fits(event)


@given(events, numbers)
def test_a_number_is_read_as_it_was_written_with_or_without_its_dash(event: int, number: int) -> None:
    written = line_number(event, number)
    for text in (written, written.replace("-", ""), written.replace("-", "\N{EN DASH}"), written.replace("-", ".")):
        line = read_line_number(text)
        assert line is not None and line.number == number and line.fits(event), text


@given(events, numbers, st.data())
def test_every_single_wrong_digit_is_noticed(event: int, number: int, data: st.DataObject) -> None:
    digits = line_number(event, number).replace("-", "")
    at = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from(sorted(set("0123456789") - {digits[at]})))
    wrong = digits[:at] + other + digits[at + 1 :]
    assert not is_taken(event, wrong)


@given(events, numbers, st.data())
def test_every_swap_of_two_neighbours_is_noticed(event: int, number: int, data: st.DataObject) -> None:
    digits = line_number(event, number).replace("-", "")
    at = data.draw(st.integers(0, len(digits) - 2))
    swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    assert swapped == digits or not is_taken(event, swapped)


def test_of_small_numbers_every_slip_there_is_is_noticed() -> None:
    for event in range(1, 11):
        for number in range(1, 130):
            digits = line_number(event, number).replace("-", "")
            slips = {digits[:at] + other + digits[at + 1 :] for at in range(len(digits)) for other in "0123456789"}
            slips |= {digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(len(digits) - 1)}
            assert not [each for each in slips - {digits} if is_taken(event, each)], digits


@given(events, st.integers(1, 9), numbers)
def test_no_number_of_the_nine_events_after_it_fits(event: int, later: int, number: int) -> None:
    assert not is_taken(event, line_number(event + later, number))


def test_digits_of_any_keyboard_are_digits() -> None:
    written = line_number(3, 27)
    for zero in (0x0660, 0x06F0, 0x0966, 0xFF10):
        other = "".join(chr(zero + int(c)) if c.isdigit() else c for c in written)
        assert read_line_number(other) == LineNumber(27, int(written[-1]))


def test_what_is_no_number_is_none() -> None:
    for text in ("", "1", "-4", "12-", "12-44", "a-1", "1²-3x", "1234567890123", "12--4", "½-1", "012-4", "00"):
        assert read_line_number(text) is None, text
