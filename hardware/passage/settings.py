"""The beam pair and the exit button of a gate, and on which pins: frozen structs, filled from platypus.toml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from hardware.pins import Pin, refuse_clashes


class BeamPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Two light beams across the doorway, one behind the other, at most 8 cm apart and at the height of a hip."""

    outer: Pin = 20  # the one that people who come in meet first
    inner: Pin = 21
    # What the receiver's output is while something is in its beam. "high" is the safer one to buy or to set: with our
    # pull-up a cut wire then looks like a blocked beam, which is told, and not like an empty door, which is not
    blocked_is: Literal["low", "high"] = "low"
    settle_s: Annotated[float, msgspec.Meta(ge=0.0, le=0.1)] = 0.02  # a shorter change is fringe, not a person
    gap_s: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.3  # see beams.py: a gap between two, not a step back
    blocked_after_s: Annotated[float, msgspec.Meta(ge=1.0, le=300.0)] = 10.0


class ExitButton(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A button between its pin and ground; the internal pull-up does the rest."""

    pin: Pin = 19
    settle_s: Annotated[float, msgspec.Meta(ge=0.0, le=0.5)] = 0.03  # contacts bounce; long wires pick up sparks


class PassageSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[passage] of a gate. Raises `PinClash` when a pin is used twice; see `hardware.pins` for other settings' pins."""

    pins: Literal["lgpio", "mock"] = "lgpio"  # mock: no pins at all, for rehearsals on a laptop
    beams: BeamPair | None = None
    exit_button: ExitButton | None = None
    look_s: Annotated[float, msgspec.Meta(ge=0.005, le=0.05)] = 0.02  # levels are read again as often, see gpio.py

    def __post_init__(self) -> None:
        refuse_clashes(self.uses())

    def uses(self) -> Iterator[tuple[int, str]]:
        """Every pin with what it is for, in words that match the keys of the configuration."""
        if self.beams is not None:
            yield self.beams.outer, "beams.outer"
            yield self.beams.inner, "beams.inner"
        if self.exit_button is not None:
            yield self.exit_button.pin, "exit_button.pin"
