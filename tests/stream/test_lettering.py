"""Texts in any script come out right: real Pango, real fonts, and pixels looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from stream.lettering import Lettering, Style

WHITE = Style("Noto Sans", 80, "#ffffff")
WIDTH, HEIGHT = 900, 260


@pytest.fixture
def lettering(tmp_path: Path) -> Lettering:
    return Lettering(tmp_path)


def block(lettering: Lettering, text: str, style: Style = WHITE) -> Image.Image:
    drawn = lettering.block(text, style, WIDTH, HEIGHT)
    assert drawn is not None
    assert lettering.troubles == []
    return drawn


def is_same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox(alpha_only=False) is None


def is_placeholder(letter: Image.Image) -> bool:
    """Whether this is the box that stands for a letter no font has: ink along all of its four edges."""
    alpha = letter.getchannel("A").point([0] * 100 + [1] * 156)
    width, height = alpha.size
    edges = [(0, 0, width, 3), (0, height - 3, width, height), (0, 0, 3, height), (width - 3, 0, width, height)]
    for edge in edges:
        strip = alpha.crop(edge)
        along = strip.width if strip.width > strip.height else strip.height
        if sum(strip.tobytes()) < 0.8 * along:
            return False
    return True


@pytest.mark.parametrize("letter", list("ŁЖΩשعک語らハ한ไአქՀத½€→🎉"))
def test_letters_of_many_scripts_have_a_font(lettering: Lettering, letter: str) -> None:
    assert not is_placeholder(block(lettering, letter))


def test_a_letter_that_no_font_has_is_seen_by_the_test_above(lettering: Lettering) -> None:
    assert is_placeholder(block(lettering, "\U000f1234"))


def test_arabic_letters_are_joined(lettering: Lettering) -> None:
    assert not is_same(block(lettering, "مرحبا"), block(lettering, "\u200c".join("مرحبا")))  # U+200C keeps them apart


def test_hebrew_is_read_from_the_right(lettering: Lettering) -> None:
    both = block(lettering, "שלום  if").getchannel("A")
    columns = [both.crop((x, 0, x + 1, both.height)).getbbox() is not None for x in range(both.width)]
    gap = max((len(list(run)), at) for at, run in blank_runs(columns))[1]
    assert abs(gap - block(lettering, "if").width) <= 4  # the Latin word, though it comes last, stands on the left


def blank_runs(columns: list[bool]) -> list[tuple[int, list[bool]]]:
    """Where blank columns begin, and they."""
    starts = [x for x, inked in enumerate(columns) if not inked and columns[x - 1]]
    return [(x, columns[x : columns.index(True, x)]) for x in starts]


def test_an_emoji_is_in_colour(lettering: Lettering) -> None:
    hues = block(lettering, "🎉").convert("HSV")
    assert sum(saturation > 100 for saturation in hues.getchannel("S").tobytes()) > 500


@pytest.mark.parametrize("text", ["<b>x</b>", "&amp;", "50 %", "O'Brien", "--help", "$(id)", "\\n", "%s"])
def test_signs_with_a_meaning_elsewhere_are_only_signs(lettering: Lettering, text: str) -> None:
    """Each is as wide as its signs set one by one and put together, near enough."""
    apart = sum(block(lettering, each).width for each in text if each != " ")
    assert 0.8 * apart < block(lettering, text).width < 1.6 * apart + 40


def test_a_text_cannot_turn_what_stands_after_it(lettering: Lettering) -> None:
    assert is_same(block(lettering, "a\u202ebc"), block(lettering, "abc"))


def test_a_long_text_is_wrapped_then_shrunk_then_cut(lettering: Lettering) -> None:
    short, wrapped, long, endless = (block(lettering, "word " * count) for count in (2, 8, 20, 500))
    assert short.height < wrapped.height / 1.5
    assert all(each.width <= WIDTH and each.height <= HEIGHT for each in (wrapped, long, endless))
    assert not is_same(long, endless)
    assert is_same(endless, block(lettering, "word " * 5000))


def test_a_word_without_a_blank_stays_inside(lettering: Lettering) -> None:
    drawn = block(lettering, "Donaudampfschifffahrtsgesellschaftskapitän" * 5)
    assert drawn.width <= WIDTH and drawn.height <= HEIGHT


@pytest.mark.parametrize("nothing", ["", " \n\t", "\x00\x07", "\u200b", "\ud800"])
def test_nothing_is_no_picture(lettering: Lettering, nothing: str) -> None:
    assert lettering.block(nothing, WHITE, WIDTH, HEIGHT) is None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=300), width=st.integers(1, 1000), height=st.integers(1, 400))
def test_any_text_is_set_inside_any_box(lettering: Lettering, text: str, width: int, height: int) -> None:
    drawn = lettering.block(text, WHITE, width, height)
    assert lettering.troubles == []
    assert drawn is None or (drawn.width <= width and drawn.height <= height)


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=300), width=st.integers(1, 1000), height=st.integers(1, 400))
def test_without_pango_it_is_still_set_inside(text: str, width: int, height: int) -> None:
    drawn = Lettering(Path("/tmp"), program="no-such-program").block(text, WHITE, width, height)
    assert drawn is None or (drawn.width <= width and drawn.height <= height)


def test_a_missing_pango_is_said_with_what_to_do(tmp_path: Path) -> None:
    lettering = Lettering(tmp_path, program="no-such-program")
    assert lettering.block("Ada", WHITE, WIDTH, HEIGHT) is not None
    assert "apt install pango1.0-tools" in lettering.troubles[0]


def test_a_pango_that_hangs_is_waited_for_once(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    stuck = tmp_path / "stuck"
    stuck.write_text(f"#!/bin/sh\necho >>{calls}\nexec sleep 60\n")
    stuck.chmod(0o755)
    lettering = Lettering(tmp_path, program=str(stuck), limit_s=0.5)
    assert all(lettering.block(text, WHITE, WIDTH, HEIGHT) for text in ("Ada", "Grace", "Hedy"))
    assert calls.read_text() == "\n"
    assert ["no answer" in trouble for trouble in lettering.troubles] == [True]


@pytest.mark.parametrize("output", ["", "printf 'not a picture' >${4#--output=}"])
def test_a_pango_that_draws_nothing_or_rubbish_is_said(tmp_path: Path, output: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text(f'#!/bin/sh\nfor w; do case $w in --output=*) set -- 1 2 3 "$w" ;; esac; done\n{output}\n')
    broken.chmod(0o755)
    lettering = Lettering(tmp_path, program=str(broken))
    assert lettering.block("Ada", WHITE, WIDTH, HEIGHT) is not None
    assert len(lettering.troubles) == 1


def test_fonts_are_known_by_their_names(lettering: Lettering) -> None:
    assert lettering.has_family("Noto Sans") and lettering.has_family("dejavu sans")
    assert not lettering.has_family("No Such Font")


def test_a_font_of_the_look_s_own_is_used(tmp_path: Path) -> None:
    """A copy of a font under another name: fontTools renames it, as an organizer's own font would be named."""
    from fontTools.ttLib import TTFont

    fonts = tmp_path / "a & b"
    fonts.mkdir()
    font = TTFont("/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf")
    for record in font["name"].names:
        if record.nameID in {1, 4, 16}:
            record.string = "Platypus Own"
    font.save(fonts / "own.ttf")
    lettering = Lettering(tmp_path, fonts)
    assert lettering.has_family("Platypus Own")
    own = Style("Platypus Own", 80, "#ffffff")
    assert not is_same(block(lettering, "Ada", own), block(lettering, "Ada"))
