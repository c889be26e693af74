"""What happened at the door of an evening, in numbers and without names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from kiosk.ledger.ledger import Ledger
from kiosk.ledger.records import Event

_STEP = timedelta(minutes=10)
_EVERYTHING = 1_000_000  # rows; an evening has some hundred


class Report(NamedTuple):
    """An evening in numbers."""

    event: str
    tickets: int
    came: int  # tickets whose people came (walk-ins not among them)
    no_shows: int
    walk_ins: int  # people
    peak: int  # people inside at the fullest moment
    inside: int
    refusals: Mapping[str, int]
    arrivals: Mapping[datetime, int]  # people who came in, by ten minutes
    notes: Mapping[str, int]  # tickets with each note, of all that are worth something
    notes_inside: Mapping[str, int]  # and those of them with somebody inside


def report(ledger: Ledger, event: Event, zone: tzinfo = UTC) -> Report:
    """Count an event's rows; arrivals are told in `zone`."""
    rows = list(reversed(ledger.recent_scans(event, _EVERYTHING)))
    found = ledger.states(event)
    real = [each for each in found if not each.ticket.is_walk_in]
    came = sum(each.last_at is not None for each in real)
    peak = inside = 0
    arrivals: Counter[datetime] = Counter()
    for row in rows:
        inside += row.delta
        peak = max(peak, inside)
        if row.kind == "entry" and not row.is_undone and row.delta:
            arrivals[
                datetime.fromtimestamp(row.at.timestamp() // _STEP.total_seconds() * _STEP.total_seconds(), zone)
            ] += row.delta
    notes: Counter[str] = Counter()
    notes_inside: Counter[str] = Counter()
    for each in found:
        if each.ticket.status == "paid":
            for note in filter(None, (part.strip().casefold() for part in (each.ticket.note or "").split(","))):
                notes[note] += 1
                notes_inside[note] += min(each.inside, 1)
    return Report(
        event=event.name,
        tickets=len(real),
        came=came,
        no_shows=len(real) - came,
        walk_ins=sum(each.ticket.persons for each in found if each.ticket.is_walk_in and each.last_at is not None),
        peak=peak,
        inside=inside,
        refusals={str(reason): count for reason, count in sorted(ledger.refusals(event).items())},
        arrivals=dict(sorted(arrivals.items())),
        notes=dict(sorted(notes.items())),
        notes_inside=dict(sorted(notes_inside.items())),
    )


def as_text(told: Report) -> str:
    """For people."""
    lines = [
        told.event,
        f"  tickets {told.tickets}, came {told.came}, no-shows {told.no_shows}, walk-ins {told.walk_ins}",
        f"  inside now {told.inside}, at most {told.peak}",
    ]
    if told.refusals:
        lines.append("  refused: " + ", ".join(f"{count} {reason}" for reason, count in told.refusals.items()))
    most = max(told.arrivals.values(), default=1)
    for when, count in told.arrivals.items():
        lines.append(f"  {when:%H:%M} {count:4} {'▇' * max(1, round(40 * count / most))}")
    for note, count in told.notes.items():
        lines.append(f"  {note}: {count}, of them inside {told.notes_inside[note]}")
    return "\n".join(lines)
