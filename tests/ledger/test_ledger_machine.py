"""Whatever guests and volunteers do, in any order, at two gates: the ledger keeps its promises."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hardware.clock import ManualClock
from kiosk.ledger import CannotUndo, ClockKnown, GateMode, Hand, NewTicket, Presentation, Reason, TooMany
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status

CODES = ("A", "B", "C2", "D3", "unpaid", "stranger")
SEATS, FIRE = 4, 6
gates = st.sampled_from(["front", "back"])
codes = st.sampled_from(CODES)
modes = st.sampled_from(list(GateMode))


class LedgerMachine(RuleBasedStateMachine):
    """The model beside it knows how many are inside, who waits in which order, and what time it is."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        # Two processes, two gates, one file: the second ledger never hears of the first but by the file.
        self.ledgers = {gate: Ledger(Path(self.folder.name) / "ledger.db") for gate in ("front", "back")}
        book = self.ledgers["front"]
        self.event = book.create_event("evening", "An evening", SEATS, fire_limit=FIRE)
        book.put_tickets(
            self.event,
            [
                NewTicket(0, digest(b"A"), is_own=False),
                NewTicket(0, digest(b"B"), is_own=False),
                NewTicket(0, digest(b"C2"), is_own=False, guests=1),
                NewTicket(0, digest(b"D3"), is_own=False, guests=2),
                NewTicket(0, digest(b"unpaid"), is_own=False, status=Status.UNPAID),
            ],
        )
        self.ids = dict(zip(CODES, (ticket.id for ticket in book.tickets(self.event)), strict=False))
        self.began = self.clock.stamp()
        self.inside = 0
        self.asked: list[str] = []
        self.listed: set[str] = set()
        self.nonces = 0
        self.said: list[tuple[str, Presentation, GateMode, int, bool]] = []

    def teardown(self) -> None:
        if hasattr(self, "ledgers"):
            assert audit(self.ledgers["back"]) == []
            for book in self.ledgers.values():
                book.close()
            self.folder.cleanup()

    def nonce(self) -> str:
        self.nonces += 1
        self.clock.advance(1)
        return f"n{self.nonces}"

    def hand(self, gate: str) -> Hand:
        return Hand("volunteer", self.nonce(), gate, self.clock.stamp())

    @rule(gate=gates, code=codes, mode=modes)
    def show(self, gate: str, code: str, mode: GateMode) -> None:
        shown = Presentation(code.encode(), self.nonce(), gate, "camera", self.clock.stamp())
        answer = self.ledgers[gate].admit(self.event, shown, mode)
        if code == "stranger":
            assert answer.reason is Reason.INVALID
        if answer.reason is not None:
            assert answer.inside == self.inside
        if answer.is_admitted and answer.direction == "entry":
            assert answer.inside <= SEATS
        self.inside = answer.inside
        self.said.append((gate, shown, mode, answer.scan_id, answer.is_admitted))

    @precondition(lambda self: self.said)
    @rule(gate=gates, data=st.data())
    def say_again(self, gate: str, data: st.DataObject) -> None:
        _, shown, mode, scan_id, is_admitted = data.draw(st.sampled_from(self.said))
        answer = self.ledgers[gate].admit(self.event, shown, mode)
        assert (answer.scan_id, answer.is_admitted, answer.is_repeat) == (scan_id, is_admitted, True)

    @rule(gate=gates, code=st.sampled_from(CODES[:5]), override=st.booleans(), persons=st.integers(1, 3))
    def check_in(self, gate: str, code: str, override: bool, persons: int) -> None:
        try:
            answer = self.ledgers[gate].check_in(
                self.event, self.ids[code], self.hand(gate), persons=persons, override=override
            )
        except TooMany:
            return
        if answer.is_admitted:
            assert answer.inside == self.inside + persons <= (FIRE if override else SEATS)
        self.inside = answer.inside

    @rule(gate=gates, persons=st.integers(1, 3), override=st.booleans())
    def walk_in(self, gate: str, persons: int, override: bool) -> None:
        answer = self.ledgers[gate].walk_in(self.event, self.hand(gate), persons=persons, override=override)
        if answer.is_admitted:
            assert answer.inside == self.inside + persons <= (FIRE if override else SEATS)
        self.inside = answer.inside

    @rule(gate=gates, delta=st.sampled_from([-1, 1]))
    def correct(self, gate: str, delta: int) -> None:
        before, self.inside = self.inside, self.ledgers[gate].correct(self.event, delta, self.hand(gate))
        assert self.inside == max(before + delta, 0)

    @rule(gate=gates, back=st.integers(0, 5))
    def undo(self, gate: str, back: int) -> None:
        rows = self.ledgers[gate].recent_scans(self.event, back + 1)
        if len(rows) <= back:
            return
        row = rows[back]
        try:
            after = self.ledgers[gate].undo(self.event, row.scan_id, self.hand(gate))
        except CannotUndo:
            return
        assert after == self.inside - row.delta
        assert after <= max(FIRE, self.inside)
        self.inside = after
        if row.guest is not None and row.kind == "wait":
            self.listed.discard(row.guest)
        elif row.guest is not None:
            self.listed.add(row.guest)

    @rule(gate=gates)
    def release(self, gate: str) -> None:
        self.ledgers[gate].release_no_shows(self.event, self.hand(gate))

    @rule(gate=gates, persons=st.integers(1, 3))
    def wait(self, gate: str, persons: int) -> None:
        name = f"guest {len(self.asked) + 1}"
        self.ledgers[gate].wait(self.event, name, persons, self.hand(gate))
        self.asked.append(name)
        self.listed.add(name)

    @rule(gate=gates, data=st.data(), is_leaving=st.booleans())
    def serve_the_waiting_list(self, gate: str, data: st.DataObject, is_leaving: bool) -> None:
        waiting = self.ledgers[gate].waiting_list(self.event)
        if not waiting:
            return
        guest = data.draw(st.sampled_from(waiting))
        if is_leaving:
            self.ledgers[gate].stop_waiting(self.event, guest.id, self.hand(gate))
            self.listed.discard(guest.name)
        else:
            answer = self.ledgers[gate].admit_waiting(self.event, guest.id, self.hand(gate))
            if answer.is_admitted:
                assert answer.inside == self.inside + guest.persons <= SEATS
                self.listed.discard(guest.name)
            self.inside = answer.inside

    @rule(minutes=st.integers(1, 3))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes).total_seconds())

    def right(self) -> datetime:
        """What time it is, whatever the machine believes."""
        passed_ns = self.clock.stamp().monotonic_ns - self.began.monotonic_ns
        return self.began.wall + timedelta(microseconds=passed_ns // 1000)

    @rule()
    def power_is_lost(self) -> None:
        self.clock.is_trusted = False
        self.clock.jump_to(datetime(2020, 1, 1, tzinfo=UTC))

    @rule(gate=gates)
    def a_time_server_is_reached(self, gate: str) -> None:
        self.clock.is_trusted = True
        self.clock.jump_to(self.right())
        self.ledgers[gate].fix_clock(self.clock.stamp())

    @rule(gate=gates)
    def a_phone_tells_the_time(self, gate: str) -> None:
        hand = self.hand(gate)
        was_told_by = self.ledgers[gate].known_time(hand.at).told_by
        try:
            self.ledgers[gate].set_clock(self.event, self.right(), hand)
        except ClockKnown:
            assert was_told_by == "server"
        else:
            assert was_told_by != "server"

    @invariant()
    def who_waits_keeps_their_place(self) -> None:
        if hasattr(self, "ledgers"):
            waiting = [guest.name for guest in self.ledgers["back"].waiting_list(self.event)]
            assert waiting == [name for name in self.asked if name in self.listed]

    @invariant()
    def once_the_time_is_known_the_rows_have_it_in_their_order(self) -> None:
        if hasattr(self, "ledgers") and self.ledgers["back"].known_time(self.clock.stamp()).is_known:
            times = [row.at for row in self.ledgers["back"].recent_scans(self.event, 100)]
            assert times == sorted(times, reverse=True)
            assert all(self.began.wall <= at <= self.right() for at in times)

    @invariant()
    def occupancy_is_the_same_at_both_gates_and_never_negative(self) -> None:
        if hasattr(self, "ledgers"):
            counts = {gate: book.head_count(self.event).inside for gate, book in self.ledgers.items()}
            assert counts == {"front": self.inside, "back": self.inside}
            assert self.inside >= 0


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
