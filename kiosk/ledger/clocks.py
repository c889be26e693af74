"""What time it is, also when the machine does not know: by a time server, or by what a person's phone said.

Rows keep the wall time that the machine believed. `clock_fixes` holds what a boot's clock turned out to be, so that
every untrusted row of it, before and after, has a right time beside the raw one, and all keep their order.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hardware.clock import Stamp
from kiosk.ledger.records import ClockKnown, KnownTime, WrongTime
from kiosk.ledger.schema import clock_fixes, scans

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)  # it is later than when this program was written


def corrected(row: sa.Row[Any]) -> datetime:
    """When a row of `with_clock_fix` was made: its own wall time, or what its boot's clock turned out to be later."""
    if row.offset_ns is None:
        wall: datetime = row.wall
        return wall
    return _at(row.monotonic_ns, row.offset_ns)


def raw(row: sa.Row[Any]) -> datetime | None:
    """What the clock said when the row was made, None when that stands."""
    return None if row.offset_ns is None else row.wall


def with_clock_fix(query: sa.Select[Any]) -> sa.Select[Any]:
    """Adds `offset_ns` of the boot to a query of scans, null for rows whose wall time was right."""
    fix = sa.and_(clock_fixes.c.boot_id == scans.c.boot_id, ~scans.c.clock_trusted)
    return query.add_columns(clock_fixes.c.offset_ns).outerjoin(clock_fixes, fix)


def known_time(db: sa.Connection, at: Stamp) -> KnownTime:
    """The time at `at`, and who vouches for it."""
    if at.is_trusted:
        return KnownTime(at.wall, "server")
    fix = db.execute(sa.select(clock_fixes).where(clock_fixes.c.boot_id == at.boot_id)).one_or_none()
    if fix is None:
        return KnownTime(at.wall, "nobody")
    return KnownTime(_at(at.monotonic_ns, fix.offset_ns), "hand" if fix.by_hand else "server")


def note_time(db: sa.Connection, now: Stamp) -> None:
    """A time server has set the clock of this boot: that replaces whatever a person said."""
    _fix(db, now.boot_id, _offset_ns(now.wall, now), by_hand=False)


def set_time(db: sa.Connection, wall: datetime, now: Stamp) -> None:
    """A person says that it is `wall` at `now`. Raises ClockKnown, WrongTime; see Ledger.set_clock."""
    if known_time(db, now).told_by == "server":
        raise ClockKnown("a time server has set the clock; nothing was changed")
    latest = _latest_known(db)
    if wall < latest:
        raise WrongTime(
            f"{wall:%Y-%m-%d %H:%M} UTC cannot be: {latest:%Y-%m-%d %H:%M} UTC was known to be over. "
            "Look at the phone's own clock."
        )
    _fix(db, now.boot_id, _offset_ns(wall, now), by_hand=True)


def _latest_known(db: sa.Connection) -> datetime:
    """The newest time that a time server vouches for, in any event's rows; at least when this was written."""
    trusted: datetime | None = db.execute(
        sa.select(sa.func.max(scans.c.wall)).where(scans.c.clock_trusted)
    ).scalar_one()
    corrected_ns = sa.select(sa.func.max(scans.c.monotonic_ns + clock_fixes.c.offset_ns)).where(
        scans.c.boot_id == clock_fixes.c.boot_id, ~scans.c.clock_trusted, ~clock_fixes.c.by_hand
    )
    fixed_ns: int | None = db.execute(corrected_ns).scalar_one()
    return max(_WRITTEN, trusted or _EPOCH, _EPOCH if fixed_ns is None else _at(fixed_ns, 0))


def _fix(db: sa.Connection, boot_id: str, offset_ns: int, *, by_hand: bool) -> None:
    known = db.execute(sa.select(clock_fixes.c.by_hand).where(clock_fixes.c.boot_id == boot_id)).scalar_one_or_none()
    if known is None:
        db.execute(sa.insert(clock_fixes).values(boot_id=boot_id, offset_ns=offset_ns, by_hand=by_hand))
    elif known:
        is_this = clock_fixes.c.boot_id == boot_id
        db.execute(sa.update(clock_fixes).where(is_this).values(offset_ns=offset_ns, by_hand=by_hand))


def _offset_ns(wall: datetime, now: Stamp) -> int:
    return (wall - _EPOCH) // timedelta(microseconds=1) * 1000 - now.monotonic_ns


def _at(monotonic_ns: int, offset_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=(monotonic_ns + offset_ns) // 1000)
