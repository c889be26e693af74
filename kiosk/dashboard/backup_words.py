"""Backups in the words of the page: how old, how large, whose names, and what restoring one would do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta

from hardware.clock import Stamp
from kiosk.backup.manifest import Manifest, goes_at
from kiosk.backup.places import SECRETS, Places
from kiosk.backup.shelf import Copy
from kiosk.dashboard.language import _, day_and_time, decimal, ngettext, spoken
from kiosk.dashboard.told import sentence
from kiosk.ledger import migrations

_WHEN = "EEEE d MMMM y, HH:mm"
_DAY = "EEEE d MMMM y"
_USUAL = Path("/etc/platypus/platypus.toml")


class Line(NamedTuple):
    """A backup on the page."""

    name: str  # of its file
    tone: str
    title: str  # when it was made
    detail: str
    is_good: bool


def latest(copies: Sequence[Copy], now: Stamp, zone: ZoneInfo, after: timedelta | None) -> Line:
    """The newest backup that can be read; or that there is none."""
    found = next((each for each in copies if each.number and each.manifest is not None), None)
    if found is None:
        return Line(
            "", "warn", _("There is no backup"), _("Make one, and keep a copy on another machine."), is_good=False
        )
    return line(found, now, zone, after)


def line(copy: Copy, now: Stamp, zone: ZoneInfo, after: timedelta | None) -> Line:
    """One backup."""
    manifest = copy.manifest
    if manifest is None:
        return Line(copy.path.name, "no", _("It cannot be read"), sentence(copy.trouble), is_good=False)
    keys = _("without stream keys") if SECRETS in manifest.left_out else ""
    parts = [_age(manifest, now), _size(copy.size), keys, _names(manifest, zone, after)]
    return Line(copy.path.name, "yes", _when(manifest.made_at, zone), " · ".join(filter(None, parts)), is_good=True)


def plan(manifest: Manifest, zone: ZoneInfo, after: timedelta | None) -> Sequence[str]:
    """What it is, and what restoring it would do."""
    files = ngettext("%(num)s file", "%(num)s files", len(manifest.files))
    lines = [
        _(
            "%(when)s, made on %(host)s by Platypus %(version)s: %(files)s, %(size)s unpacked.",
            when=_when(manifest.made_at, zone),
            host=manifest.host,
            version=manifest.version,
            files=files,
            size=_size(manifest.size),
        )
    ]
    if not manifest.is_clock_trusted:
        lines.append(_("No time server had set that machine's clock: the date may be wrong."))
    lines.append(sentence(_names(manifest, zone, after)) or _("There are no names in it."))
    lines += [
        _("Who came in after it was made is not in it. Recordings are in no backup, and stay where they are."),
        _("What is here now goes aside, to a folder before-restore-… beside it; nothing is deleted."),
        _("platypus.toml and secrets.toml stay as they are here; a machine without any takes those of the backup."),
    ]
    if SECRETS in manifest.left_out:
        lines.append(_("Stream keys are not in it: a machine without secrets.toml needs them written anew."))
    if manifest.schema != migrations.HEAD:
        lines.append(_("Its ledger is of an older Platypus and is brought up to date."))
    return lines


def command(path: Path, places: Places) -> str:
    """What to type, on this machine."""
    words = ["sudo", "platypus", "restore"]
    if places.config_path != _USUAL:
        words += ["--config", str(places.config_path)]
    return shlex.join([*words, str(path)])


def _when(at: datetime, zone: ZoneInfo) -> str:
    when = day_and_time(at.astimezone(zone), _WHEN)
    return when[:1].upper() + when[1:]


def _size(size: int) -> str:
    return _("%(size)s MB", size=decimal(size / 1e6)) if size >= 1e6 else _("%(size)s kB", size=max(1, size // 1000))


def _age(manifest: Manifest, now: Stamp) -> str:
    """As "2 hours ago"; nothing where one of both clocks may be wrong."""
    age = now.wall - manifest.made_at
    if not (manifest.is_clock_trusted and now.is_trusted) or age < timedelta(0):
        return ""
    if age < timedelta(minutes=1):
        return _("just now")
    return format_timedelta(-age, add_direction=True, locale=spoken())


def _names(manifest: Manifest, zone: ZoneInfo, after: timedelta | None) -> str:
    if not manifest.names:
        return ""
    at = goes_at(manifest.names, after)
    events = ", ".join(each.event for each in manifest.names)
    if at is None:
        return _("with names of %(events)s", events=events)
    day = day_and_time(at.astimezone(zone), _DAY)
    return _("with names of %(events)s, so it is deleted on %(day)s", events=events, day=day)
