"""The legs of the stream by one name: what the director asks of each output of the hub."""

from __future__ import annotations

from typing import Protocol

from stream.destination import Destination
from stream.health import LegState
from stream.hub import Hub
from stream.preview import Preview
from stream.recording import Recording

__all__ = ["Destination", "Leg", "Preview", "Recording"]


class Leg(Protocol):
    """One output. Its own threads; a trouble of one is never another's."""

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""

    def start(self, hub: Hub) -> None:
        """Take what `hub` sends from now on."""

    def stop(self) -> None:
        """End in good order, within 10 s; may be started again."""

    def retry(self) -> None:
        """Try again now, when it waits to."""

    def state(self) -> LegState:
        """What it is doing now."""
