"""The panel of a gate: light, buzzer and counter.

with open_panel(PanelSettings(pins="mock")) as panel:
    panel.count(inside=12, capacity=50)
    panel.show(Signal.ADMITTED)   # green and one beep, then idle again by itself
"""

from __future__ import annotations

from hardware.panel.gpio import GpioPanel, open_panel
from hardware.panel.panel import FakePanel, Panel, Shown
from hardware.panel.settings import Bar, Digits, PanelSettings, PinClash, RgbLight, TwoLights
from hardware.panel.signals import PATTERNS, Colour, Pattern, Rhythm, Signal, lasts_s

__all__ = [
    "PATTERNS",
    "Bar",
    "Colour",
    "Digits",
    "FakePanel",
    "GpioPanel",
    "Panel",
    "PanelSettings",
    "Pattern",
    "PinClash",
    "RgbLight",
    "Rhythm",
    "Shown",
    "Signal",
    "TwoLights",
    "lasts_s",
    "open_panel",
]
