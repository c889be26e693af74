"""Ticks of the paper list, for programs: the page's own deed, with what a body of JSON holds."""

from __future__ import annotations

from datetime import time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hardware.clock import Clock
from kiosk.dashboard.api import bodies, facts
from kiosk.paper_list import Given, PaperList


class PaperDesk(NamedTuple):
    """The paper of the event, a clock, and the zone in which its times are read."""

    paper: PaperList
    clock: Clock
    zone: ZoneInfo

    def look(self, sent: bodies.PaperTicks, actor: str) -> facts.PaperTold:
        """What taking them would do."""
        told = self.paper.look(self._given(sent), actor, self.clock.stamp(), self.zone)
        return facts.paper(told, self.paper.line)

    def take(self, sent: bodies.PaperTicks, actor: str) -> facts.PaperTold:
        """Take what can be taken."""
        told = self.paper.take(self._given(sent), actor, self.clock.stamp(), self.zone)
        return facts.paper(told, self.paper.line)

    def _given(self, sent: bodies.PaperTicks) -> Given:
        return Given(
            text=sent.ticks,
            walk_ins=sent.walk_ins,
            at=None if sent.at is None else time.fromisoformat(sent.at),
            day=sent.day,
            gate=" ".join("".join(c for c in sent.gate if c.isprintable()).split()),
            did_get_in=sent.did_get_in,
        )
