"""The director's talks come from the agenda's file, and follow it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from hardware.clock import ManualClock
from stream.agenda import Agenda, AgendaChanged, AgendaError, AgendaFile, AgendaNotKept, Talk
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


def revision(talks: KeptTalks) -> str:
    return talks.kept().revision


def test_a_change_is_on_the_disk_and_holds_at_once(tmp_path: Path) -> None:
    talks, file, clock = kept(tmp_path, SEVEN)
    talks.replace(EVENING.remove("a"), revision(talks))
    assert talks.talk("a") is None
    assert file.read() == KeptTalks(file, clock).kept().agenda == EVENING.remove("a")


def test_of_two_phones_the_second_hears_that_the_agenda_changed(tmp_path: Path) -> None:
    talks, _, _ = kept(tmp_path, SEVEN)
    seen_by_both = revision(talks)
    talks.replace(EVENING.remove("a"), seen_by_both)
    with pytest.raises(AgendaChanged, match="changed meanwhile"):
        talks.replace(EVENING.remove("b"), seen_by_both)
    assert talks.kept().agenda == EVENING.remove("a")


def test_an_import_of_this_very_moment_is_not_overwritten(tmp_path: Path) -> None:
    talks, file, _ = kept(tmp_path, SEVEN)
    seen = revision(talks)
    imported = EVENING.add(title="Third")
    file.write(imported)  # the clock stands still: nobody has looked since
    with pytest.raises(AgendaChanged):
        talks.replace(EVENING.remove("b"), seen)
    assert file.read() == imported


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda agenda: agenda.remove("a"), "“First” is there again"),
        (lambda agenda: agenda.add(title="T" * 100), f"without “{'T' * 60}…”"),
        (lambda agenda: agenda.change(replace(agenda.talk("b"), speaker="Zoë")), "“Second” as it was before"),
        (lambda agenda: agenda.move("a", before=None), "the order before"),
        (lambda _: Agenda(talks=(Talk(id="x", title="Another evening"),)), "the 2 talks before"),
        (lambda agenda: agenda, ""),
    ],
)
def test_the_last_change_is_undone_and_what_that_does_is_said(
    tmp_path: Path, change: Callable[[Agenda], Agenda], words: str
) -> None:
    talks, file, clock = kept(tmp_path, SEVEN)
    talks.replace(change(EVENING), revision(talks))
    talks = KeptTalks(file, clock)  # also after a power cut
    assert talks.kept().undo == words
    if words:
        talks.undo(revision(talks))
    assert talks.kept().agenda == EVENING


def test_an_import_can_be_undone_too(tmp_path: Path) -> None:
    talks, file, clock = kept(tmp_path, SEVEN)
    file.write(Agenda(talks=(Talk(id="x", title="Another evening"),)))
    clock.advance(1)
    assert talks.kept().undo == "the 2 talks before"
    talks.undo(revision(talks))
    assert talks.kept().agenda == EVENING


def test_without_a_change_there_is_nothing_to_undo(tmp_path: Path) -> None:
    talks, _, _ = kept(tmp_path, SEVEN)
    with pytest.raises(AgendaError, match="nothing to undo"):
        talks.undo(revision(talks))


def test_an_agenda_too_long_for_the_bus_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    talks, _, _ = kept(tmp_path, SEVEN)
    long = Agenda(talks=tuple(Talk(id=f"t{n}", title="名" * 500) for n in range(400)))
    with pytest.raises(AgendaError, match="shorten"):
        talks.replace(long, revision(talks))
    assert talks.kept().agenda == EVENING


def test_a_disk_that_is_full_is_said_and_the_change_holds_until_then(tmp_path: Path) -> None:
    talks, file, clock = kept(tmp_path, SEVEN)
    (tmp_path / "agenda.before.json").mkdir()  # nothing can be written there
    with pytest.raises(AgendaNotKept, match="after a power cut"):
        talks.replace(EVENING.remove("a"), revision(talks))
    clock.advance(5)
    assert talks.kept().agenda == EVENING.remove("a")
    assert file.read() == EVENING


def test_a_talk_that_came_early_is_followed_by_those_it_came_in_front_of(tmp_path: Path) -> None:
    talks, file, clock = kept(tmp_path, SEVEN)
    file.write(Agenda(talks=tuple(Talk(id=each, title=each.upper()) for each in "abcd")))
    clock.advance(1)
    talks.bring_forward("d", after="a")
    assert titles(talks, "a", "d", "b", "c") == ["D", "B", "C", None]
    talks.bring_forward("d", after="a")  # as it stands
    talks.bring_forward("gone", after="a")
    talks.bring_forward("c", after=None)
    assert titles(talks, None, "c", "a") == ["C", "A", "D"]
