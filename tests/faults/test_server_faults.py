"""What faults of servers and of the network cost viewers and the recording. Figures: pytest tests/faults -s."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
from evening import SMALL, Evening, back_s, gap_s
from waiting import last_for, until

from stream.health import Health

pytestmark = pytest.mark.slow
Begin = Callable[..., Evening]


def comes_back(evening: Evening, name: str, since_s: float, limit_s: float) -> None:
    """The viewer sees the camera again; nothing is lost in the recording, and the gap is no longer than that."""
    evening.until_seen_on()
    seen = evening.viewer.seen
    (film,) = evening.recorded()
    gap = gap_s(seen, since_s)
    print(f"{name}: viewers' gap {gap:.1f} s (limit {limit_s:g}), lost {film.lost} of {len(film.numbers)} recorded")
    assert film.lost == 0
    assert gap <= limit_s
    assert back_s(seen) <= SMALL.keyframe_s


@pytest.mark.parametrize(("down_s", "limit_s"), [(5, 7.5), (30, 33)])
def test_a_killed_server_costs_viewers_little_more_than_its_absence(
    begin: Begin, down_s: float, limit_s: float
) -> None:
    evening = begin()
    fault_s = time.monotonic()
    evening.server.send(signal.SIGKILL)
    last_for(down_s)
    evening.server.start()
    comes_back(evening, f"server killed for {down_s} s", fault_s, limit_s)


def test_a_frozen_server_costs_viewers_little_more_than_its_freeze(begin: Begin) -> None:
    evening = begin()
    fault_s = time.monotonic()
    evening.server.send(signal.SIGSTOP)
    said_s = until(lambda: evening.leg("hall").state is not Health.LIVE, 15, "it is said")
    last_for(fault_s + 40 - time.monotonic())
    evening.server.send(signal.SIGCONT)
    print(f"server frozen: said after {said_s:.1f} s")
    comes_back(evening, "server frozen for 40 s", fault_s, 42)


def test_a_network_that_swallows_everything_costs_viewers_little_more_than_that_time(begin: Begin) -> None:
    evening = begin()
    fault_s = time.monotonic()
    evening.network.cut()
    until(lambda: evening.leg("hall").state is not Health.LIVE, 8, "it is said")
    last_for(fault_s + 20 - time.monotonic())
    evening.network.mend()
    comes_back(evening, "network dropped for 20 s", fault_s, 27)


def test_servers_that_refuse_or_are_not_there_are_said_and_cost_nobody_else_anything(begin: Begin) -> None:
    begun_s = time.monotonic()
    evening = begin("hall", "closed", "asks", "dead-host", "no-name")
    pictures_s = evening.said_at_s("recording", Health.LIVE, begun_s)
    said_s = {}
    for name in ("closed", "asks"):
        until(lambda name=name: evening.leg(name).state is Health.REFUSED, 10, f"{name} is refused")
        said_s[name] = round(evening.said_at_s(name, Health.REFUSED, pictures_s) - pictures_s, 1)
        assert "check the stream key" in evening.leg(name).cause
    for name, words in (("dead-host", "does not answer"), ("no-name", "name is not found")):
        until(lambda n=name, w=words: w in evening.leg(n).cause, 30, f"{name} says why")
        assert evening.leg(name).state in (Health.LOST, Health.CONNECTING)
    retry_in_s = evening.leg("closed").retry_in_s
    (film,) = evening.recorded()
    first = evening.camera.first_numbers[0]
    print(f"refused: said {said_s} s after the first picture (limit 5), then still {retry_in_s:.0f} s to the next try")
    print(f"no host, no name: recorded from {film.numbers[0]} of {first} on, lost {film.lost} of {len(film.numbers)}")
    assert film.numbers[0] == first
    assert max(said_s.values()) <= 5
    assert retry_in_s is not None and retry_in_s > 10
    assert film.lost == 0
