"""From keys to codes, on both keyboards, key by key."""

from __future__ import annotations

import string
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.scanners import Decoder, KeyEvent
from hardware.scanners.decoder import EV_KEY, EV_SYN, LONGEST, SYN_DROPPED
from hardware.scanners.layouts import LAYOUTS

ENTER, KP_ENTER, TAB, SPACE = 28, 96, 15, 57
SHIFT, RIGHT_SHIFT, ALT_GR, CTRL, ALT, CAPS = 42, 54, 100, 29, 56, 58

# Written down apart from the program, from the places of an American keyboard: number, alone, with Shift
US_KEYS = {
    **{2 + i: pair for i, pair in enumerate(("1!", "2@", "3#", "4$", "5%", "6^", "7&", "8*", "9(", "0)", "-_", "=+"))},
    **{16 + i: pair for i, pair in enumerate(("qQ", "wW", "eE", "rR", "tT", "yY", "uU", "iI", "oO", "pP", "[{", "]}"))},
    **{
        30 + i: pair for i, pair in enumerate(("aA", "sS", "dD", "fF", "gG", "hH", "jJ", "kK", "lL", ";:", "'\"", "`~"))
    },
    **{43 + i: pair for i, pair in enumerate(("\\|", "zZ", "xX", "cC", "vV", "bB", "nN", "mM", ",<", ".>", "/?"))},
    86: "<>",
}
# What a French keyboard types where an American one types this: alone, with Shift, with AltGr
FR_WHERE_US = {
    "1": "&1",
    "2": "é2~",
    "3": '"3#',
    "4": "'4{",
    "5": "(5[",
    "6": "-6|",
    "7": "è7`",
    "8": "_8\\",
    "9": "ç9^",
    "0": "à0@",
    "-": ")°]",
    "=": "=+}",
    "q": "aA",
    "w": "zZ",
    "e": "eE€",
    "[": "^¨",
    "]": "$£¤",
    "a": "qQ",
    ";": "mM",
    "'": "ù%",
    "`": "²~",
    "\\": "*µ",
    "z": "wW",
    "m": ",?",
    ",": ";.",
    ".": ":/",
    "/": "!§",
    "<": "<>",
}
KEYPAD = {71: "7", 72: "8", 73: "9", 74: "-", 75: "4", 76: "5", 77: "6", 78: "+", 79: "1", 80: "2", 81: "3", 82: "0"}
KEYPAD |= {83: ".", 98: "/", 55: "*"}


def fr_key(us: str) -> str:
    return FR_WHERE_US.get(us[0], us)


EXPECTED = {"us": US_KEYS, "fr": {number: fr_key(pair) for number, pair in US_KEYS.items()}}
PLACES = [
    (layout, number, level, character)
    for layout, keys in EXPECTED.items()
    for number, characters in keys.items()
    for level, character in zip((None, SHIFT, ALT_GR), characters, strict=False)
]
HOW = {
    layout: {character: (number, level) for name, number, level, character in reversed(PLACES) if name == layout}
    for layout in LAYOUTS
}
for how in HOW.values():
    how[" "] = (SPACE, None)


def press(*numbers: int) -> list[KeyEvent]:
    """All down in this order, then up in the other, as the kernel tells it: MSC_SCAN, key, SYN_REPORT."""
    changes = [(number, 1) for number in numbers] + [(number, 0) for number in reversed(numbers)]
    return [
        event
        for number, value in changes
        for event in (KeyEvent(4, 4, 0x70000 + number), KeyEvent(EV_KEY, number, value), KeyEvent(EV_SYN, 0, 0))
    ]


def strike(layout: str, character: str) -> list[KeyEvent]:
    number, level = HOW[layout][character]
    return press(*([level] if level else []), number)


def typed(layout: str, text: str) -> list[KeyEvent]:
    """`text` as a scanner types it: a dead key is followed by a blank."""
    events = []
    for character in text:
        events += strike(layout, character)
        if layout == "fr" and HOW["fr"][character][0] == 26:
            events += press(SPACE)
    return events


def codes(decoder: Decoder, events: list[KeyEvent], each_s: float = 0.001) -> list[bytes]:
    fed = (decoder.feed(event, 100.0 + n * each_s) for n, event in zip(count(), events, strict=False))
    return [code for code in fed if code is not None]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_key_types_what_is_printed_on_it(layout: str) -> None:
    wrong = []
    for name, number, level, character in PLACES:
        if name == layout:
            for held in {SHIFT: (SHIFT, RIGHT_SHIFT)}.get(level, (level,)):
                events = press(*([held] if held else []), number) + press(ENTER)
                if codes(Decoder(layout), events) != [character.encode()]:
                    wrong.append((number, held, character))
    assert wrong == []
    assert set(LAYOUTS[layout]) == set(EXPECTED[layout]) | set(KEYPAD) | {SPACE}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_key_types_anything_beyond_what_is_printed_on_it(layout: str) -> None:
    known = {(number, level) for name, number, level, _ in PLACES if name == layout}
    for number in range(1, 256):
        for level in (None, SHIFT, ALT_GR):
            if (number, level) in known or number in {*KEYPAD, SPACE, ENTER, KP_ENTER, TAB}:
                continue
            events = press(*([level] if level else []), number) + press(ENTER)
            assert codes(Decoder(layout), events) == [], (number, level)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_keypad_types_figures_on_every_keyboard(layout: str) -> None:
    for number, character in KEYPAD.items():
        assert codes(Decoder(layout), press(number) + press(KP_ENTER)) == [character.encode()]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_printable_ascii_character_can_be_typed(layout: str) -> None:
    ascii_text = string.digits + string.ascii_letters + string.punctuation + " "
    assert codes(Decoder(layout), typed(layout, ascii_text) + press(ENTER)) == [ascii_text.encode()]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(LAYOUTS)), st.data())
def test_whatever_a_scanner_types_is_what_was_in_the_code(layout: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.text(sorted(HOW[layout]), min_size=1, max_size=12), max_size=4))
    events = [event for text in texts for event in typed(layout, text) + press(ENTER)]
    assert codes(Decoder(layout), events) == [text.encode() for text in texts]


def test_the_wrong_layout_gives_another_text_never_an_error() -> None:
    events = typed("us", "QWAZ;1") + press(ENTER)
    assert codes(Decoder("fr"), events) == [b"AZQWm&"]


def test_a_crown_waits_for_its_letter() -> None:
    circumflex, diaeresis = press(26), press(SHIFT, 26)
    events = circumflex + strike("fr", "e") + diaeresis + strike("fr", "I") + circumflex + strike("fr", "x")
    assert codes(Decoder("fr"), events + circumflex + press(ENTER)) == ["êÏ^x^".encode()]


def test_caps_lock_turns_letters_and_nothing_else() -> None:
    events = press(CAPS) + typed("us", "aB1-") + press(CAPS) + typed("us", "aB") + press(ENTER)
    assert codes(Decoder("us"), events) == [b"Ab1-aB"]
    assert codes(Decoder("fr"), press(CAPS) + typed("fr", "aé1") + press(ENTER)) == ["Aé1".encode()]


def test_shift_that_is_held_over_many_keys_holds() -> None:
    down, up = KeyEvent(EV_KEY, SHIFT, 1), KeyEvent(EV_KEY, SHIFT, 0)
    events = [down, *press(30), *press(RIGHT_SHIFT, 48), *press(46), up, *press(32), *press(ENTER)]
    assert codes(Decoder("us"), events) == [b"ABCd"]


@pytest.mark.parametrize("keys", [press(CTRL, 27), press(ALT, 31), press(ALT, 79), press(99)])
def test_a_key_that_types_nothing_spoils_the_code_it_belongs_to(keys: list[KeyEvent]) -> None:
    events = typed("us", "A") + keys + typed("us", "B") + press(ENTER)
    assert codes(Decoder("us"), [*events, *typed("us", "NEXT"), *press(ENTER)]) == [b"NEXT"]


@pytest.mark.parametrize(("layout", "letter"), [("us", "m"), ("us", "j"), ("fr", "m"), ("fr", "j")])
def test_some_scanners_end_a_code_by_a_control_character(layout: str, letter: str) -> None:
    number = next(code for code, key in LAYOUTS[layout].items() if key.plain == letter)
    events = typed(layout, "AB") + press(CTRL, number) + press(ENTER)
    assert codes(Decoder(layout), events) == [b"AB"]


def test_a_key_that_repeats_types_once() -> None:
    events = [KeyEvent(EV_KEY, 30, 1), *[KeyEvent(EV_KEY, 30, 2)] * 5, KeyEvent(EV_KEY, 30, 0), *press(ENTER)]
    assert codes(Decoder("us"), events) == [b"a"]


@pytest.mark.parametrize("end", [ENTER, KP_ENTER, TAB])
def test_enter_or_tab_ends_a_code_and_alone_means_nothing(end: int) -> None:
    events = press(end) + typed("us", "A1") + press(end) + press(end) + typed("us", "B") + press(end)
    assert codes(Decoder("us"), events) == [b"A1", b"B"]


def test_a_code_that_stops_half_way_is_forgotten_and_the_next_is_whole() -> None:
    decoder = Decoder("us", forget_s=1.0)
    for event in typed("us", "HALF"):
        assert decoder.feed(event, 100.0) is None
    ended = [decoder.feed(event, 101.1) for event in typed("us", "WHOLE") + press(ENTER)]
    assert [code for code in ended if code] == [b"WHOLE"]


def test_a_slow_scanner_is_not_forgotten_while_it_types() -> None:
    assert codes(Decoder("us", forget_s=1.0), typed("us", "SLOW") + press(ENTER), each_s=0.3) == [b"SLOW"]


def test_a_code_of_which_keys_were_lost_is_never_given() -> None:
    lost = [KeyEvent(EV_SYN, SYN_DROPPED, 0)]
    events = typed("us", "TICK") + lost + typed("us", "ET-1") + press(ENTER) + typed("us", "TICKET-2") + press(ENTER)
    assert codes(Decoder("us"), events) == [b"TICKET-2"]


def test_keys_held_when_events_were_lost_do_not_stay_held() -> None:
    events = [
        KeyEvent(EV_KEY, SHIFT, 1),
        KeyEvent(EV_SYN, SYN_DROPPED, 0),
        *press(ENTER),
        *typed("us", "a"),
        *press(ENTER),
    ]
    assert codes(Decoder("us"), events) == [b"a"]


def test_a_flood_without_enter_takes_no_more_memory_than_a_code_and_is_dropped() -> None:
    decoder = Decoder("us")
    flood = press(30) * (LONGEST + 10)
    assert codes(decoder, flood, each_s=0.0) == []
    assert len(decoder._typed) <= LONGEST
    assert codes(decoder, press(ENTER) + typed("us", "ok") + press(ENTER), each_s=0.0) == [b"ok"]
