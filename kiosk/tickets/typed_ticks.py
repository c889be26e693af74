"""What somebody types from the paper list: numbers, and behind each when they came or how many of a group.

    12-4 13-7 181          three tickets; the dash may be left out
    12-4 19:05, 13-7 x2    at five past seven; two of its people

Whatever separates them: blanks, commas, lines. What cannot be read is named and keeps nothing else from being taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import time
from enum import StrEnum
from typing import NamedTuple

from kiosk.tickets.line_numbers import LineNumber, plain_digits, read_line_number

MOST_TICKS = 1_000  # in one go: the ledger's gates wait meanwhile, and a sheet has some thirty
_LONGEST = 20  # characters of a word that are told again
_APART = re.compile(r"[\s,;/+*#|]+")
_TIME = re.compile(r"(\d{1,2})[:h](\d{2})", re.IGNORECASE)
_PERSONS = re.compile(r"[x\u00d7]([1-9]\d{0,2})", re.IGNORECASE)
_WITH_PERSONS = re.compile(r"(.*\d)([x\u00d7]\d{1,3})", re.IGNORECASE)


class Slip(StrEnum):
    """Why a word was not understood."""

    NO_NUMBER = "no_number"  # neither a number of the paper, nor a time, nor x2
    NO_TIME = "no_time"  # 25:00
    NOTHING_BEFORE = "nothing_before"  # a time, or x2, that stands behind no number
    TWICE = "twice"  # a number that stands there already; it counts once
    TOO_MANY = "too_many"  # more numbers than are taken in one go


class TypedTick(NamedTuple):
    """One number, and what was written beside it."""

    line: LineNumber
    at: time | None = None
    persons: int | None = None  # who came; None: all of them


class Slipped(NamedTuple):
    """A word that was not understood."""

    word: str
    why: Slip


class Typed(NamedTuple):
    """All that was typed."""

    ticks: Sequence[TypedTick]
    slips: Sequence[Slipped]


def read_ticks(text: str) -> Typed:
    """Every word of `text` is in what this returns: as a tick, beside one, or as a slip."""
    ticks: dict[LineNumber, TypedTick] = {}
    slips: list[Slipped] = []
    last: LineNumber | None = None  # what a time, or x2, is about
    for word in _words(text):
        told = word[:_LONGEST]
        clock, persons, line = _TIME.fullmatch(word), _PERSONS.fullmatch(word), read_line_number(word)
        if clock or persons:
            if last is None:
                slips.append(Slipped(told, Slip.NOTHING_BEFORE))
            elif persons:
                ticks[last] = ticks[last]._replace(persons=int(persons[1]))
            elif clock and (int(clock[1]) > 23 or int(clock[2]) > 59):
                slips.append(Slipped(told, Slip.NO_TIME))
            elif clock:
                ticks[last] = ticks[last]._replace(at=time(int(clock[1]), int(clock[2])))
            continue
        last = None
        if line is None:
            slips.append(Slipped(told, Slip.NO_NUMBER))
        elif line in ticks:
            slips.append(Slipped(told, Slip.TWICE))
        elif len(ticks) >= MOST_TICKS:
            slips.append(Slipped(told, Slip.TOO_MANY))
        else:
            last = line
            ticks[line] = TypedTick(line)
    return Typed(list(ticks.values()), slips)


def _words(text: str) -> Sequence[str]:
    words: list[str] = []
    for word in _APART.split(plain_digits(text)):
        parts = _WITH_PERSONS.fullmatch(word)
        words += parts.groups() if parts else [word]
    return [word for word in words if word]
