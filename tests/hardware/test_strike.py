"""The electric strike: free for a moment, never for longer, and locked on every way out."""

from __future__ import annotations

import logging
import math
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec
import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.clock import ManualClock, Stamp, SystemClock
from hardware.errors import PanelError
from hardware.panel import (
    FakeLine,
    GpioPanel,
    PanelSettings,
    PinClash,
    PulseLimits,
    Signal,
    Strike,
    StrikeBusy,
    StrikeSettings,
)
from hardware.panel.strike import PAUSE_S

STRIKE = StrikeSettings().pin
LIMITS = PulseLimits(shortest_s=0.2, longest_s=10.0)


def let_it_look() -> None:
    """Time for the strike's thread to do what it must not do. Too short a time hides a fault, it never makes one."""
    threading.Event().wait(0.05)


def wait_until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to pass"
        threading.Event().wait(0.002)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def line(clock: ManualClock) -> FakeLine:
    return FakeLine(clock)


@pytest.fixture
def strike(line: FakeLine, clock: ManualClock) -> Iterator[Strike]:
    strike = Strike(line, LIMITS, clock)
    yield strike
    strike.close()


def test_a_release_frees_the_latch_at_once_and_locks_it_after_the_hold(
    strike: Strike, line: FakeLine, clock: ManualClock
) -> None:
    began_s = clock.monotonic()
    strike.release(3.0)
    assert line.is_on and strike.is_released
    clock.advance(2.9)
    threading.Event().wait(0.06)  # three looks at the clock
    assert line.is_on
    clock.advance(0.1)
    wait_until(lambda: not line.is_on)
    assert not strike.is_released
    assert line.changes == [(began_s, True), (pytest.approx(began_s + 3.0), False)]


def test_a_second_release_while_one_runs_is_told_to_wait(strike: Strike, line: FakeLine, clock: ManualClock) -> None:
    strike.release(3.0)
    with pytest.raises(StrikeBusy, match=r"3\.0 s more") as busy:
        strike.release(3.0)
    assert isinstance(busy.value, PanelError) and isinstance(busy.value, BlockingIOError)
    clock.advance(3.0)
    wait_until(lambda: not line.is_on)
    strike.release(1.0)
    assert line.is_on


@pytest.mark.parametrize(("asked_s", "held_s"), [(-5.0, 0.2), (0.0, 0.2), (3.0, 3.0), (60.0, 10.0), (math.inf, 10.0)])
def test_a_hold_is_clamped(asked_s: float, held_s: float, strike: Strike, line: FakeLine, clock: ManualClock) -> None:
    strike.release(asked_s)
    clock.advance(held_s - 0.01)
    let_it_look()
    assert line.is_on
    clock.advance(0.02)
    wait_until(lambda: not line.is_on)


def test_a_hold_that_is_no_number_releases_nothing(strike: Strike, line: FakeLine) -> None:
    with pytest.raises(ValueError, match="not a number"):
        strike.release(math.nan)
    assert line.changes == []


def test_of_many_who_release_at_once_one_gets_the_pulse(strike: Strike, line: FakeLine) -> None:
    busy: list[StrikeBusy] = []
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        try:
            strike.release(3.0)
        except StrikeBusy as error:
            busy.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(busy) == 7
    assert [is_on for _, is_on in line.changes] == [True]


def test_the_next_guest_prolongs_the_pulse(strike: Strike, line: FakeLine, clock: ManualClock) -> None:
    began_s = clock.monotonic()
    strike.prolong(3.0)
    clock.advance(2.0)
    strike.prolong(3.0)
    clock.advance(2.9)
    let_it_look()
    assert line.is_on
    clock.advance(0.1)
    wait_until(lambda: not line.is_on)
    assert line.changes == [(began_s, True), (pytest.approx(began_s + 5.0), False)]
    strike.prolong(3.0)  # whoever comes later has a pulse of their own
    assert line.is_on


def queue_until(strike: Strike, clock: ManualClock, last_s: float) -> float:
    """A queue of guests whose last one comes `last_s` after the first. Returns when the latch was freed."""
    began_s = clock.monotonic()
    strike.prolong(3.0)
    for _ in range(int(last_s // 2)):
        clock.advance(2.0)
        strike.prolong(3.0)
    clock.advance(began_s + last_s - clock.monotonic())
    strike.prolong(3.0)
    return began_s


def test_who_comes_just_before_the_longest_gets_their_hold_after_a_pause(
    strike: Strike, line: FakeLine, clock: ManualClock
) -> None:
    began_s = queue_until(strike, clock, 9.9)
    clock.advance(0.1)
    wait_until(lambda: not line.is_on)
    clock.advance(PAUSE_S - 0.01)
    let_it_look()
    assert not line.is_on and not strike.is_released
    clock.advance(0.01)
    wait_until(lambda: line.is_on)
    assert strike.is_released
    clock.advance(2.9)
    wait_until(lambda: not line.is_on)
    clock.advance(10.0)
    let_it_look()
    times_s = [began_s, began_s + 10.0, began_s + 10.0 + PAUSE_S, began_s + 10.0 + PAUSE_S + 2.9]
    assert line.changes == [(pytest.approx(at_s), n % 2 == 0) for n, at_s in enumerate(times_s)]


def test_what_a_hold_lacks_is_never_too_short_to_move_the_latch(
    strike: Strike, line: FakeLine, clock: ManualClock
) -> None:
    began_s = queue_until(strike, clock, 7.05)
    clock.advance(2.95)
    wait_until(lambda: not line.is_on)
    clock.advance(PAUSE_S)
    wait_until(lambda: line.is_on)
    clock.advance(0.19)
    let_it_look()
    assert line.is_on
    clock.advance(0.01)
    wait_until(lambda: not line.is_on)
    assert line.changes[-1][0] == pytest.approx(began_s + 10.0 + PAUSE_S + LIMITS.shortest_s)


def test_who_comes_in_the_pause_waits_for_its_end_and_has_the_whole_hold(
    strike: Strike, line: FakeLine, clock: ManualClock
) -> None:
    began_s = queue_until(strike, clock, 8.0)
    clock.advance(2.0)
    wait_until(lambda: not line.is_on)
    clock.advance(PAUSE_S / 2)
    strike.prolong(3.0)
    assert not line.is_on
    with pytest.raises(StrikeBusy, match="an earlier release runs"):
        strike.release(3.0)
    clock.advance(PAUSE_S / 2)
    wait_until(lambda: line.is_on)
    clock.advance(2.9)
    let_it_look()
    assert line.is_on
    clock.advance(0.1)
    wait_until(lambda: not line.is_on)
    assert line.changes[-1][0] == pytest.approx(began_s + 10.0 + PAUSE_S + 3.0)


def test_closing_in_the_pause_locks_for_good(strike: Strike, line: FakeLine, clock: ManualClock) -> None:
    queue_until(strike, clock, 9.0)
    clock.advance(1.0)
    wait_until(lambda: not line.is_on)
    strike.close()
    clock.advance(5.0)
    let_it_look()
    assert not line.is_on and line.is_closed


def test_a_line_stuck_at_the_longest_is_tried_until_it_locks_and_is_not_freed_again(
    strike: Strike, line: FakeLine, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    queue_until(strike, clock, 9.0)
    line.fails_off = 3
    clock.advance(1.0)
    wait_until(lambda: not line.is_on)
    wait_until(lambda: not strike.is_released)
    clock.advance(5.0)
    let_it_look()
    assert not line.is_on and line.fails_off == 0
    assert "event=strike-stuck" in caplog.text
    strike.release(1.0)
    assert line.is_on


def test_a_line_that_cannot_be_freed_after_the_pause_ends_locked_and_is_told(
    strike: Strike, line: FakeLine, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    queue_until(strike, clock, 9.0)
    clock.advance(1.0)
    wait_until(lambda: not line.is_on)
    line.fails_on = 1
    clock.advance(PAUSE_S)
    wait_until(lambda: "worker=strike event=failed" in caplog.text)
    assert not line.is_on and not strike.is_released
    strike.release(1.0)
    assert line.is_on


STEP_S = 0.25


class SteppedClock(ManualClock):
    """Lets a step pass and waits until the strike has looked at it, twice: one look may have begun before."""

    def __init__(self) -> None:
        super().__init__()
        self._looks = 0

    def monotonic(self) -> float:
        if threading.current_thread().name == "strike":
            self._looks += 1
        return super().monotonic()

    def step(self, strike: Strike) -> None:
        self.advance(STEP_S)
        enough = self._looks + 2
        wait_until(lambda: self._looks >= enough or not strike.is_running)


def test_guests_who_race_each_get_their_hold_and_the_latch_is_never_free_for_longer_than_the_limit() -> None:
    clock = SteppedClock()
    line, limits = FakeLine(clock), PulseLimits(shortest_s=0.2, longest_s=4.0)
    strike = Strike(line, limits, clock)
    rng = random.Random(5)
    greens: list[tuple[float, float]] = []
    with ThreadPoolExecutor(3) as doors:
        for _ in range(100):
            holds = [rng.uniform(0.5, 2.5) for _ in range(3) if rng.random() < 0.3]
            list(doors.map(strike.prolong, holds))
            greens += [(clock.monotonic(), hold_s) for hold_s in holds]
            clock.step(strike)
    while strike.is_running:
        clock.step(strike)
    strike.close()
    ons, offs = ([at_s for at_s, is_on in line.changes if is_on is wanted] for wanted in (True, False))
    pieces = list(zip(ons, offs, strict=True))
    assert len(pieces) > 4 and max(off - on for on, off in pieces) <= limits.longest_s + STEP_S
    for at_s, hold_s in greens:  # in two parts, or late by the pause, but not less than promised
        end_s = at_s + hold_s + PAUSE_S + 2 * STEP_S
        assert sum(max(0.0, min(off, end_s) - max(on, at_s)) for on, off in pieces) >= hold_s - STEP_S


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(-1, 20), st.floats(0, 6)), max_size=12))
def test_whatever_is_asked_the_latch_locks_at_the_limit_and_in_the_end(asked: list[tuple[bool, float, float]]) -> None:
    clock = ManualClock()
    line = FakeLine(clock)
    strike = Strike(line, LIMITS, clock)
    try:
        for is_patient, hold_s, then_s in asked:
            with suppress(StrikeBusy):
                (strike.prolong if is_patient else strike.release)(hold_s)
            assert strike.is_running or not is_patient
            changes = len(line.changes)
            since_s, is_on = line.changes[-1]
            clock.advance(then_s)
            if is_on and clock.monotonic() - since_s >= LIMITS.longest_s:
                wait_until(lambda changes=changes: len(line.changes) > changes)
        clock.advance(LIMITS.longest_s)
        wait_until(lambda: not line.is_on)
        clock.advance(PAUSE_S)
        let_it_look()
        clock.advance(LIMITS.longest_s)
        wait_until(lambda: not strike.is_running)
    finally:
        strike.close()
    assert not line.is_on


def test_closing_in_the_middle_of_a_pulse_locks(strike: Strike, line: FakeLine) -> None:
    strike.release(10.0)
    strike.close()
    assert not line.is_on and line.is_closed
    strike.close()
    with pytest.raises(PanelError, match="closed"):
        strike.release(1.0)
    assert not line.is_on


def test_a_release_that_fails_half_way_locks_and_says_what_to_look_at(strike: Strike, line: FakeLine) -> None:
    line.fails_on = 1
    with pytest.raises(PanelError, match=r"does not answer.*relay"):
        strike.release(3.0)
    assert not line.is_on and not strike.is_released
    strike.release(3.0)
    assert line.is_on


class BreakingClock(ManualClock):
    """Breaks once it is told to; the waiting thread is the first who notices."""

    is_broken = False

    def monotonic(self) -> float:
        if self.is_broken and threading.current_thread().name == "strike":
            raise ZeroDivisionError
        return super().monotonic()


def test_the_latch_locks_when_the_waiting_thread_dies(caplog: pytest.LogCaptureFixture) -> None:
    clock = BreakingClock()
    line = FakeLine(ManualClock())
    strike = Strike(line, LIMITS, clock)
    with caplog.at_level(logging.ERROR):
        strike.release(10.0)
        clock.is_broken = True
        wait_until(lambda: not line.is_on)
        wait_until(lambda: "worker=strike event=failed" in caplog.text)
    assert not strike.is_released
    strike.close()


def test_a_line_that_will_not_go_low_is_tried_until_it_does(
    strike: Strike, line: FakeLine, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    strike.release(1.0)
    line.fails_off = 4
    clock.advance(1.0)
    wait_until(lambda: not line.is_on)
    assert line.fails_off == 0
    wait_until(lambda: not strike.is_released)
    assert caplog.text.count("event=strike-stuck") == 1


def test_a_failed_release_that_cannot_be_undone_is_still_undone_later(strike: Strike, line: FakeLine) -> None:
    line.fails_on, line.fails_off = 1, 3
    with pytest.raises(PanelError):
        strike.release(3.0)
    wait_until(lambda: not line.is_on)
    wait_until(lambda: not strike.is_released)


def test_a_program_that_ends_in_the_middle_of_a_pulse_locks_first() -> None:
    program = """
from hardware.clock import SystemClock
from hardware.panel.strike import PulseLimits, Strike

class Line:
    def on(self): print("on", flush=True)
    def off(self): print("off", flush=True)
    def close(self): print("closed", flush=True)

Strike(Line(), PulseLimits(), SystemClock()).release(10.0)
raise ZeroDivisionError
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout.split()[0] == "on"
    assert done.stdout.split()[-2:] == ["off", "closed"]
    assert "ZeroDivisionError" in done.stderr


class FastClock:
    """The machine's monotonic clock, ten times as fast."""

    def monotonic(self) -> float:
        return 10 * time.monotonic()

    def stamp(self) -> Stamp:
        return SystemClock().stamp()


@pytest.mark.parametrize("high", [True, False])
def test_green_frees_the_strike_and_red_and_amber_do_not(*, high: bool) -> None:
    factory = MockFactory()
    panel_settings = PanelSettings(strike=StrikeSettings(active_high=high, hold_s=2.0))
    with GpioPanel(panel_settings, factory, FastClock()) as panel:
        pin = factory.pin(STRIKE)
        assert pin.function == "output" and pin.state is not high
        for signal in (Signal.REFUSED, Signal.ATTENTION, Signal.IDLE):
            panel.show(signal)
            assert pin.state is not high
        panel.show(Signal.ADMITTED)
        assert pin.state is high
        panel.show(Signal.REFUSED)  # of the next in the queue
        assert pin.state is high
        panel.show(Signal.ADMITTED)  # two guests close together: no error, the latch stays free
        wait_until(lambda: pin.state is not high)
        panel.release()
        assert pin.state is high
    assert pin.state is not high
    assert pin.function == "input"


def test_a_green_with_a_note_frees_the_strike_too() -> None:
    factory = MockFactory()
    with GpioPanel(PanelSettings(strike=StrikeSettings()), factory) as panel:
        panel.show(Signal.NOTED)
        assert factory.pin(STRIKE).state


def test_a_pin_is_low_from_the_first_moment_it_is_an_output() -> None:
    factory = MockFactory()
    pin = factory.pin(STRIKE)
    pin.clear_states()
    with GpioPanel(PanelSettings(strike=StrikeSettings()), factory):
        assert not any(state.state for state in pin.states)


def test_a_door_that_breaks_while_the_latch_is_free_leaves_it_locked() -> None:
    factory = MockFactory()

    def door() -> None:
        with GpioPanel(PanelSettings(strike=StrikeSettings()), factory) as panel:
            panel.show(Signal.ADMITTED)
            assert factory.pin(STRIKE).state
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        door()
    assert not factory.pin(STRIKE).state
    assert not [thread for thread in threading.enumerate() if thread.name == "strike"]


def test_without_a_strike_a_release_says_so() -> None:
    with GpioPanel(PanelSettings(), MockFactory()) as panel, pytest.raises(PanelError, match="no strike"):
        panel.release()


def test_the_strikes_pin_is_nobody_elses() -> None:
    with pytest.raises(PinClash, match=r"pin 17 is given to both light\.green and strike\.pin"):
        PanelSettings(strike=StrikeSettings(pin=17))


def test_a_hold_longer_than_the_longest_is_refused_when_read() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"hold_s 12.*longest_s 10"):
        msgspec.convert({"pin": 18, "hold_s": 12.0}, StrikeSettings)
