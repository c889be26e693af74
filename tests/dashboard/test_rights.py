"""Who may do what: the table, held against every route there is."""

from __future__ import annotations

import json
import re

import flask
import pytest
from dashboard_house import House, token_on
from flask.testing import FlaskClient

from kiosk.dashboard.access_file import ROLES, Role
from kiosk.dashboard.rights import API, RIGHTS, may

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
NO_ROUTES = {"see_names"}
OPEN_TO_ALL = {"static", "healthz", "language", "privacy", "login", "login_post", "first_use", "first_use_post"}
_VALUES = {"token": "x", "choice": "en", "talk_id": "t0", "talk": "t0", "name": "live-1.ts", "filename": "live.js"}
_VALUES |= {"number": "1", "form": "png", "program": "door"}


def rules(app: flask.Flask) -> list[tuple[str, str, str]]:
    """Endpoint, method and a path, of every route."""
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+(?:\(.*?\))?:)?(\w+)>", lambda match: _VALUES[match[1]], rule.rule)
        found += [(rule.endpoint, method, path) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return found


def test_every_route_is_in_the_table_and_every_line_of_it_is_a_route(house: House) -> None:
    assert {endpoint for endpoint, _, _ in rules(house.app)} == set(RIGHTS) - NO_ROUTES


def test_a_route_that_is_not_in_the_table_is_for_nobody(house: House) -> None:
    house.app.add_url_rule("/forgotten", "forgotten", lambda: "reached", methods=["GET", "POST"])
    client = house.somebody("Ada", "organizer")
    answer = client.get("/forgotten")
    assert answer.status_code == 403
    assert "Nobody may use this page" in answer.text
    assert client.post("/forgotten", data={"csrf_token": token_on(client, "/")}).status_code == 403
    assert house.client().get("/forgotten").status_code == 303


def test_strangers_are_let_into_the_entrance_only(house: House) -> None:
    assert {right for right in RIGHTS if may(None, right)} == OPEN_TO_ALL
    house.somebody("Ada", "organizer")
    client = house.client()
    token = token_on(client, "/login")
    for endpoint, method, path in rules(house.app):
        if endpoint in OPEN_TO_ALL:
            continue
        if endpoint.startswith(API):
            assert client.open(path, method=method, environ_base=ELSEWHERE).status_code == 401, endpoint
            continue
        answer = client.open(path, method=method, data={"csrf_token": token}, environ_base=ELSEWHERE)
        assert answer.status_code in {303, 401}, (endpoint, answer.status_code)
        assert answer.status_code == 401 or answer.location.startswith("/login"), endpoint


@pytest.mark.parametrize("role", ROLES)
def test_every_route_refuses_each_role_below_the_one_it_needs_with_words(house: House, role: Role) -> None:
    client = house.somebody("Ada", role)
    token = token_on(client, "/")
    refused = set()
    for endpoint, method, path in rules(house.app):
        if endpoint in OPEN_TO_ALL | {"logout", "events", "screen_events", "metrics"}:  # no pages
            continue
        if endpoint.startswith(API):  # see test_api.py
            continue
        data = {"csrf_token": token} if method == "POST" else None
        answer = client.open(path, method=method, data=data, environ_base=ELSEWHERE)
        is_refused = answer.status_code == 403 and "Not for your role" in answer.text
        assert is_refused == (not may(role, endpoint)), (endpoint, answer.status_code)
        refused |= {endpoint} if is_refused else set()
    assert bool(refused) == (role != "organizer")
    assert house.news.commands == [] or role == "organizer"


def test_a_viewer_sees_the_evening_and_nobody_s_name(house: House) -> None:
    house.book.scan("Zoë Ødegård", product="Speaker", caveats=("offline",))
    client = house.somebody("Vic", "viewer")
    page = client.get("/").text
    assert "Inside now" in page and "Admitted" in page and "A guest" in page
    for secret in ("Zoë", "Speaker"):
        assert secret not in page
        assert secret in house.somebody("Dora", "door").get("/").text
    assert client.get("/watch").status_code == 200
    assert client.get("/preview.jpg").status_code == 404  # there is no stream
    assert client.get("/screen", environ_base=ELSEWHERE).status_code == 403


def test_a_viewer_s_news_carries_no_name(house: House) -> None:
    house.book.scan("Zoë Ødegård", product="Speaker")
    snapshot = house.live.now()
    assert "Zoë" in snapshot.home_json.decode()
    told = snapshot.nameless_json.decode()
    assert not {word for word in ("Zoë", "Speaker") if word in told}
    assert json.loads(told)["answers"][0]["who"] == "A guest"


def buttons(client: FlaskClient, path: str) -> set[str]:
    """Where the forms and links of a page lead."""
    return set(re.findall(r'(?:action|href)="(/[\w/-]*)"', client.get(path).text))


@pytest.mark.parametrize("role", ROLES)
def test_no_button_and_no_link_leads_where_the_role_may_not_go(house: House, role: Role) -> None:
    client = house.somebody("Ada", role)
    shown = buttons(client, "/") | (buttons(client, "/door") if role != "viewer" else set())
    leads_to = {endpoint for endpoint, _, path in rules(house.app) if path in shown}
    assert {endpoint for endpoint in leads_to if not may(role, endpoint)} == set()
    assert ("stream_stop" in leads_to) == (role == "organizer")
    assert ("door" in leads_to) == (role != "viewer")
    assert "logout" in leads_to and "own_pin" in leads_to


def test_a_large_file_is_not_read_for_who_may_not_send_it(house: House) -> None:
    client = house.somebody("Dora", "door")
    answer = client.post("/talks/upload", data={"csrf_token": token_on(client, "/"), "revision": "x" * 100_000})
    assert answer.status_code == 413
