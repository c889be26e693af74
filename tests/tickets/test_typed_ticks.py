"""What is typed from the paper: every word is a tick, beside one, or named."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.tickets.line_numbers import LineNumber
from kiosk.tickets.typed_ticks import MOST_TICKS, Slip, TypedTick, read_ticks

A, B, C = LineNumber(12, 4), LineNumber(13, 7), LineNumber(18, 1)


@pytest.mark.parametrize("text", ["12-4 13-7 18-1", "12-4,13-7;18-1", "124\n137\r\n181", " 12-4 / 13-7 #181, "])
def test_numbers_are_apart_by_anything(text: str) -> None:
    assert read_ticks(text).ticks == [TypedTick(A), TypedTick(B), TypedTick(C)]


def test_a_time_and_how_many_belong_to_the_number_before() -> None:
    said = read_ticks("12-4 19:05 13-7x2 18-1 \N{MULTIPLICATION SIGN}3 7h30")
    assert said.ticks == [TypedTick(A, time(19, 5)), TypedTick(B, None, 2), TypedTick(C, time(7, 30), 3)]
    assert said.slips == []


def test_what_is_not_understood_is_named_and_the_rest_is_taken() -> None:
    said = read_ticks("19:05 hello 12-4 25:00 13-7 12-4 x2 18-1x0")
    assert [each.line for each in said.ticks] == [A, B, C]
    assert [(each.word, each.why) for each in said.slips] == [
        ("19:05", Slip.NOTHING_BEFORE),
        ("hello", Slip.NO_NUMBER),
        ("25:00", Slip.NO_TIME),
        ("12-4", Slip.TWICE),
        ("x2", Slip.NOTHING_BEFORE),
        ("x0", Slip.NO_NUMBER),
    ]


def test_a_number_typed_once_right_and_once_wrong_is_both() -> None:
    assert [each.line for each in read_ticks("12-4 12-5").ticks] == [A, LineNumber(12, 5)]


def test_more_than_are_taken_in_one_go_are_named() -> None:
    said = read_ticks(" ".join(f"{number}-0" for number in range(1, MOST_TICKS + 3)))
    assert len(said.ticks) == MOST_TICKS and [each.why for each in said.slips] == [Slip.TOO_MANY] * 2


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    said = read_ticks(text)
    assert len({each.line for each in said.ticks}) == len(said.ticks)
