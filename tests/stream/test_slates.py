"""Slates: looked at as a viewer sees them, by their pixels. No picture is compared with a stored one."""

from __future__ import annotations

import itertools
import logging
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from stream.agenda import Talk
from stream.lettering import Lettering
from stream.look import BadLook, Look, read_look
from stream.settings import Picture
from stream.slate_words import SLATE_WORDS, SlateWords
from stream.slates import Rota, SlateError, SlateKind, Slates

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 24, 17, 48, tzinfo=UTC)
SEVEN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
KINDS = get_args(SlateKind)
SMALL = Picture(width_px=640, height_px=360)
TALK = Talk(id="a", title="Rust on a 2 € sensor", speaker="Łukasz O'Brien", starts_at=SEVEN)
GROUND = Look().background


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "look"
    (made / "sponsors").mkdir(parents=True)
    return made


@pytest.fixture
def slates(folder: Path, tmp_path: Path) -> Slates:
    return Slates(folder, tmp_path / "out", PARIS, "November talks")


def drawn(slates: Slates, kind: str, talk: Talk | None = TALK, picture: Picture = SMALL) -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in slates.draw(kind, talk, SEVEN, NOW, picture)]


def ink(picture: Image.Image, ground: str = GROUND) -> tuple[int, int, int, int]:
    """The box of all that is not background."""
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, ground)).getbbox()
    assert box is not None, "an empty slate"
    return box


def assert_safe(picture: Image.Image) -> None:
    left, top, right, bottom = ink(picture)
    width, height = picture.size
    assert left >= 0.05 * width and right <= 0.95 * width + 1e-9, (left, right, width)
    assert top >= 0.05 * height and bottom <= 0.95 * height + 1e-9, (top, bottom, height)


def fill(folder: Path, count: int) -> list[tuple[int, int, int]]:
    """Sponsors of one flat colour each; returns the colours in the order of their names."""
    colours = [(40 + 40 * (n // 16), 250 - 60 * (n // 4 % 4), 250 - 60 * (n % 4)) for n in range(count)]
    for n, colour in enumerate(colours):
        Image.new("RGB", (300, 100), colour).save(folder / "sponsors" / f"{n:02d}.png")
    return colours


def colours_in(picture: Image.Image) -> set[tuple[int, int, int]]:
    return {colour for count, colour in picture.getcolors(1 << 24) or [] if count > 100}  # type: ignore[misc]


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 480), (160, 90), (160, 1080), (1920, 90)])
@pytest.mark.parametrize("kind", KINDS)
def test_every_slate_keeps_to_the_safe_area_at_every_size(
    slates: Slates, folder: Path, kind: str, size: tuple[int, int]
) -> None:
    fill(folder, 6)
    Image.new("RGB", (200, 200), "#2a9d8f").save(folder / "logo.png")
    for picture in drawn(slates, kind, picture=Picture(width_px=size[0], height_px=size[1])):
        assert picture.size == size
        assert_safe(picture)
    assert slates.warnings == ()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(max_size=400), speaker=st.text(max_size=200), kind=st.sampled_from(["next", "break"]))
def test_any_title_stays_inside(slates: Slates, title: str, speaker: str, kind: str) -> None:
    talk = Talk(id="a", title=title, speaker=speaker, starts_at=SEVEN)
    for picture in drawn(slates, kind, talk):
        assert_safe(picture)
    assert slates.warnings == ()


@pytest.mark.parametrize("kind", KINDS)
def test_without_anything_there_is_still_a_slate(tmp_path: Path, kind: str) -> None:
    slates = Slates(tmp_path / "absent", tmp_path / "out", PARIS)
    (path,) = slates.draw(kind, None, None, NOW, SMALL)
    assert_safe(Image.open(path).convert("RGB"))
    assert slates.warnings == ()


def test_what_the_agenda_says_changes_the_slate(slates: Slates) -> None:
    one, other = (
        slates.draw("next", talk, None, NOW, SMALL) for talk in (TALK, Talk(id="a", title="Other", starts_at=SEVEN))
    )
    assert one != other


def test_the_countdown_goes_on_and_the_same_minute_is_the_same_file(slates: Slates) -> None:
    first = slates.draw("starting", None, SEVEN, NOW, SMALL)
    assert slates.draw("starting", None, SEVEN, NOW + timedelta(seconds=60), SMALL) != first
    assert slates.draw("starting", None, SEVEN, NOW, SMALL) == first


def test_every_sponsor_has_its_turn_and_as_many_as_the_others(slates: Slates, folder: Path) -> None:
    colours = fill(folder, 14)
    seen: Counter[tuple[int, int, int]] = Counter()
    for _ in range(2):  # 12 places a loop
        for picture in drawn(slates, "break"):
            seen.update(colours_in(picture) & set(colours))
    assert set(seen) == set(colours)
    for _ in range(5):  # 7 loops of 12 are 6 turns of 14
        for picture in drawn(slates, "break"):
            seen.update(colours_in(picture) & set(colours))
    assert set(seen.values()) == {6}


@given(count=st.integers(1, 40), a_page=st.integers(1, 8))
def test_the_rota_is_just_for_any_number(count: int, a_page: int) -> None:
    rota, names = Rota(), [Path(f"{n:02d}") for n in range(count)]
    turns: Counter[Path] = Counter()
    for _ in range(count):
        pages = rota.pages(names, a_page)
        assert all(len(set(page)) == len(page) == min(count, a_page) for page in pages)
        turns.update(itertools.chain.from_iterable(pages))
    assert len(turns) == count and len(set(turns.values())) == 1


def test_all_sponsors_are_on_the_last_slate_when_they_fit(slates: Slates, folder: Path) -> None:
    colours = fill(folder, 8)
    (picture,) = drawn(slates, "end")
    assert set(colours) <= colours_in(picture)


@pytest.mark.parametrize("kind", ["next", "hidden"])
def test_short_slates_have_no_sponsors(slates: Slates, folder: Path, kind: str) -> None:
    colours = fill(folder, 3)
    (picture,) = drawn(slates, kind)
    assert not set(colours) & colours_in(picture)


@pytest.mark.parametrize(
    ("colour", "has_plate", "has_white_tile"),
    [("#ffffff", False, False), ("#111111", True, True), ("#c0392b", False, True)],
)
def test_a_see_through_logo_stands_on_what_it_was_made_for(
    slates: Slates, folder: Path, colour: str, has_plate: bool, has_white_tile: bool
) -> None:
    logo = Image.new("RGBA", (300, 100), (0, 0, 0, 0))
    ImageDraw.Draw(logo).rectangle((20, 20, 280, 80), outline=colour, width=20)
    logo.save(folder / "sponsors" / "a.png")
    logo.save(folder / "logo.png")
    (picture,) = drawn(slates, "break", None)
    head, tile = picture.crop((32, 18, 180, 54)), picture.crop((32, 290, 168, 342))
    for strip, has_ground in ((head, has_plate), (tile, has_white_tile)):
        colours = {"#{:02x}{:02x}{:02x}".format(*each) for each in colours_in(strip)}
        assert colour in colours
        assert ("#ffffff" in colours - {colour}) == has_ground


BROKEN = {
    "empty.png": b"",
    "text.png": b"not a picture",
    "cut.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x40\x08\x02\0\0\0",
    "vector.svg": b"<svg/>",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_sponsor_costs_nobody_else_and_is_said(slates: Slates, folder: Path, name: str) -> None:
    colours = fill(folder, 2)
    (folder / "sponsors" / name).write_bytes(BROKEN[name])
    (picture,) = drawn(slates, "break")
    assert set(colours) <= colours_in(picture)
    assert [warning for warning in slates.warnings if name in warning and "left out" in warning]


def test_a_broken_or_huge_logo_costs_no_slate_and_is_said(slates: Slates, folder: Path) -> None:
    (folder / "logo.jpg").write_bytes(b"\xff\xd8\xff broken")
    assert_safe(drawn(slates, "starting")[0])
    assert "logo.jpg is left out" in slates.warnings[0]
    (folder / "logo.jpg").unlink()
    Image.new("1", (20_000, 9_000)).save(folder / "logo.png")  # 180 million pixels in 30 kB
    assert_safe(drawn(slates, "starting")[0])
    assert "logo.png is left out" in slates.warnings[0]
    (folder / "logo.png").unlink()
    drawn(slates, "starting")
    assert slates.warnings == ()


def test_a_logo_that_is_replaced_is_seen_on_the_next_slate(slates: Slates, folder: Path) -> None:
    for colour in ("#2a9d8f", "#c0392b"):
        Image.new("RGB", (90, 90), colour).save(folder / "logo.png")
        os.utime(folder / "logo.png", ns=(1, int(colour[1:3], 16)))
        assert Image.new("RGB", (1, 1), colour).getpixel((0, 0)) in colours_in(drawn(slates, "hidden")[0])


def test_the_look_s_colours_are_used(slates: Slates, folder: Path) -> None:
    (folder / "look.toml").write_text('background = "#fdf6e3"\ntext = "#002b36"\naccent = "#9c3d12"\n')
    (picture,) = drawn(slates, "hidden")
    assert {(0xFD, 0xF6, 0xE3), (0x00, 0x2B, 0x36), (0x9C, 0x3D, 0x12)} <= colours_in(picture)
    assert slates.warnings == ()


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('text = "white"', r"look.toml: .*`\$.text`.*Colours are written"),
        ('colour = "#ffffff"', "unknown field `colour`"),
        ('language = "de"', r"`\$.language`"),
        ('font = "a, b"', r"`\$.font`"),
        ('font = "Bold <b>"', r"`\$.font`"),
        ("text = #ffffff", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
    ],
)
def test_a_bad_look_is_explained_and_costs_no_slate(slates: Slates, folder: Path, toml: str | bytes, says: str) -> None:
    (folder / "look.toml").write_bytes(toml.encode() if isinstance(toml, str) else toml)
    with pytest.raises(BadLook, match=says):
        read_look(folder)
    assert_safe(drawn(slates, "next")[0])
    assert "default look" in slates.warnings[0]


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('font = "No Such Font"', "the font 'No Such Font' is not there"),
        ('text = "#333333"', "text #333333 on background #10161f has a contrast of 1.4"),
    ],
)
def test_what_viewers_could_not_read_is_said(slates: Slates, folder: Path, toml: str, says: str) -> None:
    (folder / "look.toml").write_text(toml)
    drawn(slates, "next")
    assert says in slates.warnings[0]


def test_without_pango_there_is_a_slate_and_a_warning(folder: Path, tmp_path: Path) -> None:
    slates = Slates(folder, tmp_path, PARIS, lettering=Lettering(tmp_path, program="no-such-program"))
    for kind in KINDS:
        assert_safe(drawn(slates, kind)[0])
        assert "pango1.0-tools" in slates.warnings[0]


def test_warnings_are_logged_once_and_without_names_of_people(
    slates: Slates, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "logo.svg").write_text("<svg/>")
    with caplog.at_level(logging.DEBUG):
        drawn(slates, "next")
        drawn(slates, "hidden")
    assert caplog.text.count("save it as logo.png") == 1
    assert "Łukasz" not in caplog.text and "Rust" not in caplog.text


def test_an_unknown_kind_and_a_folder_that_cannot_be_written_are_said(slates: Slates, tmp_path: Path) -> None:
    with pytest.raises(SlateError, match="no slate 'intro'; there are: starting, next"):
        slates.draw("intro", None, None, NOW, SMALL)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SlateError, match="cannot be written"):
        Slates(tmp_path, tmp_path / "file", PARIS).draw("end", None, None, NOW, SMALL)


def test_old_slates_do_not_fill_the_disk_and_the_last_ones_stay(slates: Slates, tmp_path: Path) -> None:
    paths = [
        slates.draw("starting", None, SEVEN, NOW - timedelta(minutes=n), Picture(width_px=160, height_px=90))[0]
        for n in range(30)
    ]
    assert len(set(paths)) == 30
    assert set((tmp_path / "out").glob("*.png")) == set(paths[-24:])


@pytest.mark.parametrize("say", SLATE_WORDS.values(), ids=SLATE_WORDS.keys())
def test_every_language_has_every_word(say: SlateWords) -> None:
    english = SLATE_WORDS["en"]
    for name, word, original in zip(say._fields, say, english, strict=True):
        assert all(word), name
        if isinstance(word, str):
            assert word.count("{") == original.count("{"), name
            assert say is english or word != original or name in {"minutes", "minute", "day_and_time"}, name


@pytest.mark.parametrize(
    ("language", "left_s", "says"),
    [
        ("en", 12 * 60, "in 12 minutes"),
        ("en", 11 * 60 + 1, "in 12 minutes"),
        ("en", 60, "in 1 minute"),
        ("en", 0, "any moment now"),
        ("en", -600, "any moment now"),
        ("en", 125 * 60, "in 2 h 05"),
        ("en", 26 * 3600, ""),
        ("fr", 12 * 60, "dans 12 minutes"),
        ("fr", 1, "dans 1 minute"),
        ("fr", 0, "d'un instant à l'autre"),
    ],
)
def test_the_countdown_in_words(language: str, left_s: int, says: str) -> None:
    said = SLATE_WORDS[language].countdown(timedelta(seconds=left_s))  # type: ignore[index]
    assert said.replace("\u00a0", " ") == says


@pytest.mark.parametrize(
    ("language", "moment", "says"),
    [
        ("en", SEVEN, "19:00"),
        ("fr", SEVEN, "19 h 00"),
        ("en", SEVEN + timedelta(days=1), "19:00, Wednesday 25"),
        ("fr", SEVEN + timedelta(days=1), "19 h 00, mercredi 25"),
    ],
)
def test_times_are_the_venue_s_and_name_another_day(language: str, moment: datetime, says: str) -> None:
    said = SLATE_WORDS[language].time(moment.astimezone(PARIS), NOW.astimezone(PARIS))  # type: ignore[index]
    assert said.replace("\u00a0", " ") == says
