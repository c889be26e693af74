"""The doorway on gpiozero's mock pins: edges that come, edges that do not, and a worker that looks anyway."""

from __future__ import annotations

import threading
import time

import msgspec
import pytest
from gpiozero import LED
from gpiozero.pins.mock import MockFactory, MockPin

from hardware.clock import Stamp, SystemClock
from hardware.errors import PassageError
from hardware.panel import Digits, Oled, PanelSettings, StrikeSettings
from hardware.passage import (
    BeamPair,
    BeamsBlocked,
    BeamsFree,
    Direction,
    ExitButton,
    ExitPressed,
    FakePassages,
    GpioPassages,
    PassageSettings,
    Passed,
    open_passages,
)
from hardware.pins import PinClash, refuse_clashes

BUTTON, OUTER, INNER = 19, 20, 21
BOTH = PassageSettings(beams=BeamPair(), exit_button=ExitButton())


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory()


class SteppingClock:
    """Goes on by 20 ms at each look, however busy this machine is."""

    def __init__(self) -> None:
        self.looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return 100.0 + 0.02 * self.looks

    def stamp(self) -> Stamp:
        return SystemClock().stamp()


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


def hold(clock: SteppingClock, pin: MockPin | None = None, *, high: bool = True, is_edge_lost: bool = False) -> None:
    """Give the pin a level, if any, and wait until it was looked at often enough to count."""
    if pin is not None and is_edge_lost:
        pin._change_state(high)
    elif pin is not None and high:
        pin.drive_high()
    elif pin is not None:
        pin.drive_low()
    wanted, deadline_s = clock.looks + 4, time.monotonic() + 5.0
    while clock.looks < wanted:
        assert time.monotonic() < deadline_s, "nobody looks"
        threading.Event().wait(0.002)


@pytest.mark.parametrize(
    ("direction", "blocked_is", "is_edge_lost"),
    [(Direction.IN, "low", False), (Direction.OUT, "low", True), (Direction.IN, "high", True)],
)
def test_somebody_who_walks_through_is_counted_with_and_without_edges(
    factory: MockFactory, clock: SteppingClock, direction: Direction, blocked_is: str, is_edge_lost: bool
) -> None:
    blocked = blocked_is == "high"
    beams = msgspec.convert({"blocked_is": blocked_is}, BeamPair)
    first, second = (factory.pin(pin) for pin in ((OUTER, INNER) if direction is Direction.IN else (INNER, OUTER)))
    with GpioPassages(PassageSettings(beams=beams), factory, clock) as passages:
        hold(clock, first, high=not blocked, is_edge_lost=is_edge_lost)
        hold(clock, second, high=not blocked, is_edge_lost=is_edge_lost)
        hold(clock, first, high=blocked, is_edge_lost=is_edge_lost)
        hold(clock, second, high=blocked, is_edge_lost=is_edge_lost)
        hold(clock, first, high=not blocked, is_edge_lost=is_edge_lost)
        hold(clock, second, high=not blocked, is_edge_lost=is_edge_lost)
        event = passages.next_event(2.0)
        assert isinstance(event, Passed) and event.direction is direction and event.is_sure
        assert passages.next_event(0.0) is None


def test_somebody_standing_in_the_beams_is_told_and_the_end_of_it_too(factory: MockFactory) -> None:
    with GpioPassages(PassageSettings(beams=BeamPair(blocked_after_s=1.0)), factory) as passages:
        assert passages.next_event(0.1) is None
        factory.pin(OUTER).drive_low()
        event = passages.next_event(5.0)
        assert isinstance(event, BeamsBlocked) and event.beams == ("outer",)
        assert passages.is_blocked
        factory.pin(OUTER).drive_high()
        assert isinstance(passages.next_event(2.0), BeamsFree)
        assert not passages.is_blocked


@pytest.mark.parametrize("is_edge_lost", [False, True])
def test_a_press_of_the_exit_button_is_told_once_however_long_it_is_held(
    factory: MockFactory, clock: SteppingClock, is_edge_lost: bool
) -> None:
    pin = factory.pin(BUTTON)
    with GpioPassages(BOTH, factory, clock) as passages:
        hold(clock)  # it has been seen to be up
        hold(clock, pin, high=False, is_edge_lost=is_edge_lost)
        assert isinstance(passages.next_event(2.0), ExitPressed)
        assert passages.next_event(0.1) is None
        hold(clock, pin, high=True, is_edge_lost=is_edge_lost)
        hold(clock, pin, high=False, is_edge_lost=is_edge_lost)
        assert isinstance(passages.next_event(2.0), ExitPressed)


def test_a_spark_is_no_press(factory: MockFactory) -> None:
    pin = factory.pin(BUTTON)
    with GpioPassages(BOTH, factory) as passages:
        assert passages.next_event(0.08) is None
        for _ in range(5):
            pin.drive_low()
            pin.drive_high()
        assert passages.next_event(0.15) is None


def test_the_pins_are_given_back_on_the_way_out(factory: MockFactory) -> None:
    passages = GpioPassages(BOTH, factory)
    passages.close()
    passages.close()
    assert all(factory.pin(pin).function == "input" and factory.pin(pin).pull == "floating" for pin in (OUTER, INNER))
    assert not [thread for thread in threading.enumerate() if thread.name == "passages"]
    with pytest.raises(PassageError, match="closed"):
        passages.next_event(1.0)


def test_a_doorway_that_cannot_be_opened_wholly_gives_back_what_it_had(factory: MockFactory) -> None:
    with LED(BUTTON, pin_factory=factory), pytest.raises(PassageError, match=f"GPIO{BUTTON}.*gpioinfo"):
        GpioPassages(BOTH, factory)
    with LED(OUTER, pin_factory=factory) as led:
        led.on()


class BrokenPin(MockPin):
    """Cannot be read any more, once told."""

    is_broken = False

    def _get_state(self) -> bool:
        if self.is_broken:
            raise OSError("the chip is gone")
        return bool(super()._get_state())


def test_pins_that_can_no_longer_be_read_are_told_to_whoever_waits() -> None:
    factory = MockFactory(pin_class=BrokenPin)
    with GpioPassages(BOTH, factory) as passages:
        factory.pin(OUTER).is_broken = True
        began_s = time.monotonic()
        with pytest.raises(PassageError, match=r"chip is gone.*Restart"):
            passages.next_event(30.0)
        assert time.monotonic() - began_s < 2.0
        factory.pin(OUTER).is_broken = False


def test_a_doorway_opens_from_settings_alone_and_is_read_all_the_time() -> None:
    with open_passages(PassageSettings(pins="mock", beams=BeamPair())) as passages:
        assert passages.next_event(0.1) is None
        assert passages.quiet_s < 1.0


def test_a_pin_given_twice_is_refused_naming_both_uses() -> None:
    with pytest.raises(PinClash, match=r"pin 20 is given to both beams\.outer and beams\.inner"):
        PassageSettings(beams=BeamPair(inner=20))
    panel = PanelSettings(strike=StrikeSettings(pin=21))
    with pytest.raises(PinClash, match=r"pin 21 is given to both strike\.pin and beams\.inner"):
        refuse_clashes([*panel.uses(), *BOTH.uses()])


@pytest.mark.parametrize("counter", [Digits(), Oled()])
def test_the_default_pins_of_all_parts_go_together(counter: Digits | Oled) -> None:
    panel = PanelSettings(counter=counter, strike=StrikeSettings())
    refuse_clashes([*panel.uses(), *BOTH.uses()])


def test_the_fake_doorway_does_as_told() -> None:
    with FakePassages() as passages:
        passages.walk(Direction.OUT)
        passages.press_exit()
        passages.block()
        assert passages.is_blocked
        passages.free()
        kinds = [type(passages.next_event(0.0)) for _ in range(4)]
        assert kinds == [Passed, ExitPressed, BeamsBlocked, BeamsFree]
        assert passages.next_event(0.0) is None
    with pytest.raises(PassageError):
        passages.next_event(0.0)
