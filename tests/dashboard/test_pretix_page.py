"""The page of pretix without scripts: connect, choose, see how old the copy is, look at a conflict, leave."""

from __future__ import annotations

import json

import pytest
from dashboard_house import House, token_on
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosk.ledger import Presentation
from kiosk.tickets.pretix.answers import CheckinList

ADDRESS = {"url": "https://pretix.example.org", "token": "good once"}


@pytest.fixture
def phone(house: House) -> FlaskClient:
    return house.somebody("Ada", "organizer")


def press(phone: FlaskClient, what: str, **fields: str) -> TestResponse:
    data = {"csrf_token": token_on(phone, "/tickets"), **fields}
    return phone.post(f"/tickets/pretix/{what}", data=data, follow_redirects=True)


def sync(house: House) -> None:
    house.pretix_desk.sync.round()


def test_typed_address_and_token_connect_and_the_only_list_is_chosen(house: House, phone: FlaskClient) -> None:
    assert "Not connected" in phone.get("/tickets/pretix").text
    page = press(phone, "enrol", **ADDRESS).text
    assert "Connected to pretix as Door 7" in page and "The meetup, Main door" in page
    assert "good once" not in page and "x" * 64 not in page
    sync(house)
    assert "Up to date" in phone.get("/tickets/pretix").text
    assert "Guest 1 of pretix" in phone.get("/tickets").text


def test_what_the_qr_code_holds_connects_too(phone: FlaskClient) -> None:
    page = press(phone, "enrol", code=json.dumps({"handshake_version": 1, **ADDRESS})).text
    assert "Connected to pretix as Door 7" in page


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"url": "", "token": ""}, "this is no address"),
        ({"url": "http://pretix.example.org", "token": "good once"}, "is no address for a secret"),
        ({"url": "https://pretix.example.org", "token": "used up"}, "does not know this code"),
        ({"code": "hello"}, "not the QR code of a new device"),
    ],
)
def test_what_does_not_connect_is_told(phone: FlaskClient, fields: dict[str, str], says: str) -> None:
    page = press(phone, "enrol", **fields).text
    assert says in page and "Connect this machine" in page


def test_of_several_lists_one_is_chosen(house: House, phone: FlaskClient) -> None:
    house.pretix.checkin_lists.append(CheckinList(id=2, name="Balcony", all_products=True))
    page = press(phone, "enrol", **ADDRESS).text
    assert "Choose whose tickets they are" in page and "Balcony" in page
    assert "Tickets of The meetup, Balcony" in press(phone, "choose", list="2 meetup").text
    assert "no check-in list 9" in press(phone, "choose", list="9 meetup").text
    assert "no check-in list 0" in press(phone, "choose", list="nonsense").text


def test_a_server_that_is_away_is_told_and_the_copy_stays(house: House, phone: FlaskClient) -> None:
    press(phone, "enrol", **ADDRESS)
    sync(house)
    house.pretix.is_away = True
    house.clock.advance(240)
    sync(house)
    page = phone.get("/tickets/pretix").text
    assert "pretix is away" in page and "The copy is 4 min old" in page and "does not answer" in page
    assert "does not answer" in phone.get("/tickets/pretix?choose=1").text
    assert "Guest 1 of pretix" in phone.get("/tickets").text


def test_a_conflict_is_shown_until_somebody_looked_at_it(house: House, phone: FlaskClient) -> None:
    press(phone, "enrol", **ADDRESS)
    sync(house)
    house.pretix.refuses = "already_redeemed"
    shown = Presentation(b"pretix-2", "n", "main", "camera", house.clock.stamp())
    scan = house.ledger.admit(house.evening, shown).scan_id
    sync(house)
    page = phone.get("/tickets/pretix").text
    assert (
        "1 scan to look at" in page and "Guest 2 of pretix" in page and "In pretix this ticket was used before" in page
    )
    page = press(phone, "seen", scan=str(scan)).text
    assert "to look at" not in page
    for wrong in ("nonsense", "9" * 30, "-1"):
        assert press(phone, "seen", scan=wrong).status_code == 200


def test_leaving_asks_first_and_keeps_the_tickets(house: House, phone: FlaskClient) -> None:
    press(phone, "enrol", **ADDRESS)
    sync(house)
    assert "pretix was told of every scan" in phone.get("/tickets/pretix/leave").text
    assert "no device of pretix any more" in press(phone, "leave").text
    assert "Guest 1 of pretix" in phone.get("/tickets").text
    assert "no device of pretix" in phone.get("/tickets/pretix/leave").text
    assert "no device of pretix" in press(phone, "leave").text
    assert [each.outcome for each in house.noted()[:2]] == ["refused", "done"]


def test_forgotten_names_are_not_fetched_again(house: House, phone: FlaskClient) -> None:
    press(phone, "enrol", **ADDRESS)
    sync(house)
    phone.post("/tickets/forget", data={"csrf_token": token_on(phone, "/tickets")})
    sync(house)
    assert "Guest 1 of pretix" not in phone.get("/tickets").text
    assert "Not connected" in phone.get("/tickets/pretix").text


def test_nobody_else_sees_it(house: House) -> None:
    for role in ("door", "viewer"):
        assert house.somebody(role, role).get("/tickets/pretix").status_code == 403  # type: ignore[arg-type]
