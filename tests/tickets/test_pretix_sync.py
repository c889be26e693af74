"""The sync with pretix where a real server is hard to bring into the moment: beside forgetting, leaving and lists."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from signed_stage import key_of_pretix, message_of, secret_key, signed, written

from hardware.clock import ManualClock
from kiosk.forgetting import Forgetting
from kiosk.ledger import Caveat, Decision, Event, GateMode, Hand, NewTicket, Presentation, Reason
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.paper import Fate, PaperTicks, Tick, Typist
from kiosk.ledger.pretix_copy import PretixCopy
from kiosk.pretix.desk import PretixDesk
from kiosk.pretix.links import Links
from kiosk.pretix.sync import Phase
from kiosk.tickets.codes import digest
from kiosk.tickets.pretix.answers import Checkin, CheckinList, Order, OrderPosition
from kiosk.tickets.pretix.errors import PretixAway
from kiosk.tickets.pretix.fake_server import FakePretix
from kiosk.tickets.status import Status

HANDSHAKE = '{"handshake_version": 1, "url": "https://pretix.example.org", "token": "good once"}'


class Door:
    """A door enrolled at a fake pretix, whose only list is chosen."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.folder = folder
        self.clock = ManualClock()
        self.server = FakePretix()
        self.event: Event = ledger.create_event(
            "evening", "An evening", 50, starts_at=datetime(2026, 11, 24, tzinfo=UTC)
        )
        self.links = Links(folder / "pretix.json")
        self.copy = PretixCopy(ledger, self.event)
        self.desk = PretixDesk.of(
            ledger, self.event, self.links, self.clock, "en", lambda _: self.server, self.server.enrol
        )
        self.desk.enrol(HANDSHAKE)
        self.scans = 0

    def sync(self) -> Phase:
        return self.desk.sync.round()

    def show(self, code: str | bytes, mode: GateMode = GateMode.ENTRY) -> Decision:
        self.clock.advance(1)
        self.scans += 1
        raw = code if isinstance(code, bytes) else code.encode()
        shown = Presentation(raw, f"n{self.scans}", "main", "camera", self.clock.stamp())
        return self.ledger.admit(self.event, shown, mode)

    def hand(self) -> Hand:
        self.clock.advance(1)
        self.scans += 1
        return Hand("Vera", f"h{self.scans}", "desk", self.clock.stamp())

    def forgetting(self) -> Forgetting:
        after = timedelta(days=14)
        reports = self.folder / "reports"
        return Forgetting(self.ledger, reports, self.links, self.clock, after, UTC, server_of=lambda _: self.server)

    def replaced(self, n: int, code: str) -> None:
        """pretix gives a position another code."""
        old = self.server.orders_there[n - 1]
        position = msgspec.structs.replace(old.positions[0], secret=code)
        self.server.changed = [msgspec.structs.replace(old, positions=[position])]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield Door(ledger, tmp_path)


def test_the_only_list_is_chosen_without_asking_again(door: Door) -> None:
    link = door.links.get("evening")
    assert link is not None and (link.event, link.list_name) == ("meetup", "Main door")


def test_an_enrolment_is_not_told_as_a_failure_when_the_server_goes_away_behind_it(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        server = FakePretix()
        event = ledger.create_event("evening", "An evening", 50)
        links = Links(tmp_path / "pretix.json")
        real, asked = server.lists, []

        def once(which: str) -> list[CheckinList]:
            asked.append(which)
            if len(asked) > 1:
                raise PretixAway("gone")
            return list(real(which))

        server.lists = once  # type: ignore[method-assign]
        desk = PretixDesk.of(ledger, event, links, ManualClock(), "en", lambda _: server, server.enrol)
        assert desk.enrol(HANDSHAKE).is_chosen


def test_names_that_are_forgotten_in_the_middle_of_a_round_do_not_come_back(door: Door) -> None:
    door.sync()

    def forget() -> None:
        door.server.on_orders = lambda: None
        door.forgetting().forget(door.event)

    door.server.on_orders = forget
    door.desk.sync.ask_now(whole=True)
    assert door.sync() is Phase.AWAY
    assert {ticket.holder for ticket in door.ledger.tickets(door.event)} == {None}
    assert door.sync() is Phase.ABSENT
    assert {ticket.holder for ticket in door.ledger.tickets(door.event)} == {None}


def test_with_the_names_the_device_goes(door: Door) -> None:
    door.sync()
    door.forgetting().forget(door.event)
    assert door.server.is_revoked and door.links.get("evening") is None and door.copy.read() is None


def test_who_leaves_in_the_middle_of_a_round_takes_no_signature_any_more(door: Door) -> None:
    door.server.keys = [key_of_pretix(secret_key().public_key())]

    def leave() -> None:
        door.server.on_revoked = lambda: None
        door.desk.leave()

    door.sync()
    door.server.on_revoked = leave
    door.sync()
    copy = door.copy.read()
    assert copy is not None and copy.entrance.keys == ""
    assert door.show(written(signed(secret_key(), message_of("seed", 1)))).reason is Reason.INVALID


def test_a_key_of_a_newer_kind_costs_none_of_the_others(door: Door) -> None:
    door.server.keys = ["a2V5IG9mIGEgbmV3ZXIga2luZA==", key_of_pretix(secret_key().public_key())]
    door.sync()
    assert door.show("anything").reason is Reason.INVALID
    assert door.show(written(signed(secret_key(), message_of("seed", 1)))).caveats == (Caveat.SIGNATURE,)


@pytest.mark.parametrize(("of_list", "good"), [(None, True), (14, True), (15, False)])
def test_a_list_of_all_dates_of_a_series_takes_each_and_one_of_a_date_that_one(
    door: Door, of_list: int | None, *, good: bool
) -> None:
    door.server.keys = [key_of_pretix(secret_key().public_key())]
    door.server.checkin_lists = [CheckinList(id=1, name="Main door", all_products=True, subevent=of_list)]
    door.sync()
    shown = door.show(written(signed(secret_key(), message_of("seed", 1, 0, 14))))
    assert shown.is_admitted == good and (good or shown.reason is Reason.PRODUCT)


def test_whose_code_was_replaced_while_inside_comes_in_again_by_the_new_one_only_when_out(door: Door) -> None:
    door.sync()
    entry = door.show("pretix-1")
    door.replaced(1, "new-1")
    door.sync()
    assert door.show("new-1").reason is Reason.ALREADY_REDEEMED
    door.ledger.undo(door.event, entry.scan_id, door.hand())
    assert door.show("new-1").is_admitted  # at once: no round was needed
    door.show("pretix-2")
    door.clock.advance(120)
    door.show("pretix-2", GateMode.EXIT)
    door.replaced(2, "new-2")
    door.sync()
    assert door.show("new-2").is_admitted


def test_a_list_that_names_none_of_them_cancels_no_ticket_of_the_device(door: Door) -> None:
    door.sync()
    stranger = NewTicket(0, digest(b"csv"), is_own=False, holder="Somebody", source="pretix")
    done = door.ledger.put_tickets(door.event, [stranger], cancels=True)
    assert done.cancelled == 0 and door.show("pretix-1").is_admitted


def test_a_row_whose_time_nobody_will_ever_know_is_told_to_a_person_and_stops_nothing(door: Door) -> None:
    door.sync()
    number = door.ledger.tickets(door.event)[0].number
    (ticked,) = PaperTicks(door.ledger, door.event).take([Tick(number)], Typist("Vera", door.clock.stamp()))
    assert ticked.fate is Fate.ENTERS
    door.show("pretix-2")
    assert door.sync() is Phase.CURRENT
    assert [each.reason for each in door.desk.conflicts()] == ["time"]
    assert len(door.server.told) == 1


def test_the_paper_knows_what_pretix_knows(door: Door) -> None:
    scan = Checkin(datetime=door.clock.stamp().wall, list=1, type="entry", device_id=99)
    position = OrderPosition(id=1, item=1, secret="pretix-1", checkins=[scan])
    door.server.orders_there[0] = Order(code="ORDER1", status="p", positions=[position])
    door.sync()
    (number,) = (each.number for each in door.ledger.tickets(door.event) if each.order_code == "ORDER1")
    paper, typist = PaperTicks(door.ledger, door.event), Typist("Vera", door.clock.stamp())
    (told,) = paper.look([Tick(number)], typist)
    assert (told.fate, told.reason) == (Fate.REFUSED, Reason.ALREADY_REDEEMED)
    (told,) = paper.look([Tick(number, did_get_in=True)], typist)
    assert told.fate is Fate.ENTERS


def test_all_again_is_all_again_also_in_the_middle_of_a_round(door: Door) -> None:
    door.sync()
    door.server.orders_there.pop()
    door.server.on_orders = lambda: door.desk.sync.ask_now(whole=True)
    door.sync()
    door.server.on_orders = lambda: None
    door.sync()  # one is missing
    door.sync()  # and still is
    assert [each.status for each in door.ledger.tickets(door.event)].count(Status.CANCELED) == 1


def test_a_code_that_pretix_takes_off_its_lists_is_withdrawn_no_more(door: Door) -> None:
    from kiosk.tickets.pretix.answers import Withdrawn

    door.server.withdrawn = [Withdrawn(secret="old")]
    door.sync()
    assert door.show("old").reason is Reason.REVOKED
    door.server.withdrawn = []
    door.sync()
    assert door.show("old").reason is Reason.INVALID
