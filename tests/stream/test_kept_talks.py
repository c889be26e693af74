"""The director's talks come from the agenda's file, and follow it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hardware.clock import ManualClock
from stream.agenda import Agenda, AgendaFile, Talk
from stream.kept_talks import KeptTalks

SEVEN = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
EVENING = Agenda(
    talks=(
        Talk(id="a", title="First", speaker="Ann", starts_at=SEVEN, minutes=20),
        Talk(id="b", title="Second", starts_at=SEVEN + timedelta(minutes=30), minutes=20),
    )
)


def titles(talks: KeptTalks, *after: str | None) -> list[str | None]:
    found = [talks.next_after(each) for each in after]
    return [each.title if each else None for each in found]


def kept(folder: Path, at: datetime) -> tuple[KeptTalks, AgendaFile, ManualClock]:
    file, clock = AgendaFile(folder / "agenda.json"), ManualClock(at)
    file.write(EVENING)
    return KeptTalks(file, clock), file, clock


def test_talks_follow_each_other_and_the_clock_says_where_to_begin(tmp_path: Path) -> None:
    talks, _, clock = kept(tmp_path, SEVEN - timedelta(hours=1))
    assert titles(talks, None, "a", "b", "gone") == ["First", "Second", None, "First"]
    clock.advance(65 * 60)  # the first talk is on
    assert titles(talks, None) == ["First"]
    clock.advance(20 * 60)  # a pause
    assert titles(talks, None) == ["Second"]
    clock.advance(24 * 3600)
    assert titles(talks, None) == ["First"]


def test_an_agenda_that_is_replaced_is_read_within_a_second(tmp_path: Path) -> None:
    talks, file, clock = kept(tmp_path, SEVEN)
    file.write(EVENING.add(title="Third"))
    clock.advance(1)
    assert titles(talks, "b") == ["Third"]
    first = talks.talk("a")
    assert first is not None and first.speaker == "Ann"
    assert talks.talk("gone") is None
