"""An alarm comes on and goes away with patience."""

from __future__ import annotations

import math

from stream.alarms import Latch
from stream.liveness import fault_alarms


def test_a_trouble_shorter_than_the_patience_is_no_alarm() -> None:
    latch = Latch(on_after_s=2.0, off_after_s=1.0)
    assert not latch.look(0.0, is_bad=True)
    assert not latch.look(1.9, is_bad=True)
    assert not latch.look(1.95, is_bad=False)
    assert not latch.look(2.5, is_bad=True)


def test_an_alarm_comes_when_it_stays_bad_and_goes_when_it_stays_good() -> None:
    latch = Latch(on_after_s=2.0, off_after_s=1.0)
    latch.look(0.0, is_bad=True)
    assert latch.look(2.0, is_bad=True)
    assert latch.look(2.1, is_bad=False)
    assert latch.look(2.6, is_bad=True), "good for half a second is not over"
    assert latch.look(3.0, is_bad=False)
    assert not latch.look(4.0, is_bad=False)


def test_without_patience_it_follows_at_once() -> None:
    latch = Latch(on_after_s=0.0, off_after_s=0.0)
    assert latch.look(0.0, is_bad=True)
    assert not latch.look(0.0, is_bad=False)


def test_a_reset_forgets_an_alarm() -> None:
    latch = Latch(on_after_s=0.0, off_after_s=5.0)
    latch.look(0.0, is_bad=True)
    latch.reset()
    assert not latch.look(1.0, is_bad=False)


class Part:
    """A part of the program whose thread is well, or failed."""

    def __init__(self, quiet_s: float) -> None:
        self.quiet_s = quiet_s


def test_a_part_that_ended_by_a_fault_is_an_alarm_though_it_has_no_state_of_its_own() -> None:
    assert fault_alarms([Part(0.0), Part(14.0)]) == ()
    (alarm,) = fault_alarms([Part(0.0), Part(math.inf), Part(math.inf)])
    assert alarm.code == "fault"
    assert "start the stream process again" in alarm.action
