"""How many are inside, for all to see: digits, a row of lights that fills with the room, or a display with a chip."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol, assert_never

from hardware.panel.display import PLACES, TextCounter, digits_words, screen_words
from hardware.panel.settings import Bar, Digits, Max7219, Oled

if TYPE_CHECKING:
    from contextlib import ExitStack

FULL_BLINK_S = 0.5  # a full room's number is shown and hidden for so long in turn
MULTIPLEX_S = 0.004  # per digit; three digits are each lit 83 times a second, which no eye sees flicker
_DASH = (0, 0, 0, 0, 0, 0, 1)


class Counter(Protocol):
    """Shows a count."""

    def show(self, inside: int, capacity: int) -> None:
        """The room holds `inside` of `capacity` people; a capacity of 0 means no limit is known."""

    def off(self) -> None:
        """Dark, now."""


def open_counter(settings: Digits | Bar | Max7219 | Oled, factory: Any, opened: ExitStack) -> Counter:
    """What `settings` describe. What it opens is put on `opened`; raises `PanelError` or gpiozero's own."""
    match settings:
        case Digits():
            return DigitCounter(settings, factory, opened)
        case Bar():
            return BarCounter(settings, factory, opened)
        case Max7219():
            from hardware.panel.luma import open_max7219  # noqa: PLC0415  brings Pillow's fonts

            dashes = "-" * settings.digits
            text = TextCounter(lambda: open_max7219(settings), digits_words(settings.digits), dashes.rjust(PLACES))
        case Oled():
            from hardware.panel.luma import open_oled  # noqa: PLC0415

            text = TextCounter(lambda: open_oled(settings), screen_words, settings.idle_text)
        case _:
            assert_never(settings)
    opened.callback(text.off)
    return text


class DigitCounter:
    """A number of one to three digits: dashes until the first count, blinking when the room is full.

    A number too large for the digits shows as the largest that fits (99): at the door, nearly right and blinking, as
    a room that full is, serves better than dashes.
    """

    def __init__(self, settings: Digits, factory: Any, opened: ExitStack) -> None:
        from gpiozero import Device, LEDCharDisplay, LEDMultiCharDisplay  # noqa: PLC0415

        self._places = len(settings.digits)
        segments = LEDCharDisplay(*settings.segments, active_high=settings.segments_active_high, pin_factory=factory)
        opened.callback(segments.close)
        segments.font["-"] = _DASH  # not in gpiozero's font
        # gpiozero builds its inner group of places on the default factory whatever factory it is given, and looking for
        # a default would open the chip a second time
        default, Device.pin_factory = Device.pin_factory, factory
        try:
            self._display = LEDMultiCharDisplay(
                segments, *settings.digits, active_high=settings.digits_active_high, pin_factory=factory
            )
        finally:
            Device.pin_factory = default
        opened.callback(self._display.close)
        self._display.plex_delay = MULTIPLEX_S
        self._shown: tuple[str, bool] | None = None
        self._set("-" * self._places, blinks=False)

    def show(self, inside: int, capacity: int) -> None:
        """See `Counter.show`."""
        number = min(max(0, inside), 10**self._places - 1)
        self._set(f"{number:>{self._places}}", blinks=0 < capacity <= inside)

    def off(self) -> None:
        """See `Counter.off`."""
        self._set(" " * self._places, blinks=False)
        self._display.off()  # blank, gpiozero switches off the places but leaves the segments as they were

    def _set(self, text: str, *, blinks: bool) -> None:
        if self._shown == (text, blinks):
            return  # writing it again would restart the blinking
        self._display.source = None
        if blinks:
            self._display.source_delay = FULL_BLINK_S
            self._display.source = itertools.cycle((text, " " * self._places))
        else:
            self._display.value = text
        self._shown = (text, blinks)


class BarCounter:
    """A row of lights: the first for one guest, all of them only for a full room; dark until the first count."""

    def __init__(self, settings: Bar, factory: Any, opened: ExitStack) -> None:
        from gpiozero import LEDBarGraph  # noqa: PLC0415

        self._bar = opened.enter_context(
            LEDBarGraph(*settings.pins, active_high=settings.active_high, pin_factory=factory)
        )
        self._lights = len(settings.pins)

    def show(self, inside: int, capacity: int) -> None:
        """See `Counter.show`."""
        self._bar.value = lights_lit(inside, capacity, self._lights) / self._lights

    def off(self) -> None:
        """See `Counter.off`."""
        self._bar.value = 0


def lights_lit(inside: int, capacity: int, lights: int) -> int:
    """How many of `lights` shine: none for an empty room or an unknown capacity, all only for a full one."""
    if inside <= 0 or capacity <= 0:
        return 0
    if inside >= capacity:
        return lights
    return min(max(1, lights * inside // capacity), lights - 1)
