"""The doorway: a beam pair that counts who goes in and out, and the exit button.

with open_passages(PassageSettings(beams=BeamPair(), exit_button=ExitButton())) as passages:
    event = passages.next_event(timeout_s=1.0)  # Passed(Direction.IN, ...), ExitPressed(...) or None
"""

from __future__ import annotations

from hardware.passage.beams import BeamCounter, BeamEvent, BeamsBlocked, BeamsFree, Direction, Levels, Passed
from hardware.passage.gpio import GpioPassages, open_passages
from hardware.passage.passages import ExitPressed, FakePassages, PassageEvent, Passages
from hardware.passage.settings import BeamPair, ExitButton, PassageSettings

__all__ = [
    "BeamCounter",
    "BeamEvent",
    "BeamPair",
    "BeamsBlocked",
    "BeamsFree",
    "Direction",
    "ExitButton",
    "ExitPressed",
    "FakePassages",
    "GpioPassages",
    "Levels",
    "PassageEvent",
    "PassageSettings",
    "Passages",
    "Passed",
    "open_passages",
]
