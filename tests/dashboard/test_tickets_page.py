"""The pages of the tickets without scripts: what they show, what each press does, and what they refuse."""

from __future__ import annotations

import io
import re

import pytest
from dashboard_house import SECRET, House, found_at, token_on
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from kiosk.dashboard.ticket_office import LIFE_S, MOST_HELD
from kiosk.ledger import Hand
from kiosk.tickets import codes
from kiosk.tickets.status import Status

LIST = "Nom;Prénom;Codes-barres;Email;Payé\nLovelace;Ada;1234567;ada@example.org;Oui\nBaudot;Émile;7654321;;Oui\n"


@pytest.fixture
def phone(house: House) -> FlaskClient:
    return house.somebody("Ada", "organizer")


def look(phone: FlaskClient, text: str | bytes = LIST, name: str = "list.csv", **fields: str) -> TestResponse:
    raw = text.encode() if isinstance(text, str) else text
    data = {"csrf_token": token_on(phone, "/tickets"), "file": FileStorage(io.BytesIO(raw), name), **fields}
    boundary, body = encode_multipart(data)
    return phone.post("/tickets/look", data=body, content_type=f"multipart/form-data; boundary={boundary}")


def again(phone: FlaskClient, page: TestResponse, **fields: str) -> TestResponse:
    """The form of the columns, as the page shows it, with some fields changed."""
    shown = dict(
        re.findall(r'<select id="[^"]*" name="([^"]*)">(?:.(?!</select>))*?<option[^>]* selected>([^<]*)', page.text)
    )
    shown["source"] = re.findall(r'<option value="([^"]*)" selected', page.text)[0]
    data = {"csrf_token": token_on(phone, "/tickets"), "list": word(page), **shown, **fields}
    return phone.post("/tickets/look", data=data)


def word(page: TestResponse) -> str:
    return re.findall(r'name="list" value="([^"]+)"', page.text)[0]


def press(phone: FlaskClient, path: str, **fields: str) -> TestResponse:
    data = {"csrf_token": token_on(phone, "/tickets"), **fields}
    return phone.post(path, data=data, follow_redirects=True)


def take(phone: FlaskClient, text: str = LIST, **fields: str) -> TestResponse:
    return press(phone, "/tickets/take", list=word(look(phone, text)), **fields)


def numbers(page: TestResponse) -> list[int]:
    """New, changed, as before, not in the list."""
    return [int(each) for each in re.findall(r"<dd>(\d+)</dd>", page.text)]


def holders(house: House) -> list[str | None]:
    return [ticket.holder for ticket in house.ledger.tickets(house.evening)]


def test_a_list_is_looked_at_before_anything_changes(house: House, phone: FlaskClient) -> None:
    page = look(phone)
    assert page.status_code == 200 and numbers(page) == [2, 0, 0, 0]
    assert "billetweb" in page.text and "Ada Lovelace" in page.text and "Show one ticket to the camera" in page.text
    assert holders(house) == []
    done = press(phone, "/tickets/take", list=word(page))
    assert "List taken: 2 new, 0 changed, 0 as before, 0 cancelled" in done.text
    assert holders(house) == ["Ada Lovelace", "Émile Baudot"]
    assert numbers(look(phone)) == [0, 0, 2, 0]


def test_the_list_of_changes_tells_it_without_names(house: House, phone: FlaskClient) -> None:
    take(phone)
    what = [change.what for change in house.noted()]
    assert what[0] == "Tickets: List taken: 2 new, 0 changed, 0 as before, 0 cancelled"
    assert "Tickets: a list of 2 tickets was looked at" in what
    assert not any("Lovelace" in each for each in what)


def test_what_is_not_in_a_later_list_is_cancelled_when_somebody_says_so(house: House, phone: FlaskClient) -> None:
    take(phone)
    shorter = LIST[: LIST.index("Baudot")]
    page = look(phone, shorter)
    assert numbers(page) == [0, 0, 1, 1] and "no. 2 · Émile Baudot" in page.text
    press(phone, "/tickets/take", list=word(page))
    assert [ticket.status for ticket in house.ledger.tickets(house.evening)] == ["paid", "paid"]
    done = take(phone, shorter, cancel_gone="on")
    assert "1 cancelled" in done.text
    assert [ticket.status for ticket in house.ledger.tickets(house.evening)] == ["paid", "canceled"]


def test_columns_can_be_understood_otherwise_and_so_it_is_taken(house: House, phone: FlaskClient) -> None:
    strange = "Who,Bracelet,Code\nAda,W1,x\nBob,W2,y\n"
    page = look(phone, strange)
    assert page.status_code == 422 or numbers(page) == [2, 0, 0, 0]
    page = again(phone, page, **{"column-holder": "Who", "column-code": "Bracelet"})
    assert page.status_code == 200 and "Ada" in page.text
    press(phone, "/tickets/take", list=word(page))
    known = {ticket.code_sha256: ticket.holder for ticket in house.ledger.tickets(house.evening)}
    assert known == {codes.digest(b"W1"): "Ada", codes.digest(b"W2"): "Bob"}
    later = look(phone, strange)
    assert "columns as you chose them before" in later.text and numbers(later) == [0, 0, 2, 0]


def test_a_choice_that_does_not_fit_is_said_and_the_one_before_stays(phone: FlaskClient) -> None:
    page = look(phone)
    wrong = again(phone, page, **{"column-valid_from": "Email"})
    assert wrong.status_code == 422 and "is not a time such as" in wrong.text
    assert numbers(wrong) == [2, 0, 0, 0]
    assert "List taken: 2 new" in press(phone, "/tickets/take", list=word(wrong)).text


def test_a_wrong_guess_of_a_column_can_be_corrected(house: House, phone: FlaskClient) -> None:
    page = look(phone, "Name,Code,Paid\nAda,A1,12.00\n")
    assert page.status_code == 422 and "status &#39;12.00&#39; is not known" in page.text
    page = again(phone, page, **{"column-status": ""})
    assert page.status_code == 200 and numbers(page) == [1, 0, 0, 0]


def test_what_is_wrong_with_a_file_is_not_in_the_list_of_changes(house: House, phone: FlaskClient) -> None:
    look(phone, "Ada Lovelace,ada@example.org\nBob,bob@example.org\n")
    (noted,) = [change for change in house.noted() if change.what.startswith("Tickets")]
    assert (noted.outcome, noted.why) == ("refused", "a list could not be taken")


def test_a_replaced_ticket_is_not_given_back(phone: FlaskClient) -> None:
    take(phone, "Name,User ID,RSVP,Guests,RSVPed on\nAda,1,Yes,0,x\n")
    press(phone, "/tickets/1/replace")
    page = phone.get("/tickets/1").text
    assert "Another ticket took its place" in page and "Make it good again" not in page
    assert "both would be good" in press(phone, "/tickets/1/give-back").text


def test_people_without_codes_get_tickets_of_ours(house: House, phone: FlaskClient) -> None:
    page = again(phone, look(phone, "Name,Code\nAda,-\nBob,+\n"), by_name="on")
    assert numbers(page) == [2, 0, 0, 0]
    press(phone, "/tickets/take", list=word(page))
    first = house.ledger.tickets(house.evening)[0]
    assert first.is_own and first.code_sha256 == codes.digest(codes.own_code(SECRET, "evening", 1).encode())


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"Name,Seat\nAda,4\n", "no column that looks like a ticket code"),
        (b"Name,Code\nAda,A1\nBob,A1\n", "row 3: the same code as row 2"),
        (b"\x89PNG\r\n\0", "neither text nor a spreadsheet"),
        (b"", "No file was chosen, or it is empty"),
        (b"x" * 2_000_001, "platypus tickets import FILE"),
        (b"x" * 2_100_000, "larger than any form takes"),
    ],
    ids=["no code", "twice", "picture", "empty", "large", "larger"],
)
def test_a_bad_file_is_explained_and_changes_nothing(house: House, phone: FlaskClient, raw: bytes, says: str) -> None:
    answer = look(phone, raw)
    assert answer.status_code in (413, 422) and says in answer.text
    assert holders(house) == []


def test_a_list_at_hand_is_its_owners_and_not_for_ever(house: House, phone: FlaskClient) -> None:
    page = look(phone)
    other = house.somebody("Zoë", "organizer")
    assert "no longer at hand" in press(other, "/tickets/take", list=word(page)).text
    press(other, "/tickets/leave", list=word(page))
    house.clock.advance(LIFE_S + 1)
    assert "no longer at hand" in press(phone, "/tickets/take", list=word(page)).text
    page = look(phone)
    press(phone, "/tickets/leave", list=word(page))
    assert "no longer at hand" in press(phone, "/tickets/take", list=word(page)).text
    first = word(look(phone))
    for _ in range(MOST_HELD):
        look(phone)
    assert "no longer at hand" in press(phone, "/tickets/take", list=first).text
    assert holders(house) == []


def test_tickets_are_listed_found_and_filtered(house: House, phone: FlaskClient) -> None:
    take(phone)
    ada = house.ledger.tickets(house.evening)[0]
    house.ledger.check_in(house.evening, ada.id, Hand("Zoë", "n", "desk", house.clock.stamp()))
    assert "2 tickets" in phone.get("/tickets").text
    place = found_at(phone, "emile", "/tickets")
    assert "emile" not in place
    found = phone.get(place).text
    assert "Émile Baudot" in found and "Ada Lovelace" not in found
    assert "Ada Lovelace" in phone.get("/tickets?show=came").text
    assert "Émile Baudot" not in phone.get("/tickets?show=came").text
    assert "No ticket fits." in phone.get("/tickets?show=refused").text
    assert phone.get(f"/tickets?start={10**40}&show=nonsense").status_code == 200


def test_a_long_list_has_leaves(phone: FlaskClient) -> None:
    take(phone, "Name,Code\n" + "".join(f"Guest {n:03},C{n}\n" for n in range(120)))
    first = phone.get("/tickets").text
    assert "Guest 000" in first and "Guest 050" not in first and "Next ones" in first and "Earlier" not in first
    last = phone.get("/tickets?start=100").text
    assert "Guest 119" in last and "Next ones" not in last and "Earlier ones" in last


def test_a_ticket_is_revoked_and_given_back(house: House, phone: FlaskClient) -> None:
    take(phone)
    page = press(phone, "/tickets/1/revoke")
    assert "Ticket no. 1 is revoked" in page.text and "Make it good again" in page.text
    assert "revoked already" in press(phone, "/tickets/1/revoke").text
    assert "Ticket no. 1 is good again" in press(phone, "/tickets/1/give-back").text
    assert [change.what for change in house.noted()][:3:2] == [
        "Tickets: Ticket no. 1 is good again",
        "Tickets: Ticket no. 1 is revoked",
    ]


def test_a_ticket_of_ours_is_shown_printed_replaced_and_passed_on(house: House, phone: FlaskClient) -> None:
    take(phone, "Name,User ID,RSVP,Guests,RSVPed on\nAda,1,Yes,0,x\n")
    assert "<svg" in phone.get("/tickets/1").text.partition('class="code"')[2]
    page = press(phone, "/tickets/1/replace", holder="Noor", email="noor@example.org")
    assert "Ticket no. 2 takes the place of no. 1" in page.text
    heir = house.ledger.tickets(house.evening)[1]
    assert (heir.holder, heir.status) == ("Noor", Status.PAID)
    assert heir.code_sha256 == codes.digest(codes.own_code(SECRET, "evening", 2).encode())
    assert 'class="code"' not in phone.get("/tickets/1").text


def test_the_code_of_somebody_elses_ticket_is_not_shown(phone: FlaskClient) -> None:
    take(phone)
    page = phone.get("/tickets/1").text
    assert 'class="code"' not in page and "Replace it" not in page
    assert "whoever issued it can replace it" in press(phone, "/tickets/1/replace").text


def test_a_ticket_that_is_not_there_is_said(phone: FlaskClient) -> None:
    assert phone.get("/tickets/99").status_code == 404
    assert phone.get("/tickets/99999999999999999999").status_code == 404
    assert "there is no ticket no. 99" in press(phone, "/tickets/99/revoke").text


@pytest.fixture
def volunteer(house: House) -> FlaskClient:
    return house.somebody("Vera", "door")


def test_only_organizers_see_the_tickets(house: House, phone: FlaskClient, volunteer: FlaskClient) -> None:
    take(phone)
    for path in ("/tickets", "/tickets/1"):
        assert volunteer.get(path).status_code == 403
        assert house.client().get(path).status_code in (302, 303, 401)
    for path in ("/tickets/look", "/tickets/take", "/tickets/1/revoke"):
        answer = volunteer.post(path, data={"csrf_token": token_on(volunteer, "/door")})
        assert answer.status_code == 403
    assert [ticket.status for ticket in house.ledger.tickets(house.evening)] == ["paid", "paid"]


def test_anybody_may_read_what_is_kept(house: House) -> None:
    page = house.client().get("/privacy").text
    assert "14 days after the evening names" in page and "Lightning talks, November" in page
    assert "Nothing of this leaves the machine by itself" in page and "pretix" not in page


def test_names_are_forgotten_after_a_second_press(house: House, phone: FlaskClient) -> None:
    take(phone)
    asked = phone.get("/tickets/forget").text
    assert "2 tickets have a name" in asked and "Tuesday 8 December 2026" in asked
    done = press(phone, "/tickets/forget")
    assert "Names, e-mails and notes of 2 tickets are forgotten" in done.text
    assert holders(house) == [None, None]
    assert "Nothing of anybody is kept any more" in phone.get("/tickets/forget").text
    assert house.noted()[0].what == "Tickets: Names, e-mails and notes of 2 tickets are forgotten"


def test_a_ticket_of_ours_is_printed_again_as_a_label_a_page_and_a_picture(house: House, phone: FlaskClient) -> None:
    page = again(phone, look(phone, "Name,Language\nAda,fr\n"), by_name="on")
    press(phone, "/tickets/take", list=word(page))
    for form, begins in (("label", b"%PDF"), ("page", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<svg")):
        answer = phone.get(f"/tickets/1/print/{form}")
        assert answer.status_code == 200 and answer.data.startswith(begins), form
        assert f"ticket-0001-{form}" in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert phone.get("/tickets/1/print/poster").status_code == 404
    assert phone.get("/tickets/9/print/png").status_code == 404
    press(phone, "/tickets/1/revoke")
    assert phone.get("/tickets/1/print/png").status_code == 404
    assert house.somebody("Léa", "door").get("/tickets/1/print/png").status_code == 403
