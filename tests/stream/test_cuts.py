"""The recording hears of another talk before that is shown; but what must not be recorded is off the air first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stream_stage import SMALL, until

from hardware.clock import ManualClock, Stamp
from stream.director import Director
from stream.recording import NOT_RECORDED
from stream.settings import StreamSettings
from stream.talks import FixedTalks, TalkInfo

OPEN, SHY = TalkInfo(id="o", title="Open"), TalkInfo(id="s", title="Shy", do_not_record=True)


class Onlooker(ManualClock):
    """Stands still, so that nothing goes on by itself, and calls `look` when the test's own thread asks for the date.

    The mixer does, for the slate that it is about to show.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ours = threading.current_thread()
        self.look: Callable[[], None] = lambda: None

    def stamp(self) -> Stamp:
        if threading.current_thread() is self._ours:
            self.look()
        return super().stamp()


@pytest.fixture
def onlooker() -> Onlooker:
    return Onlooker()


@pytest.fixture
def director(tmp_path: Path, onlooker: Onlooker) -> Iterator[Director]:
    """A break."""
    of = StreamSettings(picture=SMALL)
    with Director(of, {}, tmp_path / "state", tmp_path / "run", onlooker, talks=FixedTalks([OPEN, SHY])) as made:
        made.go_live()
        made.take_break()
        yield made


def is_recorded(director: Director) -> bool:
    return director.state().legs[0].cause != NOT_RECORDED


def test_the_recording_hears_of_another_talk_before_that_is_shown(director: Director, onlooker: Onlooker) -> None:
    seen: list[bool] = []

    def look() -> None:
        if director.state().talk == SHY:
            until(lambda: not is_recorded(director), what="the recording heard of it")
            seen.append(True)

    director.put_on_stage(OPEN.id)
    onlooker.look = look
    director.put_on_stage(SHY.id)
    assert seen


def test_a_talk_that_must_not_be_recorded_is_off_the_air_before_the_recording_goes_on(
    director: Director, onlooker: Onlooker
) -> None:
    seen: list[bool] = []

    def look() -> None:
        if director.state().talk == OPEN:
            with pytest.raises(AssertionError, match="it goes on"):
                until(lambda: is_recorded(director), 0.3, "it goes on")
            seen.append(True)

    director.put_on_stage(SHY.id)
    until(lambda: not is_recorded(director))
    onlooker.look = look
    director.put_on_stage(OPEN.id)
    assert seen


def test_after_a_talk_that_must_not_be_recorded_the_recording_goes_on_at_once(
    director: Director, tmp_path: Path
) -> None:
    slates = tmp_path / "run" / "slates"
    until(lambda: len(list(slates.glob("*.ts"))) > 1, what="the agenda was looked at, which is not due again by now")
    director.put_on_stage(SHY.id)
    until(lambda: not is_recorded(director))
    director.put_on_stage(OPEN.id)
    until(lambda: is_recorded(director))
