"""What an evening comes to in numbers: they add up, and nobody is named."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from hardware.clock import ManualClock
from kiosk.dashboard.report_view import report_view
from kiosk.evening import evening_report
from kiosk.ledger import CannotUndo, GateMode, Hand, NewTicket, Presentation
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.report import GateCount, Noted, Report, report
from kiosk.ledger.report_forms import as_csv, as_json, as_text, neutral
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status
from stream.aired import Aired, StreamReport
from stream.health import Health, LegKind, LegState, StreamState
from stream.logbook import Logbook

PARIS = ZoneInfo("Europe/Paris")


def ticket(code: str, holder: str | None = None, **more: Any) -> NewTicket:
    return NewTicket(0, digest(code.encode()), is_own=False, holder=holder, **more)


class Evening:
    """A door, and whoever comes."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.ledger = Ledger(path)
        self.event = self.ledger.create_event("evening", "An evening", 20, fire_limit=30)
        self._nonces = 0

    def sell(self, *wanted: NewTicket) -> None:
        self.ledger.put_tickets(self.event, wanted)

    def hand(self, gate: str = "desk") -> Hand:
        self._nonces += 1
        self.clock.advance(1)
        return Hand("Ada (door) BCD", f"hand-{self._nonces}", gate, self.clock.stamp())

    def show(self, code: str, mode: GateMode = GateMode.ENTRY, gate: str = "main") -> None:
        self._nonces += 1
        self.clock.advance(1)
        shown = Presentation(code.encode(), f"show-{self._nonces}", gate, "camera", self.clock.stamp())
        self.ledger.admit(self.event, shown, mode)

    def id_of(self, number: int) -> int:
        return next(each.id for each in self.ledger.tickets(self.event) if each.number == number)

    def undo_last(self) -> None:
        self.ledger.undo(self.event, self.ledger.recent_scans(self.event, 1)[0].scan_id, self.hand())

    def report(self) -> Report:
        return report(self.ledger, self.event, self.clock.stamp(), PARIS)


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[Evening]:
    evening = Evening(tmp_path / "ledger.db")
    yield evening
    assert audit(evening.ledger) == []
    evening.ledger.close()


def test_an_event_to_which_nobody_came_has_a_report(evening: Evening) -> None:
    told = evening.report()
    assert (told.came, told.peak, told.peak_at, told.slices, told.course) == (0, 0, None, [], [])
    assert "An evening" in as_text(told) and as_csv(told) and json.dumps(as_json(told))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("may_return", [True, False])
def test_whatever_happened_the_numbers_add_up(evening: Evening, seed: int, *, may_return: bool) -> None:
    chance = random.Random(seed)
    evening.ledger.change_event(evening.event, may_return=may_return)
    statuses = (Status.PAID, Status.PAID, Status.PAID, Status.UNPAID)
    evening.sell(*(ticket(f"{n}", guests=chance.randrange(3), status=chance.choice(statuses)) for n in range(12)))
    evening.ledger.correct(evening.event, 1, evening.hand())
    for _ in range(120):
        evening.clock.advance(chance.uniform(0, 200))
        code = f"{chance.randrange(14)}"
        match chance.randrange(8):
            case 0:
                evening.ledger.walk_in(evening.event, evening.hand(), persons=chance.randrange(1, 3))
            case 1:
                evening.ledger.correct(evening.event, chance.choice((-2, -1, 1, 3)), evening.hand())
            case 2:
                for row in chance.sample(evening.ledger.recent_scans(evening.event, 5), k=1):
                    with suppress(CannotUndo):
                        evening.ledger.undo(evening.event, row.scan_id, evening.hand())
            case 3:
                number = evening.id_of(chance.randrange(1, 13))
                evening.ledger.check_in(evening.event, number, evening.hand(), override=True)
            case way:
                evening.show(code, GateMode.EXIT if way == 4 else GateMode.ENTRY, chance.choice(("main", "side")))
    told = evening.report()
    count = evening.ledger.head_count(evening.event)
    through = sum(gate.came_in - gate.went_out for gate in told.gates.values())
    assert told.inside == count.inside == through + told.corrections == sum(each.delta for each in told.course)
    assert told.expected == told.came - told.irregular + told.no_shows
    assert sum(told.refusals.values()) == sum(gate.refused for gate in told.gates.values()) == count.refused
    assert sum(each.came_in for each in told.slices) == sum(gate.came_in for gate in told.gates.values())
    assert sum(each.went_out for each in told.slices) == sum(gate.went_out for gate in told.gates.values())
    assert told.peak >= max(each.inside for each in told.slices)
    assert told.slices[-1].inside == told.inside
    assert told.no_shows == evening.ledger.seats(evening.event, evening.clock.stamp()).kept


def test_a_slip_of_a_finger_that_was_undone_is_no_peak(evening: Evening) -> None:
    evening.sell(ticket("A"))
    evening.show("A")
    evening.ledger.correct(evening.event, 25, evening.hand())
    evening.undo_last()
    told = evening.report()
    assert (told.peak, told.inside, told.corrections) == (1, 1, 0)


def test_the_peak_has_its_time_at_the_venue(evening: Evening) -> None:
    evening.sell(ticket("A"), ticket("B"))
    evening.show("A")
    evening.clock.advance(600)
    evening.show("B")
    at = evening.clock.stamp().wall
    evening.show("A", GateMode.EXIT)
    told = evening.report()
    assert (told.peak, told.peak_at) == (2, at)
    assert told.peak_at is not None and told.peak_at.tzinfo is PARIS


def test_who_comes_twice_came_once_and_is_no_no_show(evening: Evening) -> None:
    evening.sell(ticket("A", guests=1))
    for _ in range(3):
        evening.show("A")
        evening.show("A", GateMode.EXIT)
    told = evening.report()
    assert (told.came, told.guests, told.no_shows, told.absent) == (2, 1, 0, 0)
    assert told.gates == {"main": GateCount(6, 6, 0)}


def test_those_of_a_group_who_stayed_away_are_no_shows_and_their_ticket_is_not(evening: Evening) -> None:
    evening.sell(ticket("A", guests=3), ticket("B"))
    evening.ledger.check_in(evening.event, evening.id_of(1), evening.hand(), persons=2)
    told = evening.report()
    assert (told.tickets, told.expected, told.came, told.guests) == (2, 5, 2, 1)
    assert (told.no_shows, told.absent) == (3, 1)


def test_a_ticket_that_is_not_good_is_no_no_show_and_who_comes_on_it_is_counted_apart(evening: Evening) -> None:
    evening.sell(ticket("A", status=Status.UNPAID), ticket("B", status=Status.CANCELED))
    evening.ledger.check_in(evening.event, evening.id_of(1), evening.hand(), override=True)
    told = evening.report()
    assert (told.tickets, told.came, told.irregular, told.no_shows) == (0, 1, 1, 0)


def test_walk_ins_are_people_and_neither_tickets_nor_guests(evening: Evening) -> None:
    evening.ledger.walk_in(evening.event, evening.hand(), name="Léa", persons=3)
    evening.ledger.walk_in(evening.event, evening.hand(), persons=1)
    evening.undo_last()
    told = evening.report()
    assert (told.walk_ins, told.tickets, told.came, told.guests) == (3, 0, 0, 0)
    assert "Léa" not in as_text(told) + json.dumps(as_json(told)) + as_csv(told).decode("utf-8-sig")


def test_notes_are_counted_by_what_they_say_and_rare_ones_together(evening: Evening) -> None:
    evening.sell(
        ticket("A", note="vegan"),
        ticket("B", note=" Vegan , speaker"),
        ticket("C", note="SPEAKER"),
        ticket("D", note="needs a chair near the door"),
        ticket("E", note="halal"),
        ticket("F", note="vegan", status=Status.CANCELED),
    )
    for code in "ACDF":
        evening.show(code)
    evening.show("A", GateMode.EXIT)
    told = evening.report()
    assert told.notes == {"speaker": Noted(2, 1, 1), "vegan": Noted(2, 1, 0)}
    assert told.other_notes == Noted(tickets=2, came=1, inside=1)
    assert "chair" not in as_text(told) + json.dumps(as_json(told)) + as_csv(told).decode("utf-8-sig")


@pytest.mark.parametrize("note", ["table of Zoë", "TABLE OF ØDEGÅRD", "o'brien's", "王芳"])
def test_a_note_with_a_guest_s_name_is_not_told_however_often_it_is_there(evening: Evening, note: str) -> None:
    evening.sell(ticket("N", "Zoë Ødegård"), ticket("O", "Pat O'Brien"), ticket("P", "王芳"))
    evening.sell(*(ticket(code, note=f"{note}, pas de porc") for code in "ABC"), ticket("D", "Ali de Pasco"))
    told = evening.report()
    assert told.notes == {"pas de porc": Noted(3, 0, 0)}
    assert told.other_notes == Noted(3, 0, 0)


def test_all_phones_are_one_gate(evening: Evening) -> None:
    evening.sell(ticket("A"), ticket("B"))
    evening.show("A", gate="phone BCD")
    evening.show("B", gate="phone FGH")
    evening.show("B", gate="program Léa's laptop")
    assert evening.report().gates == {"phone": GateCount(2, 0, 0), "program": GateCount(0, 0, 1)}


def test_who_came_is_told_by_five_minutes_of_the_venue(evening: Evening) -> None:
    evening.sell(*(ticket(code) for code in "ABC"))
    evening.clock.jump_to(datetime(2026, 10, 25, 0, 31, tzinfo=UTC))
    evening.show("A")
    evening.clock.advance(3600)  # the hour that is there twice
    evening.show("B")
    evening.clock.advance(240)
    evening.show("C")
    slices = evening.report().slices
    assert [(f"{each.begins:%H:%M %z}", each.came_in, each.inside) for each in slices] == [
        ("02:30 +0200", 1, 1),
        ("02:30 +0100", 1, 2),
        ("02:35 +0100", 1, 3),
    ]


def test_rows_whose_time_nobody_vouches_for_are_said_until_somebody_does(evening: Evening) -> None:
    evening.sell(ticket("A"))
    evening.clock.is_trusted = False
    right = evening.clock.stamp().wall
    evening.clock.jump_to(datetime(2020, 1, 1, tzinfo=UTC))
    evening.show("A")
    told = evening.report()
    assert told.unsure == 1 and "nobody confirmed" in as_text(told)
    evening.ledger.set_clock(evening.event, right, evening.hand())
    told = evening.report()
    assert told.unsure == 0 and abs(told.made_at - right) < timedelta(minutes=1)
    assert told.peak_at is not None and abs(told.peak_at - right) < timedelta(minutes=1)


def test_it_asks_the_database_as_often_at_any_size(evening: Evening) -> None:
    asked: list[str] = []
    engine = evening.ledger.database._engine
    sa.event.listen(engine, "before_cursor_execute", lambda _db, _cursor, statement, *_more: asked.append(statement))
    evening.report()
    before = len(asked)
    evening.sell(*(ticket(f"{n}") for n in range(15)))
    for n in range(15):
        evening.show(f"{n}")
    asked.clear()
    evening.report()
    assert len(asked) == before


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "\u00a0=1"])
def test_no_cell_is_a_formula(evening: Evening, text: str) -> None:
    assert neutral(text).startswith("'")
    evening.event = evening.ledger.change_event(evening.event, name=text)
    evening.sell(*(ticket(code, note=text) for code in "AB"))
    rows = list(csv.reader(io.StringIO(as_csv(evening.report()).decode("utf-8-sig"), newline="")))
    assert {len(row) for row in rows} == {4}
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.strip()[:1] in set("=+-@\uff1d")]
    assert neutral("vegan") == "vegan"


def test_a_program_gets_one_object_of_plain_values(evening: Evening) -> None:
    evening.sell(ticket("A", guests=1))
    evening.show("A")
    said = json.loads(json.dumps(as_json(evening.report())))
    assert said["slug"] == "evening" and said["peak"] == 2
    assert said["gates"] == {"main": {"came_in": 2, "went_out": 0, "refused": 0}}
    (five,) = said["five_minutes"]
    assert (five["came_in"], five["inside"]) == (2, 2)
    assert datetime.fromisoformat(five["begins"]).utcoffset() == timedelta(hours=1)


def test_the_stream_of_the_same_evening_stands_beside_the_door(evening: Evening, tmp_path: Path) -> None:
    evening.sell(ticket("A"))
    evening.show("A")
    logbook = tmp_path / "stream-log.jsonl"
    book = Logbook(logbook, evening.clock)
    legs = {
        health: (LegState(name="tube", kind=LegKind.DESTINATION, state=health),)
        for health in (Health.LIVE, Health.LOST)
    }
    for health, seconds in ((Health.LIVE, 60), (Health.LOST, 20), (Health.LIVE, 60), (Health.LIVE, 0)):
        book.note(StreamState(order="live", legs=legs[health], recording="talk.ts"))
        evening.clock.advance(seconds)
    now = evening.clock.stamp()
    told = evening_report(evening.ledger, evening.event, now, PARIS, logbook)
    assert told._replace(stream=StreamReport()) == evening.report()
    assert told.stream == StreamReport([Aired("tube", 120.0, 1, 20.0, 20.0)], 1, 140.0)
    assert "stream to tube: live 2 min, 1 gap(s) of 20 s, at most 20 s" in as_text(told)
    assert as_json(told)["stream"]["aired"][0]["gaps"] == 1
    assert "stream,tube,gaps,1" in as_csv(told).decode("utf-8-sig")
    (table,) = [each for each in report_view(told, PARIS).tables if each.title == "Stream"]
    assert table.rows == (("tube", "2 min", "1", "20 s"), ("Recorded, 1 file", "2 min", "", ""))
    logbook.unlink()
    logbook.mkdir()  # cannot be read
    assert evening_report(evening.ledger, evening.event, now, PARIS, logbook).stream.is_nothing
