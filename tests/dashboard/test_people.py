"""People, their phones and invitations: what takes effect, when, and what is refused; by the file and by the page."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flask
import pytest
from dashboard_house import NAME, PIN, House, token_on
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from hardware.clock import ManualClock
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_errors import (
    BadName,
    LastOrganizer,
    LinkGone,
    NameTaken,
    TooMany,
    UnknownPerson,
    UnknownPhone,
)
from kiosk.dashboard.access_file import Person, Role
from kiosk.dashboard.address import base_url_for_phones, named_url
from kiosk.dashboard.invitations import COMMAND_LINE, MOST_LINKS
from kiosk.dashboard.people import LONGEST_NAME, clean_name
from kiosk.dashboard.phones import LIFE_S, MOST_A_PERSON, Phones, device
from kiosk.dashboard.settings import DashboardSettings, HttpsSettings
from kiosk.dashboard.sightings import SEEN_S

NO_HTTPS = HttpsSettings(enabled=False)
PLAIN = {"plain_http": "whole-network", "https": NO_HTTPS}
ELSEWHERE = {"REMOTE_ADDR": "192.168.1.23"}
PI = {"Host": "192.168.1.5:8080"}


def invite(access: Access, name: str, role: Role, by: str = "ada") -> Person:
    return access.invitations.use(access.invitations.make(role, by)[0], name, PIN)


# -- names and roles --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["LÉA", "lea", " Léa ", "L\u00e9a", "Le\u0301a"])
def test_one_name_is_one_person_s_whatever_its_case_and_accents(access: Access, typed: str) -> None:
    invite(access, "Léa", "door")
    with pytest.raises(NameTaken, match="called"):
        invite(access, typed, "viewer")
    assert access.people.log_in(typed, PIN, "192.0.2.1").name == "Léa"


@pytest.mark.parametrize("typed", ["", "   ", "\u200b", "!!!", "x" * (LONGEST_NAME + 1)])
def test_a_name_that_calls_nobody_is_refused_and_leaves_the_link(access: Access, typed: str) -> None:
    token, _ = access.invitations.make("door", "ada")
    with pytest.raises(BadName):
        access.invitations.use(token, typed, PIN)
    access.invitations.check(token)


@given(st.text(max_size=60))
def test_a_name_is_one_printable_line_or_refused(typed: str) -> None:
    try:
        name = clean_name(typed)
    except BadName:
        return
    assert name == name.strip() and name.isprintable() and 0 < len(name) <= LONGEST_NAME
    assert clean_name(name) == name


def test_of_two_who_choose_one_name_at_the_same_moment_one_gets_it_and_the_other_s_link_stays(access: Access) -> None:
    tokens = [access.invitations.make("door", "ada")[0] for _ in range(2)]
    outcomes: dict[str, str] = {}
    together = threading.Barrier(2)

    def use(token: str) -> None:
        together.wait(10)
        try:
            access.invitations.use(token, "Léa", PIN)
            outcomes[token] = "in"
        except NameTaken:
            outcomes[token] = "taken"

    threads = [threading.Thread(target=use, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes.values()) == ["in", "taken"]
    (loser,) = (token for token, outcome in outcomes.items() if outcome == "taken")
    access.invitations.use(loser, "Léa B", PIN)
    assert [person.name for person in access.people.all()] == ["Léa", "Léa B"]


def test_the_last_organizer_stays_one(access: Access) -> None:
    ada = invite(access, NAME, "organizer")
    invite(access, "Dora", "door")
    for press in (
        lambda: access.people.remove(ada.id),
        lambda: access.people.set_role(ada.id, "door"),
    ):
        with pytest.raises(LastOrganizer):
            press()
    zoe = invite(access, "Zoë", "organizer")
    access.people.set_role(ada.id, "viewer")
    with pytest.raises(LastOrganizer):
        access.people.remove(zoe.id)


def test_of_two_organizers_who_remove_each_other_at_once_one_stays(access: Access) -> None:
    people = [invite(access, name, "organizer") for name in ("Ada", "Zoë")]
    outcomes: list[str] = []

    def remove(person: Person) -> None:
        try:
            access.people.remove(person.id)
            outcomes.append("removed")
        except LastOrganizer:
            outcomes.append("refused")

    threads = [threading.Thread(target=remove, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(outcomes) == ["refused", "removed"]


def test_a_removed_person_is_unknown_and_the_links_they_made_are_void(access: Access) -> None:
    invite(access, NAME, "organizer")
    zoe = invite(access, "Zoë", "organizer")
    token, _ = access.invitations.make("organizer", zoe.id)
    access.people.remove(zoe.id)
    with pytest.raises(LinkGone):
        access.invitations.use(token, "Zoë again", PIN)
    with pytest.raises(UnknownPerson):
        access.people.set_role(zoe.id, "door")


# -- invitations ------------------------------------------------------------------------------------------------------


def test_a_replayed_invitation_lets_nobody_in(access: Access) -> None:
    token, _ = access.invitations.make("organizer", "ada")
    access.invitations.use(token, "Léa", PIN)
    for name in ("Léa", "Eve"):
        with pytest.raises(LinkGone):
            access.invitations.use(token, name, "another-pin-1")
    assert len(access.people.all()) == 1


def test_several_invitations_are_open_at_a_time_and_each_can_be_withdrawn(access: Access) -> None:
    (first, link), (second, _) = (access.invitations.make("door", "ada") for _ in range(2))
    access.invitations.withdraw(link.id)
    with pytest.raises(LinkGone):
        access.invitations.use(first, "Léa", PIN)
    assert access.invitations.use(second, "Léa", PIN).role == "door"
    with pytest.raises(LinkGone):
        access.invitations.withdraw(link.id)


def test_an_invitation_gives_nobody_who_is_here_a_new_pin(access: Access) -> None:
    """Only a link made on the Pi itself does: else whoever invites for the door could become an organizer."""
    invite(access, NAME, "organizer")
    for role in ("organizer", "door"):
        with pytest.raises(NameTaken):
            access.invitations.use(access.invitations.make(role, "zoe")[0], NAME, "another-pin-1")  # type: ignore[arg-type]


def test_the_login_link_makes_an_organizer_of_nobody_else_s_account(access: Access) -> None:
    invite(access, NAME, "organizer")
    invite(access, "Dora", "door")
    token = access.login_link()
    with pytest.raises(NameTaken):
        access.invitations.use(token, "Dora", PIN)
    assert access.invitations.use(token, "ada", "another-pin-1").name == NAME
    assert access.invitations.use(access.login_link(), "Zoë", PIN).role == "organizer"


def test_links_are_bounded_and_those_that_are_over_make_room(access: Access, clock: ManualClock) -> None:
    for _ in range(MOST_LINKS):
        access.invitations.make("door", "ada")
    with pytest.raises(TooMany):
        access.invitations.make("door", "ada")
    clock.advance(1801)
    access.invitations.make("door", "ada")
    assert len(access.invitations.open()) == 1


# -- phones -----------------------------------------------------------------------------------------------------------


def test_each_phone_is_logged_out_alone_or_all_together(access: Access) -> None:
    ada = invite(access, NAME, "organizer")
    one, two, three = (access.phones.log_in(ada, "Test phone") for _ in range(3))
    access.phones.log_out(ada.id, one.phone.letters)
    assert [bool(access.phones.find(each.token)) for each in (one, two, three)] == [False, True, True]
    with pytest.raises(UnknownPhone):
        access.phones.log_out(ada.id, one.phone.letters)
    assert access.phones.log_out_all(ada.id) == 2
    assert access.phones.all() == ()


def test_a_login_lasts_a_day_whatever_the_wall_clock_says(access: Access, clock: ManualClock) -> None:
    ada = invite(access, NAME, "organizer")
    phone = access.phones.log_in(ada, "Test phone")
    clock.advance(LIFE_S - 1)
    clock.jump_to(clock.stamp().wall.replace(year=2031))
    assert access.phones.find(phone.token)
    clock.advance(2)
    assert access.phones.find(phone.token) is None and access.phones.all() == ()


def test_the_phone_seen_longest_ago_makes_room_for_one_more(access: Access, clock: ManualClock) -> None:
    ada = invite(access, NAME, "organizer")
    phones = []
    for _ in range(MOST_A_PERSON):
        clock.advance(60)
        phones.append(access.phones.log_in(ada, "Test phone"))
    clock.advance(60)
    access.phones.find(phones[0].token)
    access.phones.log_in(ada, "Test phone")
    assert access.phones.find(phones[0].token) and not access.phones.find(phones[1].token)


def test_when_a_phone_was_seen_is_known_to_the_second_and_written_seldom(
    access: Access, clock: ManualClock, tmp_path: Path
) -> None:
    phone = access.phones.log_in(invite(access, NAME, "organizer"), "Test phone")
    written = (tmp_path / "dashboard.json").read_bytes()
    clock.advance(SEEN_S - 1)
    found = access.phones.find(phone.token)
    assert found and access.phones.seen(found.phone).at == "2026-11-24T18:59:59+00:00"
    assert (tmp_path / "dashboard.json").read_bytes() == written
    clock.advance(2)
    access.phones.find(phone.token)
    after_a_restart = Phones(access._file, clock)
    assert after_a_restart.seen(after_a_restart.all()[0]).at == "2026-11-24T19:00:01+00:00"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 Chrome/130 Mobile", "Android phone"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)", "iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "Mac"),
        ("Mozilla/5.0 (X11; Linux aarch64)", "Linux computer"),
        ("", "Other browser"),
    ],
)
def test_a_phone_is_called_what_a_person_calls_it(agent: str, words: str) -> None:
    assert device(agent) == words


# -- by the pages -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ada(house: House) -> FlaskClient:
    return house.somebody(NAME, "organizer")


def press(client: FlaskClient, path: str, **fields: str) -> str:
    """Press, follow, and return the page's text."""
    answer = client.post(path, data={"csrf_token": token_on(client, "/people"), **fields}, follow_redirects=True)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.text).split()))


def invitation(client: FlaskClient, role: Role) -> str:
    """Where an invitation leads that was just made."""
    form = {"csrf_token": token_on(client, "/people"), "role": role}
    page = client.post("/people/invite", data=form).text
    found = re.search(r'value="(http[^"]+)"', page)
    assert found
    return found[1]


def enter(house: House, path: str, name: str, pin: str = PIN) -> FlaskClient:
    client = house.client()
    answer = client.post(path, data={"csrf_token": token_on(client, path), "name": name, "pin": pin})
    assert (answer.status_code, answer.location) == (303, "/")
    return client


def test_who_opens_an_invitation_chooses_a_name_and_a_pin_and_is_in(house: House, ada: FlaskClient) -> None:
    path = urlsplit(invitation(ada, "door")).path
    assert "You come in as" in house.client().get(path).text
    lea = enter(house, path, "Léa")
    assert "Find a ticket" in lea.get("/door").text
    assert house.client().get(path).status_code == 410
    assert [(each.name, each.role) for each in house.access.people.all()] == [(NAME, "organizer"), ("Léa", "door")]


@pytest.mark.parametrize(
    ("settings", "host", "start"),
    [
        ({}, "192.168.1.5:8080", "http://192.168.1.5:8080"),
        ({"public_url": "https://door.example.org"}, "door.example.org", "https://door.example.org"),
        ({"public_url": "https://door.example.org"}, "127.0.0.1:8080", "https://door.example.org"),
        ({"https": HttpsSettings(host="192.168.1.7")}, "localhost:8080", "https://192.168.1.7:8443"),
        ({"https": HttpsSettings(host="fd00::7", port=443)}, "[::1]:8080", "https://[fd00::7]:443"),
        ({"host": "192.168.1.7", **PLAIN}, "localhost:8080", "http://192.168.1.7:8080"),
    ],
)
def test_an_invitation_leads_where_phones_can_come(
    make_house: Callable[..., House], settings: dict[str, Any], host: str, start: str
) -> None:
    house = make_house(**settings)
    with house.app.test_request_context("/people", base_url=f"http://{host}"):
        assert base_url_for_phones(house.settings, flask.request) == start


def test_an_invitation_that_no_phone_can_follow_says_so(make_house: Callable[..., House]) -> None:
    ada = make_house(https=NO_HTTPS).organizer()
    assert "this machine only" in press(ada, "/people/invite", role="door")


def test_only_the_hash_of_an_invitation_is_kept_and_it_is_shown_once(house: House, ada: FlaskClient) -> None:
    token = invitation(ada, "door").rpartition("/")[2]
    assert token not in ada.get("/people").text
    cookie = ada.get_cookie("platypus")
    assert cookie and token not in cookie.value
    kept = [path.read_text() for path in house.access._file.path.parent.glob("*.json*")]
    assert kept and not [text for text in kept if token in text]


def test_two_who_choose_one_name_are_told_beside_the_form(house: House, ada: FlaskClient) -> None:
    paths = [invitation(ada, "door").removeprefix("http://localhost") for _ in range(2)]
    enter(house, paths[0], "Léa")
    client = house.client()
    form = {"csrf_token": token_on(client, paths[1]), "name": "LEA", "pin": PIN}
    answer = client.post(paths[1], data=form)
    assert answer.status_code == 409
    assert 'value="LEA"' in answer.text and "is called LEA already" in answer.text
    enter(house, paths[1], "Léa B")


def test_a_role_that_is_changed_counts_from_the_next_press(house: House, ada: FlaskClient) -> None:
    dora = house.somebody("Dora", "door")
    assert dora.get("/door").status_code == 200
    assert "Dora is now viewer." in press(ada, "/people/role", person="id-of-Dora", role="viewer")
    assert dora.get("/door").status_code == 403
    assert "Dora is now organizer." in press(ada, "/people/role", person="id-of-Dora", role="organizer")
    assert dora.get("/people").status_code == 200
    assert ada.post("/people/role", data={"csrf_token": token_on(ada, "/people"), "role": "god"}).status_code == 400


def test_a_cookie_that_was_stolen_is_worth_nothing_once_the_phone_is_logged_out(house: House, ada: FlaskClient) -> None:
    dora = house.somebody("Dora", "door")
    cookie = dora.get_cookie("platypus")
    assert cookie
    thief = house.client()
    thief.set_cookie("platypus", cookie.value)
    assert thief.get("/door").status_code == 200
    (letters,) = (each.letters for each in house.access.phones.all() if each.person == "id-of-Dora")
    said = press(ada, "/people/log-out", person="id-of-Dora", phone=letters)
    assert f"Dora is logged out on Test phone {letters}." in said
    for client in (thief, dora):
        assert client.get("/door").status_code == 303
        assert client.get("/events").status_code == 401


def test_logging_out_ends_the_cookie_s_worth_too(house: House, ada: FlaskClient) -> None:
    cookie = ada.get_cookie("platypus")
    assert cookie
    token = token_on(ada, "/")
    ada.post("/logout", data={"csrf_token": token})
    thief = house.client()
    thief.set_cookie("platypus", cookie.value)
    assert thief.get("/").status_code == 303


def test_who_is_removed_is_out_on_every_phone(house: House, ada: FlaskClient) -> None:
    phones = [house.somebody("Dora", "door") for _ in range(2)]
    assert "Dora is removed" in press(ada, "/people/remove", person="id-of-Dora")
    assert [phone.get("/door").status_code for phone in phones] == [303, 303]
    assert "removed meanwhile" in press(ada, "/people/remove", person="id-of-Dora")


def test_the_last_organizer_is_told_why_not(house: House, ada: FlaskClient) -> None:
    assert "last organizer" in press(ada, "/people/remove", person=f"id-of-{NAME}")
    assert "last organizer" in press(ada, "/people/role", person=f"id-of-{NAME}", role="door")
    assert ada.get("/people").status_code == 200


def test_the_page_tells_this_phone_from_the_others(house: House, ada: FlaskClient) -> None:
    house.somebody(NAME, "organizer")
    page = ada.get("/people").text
    assert page.count("This phone") == 1
    assert page.count('action="/people/log-out"') == 2  # the other one, and all
    assert "since 24 Nov, 19:55, last seen 24 Nov, 19:55" in page


def test_a_login_takes_over_no_session_that_was_there_before(house: House) -> None:
    """Fixation: whatever a thief put into a browser before its owner logs in is worth nothing afterwards."""
    house.choose(PIN)
    planted = house.somebody("Eve", "viewer")
    before = planted.get_cookie("platypus")
    assert before
    token = token_on(planted, "/login")
    with planted.session_transaction() as session:
        session["planted"] = "by Eve"
    planted.post("/login", data={"csrf_token": token, "name": NAME, "pin": PIN})
    after = planted.get_cookie("platypus")
    assert after and after.value != before.value
    with planted.session_transaction() as session:
        assert "planted" not in session
        mine = house.access.phones.find(session["_user_id"])
    assert mine and mine.person.name == NAME
    thief = house.client()
    thief.set_cookie("platypus", before.value)
    assert thief.get("/").status_code == 303


def test_one_s_own_pin_is_changed_by_who_knows_the_old_one_and_logs_out_the_other_phones(house: House) -> None:
    here, there = house.organizer(), house.organizer()
    cookie = here.get_cookie("platypus")
    form = {"csrf_token": token_on(here, "/own-pin"), "old": PIN, "pin": "other-pin-9"}
    refused = here.post("/own-pin", data={**form, "old": "wrong-pin-1"})
    assert refused.status_code == 403 and "That is not your PIN" in refused.text
    assert here.post("/own-pin", data={**form, "pin": "123456"}).status_code == 422
    assert there.get("/").status_code == 200
    assert here.post("/own-pin", data=form).status_code == 303
    assert here.get("/").status_code == 200 and there.get("/").status_code == 303
    thief = house.client()
    assert cookie
    thief.set_cookie("platypus", cookie.value)
    assert thief.get("/").status_code == 303
    assert house.access.people.log_in(NAME, "other-pin-9", "192.0.2.1")


def test_own_pins_are_throttled_as_logins_are(house: House) -> None:
    client = house.organizer()
    form = {"csrf_token": token_on(client, "/own-pin"), "old": "wrong-1", "pin": "other-pin-9"}
    codes = [client.post("/own-pin", data=form).status_code for _ in range(6)]
    assert codes == [403, 403, 403, 403, 429, 429]


def test_a_damaged_file_is_said_and_the_screen_goes_on(house: House, ada: FlaskClient) -> None:
    path = house.access._file.path
    content = path.read_bytes()
    path.write_bytes(b"{")
    answer = ada.get("/")
    assert answer.status_code == 503 and "Nobody can be let in now" in answer.text
    assert house.client().get("/login").status_code == 503
    assert house.client().get("/screen").status_code == 200
    path.write_bytes(content)
    assert ada.get("/").status_code == 200, "put back: nothing is lost"


# -- the first one ----------------------------------------------------------------------------------------------------


@pytest.fixture
def open_house(make_house: Callable[..., House]) -> House:
    return make_house(https=HttpsSettings())  # so phones can come


def link_on_screen(house: House) -> str | None:
    """Whether /screen on the Pi shows a link, told by the file: the token itself is in the picture only."""
    assert house.client().get("/screen").status_code == 200
    made = [each for each in house.access.invitations.open() if each.made_by == "screen"]
    assert len(made) <= 1
    return made[0].sha256 if made else None


def test_the_screen_on_the_pi_shows_how_to_become_the_first_organizer_until_somebody_is(open_house: House) -> None:
    assert "Are you the organizer?" in open_house.client().get("/screen").text
    open_house.choose(PIN)
    assert "Are you the organizer?" not in open_house.client().get("/screen").text
    assert link_on_screen(open_house) is None


def test_no_other_screen_shows_it(open_house: House) -> None:
    for options in ({"environ_base": ELSEWHERE}, {"headers": PI}, {"headers": {"X-Forwarded-For": "192.0.2.1"}}):
        assert open_house.client().get("/screen", **options).status_code == 303  # type: ignore[arg-type]
    assert open_house.access.invitations.open() == ()


def test_it_is_not_shown_where_no_phone_can_come(make_house: Callable[..., House]) -> None:
    house = make_house(https=NO_HTTPS)
    assert "Are you the organizer?" not in house.client().get("/screen").text


def test_the_link_on_the_screen_is_one_for_all_who_look_and_renewed_in_time(open_house: House) -> None:
    first = link_on_screen(open_house)
    assert first and link_on_screen(open_house) == first
    open_house.clock.advance(1190)
    assert link_on_screen(open_house) == first
    open_house.clock.advance(20)
    assert link_on_screen(open_house) not in {None, first}


def test_the_link_on_the_screen_is_void_once_somebody_came_in_by_another(open_house: House) -> None:
    client = open_house.client()
    client.get("/screen")
    open_house.access.invitations.use(open_house.access.invitations.make("organizer", COMMAND_LINE)[0], NAME, PIN)
    assert open_house.access.invitations.open() == ()


def test_by_its_name_the_machine_is_found_only_while_something_answers_for_it(tmp_path: Path) -> None:
    name = socket.gethostname().partition(".")[0]
    assert named_url(DashboardSettings(), tmp_path) == f"https://{name}.local:8443"
    assert named_url(DashboardSettings(), tmp_path / "absent") is None
    assert named_url(DashboardSettings(https=HttpsSettings(host="192.0.2.7")), tmp_path) is None
    assert named_url(DashboardSettings(https=HttpsSettings(enabled=False)), tmp_path) is None
    assert named_url(DashboardSettings(public_url="https://door.example.org"), tmp_path) is None
