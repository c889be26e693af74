"""Ticks of the paper in the ledger: whoever is on it is in, once, at the paper's own time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from hardware.clock import ManualClock
from kiosk.ledger import Caveat, GateMode, Hand, NewTicket, Presentation, Reason
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.paper import Fate, PaperTicks, Tick, Ticked, Typist
from kiosk.ledger.report import report
from kiosk.ledger.schema import scans
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status


class Night:
    """A door whose Pi died, and came back."""

    def __init__(self, path: Path, capacity: int = 6) -> None:
        self.clock = ManualClock()
        self.ledger = Ledger(path)
        self.event = self.ledger.create_event("evening", "An evening", capacity)
        people = [
            NewTicket(0, digest(b"ADA"), False, "Ada"),
            NewTicket(0, digest(b"BOB"), False, "Bob", guests=2),
            NewTicket(0, digest(b"CLEO"), False, "Cleo", status=Status.UNPAID),
            NewTicket(0, digest(b"DORA"), False, "Dora", status=Status.REVOKED),
            *(NewTicket(0, digest(b"%d" % n), False, f"Guest {n}") for n in range(10)),
        ]
        self.ledger.put_tickets(self.event, people)
        self.paper = PaperTicks(self.ledger, self.event)
        self._nonces = 0

    @property
    def now(self) -> datetime:
        return self.clock.stamp().wall

    def typist(self, gate: str = "", day: str = "") -> Typist:
        return Typist("Organa", self.clock.stamp(), day, gate)

    def take(self, *ticks: Tick, gate: str = "", day: str = "") -> Sequence[Ticked]:
        return list(self.paper.take(ticks, self.typist(gate, day)))

    def fates(self, *ticks: Tick) -> list[Fate]:
        seen = [each.fate for each in self.paper.look(ticks, self.typist())]
        assert [each.fate for each in self.take(*ticks)] == seen, "the look tells what will be done"
        return seen

    def show(self, code: str, mode: GateMode = GateMode.ENTRY, gate: str = "main") -> None:
        self._nonces += 1
        self.clock.advance(60)
        self.ledger.admit(
            self.event, Presentation(code.encode(), f"show-{self._nonces}", gate, "camera", self.clock.stamp()), mode
        )

    def rows(self) -> int:
        with self.ledger.database.reading() as db:
            return db.execute(sa.select(sa.func.count()).select_from(scans)).scalar_one()

    @property
    def inside(self) -> int:
        return self.ledger.occupancy(self.event).inside


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    night = Night(tmp_path / "ledger.db")
    yield night
    assert audit(night.ledger) == []
    night.ledger.close()


def test_a_tick_is_an_entry_at_the_time_of_the_paper(night: Night) -> None:
    came = night.now - timedelta(hours=2)
    (done,) = night.take(Tick(1, came), gate="side")
    assert (done.fate, done.persons, done.reason) == (Fate.ENTERS, 1, None)
    (row,) = night.ledger.recent_scans(night.event, 1)
    assert (row.gate, row.at, row.actor, row.delta, row.holder) == ("paper side", came, "Organa", 1, "Ada")


def test_the_same_sheet_typed_twice_counts_once(night: Night) -> None:
    sheet = [Tick(1), Tick(2, night.now - timedelta(hours=1)), Tick(3, did_get_in=True)]
    assert night.fates(*sheet) == [Fate.ENTERS] * 3
    rows, inside = night.rows(), night.inside
    night.clock.advance(3600)
    assert night.fates(*sheet) == [Fate.TYPED_BEFORE] * 3
    assert night.fates(Tick(2, persons=1)) == [Fate.TYPED_BEFORE]
    assert (night.rows(), night.inside) == (rows, inside) == (3, 5)


def test_the_paper_of_another_day_is_another_paper(night: Night) -> None:
    night.take(Tick(1), day="2026-11-24")
    night.show("ADA", GateMode.EXIT)
    assert night.take(Tick(1), day="2026-11-25")[0].fate is Fate.ENTERS
    assert night.take(Tick(1), day="2026-11-24")[0].fate is Fate.TYPED_BEFORE


def test_who_was_scanned_before_is_told_and_not_counted_again(night: Night) -> None:
    night.show("ADA", gate="side")
    (told,) = night.paper.look([Tick(1)], night.typist())
    assert (told.fate, told.gate) == (Fate.ALREADY_IN, "side") and told.found is not None
    assert told.found.last_at == night.now
    assert night.take(Tick(1))[0].fate is Fate.ALREADY_IN and night.rows() == 1


def test_a_group_comes_in_parts_and_never_more_than_it_is(night: Night) -> None:
    assert night.take(Tick(2, persons=4))[0].fate is Fate.TOO_MANY
    night.ledger.check_in(night.event, 2, Hand("Ada", "n1", "desk", night.clock.stamp()), persons=1)
    (done,) = night.take(Tick(2))
    assert (done.fate, done.persons, night.inside) == (Fate.ENTERS, 2, 3)


def test_who_is_refused_is_taken_when_somebody_says_that_they_got_in(night: Night) -> None:
    told = night.take(Tick(3), Tick(4))
    assert [(each.fate, each.reason) for each in told] == [
        (Fate.REFUSED, Reason.UNPAID),
        (Fate.REFUSED, Reason.REVOKED),
    ]
    assert night.rows() == 0, "what was not taken leaves no row, and may be taken later"
    assert night.fates(Tick(3, did_get_in=True), Tick(4, did_get_in=True)) == [Fate.ENTERS] * 2
    assert all(row.caveats == (Caveat.OVERRIDE,) for row in night.ledger.recent_scans(night.event, 2))
    assert report(night.ledger, night.event, night.clock.stamp()).irregular == 2


def test_a_ticket_out_of_its_hours_is_judged_by_the_time_of_the_paper(night: Night) -> None:
    until = night.now - timedelta(hours=1)
    night.ledger.put_tickets(night.event, [NewTicket(0, digest(b"EVE"), False, "Eve", valid_until=until)])
    number = night.ledger.tickets(night.event)[-1].number
    (late,) = night.paper.look([Tick(number)], night.typist())
    assert (late.fate, late.reason) == (Fate.REFUSED, Reason.INVALID_TIME)
    assert night.fates(Tick(number, until - timedelta(minutes=5))) == [Fate.ENTERS]


def test_no_full_room_refuses_whom_the_paper_has_in_it(night: Night) -> None:
    everybody = [Tick(number) for number in (1, 2, *range(5, 15))]
    assert night.fates(*everybody) == [Fate.ENTERS] * 12
    room = night.paper.occupancy()
    assert (room.inside, room.capacity) == (14, 6)
    night.paper.take_walk_ins(3, None, night.typist())
    assert night.inside == 17


def test_who_was_seen_leaving_after_the_tick_is_not_inside(night: Night) -> None:
    came = night.now
    night.show("ADA", GateMode.EXIT)  # came by the paper, so the gate knew of nobody inside
    left = night.now
    night.clock.advance(7200)
    assert night.fates(Tick(1, came)) == [Fate.CAME_AND_LEFT]
    assert night.inside == 0 and night.fates(Tick(1, came)) == [Fate.TYPED_BEFORE]
    out, back = night.ledger.recent_scans(night.event, 2)
    assert (out.kind, out.at, back.kind, back.at) == ("exit", left, "entry", came)
    assert report(night.ledger, night.event, night.clock.stamp()).came == 1


def test_who_was_inside_at_the_time_of_the_tick_is_not_counted_again(night: Night) -> None:
    night.show("ADA")
    tick = Tick(1, night.now + timedelta(minutes=5))
    night.clock.advance(600)
    night.show("ADA", GateMode.EXIT)
    assert night.fates(tick) == [Fate.ALREADY_IN] and night.rows() == 2


def test_who_comes_back_by_the_paper_is_in_again(night: Night) -> None:
    night.show("ADA")
    night.show("ADA", GateMode.EXIT)
    night.clock.advance(600)
    assert night.fates(Tick(1, night.now)) == [Fate.ENTERS] and night.inside == 1


def test_walk_ins_are_counted_up_to_what_the_paper_has(night: Night) -> None:
    at = night.now - timedelta(minutes=30)
    for count, new in ((3, 3), (3, 0), (5, 2), (4, 0)):
        assert night.paper.look_at_walk_ins(count, night.typist("main")).new == new
        assert night.paper.take_walk_ins(count, at, night.typist("main")).new == new
    assert night.paper.take_walk_ins(3, at, night.typist("MAIN")).new == 0, "written otherwise"
    assert night.paper.take_walk_ins(2, at, night.typist("side")).new == 2, "another gate has a paper of its own"
    told = report(night.ledger, night.event, night.clock.stamp())
    assert (told.walk_ins, night.inside, told.peak_at) == (7, 7, at)


def test_a_tick_can_be_undone_like_any_row(night: Night) -> None:
    night.take(Tick(1))
    (row,) = night.ledger.recent_scans(night.event, 1)
    night.ledger.undo(night.event, row.scan_id, Hand("Ada", "undo", "desk", night.clock.stamp()))
    assert night.inside == 0


def test_the_report_has_the_paper_as_a_gate_and_its_people_when_they_came(night: Night) -> None:
    for code in ("0", "1", "2"):
        night.show(code)
    came = night.now - timedelta(seconds=90)  # before the last of them
    night.clock.advance(4 * 3600)
    night.take(Tick(1, came), Tick(2, came + timedelta(minutes=20)), Tick(5), gate="side")
    told = report(night.ledger, night.event, night.clock.stamp())
    assert told.gates["paper"].came_in == 4 and told.inside == told.peak == 7
    assert [(each.came_in, each.inside) for each in told.slices] == [(4, 4), (3, 7)]
    assert told.unsure == 0


def test_a_tick_without_a_time_is_told_to_be_unsure(night: Night) -> None:
    night.take(Tick(1), Tick(2, night.now))
    assert report(night.ledger, night.event, night.clock.stamp()).unsure == 1


def test_ticks_without_a_time_that_are_typed_in_days_later_belong_to_the_evening(night: Night) -> None:
    start = night.now
    event = night.ledger.change_event(night.event, starts_at=start)
    night.clock.advance(5 * 24 * 3600)
    list(PaperTicks(night.ledger, event).take([Tick(1), Tick(2, start + timedelta(minutes=5))], night.typist()))
    PaperTicks(night.ledger, event).take_walk_ins(2, None, night.typist())
    told = report(night.ledger, event, night.clock.stamp())
    assert (told.unsure, told.peak, told.peak_at) == (3, 6, start + timedelta(minutes=5))
    assert [each.begins for each in told.slices if each.came_in] == [start, start + timedelta(minutes=5)]


def test_a_clock_that_is_set_later_leaves_the_times_of_the_paper(night: Night) -> None:
    night.clock.is_trusted = False
    came = night.now - timedelta(hours=1)
    night.take(Tick(1, came))
    night.clock.jump_to(night.now + timedelta(days=200))
    night.clock.is_trusted = True
    night.ledger.fix_clock(night.clock.stamp())
    assert night.ledger.recent_scans(night.event, 1)[0].at == came


def test_a_number_of_nobody_is_told(night: Night) -> None:
    assert night.fates(Tick(999), Tick(1)) == [Fate.UNKNOWN, Fate.ENTERS]


_TYPING = """
import sys
from pathlib import Path
from hardware.clock import SystemClock
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.paper import PaperTicks, Tick, Typist

ledger = Ledger(Path(sys.argv[1]))
print("typing", flush=True)
ticks = [Tick(number) for number in range(1, 1001)]
for done in PaperTicks(ledger, ledger.event("big")).take(ticks, Typist("Organa", SystemClock().stamp())):
    pass
"""


@pytest.mark.parametrize("seed", range(4))
def test_ticks_are_whole_after_a_kill_and_the_same_sheet_takes_the_rest(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        event = ledger.create_event("big", "Big", 10)
        ledger.put_tickets(event, [NewTicket(0, digest(b"%d" % n), False, f"G {n}", guests=n % 3) for n in range(1000)])
        with subprocess.Popen(
            [sys.executable, "-c", _TYPING, str(path)], stdout=subprocess.PIPE, env={**os.environ}
        ) as typing:
            assert typing.stdout is not None and typing.stdout.readline() == b"typing\n"
            some = random.Random(seed).randrange(1, 900)
            while ledger.head_count(event).admitted < some:
                assert typing.poll() is None, "it was killed in the middle"
            typing.send_signal(signal.SIGKILL)
        assert audit(ledger) == []
        ticks = [Tick(number) for number in range(1, 1001)]
        before = ledger.head_count(event).admitted
        assert 0 < before < 1000
        done = list(PaperTicks(ledger, event).take(ticks, Typist("Organa", ManualClock().stamp())))
        assert sum(each.fate is Fate.TYPED_BEFORE for each in done) == before
        assert ledger.head_count(event).admitted == 1000
        assert ledger.occupancy(event).inside == sum(1 + n % 3 for n in range(1000))
        assert audit(ledger) == []
