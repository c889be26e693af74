"""Names of recordings: any talk, any file system."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.film_names import MOST_BYTES, bare_stem, is_ours, stem_of
from stream.talks import TalkInfo

BEGUN = datetime(2026, 11, 24, 19, 5, 3)  # noqa: DTZ001  # local time, as it is written
BARE = "2026-11-24_190503"


def name(title: str, speaker: str = "") -> str:
    return stem_of(BEGUN, TalkInfo(id="a", title=title, speaker=speaker))


@pytest.mark.parametrize(
    ("title", "speaker", "wanted"),
    [
        ("How engines dream", "Ada Lovelace", f"{BARE} How engines dream - Ada Lovelace"),
        ("Łukasz & O'Brien, 50 %", "", f"{BARE} Łukasz & O'Brien, 50 %"),
        ("مرحبا بالعالم", "김민준", f"{BARE} مرحبا بالعالم - 김민준"),
        ("Family 👨‍👩‍👧", "", f"{BARE} Family 👨‍👩‍👧"),
        ("A/B: <what?> \\ |*|", "", f"{BARE} A B what"),
        ("../../etc/passwd", "", f"{BARE} etc passwd"),
        ("line\nbreak\tand\0nothing", "", f"{BARE} line break and nothing"),
        ("\u202eexe.txt", "", f"{BARE} exe.txt"),
        ("Why...", "Dr. No.", f"{BARE} Why - Dr. No"),
        ("Zoe\u0308", "", f"{BARE} Zo\u00eb"),
        ("???", "", BARE),
    ],
)
def test_a_name_says_the_talk_in_letters_that_every_file_system_takes(title: str, speaker: str, wanted: str) -> None:
    assert name(title, speaker) == wanted


def test_what_is_no_talk_has_its_moment_for_a_name() -> None:
    assert stem_of(BEGUN, None) == bare_stem(BEGUN) == BARE


@given(st.text(max_size=600), st.text(max_size=600))
def test_no_talk_makes_a_bad_name(title: str, speaker: str) -> None:
    made = name(title, speaker)
    assert made.startswith(BARE)
    assert len(made.encode()) <= MOST_BYTES
    assert made[-1] not in " ."
    assert not set(made) & set('<>:"/\\|?*')
    assert all(unicodedata.category(c)[0] != "C" or c in "\u200c\u200d" for c in made)
    assert is_ours(Path(f"{made}.ts"))


def test_a_long_name_is_not_cut_inside_of_an_emoji() -> None:
    room = MOST_BYTES - len(BARE) - 1
    family = "👨‍👩‍👧"
    assert name("x" * (room - 8) + family) == f"{BARE} {'x' * (room - 8)}"


def test_other_peoples_films_are_not_ours() -> None:
    assert not is_ours(Path("holiday.ts"))
    assert not is_ours(Path("2026-11-24.ts"))
