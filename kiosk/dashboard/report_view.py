"""The report of an evening in the words of its reader: one struct, for the page and for the sheet of paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

import msgspec

from kiosk.dashboard import words
from kiosk.dashboard.curve import CurveView, curve
from kiosk.dashboard.language import _, day_and_time, ngettext, pgettext, say_later
from kiosk.dashboard.ports import DESK_GATE, PHONE_GATE, PROGRAM_GATE
from kiosk.ledger.records import PAPER
from kiosk.ledger.report import Report

_GATES: Mapping[str, str] = {
    DESK_GATE: say_later("By hand"),
    PHONE_GATE: say_later("Phones"),
    PROGRAM_GATE: say_later("Programs"),
    PAPER: say_later("Paper"),
}


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted by name; `rows` begin with the name."""

    title: str
    heads: tuple[str, ...]  # of the columns of numbers; empty: a single one, which needs none
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class ReportView(msgspec.Struct, frozen=True, kw_only=True):
    """An evening."""

    event: str
    when: str  # it was made
    came: str  # people, with or without a ticket
    came_of: str
    totals: tuple[tuple[str, str], ...]  # name and number
    doubt: str  # why times may be wrong; "" when they are not
    curve: CurveView
    tables: tuple[Table, ...]
    slices: Table


def report_view(told: Report, zone: ZoneInfo) -> ReportView:
    """`told`, with times in `zone`."""
    most = str(told.peak)
    drawn = curve(told.course, told.capacity, None, zone)
    if told.peak_at is not None:
        says = _("%(count)s at most, at %(time)s", count=most, time=words.hour(told.peak_at, zone))
        drawn = msgspec.structs.replace(drawn, says=says)
    return ReportView(
        event=told.event,
        when=_("As of %(date)s", date=day_and_time(told.made_at.astimezone(zone), "d MMMM y, HH:mm")),
        came=str(told.came + told.walk_ins),
        came_of=ngettext("person came", "people came", told.came + told.walk_ins),
        totals=(
            (_("On tickets"), str(told.came)),
            (_("Guests (+1)"), str(told.guests)),
            (_("Walk-ins"), str(told.walk_ins)),
            (_("No-shows"), str(told.no_shows)),
            (_("Most at once"), most),
            (_("Inside now"), str(told.inside)),
        ),
        doubt=_doubt(told),
        curve=drawn,
        tables=tuple(table for table in _tables(told) if table.rows),
        slices=_slices(told, zone),
    )


def _doubt(told: Report) -> str:
    if not told.unsure:
        return ""
    return ngettext(
        "The time of %(num)s row was confirmed by nobody: times, and the line, may be wrong.",
        "The times of %(num)s rows were confirmed by nobody: times, and the line, may be wrong.",
        told.unsure,
    )


def _tables(told: Report) -> Iterator[Table]:
    rows = [
        (_("Good tickets"), str(told.tickets)),
        (_("People they admit"), str(told.expected)),
        (_("Tickets on which nobody came"), str(told.absent)),
    ]
    if told.irregular:
        rows.append((_("Let in on tickets that are not good"), str(told.irregular)))
    if told.corrections:
        rows.append((_("Corrected by hand"), words.signed(told.corrections)))
    yield Table(title=_("Tickets"), heads=(), rows=tuple(rows))
    yield Table(
        title=_("Gates"),
        heads=(_("In"), pgettext("people", "Out"), pgettext("guests", "Refused")),
        rows=tuple((gate(name), *map(str, count)) for name, count in told.gates.items()),
    )
    yield Table(
        title=_("Refused, and why"),
        heads=(),
        rows=tuple(
            (words.answer(reason, is_admitted=False).short, str(count))
            for reason, count in sorted(told.refusals.items(), key=lambda each: -each[1])
        ),
    )
    yield _stream(told)
    other = told.other_notes
    yield Table(
        title=_("Notes on tickets"),
        heads=(_("Tickets"), _("Came"), _("Inside")),
        rows=(
            *((note, *map(str, count)) for note, count in told.notes.items()),
            *([(_("Others"), *map(str, other))] if other.tickets else []),
        ),
        note=_("“Others” are notes that might tell who it is: each on one ticket only, or with a guest's name.")
        if other.tickets
        else "",
    )


def _stream(told: Report) -> Table:
    stream = told.stream
    rows = [
        (each.name, _minutes(each.live_s), str(each.gaps), _minutes(each.longest_s) if each.gaps else "")
        for each in stream.aired
    ]
    if stream.recordings:
        files = ngettext("Recorded, %(num)s file", "Recorded, %(num)s files", stream.recordings)
        rows.append((files, _minutes(stream.recorded_s), "", ""))
    return Table(
        title=_("Stream"),
        heads=(pgettext("stream", "Live"), _("Gaps"), _("Longest")),
        rows=tuple(rows),
        note=_("A minute before the power was cut counts as missing: nobody was left to note it.")
        if any(each.gaps for each in stream.aired)
        else "",
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def gate(name: str) -> str:
    """A gate as the report calls it."""
    return _(_GATES[name]) if name in _GATES else name


def _slices(told: Report, zone: ZoneInfo) -> Table:
    days = {each.begins.astimezone(zone).date() for each in told.slices}
    return Table(
        title=_("By five minutes"),
        heads=(_("In"), pgettext("people", "Out"), _("Inside")),
        rows=tuple(
            (
                day_and_time(each.begins.astimezone(zone), "HH:mm" if len(days) == 1 else "d MMM HH:mm"),
                *(str(count) for count in each[1:]),
            )
            for each in told.slices
        ),
    )
