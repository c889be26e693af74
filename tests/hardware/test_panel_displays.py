"""Displays with a chip, and the buzzer with a pitch."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import msgspec
import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hardware.errors import PanelError
from hardware.panel import PATTERNS, Bar, GpioPanel, Max7219, Oled, PanelSettings, PinClash, Signal, TwoLights
from hardware.panel.display import FakeDisplay, TextCounter, digits_words, screen_words
from hardware.panel.luma import ScreenDisplay, open_max7219, open_oled, picture

BUZZER = 24


def wait_until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to pass"
        threading.Event().wait(0.002)


@pytest.mark.parametrize(
    ("places", "inside", "capacity", "shown"),
    [
        (8, 7, 50, "       7"),
        (8, 50, 50, "FULL  50"),
        (8, 51, 50, "FULL  51"),
        (4, 7, 50, "       7"),
        (4, 50, 50, "    FULL"),
        (2, 50, 50, "      5.0."),
        (3, 120, 100, "     1.2.0."),
        (2, 120, 500, "      99"),
        (2, -1, 0, "       0"),
    ],
)
def test_digits_show_the_count_and_a_full_room_otherwise(places: int, inside: int, capacity: int, shown: str) -> None:
    assert digits_words(places)(inside, capacity) == shown


@given(st.integers(2, 8), st.integers(-5, 100_000), st.integers(0, 100_000))
def test_digits_never_need_more_places_than_there_are(places: int, inside: int, capacity: int) -> None:
    text = digits_words(places)(inside, capacity)
    assert len(text.replace(".", "")) == 8
    assert text[: 8 - places].strip() == ""


@pytest.mark.parametrize(
    ("inside", "capacity", "shown"),
    [(12, 50, "12\nof 50"), (50, 50, "FULL\n50 of 50"), (12, 0, "12\ninside"), (-1, 50, "0\nof 50")],
)
def test_the_small_screen_says_how_many_of_how_many(inside: int, capacity: int, shown: str) -> None:
    assert screen_words(inside, capacity) == shown


def test_a_text_counter_shows_its_idle_text_then_counts_and_ends_dark() -> None:
    display = FakeDisplay()
    counter = TextCounter(lambda: display, screen_words, "Platypus")
    wait_until(lambda: display.texts == ["Platypus"])
    counter.show(12, 50)
    wait_until(lambda: display.texts[-1] == "12\nof 50")
    counter.show(12, 50)
    counter.show(13, 50)
    wait_until(lambda: display.texts[-1] == "13\nof 50")
    counter.off()
    assert display.texts == ["Platypus", "12\nof 50", "13\nof 50", ""]
    assert display.is_closed
    counter.off()


class SlowDisplay(FakeDisplay):
    """A bus that takes its time, and says when it has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = threading.Event()
        self.may_go_on = threading.Event()

    def text(self, text: str) -> None:
        self.has_begun.set()
        assert self.may_go_on.wait(5)
        super().text(text)


def test_a_slow_bus_never_holds_up_the_door_and_only_the_newest_count_is_written() -> None:
    display = SlowDisplay()
    counter = TextCounter(lambda: display, screen_words, "Platypus")
    assert display.has_begun.wait(5)
    began_s = time.monotonic()
    for inside in range(1, 100):
        counter.show(inside, 0)
    assert time.monotonic() - began_s < 0.1
    display.may_go_on.set()
    wait_until(lambda: display.texts[-1:] == ["99\ninside"])
    assert display.texts == ["Platypus", "99\ninside"]
    counter.off()


def test_a_display_that_came_loose_is_opened_anew_and_shows_the_newest_count() -> None:
    opened: list[FakeDisplay] = []

    def plug_in() -> FakeDisplay:
        if len(opened) == 1 and opened[0].is_loose:
            raise PanelError("not yet")
        opened.append(FakeDisplay())
        return opened[-1]

    counter = TextCounter(plug_in, screen_words, "", retry_s=(0.01,))
    wait_until(lambda: opened[0].texts == [""])
    opened[0].is_loose = True
    counter.show(12, 0)
    wait_until(lambda: opened[0].is_closed)
    counter.show(13, 0)
    opened[0].is_loose = False
    wait_until(lambda: len(opened) == 2 and opened[1].texts == ["13\ninside"])
    counter.off()
    assert opened[1].is_closed


def test_a_display_that_is_not_there_in_the_beginning_is_an_error() -> None:
    def nothing() -> FakeDisplay:
        raise PanelError("no display")

    with pytest.raises(PanelError, match="no display"):
        TextCounter(nothing, screen_words, "")


class FakeChip:
    """An OLED of luma, as far as we use it."""

    def __init__(self) -> None:
        self.pictures: list[Image.Image] = []
        self.is_clean = False

    def contrast(self, value: int) -> None:
        pass

    def display(self, image: Image.Image) -> None:
        self.pictures.append(image)

    def cleanup(self) -> None:
        self.is_clean = True


@pytest.mark.parametrize("height_px", [32, 64])
@pytest.mark.parametrize("text", ["Platypus", "7\nof 50", "123\nof 500", "FULL\n1234 of 1234", "W" * 20])
def test_a_text_fills_the_small_screen_without_touching_its_edge(text: str, height_px: int) -> None:
    chip = FakeChip()
    ScreenDisplay(chip, 128, height_px).text(text)
    (image,) = chip.pictures
    assert (image.mode, image.size) == ("1", (128, height_px))
    box = image.getbbox()
    assert box is not None
    left, top, right, bottom = box
    assert 0 <= left < right <= 128 and 0 <= top < bottom <= height_px
    assert max((right - left) / 128, (bottom - top) / height_px) > 0.7


def test_the_number_is_larger_than_what_it_is_of() -> None:
    image = picture("12\nof 50", 128, 64)
    rows = [any(image.getpixel((x, y)) for x in range(128)) for y in range(64)]
    dark = max(row for row in range(20, 60) if not rows[row] and any(rows[:row]) and any(rows[row:]))
    assert sum(rows[:dark]) > 1.5 * sum(rows[dark:])


def test_no_text_is_dark() -> None:
    assert picture("", 128, 64).getbbox() is None


@pytest.fixture
def without_luma(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("luma.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "luma", None)  # what Python does for a module that cannot be imported


@pytest.mark.usefixtures("without_luma")
@pytest.mark.parametrize("opener", [lambda: open_max7219(Max7219()), lambda: open_oled(Oled())])
def test_without_the_extra_the_error_says_how_to_install_it(opener: Callable[[], object]) -> None:
    with pytest.raises(PanelError, match=r"pip install 'platypus-venue\[displays\]'"):
        opener()


@pytest.mark.usefixtures("without_luma")
def test_a_panel_whose_display_cannot_open_gives_its_pins_back() -> None:
    factory = MockFactory()
    with pytest.raises(PanelError, match=r"^the libraries for displays are not here"):
        GpioPanel(PanelSettings(counter=Oled()), factory)
    GpioPanel(PanelSettings(), factory).close()


@pytest.mark.parametrize(
    ("settings", "pin"),
    [
        ({"counter": Max7219(), "buzzer": 10}, "counter.port 0 MOSI"),
        ({"counter": Max7219(device=1), "buzzer": 8}, "counter.port 0 CE0"),  # SPI0 has both, whichever is used
        ({"counter": Max7219(port=1)}, "light.green and counter.port 1 CE1"),
        ({"counter": Oled(), "buzzer": 3}, "counter.port 1 SCL"),
    ],
)
def test_a_pin_of_a_bus_is_nobody_elses(settings: dict[str, object], pin: str) -> None:
    with pytest.raises(PinClash, match=pin):
        PanelSettings(**settings)  # type: ignore[arg-type]


def test_counters_are_told_apart_by_kind_in_the_configuration() -> None:
    for kind, counter in (("max7219", Max7219()), ("oled", Oled()), ("bar", Bar())):
        assert msgspec.convert({"counter": {"kind": kind}}, PanelSettings).counter == counter
    with pytest.raises(msgspec.ValidationError, match="no chip select 2"):
        msgspec.convert({"kind": "max7219", "device": 2}, Max7219)


def test_a_tone_has_no_level() -> None:
    with pytest.raises(msgspec.ValidationError, match="buzzer_active_high"):
        msgspec.convert({"buzzer_kind": "tonal", "buzzer_active_high": False}, PanelSettings)


class WatchedPin(MockPWMPin):
    """Remembers each pitch that it was given."""

    def __init__(self, factory: MockFactory, info: object) -> None:
        super().__init__(factory, info)
        self.pitches: list[float] = []

    def _set_frequency(self, value: float | None) -> None:
        super()._set_frequency(value)
        if value is not None:
            self.pitches.append(value)


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory(pin_class=WatchedPin)


@pytest.mark.parametrize(
    ("signal", "beeps"), [(Signal.ADMITTED, 1), (Signal.NOTED, 2), (Signal.REFUSED, 3), (Signal.ATTENTION, 1)]
)
def test_each_signal_has_its_own_pitch_and_rhythm_and_ends_silent(
    factory: MockFactory, signal: Signal, beeps: int
) -> None:
    with GpioPanel(PanelSettings(buzzer_kind="tonal"), factory) as panel:
        pin = factory.pin(BUZZER)
        pin.clear_states()
        pin.pitches.clear()  # gpiozero began with one of its own, without sound
        panel.show(signal)
        wait_until(lambda: len(pin.states) == 1 + 2 * beeps)
        assert [state.state for state in pin.states] == [0.0, *[0.5, 0.0] * beeps]
        assert pin.pitches == [pytest.approx(PATTERNS[signal].pitch_hz)] * beeps
        sounded_s = [state.timestamp for state in pin.states if state.state == 0.0][1:]
        assert sounded_s == pytest.approx([PATTERNS[signal].beeps.on_s] * beeps, abs=0.1)


def test_pitches_differ() -> None:
    heard = [pattern.pitch_hz for pattern in PATTERNS.values() if pattern.beeps.times]
    assert len(set(heard)) == len(heard) >= 4


def test_a_silent_signal_is_silent_on_a_tonal_buzzer_too(factory: MockFactory) -> None:
    with GpioPanel(PanelSettings(buzzer_kind="tonal"), factory) as panel:
        pin = factory.pin(BUZZER)
        panel.show(Signal.ATTENTION)
        assert pin.state == 0.5
        panel.show(Signal.OUT_OF_ORDER)
        assert pin.state == 0.0


def test_a_new_signal_replaces_the_running_tone_at_once_and_closing_is_silent(factory: MockFactory) -> None:
    with GpioPanel(PanelSettings(buzzer_kind="tonal", light=TwoLights()), factory) as panel:
        pin = factory.pin(BUZZER)
        panel.show(Signal.ATTENTION)
        assert pin.state == 0.5
        panel.show(Signal.ADMITTED)
        assert pin.state == 0.5 and pin.frequency == pytest.approx(1760.0)
        panel.show(Signal.IDLE)
        assert pin.state == 0.0 and pin.frequency is None
        panel.show(Signal.ATTENTION)
        assert pin.state == 0.5
    assert pin.state == 0.0
