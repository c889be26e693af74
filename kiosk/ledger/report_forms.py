"""The report of an evening for a terminal, for programs (JSON) and for spreadsheets (CSV)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from kiosk.ledger.report import Report

_BAR = 40  # characters
# What makes a spreadsheet take a text for a formula (OWASP, "CSV Injection"), also in the wide forms of East Asia.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
TOTALS = (  # what is one number each, in the order in which it is told
    *("capacity", "tickets", "expected", "came", "guests", "irregular", "no_shows", "absent", "walk_ins"),
    *("inside", "peak", "corrections", "unsure"),
)


def as_text(told: Report) -> str:
    """For people at a terminal."""
    lines = [
        told.event,
        f"  tickets {told.tickets} for {told.expected} people",
        f"  came {told.came} (of them guests {told.guests}), no-shows {told.no_shows}, walk-ins {told.walk_ins}",
        f"  inside now {told.inside}, at most {told.peak}" + (f" at {told.peak_at:%H:%M}" if told.peak_at else ""),
    ]
    if told.irregular:
        lines.append(f"  let in on tickets that are not good: {told.irregular}")
    if told.corrections:
        lines.append(f"  corrected by hand: {told.corrections:+}")
    if told.refusals:
        lines.append("  refused: " + ", ".join(f"{count} {reason}" for reason, count in told.refusals.items()))
    for name, gate in told.gates.items():
        lines.append(f"  gate {name}: in {gate.came_in}, out {gate.went_out}, refused {gate.refused}")
    most = max((each.came_in for each in told.slices), default=0) or 1
    for each in told.slices:
        if each.came_in:
            bar = "▇" * max(1, round(_BAR * each.came_in / most))
            lines.append(f"  {each.begins:%H:%M} {each.came_in:4} {bar}")
    for note, count in told.notes.items():
        lines.append(f"  {note}: {count.tickets}, came {count.came}, of them inside {count.inside}")
    other = told.other_notes
    if other.tickets:
        lines.append(f"  other notes: {other.tickets}, came {other.came}, of them inside {other.inside}")
    for aired in told.stream.aired:
        missing = f", {aired.gaps} gap(s) of {aired.missing_s:.0f} s, at most {aired.longest_s:.0f} s"
        gaps = missing if aired.gaps else ""
        lines.append(f"  stream to {aired.name}: live {aired.live_s / 60:.0f} min{gaps}")
    if told.stream.recordings:
        lines.append(f"  recorded {told.stream.recorded_s / 60:.0f} min in {told.stream.recordings} file(s)")
    if told.unsure:
        lines.append(f"  {told.unsure} rows have a time that nobody confirmed: arrivals and peak may be off")
    return "\n".join(lines)


def as_json(told: Report) -> dict[str, Any]:
    """One object of plain values; times are ISO 8601 with their offset."""
    return {
        "slug": told.slug,
        "event": told.event,
        "starts_at": told.starts_at and told.starts_at.isoformat(),
        "made_at": told.made_at.isoformat(timespec="seconds"),
        **{name: getattr(told, name) for name in TOTALS},
        "peak_at": told.peak_at and told.peak_at.isoformat(timespec="seconds"),
        "refusals": dict(told.refusals),
        "gates": {name: gate._asdict() for name, gate in told.gates.items()},
        "five_minutes": [{**each._asdict(), "begins": each.begins.isoformat()} for each in told.slices],
        "notes": {note: count._asdict() for note, count in told.notes.items()},
        "other_notes": told.other_notes._asdict(),
        "stream": {**told.stream._asdict(), "aired": [each._asdict() for each in told.stream.aired]},
    }


def as_csv(told: Report) -> bytes:
    """One table, a number a line, with the mark by which spreadsheets know UTF-8."""
    file = io.StringIO()
    sheet = csv.writer(file)
    sheet.writerow(("part", "name", "what", "count"))
    for part, name, counts in _parts(told):
        sheet.writerows((part, neutral(name), what, count) for what, count in counts.items())
    return file.getvalue().encode("utf-8-sig")


def neutral(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def _parts(told: Report) -> Iterator[tuple[str, str, Mapping[str, int]]]:
    yield "event", told.event, {name: getattr(told, name) for name in TOTALS}
    if told.peak_at:
        yield "peak", told.peak_at.isoformat(timespec="seconds"), {"inside": told.peak}
    for reason, count in told.refusals.items():
        yield "refusals", reason, {"refused": count}
    for name, gate in told.gates.items():
        yield "gates", name, gate._asdict()
    for each in told.slices:
        yield "five minutes", each.begins.isoformat(), {key: getattr(each, key) for key in each._fields[1:]}
    for note, noted in told.notes.items():
        yield "notes", note, noted._asdict()
    yield "other notes", "", told.other_notes._asdict()
    for aired in told.stream.aired:
        counts = {"live seconds": aired.live_s, "gaps": aired.gaps, "seconds missing": aired.missing_s}
        yield "stream", aired.name, {name: round(count) for name, count in counts.items()}
    if told.stream.recordings:
        counts = {"files": told.stream.recordings, "seconds": told.stream.recorded_s}
        yield "recordings", "", {name: round(count) for name, count in counts.items()}
