"""Which slates the program needs: the one on air with its countdown, and those that a button may ask for next."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from stream.artist import SlateKind
from stream.order import Order, Scene
from stream.program import upcoming
from stream.talks import TalkInfo, Talks

# A countdown outside of these is more likely a wrong clock, or an old agenda, than a patient audience.
_LONGEST = timedelta(hours=24)
_LATEST = timedelta(minutes=30)


class Wish(NamedTuple):
    """What a slate should say. Both times are given, or none: then no countdown is drawn."""

    kind: SlateKind
    talk: TalkInfo | None = None
    starts_at: datetime | None = None  # what to count down to
    minutes_left: int | None = None

    @property
    def without_countdown(self) -> Wish:
        """The same, to be shown at any time."""
        return self._replace(starts_at=None, minutes_left=None)


def slate_of(scene: Scene, talks: Talks, now: datetime) -> Wish:
    """The slate of a scene at `now` (aware); for one with the camera, the one that stands in for it."""
    match scene.program:
        case "camera" | "hidden":
            return Wish("hidden")
        case "end":
            return Wish("end")
        case "next":
            return Wish("next", None if scene.talk is None else talks.talk(scene.talk))
        case "starting" | "break" as kind:
            talk = upcoming(scene, talks)
            if talk is None or talk.starts_at is None or not -_LATEST < talk.starts_at - now < _LONGEST:
                return Wish(kind, talk)
            minutes_left = max(0, math.ceil((talk.starts_at - now) / timedelta(minutes=1)))
            return Wish(kind, talk, talk.starts_at, minutes_left)


def wishes(order: Order, talks: Talks, now: datetime) -> list[Wish]:
    """All that may be needed, the most urgent first; without countdowns but the one that runs."""
    then = upcoming(order.scene, talks)
    others = [
        Wish("hidden"),
        Wish("next", then),
        *(
            slate_of(Scene(kind, order.talk, order.then), talks, now).without_countdown
            for kind in ("break", "starting", "end")
        ),
    ]
    if order.do == "stopped":
        first = slate_of(Scene("starting"), talks, now)
        return list(dict.fromkeys([first.without_countdown, *others]))
    return list(dict.fromkeys([slate_of(order.scene, talks, now), *others]))
