"""Slates are there before they are needed, and whatever goes wrong there is one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from stream_stage import SMALL, until

from hardware.clock import ManualClock
from stream.artist import PlainArtist, SlateKind
from stream.settings import Picture
from stream.studio import Studio
from stream.talks import TalkInfo
from stream.wishes import Wish

AT = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
TALK = TalkInfo(id="a", title="Why a platypus lays eggs, and what that means for RTMP", speaker="Łukasz O'Brien")
KINDS: tuple[SlateKind, ...] = ("starting", "next", "break", "end", "hidden")
Begin = Callable[..., Studio]


class FlatArtist:
    """Paints one colour, and notes what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.asked: list[tuple[object, ...]] = []
        self.fail_with: Exception | None = None
        self.content: bytes | None = None

    def draw(
        self, kind: SlateKind, talk: TalkInfo | None, starts_at: datetime | None, now: datetime, picture: Picture
    ) -> list[Path]:
        self.asked.append((kind, talk, starts_at))
        if self.fail_with is not None:
            raise self.fail_with
        path = self._folder / "flat.png"
        if self.content is not None:
            path.write_bytes(self.content)
        else:
            Image.new("RGB", (picture.width_px, picture.height_px), "teal").save(path)
        return [path]


@pytest.fixture
def begin(tmp_path: Path, still_clock: ManualClock) -> Iterator[Begin]:
    begun: list[Studio] = []

    def build(artist: FlatArtist | None = None) -> Studio:
        begun.append(Studio(tmp_path / "slates", SMALL, still_clock, artist))
        begun[-1].start()
        return begun[-1]

    yield build
    for each in begun:
        each.stop()


def test_there_is_a_slate_before_anybody_asked_for_one(begin: Begin) -> None:
    studio = begin()
    until(lambda: studio.best(Wish("break")))


def test_a_wish_is_fulfilled_and_until_then_the_built_in_slate_stands_in(begin: Begin, tmp_path: Path) -> None:
    artist = FlatArtist(tmp_path)
    studio = begin(artist)
    built_in = until_there(studio, Wish("next", TALK))
    studio.want([Wish("next", TALK), Wish("end")])
    until(lambda: studio.best(Wish("next", TALK)) is not built_in)
    until(lambda: studio.best(Wish("end")) is not built_in)
    assert artist.asked == [("next", TALK, None), ("end", None, None)], "each once, in the order of the wishes"
    other = Wish("next", TalkInfo(id="b", title="Another"))
    assert studio.best(other) is built_in, "never a wrong name"


def until_there(studio: Studio, wish: Wish) -> object:
    until(lambda: studio.best(wish))
    return studio.best(wish)


def test_a_countdown_may_be_a_minute_off_while_the_right_one_is_made_and_no_more(begin: Begin, tmp_path: Path) -> None:
    artist = FlatArtist(tmp_path)
    studio = begin(artist)
    plain = Wish("starting", TALK)
    twelve = Wish("starting", TALK, AT, 12)
    built_in = until_there(studio, twelve)
    studio.want([twelve, plain])
    until(lambda: studio.best(plain) is not built_in)
    assert artist.asked == [("starting", TALK, AT), ("starting", TALK, None)]
    assert studio.best(twelve._replace(minutes_left=11)) is studio.best(twelve)
    assert studio.best(twelve._replace(minutes_left=9)) is studio.best(plain)
    later = Wish("starting", TALK, AT + timedelta(hours=1), 12)
    assert studio.best(later) is studio.best(plain)


@pytest.mark.parametrize("trouble", ["raises", "no picture"])
def test_an_artist_that_fails_is_replaced_by_the_plain_one(
    begin: Begin, tmp_path: Path, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    artist = FlatArtist(tmp_path)
    if trouble == "raises":
        artist.fail_with = ZeroDivisionError("logo of no width")
    else:
        artist.content = b"\x89PNG\r\n\x1a\n broken"
    studio = begin(artist)
    built_in = until_there(studio, Wish("end"))
    with caplog.at_level(logging.ERROR):
        studio.want([Wish("end")])
        until(lambda: studio.best(Wish("end")) is not built_in)
    assert "slate=end event=not-made" in caplog.text
    assert studio.quiet_s < 60


def test_what_was_made_is_there_at_once_after_a_restart_and_made_anew(begin: Begin, tmp_path: Path) -> None:
    first = begin()
    built_in = until_there(first, Wish("end"))
    first.want([Wish("end")])
    until(lambda: first.best(Wish("end")) is not built_in)
    first.stop()
    for spoiled in (tmp_path / "slates").glob("hidden-*.ts"):
        spoiled.write_bytes(spoiled.read_bytes()[: 188 * 50])
    artist = FlatArtist(tmp_path)
    second = begin(artist)
    until_there(second, Wish("end"))
    second.want([Wish("end")])
    until(lambda: artist.asked == [("end", None, None)])


def test_no_more_than_a_dozen_are_kept_and_never_too_few(begin: Begin, tmp_path: Path) -> None:
    studio = begin(FlatArtist(tmp_path))
    countdown = [Wish("starting", TALK, AT, minute) for minute in range(20, 4, -1)]
    built_in = until_there(studio, Wish("end"))
    for wish in countdown:
        studio.want([wish, Wish("end")])
        until(lambda wish=wish: studio.best(wish) is not built_in and studio.best(Wish("end")) is not built_in, 20)
    until(lambda: len(list((tmp_path / "slates").glob("*.ts"))) <= 13, what="twelve and the built-in one")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1280, 720), (320, 180)])
def test_the_plain_artist_draws_anything_inside_the_picture(
    tmp_path: Path, kind: SlateKind, size: tuple[int, int]
) -> None:
    long = TalkInfo(id="x", title="Donaudampfschifffahrtsgesellschaftskapitän " * 12, speaker="W" * 300)
    for talk in (None, TALK, long, TalkInfo(id="e", title=" ", speaker="")):
        picture = Picture(width_px=size[0], height_px=size[1])
        (path,) = PlainArtist(tmp_path).draw(kind, talk, AT, AT - timedelta(minutes=12), picture)
        with Image.open(path) as drawn:
            assert drawn.size == size
            box = drawn.convert("L").point(lambda value: 255 if value > 60 else 0).getbbox()
        assert box is not None, "there are words"
        assert box[0] > 0
        assert box[2] < size[0]
