"""The report of an evening as the API tells it: what the file of JSON has, as structs."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kiosk.ledger.report import Report
from kiosk.ledger.report_forms import as_json


class ReportGate(msgspec.Struct, frozen=True, kw_only=True):
    """What went through a gate; `refused` are codes and guests who were told no."""

    came_in: int
    went_out: int
    refused: int


class ReportSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Five minutes in which somebody came or went, and who was inside at their end."""

    begins: datetime
    came_in: int
    went_out: int
    inside: int


class ReportNote(msgspec.Struct, frozen=True, kw_only=True):
    """Good tickets with a note, and those of them whose people came, or are inside."""

    tickets: int
    came: int
    inside: int


class ReportAired(msgspec.Struct, frozen=True, kw_only=True):
    """A destination of the stream; times in seconds."""

    name: str
    live_s: float
    gaps: int
    missing_s: float
    longest_s: float


class ReportStream(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the stream in that evening."""

    aired: tuple[ReportAired, ...]
    recordings: int
    recorded_s: float


class EveningReport(msgspec.Struct, frozen=True, kw_only=True):
    """The evening in numbers, without names: expected = came - irregular + no_shows, on tickets."""

    slug: str
    event: str
    starts_at: datetime | None
    made_at: datetime
    capacity: int
    tickets: int
    expected: int
    came: int
    guests: int
    irregular: int
    no_shows: int
    absent: int
    walk_ins: int
    inside: int
    peak: int
    peak_at: datetime | None
    corrections: int
    unsure: int
    refusals: dict[str, int]
    gates: dict[str, ReportGate]
    five_minutes: tuple[ReportSlice, ...]
    notes: dict[str, ReportNote]
    other_notes: ReportNote
    stream: ReportStream


def evening_report(told: Report) -> EveningReport:
    """The report as the file of JSON has it."""
    return msgspec.convert(as_json(told), EveningReport)
