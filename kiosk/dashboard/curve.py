"""The room over the evening as a line: how many were inside, beside the seats. Drawn by the server, as an SVG path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from kiosk.dashboard.language import _
from kiosk.ledger import Movement

WIDTH, HEIGHT = 320, 80  # units of the drawing's viewBox
_TOP = 6.0  # room above the highest value, for the width of the line
_SHORTEST = timedelta(minutes=30)  # what the drawing is wide, at least


class CurveView(msgspec.Struct, frozen=True, kw_only=True):
    """A drawing, and the same in words."""

    line: str = ""  # path data: steps
    area: str = ""  # the same, closed at the bottom
    seats: str = ""  # path data: a level line; "" without seats
    begins: str = ""  # times of day at both ends
    ends: str = ""
    says: str = ""  # "" while there is nothing to draw


def curve(movements: Sequence[Movement], capacity: int, now: datetime | None, zone: ZoneInfo) -> CurveView:
    """The line from the first movement to the minute of `now` (aware; None: to the last movement).

    `capacity` 0: without seats.
    """
    if not movements:
        return CurveView()
    in_order = sorted(movements, key=lambda each: each.at)
    begin, last = in_order[0].at, in_order[-1].at
    if now is not None:  # by minutes: a page that stays the same is not sent anew
        last = max(last, now.replace(second=0, microsecond=0))
    end = max(last, begin + _SHORTEST)
    inside, points = 0, []
    for each in in_order:
        inside += each.delta
        points.append((each.at, inside))
    most, most_at = max((count, at) for at, count in points)
    highest = max(most, capacity, 1)

    def x(at: datetime) -> int:
        return round((at - begin) / (end - begin) * WIDTH)

    def y(count: int) -> float:
        return round(HEIGHT - max(count, 0) / highest * (HEIGHT - _TOP), 1)

    columns: dict[int, float] = {}  # the last value of each counts: a phone has few more
    for at, count in points:
        columns[x(at)] = y(count)
    steps = "".join(f"H{at}V{level:g}" for at, level in columns.items())
    line = f"M0 {y(0):g}{steps}H{x(last)}"
    return CurveView(
        line=line,
        area=f"{line}V{HEIGHT}H0Z",
        seats=f"M0 {y(capacity):g}H{WIDTH}" if capacity else "",
        begins=_time(begin, zone),
        ends=_time(end, zone),
        says=_("%(count)s at most, at %(time)s", count=most, time=_time(most_at, zone)),
    )


def _time(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")
