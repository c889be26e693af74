"""What programs may rely on: who is let in, what is told to whom, what counts once, and what a no looks like."""

from __future__ import annotations

import base64
import http.client
import json
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import flask
import pytest
from api_stage import ELSEWHERE, Program, issue, problem
from dashboard_house import NAME, House, token_on, wait_for
from talks_stage import Stage

from kiosk.dashboard.access_file import ROLES, Role
from kiosk.dashboard.api.routes import BASE, ROUTES
from kiosk.dashboard.api.serving import MOST_LISTENERS
from kiosk.dashboard.noting import AGAIN_S, DOOR, LOOKS, WHAT
from kiosk.dashboard.rights import API, RIGHTS, may
from kiosk.ledger import NewTicket
from kiosk.news import BusError, DoorState, Reply
from kiosk.tickets.codes import digest
from stream.alarms import Alarm
from stream.health import Health, LegKind, LegState, StreamState

PATHS = {route.name: route.path.replace("<talk>", "t0") for route in ROUTES}


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """One whose pages read the ledger that its desk writes."""
    return make_house(reads_ledger=True)


def code_of(holder: str) -> str:
    return base64.b64encode(holder.encode()).decode()


# -- who is let in ----------------------------------------------------------------------------------------------------


def test_a_program_needs_the_role_of_whoever_presses_the_same_on_a_page() -> None:
    pages = {right for right in RIGHTS if not right.startswith(API)}
    same = {right for right in RIGHTS if right.startswith(API) and right.removeprefix(API) in pages}
    assert len(same) > 30
    assert {right: RIGHTS[right] for right in same} == {right: RIGHTS[right.removeprefix(API)] for right in same}


@pytest.mark.parametrize("role", ROLES)
def test_every_route_refuses_each_role_below_the_one_it_needs(house: House, role: Role) -> None:
    program = Program(house, role)
    for route in ROUTES:
        options = {"method": route.method, "headers": program.headers, "environ_base": ELSEWHERE}
        if route.name == "events":
            options["method"] = "HEAD"
        answer = program.client.open(BASE + PATHS[route.name], **options)
        assert (answer.status_code == 403) == (not may(role, API + route.name)), (route.name, answer.text)
        if answer.status_code == 403 and answer.data:
            assert role in problem(answer, 403, "not_for_role")
        if answer.status_code == 403 and route.method == "POST":
            line = house.noted()[0]
            page = {**WHAT, **LOOKS, **DOOR}[route.name]
            assert (line.what, line.outcome, line.who) == (page, "refused", f"Ticket wall ({role}, by token)")


def test_a_stranger_is_told_how_to_be_let_in(house: House) -> None:
    answer = house.client().get(f"{BASE}/evening")
    assert "Bearer" in problem(answer, 401, "no_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    for wrong in ("Bearer platypus_x", "Bearer ", "Basic YTpi", "platypus_x", "Bearer \udcff"):
        answer = house.client().get(f"{BASE}/evening", headers={"Authorization": wrong})
        assert answer.status_code == 401, wrong


def test_a_revoked_token_is_out_with_its_next_request(house: House) -> None:
    program = Program(house, "organizer")
    assert program.get("/evening").status_code == 200
    house.access.tokens.revoke(program.token.id)
    problem(program.get("/evening"), 401, "wrong_token")
    problem(program.post("/stream/stop"), 401, "wrong_token")
    assert house.news.commands == []


def test_strangers_do_not_fill_the_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(50):
        house.client().get(f"{BASE}/evening")
        house.client().get(f"{BASE}/evening", headers={"Authorization": "Bearer platypus_guess"})
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("kiosk")]
    assert len(ours) == 5 and not [line for line in ours if "platypus_guess" in line]


def test_guesses_wait_and_good_tokens_beside_them_do_not(house: House) -> None:
    program = Program(house, "viewer")
    guess = {"headers": {"Authorization": "Bearer platypus_guess"}, "environ_base": ELSEWHERE}
    answers = [house.client().get(f"{BASE}/evening", **guess) for _ in range(6)]  # type: ignore[arg-type]
    assert [each.status_code for each in answers] == [401] * 5 + [429]
    problem(answers[-1], 429, "too_many_tries")
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert program.get("/evening").status_code == 200


def test_no_cookie_counts_so_no_page_elsewhere_can_make_a_browser_press_anything(house: House) -> None:
    """CSRF: whatever a browser sends by itself is worth nothing here, with the token of a form too."""
    ada = house.somebody(NAME, "organizer")
    form = token_on(ada, "/")
    for path in ("/stream/stop", "/walk-in", "/talks/undo-stage"):
        for data in ({"csrf_token": form}, None):
            answer = ada.post(f"{BASE}{path}", data=data, headers={"Idempotency-Key": "k", "X-CSRFToken": form})
            problem(answer, 401, "no_token")
    assert ada.get(f"{BASE}/evening").status_code == 401
    assert house.news.commands == [] and house.noted() == []


def test_a_cookie_beside_a_token_lends_it_nothing(house: House) -> None:
    program = Program(house, "viewer")
    program.client = house.somebody(NAME, "organizer")
    problem(program.post("/stream/stop"), 403, "not_for_role")
    program.get("/evening")
    assert house.noted()[0].who == "Ticket wall (viewer, by token)"


# -- tickets ----------------------------------------------------------------------------------------------------------


def test_tickets_come_some_at_a_time(house: House) -> None:
    issue(house, "Ada", "Bob", "Cy")
    organizer = Program(house, "organizer")
    page = organizer.get("/tickets?start=1&limit=1").get_json()
    assert ([each["holder"] for each in page["tickets"]], page["total"]) == (["Bob"], 3)
    assert organizer.get("/tickets?show=came").get_json() == {"tickets": [], "total": 0}
    problem(organizer.get("/tickets?show=lost"), 422, "invalid")


def test_a_ticket_is_revoked_given_back_and_replaced_as_on_its_page(house: House) -> None:
    issue(house, "Ada")
    house.ledger.put_tickets(house.evening, [NewTicket(2, digest(b"ours"), is_own=True, holder="Bob")])
    organizer = Program(house, "organizer")
    assert organizer.post("/tickets/revoke", {"number": 1}).get_json()["status"] == "revoked"
    problem(organizer.post("/tickets/revoke", {"number": 1}), 409, "cannot_change")
    assert organizer.post("/tickets/give-back", {"number": 1}).get_json()["status"] == "paid"
    heir = organizer.post("/tickets/replace", {"number": 2, "holder": "Zoë", "email": "zoe@example.org"}).get_json()
    assert (heir["number"], heir["holder"], heir["email"]) == (3, "Zoë", "zoe@example.org")
    problem(organizer.post("/tickets/revoke", {"number": 999}), 404, "unknown_ticket")
    done = [line.what for line in house.noted() if line.outcome != "refused"]
    assert "Tickets: Ticket no. 3 takes the place of no. 2" in done
    assert [ticket.status for ticket in house.ledger.tickets(house.evening)] == ["paid", "revoked", "paid"]


def test_the_report_is_that_of_the_page(house: House) -> None:
    (ada, _) = issue(house, "Ada", "Bob", note="vegan")
    Program(house, "door").post("/check-in", {"ticket": ada.id})
    organizer = Program(house, "organizer", "report")
    told = organizer.get("/report").get_json()
    assert (told["came"], told["no_shows"], told["notes"]["vegan"]["came"]) == (1, 1, 1)
    page = house.somebody(NAME, "organizer").get("/report.json").get_json()
    assert {**told, "made_at": ""} == {**page, "made_at": ""}


# -- facts ------------------------------------------------------------------------------------------------------------


def test_an_evening_as_facts(house: House) -> None:
    (ticket,) = issue(house, "Zoë Ødegård", product="Speaker")
    door, viewer = Program(house, "door"), Program(house, "viewer", "wall")
    door.post("/check-in", {"ticket": ticket.id})
    leg = LegState(name="tube", kind=LegKind.DESTINATION, state=Health.LIVE, bit_rate_kbps=2600)
    alarm = Alarm(code="black", cause="a black picture for 9 s", action="Take the cap off")
    house.news.say(StreamState(order="live", legs=(leg,), alarms=(alarm,)))
    house.news.say(DoorState(gate="main", camera="ok"))
    house.clock.advance(1)
    answer = viewer.get("/evening")
    assert "Set-Cookie" not in answer.headers and answer.headers["Cache-Control"] == "no-store"
    found = answer.get_json()
    assert (found["event"]["capacity"], found["people"]["inside"], found["seats"]["free"]) == (6, 1, 5)
    assert (found["gates"][0]["gate"], found["gates"][0]["age_s"], found["gates"][0]["state"]["camera"]) == (
        *("main", 1.0),
        "ok",
    )
    state = viewer.get("/stream").get_json()["state"]
    assert (state["legs"][0]["state"], state["alarms"][0]["code"]) == ("live", "black")
    assert state == found["stream"]["state"]
    assert datetime.fromisoformat(found["at"]).utcoffset() is not None
    assert datetime.fromisoformat(found["scans"][0]["at"]).utcoffset() is not None


def test_of_a_process_that_is_gone_no_number_is_told(house: House) -> None:
    house.news.say(StreamState(order="live"))
    house.news.say(DoorState(gate="main", camera="ok"))
    house.clock.advance(60)
    found = Program(house, "viewer").get("/evening").get_json()
    for each in (found["stream"], found["gates"][0]):
        assert (each["is_gone"], each["age_s"], each["state"]) == (True, 60.0, None)


def test_a_viewer_is_told_nobody_s_name(house: House) -> None:
    (ticket,) = issue(house, "Zoë Ødegård", product="Speaker", note="vegan", email="zoe@example.org")
    door, viewer = Program(house, "door", "Zoë's phone"), Program(house, "viewer")
    door.post("/check-in", {"ticket": ticket.id})
    door.post("/scan", {"code": code_of("Zoë Ødegård"), "mode": "entry"})
    door.post("/waiting", {"name": "Zoë's friend", "persons": 1})
    house.live.renew()
    for path in ("/evening", "/scans"):
        told, known = viewer.get(path).text, door.get(path).text
        for secret in ("Zoë", "Speaker", "vegan", "zoe@"):
            assert secret not in told, (path, secret)
        assert "Zoë Ødegård" in known and "vegan" in known
    assert [each["gate"] for each in viewer.get("/scans?limit=2").get_json()["scans"]] == ["desk", "program"]
    for path in ("/waiting", "/changes"):
        problem(viewer.get(path), 403, "not_for_role")
    problem(viewer.post("/tickets/search", {"search": "zoe"}), 403, "not_for_role")


_WRONG: tuple[dict[str, object], ...] = ({"limit": 0}, {"limit": 51}, {"limit": "x"}, {"more": 1})


def test_a_search_finds_tickets_and_no_codes(house: House) -> None:
    (ticket, _) = issue(house, "Zoë Ødegård", "Zoé Martin", email="zoe@example.org")
    door = Program(house, "door")
    found = door.post("/tickets/search", {"search": "zoe"}).get_json()
    assert [each["holder"] for each in found["tickets"]] == ["Zoé Martin", "Zoë Ødegård"]
    assert not found["is_more"] and ticket.code_sha256.hex() not in door.post("/tickets/search", {"search": "zoe"}).text
    assert door.post("/tickets/search", {"search": "zoe", "limit": 1}).get_json()["is_more"]
    for wrong in ({}, {"search": ""}, *({"search": "x", **more} for more in _WRONG)):
        problem(door.post("/tickets/search", wrong), 422, "invalid")
    assert not house.noted()  # a look changes nothing


# -- what counts once -------------------------------------------------------------------------------------------------


def test_a_press_that_is_said_again_counts_once(house: House) -> None:
    (ticket,) = issue(house, "Zoë Ødegård", guests=3)
    door = Program(house, "door")
    presses = [
        ("/check-in", {"ticket": ticket.id, "persons": 2}),
        ("/walk-in", {"name": "Bo", "persons": 2}),
        ("/waiting", {"name": "Cleo"}),
        ("/corrections", {"delta": 1}),
        ("/scan", {"code": code_of("Zoë Ødegård"), "mode": "exit"}),
        ("/release", None),
    ]
    for path, body in presses:
        first, again = (door.post(path, body, key=f"once{path}") for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200), first.text
        assert {**again.get_json(), "is_repeat": 0} == {**first.get_json(), "is_repeat": 0}, path
        assert first.get_json().get("is_repeat", False) is False and again.get_json().get("is_repeat", True)
    rows = house.ledger.recent_scans(house.evening, 50)
    assert len(rows) == len(presses)
    undo = [door.post("/undo", {"scan": rows[0].scan_id}, key="u").get_json() for _ in range(2)]
    assert undo[0] == undo[1] and len(house.ledger.recent_scans(house.evening, 50)) == len(presses) + 1


def test_a_key_is_one_program_s_and_for_one_press(house: House) -> None:
    one, other = Program(house, "door", "one"), Program(house, "door", "other")
    for program in (one, other):
        assert not program.post("/walk-in", {"name": "Bo"}, key="1").get_json()["is_repeat"]
    assert "another" not in problem(one.post("/walk-in", {"name": "Cleo"}, key="1"), 422, "old_page")
    problem(one.post("/corrections", {"delta": 1}, key="1"), 422, "old_page")
    for key in ("é", "a b", "x" * 201):
        problem(one.post("/walk-in", {"name": "Bo"}, key=key), 400, "no_idempotency_key")
    answer = one.client.post(f"{BASE}/walk-in", json={"name": "Bo"}, headers=one.headers)
    assert "Idempotency-Key" in problem(answer, 400, "no_idempotency_key")
    assert house.ledger.occupancy(house.evening).inside == 2


def test_a_program_decides_as_a_volunteer_does(house: House) -> None:
    (ticket,) = issue(house, "Zoë Ødegård")
    door = Program(house, "door")
    scanned = door.post("/scan", {"code": code_of("Zoë Ødegård"), "mode": "entry"}).get_json()
    assert (scanned["is_admitted"], scanned["ticket"]["holder"], scanned["inside"]) == (True, "Zoë Ødegård", 1)
    again = door.post("/check-in", {"ticket": ticket.id, "override": True}).get_json()
    assert (again["is_admitted"], again["reason"]) == (False, "already_redeemed")
    unknown = door.post("/scan", {"code": code_of("nobody"), "mode": "both"}).get_json()
    assert (unknown["reason"], unknown["ticket"]) == ("invalid", None)
    assert door.post("/check-out", {"ticket": ticket.id}).get_json()["direction"] == "exit"
    assert door.post("/walk-in", {"persons": 5}).get_json()["is_admitted"]
    assert door.post("/walk-in", {"persons": 5}).get_json()["reason"] == "full"
    waits = door.post("/waiting", {"name": " Bo \t ", "persons": 1}).get_json()["waiting"]
    assert door.get("/waiting").get_json()["guests"][0]["name"] == "Bo"
    assert door.post("/waiting/admit", {"waiting": waits, "override": True}).get_json()["is_admitted"]
    problem(door.post("/waiting/admit", {"waiting": waits}), 404, "unknown_ticket")
    problem(door.post("/waiting", {"name": "\x00\x01"}), 422, "no_name")
    problem(door.post("/check-in", {"ticket": 999}), 404, "unknown_ticket")
    problem(door.post("/check-in", {"ticket": ticket.id, "persons": 3}), 409, "too_many")
    problem(door.post("/undo", {"scan": unknown["scan"]}), 409, "cannot_undo")
    house.clock.is_trusted = True
    problem(door.post("/clock", {"wall": "2026-11-24T18:00:00Z"}), 409, "clock_known")
    gates = {row.gate for row in house.ledger.recent_scans(house.evening, 50)}
    actors = {row.actor for row in house.ledger.recent_scans(house.evening, 50)}
    assert (gates, actors) == ({"desk", "program Ticket wall"}, {"Ticket wall (door, by token)"})


def test_a_page_shows_at_once_what_a_program_did(house: House) -> None:
    ada = house.somebody(NAME, "organizer")
    Program(house, "door").post("/walk-in", {"name": "Bo", "persons": 2})
    house.live.renew()
    page = ada.get("/door").text
    assert "Bo" in page and "by Ticket wall (door, by token)" in page
    french = ada.get("/door", headers={"Accept-Language": "fr"}).text
    assert "Ticket wall (entrée, par jeton)" in french


# -- the stream and the talks -----------------------------------------------------------------------------------------


def test_each_order_reaches_the_stream_and_the_list_of_changes_as_a_press_does(house: House) -> None:
    program, ada = Program(house, "organizer"), house.somebody(NAME, "organizer")
    form = {"csrf_token": token_on(ada, "/")}
    for order in ("start", "go-live", "next", "camera", "break", "end", "hide", "undo", "stop", "retry", "preflight"):
        ada.post(f"/stream/{order}", data=form)
        assert program.post(f"/stream/{order}").get_json()["said"]
        assert house.news.commands[-1] == house.news.commands[-2]
        ours, hers = house.noted()[:2]
        assert (ours.what, ours.outcome, ours.who) == (hers.what, "done", "Ticket wall (organizer, by token)")


def test_a_stream_that_says_no_or_nothing_is_a_problem_with_its_words(house: House) -> None:
    program = Program(house, "organizer")
    house.news.reply = Reply(ok=False, error="the disk is full (no space)")
    assert "disk is full" in problem(program.post("/stream/start"), 409, "not_done")
    house.news.reply = None
    assert "is it running" in problem(program.post("/stream/stop"), 504, BusError.code)
    assert [(each.what, each.outcome) for each in house.noted()] == [
        ("Stream: stop", "refused"),
        ("Stream: start with the camera", "refused"),
    ]
    house.news.say(StreamState(online=False))
    assert program.get("/stream").get_json()["is_gone"]


def test_the_agenda_is_changed_from_the_one_that_was_seen(house: House, tmp_path: Path) -> None:
    program = Program(house, "organizer")
    problem(program.post("/talks/undo", {"revision": "x"}), 409, "not_done")
    stage = Stage(house, tmp_path)

    def seen() -> dict[str, str]:
        return {"revision": program.get("/talks").get_json()["revision"]}

    old = seen()
    starts_at = "2026-11-24T18:05:00+01:00"
    added = {"title": "An  otter", "starts_at": starts_at, "minutes": 5, "do_not_record": True}
    assert program.post("/talks", {**old, **added}).get_json()["said"] == "Added: An otter"
    otter = next(each for each in program.get("/talks").get_json()["talks"] if each["title"] == "An otter")
    assert otter["do_not_record"] and datetime.fromisoformat(otter["starts_at"]).isoformat() == starts_at
    assert "Get the talks again" in problem(program.post("/talks/t1/remove", old), 409, "agenda_changed")
    assert program.post(f"/talks/{otter['id']}/edit", {**seen(), "title": "Two otters"}).status_code == 200
    assert program.post(f"/talks/{otter['id']}/down", seen()).status_code == 200
    assert program.post(f"/talks/{otter['id']}/up", seen()).status_code == 200
    assert "Two otters" in stage.titles()
    assert program.post(f"/talks/{otter['id']}/remove", seen()).status_code == 200
    assert "Two otters" not in stage.titles()
    assert program.post("/talks/undo", seen()).status_code == 200
    assert "Two otters" in stage.titles()
    problem(program.post("/talks/gone/remove", seen()), 404, "unknown_talk")
    problem(program.post("/talks", {**seen(), "title": " "}), 422, "agenda")
    program.post("/stream/start")
    assert program.post("/talks/t1/stage").status_code == 200
    assert program.post("/talks/t3/next").status_code == 200
    now = program.get("/talks").get_json()
    assert (now["on_stage"], now["next"], now["is_live"]) == ("t1", "t3", True)
    assert program.post("/talks/undo-stage").status_code == 200
    assert program.get("/talks").get_json()["next"] != "t3"
    problem(program.post("/talks/gone/stage"), 404, "unknown_talk")
    whats = [each.what for each in house.noted()]
    assert "Talks: Added: An otter" in whats and "Talks: Undone" in whats


def test_a_program_that_is_refused_again_and_again_does_not_push_others_off_the_list(house: House) -> None:
    program, viewer = Program(house, "organizer"), Program(house, "viewer", "wall")
    house.news.reply = None
    for _ in range(5):
        program.post("/stream/start")
        viewer.post("/stream/start")
    program.post("/stream/stop")
    assert [each.what for each in house.noted()] == ["Stream: stop", *["Stream: start with the camera"] * 2]
    house.clock.advance(AGAIN_S)
    viewer.post("/stream/start")
    assert len(house.noted()) == 4
    house.news.reply = Reply(ok=True)
    for _ in range(2):
        program.post("/stream/start")
    assert [each.outcome for each in house.noted()[:2]] == ["done", "done"], "what was done is noted each time"


# -- requests that are not understood ---------------------------------------------------------------------------------


def test_what_is_not_understood_is_a_problem_and_fills_no_list(house: House) -> None:
    door = Program(house, "door")
    path = f"{BASE}/walk-in"
    headers = {**door.headers, "Idempotency-Key": "k", "Content-Type": "application/json"}
    wrong: list[tuple[bytes, str, int, str]] = [
        (b'{"persons": 1, "bypass": true}', "application/json", 422, "invalid"),
        (b'{"persons": "1"}', "application/json", 422, "invalid"),
        (b'{"persons": 21}', "application/json", 422, "invalid"),
        (b"[]", "application/json", 422, "invalid"),
        (b"[" * 9000, "application/json", 422, "invalid"),
        (b"", "application/json", 400, "not_json"),
        (b"{", "application/json", 400, "not_json"),
        (b'{"name": "\xff"}', "application/json", 400, "not_json"),
        (b"{}", "text/plain", 415, "media_type"),
        (b"persons=1", "application/x-www-form-urlencoded", 415, "media_type"),
        (b"{" + b" " * 17_000 + b"}", "application/json", 413, "too_large"),
    ]
    for body, kind, status, code in wrong:
        answer = door.client.post(path, data=body, headers={**headers, "Content-Type": kind}, environ_base=ELSEWHERE)
        assert len(problem(answer, status, code)) <= 500, body[:40]
    problem(door.post("/release", {"now": True}), 422, "invalid")
    assert house.noted() == []
    assert house.ledger.recent_scans(house.evening, 5) == []


def test_addresses_and_methods_that_are_not_there_are_problems(house: House) -> None:
    organizer = Program(house, "organizer")
    problem(organizer.get("/nothing"), 404, "not_found")
    problem(house.client().get("/api/v2/evening"), 404, "not_found")
    wrong = organizer.client.delete(f"{BASE}/evening", headers=organizer.headers)
    problem(wrong, 405, "method_not_allowed")
    assert "GET" in wrong.headers["Allow"]
    odd = organizer.client.get(f"{BASE}/evening", headers={**organizer.headers, "Host": "evil.example.org"})
    assert "evil.example.org" in problem(odd, 400, "bad_request")


def test_head_asks_and_changes_nothing_and_no_other_origin_is_invited(house: House) -> None:
    organizer = Program(house, "organizer")
    head = organizer.client.head(f"{BASE}/evening", headers=organizer.headers)
    assert (head.status_code, head.data) == (200, b"")
    assert organizer.client.head(f"{BASE}/stream/stop", headers=organizer.headers).status_code == 405
    asked = {"Origin": "https://evil.example.org", "Access-Control-Request-Method": "POST"}
    for headers in (asked, {**asked, **organizer.headers}):
        preflight = organizer.client.options(f"{BASE}/stream/stop", headers=headers)
        assert not [name for name, _ in preflight.headers if name.startswith("Access-Control")]
    assert house.news.commands == [] and house.noted() == []


def test_ten_megabytes_are_refused_before_they_are_read(house: House) -> None:
    door = Program(house, "door")
    with house.served() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        headers = {**door.headers, "Idempotency-Key": "k", "Content-Type": "application/json"}
        connection.putrequest("POST", f"{BASE}/walk-in")
        for name, value in {**headers, "Content-Length": str(10_000_000)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 413, "nothing of the body was sent yet"
        connection.close()
        assert house.ledger.occupancy(house.evening).inside == 0


def test_a_ledger_that_fails_is_said_and_may_be_asked_again(house: House) -> None:
    door = Program(house, "door")
    path = house.ledger.database.path
    house.ledger.close()  # which lets go of the file: the next question opens it anew
    for each in path.parent.glob(f"{path.name}-*"):
        each.unlink()
    path.write_bytes(b"not a ledger at all" * 100)
    answer = door.post("/walk-in", {"name": "Bo"})
    problem(answer, 503, "ledger")
    assert answer.headers["Retry-After"] == "1"
    assert door.get("/evening").get_json()["trouble"]
    assert [(each.what, each.outcome) for each in house.noted()] == [("Door: walk in", "refused")]


def test_a_damaged_file_of_tokens_is_said_without_where_it_is(house: House, caplog: pytest.LogCaptureFixture) -> None:
    program = Program(house, "viewer")
    path = house.access._file.path
    content = path.read_bytes()
    path.write_bytes(b"{")
    said = problem(program.get("/evening"), 503, "access_file")
    assert "dashboard.json" not in said and "dashboard.json" in caplog.text
    path.write_bytes(content)
    assert program.get("/evening").status_code == 200, "put back: nothing is lost"


def test_what_nobody_foresaw_is_a_problem_without_its_words(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.app.config["PROPAGATE_EXCEPTIONS"] = False

    def burst(*_: object) -> None:
        raise RuntimeError("secret inner words")

    house.app.view_functions["api.evening"] = burst  # type: ignore[assignment]
    said = problem(Program(house, "viewer").get("/evening"), 500, "broken")
    assert "secret" not in said and "secret inner words" in caplog.text


def test_nothing_that_a_program_sends_or_shows_is_in_the_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    issue(house, "Zoë Ødegård")
    door = Program(house, "organizer")
    door.post("/scan", {"code": code_of("Zoë Ødegård"), "mode": "entry"}, key="a-key-of-mine")
    door.post("/walk-in", {"name": "Cleo", "persons": 99})
    door.post("/walk-in", {"name": "Cleo"})
    door.post("/tickets/search", {"search": "odegard"})
    door.post("/stream/start")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("kiosk"))
    assert "api do=door_read-code outcome=ok by=token-" in ours
    for secret in (door.secret, "Zoë", "Cleo", code_of("Zoë Ødegård"), "a-key-of-mine", "odegard"):
        assert secret not in ours, secret


# -- news -------------------------------------------------------------------------------------------------------------


def next_event(answer: http.client.HTTPResponse) -> tuple[str, str]:
    """The kind and the data of the next event that has any."""
    kind = data = ""
    for raw in iter(answer.readline, b""):
        line = raw.decode().rstrip("\n")
        if not line and kind:
            return kind, data
        name, _, value = line.partition(": ")
        kind, data = (value, data) if name == "event" else (kind, value) if name == "data" else (kind, data)
    return "end", ""


def test_news_come_as_facts_and_end_with_the_token(house: House) -> None:
    viewer, door = Program(house, "viewer"), Program(house, "door", "other")
    with house.served() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", f"{BASE}/events", headers=viewer.headers)
        answer = connection.getresponse()
        assert answer.getheader("Content-Type", "").startswith("text/event-stream")
        kind, data = next_event(answer)
        assert (kind, json.loads(data)["people"]["inside"]) == ("snapshot", 0)
        door.post("/walk-in", {"name": "Bo"})
        told = wait_for(lambda: "Bo" not in (told := next_event(answer)[1]) and '"inside":1' in told and told)
        assert json.loads(told)["scans"][0]["kind"] == "entry"
        house.access.tokens.revoke(viewer.token.id)
        assert wait_for(lambda: next_event(answer)[0] == "reload")
        assert next_event(answer)[0] == "end"
        connection.close()


def test_more_listeners_than_there_is_room_for_are_told_so(make_house: Callable[..., House]) -> None:
    house = make_house(most_listeners=0)
    answer = Program(house, "viewer").get("/events")
    problem(answer, 503, "too_many_listeners")


def test_programs_do_not_take_the_places_of_all_live_pages(house: House) -> None:
    viewer, ada = Program(house, "viewer"), house.somebody(NAME, "organizer")
    answers = [viewer.get("/events", buffered=False) for _ in range(MOST_LISTENERS)]
    problem(viewer.get("/events"), 503, "too_many_listeners")
    live = ada.get("/events", buffered=False)
    assert live.status_code == 200
    answers[0].close()
    answers[0] = viewer.get("/events", buffered=False)
    assert [each.status_code for each in answers] == [200] * MOST_LISTENERS
    for each in (*answers, live):
        each.close()
    assert house.live.listeners == 0


def test_every_route_has_its_deed(house: House) -> None:
    served = {rule.endpoint for rule in house.app.url_map.iter_rules() if rule.endpoint.startswith(API)}
    assert served == {API + route.name for route in ROUTES}
    assert isinstance(house.app, flask.Flask)
