"""The volunteer's page over the real ledger: every button once, every refusal in words, every row with who did it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from dashboard_house import House, found_at, token_on
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from hardware.clock import ManualClock
from kiosk.dashboard import views, words
from kiosk.dashboard.desk import DeskBusy, Turns
from kiosk.ledger import GateMode, Hand, NewTicket, Presentation, ScanRow
from kiosk.ledger.audit import audit
from kiosk.ledger.schema import KINDS
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status

PEOPLE = [
    NewTicket(1, digest(b"ZOE"), False, "Zoë Ødegård", "zoe@example.org", "Standard", order_code="A1", note="vegan"),
    NewTicket(2, digest(b"JEAN"), False, "Jean Dupont", "jean@example.org", order_code="B2"),
    NewTicket(3, digest(b"JEAN2"), False, "Jean Dupont", "jd@example.net", order_code="C3", guests=2),
    NewTicket(4, digest(b"KOFI"), False, "Kofi Mensah", "kofi@example.org", status=Status.UNPAID),
]
NONCE = "0123456789abcdef" * 2


class Volunteer:
    """Somebody at the page, who presses what the page shows."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.client: FlaskClient = house.somebody("Léa", "door")
        self.token = token_on(self.client, "/door")
        self.ids = {ticket.number: ticket.id for ticket in house.ledger.tickets(house.evening)}
        self._nonces = 0

    def post(self, button: str, **fields: Any) -> TestResponse:
        self._nonces += 1
        self.house.clock.advance(1)
        form = {"csrf_token": self.token, "nonce": f"{self._nonces:032x}", **fields}
        return self.client.post(f"/door/{button}", data=form)

    def press(self, button: str, **fields: Any) -> str:
        """Press, follow to the page, and return its answer as text."""
        answer = self.post(button, **fields)
        assert answer.status_code == 303
        assert answer.location.startswith("/door")
        page = self.client.get(answer.location).text
        return text_of(page[page.index('data-part="said"') : page.index('role="search"')])

    def see(self, query: str = "") -> str:
        return text_of(self.client.get(found_at(self.client, query)).text)

    @property
    def inside(self) -> int:
        return self.house.ledger.head_count(self.house.evening).inside

    @property
    def rows(self) -> list[ScanRow]:
        return list(self.house.ledger.recent_scans(self.house.evening, 100))


def hand(desk: Volunteer) -> Hand:
    """Somebody else's press."""
    return Hand("desk XYZ", uuid.uuid4().hex, "desk", desk.house.clock.stamp())


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture
def desk(make_house: Callable[..., House]) -> Iterator[Volunteer]:
    house = make_house(reads_ledger=True)
    house.ledger.put_tickets(house.evening, PEOPLE)
    yield Volunteer(house)
    assert audit(house.ledger) == []  # whatever was pressed, the rows add up


def test_a_guest_is_found_checked_in_and_out_by_name(desk: Volunteer) -> None:
    page = desk.see("zoe")
    assert "Zoë Ødegård Standard · A1 · zoe@example.org Not here yet vegan Check in" in page
    said = desk.press("check-in", ticket=desk.ids[1], q="zoe")
    assert "Zoë Ødegård is in" in said
    assert "1 of 6 inside." in said and "vegan" in said
    assert "Inside since 19:55" in desk.see("zoe") and "Check out" in desk.see("zoe")
    assert "Zoë Ødegård left" in desk.press("check-out", ticket=desk.ids[1])
    assert desk.inside == 0
    assert "Left at 19:55" in desk.see("zoe")


def test_two_of_one_name_are_told_apart_by_order_and_e_mail(desk: Volunteer) -> None:
    page = desk.see("dupont")
    assert "B2 · jean@example.org" in page and "C3 · jd@example.net" in page


def test_a_search_that_finds_nobody_says_what_to_do(desk: Volunteer) -> None:
    assert "No ticket fits “qqq”. Fewer letters find more; or let them in as a walk-in." in desk.see("qqq")
    assert "No ticket fits" not in desk.see("   ")


def test_a_search_that_finds_too_many_asks_for_another_word(desk: Volunteer) -> None:
    many = [NewTicket(0, digest(b"%d" % n), False, f"Martin {n}") for n in range(13)]
    desk.house.ledger.put_tickets(desk.house.evening, many)
    assert "There are more: add another word." in desk.see("martin")


def test_a_group_comes_in_as_many_as_came(desk: Volunteer) -> None:
    assert "Jean Dupont: 2 people came in" in desk.press("check-in", ticket=desk.ids[3], persons=2)
    assert desk.inside == 2
    page = desk.see("dupont c3")
    assert "2 people inside since" in page and "Check out" in page
    assert "Check in the rest" in page
    assert "Jean Dupont: 1 person came in" in desk.press("check-in", ticket=desk.ids[3])
    assert desk.inside == 3 and "Check in the rest" not in desk.see("dupont c3")


def test_every_button_pressed_twice_counts_once(desk: Volunteer) -> None:
    ledger, evening = desk.house.ledger, desk.house.evening

    def state() -> tuple[object, ...]:
        return desk.inside, len(desk.rows), len(ledger.waiting_list(evening))

    waiting = ledger.wait(evening, "Bo", 1, hand(desk))
    presses: list[tuple[str, dict[str, Any]]] = [
        ("check-in", {"ticket": desk.ids[1]}),
        ("check-out", {"ticket": desk.ids[1]}),
        ("release", {}),
        ("admit-waiting", {"waiting": waiting}),
        ("walk-in", {"name": "Ann", "persons": 2}),
        ("walk-in", {}),
        ("wait", {"name": "Cy", "persons": 1}),
        ("correct", {"delta": 1}),
        ("correct", {"delta": -1}),
    ]
    for number, (button, fields) in enumerate(presses):
        before = state()
        first = desk.press(button, nonce=f"{number:x}" * 32, **fields)
        after = state()
        assert after != before, button
        assert desk.press(button, nonce=f"{number:x}" * 32, **fields) == first, button
        assert state() == after, button
    row = next(row.scan_id for row in desk.rows if row.kind == "correction")
    for _ in range(2):
        assert "Undone" in desk.press("undo", scan=row, nonce="f" * 32)
    assert sum(each.kind == "undo" for each in desk.rows) == 1


def test_each_form_of_a_page_has_a_nonce_of_its_own(desk: Volunteer) -> None:
    nonces = re.findall(r'name="nonce" value="([0-9a-f]{32})"', desk.client.get(found_at(desk.client, "e")).text)
    assert len(nonces) == len(set(nonces)) >= 6


def test_a_press_without_a_nonce_of_ours_does_nothing(desk: Volunteer) -> None:
    for nonce in ("", "1", "G" * 32, NONCE + "0", NONCE.upper()):
        for button, fields in (("check-in", {"ticket": desk.ids[1]}), ("walk-in", {}), ("wait", {"name": "x"})):
            answer = desk.post(button, **fields, nonce=nonce)
            assert answer.status_code == 400, nonce
            assert "Go back and try again" in answer.text
    assert desk.rows == []


def test_no_button_works_without_the_token_or_for_a_stranger(desk: Volunteer) -> None:
    buttons = [rule.rule for rule in desk.house.app.url_map.iter_rules() if rule.rule.startswith("/door/")]
    assert len(buttons) == 14  # eleven that act, the search, the question before the release, and the scanning page
    for path in buttons:
        form = {"nonce": NONCE, "ticket": str(desk.ids[1]), "delta": "1", "name": "x", "csrf_token": "forged"}
        answer = desk.client.post(path, data=form)
        assert answer.status_code == 400
        assert "Open the page again" in answer.text
        assert desk.house.client().post(path, data=form).status_code in {303, 400}
    assert desk.rows == [] and not desk.house.ledger.waiting_list(desk.house.evening)


def test_a_form_that_is_not_ours_is_refused(desk: Volunteer) -> None:
    forms: list[tuple[str, dict[str, str]]] = [
        ("check-in", {"ticket": ""}),
        ("check-in", {"ticket": "1; drop"}),
        ("check-in", {"ticket": "1", "persons": "0"}),
        ("walk-in", {"persons": "21"}),
        ("walk-in", {"persons": "-1"}),
        ("correct", {"delta": "100"}),
        ("correct", {}),
        ("undo", {"scan": "x"}),
    ]
    for button, fields in forms:
        assert desk.post(button, **fields).status_code == 400, (button, fields)
    assert desk.rows == []


def test_what_is_not_there_is_said_in_words(desk: Volunteer) -> None:
    presses: list[tuple[str, dict[str, int], str]] = [
        ("check-in", {"ticket": 9999}, "There is no ticket 9999"),
        ("check-out", {"ticket": 9999}, "There is no ticket 9999"),
        ("admit-waiting", {"waiting": 9999}, "no longer on the waiting list"),
        ("undo", {"scan": 9999}, "There is no row 9999"),
    ]
    for button, fields, says in presses:
        said = desk.press(button, **fields)
        assert "Not done" in said and says in said, button
    assert desk.rows == []


def test_a_refusal_says_what_to_do_and_a_second_press_lets_in(desk: Volunteer) -> None:
    said = desk.press("check-in", ticket=desk.ids[4])
    assert "Kofi Mensah: not paid Settle the payment or ask an organizer" in said
    assert "Let in anyway It is recorded as against the rules" in said
    assert desk.inside == 0
    said = desk.press("check-in", ticket=desk.ids[4], override="yes")
    assert "Kofi Mensah is in" in said and "Let in against the rules." in said
    assert desk.rows[0].caveats == ("override",)
    assert "let in against the rules · by Léa (door)" in desk.see()


def test_the_fire_limit_is_said_and_offers_no_further_press(desk: Volunteer) -> None:
    for _ in range(8):
        desk.press("correct", delta=1)
    said = desk.press("check-in", ticket=desk.ids[1])
    assert "Zoë Ødegård: house full" in said and "Let in anyway" in said
    said = desk.press("check-in", ticket=desk.ids[1], override="yes")
    assert "fire limit is reached" in said and "Let in anyway" not in said
    assert desk.inside == 8


def test_nobody_is_let_in_twice_even_by_the_second_press(desk: Volunteer) -> None:
    desk.press("check-in", ticket=desk.ids[1])
    assert "Check them out first" in desk.press("check-in", ticket=desk.ids[1])
    assert "nobody is let in twice" in desk.press("check-in", ticket=desk.ids[1], override="yes")
    assert desk.inside == 1


def test_walk_ins_get_free_seats_and_then_the_waiting_list(desk: Volunteer) -> None:
    assert "1 free for walk-ins, 5 kept for ticket holders until released" in desk.see()
    assert "Walk-in is in" in desk.press("walk-in")
    said = desk.press("walk-in", name="Ann\x00 <b>Lee</b>", persons=2)
    assert "Ann <b>Lee</b>: house full No seat is left that nobody has" in said and "Put on the waiting list" in said
    assert "is on the waiting list" in desk.press("wait", name="Ann Lee", persons=2)
    assert "Bo is on the waiting list" in desk.press("wait", name="Bo")
    page = desk.see()
    assert "2 waiting" not in page and "3 waiting" in page  # people, not entries
    assert "1 Ann Lee 2 people · since" in page and "2 Bo 1 person · since" in page
    first, second = desk.house.ledger.waiting_list(desk.house.evening)
    desk.press("correct", delta=1)
    assert "Bo: not yet" in desk.press("admit-waiting", waiting=second.id, name="Bo")
    assert "Let in anyway" in desk.press("admit-waiting", waiting=second.id, name="Bo")
    desk.press("correct", delta=-1)
    assert "0 inside" not in desk.press("release") and desk.inside == 1
    assert "Bo is in" in desk.press("admit-waiting", waiting=second.id, name="Bo")  # two seats stay for who is before
    assert "Ann Lee and 1 more are in" in desk.press("admit-waiting", waiting=first.id)
    assert desk.inside == 4
    kinds = [(row.kind, row.guest) for row in desk.rows]
    assert kinds[-4:-2] == [("wait", "Bo"), ("wait", "Ann Lee")] and ("release", None) in kinds
    page = desk.see()
    assert "Put on the waiting list" in page and "The desk Kept seats released" in page


def test_a_group_larger_than_the_free_seats_is_let_in_from_the_list_by_a_second_press(desk: Volunteer) -> None:
    desk.press("wait", name="Bo", persons=3)
    (bo,) = desk.house.ledger.waiting_list(desk.house.evening)
    assert "Bo and 2 more are in" in desk.press("admit-waiting", waiting=bo.id, name="Bo", override="yes")
    assert desk.inside == 3 and not desk.house.ledger.waiting_list(desk.house.evening)
    desk.press("wait", name="Cy", persons=6)
    (cy,) = desk.house.ledger.waiting_list(desk.house.evening)
    assert "fire limit" in desk.press("admit-waiting", waiting=cy.id, name="Cy", override="yes")


def test_nobody_waits_without_a_name_to_call(desk: Volunteer) -> None:
    assert "Who shall be called?" in desk.press("wait", name="  ")
    assert not desk.house.ledger.waiting_list(desk.house.evening)


def test_who_has_left_is_taken_off_the_waiting_list(desk: Volunteer) -> None:
    guest = desk.house.ledger.wait(desk.house.evening, "Ann", 1, hand(desk))
    for _ in range(2):
        assert "Ann is off the waiting list" in desk.press("stop-waiting", waiting=guest, name="Ann")
    assert "Waiting list" not in desk.see()


def test_kept_seats_are_released_after_a_question(desk: Volunteer) -> None:
    assert "Yes, release them" in desk.client.get("/door/release").text
    assert "Nobody's seat is kept any more 6 free for walk-ins." in desk.press("release")
    assert "Release kept seats…" not in text_of(re.sub(r"<a [^>]*hidden>.*?</a>", "", desk.client.get("/door").text))


def test_a_release_works_with_a_clock_that_is_not_set(desk: Volunteer) -> None:
    desk.house.clock.is_trusted = False
    assert "Nobody's seat is kept any more 6 free for walk-ins." in desk.press("release")


def test_corrections_and_undo_are_rows_with_who_did_them(desk: Volunteer) -> None:
    assert "One more is counted 1 inside now." in desk.press("correct", delta=1)
    row = desk.rows[0]
    assert (row.kind, row.delta, row.gate) == ("correction", 1, "desk")
    assert re.fullmatch(r"Léa \(door\) [B-Z]{3}", row.actor or "")
    assert "Undone: Head count 0 inside now." in desk.press("undo", scan=row.scan_id, name="Head count")
    assert f"Corrected by +1, then undone by {row.actor}" in desk.see()
    assert "This was undone already" in desk.press("undo", scan=row.scan_id)
    assert [each.kind for each in desk.rows] == ["undo", "correction"]


def test_only_the_last_movement_of_a_ticket_can_be_undone(desk: Volunteer) -> None:
    desk.press("check-in", ticket=desk.ids[1])
    entry = desk.rows[0].scan_id
    desk.press("check-out", ticket=desk.ids[1])
    assert "undo its last movement first" in desk.press("undo", scan=entry)
    desk.press("undo", scan=desk.rows[0].scan_id)
    assert desk.inside == 1
    desk.press("undo", scan=entry)
    assert desk.inside == 0


def test_undone_and_refused_rows_have_no_undo_and_say_so_in_words(desk: Volunteer) -> None:
    desk.press("check-in", ticket=desk.ids[1])
    desk.press("check-in", ticket=desk.ids[4])
    entry = desk.rows[1].scan_id
    page = desk.client.get("/door").text
    assert re.findall(r'name="scan" value="(\d+)"', page) == [str(entry)]
    desk.press("undo", scan=entry)
    page = desk.client.get("/door").text
    assert 'name="scan"' not in page
    assert page.count('data-struck="true"') == 1
    assert "Admitted, then undone" in page


def test_two_phones_of_one_person_are_two_actors_and_one_phone_stays_one(desk: Volunteer) -> None:
    other = Volunteer(desk.house)
    desk.press("correct", delta=1)
    desk.press("correct", delta=1)
    other.press("correct", delta=1, nonce="e" * 32)
    actors = [row.actor for row in desk.rows]
    assert actors[1] == actors[2] != actors[0]


def test_the_answer_to_a_press_is_shown_once_and_to_this_phone_only(desk: Volunteer) -> None:
    other = Volunteer(desk.house)
    assert desk.post("check-in", ticket=desk.ids[1]).status_code == 303
    assert "is in" not in other.see()
    assert "is in" not in text_of(desk.client.get("/door?part").text)  # a part fetched beside it takes nothing away
    assert "Zoë Ødegård is in" in desk.see()
    assert "Zoë Ødegård is in" not in desk.see()


def test_a_ledger_that_fails_is_said_and_nothing_is_claimed(desk: Volunteer) -> None:
    path = desk.house.ledger.database.path
    desk.house.ledger.close()
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    try:
        said = desk.press("check-in", ticket=desk.ids[1])
        assert "Not done" in said and "is in" not in said
        assert "The ledger cannot be read" in desk.see("zoe")
    finally:
        desk.house.ledger.close()
        path.rmdir()
        path.with_suffix(".away").rename(path)
    assert desk.inside == 0


def test_a_locked_ledger_does_not_take_every_thread() -> None:
    turns = Turns(1, 0.05)
    with turns.taken(), pytest.raises(DeskBusy, match="nothing was counted"), turns.taken():
        pass
    with turns.taken():
        pass


@pytest.fixture
def unset(make_house: Callable[..., House]) -> Volunteer:
    """A volunteer at a machine that woke up in the past."""
    clock = ManualClock(datetime(2020, 11, 24, 18, 55, tzinfo=UTC), is_trusted=False)
    house = make_house(reads_ledger=True, clock=clock)
    house.ledger.put_tickets(house.evening, PEOPLE)
    return Volunteer(house)


def test_a_machine_that_knows_the_time_asks_for_none(desk: Volunteer) -> None:
    page = desk.client.get("/door").text
    assert re.search(r'id="no-time"[^>]* hidden', page) and re.search(r'id="hand-time"[^>]* hidden', page)


def test_a_phone_sets_a_clock_that_nobody_set(unset: Volunteer) -> None:
    desk, right = unset, datetime(2026, 11, 24, 18, 55, tzinfo=UTC)
    desk.press("check-in", ticket=desk.ids[1])
    assert not re.search(r'id="no-time"[^>]* hidden', desk.client.get("/door").text)
    assert "The door's clock is not set." in text_of(desk.client.get("/").text)
    for _ in range(2):  # pressed twice
        said = desk.press("set-clock", now_ms=int(right.timestamp() * 1000), nonce="c" * 32)
        assert "The clock is set: 19:55" in said
    assert [row.kind for row in desk.rows] == ["clock", "entry"]
    assert re.search(r'id="no-time"[^>]* hidden', desk.client.get("/door").text)
    page = desk.see()
    assert not re.search(r'id="hand-time"[^>]* hidden', desk.client.get("/door").text)
    assert "Clock set by a phone" in page and "Is it wrong? Set it again" in page
    assert re.search(r"vegan 19:5[45]:\d\d", page) and "the clock said 2020-11-24 19:55:0" in page


@pytest.mark.parametrize("now_ms", ["", "now", "-5", "1e12", "1795000000000000", "9" * 13])
def test_a_time_that_is_none_sets_no_clock(unset: Volunteer, now_ms: str) -> None:
    assert unset.post("set-clock", now_ms=now_ms).status_code == 400
    assert not unset.house.ledger.known_time(unset.house.clock.stamp()).is_known


def test_a_phone_does_not_overrule_a_time_server(desk: Volunteer) -> None:
    assert "a time server has set the clock" in desk.press("set-clock", now_ms=1_796_000_000_000).lower()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=100))
def test_no_search_and_no_name_breaks_the_page(desk: Volunteer, text: str) -> None:
    answer = desk.client.get(found_at(desk.client, text.encode("utf-8", "replace").decode()))
    assert answer.status_code == 200
    assert "Something broke" not in answer.text
    assert desk.post("wait", name=text.encode("utf-8", "replace").decode()).status_code == 303


def test_names_are_text_and_pages_have_nothing_inline(desk: Volunteer) -> None:
    desk.press("walk-in", name="<script>alert(1)</script>")
    for path in (found_at(desk.client, "script"), "/door/release", "/"):
        page = desk.client.get(path).text
        assert "<script>alert" not in page
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page), path


def test_the_home_page_says_every_kind_of_row(desk: Volunteer) -> None:
    desk.press("check-in", ticket=desk.ids[1])
    desk.press("check-out", ticket=desk.ids[1])
    desk.press("correct", delta=-1)
    desk.press("correct", delta=1)
    desk.press("undo", scan=desk.rows[0].scan_id)
    home = text_of(desk.client.get("/").text)
    for said in ("Left", "Corrected by ±0", "Corrected by +1, then undone", "Undone \N{MINUS SIGN}1 inside", "vegan"):
        assert said in home


def test_every_kind_of_row_has_words_and_only_an_entry_is_a_welcome() -> None:
    row = views.ScanRow(1, None, "main", is_admitted=True)  # type: ignore[arg-type]
    assert words.movement(row).title == "Welcome!"
    assert words.movement(row._replace(kind="exit", delta=-1)).title == "Goodbye!"
    refused = row._replace(kind="exit", is_admitted=False, reason="invalid")
    assert words.movement(refused).title == "Unknown code"
    for kind in KINDS[2:]:
        said = words.movement(row._replace(kind=kind))
        assert said.title == "" and said.short, kind


def test_the_screen_shows_who_passes_its_gate_and_nothing_done_at_the_desk(desk: Volunteer) -> None:
    house = desk.house
    house.live.renew()

    def shown() -> tuple[str, str]:
        house.live.renew()
        screen = house.live.now().screen(None)
        return screen.mode, screen.title

    before = shown()
    for button, fields in (("check-in", {"ticket": desk.ids[1]}), ("check-out", {"ticket": desk.ids[1]}),
                           ("correct", {"delta": 1}), ("walk-in", {})):  # fmt: skip
        desk.press(button, **fields)
        assert shown() == before, button
    desk.press("undo", scan=desk.rows[0].scan_id)
    assert shown() == before
    stamp = house.clock.stamp()
    house.ledger.admit(house.evening, Presentation(b"ZOE", "seen-1", "main", "camera", stamp))
    assert shown() == ("answer", "Welcome!")
    desk.press("correct", delta=1)
    assert shown() == ("answer", "Welcome!")  # and is not pushed away by the desk
    shown_again = Presentation(b"ZOE", "seen-2", "main", "camera", house.clock.stamp())
    house.ledger.admit(house.evening, shown_again, GateMode.EXIT)
    assert shown() == ("answer", "Goodbye!")


def test_a_page_s_version_changes_with_everything_the_desk_shows(desk: Volunteer) -> None:
    versions = []
    presses: list[tuple[str, dict[str, Any]]] = [
        ("check-in", {"ticket": desk.ids[1]}), ("wait", {"name": "Ann"}), ("release", {}), ("correct", {"delta": 1}),
    ]  # fmt: skip
    for button, fields in presses:
        desk.press(button, **fields)
        versions.append(desk.house.live.now().home.seats.version)
    assert len(set(versions)) == 4
