"""Which moment belongs to which file of the recording."""

from __future__ import annotations

import msgspec
import pytest

from stream.order import Order
from stream.program import STOPPED, Command, obey, remembering
from stream.takes import Take, next_take
from stream.talks import FixedTalks, TalkInfo, Talks

SHY = TalkInfo(id="c", title="Third", do_not_record=True)
TALKS = FixedTalks([TalkInfo(id="a", title="First"), TalkInfo(id="b", title="Second"), SHY])


def takes(*commands: Command, talks: Talks = TALKS) -> list[Take]:
    order, take, made = STOPPED, None, []
    for command in commands:
        order = obey(order, command, talks, "t")
        take = next_take(take, order, talks)
        made.append(take)
    return made


@pytest.mark.parametrize(
    ("commands", "numbers"),
    [
        (["go_live", "camera"], [1, 1]),
        (["go_live", "next_talk", "introduced"], [1, 2, 2]),
        (["go_live", "next_talk", "introduced", "next_talk", "introduced"], [1, 2, 2, 3, 3]),
        (["start", "next_talk", "take_break", "camera", "hide_camera", "undo"], [1, 2, 2, 2, 2, 2]),
        (["start", "next_talk", "introduced", "end"], [1, 2, 2, 3]),
        (["start", "next_talk", "introduced", "end", "undo"], [1, 2, 2, 3, 4]),
        (["start", "next_talk", "undo"], [1, 2, 3]),
        (["start", "next_talk", "introduced", "go_live"], [1, 2, 2, 3]),
    ],
)
def test_a_talk_is_one_take_from_its_slate_to_the_next_ones(commands: list[Command], numbers: list[int]) -> None:
    assert [take.number for take in takes(*commands)] == numbers


def test_without_an_agenda_each_next_begins_a_take() -> None:
    made = takes("start", "next_talk", "introduced", "next_talk", "next_talk", "take_break", talks=FixedTalks())
    assert [take.number for take in made] == [1, 2, 2, 3, 3, 3]


def test_a_take_knows_its_talk_and_what_is_shown() -> None:
    before, slate, camera, end = takes("go_live", "next_talk", "introduced", "end")
    assert (before.talk, before.program) == (None, "starting")
    assert (slate.talk, slate.program) == (TALKS.talk("a"), "next")
    assert (camera.talk, camera.program) == (TALKS.talk("a"), "camera")
    assert (end.talk, end.program) == (None, "end")


def test_a_speakers_wish_holds_for_all_of_the_talk_and_for_nothing_else() -> None:
    made = takes("start", "next_talk", "next_talk", "camera", "next_talk", "camera", "next_talk", "take_break", "end")
    assert [take.is_recorded for take in made] == [True] * 6 + [False, False, True]


def test_a_wish_is_kept_when_the_talk_is_deleted_while_it_is_on_also_over_a_power_cut() -> None:
    order = obey(obey(STOPPED, "start", TALKS, "t"), "next_talk", FixedTalks([SHY]), "t")
    kept = msgspec.json.decode(msgspec.json.encode(remembering(order, order, FixedTalks())), type=Order)
    assert next_take(None, kept, FixedTalks()) == Take(number=1, program="next", talk_id="c", talk=SHY)


def test_a_wish_is_kept_when_undo_goes_back_to_a_talk_that_was_deleted() -> None:
    order = obey(obey(STOPPED, "start", TALKS, "t"), "next_talk", FixedTalks([SHY]), "t")
    order = obey(order, "put_on_stage", FixedTalks([TalkInfo(id="a", title="First")]), "t", "a")
    assert not next_take(None, obey(order, "undo", FixedTalks(), "t"), FixedTalks()).is_recorded


def test_a_wish_that_is_taken_back_in_the_agenda_holds_no_more() -> None:
    order = obey(obey(STOPPED, "start", TALKS, "t"), "next_talk", FixedTalks([SHY]), "t")
    willing = FixedTalks([TalkInfo(id="c", title="Third")])
    assert remembering(order, order, willing).remembered == (willing.talk("c"),)
    assert next_take(None, order, willing).is_recorded
