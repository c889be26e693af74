"""What time it is, also when the machine does not know: by a time server, or by what a person's phone said.

Rows keep the wall time that the machine believed. `clock_fixes` holds what a boot's clock turned out to be, so that
every untrusted row of it, before and after, has a right time beside the raw one, and all keep their order.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.records import PAPER, ClockKnown, Event, KnownTime, WrongTime
from kiosk.ledger.schema import clock_fixes, events, scans

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)  # it is later than when this program was written
_LONGEST = timedelta(days=3660)  # nobody uses it for longer, so no time after that is believed of a phone
_PHONES_DIFFER = timedelta(minutes=2)
_AFTER_START = timedelta(days=31)  # an evening whose start is known is over by then


def corrected(row: sa.Row[Any]) -> datetime:
    """When a row of `with_clock_fix` was made: its own wall time, or what its boot's clock turned out to be later."""
    if row.offset_ns is None:
        wall: datetime = row.wall
        return wall
    return at(row.monotonic_ns, row.offset_ns)


def raw(row: sa.Row[Any]) -> datetime | None:
    """What the clock said when the row was made, None when that stands."""
    return None if row.offset_ns is None else row.wall


def with_clock_fix(query: sa.Select[Any]) -> sa.Select[Any]:
    """Adds `offset_ns` of the boot to a query of scans, null for rows whose wall time was right."""
    fix = sa.and_(clock_fixes.c.boot_id == scans.c.boot_id, ~scans.c.clock_trusted)
    return query.add_columns(clock_fixes.c.offset_ns).outerjoin(clock_fixes, fix)


def known_time(db: sa.Connection, now: Stamp) -> KnownTime:
    """The time at `now`, and who vouches for it."""
    if now.is_trusted:
        return KnownTime(now.wall, "server")
    fix = db.execute(sa.select(clock_fixes).where(clock_fixes.c.boot_id == now.boot_id)).one_or_none()
    if fix is None:
        return KnownTime(now.wall, "nobody")
    return KnownTime(at(now.monotonic_ns, fix.offset_ns), "hand" if fix.by_hand else "server")


def note_time(db: sa.Connection, now: Stamp) -> None:
    """A time server has set the clock of this boot: that replaces whatever a person said."""
    _fix(db, now.boot_id, _offset_ns(now.wall, now.monotonic_ns), by_hand=False)


def set_time(db: sa.Connection, event: Event, wall: datetime, now: Stamp) -> None:
    """A person says that it is `wall` at `now`. Raises ClockKnown, WrongTime; see Ledger.set_clock."""
    if known_time(db, now).told_by == "server":
        raise ClockKnown("a time server has set the clock; nothing was changed")
    if wall.tzinfo is None:
        raise WrongTime(f"{wall:%Y-%m-%d %H:%M} has no time zone, so it is no moment")
    starts_at = db.execute(sa.select(events.c.starts_at).where(events.c.id == event.id)).scalar_one()
    over = _WRITTEN + _LONGEST if starts_at is None else max(starts_at, _WRITTEN) + _AFTER_START
    if wall > over:
        raise WrongTime(
            f"{wall:%Y-%m-%d} cannot be: "
            + (f"this event begins on {starts_at:%Y-%m-%d}. " if starts_at else "")
            + "Look at the phone's own clock, and whether this is tonight's event."
        )
    latest = _latest_known(db, over)
    if wall < latest - _PHONES_DIFFER:
        raise WrongTime(
            f"{wall:%Y-%m-%d %H:%M} UTC cannot be: {latest:%Y-%m-%d %H:%M} UTC was known to be over. "
            "Look at the phone's own clock."
        )
    _fix(db, now.boot_id, _offset_ns(wall, now.monotonic_ns), by_hand=True)


def _latest_known(db: sa.Connection, over: datetime) -> datetime:
    """The newest time that a time server vouches for, in any event's rows; at least when this was written.

    One after `over` was a server's mistake: it must not keep phones from telling the time for good.
    """
    trusted: datetime | None = db.execute(
        sa.select(sa.func.max(scans.c.wall)).where(
            scans.c.clock_trusted,
            scans.c.source != PAPER,
            scans.c.wall <= over,  # no server told those of the paper
        )
    ).scalar_one()
    corrected_ns = sa.select(sa.func.max(scans.c.monotonic_ns + clock_fixes.c.offset_ns)).where(
        scans.c.boot_id == clock_fixes.c.boot_id,
        ~scans.c.clock_trusted,
        ~clock_fixes.c.by_hand,
        scans.c.monotonic_ns + clock_fixes.c.offset_ns <= _offset_ns(over, 0),
    )
    fixed_ns: int | None = db.execute(corrected_ns).scalar_one()
    return max(_WRITTEN, trusted or _EPOCH, _EPOCH if fixed_ns is None else at(fixed_ns, 0))


def _fix(db: sa.Connection, boot_id: str, offset_ns: int, *, by_hand: bool) -> None:
    known = db.execute(sa.select(clock_fixes.c.by_hand).where(clock_fixes.c.boot_id == boot_id)).scalar_one_or_none()
    if known is None:
        db.execute(sa.insert(clock_fixes).values(boot_id=boot_id, offset_ns=offset_ns, by_hand=by_hand))
    elif known:
        is_this = clock_fixes.c.boot_id == boot_id
        db.execute(sa.update(clock_fixes).where(is_this).values(offset_ns=offset_ns, by_hand=by_hand))


def _offset_ns(wall: datetime, monotonic_ns: int) -> int:
    return (wall - _EPOCH) // timedelta(microseconds=1) * 1000 - monotonic_ns


def at(monotonic_ns: int, offset_ns: int) -> datetime:
    """The wall time of a moment of a boot whose clock was fixed."""
    return _EPOCH + timedelta(microseconds=(monotonic_ns + offset_ns) // 1000)
