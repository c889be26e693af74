"""The paper list of an event: what stands on it in which order, and what its ticks are taken for when they come back.

A volunteer searches by family name, so that comes first: of "Maria de la Cruz" it is the last word, or what stands
before a comma. What was typed is matched with the event's numbers here; what becomes of each tick, the ledger decides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from hardware.clock import Stamp
from kiosk.ledger import Event, Found, KnownTime, Occupancy
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.paper import Fate, PaperTicks, Tick, Ticked, Typist, WalkIns
from kiosk.tickets.line_numbers import line_number, read_line_number
from kiosk.tickets.sheet import fold
from kiosk.tickets.typed_ticks import Slip, Typed, TypedTick, read_ticks

MOST_WALK_INS = 500
LONGEST_GATE = 40
_BEFORE_START, _EVENING = timedelta(hours=6), timedelta(hours=24)  # in which a time of the paper is looked for
_USUAL_START = time(18)
_PHONES_DIFFER = timedelta(minutes=5)
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})


class Listed(NamedTuple):
    """One line of the paper."""

    number: str  # that can be typed
    name: str  # the family's first; "" for nobody's
    letter: str  # under which it is found; "" for nobody's
    found: Found
    heir: str  # the number of the ticket that took its place; "" for none


class PaperFacts(NamedTuple):
    """All that the paper tells."""

    event: Event
    printed_at: KnownTime
    lines: Sequence[Listed]


class Why(StrEnum):
    """Why a word that was typed is not taken. Beside those of Slip."""

    NO_NUMBER = "no_number"
    NO_TIME = "no_time"
    NOTHING_BEFORE = "nothing_before"
    TWICE = "twice"
    TOO_MANY = "too_many"
    WRONG_CHECK = "wrong_check"  # mistyped
    OTHER_EVENT = "other_event"  # or of the paper of `other`
    NO_LINE = "no_line"  # no ticket has this number
    NOT_YET = "not_yet"  # a time that has not come
    TOO_MANY_PEOPLE = "too_many_people"  # more than the ticket has


class Wrong(NamedTuple):
    """A word that is not taken; all others may be."""

    word: str
    why: Why
    other: str = ""  # of what it may be: an event's short name, or how many people a ticket has


class Given(NamedTuple):
    """What somebody gives of the paper."""

    text: str
    walk_ins: int = 0  # on this gate's paper, all together
    at: time | None = None  # for what has no time of its own
    day: date | None = None  # None: that of the event's start
    gate: str = ""
    did_get_in: Collection[str] | None = ()  # numbers of the paper, whatever the rules say; None: all


class Answered(NamedTuple):
    """What becomes of it, or became of it."""

    ticked: Sequence[Ticked]
    wrong: Sequence[Wrong]
    walk_ins: WalkIns
    room: Occupancy  # with them in it

    @property
    def came(self) -> int:
        """People on tickets who are counted now; who has left since is among them."""
        return sum(each.persons for each in self.ticked if each.fate in {Fate.ENTERS, Fate.CAME_AND_LEFT})


class PaperList:
    """The paper of an event. Every method raises LedgerError."""

    def __init__(self, ledger: Ledger, event: Event) -> None:
        self._ledger = ledger
        self._event = event
        self._ticks = PaperTicks(ledger, event)

    def facts(self, now: Stamp) -> PaperFacts:
        """What to print, in its order: by family name, those of nobody last."""
        event = self._ledger.event(self._event.slug)  # its seats may have changed
        found = sorted(self._ledger.states(event), key=_order)
        return PaperFacts(event, self._ledger.known_time(now), [_listed(event, each) for each in found])

    def look(self, given: Given, actor: str, now: Stamp, zone: tzinfo) -> Answered:
        """What taking it would do; nothing is written."""
        typist, ticks, wrong = self._read(given, actor, now, self._ledger.known_time(now), zone)
        ticked = self._ticks.look(ticks, typist)
        walk_ins = self._ticks.look_at_walk_ins(given.walk_ins, typist)
        told = self._answered(ticked, wrong, walk_ins, zone)
        entering = sum(each.persons for each in told.ticked if each.fate is Fate.ENTERS)
        return told._replace(room=told.room._replace(inside=told.room.inside + entering + walk_ins.new))

    def take(self, given: Given, actor: str, now: Stamp, zone: tzinfo) -> Answered:
        """Write what can be taken; the same again changes nothing."""
        known = self._ledger.known_time(now)
        typist, ticks, wrong = self._read(given, actor, now, known, zone)
        ticked = list(self._ticks.take(ticks, typist))
        at = self._moment(given.at, given.day, known, zone)
        walk_ins = self._ticks.take_walk_ins(given.walk_ins, None if _is_to_come(at, known) else at, typist)
        return self._answered(ticked, wrong, walk_ins, zone)

    def line(self, number: int) -> str:
        """How the paper calls a ticket."""
        return line_number(self._event.id, number)

    def word(self, each: Ticked, zone: tzinfo) -> str:
        """A tick as it can be typed again."""
        at = each.tick.at.astimezone(zone).time() if each.tick.at is not None else None
        return _word(self.line(each.tick.number), at, each.tick.persons)

    def day(self, zone: tzinfo) -> date | None:
        """Of the event's start; None when nobody knows it."""
        return self._event.starts_at and self._event.starts_at.astimezone(zone).date()

    def _read(
        self, given: Given, actor: str, now: Stamp, known: KnownTime, zone: tzinfo
    ) -> tuple[Typist, Sequence[Tick], Sequence[Wrong]]:
        typed: Typed = read_ticks(given.text)
        wrong = [Wrong(slip.word, _why(slip.why)) for slip in typed.slips]
        forced = set()
        for word in given.did_get_in or ():
            line = read_line_number(word)
            if line is not None and line.fits(self._event.id):
                forced.add(line.number)
            else:
                wrong.append(Wrong(word, Why.NO_NUMBER) if line is None else self._misfit(TypedTick(line)))
        ticks = []
        for each in typed.ticks:
            if not each.line.fits(self._event.id):
                wrong.append(self._misfit(each))
                continue
            at = self._moment(each.at or given.at, given.day, known, zone)
            if _is_to_come(at, known):
                wrong.append(Wrong(_word(str(each.line), each.at or given.at, each.persons), Why.NOT_YET))
                continue
            is_in = given.did_get_in is None or each.line.number in forced
            ticks.append(Tick(each.line.number, at, each.persons, did_get_in=is_in))
        # The evening's own day is none, so that its start may be corrected between two who type the same sheet.
        day = given.day.isoformat() if given.day and given.day != self.day(zone) else ""
        gate = " ".join("".join(c for c in given.gate if c.isprintable()).split())[:LONGEST_GATE].strip()
        typist = Typist(actor, now, day, gate)
        return typist, ticks, wrong

    def _misfit(self, typed: TypedTick) -> Wrong:
        """A number whose last digit is another one: mistyped, or of another paper."""
        line = typed.line
        other = self._ticks.event_of(line.fits, line.number)
        word = _word(str(line), typed.at, typed.persons)
        return Wrong(word, Why.OTHER_EVENT if other else Why.WRONG_CHECK, other)

    def _answered(self, ticked: Sequence[Ticked], wrong: Sequence[Wrong], walk_ins: WalkIns, zone: tzinfo) -> Answered:
        """With what the ledger knows nothing of told beside what could not be read."""
        wrong, good = list(wrong), []
        for each in ticked:
            if each.fate is Fate.UNKNOWN:
                wrong.append(Wrong(self.word(each, zone), Why.NO_LINE))
            elif each.fate is Fate.TOO_MANY and each.found is not None:
                wrong.append(Wrong(self.word(each, zone), Why.TOO_MANY_PEOPLE, str(each.found.ticket.persons)))
            else:
                good.append(each)
        return Answered(good, wrong, walk_ins, self._ticks.occupancy())

    def _moment(self, at: time | None, day: date | None, known: KnownTime, zone: tzinfo) -> datetime | None:
        """A time of the paper, at the evening; without one, the last such time before now."""
        if at is None:
            return None
        if day is not None and day != self.day(zone):
            start = datetime.combine(day, _USUAL_START, zone)
        elif self._event.starts_at is not None:
            start = self._event.starts_at.astimezone(zone)
        else:
            start = known.wall.astimezone(zone) - _EVENING + _BEFORE_START + timedelta(minutes=1)
        begin = start - _BEFORE_START
        days = (begin.date() + timedelta(days=n) for n in (0, 1))
        moments = (datetime.combine(each, at, zone) for each in days)
        return next((each for each in moments if each >= begin), None)


def _is_to_come(at: datetime | None, known: KnownTime) -> bool:
    return at is not None and known.is_known and at > known.wall + _PHONES_DIFFER


def family_first(holder: str) -> str:
    """A name as it is searched for: "Cruz, Maria de la"."""
    if "," in holder:
        return holder
    words = holder.split()
    end = len(words)
    while end > 1 and fold(words[end - 1]) in _SUFFIXES:
        end -= 1
    if end < 2:
        return holder
    rest = [*words[: end - 1], *words[end:]]
    return f"{words[end - 1]}, {' '.join(rest)}"


def _order(found: Found) -> tuple[int, str, str, int]:
    ticket = found.ticket
    if not ticket.holder:
        return 2, "", "", ticket.number
    key = fold(family_first(ticket.holder))
    return (0 if key else 1), key, ticket.holder, ticket.number


def _listed(event: Event, found: Found) -> Listed:
    ticket = found.ticket
    name = family_first(ticket.holder or "")
    letter = (fold(name) or name)[:1].upper()
    heir = line_number(event.id, ticket.heir) if ticket.heir is not None else ""
    return Listed(line_number(event.id, ticket.number), name, letter, found, heir)


def _word(line: str, at: time | None, persons: int | None) -> str:
    words = [line]
    if at is not None:
        words.append(f"{at:%H:%M}")
    if persons is not None:
        words.append(f"x{persons}")
    return " ".join(words)


def _why(slip: Slip) -> Why:
    return Why(slip.value)
