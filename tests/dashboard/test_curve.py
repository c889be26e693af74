"""The room over the evening, as a line that a phone can draw."""

from __future__ import annotations

import itertools
import random
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kiosk.dashboard.curve import HEIGHT, WIDTH, CurveView, curve
from kiosk.ledger import Movement

PARIS = ZoneInfo("Europe/Paris")
BEGIN = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)


def moved(*deltas: tuple[float, int]) -> list[Movement]:
    return [Movement(BEGIN + timedelta(minutes=minutes), delta) for minutes, delta in deltas]


def corners(path: str) -> list[tuple[float, float]]:
    """The points of a path of M, H and V."""
    found, x, y = [], 0.0, 0.0
    for command, numbers in re.findall(r"([MHV])([0-9. ]+)", path):
        values = [float(each) for each in numbers.split()]
        x = x if command == "V" else values[0]
        y = y if command == "H" else values[-1]
        found.append((x, y))
    return found


def test_before_anybody_came_nothing_is_drawn() -> None:
    assert curve([], 50, BEGIN, PARIS) == CurveView()


def test_the_line_goes_up_with_those_who_come_and_down_with_those_who_go() -> None:
    view = curve(moved((0, 2), (30, 1), (60, -1)), 4, BEGIN + timedelta(minutes=90), PARIS)
    levels = [y for _, y in corners(view.line)]
    assert [x for x, _ in corners(view.line)] == [0, 0, 0, 107, 107, 213, 213, WIDTH]
    assert levels[0] == HEIGHT
    assert levels[2] > levels[4] < levels[6], "y grows downwards"
    assert corners(view.seats)[0][1] == 6, "four seats are the highest"


def test_more_people_than_seats_stay_in_the_drawing() -> None:
    view = curve(moved((0, 12)), 8, BEGIN, PARIS)
    assert min(y for _, y in corners(view.line)) == 6
    assert 6 < corners(view.seats)[0][1] < HEIGHT


def test_it_says_the_same_in_words_and_in_the_venues_time() -> None:
    view = curve(moved((0, 2), (30, 1), (60, -1)), 4, BEGIN + timedelta(minutes=90), PARIS)
    assert (view.begins, view.ends) == ("18:30", "20:00")
    assert view.says == "3 at most, at 19:00"
    assert curve(moved((0, 1)), 0, None, PARIS).says == "1 at most, at 18:30"


def test_it_stays_the_same_within_a_minute() -> None:
    rows = moved((0, 1))
    assert curve(rows, 5, BEGIN + timedelta(minutes=40, seconds=1), PARIS) == curve(
        rows, 5, BEGIN + timedelta(minutes=40, seconds=59), PARIS
    )


def test_rows_of_two_gates_and_of_a_clock_that_was_behind_are_put_in_order() -> None:
    view = curve(moved((20, 1), (0, 1)), 5, BEGIN - timedelta(days=400), PARIS)
    xs = [x for x, _ in corners(view.line)]
    assert xs == sorted(xs)
    assert view.begins == "18:30"


def test_an_evening_of_five_thousand_is_still_small() -> None:
    chance = random.Random(3)
    rows = moved(*sorted((chance.uniform(0, 240), chance.choice((1, 1, -1))) for _ in range(5000)))
    view = curve(rows, 1500, None, PARIS)
    assert len(view.line) < 4_000
    assert all(earlier[0] <= later[0] for earlier, later in itertools.pairwise(corners(view.line)))
