"""The panel of a gate: light, buzzer, counter and strike.

with open_panel(PanelSettings(pins="mock")) as panel:
    panel.count(inside=12, capacity=50)
    panel.show(Signal.ADMITTED)   # green and one beep, then idle again by itself
"""

from __future__ import annotations

from hardware.panel.gpio import GpioPanel, open_panel
from hardware.panel.panel import AbsentPanel, FakePanel, Panel, Shown
from hardware.panel.settings import (
    Bar,
    Digits,
    Max7219,
    Oled,
    PanelSettings,
    PinClash,
    RgbLight,
    StrikeSettings,
    TwoLights,
)
from hardware.panel.signals import PATTERNS, Pattern, Rhythm, Signal, lasts_s
from hardware.panel.strike import FakeLine, PulseLimits, Strike, StrikeBusy

__all__ = [
    "PATTERNS",
    "AbsentPanel",
    "Bar",
    "Digits",
    "FakeLine",
    "FakePanel",
    "GpioPanel",
    "Max7219",
    "Oled",
    "Panel",
    "PanelSettings",
    "Pattern",
    "PinClash",
    "PulseLimits",
    "RgbLight",
    "Rhythm",
    "Shown",
    "Signal",
    "Strike",
    "StrikeBusy",
    "StrikeSettings",
    "TwoLights",
    "lasts_s",
    "open_panel",
]
