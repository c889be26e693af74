"""The agenda: what is next, what is on by the clock, changes by hand, and its file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.agenda import MOST_TALKS, Agenda, AgendaError, AgendaFile, AgendaNotKept, Talk, UnknownTalk

SEVEN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return SEVEN + timedelta(minutes=minutes)


EVENING = Agenda(
    event="November talks",
    talks=(
        Talk(id="a", title="First", speaker="Ada", starts_at=at(0), minutes=20),
        Talk(id="b", title="Second", starts_at=at(30)),
        Talk(id="c", title="Third", starts_at=at(60)),
    ),
)


def test_the_next_talk_is_the_next_on_stage() -> None:
    assert [EVENING.next_after(each) for each in (None, "a", "b", "c")] == [*EVENING.talks, None]
    assert Agenda().next_after(None) is None


@pytest.mark.parametrize(
    ("minute", "on"),
    [(-1, None), (0, "a"), (19.9, "a"), (20, None), (30, "b"), (59, "b"), (60, "c"), (119, "c"), (121, None)],
)
def test_the_clock_says_which_talk_is_on(minute: float, on: str | None) -> None:
    due = EVENING.due(at(minute))
    assert (due.id if due else None) == on


def test_a_short_talk_inside_a_long_one_is_on_and_then_the_long_one_again() -> None:
    nested = Agenda(
        talks=(
            Talk(id="long", title="Workshop", starts_at=at(0), minutes=90),
            Talk(id="short", title="Lightning", starts_at=at(30), minutes=5),
        )
    )
    assert [getattr(nested.due(at(m)), "id", None) for m in (10, 32, 40)] == ["long", "short", "long"]


def test_the_order_on_stage_is_the_organizer_s_whatever_the_times_say() -> None:
    moved = EVENING.move("c", before="a")
    assert [talk.id for talk in moved.talks] == ["c", "a", "b"]
    assert moved.due(at(31)) == EVENING.talk("b")
    assert [talk.id for talk in moved.move("c", before=None).talks] == ["a", "b", "c"]
    assert moved.move("c", before="c") == moved


def test_an_added_talk_goes_where_its_time_says_and_has_an_id_of_its_own() -> None:
    more = EVENING.add(title="Second", starts_at=at(40)).add(title="دردشة").add(title="Second")
    assert [talk.title for talk in more.talks] == ["First", "Second", "Second", "Third", "دردشة", "Second"]
    assert [talk.id for talk in more.talks] == ["a", "b", "second", "c", "talk", "second-2"]


def test_a_talk_is_changed_in_its_place_and_deleted() -> None:
    changed = EVENING.change(Talk(id="b", title="Other", speaker="O'Brien"))
    assert changed.talks[1].speaker == "O'Brien"
    assert [talk.id for talk in changed.remove("b").talks] == ["a", "c"]


@pytest.mark.parametrize("ask", [EVENING.talk, EVENING.next_after, EVENING.remove])
def test_a_talk_that_is_gone_is_said(ask: object) -> None:
    with pytest.raises(UnknownTalk, match="no talk 'gone'"):
        ask("gone")  # type: ignore[operator]
    with pytest.raises(UnknownTalk):
        EVENING.move("a", before="gone")
    with pytest.raises(UnknownTalk):
        EVENING.change(Talk(id="gone", title="x"))


@pytest.mark.parametrize(
    ("talk", "says"),
    [
        ({"title": " "}, "needs a title"),
        ({"title": "x" * 501}, "cannot be kept"),
        ({"title": "x", "minutes": 0}, "minutes"),
        ({"title": "x", "starts_at": SEVEN.replace(tzinfo=None)}, "no time zone"),
    ],
)
def test_a_talk_that_cannot_be_is_refused_in_words(talk: dict[str, object], says: str) -> None:
    with pytest.raises(AgendaError, match=says):
        EVENING.add(**talk)  # type: ignore[arg-type]
    with pytest.raises(AgendaError, match=says):
        EVENING.change(Talk(id="a", **talk))  # type: ignore[arg-type]


def test_two_talks_of_one_id_and_too_many_talks_are_refused() -> None:
    with pytest.raises(AgendaError, match="'a'"):
        Agenda(talks=(EVENING.talks[0], EVENING.talks[0]))
    full = Agenda(talks=tuple(Talk(id=f"t{n}", title="x") for n in range(MOST_TALKS)))
    with pytest.raises(AgendaError, match="delete some first"):
        full.add(title="one more")


@given(titles=st.lists(st.text(min_size=1, max_size=80).filter(str.strip), max_size=12))
def test_any_title_can_be_typed_and_survives_a_power_cut(titles: list[str], tmp_path_factory: object) -> None:
    file = AgendaFile(tmp_path_factory.mktemp("agenda") / "agenda.json")  # type: ignore[attr-defined]
    agenda = Agenda(event="x")
    for title in titles:
        agenda = agenda.add(title=title, starts_at=SEVEN)
    file.write(agenda)
    assert file.read() == agenda
    assert [talk.title for talk in agenda.talks] == [title.strip() for title in titles]


def test_no_file_and_a_broken_one_are_an_empty_agenda(tmp_path: Path) -> None:
    path = tmp_path / "agenda.json"
    assert AgendaFile(path).read() == Agenda()
    for broken in (b"{", b"\xff\xfe", b'{"talks": [{"id": "a", "title": "x"}, {"id": "a", "title": "x"}]}'):
        path.write_bytes(broken)
        assert AgendaFile(path).read() == Agenda()


def test_an_agenda_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AgendaNotKept, match="cannot be written"):
        AgendaFile(tmp_path / "file" / "agenda.json").write(EVENING)
