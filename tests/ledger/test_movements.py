"""Everything that moves people is a row: by hand, by groups, out again, undone, corrected."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hardware.clock import ManualClock
from kiosk.ledger import (
    CannotUndo,
    Caveat,
    ClockKnown,
    Direction,
    GateMode,
    Hand,
    NewTicket,
    OldPage,
    Presentation,
    Reason,
    TooMany,
    UnknownTicket,
    WrongTime,
)
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.report import Noted, report
from kiosk.ledger.report_forms import as_text
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status

PEOPLE = [
    NewTicket(0, digest(b"ZOE"), is_own=False, holder="Zoë Ødegård", email="zoe@example.org", note="vegan"),
    NewTicket(0, digest(b"JEAN"), is_own=False, holder="Jean Dupont", order_code="A1B2"),
    NewTicket(0, digest(b"JEAN2"), is_own=False, holder="Jean Dupont", order_code="C3D4", guests=2),
    NewTicket(0, digest(b"POOR"), is_own=False, holder="Kofi Mensah", status=Status.UNPAID),
]


class Desk:
    """A volunteer at a ledger, with a clock and fresh nonces."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.ledger = Ledger(path)
        self.event = self.ledger.create_event("evening", "An evening", 6, fire_limit=8)
        self.ledger.put_tickets(self.event, PEOPLE)
        self.ids = {t.number: t.id for t in self.ledger.tickets(self.event)}
        self._nonces = 0

    def hand(self) -> Hand:
        self._nonces += 1
        self.clock.advance(1)
        return Hand("desk", f"hand-{self._nonces}", "main", self.clock.stamp())

    def show(self, code: str, mode: GateMode = GateMode.ENTRY) -> tuple[Direction, Reason | None, int]:
        self._nonces += 1
        self.clock.advance(1)
        shown = Presentation(code.encode(), f"show-{self._nonces}", "main", "camera", self.clock.stamp())
        answer = self.ledger.admit(self.event, shown, mode)
        return answer.direction, answer.reason, answer.inside


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "ledger.db")
    yield desk
    assert audit(desk.ledger) == []  # whatever a test did, the rows add up
    desk.ledger.close()


IN, OUT = Direction.ENTRY, Direction.EXIT


def test_in_out_and_in_again(desk: Desk) -> None:
    assert desk.show("ZOE") == (IN, None, 1)
    assert desk.show("ZOE", GateMode.EXIT) == (OUT, None, 0)
    assert desk.show("ZOE") == (IN, None, 1)
    assert desk.show("ZOE") == (IN, Reason.ALREADY_REDEEMED, 1)


def test_a_gate_for_both_ways_takes_a_lingering_phone_for_no_exit(desk: Desk) -> None:
    assert desk.show("ZOE", GateMode.BOTH) == (IN, None, 1)
    assert desk.show("ZOE", GateMode.BOTH) == (IN, Reason.ALREADY_REDEEMED, 1)
    desk.clock.advance(61)
    assert desk.show("ZOE", GateMode.BOTH) == (OUT, None, 0)


def test_nobody_is_kept_in(desk: Desk) -> None:
    assert desk.show("ZOE", GateMode.EXIT) == (OUT, None, 0)  # came in uncounted
    assert desk.show("?", GateMode.EXIT) == (OUT, Reason.INVALID, 0)


def test_an_event_may_forbid_to_return(desk: Desk) -> None:
    strict = desk.ledger.create_event("strict", "Strict", 5, may_return=False)
    desk.ledger.put_tickets(strict, PEOPLE)
    desk.event = strict
    desk.show("ZOE")
    desk.show("ZOE", GateMode.EXIT)
    assert desk.show("ZOE") == (IN, Reason.ALREADY_REDEEMED, 0)


def test_a_group_comes_in_by_one_scan_and_leaves_by_one(desk: Desk) -> None:
    assert desk.show("JEAN2") == (IN, None, 3)
    assert desk.show("JEAN2", GateMode.EXIT) == (OUT, None, 0)


def test_a_group_that_came_smaller_is_counted_smaller(desk: Desk) -> None:
    assert desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=2).inside == 2


def test_search_finds_without_accents_and_tells_homonyms_apart(desk: Desk) -> None:
    def found(text: str) -> list[int]:
        return [each.ticket.number for each in desk.ledger.find(desk.event, text)]

    assert found("zoe") == found("ODE zo") == found("ZOE@EXAMPLE") == [1]
    assert found("dupont") == [2, 3] and found("dupont c3") == [3]
    assert found("%") == found("  ") == found("nobody") == []
    desk.ledger.check_in(desk.event, desk.ids[1], desk.hand())
    (zoe,) = desk.ledger.find(desk.event, "zoë")
    assert zoe.inside == 1 and zoe.ticket.note == "vegan" and zoe.last_at is not None


def test_a_button_pressed_twice_counts_once(desk: Desk) -> None:
    hand = desk.hand()
    first = desk.ledger.check_in(desk.event, desk.ids[1], hand)
    again = desk.ledger.check_in(desk.event, desk.ids[1], hand)
    assert (again.scan_id, again.is_repeat, again.is_admitted) == (first.scan_id, True, True)
    hand = desk.hand()
    assert desk.ledger.walk_in(desk.event, hand).inside == desk.ledger.walk_in(desk.event, hand).inside == 2
    hand = desk.hand()
    assert desk.ledger.correct(desk.event, 1, hand) == desk.ledger.correct(desk.event, 1, hand) == 3
    row, hand = desk.ledger.recent_scans(desk.event, 1)[0], desk.hand()
    assert desk.ledger.undo(desk.event, row.scan_id, hand) == desk.ledger.undo(desk.event, row.scan_id, hand) == 2


def test_a_refusal_can_be_overruled_and_the_row_says_who_did(desk: Desk) -> None:
    assert desk.ledger.check_in(desk.event, desk.ids[4], desk.hand()).reason is Reason.UNPAID
    answer = desk.ledger.check_in(desk.event, desk.ids[4], desk.hand(), override=True)
    assert answer.is_admitted and answer.caveats == (Caveat.OVERRIDE,)
    row = desk.ledger.recent_scans(desk.event, 1)[0]
    assert (row.actor, row.caveats, row.holder) == ("desk", (Caveat.OVERRIDE,), "Kofi Mensah")


def test_the_fire_limit_overrules_everybody(desk: Desk) -> None:
    assert desk.ledger.correct(desk.event, 8, desk.hand()) == 8
    assert desk.ledger.check_in(desk.event, desk.ids[1], desk.hand(), override=True).reason is Reason.FULL
    assert desk.ledger.walk_in(desk.event, desk.hand(), override=True).reason is Reason.FULL
    assert desk.ledger.correct(desk.event, 1, desk.hand()) == 9  # what is, is recorded


def test_somebody_inside_is_not_let_in_twice_even_by_override(desk: Desk) -> None:
    desk.show("ZOE")
    answer = desk.ledger.check_in(desk.event, desk.ids[1], desk.hand(), override=True)
    assert answer.reason is Reason.ALREADY_REDEEMED


def test_seats_of_ticket_holders_are_kept_until_no_shows_are_released(desk: Desk) -> None:
    now = desk.clock.stamp()
    assert desk.ledger.seats(desk.event, now) == (1, 5, 0)  # 6 seats, 5 people have paid tickets
    assert desk.ledger.walk_in(desk.event, desk.hand(), name="Ann").is_admitted
    assert desk.ledger.walk_in(desk.event, desk.hand()).reason is Reason.FULL
    desk.ledger.change_event(desk.event, release_no_shows_at=desk.clock.stamp().wall)
    assert desk.ledger.seats(desk.event, desk.clock.stamp()) == (5, 0, 0)
    assert desk.ledger.walk_in(desk.event, desk.hand(), persons=5).inside == 6


def test_seats_stay_kept_while_the_time_is_not_known(desk: Desk) -> None:
    desk.ledger.change_event(desk.event, release_no_shows_at=desk.clock.stamp().wall)
    desk.clock.is_trusted = False
    assert desk.ledger.seats(desk.event, desk.clock.stamp()).kept == 5
    desk.ledger.release_no_shows(desk.event, desk.hand())  # a person says so
    assert desk.ledger.seats(desk.event, desk.clock.stamp()).kept == 0


def test_a_release_is_a_row_that_can_be_undone(desk: Desk) -> None:
    desk.ledger.release_no_shows(desk.event, desk.hand())
    row = desk.ledger.recent_scans(desk.event, 1)[0]
    assert (row.kind, row.actor, row.delta) == ("release", "desk", 0)
    desk.ledger.release_no_shows(desk.event, desk.hand())  # nothing more to release
    assert desk.ledger.recent_scans(desk.event, 1)[0] == row
    desk.ledger.undo(desk.event, row.scan_id, desk.hand())
    assert desk.ledger.seats(desk.event, desk.clock.stamp()).kept == 5


def waiting_names(desk: Desk) -> list[str]:
    return [each.name for each in desk.ledger.waiting_list(desk.event)]


def test_the_waiting_list_is_served_in_its_order(desk: Desk) -> None:
    first = desk.ledger.wait(desk.event, "Bo", 2, desk.hand())
    second = desk.ledger.wait(desk.event, "Cy", 1, desk.hand())
    assert waiting_names(desk) == ["Bo", "Cy"]
    desk.ledger.release_no_shows(desk.event, desk.hand())
    desk.ledger.correct(desk.event, 4, desk.hand())
    assert desk.ledger.walk_in(desk.event, desk.hand()).reason is Reason.FULL  # two seats left, both waited for
    assert desk.ledger.admit_waiting(desk.event, second, desk.hand()).reason is Reason.FULL
    assert desk.ledger.admit_waiting(desk.event, first, desk.hand()).inside == 6
    assert waiting_names(desk) == ["Cy"]
    desk.ledger.stop_waiting(desk.event, second, desk.hand())
    assert waiting_names(desk) == []
    with pytest.raises(UnknownTicket, match="no longer"):
        desk.ledger.admit_waiting(desk.event, second, desk.hand())


def test_a_group_too_large_for_the_free_seats_keeps_its_place_and_keeps_nobody_out(desk: Desk) -> None:
    group = desk.ledger.wait(desk.event, "Bo", 2, desk.hand())  # one seat is free, five are kept
    single = desk.ledger.wait(desk.event, "Cy", 1, desk.hand())
    assert desk.ledger.walk_in(desk.event, desk.hand()).reason is Reason.FULL  # Cy was first to ask for that seat
    assert desk.ledger.admit_waiting(desk.event, group, desk.hand()).reason is Reason.FULL
    assert desk.ledger.admit_waiting(desk.event, single, desk.hand()).is_admitted
    assert waiting_names(desk) == ["Bo"]


def test_an_undone_entry_gives_a_waiting_guest_their_old_place_again(desk: Desk) -> None:
    first = desk.ledger.wait(desk.event, "Bo", 1, desk.hand())
    desk.ledger.wait(desk.event, "Cy", 1, desk.hand())
    entry = desk.ledger.admit_waiting(desk.event, first, desk.hand())
    assert waiting_names(desk) == ["Cy"]
    desk.ledger.undo(desk.event, entry.scan_id, desk.hand())
    assert waiting_names(desk) == ["Bo", "Cy"]
    again = desk.ledger.admit_waiting(desk.event, first, desk.hand())
    assert again.is_admitted and again.ticket == entry.ticket  # nobody is found twice in a search
    desk.ledger.check_out(desk.event, again.ticket.id, desk.hand())
    assert waiting_names(desk) == ["Cy"]  # who came in and left does not wait


def test_a_waiting_guest_who_was_put_back_is_found_and_let_in_on_their_own_place(desk: Desk) -> None:
    first = desk.ledger.wait(desk.event, "Bo", 1, desk.hand())
    desk.ledger.wait(desk.event, "Cy", 1, desk.hand())
    entry = desk.ledger.admit_waiting(desk.event, first, desk.hand())
    desk.ledger.undo(desk.event, entry.scan_id, desk.hand())
    (bo,) = desk.ledger.find(desk.event, "bo")
    assert desk.ledger.check_in(desk.event, bo.ticket.id, desk.hand()).is_admitted
    assert waiting_names(desk) == ["Cy"]


def test_every_change_of_the_waiting_list_is_a_row_with_who_did_it_and_can_be_undone(desk: Desk) -> None:
    guest = desk.ledger.wait(desk.event, "Bo", 1, desk.hand())
    desk.ledger.stop_waiting(desk.event, guest, desk.hand())
    off, on = desk.ledger.recent_scans(desk.event, 2)
    assert [(row.kind, row.guest, row.actor) for row in (on, off)] == [("wait", "Bo", "desk"), ("unwait", "Bo", "desk")]
    with pytest.raises(CannotUndo, match="off the waiting list"):
        desk.ledger.undo(desk.event, on.scan_id, desk.hand())
    desk.ledger.undo(desk.event, off.scan_id, desk.hand())
    assert waiting_names(desk) == ["Bo"]
    desk.ledger.undo(desk.event, on.scan_id, desk.hand())
    assert waiting_names(desk) == []


def test_a_decision_pressed_twice_is_one_row(desk: Desk) -> None:
    hand = desk.hand()
    assert desk.ledger.wait(desk.event, "Bo", 1, hand) == desk.ledger.wait(desk.event, "Bo", 1, hand)
    with pytest.raises(OldPage):
        desk.ledger.release_no_shows(desk.event, hand)
    assert len(desk.ledger.recent_scans(desk.event, 9)) == 1


def test_an_undo_gives_the_entry_back_and_is_a_row(desk: Desk) -> None:
    desk.show("ZOE")
    row = desk.ledger.recent_scans(desk.event, 1)[0]
    assert desk.ledger.undo(desk.event, row.scan_id, desk.hand()) == 0
    undo, entry = desk.ledger.recent_scans(desk.event, 2)
    assert (undo.kind, undo.delta, undo.actor, entry.is_undone) == ("undo", -1, "desk", True)
    assert desk.show("ZOE") == (IN, None, 1)


def test_only_what_counted_last_can_be_undone(desk: Desk) -> None:
    def last() -> int:
        return desk.ledger.recent_scans(desk.event, 1)[0].scan_id

    def undo(scan_id: int) -> int:
        return desk.ledger.undo(desk.event, scan_id, desk.hand())

    desk.show("ZOE")
    entry = last()
    desk.show("ZOE", GateMode.EXIT)
    with pytest.raises(CannotUndo, match="moved again"):
        undo(entry)
    assert undo(last()) == 1  # the exit
    assert undo(entry) == 0
    with pytest.raises(CannotUndo, match="undone already"):
        undo(entry)
    desk.show("?")
    for row in (last(), 999):
        with pytest.raises(CannotUndo):
            undo(row)


def test_an_undo_does_not_pass_the_fire_limit(desk: Desk) -> None:
    desk.ledger.correct(desk.event, 7, desk.hand())
    desk.ledger.check_in(desk.event, desk.ids[1], desk.hand(), override=True)
    desk.show("ZOE", GateMode.EXIT)
    out = desk.ledger.recent_scans(desk.event, 1)[0].scan_id
    desk.ledger.check_in(desk.event, desk.ids[2], desk.hand(), override=True)
    with pytest.raises(CannotUndo, match="fire limit"):
        desk.ledger.undo(desk.event, out, desk.hand())


def test_a_walk_in_who_left_has_no_kept_seat(desk: Desk) -> None:
    assert desk.ledger.walk_in(desk.event, desk.hand(), name="Ann").is_admitted  # the one free seat
    (ann,) = desk.ledger.find(desk.event, "ann")
    desk.ledger.check_out(desk.event, ann.ticket.id, desk.hand())
    assert desk.ledger.walk_in(desk.event, desk.hand(), name="Bo").is_admitted
    assert desk.ledger.check_in(desk.event, ann.ticket.id, desk.hand()).reason is Reason.FULL


def test_a_phone_that_lingers_after_its_exit_does_not_come_in_again(desk: Desk) -> None:
    desk.show("ZOE", GateMode.BOTH)
    desk.clock.advance(300)
    assert desk.show("ZOE", GateMode.BOTH) == (OUT, None, 0)
    assert desk.show("ZOE", GateMode.BOTH) == (IN, Reason.AMBIGUOUS, 0)
    desk.clock.advance(61)
    assert desk.show("ZOE", GateMode.BOTH) == (IN, None, 1)


def test_a_nonce_of_something_else_is_an_old_page_and_counts_nothing(desk: Desk) -> None:
    hand = desk.hand()
    desk.ledger.correct(desk.event, 1, hand)
    for press in (
        lambda: desk.ledger.check_in(desk.event, desk.ids[1], hand),
        lambda: desk.ledger.check_out(desk.event, desk.ids[1], hand),
        lambda: desk.ledger.walk_in(desk.event, hand),
        lambda: desk.ledger.undo(desk.event, 1, hand),
    ):
        with pytest.raises(OldPage, match="open it again"):
            press()
    hand = desk.hand()
    desk.ledger.check_in(desk.event, desk.ids[1], hand)
    with pytest.raises(OldPage):
        desk.ledger.check_in(desk.event, desk.ids[2], hand)
    with pytest.raises(OldPage):
        desk.ledger.correct(desk.event, 1, hand)
    assert desk.ledger.occupancy(desk.event).inside == 2


def test_the_rest_of_a_group_comes_in_by_hand_and_no_more_than_the_group(desk: Desk) -> None:
    assert desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=1).inside == 1
    assert desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=2).inside == 3
    assert desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=1).reason is Reason.ALREADY_REDEEMED
    for wrong in (0, -3, 20):
        with pytest.raises(TooMany):
            desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=wrong)
    with pytest.raises(TooMany):
        desk.ledger.walk_in(desk.event, desk.hand(), persons=0)


def test_a_limit_that_is_lowered_later_does_not_make_the_past_wrong(desk: Desk) -> None:
    for code in ("ZOE", "JEAN", "JEAN2"):
        desk.show(code)
    desk.ledger.change_event(desk.event, capacity=1, fire_limit=1)
    assert audit(desk.ledger) == []


def test_nobody_is_taken_from_an_empty_room(desk: Desk) -> None:
    assert desk.ledger.correct(desk.event, -3, desk.hand()) == 0
    desk.show("JEAN2")
    entry = desk.ledger.recent_scans(desk.event, 1)[0].scan_id
    assert desk.ledger.correct(desk.event, -2, desk.hand()) == 1
    with pytest.raises(CannotUndo, match="fewer people"):
        desk.ledger.undo(desk.event, entry, desk.hand())
    assert desk.show("JEAN2", GateMode.EXIT) == (OUT, None, 0)
    assert desk.show("JEAN2") == (IN, None, 3)


def test_a_clock_set_later_corrects_the_rows_of_its_boot_and_keeps_their_order(desk: Desk) -> None:
    right = desk.clock.stamp().wall
    desk.clock.is_trusted = False
    desk.clock.jump_to(datetime(2020, 1, 1, tzinfo=right.tzinfo))
    desk.show("ZOE")
    desk.show("JEAN")
    assert desk.ledger.recent_scans(desk.event, 1)[0].at.year == 2020
    desk.ledger.fix_clock(desk.clock.stamp())  # not set yet: changes nothing
    desk.clock.is_trusted = True
    desk.clock.jump_to(right + timedelta(seconds=2))
    desk.ledger.fix_clock(desk.clock.stamp())
    assert desk.ledger.find(desk.event, "zoe")[0].last_at == desk.ledger.recent_scans(desk.event, 2)[1].at
    newer, older = desk.ledger.recent_scans(desk.event, 2)
    assert newer.at - older.at == timedelta(seconds=1)
    assert abs(newer.at - (right + timedelta(seconds=2))) < timedelta(seconds=1)
    moved = desk.ledger.movements(desk.event)
    assert [(each.at, each.delta) for each in moved] == [(older.at, older.delta), (newer.at, newer.delta)]


def unset(desk: Desk) -> datetime:
    """A machine that woke up in the past; what it should say."""
    right = desk.clock.stamp().wall
    desk.clock.is_trusted = False
    desk.clock.jump_to(datetime(2020, 1, 1, tzinfo=right.tzinfo))
    return right


def test_a_phone_sets_the_clock_and_the_raw_time_stands_beside_the_corrected_one(desk: Desk) -> None:
    right = unset(desk)
    desk.show("ZOE")
    assert desk.ledger.known_time(desk.clock.stamp()).told_by == "nobody"
    desk.ledger.set_clock(desk.event, right + timedelta(seconds=2), desk.hand())  # a second after the scan
    now = desk.ledger.known_time(desk.clock.stamp())
    assert (now.wall, now.told_by) == (right + timedelta(seconds=2), "hand")
    clock, entry = desk.ledger.recent_scans(desk.event, 2)
    assert (clock.kind, clock.actor) == ("clock", "desk")
    assert entry.at == right + timedelta(seconds=1)
    assert entry.raw_at == datetime(2020, 1, 1, 0, 0, 1, tzinfo=right.tzinfo)
    with pytest.raises(CannotUndo, match="set again"):
        desk.ledger.undo(desk.event, clock.scan_id, desk.hand())


def test_tickets_with_hours_are_judged_by_the_time_a_phone_said(desk: Desk) -> None:
    right = unset(desk)
    late = NewTicket(0, digest(b"LATE"), is_own=False, valid_until=right - timedelta(hours=1))
    early = NewTicket(0, digest(b"TODAY"), is_own=False, valid_from=right - timedelta(hours=1))
    desk.ledger.put_tickets(desk.event, [late, early])
    desk.ledger.set_clock(desk.event, right, desk.hand())
    assert desk.show("LATE")[1] is Reason.INVALID_TIME
    assert desk.show("TODAY")[1] is None
    assert desk.ledger.recent_scans(desk.event, 1)[0].caveats == ()


def test_kept_seats_are_released_at_their_time_by_a_clock_that_a_phone_set(desk: Desk) -> None:
    desk.ledger.change_event(desk.event, release_no_shows_at=desk.clock.stamp().wall)
    right = unset(desk)
    assert desk.ledger.seats(desk.event, desk.clock.stamp()).kept == 5
    desk.ledger.set_clock(desk.event, right, desk.hand())
    assert desk.ledger.seats(desk.event, desk.clock.stamp()).kept == 0


def test_a_time_server_s_word_replaces_a_phone_s_and_is_not_replaced(desk: Desk) -> None:
    right = unset(desk)
    desk.ledger.set_clock(desk.event, right + timedelta(minutes=7), desk.hand())
    desk.clock.is_trusted = True
    desk.clock.jump_to(right)
    desk.ledger.fix_clock(desk.clock.stamp())
    desk.clock.is_trusted = False  # the server is out of reach again
    assert desk.ledger.known_time(desk.clock.stamp()) == (right, "server")
    with pytest.raises(ClockKnown):
        desk.ledger.set_clock(desk.event, right, desk.hand())


def test_a_phone_that_is_some_seconds_behind_is_believed(desk: Desk) -> None:
    desk.show("ZOE")
    right = unset(desk)
    desk.ledger.set_clock(desk.event, right - timedelta(seconds=100), desk.hand())
    assert desk.ledger.known_time(desk.clock.stamp()).told_by == "hand"


def test_a_time_before_the_last_known_row_is_refused(desk: Desk) -> None:
    desk.show("ZOE")
    right = unset(desk)
    with pytest.raises(WrongTime, match="Look at the phone"):
        desk.ledger.set_clock(desk.event, right - timedelta(days=1), desk.hand())
    assert desk.ledger.known_time(desk.clock.stamp()).told_by == "nobody"


def test_the_report_adds_up(desk: Desk) -> None:
    desk.show("ZOE")
    desk.show("JEAN2")
    desk.show("JEAN2", GateMode.EXIT)
    desk.show("?")
    desk.ledger.walk_in(desk.event, desk.hand())
    told = report(desk.ledger, desk.event, desk.clock.stamp())
    assert (told.tickets, told.expected, told.came, told.no_shows, told.walk_ins) == (3, 5, 4, 1, 1)
    assert (told.peak, told.inside, told.refusals) == (4, 2, {"invalid": 1})
    assert (told.notes, told.other_notes) == ({}, Noted(tickets=1, came=1, inside=1))
    assert sum(each.came_in for each in told.slices) == 5
    text = as_text(told)
    assert "no-shows 1" in text and "other notes: 1, came 1, of them inside 1" in text and "Zoë" not in text


def test_the_rest_of_a_group_comes_in_on_the_same_code_and_keeps_its_seats(desk: Desk) -> None:
    desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=1)
    assert desk.ledger.seats(desk.event, desk.clock.stamp()).kept == 4  # Zoë, Jean, and two of this group
    desk.clock.advance(300)
    assert desk.show("JEAN2", GateMode.BOTH) == (IN, Reason.AMBIGUOUS, 1)  # those who are in, or those who are not?
    assert desk.show("JEAN2") == (IN, None, 3)
    assert desk.show("JEAN2") == (IN, Reason.ALREADY_REDEEMED, 3)
    desk.clock.advance(300)
    assert desk.show("JEAN2", GateMode.BOTH) == (OUT, None, 0)


def test_one_of_a_group_who_goes_out_and_in_takes_no_further_kept_seat(desk: Desk) -> None:
    for _ in range(3):
        desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=1)
        desk.show("JEAN2", GateMode.EXIT)
    assert desk.ledger.seats(desk.event, desk.clock.stamp()).kept == 4


def test_at_a_gate_for_both_ways_nobody_gets_a_green_without_being_counted(desk: Desk) -> None:
    assert desk.show("ZOE", GateMode.BOTH) == (IN, None, 1)
    desk.clock.advance(300)
    assert desk.show("ZOE", GateMode.BOTH) == (OUT, None, 0)
    for _ in range(3):  # shown again and again: that is no new turn
        desk.clock.advance(17)
        assert desk.show("ZOE", GateMode.BOTH) == (IN, Reason.AMBIGUOUS, 0)
    desk.clock.advance(10)
    assert desk.show("ZOE", GateMode.BOTH) == (IN, None, 1)


def test_an_exit_of_nobody_is_no_turn(desk: Desk) -> None:
    desk.show("ZOE")
    desk.show("ZOE", GateMode.EXIT)
    desk.clock.advance(50)
    assert desk.show("ZOE", GateMode.EXIT) == (OUT, None, 0)
    desk.clock.advance(10)
    assert desk.show("ZOE", GateMode.BOTH) == (IN, None, 1)


def test_where_nobody_returns_those_of_a_group_who_have_not_come_may_still_come(desk: Desk) -> None:
    desk.ledger.change_event(desk.event, may_return=False)
    desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=2)
    assert desk.show("JEAN2", GateMode.EXIT) == (OUT, None, 0)
    assert desk.ledger.seats(desk.event, desk.clock.stamp()).kept == 3  # Zoë, Jean, and the third of this group
    assert desk.show("JEAN2") == (IN, None, 1)
    assert desk.ledger.seats(desk.event, desk.clock.stamp()).kept == 2
    assert desk.show("JEAN2", GateMode.EXIT) == (OUT, None, 0)
    assert desk.show("JEAN2") == (IN, Reason.ALREADY_REDEEMED, 0)


def test_of_a_group_from_the_waiting_list_the_rest_keep_their_place(desk: Desk) -> None:
    desk.ledger.release_no_shows(desk.event, desk.hand())
    ann, bo = (desk.ledger.wait(desk.event, name, 3, desk.hand()) for name in ("Ann", "Bo"))
    first = desk.ledger.admit_waiting(desk.event, ann, desk.hand())
    assert first.ticket is not None
    desk.ledger.undo(desk.event, first.scan_id, desk.hand())
    desk.ledger.check_in(desk.event, first.ticket.id, desk.hand(), persons=2)
    assert [(guest.name, guest.persons) for guest in desk.ledger.waiting_list(desk.event)] == [("Ann", 1), ("Bo", 3)]
    desk.ledger.correct(desk.event, 1, desk.hand())
    assert desk.ledger.admit_waiting(desk.event, bo, desk.hand()).reason is Reason.FULL
    rest = desk.ledger.admit_waiting(desk.event, ann, desk.hand())
    assert (rest.ticket, rest.inside) == (first.ticket, 4)
    assert [guest.name for guest in desk.ledger.waiting_list(desk.event)] == ["Bo"]


def test_the_rest_of_a_group_may_be_let_in_anyway(desk: Desk) -> None:
    desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=1)
    desk.ledger.correct(desk.event, 5, desk.hand())
    assert desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=2).reason is Reason.FULL
    answer = desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=2, override=True)
    assert (answer.inside, answer.caveats) == (8, (Caveat.OVERRIDE,))


def test_a_ticket_that_admits_fewer_by_now_makes_no_old_row_wrong(desk: Desk) -> None:
    for _ in range(2):
        desk.ledger.check_in(desk.event, desk.ids[3], desk.hand(), persons=1)
    changed = [ticket._replace(guests=0) for ticket in PEOPLE]
    desk.ledger.put_tickets(desk.event, changed)
    assert audit(desk.ledger) == []


def test_whether_guests_may_return_is_asked_as_the_event_is_now(desk: Desk) -> None:
    desk.show("ZOE")
    desk.show("ZOE", GateMode.EXIT)
    desk.ledger.change_event(desk.event, may_return=False)
    assert desk.show("ZOE") == (IN, Reason.ALREADY_REDEEMED, 0)


def test_a_press_said_again_for_somebody_else_is_an_old_page(desk: Desk) -> None:
    bo, cy = (desk.ledger.wait(desk.event, name, 1, desk.hand()) for name in ("Bo", "Cy"))
    for act in (
        lambda hand, first: desk.ledger.stop_waiting(desk.event, bo if first else cy, hand),
        lambda hand, first: desk.ledger.correct(desk.event, 1 if first else -1, hand),
        lambda hand, first: desk.ledger.undo(desk.event, 3 if first else 4, hand),
        lambda hand, first: desk.ledger.admit_waiting(desk.event, bo if first else cy, hand),
        lambda hand, first: desk.ledger.wait(desk.event, "Di" if first else "Ed", 2, hand),
        lambda hand, first: desk.ledger.wait(desk.event, "Di", 1 if first else 2, hand),
        lambda hand, first: desk.ledger.walk_in(desk.event, hand, name="Flo" if first else "Gus", override=True),
        lambda hand, first: desk.ledger.walk_in(desk.event, hand, persons=1 if first else 2, override=True),
        lambda hand, first: desk.ledger.check_in(
            desk.event, desk.ids[3], hand, persons=1 if first else 2, override=True
        ),
        lambda hand, first: (
            desk.ledger.check_in(desk.event, desk.ids[2], hand, override=True)
            if first
            else desk.ledger.check_out(desk.event, desk.ids[2], hand)
        ),
    ):
        hand = desk.hand()
        act(hand, first=True)
        with pytest.raises(OldPage):
            act(hand, first=False)


@pytest.mark.parametrize("text", ["obrien", "o'brien", "O BRIEN", "jeanpierre", "jean-pierre", "Jean Pierre"])
def test_a_name_is_found_with_and_without_its_marks(desk: Desk, text: str) -> None:
    someone = NewTicket(0, digest(b"OB"), is_own=False, holder="Jean-Pierre O'Brien")
    desk.ledger.put_tickets(desk.event, [someone])
    assert [found.ticket.holder for found in desk.ledger.find(desk.event, text)] == ["Jean-Pierre O'Brien"]


def test_undone_entries_are_not_among_the_admitted(desk: Desk) -> None:
    desk.show("ZOE")
    desk.ledger.undo(desk.event, desk.ledger.recent_scans(desk.event, 1)[0].scan_id, desk.hand())
    assert desk.ledger.head_count(desk.event).admitted == 0


@pytest.mark.parametrize("year", [1, 1973, 2025, 2036 + 1, 9999])
def test_a_time_before_this_program_was_written_or_years_after_it_is_refused(desk: Desk, year: int) -> None:
    right = unset(desk)
    with pytest.raises(WrongTime):
        desk.ledger.set_clock(desk.event, right.replace(year=year), desk.hand())
    assert desk.ledger.known_time(desk.clock.stamp()).told_by == "nobody"


def test_a_time_without_a_zone_is_refused(desk: Desk) -> None:
    right = unset(desk)
    with pytest.raises(WrongTime, match="zone"):
        desk.ledger.set_clock(desk.event, right.replace(tzinfo=None), desk.hand())


def test_a_phone_that_is_weeks_after_the_event_is_not_believed(desk: Desk) -> None:
    right = unset(desk)
    desk.ledger.change_event(desk.event, starts_at=right)
    with pytest.raises(WrongTime, match="this event begins on 2026-11-24"):
        desk.ledger.set_clock(desk.event, right + timedelta(days=60), desk.hand())
    desk.ledger.set_clock(desk.event, right + timedelta(days=2), desk.hand())


def test_a_time_server_s_mistake_does_not_keep_phones_from_telling_the_time(desk: Desk) -> None:
    right = desk.clock.stamp().wall
    desk.clock.jump_to(right.replace(year=2090))
    desk.show("ZOE")  # trusted
    unset(desk)
    desk.ledger.set_clock(desk.event, right, desk.hand())
    assert desk.ledger.known_time(desk.clock.stamp()).told_by == "hand"


def test_a_time_that_only_a_phone_vouched_for_refuses_no_other(desk: Desk) -> None:
    right = unset(desk)
    desk.ledger.set_clock(desk.event, right + timedelta(days=20), desk.hand())
    desk.show("ZOE")
    desk.ledger.set_clock(desk.event, right, desk.hand())
    assert abs(desk.ledger.known_time(desk.clock.stamp()).wall - right) < timedelta(seconds=1)


def test_the_waiting_list_tells_since_when_by_the_time_that_was_set_later(desk: Desk) -> None:
    right = unset(desk)
    desk.ledger.wait(desk.event, "Bo", 1, desk.hand())
    assert desk.ledger.waiting_list(desk.event)[0].since.year == 2020
    desk.ledger.set_clock(desk.event, right, desk.hand())
    assert abs(desk.ledger.waiting_list(desk.event)[0].since - right) <= timedelta(seconds=2)


@pytest.mark.parametrize("people", [10**20, -(10**20), 10_001])
def test_more_people_than_any_room_holds_are_a_slip_of_the_finger(desk: Desk, people: int) -> None:
    with pytest.raises(TooMany):
        desk.ledger.correct(desk.event, people, desk.hand())
    with pytest.raises(TooMany):
        desk.ledger.wait(desk.event, "Bo", people, desk.hand())
    assert desk.ledger.walk_in(desk.event, desk.hand(), persons=abs(people), override=True).reason is Reason.FULL
    assert desk.ledger.head_count(desk.event).inside == 0


def test_a_clock_that_was_set_wrong_is_set_again(desk: Desk) -> None:
    right = unset(desk)
    desk.ledger.set_clock(desk.event, right + timedelta(days=3), desk.hand())
    desk.ledger.set_clock(desk.event, right, desk.hand())
    now = desk.ledger.known_time(desk.clock.stamp()).wall
    assert abs(now - right) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE scans SET inside = 7 WHERE id = 1", "says 7 inside"),
        ("UPDATE scans SET delta = -2, inside = -2 WHERE id = 1", "-2 people inside"),
        ("UPDATE scans SET visit = 5 WHERE id = 1", "it is number 1"),
        ("UPDATE scans SET fire_limit = 0", "over the fire limit"),
        ("UPDATE scans SET ticket_id = 77 WHERE id = 1", "names a ticket that is not there"),
        ("UPDATE scans SET delta = 3, inside = 3 WHERE id = 1", "lets 3 in on a ticket for 1"),
        ("UPDATE scans SET ticket_id = NULL WHERE id = 1", "pass without a ticket"),
        ("UPDATE scans SET kind = 'release' WHERE id = 3", "whom of the waiting list it is about does not fit"),
        ("UPDATE scans SET waiting_id = NULL WHERE id = 4", "whom of the waiting list it is about does not fit"),
        ("UPDATE scans SET kind = 'wait' WHERE id = 4", "asked 2 times"),
        ("UPDATE scans SET undoes = 8 WHERE id = 6", "which is not before it"),
        ("UPDATE scans SET waiting_id = NULL WHERE id = 6", "does not take back"),
        ("DELETE FROM scans WHERE id = 3", "row 3 is gone"),
        ("DELETE FROM scans WHERE id IN (2, 3)", "rows 2 to 3 are gone"),
        ("UPDATE waiting SET ticket_id = 1", "which is not theirs"),
        ("UPDATE waiting SET ticket_id = NULL", "theirs is None"),
        ("UPDATE scans SET waiting_id = 2 WHERE id = 4", "off the waiting list, on which they were not"),
        ("UPDATE scans SET delta = 0, inside = 3 WHERE kind = 'exit'", "counts 0 out, and ticket 1 had 1 inside"),
        ("UPDATE scans SET caveats = 'overide' WHERE id = 1", "a caveat that nobody knows: overide"),
        ("UPDATE scans SET monotonic_ns = 5 WHERE id = 2", "before one that it comes after"),
        (
            "UPDATE clock_fixes SET offset_ns = 7, by_hand = 0",
            "set to another time than row 1 of it has",
        ),
        ("DELETE FROM clock_fixes", "the time it was set to is gone"),
        ("UPDATE scans SET kind = 'release' WHERE kind = 'clock'", "no row says by whom"),
        ("DELETE FROM events", "names an event that is not there"),
        ("UPDATE scans SET wall = 'junk' WHERE id = 2", "what no row can hold"),
        ("UPDATE scans SET code_sha256 = x'00' WHERE id = 1", "a code that is not the one of ticket 1"),
        ("UPDATE scans SET reason = 'full' WHERE id = 6", "which cannot be undone"),
        ("DROP TRIGGER scans_no_delete", "trigger scans_no_delete"),
    ],
)
def test_a_ledger_that_was_tampered_with_is_found_out(tmp_path: Path, damage: str, says: str) -> None:
    desk = Desk(tmp_path / "ledger.db")
    desk.show("ZOE")
    desk.show("JEAN")
    guest = desk.ledger.wait(desk.event, "Bo", 1, desk.hand())
    desk.ledger.stop_waiting(desk.event, guest, desk.hand())
    desk.ledger.release_no_shows(desk.event, desk.hand())
    desk.ledger.undo(desk.event, 4, desk.hand())
    desk.ledger.admit_waiting(desk.event, guest, desk.hand())
    desk.show("ZOE", GateMode.EXIT)
    unset(desk)
    desk.ledger.set_clock(desk.event, datetime(2026, 12, 1, tzinfo=UTC), desk.hand())
    desk.show("?")
    assert audit(desk.ledger) == []
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute("DROP TRIGGER scans_no_update")
    if "DELETE" in damage:
        db.execute("DROP TRIGGER scans_no_delete")
    db.execute(damage)
    db.commit()
    db.close()
    assert any(says in line for line in audit(desk.ledger)), audit(desk.ledger)
    desk.ledger.close()
