"""The rules of the door, one sentence each; docs/door.md has them as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.ledger.rules import (
    Caveat,
    Claim,
    Direction,
    GateMode,
    Reason,
    Room,
    Verdict,
    claimed,
    judge_entry,
    judge_walk_in,
    overrule,
    way,
)
from kiosk.tickets.status import Status

NOW = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
GOOD = Claim(Status.PAID, None, None, persons=1, inside=0, entered=0, since_last_s=None)
ROOM = Room(inside=10, capacity=50, fire_limit=60, kept=0)
DWELL = timedelta(seconds=60)


def entry(claim: Claim | None, room: Room = ROOM, *, trusted: bool = True, may_return: bool = True) -> Verdict:
    persons = claim.persons if claim else 1
    return judge_entry(claim, room, NOW, is_clock_trusted=trusted, may_return=may_return, persons=persons)


WRONG_IN_EVERY_WAY = GOOD._replace(status=Status.UNPAID, valid_from=NOW + timedelta(hours=1), inside=1, entered=1)


def test_each_reason_hides_those_after_it() -> None:
    """pretix's order, `full` last: mend the first thing that is wrong, and hear of the next."""
    full = ROOM._replace(inside=50)
    claim: Claim | None = None
    heard = [entry(claim, full).reason]
    for status in (Status.REVOKED, Status.CANCELED, Status.BLOCKED, Status.UNAPPROVED, Status.UNPAID):
        claim = WRONG_IN_EVERY_WAY._replace(status=status)
        heard.append(entry(claim, full).reason)
    claim = claim and claim._replace(valid_from=None)
    heard.append(entry(claim, full).reason)
    claim = claim and claim._replace(status=Status.PAID)
    heard.append(entry(claim, full).reason)
    claim = claim and claim._replace(inside=0, entered=0)
    heard.append(entry(claim, full).reason)
    heard.append(entry(claim).reason)
    assert heard == [
        Reason.INVALID,
        Reason.REVOKED,
        Reason.CANCELED,
        Reason.BLOCKED,
        Reason.UNAPPROVED,
        Reason.INVALID_TIME,
        Reason.UNPAID,
        Reason.ALREADY_REDEEMED,
        Reason.FULL,
        None,
    ]


def test_who_left_may_return_unless_the_event_says_no() -> None:
    left = GOOD._replace(entered=1)
    assert entry(left).reason is None
    assert entry(left, may_return=False).reason is Reason.ALREADY_REDEEMED


def test_of_a_group_in_parts_those_come_who_have_not_come() -> None:
    group = GOOD._replace(persons=3)

    def may_enter(persons: int, inside: int, entered: int, *, may_return: bool) -> bool:
        claim = group._replace(inside=inside, entered=entered)
        return judge_entry(claim, ROOM, NOW, is_clock_trusted=True, may_return=may_return, persons=persons) == Verdict(
            None
        )

    for may_return in (True, False):
        assert may_enter(1, inside=2, entered=2, may_return=may_return)
        assert not may_enter(2, inside=2, entered=2, may_return=may_return)
    # The two have left: where nobody returns the third may still come, and nobody after that.
    assert may_enter(3, inside=0, entered=2, may_return=True)
    assert may_enter(1, inside=0, entered=2, may_return=False)
    assert not may_enter(2, inside=0, entered=2, may_return=False)
    assert not may_enter(1, inside=0, entered=3, may_return=False)


def test_at_a_gate_for_both_ways_the_code_of_a_group_partly_inside_is_asked_about() -> None:
    group = GOOD._replace(persons=3, inside=2, entered=2)

    def reason(claim: Claim, mode: GateMode) -> Reason | None:
        going = way(mode, claim, DWELL)
        assert going.direction is Direction.ENTRY
        return judge_entry(
            claim, ROOM, NOW, is_clock_trusted=True, may_return=True, persons=1, is_way_clear=going.is_clear
        ).reason

    assert reason(group, GateMode.BOTH) is Reason.AMBIGUOUS
    assert reason(group, GateMode.ENTRY) is None
    assert reason(group._replace(inside=0, entered=3), GateMode.BOTH) is None
    assert reason(group._replace(status=Status.CANCELED), GateMode.BOTH) is Reason.CANCELED


def test_guests_need_their_seats_too() -> None:
    assert entry(GOOD._replace(persons=3), ROOM._replace(inside=47)).reason is None
    assert entry(GOOD._replace(persons=3), ROOM._replace(inside=48)).reason is Reason.FULL


def test_an_untrusted_clock_lets_in_and_says_so() -> None:
    early = GOOD._replace(valid_from=NOW + timedelta(days=1))
    assert entry(early, trusted=False) == Verdict(None, (Caveat.CLOCK,))
    assert entry(GOOD, trusted=False) == Verdict(None)


@pytest.mark.parametrize(
    ("room", "persons", "reason"),
    [
        (ROOM._replace(inside=30, kept=19), 1, None),
        (ROOM._replace(inside=30, kept=20), 1, Reason.FULL),  # the last seats belong to ticket holders
        (ROOM._replace(inside=30, kept=0, claimed=20), 1, Reason.FULL),  # and then to those who waited
        (ROOM._replace(inside=30, kept=0, claimed=18), 2, None),
        (ROOM._replace(inside=49), 2, Reason.FULL),
    ],
)
def test_a_walk_in_gets_what_nobody_has_keeps_or_waits_for(room: Room, persons: int, reason: Reason | None) -> None:
    assert judge_walk_in(room, persons).reason is reason


@pytest.mark.parametrize(
    ("waiting", "seats"),
    [((), 0), ((2, 1), 3), ((4, 1), 1), ((2, 4, 1), 3), ((5, 5), 0), ((1, 1, 1, 1), 3)],
)
def test_groups_that_wait_claim_what_they_fit_into(waiting: tuple[int, ...], seats: int) -> None:
    assert claimed(ROOM._replace(inside=40, kept=7), waiting) == seats  # three seats are free


@given(free=st.integers(-5, 60), waiting=st.lists(st.integers(1, 9), max_size=12))
def test_each_group_claims_what_it_fits_into_after_those_before_it(free: int, waiting: list[int]) -> None:
    room = ROOM._replace(inside=50 - free)
    for place, persons in enumerate(waiting):
        before = claimed(room, waiting[:place])
        assert claimed(room, waiting[: place + 1]) - before == (persons if persons <= free - before else 0)


def test_a_person_may_overrule_the_rules_but_not_the_fire_limit() -> None:
    refused = Verdict(Reason.UNPAID)
    assert overrule(refused, ROOM._replace(inside=59), 1) == Verdict(None, (Caveat.OVERRIDE,))
    assert overrule(refused, ROOM._replace(inside=60), 1) == Verdict(Reason.FULL)
    assert overrule(Verdict(None), ROOM, 1) == Verdict(None)


INSIDE = GOOD._replace(inside=1, entered=1, since_last_s=300.0)


@pytest.mark.parametrize(
    ("mode", "claim", "direction"),
    [
        (GateMode.ENTRY, INSIDE, Direction.ENTRY),
        (GateMode.EXIT, GOOD, Direction.EXIT),
        (GateMode.BOTH, GOOD, Direction.ENTRY),
        (GateMode.BOTH, None, Direction.ENTRY),
        (GateMode.BOTH, INSIDE, Direction.EXIT),
        (GateMode.BOTH, INSIDE._replace(since_last_s=59.0), Direction.ENTRY),  # a lingering phone is no exit
        (GateMode.BOTH, INSIDE._replace(since_last_s=None), Direction.EXIT),  # came in before a reboot
        (GateMode.BOTH, INSIDE._replace(inside=0), Direction.ENTRY),  # back from a smoke
        (GateMode.BOTH, INSIDE._replace(inside=0, since_last_s=60.0), Direction.ENTRY),
    ],
)
def test_the_way_somebody_goes(mode: GateMode, claim: Claim | None, direction: Direction) -> None:
    assert way(mode, claim, DWELL) == (direction, True)


def test_who_just_left_and_shows_the_code_again_may_linger_or_have_turned_round() -> None:
    left = INSIDE._replace(inside=0, since_last_s=9.0)
    assert way(GateMode.BOTH, left, DWELL) == (Direction.ENTRY, False)
    assert way(GateMode.ENTRY, left, DWELL) == (Direction.ENTRY, True)
