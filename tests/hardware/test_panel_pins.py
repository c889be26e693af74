"""The panel, pin by pin and over time, on gpiozero's mock pins."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from gpiozero import LED
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st

from hardware.errors import PanelError
from hardware.panel import (
    PATTERNS,
    Bar,
    Digits,
    GpioPanel,
    PanelSettings,
    PinClash,
    RgbLight,
    Signal,
    TwoLights,
    lasts_s,
    open_panel,
)
from hardware.panel.counter import lights_lit
from hardware.panel.gpio import pin_factory

GREEN, RED, BLUE, BUZZER = 17, 27, 22, 24
LIGHTS = {"two lights": TwoLights(), "rgb": RgbLight()}
GREEN_BLINK = [(0.0, False), (0.0, True), (1.5, False)]
RED_BLINK = [(0.0, False), (0.0, True), *((0.125, n % 2 == 1) for n in range(15))]
NOTED_GREEN = [(0.0, False), (0.0, True), (2.5, False)]
NOTED_RED = [(0.0, False), (0.5, True), (0.2, False), (0.4, True), (0.2, False), (0.4, True), (0.2, False)]
SLOW_BLINK = [(0.0, False), (0.0, True), (0.5, False), (0.5, True), (0.5, False)]
SEGMENTS, PLACES = Digits().segments, Digits().digits
SEGMENTS_OF = {"0": "abcdef", "1": "bc", "2": "abdeg", "5": "acdfg", "7": "abc", "9": "abcdfg", "-": "g", " ": ""}


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory()


def wait_until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to pass"
        threading.Event().wait(0.005)


def run(panel: GpioPanel, factory: MockFactory, signal: Signal, pins: list[int]) -> None:
    for pin in pins:
        factory.pin(pin).clear_states()
    panel.show(signal)
    wait_until(lambda: panel.showing is Signal.IDLE)
    wait_until(lambda: not any(factory.pin(pin).state for pin in pins), limit_s=0.5)


def assert_rhythm(factory: MockFactory, pin: int, expected: list[tuple[float, bool]]) -> None:
    """Every change of the pin, no more and no fewer, each within 100 ms of its time."""
    seen = factory.pin(pin).states
    assert [state.state for state in seen] == [level for _, level in expected]
    for state, (after_s, _) in zip(seen[1:], expected[1:], strict=True):
        assert state.timestamp == pytest.approx(after_s, abs=0.1)


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
@pytest.mark.parametrize(
    ("signal", "green", "red", "beeps"),
    [
        (Signal.ADMITTED, GREEN_BLINK, [(0.0, False)], [(0.0, False), (0.0, True), (0.12, False)]),
        (
            Signal.NOTED,
            NOTED_GREEN,
            NOTED_RED,
            [(0.0, False), (0.0, True), *((0.12, n % 2 == 1) for n in range(3))],
        ),
        (
            Signal.REFUSED,
            [(0.0, False)],
            RED_BLINK,
            [(0.0, False), (0.0, True), *((0.15, n % 2 == 1) for n in range(5))],
        ),
        (Signal.ATTENTION, SLOW_BLINK, SLOW_BLINK, [(0.0, False), (0.0, True), (0.8, False)]),
        (
            Signal.TEST,
            [(0.0, False), (0.0, True), *((0.7 if n % 2 else 0.3, n % 2 == 1) for n in range(5))],
            [(0.0, False), (0.5, True), *((0.7 if n % 2 else 0.3, n % 2 == 1) for n in range(5))],
            [(0.0, False), (0.0, True), *((0.95 if n % 2 else 0.05, n % 2 == 1) for n in range(5))],
        ),
    ],
)
def test_each_signal_has_its_own_rhythm_and_sound_and_ends_by_itself(
    factory: MockFactory, light: Any, signal: Signal, green: Any, red: Any, beeps: Any
) -> None:
    with GpioPanel(PanelSettings(light=light), factory) as panel:
        run(panel, factory, signal, [GREEN, RED, BUZZER])
        assert_rhythm(factory, GREEN, green)
        assert_rhythm(factory, RED, red)
        assert_rhythm(factory, BUZZER, beeps)
        if isinstance(light, RgbLight):
            assert factory.pin(BLUE).function == "output"
            assert [state.state for state in factory.pin(BLUE).states] == [False]


def test_signals_differ_in_rhythm_and_in_sound_not_in_colour_alone() -> None:
    rhythms = {frozenset((pattern.green, pattern.red)) for pattern in PATTERNS.values()}  # whichever lamp it is
    assert len(rhythms) == len(PATTERNS)
    assert len({pattern.beeps for pattern in PATTERNS.values()}) == len(PATTERNS)


def test_out_of_order_is_amber_and_silent_until_something_else_is_shown() -> None:
    factory = pin_factory("mock")
    with GpioPanel(PanelSettings(pins="mock"), factory) as panel:
        panel.show(Signal.OUT_OF_ORDER)
        assert factory.pin(GREEN).state and factory.pin(RED).state
        assert panel.showing is Signal.OUT_OF_ORDER
        assert lasts_s(Signal.OUT_OF_ORDER) == math.inf
        panel.show(Signal.IDLE)
        assert (factory.pin(GREEN).state, factory.pin(RED).state, panel.showing) == (False, False, Signal.IDLE)
        assert [state.state for state in factory.pin(BUZZER).states] == [False]


def test_a_new_signal_replaces_the_running_one_at_once(factory: MockFactory) -> None:
    with GpioPanel(PanelSettings(), factory) as panel:
        panel.show(Signal.REFUSED)
        wait_until(lambda: bool(factory.pin(RED).state))
        panel.show(Signal.ADMITTED)
        assert (factory.pin(GREEN).state, factory.pin(RED).state) == (True, False)
        factory.pin(RED).clear_states()
        wait_until(lambda: panel.showing is Signal.IDLE)
        assert [state.state for state in factory.pin(RED).states] == [False]


def test_idle_ends_a_signal_at_once(factory: MockFactory) -> None:
    with GpioPanel(PanelSettings(), factory) as panel:
        panel.show(Signal.ATTENTION)
        assert all(factory.pin(pin).state for pin in (GREEN, RED, BUZZER))
        panel.show(Signal.IDLE)
        assert [factory.pin(pin).state for pin in (GREEN, RED, BUZZER)] == [False] * 3
        assert panel.showing is Signal.IDLE


def test_a_signal_is_on_the_pins_when_show_returns_and_no_thread_was_made_for_it(factory: MockFactory) -> None:
    with GpioPanel(PanelSettings(), factory) as panel:
        threads = threading.enumerate()
        for signal in (Signal.ADMITTED, Signal.REFUSED, Signal.ATTENTION, Signal.ADMITTED):
            panel.show(Signal.IDLE)
            for pin in (GREEN, RED, BUZZER):
                factory.pin(pin).clear_states()
            panel.show(signal)
            was_lit = [any(state.state for state in factory.pin(pin).states) for pin in (GREEN, RED, BUZZER)]
            assert was_lit == [signal is not Signal.REFUSED, signal is not Signal.ADMITTED, True]
            assert threading.enumerate() == threads


def test_showing_a_signal_never_holds_up_the_door(factory: MockFactory) -> None:
    with GpioPanel(PanelSettings(counter=Digits()), factory) as panel:
        panel.count(1, 50)
        began_s = time.monotonic()
        for signal in (Signal.REFUSED, Signal.ATTENTION, Signal.ADMITTED):
            panel.show(signal)
        assert time.monotonic() - began_s < 0.25


@pytest.mark.parametrize("high", [True, False])
def test_closing_leaves_every_pin_off_in_the_middle_of_a_signal(factory: MockFactory, *, high: bool) -> None:
    settings = PanelSettings(
        light=RgbLight(active_high=high),
        buzzer_active_high=high,
        counter=Digits(segments_active_high=high, digits_active_high=high),
    )
    pins = [factory.pin(pin) for pin, _ in settings.uses()]
    levels: dict[int, bool] = {}
    threads_before = threading.active_count()
    panel = GpioPanel(settings, factory)

    def door_that_breaks() -> None:
        with panel:
            panel.count(50, 50)
            panel.show(Signal.ATTENTION)
            assert factory.pin(BUZZER).state is high
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        door_that_breaks()
    for number, pin in enumerate(pins):
        levels[number] = pin.state
        assert pin.function == "input"
    assert set(levels.values()) == {not high}
    assert threading.active_count() == threads_before
    panel.close()  # twice is once
    with pytest.raises(PanelError, match="closed"):
        panel.show(Signal.ADMITTED)


def test_a_panel_that_cannot_be_opened_wholly_gives_back_what_it_had(factory: MockFactory) -> None:
    with LED(BUZZER, pin_factory=factory), pytest.raises(PanelError, match=f"GPIO{BUZZER}.*group gpio"):
        GpioPanel(PanelSettings(), factory)
    with LED(GREEN, pin_factory=factory) as led:  # free again
        led.on()


def test_without_a_buzzer_the_light_still_tells(factory: MockFactory) -> None:
    with GpioPanel(PanelSettings(buzzer=None), factory) as panel:
        panel.show(Signal.ADMITTED)
        assert factory.pin(GREEN).state
    assert factory.pin(BUZZER).function == "input"


def digits_seen(factory: MockFactory, seconds: float = 0.2, places: tuple[int, ...] = PLACES) -> set[str]:
    """What each place shows while watched, as "<place>:<lit segments>"; the multiplexer goes round in 8 ms."""
    seen: set[str] = set()
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        before = [factory.pin(pin).state for pin in places]
        lit = "".join(letter for pin, letter in zip(SEGMENTS, "abcdefg", strict=True) if factory.pin(pin).state)
        if any(before) and before == [factory.pin(pin).state for pin in places]:
            seen |= {f"{place}:{lit}" for place, on in enumerate(before) if on}
        threading.Event().wait(0.001)
    return seen


@pytest.mark.parametrize(
    ("inside", "shown"), [(None, "--"), (7, " 7"), (12, "12"), (55, "55"), (120, "99"), (-1, " 0")]
)
def test_the_digits_show_who_is_inside(factory: MockFactory, inside: int | None, shown: str) -> None:
    with GpioPanel(PanelSettings(counter=Digits()), factory) as panel:
        if inside is not None:
            panel.count(inside, 500)
        seen = digits_seen(factory)
        for place, character in enumerate(shown):
            lit = SEGMENTS_OF[character]
            assert (f"{place}:{lit}" in seen) is bool(lit), (character, seen)


def test_one_digit_and_three_digits_count_too(factory: MockFactory) -> None:
    with GpioPanel(PanelSettings(counter=Digits(digits=(23,))), factory) as panel:
        panel.count(12, 50)
        assert digits_seen(factory, places=(23,)) == {f"0:{SEGMENTS_OF['9']}"}
    factory = MockFactory()
    with GpioPanel(PanelSettings(counter=Digits(digits=(23, 4, 19))), factory) as panel:
        panel.count(125, 500)
        wanted = {f"{place}:{SEGMENTS_OF[character]}" for place, character in enumerate("125")}
        assert wanted <= digits_seen(factory, places=(23, 4, 19))


def test_a_full_room_blinks_and_one_guest_leaving_ends_that(factory: MockFactory) -> None:
    def is_lit() -> bool:
        return any(factory.pin(pin).state for pin in PLACES)

    with GpioPanel(PanelSettings(counter=Digits()), factory) as panel:
        panel.count(50, 50)
        for lit in (True, False, True, False):
            wait_until(lambda lit=lit: is_lit() is lit, limit_s=1.0)
        panel.count(49, 50)
        assert {f"1:{SEGMENTS_OF['9']}"} <= digits_seen(factory, seconds=0.7)
        assert is_lit()


@pytest.mark.parametrize(
    ("inside", "capacity", "lit"),
    [(0, 50, 0), (1, 50, 1), (30, 50, 3), (49, 50, 4), (50, 50, 5), (51, 50, 5), (9, 0, 0)],
)
def test_the_last_light_of_the_bar_shines_only_when_the_room_is_full(
    factory: MockFactory, inside: int, capacity: int, lit: int
) -> None:
    with GpioPanel(PanelSettings(counter=Bar()), factory) as panel:
        assert not any(factory.pin(pin).state for pin in Bar().pins)
        panel.count(inside, capacity)
        assert [factory.pin(pin).state for pin in Bar().pins] == [True] * lit + [False] * (5 - lit)
    assert not any(factory.pin(pin).state for pin in Bar().pins)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 10))
def test_the_bar_never_goes_down_when_somebody_comes_in(inside: int, capacity: int, lights: int) -> None:
    now, before = lights_lit(inside, capacity, lights), lights_lit(inside - 1, capacity, lights)
    assert 0 <= before <= now <= lights
    assert (now == lights) is (inside >= capacity)


def test_a_pin_given_twice_is_refused_naming_both_uses() -> None:
    with pytest.raises(PinClash, match=r"pin 17 is given to both light\.green and buzzer"):
        PanelSettings(buzzer=17)
    with pytest.raises(PanelError, match=r"pin 5 is given to both counter\.segments a and counter\.digits 2"):
        PanelSettings(counter=Digits(digits=(23, 5)))


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
@pytest.mark.parametrize("counter", [Digits(), Bar(), None])
def test_the_default_pins_of_every_part_go_together_and_leave_the_buses_free(light: Any, counter: Any) -> None:
    used = {pin for pin, _ in PanelSettings(light=light, counter=counter).uses()}
    assert not used & {2, 3, 7, 8, 9, 10, 11, 14, 15, 18, 19, 20, 21}


def test_without_lgpio_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)  # what Python does for a module that cannot be imported
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    with pytest.raises(PanelError, match=r"python3-lgpio.*group gpio.*gpioinfo.*LG_WD"):
        pin_factory("lgpio")


def test_the_mock_panel_of_a_laptop_opens_from_settings_alone() -> None:
    with open_panel(PanelSettings(pins="mock", counter=Digits())) as panel:
        panel.show(Signal.ADMITTED)
        assert panel.showing is Signal.ADMITTED
        assert lasts_s(Signal.ADMITTED) == 1.5
