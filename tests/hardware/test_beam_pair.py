"""The beam pair: who went in and who went out, whatever people do in a doorway and whatever edges are lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.passage import BeamCounter, BeamEvent, BeamsBlocked, BeamsFree, Direction, Levels, Passed
from hardware.passage.button import Press

STATES = {"oo": Levels(False, False), "#o": Levels(True, False), "##": Levels(True, True), "o#": Levels(False, True)}
ROUND = [STATES[name] for name in ("oo", "#o", "##", "o#")]  # one turn is one person in
APART_CM = 8.0
LOOK_S = 0.02


def play(counter: BeamCounter, trace: Iterable[tuple[Levels, float]], at_s: float = 100.0) -> list[BeamEvent]:
    """Each of the levels for so many seconds, looked at every 20 ms."""
    events: list[BeamEvent] = []
    for levels, lasts_s in trace:
        for look in range(max(1, round(lasts_s / LOOK_S))):
            events += counter.look(levels, at_s + look * LOOK_S)
        at_s += lasts_s
    return events


def walk(story: str, each_s: float = 0.1) -> list[tuple[Levels, float]]:
    """ "#o ##:0.5 o#" as levels with how long each; free before and after."""
    steps = [("oo", each_s), *(_step(word, each_s) for word in story.split()), ("oo", each_s)]
    return [(STATES[name], lasts_s) for name, lasts_s in steps]


def _step(word: str, each_s: float) -> tuple[str, float]:
    name, _, lasts = word.partition(":")
    return name, float(lasts or each_s)


def ways(events: Sequence[BeamEvent]) -> list[str]:
    """ "in" and "out", with a question mark where it is not sure."""
    return [event.direction + ("" if event.is_sure else "?") for event in events if isinstance(event, Passed)]


def net(events: Sequence[BeamEvent]) -> int:
    return sum(1 if way.startswith("in") else -1 for way in ways(events))


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("#o ## o#", ["in"]),
        ("o# ## #o", ["out"]),
        ("#o ## o# oo o# ## #o", ["in", "out"]),
        ("#o ## #o", []),  # turned back half way
        ("o# ## o#", []),
        ("#o ## o#:0.3 ##:0.3 #o", []),  # turned back nearly through
        ("#o ## o#:0.3 ##:0.3 #o ## o#", ["in"]),  # and came in after all
        ("#o", []),  # a hand
        ("#o oo o#", []),  # a thin thing carried past: too thin to be somebody
        ("#o ##:5 o#", ["in"]),  # stopped for a chat
        ("#o ## #o ## #o ## o# ## o#", ["in"]),  # an arm that waves
        ("#o ## o# ## #o ## o#", ["in", "in"]),  # a second one hard behind: the gap crosses within 0.3 s
        ("o# ## #o ## o# ## #o", ["out", "out"]),
        ("#o ## o# #o ## o#", ["in", "in"]),  # the gap is exactly as wide as the beams are apart
        ("#o ## o# ## #o ## o# ## #o ## o#", ["in", "in", "in"]),
        ("#o ## o# ## #o", ["in"]),  # the second one turned back
        ("## o#", ["in?"]),  # too quick to be seen alone in the outer beam
        ("#o ##", ["in?"]),
        ("## #o", ["out?"]),
        ("o# ##", ["out?"]),
        ("#o o#", ["in"]),  # the middle was missed: both ends say it all
        ("##", []),
    ],
)
def test_what_people_do_in_a_doorway_is_counted_rightly(story: str, expected: list[str]) -> None:
    assert ways(play(BeamCounter(), walk(story))) == expected


def test_a_passage_that_nobody_could_judge_is_said_to_be_unclear() -> None:
    counter = BeamCounter()
    play(counter, walk("##"))
    assert counter.unclear == 1
    play(counter, walk("#o ## o#"), at_s=200.0)
    assert counter.unclear == 1


def test_whoever_stood_there_when_we_began_is_not_counted() -> None:
    counter = BeamCounter()
    events = play(counter, [(STATES["o#"], 0.2), (STATES["oo"], 0.2)])
    assert events == [] and counter.unclear == 1 and counter.is_free


@pytest.mark.parametrize("story", ["#o:30", "##:30", "#o ##:30 o#"])
def test_somebody_standing_in_the_beams_is_told_once_and_it_recovers(story: str) -> None:
    counter = BeamCounter(blocked_after_s=10.0)
    events = play(counter, [*walk(story), (STATES["oo"], 0.1)])
    kinds = [type(event) for event in events if not isinstance(event, Passed)]
    assert kinds == [BeamsBlocked, BeamsFree]
    assert not counter.is_blocked and counter.is_free
    assert ways(play(counter, walk("#o ## o#"), at_s=200.0)) == ["in"]


def test_whoever_stood_for_long_and_then_came_in_is_counted_but_not_for_sure() -> None:
    assert ways(play(BeamCounter(), walk("#o:30 ## o#"))) == ["in?"]


def test_blocked_says_since_when_and_which_beam() -> None:
    events = play(BeamCounter(blocked_after_s=2.0), [(STATES["oo"], 1.0), (STATES["o#"], 2.5)])
    (blocked,) = events
    assert isinstance(blocked, BeamsBlocked)
    assert blocked.since_s == pytest.approx(101.0) and blocked.beams == ("inner",)


def test_a_queue_that_keeps_moving_is_not_blocked() -> None:
    story = "#o ## o# " + "## #o ## o# " * 60  # 24 s without a free moment
    events = play(BeamCounter(), walk(story))
    assert ways(events) == ["in"] * 61 and len(events) == 61


def test_a_spark_on_the_wire_is_nobody() -> None:
    counter = BeamCounter()
    counter.look(STATES["oo"], 0.0)
    for number in range(1, 200):
        assert counter.look(STATES["##" if number % 2 else "oo"], number * 0.005) == []
    assert counter.look(STATES["oo"], 2.0) == []
    assert counter.unclear == 0


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-1, 1]), st.floats(0.16, 1.5)), max_size=40))
def test_any_walk_that_ends_free_counts_what_truly_went_through(steps: list[tuple[int, float]]) -> None:
    """A position on the round of four states; one whole turn is one person. No step is as quick as a gap."""
    position, trace = 0, [(ROUND[0], 0.2)]
    for step, lasts_s in steps:
        position += step
        trace.append((ROUND[position % 4], lasts_s))
    while position % 4:  # whoever is in the beams goes on inwards
        position += 1
        trace.append((ROUND[position % 4], 0.2))
    trace.append((ROUND[0], 0.2))
    assert net(play(BeamCounter(), trace)) == position // 4


class Body:
    """Somebody of a certain depth, whose front is at `x_cm` of a time; the outer beam is at 0, the inner at 8 cm."""

    def __init__(self, depth_cm: float, path: list[tuple[float, float]]) -> None:
        self.depth_cm = depth_cm
        self.path = path  # (s, cm), in the order of time

    def covers(self, beam_cm: float, at_s: float) -> bool:
        for (from_s, from_cm), (to_s, to_cm) in pairwise(self.path):
            if from_s <= at_s < to_s:
                front_cm = from_cm + (to_cm - from_cm) * (at_s - from_s) / (to_s - from_s)
                return front_cm - self.depth_cm <= beam_cm <= front_cm
        return False


def levels_at(bodies: Sequence[Body], at_s: float) -> Levels:
    return Levels(*(any(body.covers(beam_cm, at_s) for body in bodies) for beam_cm in (0.0, APART_CM)))


def looks(bodies: Sequence[Body], until_s: float, random: Random, longest_look_s: float) -> Iterator[float]:
    """When a worker looks: at some of the edges (the others are lost), and again after 20 ms to `longest_look_s`."""
    steps = [step * 0.002 for step in range(round(until_s / 0.002) + 1)]
    edges = [at_s for before_s, at_s in pairwise(steps) if levels_at(bodies, before_s) != levels_at(bodies, at_s)]
    moments = [at_s for at_s in edges if random.random() < 0.5]
    at_s = random.random() * 0.02
    while at_s < until_s:
        moments.append(at_s)
        at_s += random.uniform(0.02, longest_look_s)
    moments.sort()
    return iter([*moments, until_s, until_s + 0.1])


@settings(max_examples=40, deadline=None)
@given(
    depth_cm=st.floats(20, 45),
    turns_cm=st.lists(st.floats(-10, 70), max_size=5),
    speeds=st.lists(st.floats(0.15, 0.8), min_size=6, max_size=6),
    is_in=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_a_body_that_turns_about_is_counted_where_it_ends_though_edges_are_lost(
    depth_cm: float, turns_cm: list[float], speeds: list[float], is_in: bool, seed: int
) -> None:
    """One body, any number of turns, each with the third of a second that a body needs to turn; half the edges lost."""
    path = [(0.0, -20.0)]
    for target_cm, speed in zip([*turns_cm, 100.0 if is_in else -20.0], speeds, strict=False):
        at_s, from_cm = path[-1]
        path.append((at_s + 0.01 + abs(target_cm - from_cm) / (100 * speed), target_cm))
        path.append((path[-1][0] + 0.35, target_cm))
    body = Body(depth_cm, path)
    counter = BeamCounter()
    events: list[BeamEvent] = []
    for at_s in looks([body], path[-1][0], Random(seed), longest_look_s=0.04):
        events += counter.look(levels_at([body], at_s), at_s)
    assert net(events) == (1 if is_in else 0)
    assert counter.is_free


@settings(max_examples=40, deadline=None)
@given(
    depths_cm=st.lists(st.floats(20, 40), min_size=1, max_size=5),
    gaps_cm=st.lists(st.floats(6, 60), min_size=5, max_size=5),
    speed=st.floats(0.35, 1.0),
    is_in=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_people_close_together_are_each_counted(
    depths_cm: list[float], gaps_cm: list[float], speed: float, is_in: bool, seed: int
) -> None:
    """A file of people with 6 cm and more between them, at a walking pace, looked at every 20 ms."""
    bodies, front_cm = [], -10.0
    for depth_cm, gap_cm in zip(depths_cm, gaps_cm, strict=False):
        way_cm = 150.0 - front_cm  # until wholly past both beams
        bodies.append(Body(depth_cm, [(0.0, front_cm), (way_cm / (100 * speed), 150.0)]))
        front_cm -= depth_cm + gap_cm
    until_s = max(body.path[-1][0] for body in bodies)
    counter = BeamCounter()
    events: list[BeamEvent] = []
    for at_s in looks(bodies, until_s, Random(seed), longest_look_s=0.02):
        outer, inner = levels_at(bodies, at_s)
        events += counter.look(Levels(outer, inner) if is_in else Levels(inner, outer), at_s)
    assert [way.rstrip("?") for way in ways(events)] == ["in" if is_in else "out"] * len(depths_cm)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), max_size=6), st.randoms(use_true_random=False))
def test_fringe_and_sparks_change_no_count(people: list[bool], random: Random) -> None:
    """At each change the beam flickers for up to 15 ms, and at any time a look may catch a spark of up to 15 ms."""
    counter = BeamCounter(settle_s=0.02)
    events: list[BeamEvent] = []
    at_s, before = 0.0, STATES["oo"]
    for is_in in people:
        for _ in range(3):  # free in the beginning
            at_s += LOOK_S
            events += counter.look(before, at_s)
        for levels in (ROUND[1:] if is_in else ROUND[:0:-1]) + [ROUND[0]]:
            for _ in range(random.randrange(4)):
                at_s += random.uniform(0.0005, 0.005)
                events += counter.look(random.choice((levels, before)), at_s)
            for _ in range(4):
                at_s += LOOK_S
                events += counter.look(levels, at_s)
            if random.random() < 0.3:
                at_s += 0.005
                events += counter.look(random.choice(ROUND), at_s)
                at_s += random.uniform(0.001, 0.014)
                events += counter.look(levels, at_s)
            at_s += LOOK_S
            events += counter.look(levels, at_s)
            before = levels
    assert ways(events) == ["in" if is_in else "out" for is_in in people]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ROUND), st.floats(0.001, 12.0)), max_size=60))
def test_after_whatever_happened_a_free_door_is_free_and_the_next_one_is_counted(
    trace: list[tuple[Levels, float]],
) -> None:
    counter = BeamCounter()
    at_s, events = 0.0, []
    for levels, lasts_s in trace:
        events += counter.look(levels, at_s)
        at_s += lasts_s
    events += counter.look(ROUND[0], at_s + 1.0) + counter.look(ROUND[0], at_s + 2.0)
    assert counter.is_free and not counter.is_blocked
    kinds = [type(event) for event in events if not isinstance(event, Passed)]
    assert kinds == [BeamsBlocked, BeamsFree] * (len(kinds) // 2)
    assert [event.direction for event in play(counter, walk("#o ## o#"), at_s + 3.0)] == [Direction.IN]  # type: ignore[union-attr]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 0.2)), max_size=40))
def test_a_press_is_told_once_and_only_when_it_held(trace: list[tuple[bool, float]]) -> None:
    press = Press(0.03)
    at_s, told, held = 0.0, 0, 0
    press.look(is_down=False, at_s=-1.0)
    press.look(is_down=False, at_s=-0.5)
    was_up = True
    merged: list[tuple[bool, float]] = []
    for is_down, lasts_s in trace:
        if merged and merged[-1][0] is is_down:
            merged[-1] = (is_down, merged[-1][1] + lasts_s)
        else:
            merged.append((is_down, lasts_s))
    for is_down, lasts_s in merged:
        for part in range(11):
            told += press.look(is_down=is_down, at_s=at_s + part * lasts_s / 10)
        if lasts_s >= 0.0301:
            held += is_down and was_up
            was_up = not is_down
        at_s += lasts_s + 1e-9
        if 0.0299 <= lasts_s < 0.0301:
            return  # on the edge: either is right
    assert told == held
