"""One code held in view is one presentation."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kiosk.door.presence import AWAY_S, Presence

A, B = b"A", b"B"


def answer(presence: Presence, codes: set[bytes], now_s: float, *, is_blurred: bool = False) -> list[bytes]:
    """See a frame and answer whatever is new."""
    new = presence.see(codes, now_s, is_blurred=is_blurred)
    for showing in new:
        showing.is_answered = True
    return [showing.code for showing in new]


def test_a_code_held_for_a_minute_is_presented_once() -> None:
    presence = Presence()
    seen = [answer(presence, {A}, tick / 10) for tick in range(600)]
    assert sum(seen, []) == [A]


def test_a_code_that_was_away_for_long_enough_is_presented_again() -> None:
    presence = Presence()
    assert answer(presence, {A}, 0.0) == [A]
    for tick in range(1, 17):
        answer(presence, set(), tick / 10)
    assert answer(presence, {A}, 1.7) == [A]


def test_a_code_that_flickers_is_still_the_same_presentation() -> None:
    presence = Presence()
    assert answer(presence, {A}, 0.0) == [A]
    for tick in range(1, 200):
        assert answer(presence, {A} if tick % 13 == 0 else set(), tick / 10) == []


def test_two_codes_in_one_frame_are_two_presentations() -> None:
    assert sorted(answer(Presence(), {A, B}, 0.0)) == [A, B]


def test_a_camera_that_was_silent_for_a_minute_does_not_make_a_second_scan() -> None:
    presence = Presence()
    answer(presence, {A}, 0.0)
    answer(presence, set(), 60.0)
    assert answer(presence, {A}, 60.1) == []


def test_a_code_too_blurred_to_read_keeps_its_place_but_a_poster_does_not_for_ever() -> None:
    presence = Presence()
    answer(presence, {A}, 0.0)
    for tick in range(1, 31):
        answer(presence, set(), tick / 10, is_blurred=True)
    assert answer(presence, {A}, 3.1) == []
    for tick in range(32, 100):
        answer(presence, set(), tick / 10, is_blurred=True)
    assert answer(presence, {A}, 10.0) == [A]


def test_an_unanswered_code_is_offered_again_with_the_same_nonce() -> None:
    presence = Presence()
    first = presence.see({A}, 0.0)[0]
    again = presence.see({A}, 0.1)[0]
    assert again.nonce == first.nonce


@given(st.lists(st.tuples(st.booleans(), st.floats(0.02, 0.4)), max_size=200))
def test_presentations_are_always_separated_by_the_time_away(frames: list[tuple[bool, float]]) -> None:
    presence = Presence()
    now_s, unseen_s = 0.0, AWAY_S
    for is_shown, step_s in frames:
        now_s += step_s
        unseen_s += step_s
        new = answer(presence, {A} if is_shown else set(), now_s)
        if new:
            assert unseen_s >= AWAY_S
        if is_shown:
            unseen_s = 0.0
