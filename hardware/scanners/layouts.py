"""What a key types, on the two keyboards that a scanner may believe to be: American (us) and French AZERTY (fr).

A keyboard sends the number of a place, not a letter; the numbers are Linux's (linux/input-event-codes.h), named after
what is on an American keyboard. Printed rows below are in the order of the keys, so that they can be compared with one.
"""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """What one key types: alone, with Shift, with AltGr; "" for nothing."""

    plain: str
    shifted: str = ""
    alt_gr: str = ""


Layout = dict[int, Key]

KEY_ENTER, KEY_KP_ENTER, KEY_TAB, KEY_SPACE = 28, 96, 15, 57
KEY_LEFT_SHIFT, KEY_RIGHT_SHIFT, KEY_CAPS_LOCK = 42, 54, 58
KEY_LEFT_CTRL, KEY_RIGHT_CTRL, KEY_LEFT_ALT, KEY_ALT_GR = 29, 97, 56, 100

_DIGIT_ROW = tuple(range(2, 14))  # 1 to 0, minus, equal
_UPPER_ROW = tuple(range(16, 28))  # q to p, and the two brackets
_HOME_ROW = (*range(30, 41), 43)  # a to l, semicolon, apostrophe, backslash (on a French one: right of the home row)
_LOWER_ROW = (86, *range(44, 54))  # the key that only European keyboards have, z to m, comma, dot, slash
_LEFT_OF_ONE = 41
_KEYPAD = {71: "7", 72: "8", 73: "9", 74: "-", 75: "4", 76: "5", 77: "6", 78: "+", 79: "1", 80: "2", 81: "3", 82: "0"}
_KEYPAD_MORE = {55: "*", 83: ".", 98: "/"}


def _rows(*rows: tuple[tuple[int, ...], str, str, str]) -> Layout:
    """Each row: key numbers, and what they type in each level; a blank for nothing."""
    layout: Layout = {}
    for numbers, *levels in rows:
        for number, *typed in zip(numbers, *(level.ljust(len(numbers)) for level in levels), strict=True):
            layout[number] = Key(*(character.strip() for character in typed))
    layout |= {number: Key(character, character) for number, character in (_KEYPAD | _KEYPAD_MORE).items()}
    layout[KEY_SPACE] = Key(" ", " ", " ")
    return layout


# The key of 86 types < and > on an American keyboard with one key more (Linux: pc105, us)
US = _rows(
    ((_LEFT_OF_ONE,), "`", "~", ""),
    (_DIGIT_ROW, "1234567890-=", "!@#$%^&*()_+", ""),
    (_UPPER_ROW, "qwertyuiop[]", "QWERTYUIOP{}", ""),
    (_HOME_ROW, "asdfghjkl;'\\", 'ASDFGHJKL:"|', ""),
    (_LOWER_ROW, "<zxcvbnm,./", ">ZXCVBNM<>?", ""),
)

FR = _rows(
    ((_LEFT_OF_ONE,), "²", "~", ""),
    (_DIGIT_ROW, "&é\"'(-è_çà)=", "1234567890°+", " ~#{[|`\\^@]}"),
    (_UPPER_ROW, "azertyuiop^$", "AZERTYUIOP¨£", "  €        ¤"),
    (_HOME_ROW, "qsdfghjklmù*", "QSDFGHJKLM%µ", ""),
    (_LOWER_ROW, "<wxcvbn,;:!", ">WXCVBN?./§", ""),
)

LAYOUTS: dict[str, Layout] = {"us": US, "fr": FR}

# On the French keyboard these wait for the next key, which they crown: ^ then e is ê, ^ then a blank is ^
DEAD_KEYS: dict[str, dict[int, Key]] = {"us": {}, "fr": {26: FR[26]}}
CROWNS = {"^": "\N{COMBINING CIRCUMFLEX ACCENT}", "¨": "\N{COMBINING DIAERESIS}"}
