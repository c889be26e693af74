"""The paper list: its order, the times that are meant, and what is wrong with what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hardware.clock import ManualClock
from kiosk.ledger import NewTicket
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.paper import Fate
from kiosk.paper_list import Answered, Given, PaperList, Why, family_first
from kiosk.tickets.codes import digest
from kiosk.tickets.line_numbers import line_number

PARIS = ZoneInfo("Europe/Paris")
STARTS = datetime(2026, 11, 24, 19, 0, tzinfo=PARIS)


class House:
    """Two events in one ledger; the second one's paper is typed in after its evening."""

    def __init__(self, path: Path, starts_at: datetime | None = STARTS) -> None:
        self.clock = ManualClock()
        self.clock.jump_to(STARTS + timedelta(hours=5))
        self.ledger = Ledger(path)
        self.before = self.ledger.create_event("before", "The one before", 50)
        self.event = self.ledger.create_event("evening", "An evening", 50, starts_at=starts_at)
        self.paper = PaperList(self.ledger, self.event)

    def sell(self, *holders: str | None, **more: int) -> None:
        tickets = [NewTicket(0, digest(b"%d" % n), False, holder, **more) for n, holder in enumerate(holders)]  # type: ignore[arg-type]
        self.ledger.put_tickets(self.event, tickets)

    def names(self) -> list[str]:
        return [each.name for each in self.paper.facts(self.clock.stamp()).lines]

    def line(self, number: int) -> str:
        return line_number(self.event.id, number)

    def look(self, text: str, **more: object) -> Answered:
        return self.paper.look(Given(text, **more), "Organa", self.clock.stamp(), PARIS)  # type: ignore[arg-type]

    def at(self, text: str, **more: object) -> list[datetime | None]:
        return [each.tick.at for each in self.look(text, **more).ticked]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "ledger.db")
    yield house
    house.ledger.close()


def test_names_are_searched_for_by_the_family() -> None:
    names = {
        "Ada Lovelace": "Lovelace, Ada",
        "Maria de la Cruz": "Cruz, Maria de la",
        "Sammy Davis Jr.": "Davis, Sammy Jr.",
        "Lovelace, Ada": "Lovelace, Ada",
        "Cher": "Cher",
        "王小明": "王小明",
        "": "",
    }
    assert {name: family_first(name) for name in names} == names


def test_the_paper_is_in_the_order_in_which_a_volunteer_searches(house: House) -> None:
    house.sell("Zoë Ødegård", None, "Łukasz Nowak", "Émile Étienne", "Ada Eden", "王小明", "🦆", "Bo Nowák", None)
    assert house.names() == [
        *("Eden, Ada", "Étienne, Émile", "Nowák, Bo", "Nowak, Łukasz", "Ødegård, Zoë", "王小明", "🦆", "", "")
    ]
    lines = house.paper.facts(house.clock.stamp()).lines
    assert [each.letter for each in lines] == ["E", "E", "N", "N", "O", "王", "🦆", "", ""]
    assert [each.found.ticket.number for each in lines[-2:]] == [2, 9]


def test_a_later_list_leaves_the_numbers_of_an_old_paper(house: House) -> None:
    house.sell("Ada", "Bob")
    old = {each.name: each.number for each in house.paper.facts(house.clock.stamp()).lines}
    more = [NewTicket(0, digest(b"new %d" % n), False, f"A{n}") for n in range(30)]
    house.ledger.put_tickets(house.event, [*more, NewTicket(0, digest(b"0"), False, "Ada Byron")], cancels=True)
    now = {each.name: each.number for each in house.paper.facts(house.clock.stamp()).lines}
    assert now["Byron, Ada"] == old["Ada"] and now["Bob"] == old["Bob"]


def test_each_wrong_number_is_told_with_what_is_wrong_and_the_right_ones_are_taken(house: House) -> None:
    house.sell("Ada", "Bob", "Cleo")
    house.ledger.put_tickets(house.before, [NewTicket(0, digest(b"x"), False, "Xenia")])
    good = house.line(1)
    other = line_number(house.before.id, 1)
    mistyped = next(f"3-{n}" for n in range(10) if f"3-{n}" not in {house.line(3), line_number(house.before.id, 3)})
    text = f"{good} {other} {mistyped} {house.line(77)} abc {house.line(2)} x5 {house.line(3)} 03:00"
    seen = house.look(text)
    assert {each.word: (each.why, each.other) for each in seen.wrong} == {
        other: (Why.OTHER_EVENT, "before"),
        mistyped: (Why.WRONG_CHECK, ""),
        house.line(77): (Why.NO_LINE, ""),
        "abc": (Why.NO_NUMBER, ""),
        f"{house.line(2)} x5": (Why.TOO_MANY_PEOPLE, "1"),
        f"{house.line(3)} 03:00": (Why.NOT_YET, ""),
    }
    assert [(each.tick.number, each.fate) for each in seen.ticked] == [(1, Fate.ENTERS)]
    done = house.paper.take(Given(text), "Organa", house.clock.stamp(), PARIS)
    assert (done.wrong, done.ticked, done.room.inside, seen.room.inside) == (seen.wrong, seen.ticked, 1, 1)


def test_times_are_those_of_the_evening_also_after_midnight(house: House) -> None:
    house.sell("Ada", "Bob", "Cleo")
    house.clock.advance(48 * 3600)
    text = f"{house.line(1)} 19:05 {house.line(2)} 0:30 {house.line(3)}"
    day = date(2026, 11, 24)
    assert house.at(text) == [
        datetime.combine(day, time(19, 5), PARIS),
        datetime.combine(day + timedelta(days=1), time(0, 30), PARIS),
        None,
    ]
    assert house.at(text, at=time(18, 50))[2] == datetime.combine(day, time(18, 50), PARIS)
    assert house.at(house.line(1) + " 10:00", day=date(2026, 11, 26)) == []  # 18:00 less six hours begins the next one
    assert house.at(house.line(1) + " 14:00", day=date(2026, 11, 25))[0] == datetime(2026, 11, 25, 14, 0, tzinfo=PARIS)


def test_without_a_start_the_last_such_time_is_meant(tmp_path: Path) -> None:
    house = House(tmp_path / "other.db", starts_at=None)
    house.sell("Ada", "Bob")
    now = house.clock.stamp().wall.astimezone(PARIS)
    early, late = now - timedelta(hours=1), now + timedelta(hours=1)
    assert house.at(f"{house.line(1)} {early:%H:%M} {house.line(2)} {late:%H:%M}") == [
        early.replace(second=0, microsecond=0),
        late.replace(second=0, microsecond=0) - timedelta(days=1),
    ]
    house.ledger.close()


def test_what_is_seen_is_what_is_done_and_the_room_is_told_with_them_in_it(house: House) -> None:
    house.sell(*(f"Guest {n}" for n in range(20)), guests=2)
    given = Given(" ".join(house.line(n) for n in range(1, 21)), walk_ins=4, at=time(19, 30), gate=" side ")
    seen = house.paper.look(given, "Organa", house.clock.stamp(), PARIS)
    assert house.ledger.occupancy(house.event).inside == 0
    done = house.paper.take(given, "Organa", house.clock.stamp(), PARIS)
    assert seen == done and done.room.inside == 64 and done.came == 60
    again = house.paper.take(given, "Organa", house.clock.stamp(), PARIS)
    assert (again.came, again.walk_ins.new, again.room.inside) == (0, 0, 64)
    assert {row.gate for row in house.ledger.recent_scans(house.event, 100)} == {"paper side"}
    assert house.ledger.recent_scans(house.event, 1)[0].at == datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
