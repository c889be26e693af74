"""Tokens of programs: shown once, kept as a hash, revoked at once, never in a log; by file and page."""

from __future__ import annotations

import logging
import re
from datetime import datetime
from pathlib import Path

import pytest
from dashboard_house import NAME, House, token_on
from flask.testing import FlaskClient

from hardware.clock import ManualClock
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_errors import BadName, NameTaken, TooMany, TooManyTries, UnknownToken, WrongToken
from kiosk.dashboard.sightings import SEEN_S
from kiosk.dashboard.tokens import FORM, MOST_TOKENS

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
HERE = "192.0.2.1"


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_token_is_known_by_its_beginning_and_only_its_hash_is_kept(access: Access) -> None:
    secret, token = access.tokens.make("Ticket wall", "viewer", "ada")
    assert FORM.fullmatch(secret) and secret.startswith("platypus_")
    assert access.tokens.let_in(secret, HERE).signature == "Ticket wall (viewer, by token)"
    kept = access._file.path.read_text()
    assert secret not in kept and token.sha256 in kept


def test_a_revoked_token_is_out_at_once_in_every_process(access: Access, tmp_path: Path, clock: ManualClock) -> None:
    secret, token = access.tokens.make("Ticket wall", "viewer", "ada")
    other = Access(tmp_path, clock)
    assert other.tokens.let_in(secret, HERE)
    access.tokens.revoke(token.id)
    for each in (access, other):
        with pytest.raises(WrongToken, match="revoked"):
            each.tokens.let_in(secret, HERE)
    with pytest.raises(UnknownToken):
        other.tokens.revoke(token.id)


def test_guesses_wait_and_never_make_a_good_token_wait(access: Access, clock: ManualClock) -> None:
    secret, _ = access.tokens.make("Ticket wall", "viewer", "ada")
    for _ in range(5):
        with pytest.raises(WrongToken):
            access.tokens.let_in("platypus_" + "x" * 32, HERE)
    with pytest.raises(TooManyTries):
        access.tokens.let_in("platypus_" + "x" * 32, HERE)
    assert access.tokens.let_in(secret, HERE), "beside the guesses, from the same address"
    with pytest.raises(WrongToken):
        access.tokens.let_in("platypus_" + "x" * 32, "192.0.2.99")
    clock.advance(6)
    with pytest.raises(WrongToken):
        access.tokens.let_in("platypus_" + "x" * 32, HERE)


def test_a_log_names_no_token_and_is_not_filled_by_guesses(access: Access, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret, _ = access.tokens.make("Ticket wall of Zoë", "viewer", "ada")
    access.tokens.let_in(secret, HERE)
    for _ in range(50):
        with pytest.raises((WrongToken, TooManyTries)):
            access.tokens.let_in("platypus_guess", HERE)
    assert secret not in caplog.text and "platypus_" not in caplog.text and "Zoë" not in caplog.text
    assert caplog.text.count("wrong-token") == 5


def test_when_a_token_was_used_last_is_known_to_the_second_and_kept_now_and_then(
    access: Access, tmp_path: Path, clock: ManualClock
) -> None:
    secret, token = access.tokens.make("Ticket wall", "viewer", "ada")
    assert access.tokens.seen(token) is None
    access.tokens.let_in(secret, HERE)
    first = clock.stamp().wall
    clock.advance(SEEN_S - 1)
    access.tokens.let_in(secret, HERE)
    seen = access.tokens.seen(token)
    assert seen and datetime.fromisoformat(seen.at) > first
    (after_a_restart,) = Access(tmp_path, clock).tokens.all()
    assert after_a_restart.seen and datetime.fromisoformat(after_a_restart.seen.at) == first
    clock.advance(2)
    access.tokens.let_in(secret, HERE)
    (after_a_restart,) = Access(tmp_path, clock).tokens.all()
    assert after_a_restart.seen and datetime.fromisoformat(after_a_restart.seen.at) == clock.stamp().wall


def test_names_of_tokens_are_names_and_one_token_s(access: Access) -> None:
    access.tokens.make("Ticket wall", "viewer", "ada")
    with pytest.raises(NameTaken, match="TICKET"):
        access.tokens.make(" TICKET  wall", "door", "ada")
    for typed in ("", "!!!", "x" * 41):
        with pytest.raises(BadName):
            access.tokens.make(typed, "door", "ada")
    for number in range(MOST_TOKENS - 1):
        access.tokens.make(f"number {number}", "viewer", "ada")
    with pytest.raises(TooMany, match="revoke"):
        access.tokens.make("one more", "viewer", "ada")


def test_a_token_goes_with_the_organizer_who_made_it(house: House) -> None:
    for name in ("Ada", "Bo", "Cleo"):
        house.somebody(name, "organizer")
    bo, cleo = (house.access.tokens.make(name, "organizer", f"id-of-{name}")[0] for name in ("Bo", "Cleo"))
    ours, _ = house.access.tokens.make("ours", "door", "command line")
    house.access.people.set_role("id-of-Bo", "door")
    house.access.people.remove("id-of-Cleo")
    for secret in (bo, cleo):
        assert house.access.tokens.find(secret) is None
    assert house.access.tokens.find(ours)


# -- the page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ada(house: House) -> FlaskClient:
    return house.somebody(NAME, "organizer")


def made(client: FlaskClient, name: str = "Ticket wall", role: str = "door") -> str:
    """The token that the page shows after it was made."""
    form = {"csrf_token": token_on(client, "/people"), "name": name, "role": role}
    found = re.search(r'value="(platypus_[^"]+)" readonly', client.post("/people/token", data=form).text)
    assert found
    return found[1]


def test_the_page_makes_a_token_shows_it_once_and_says_when_it_was_used(house: House, ada: FlaskClient) -> None:
    secret = made(ada)
    page = ada.get("/people").text
    assert "Ticket wall" in page and "by Ada, never used yet" in page and secret not in page
    assert house.client().get("/metrics", headers=bearer(secret), environ_base=ELSEWHERE).status_code == 200
    assert "by Ada, last used 24 Nov, 19:55" in ada.get("/people").text
    cookie = ada.get_cookie("platypus")
    assert cookie and secret not in cookie.value
    assert house.noted()[0].what == "People: A token for door is made: Ticket wall"
    assert not [path for path in house.access._file.path.parent.glob("*.json*") if secret in path.read_text()]


def test_a_token_that_the_page_revokes_is_out_with_its_next_request(house: House, ada: FlaskClient) -> None:
    secret = made(ada)
    (token,) = house.access.tokens.all()
    form = {"csrf_token": token_on(ada, "/people"), "token": token.id}
    said = ada.post("/people/revoke", data=form, follow_redirects=True).text
    assert "The token Ticket wall is revoked." in said
    answer = house.client().get("/metrics", headers=bearer(secret), environ_base=ELSEWHERE)
    assert (answer.status_code, "revoked" in answer.text) == (401, True)
    assert "revoked already" in ada.post("/people/revoke", data=form, follow_redirects=True).text
    assert [each.what for each in house.noted()[:2]] == [
        "People: revoke a token",
        "People: The token Ticket wall is revoked.",
    ]


def test_a_wrong_name_or_role_makes_no_token(house: House, ada: FlaskClient) -> None:
    form = {"csrf_token": token_on(ada, "/people"), "name": "!", "role": "door"}
    assert "with letters" in ada.post("/people/token", data=form, follow_redirects=True).text
    assert ada.post("/people/token", data={**form, "name": "wall", "role": "god"}).status_code == 400
    assert house.access.tokens.all() == ()


def test_metrics_are_for_tokens_of_the_door_and_guesses_wait(house: House) -> None:
    client = house.client()
    for role, code in (("viewer", 403), ("door", 200), ("organizer", 200)):
        secret, _ = house.access.tokens.make(role, role, "ada")  # type: ignore[arg-type]
        answer = client.get("/metrics", headers=bearer(secret), environ_base=ELSEWHERE)
        assert answer.status_code == code, role
    codes = [client.get("/metrics", headers=bearer("wrong"), environ_base=ELSEWHERE).status_code for _ in range(6)]
    assert codes == [401, 401, 401, 401, 401, 429]


def test_no_page_takes_a_token(house: House) -> None:
    house.somebody(NAME, "organizer")
    secret, _ = house.access.tokens.make("all", "organizer", "ada")
    client = house.client()
    for path in ("/", "/door", "/talks", "/people", "/changes", "/watch"):
        answer = client.get(path, headers=bearer(secret), environ_base=ELSEWHERE)
        assert answer.status_code == 303 and answer.location.startswith("/login"), path
    assert client.get("/events", headers=bearer(secret), environ_base=ELSEWHERE).status_code == 401
    form = {"csrf_token": token_on(client, "/login")}
    assert client.post("/stream/stop", data=form, headers=bearer(secret)).status_code == 303
    assert house.news.commands == []
