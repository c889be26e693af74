"""The list of changes: one line each, durable, bounded, without secrets; and the page that shows it."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from dashboard_house import NAME, PIN, House, token_on
from talks_stage import Stage
from test_rights import ELSEWHERE, rules

from hardware.clock import ManualClock
from kiosk.dashboard.changes import MOST_BYTES, Changes, ChangesError
from kiosk.dashboard.noting import IN_LEDGER, LOOKS, WHAT
from kiosk.dashboard.rights import API
from kiosk.news import Reply

SECRETS = {
    "pin": "hidden-pin-1",
    "old": "hidden-pin-2",
    "name": "hidden-name",
    "token": "hidden-token",
    "q": "hidden-q",
}


@pytest.fixture
def changes(tmp_path: Path, clock: ManualClock) -> Changes:
    return Changes(tmp_path, clock)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def posts(house: House) -> Iterator[tuple[str, str]]:
    for endpoint, method, path in rules(house.app):
        if method == "POST" and not endpoint.startswith(API):  # these know no cookies: test_api.py
            yield endpoint, path


def test_every_press_leaves_exactly_one_line_whatever_comes_of_it(house: House) -> None:
    """By walking the map of routes: one that is added is walked too."""
    walked = 0
    for endpoint, path in posts(house):
        if endpoint.startswith(IN_LEDGER):
            continue
        client = house.somebody("Ada", "organizer")
        before = len(house.noted())
        client.post(path, data={"csrf_token": token_on(client, "/"), **SECRETS})
        noted = house.noted()
        if endpoint in LOOKS:  # it changes nothing
            assert len(noted) == before
            continue
        assert len(noted) == before + 1, endpoint
        assert noted[0].what.partition(":")[0] == WHAT[endpoint].partition(":")[0]
        assert noted[0].who.startswith("Ada (organizer) ")
        walked += 1
    assert walked == len(WHAT)
    assert "hidden" not in (house.changes._path).read_text()


def test_every_press_that_is_refused_leaves_exactly_one_line(house: House) -> None:
    for endpoint, path in posts(house):
        if endpoint in {"login_post", "first_use_post", "own_pin_post", "logout"}:
            continue  # nobody is refused there for a role
        client = house.somebody("Vic", "viewer")
        before = len(house.noted())
        assert client.post(path, data={"csrf_token": token_on(client, "/")}).status_code == 403
        noted = house.noted()
        assert len(noted) == before + 1, endpoint
        assert (noted[0].outcome, noted[0].why) == ("refused", "not for this role"), endpoint
        assert noted[0].what[0].isupper() and "_" not in noted[0].what


def test_a_press_without_our_token_is_noted_too(house: House) -> None:
    client = house.somebody("Ada", "organizer")
    assert client.post("/stream/stop").status_code == 400
    assert [(each.what, each.outcome) for each in house.noted()] == [("Stream: stop", "refused")]


def test_rows_of_the_door_are_the_ledger_s_and_name_the_person_and_the_phone(house: House) -> None:
    client = house.somebody("Dora", "door")
    client.post("/door/correct", data={"csrf_token": token_on(client, "/door"), "nonce": "a" * 32, "delta": "1"})
    (row,) = house.ledger.recent_scans(house.evening, 10)
    (phone,) = house.access.phones.all()
    assert row.actor == f"Dora (door) {phone.letters}"
    assert house.noted() == []


def test_strangers_cannot_fill_the_list(house: House) -> None:
    house.somebody("Ada", "organizer")
    client = house.client()
    token = token_on(client, "/login")
    for endpoint, path in posts(house):
        if endpoint != "login_post":
            client.post(path, data={"csrf_token": token, "name": "Ada", "pin": "wrong-1"}, environ_base=ELSEWHERE)
    client.post("/login", data={"csrf_token": token, "name": "Ada", "pin": "wrong-1"})
    assert house.noted() == []


def test_looking_is_no_change(house: House) -> None:
    client = house.somebody("Ada", "organizer")
    for path in ("/", "/door", "/talks", "/people", "/changes", "/own-pin", "/stream/stop"):
        assert client.get(path).status_code == 200
    assert house.noted() == []


def test_what_was_done_is_said_in_plain_words(house: House, tmp_path: Path) -> None:
    stage = Stage(house, tmp_path)
    client = house.somebody("Ada", "organizer")
    form = {"csrf_token": token_on(client, "/")}
    client.post("/stream/start", data=form)
    house.news.obey, house.news.reply = None, Reply(ok=False, error="no destination has a key")
    client.post("/stream/go-live", data=form)
    house.news.obey = stage.obey
    revision = stage.desk.news().revision
    client.post("/talks/remove", data={**form, "talk": "t5", "revision": revision})
    client.post("/talks/remove", data={**form, "talk": "t4", "revision": "an old one"})
    file = (io.BytesIO(b"not a file of talks"), "talks.csv")
    client.post("/talks/upload", data={**form, "revision": stage.desk.news().revision, "file": file})
    client.post("/people/invite", data={**form, "role": "door"})
    told = [(each.what, each.outcome) for each in reversed(house.noted())]
    assert told == [
        ("Stream: start with the camera", "done"),
        ("Stream: go live", "refused"),
        ("Talks: Removed: Goodbye", "done"),
        ("Talks: remove", "refused"),
        ("Talks: take a file", "refused"),
        ("People: An invitation for door is made.", "done"),
    ]
    assert house.noted()[4].why == "no destination has a key"


def test_a_login_and_an_own_pin_are_noted_under_the_person_and_hold_no_pin(house: House) -> None:
    client = house.organizer()
    token = token_on(client, "/own-pin")
    client.post("/own-pin", data={"csrf_token": token, "old": "wrong-pin-1", "pin": "other-pin-9"})
    client.post("/own-pin", data={"csrf_token": token, "old": PIN, "pin": "other-pin-9"})
    told = [(each.what, each.outcome) for each in reversed(house.noted())]
    assert told == [("Logged in: Other browser", "done"), ("Own PIN changed", "refused"), ("Own PIN changed", "done")]
    assert {each.who.partition(" (")[0] for each in house.noted()} == {NAME}
    text = house.changes._path.read_text()
    assert not [pin for pin in (PIN, "wrong-pin-1", "other-pin-9") if pin in text]


def test_a_line_says_whether_the_clock_was_trusted(house: House) -> None:
    house.clock.is_trusted = False
    client = house.somebody("Ada", "organizer")
    client.post("/stream/stop", data={"csrf_token": token_on(client, "/")})
    (line,) = house.noted()
    assert (line.at, line.is_trusted) == ("2026-11-24T18:55:00+00:00", False)
    assert "clock not set" in client.get("/changes").text


def test_a_full_disk_keeps_no_stream_from_being_stopped(house: House) -> None:
    client = house.somebody("Ada", "organizer")
    form = {"csrf_token": token_on(client, "/")}
    house.changes._path.mkdir()  # nothing can be written there
    assert client.post("/stream/stop", data=form).status_code == 303
    assert [command.do for command in house.news.commands] == ["stop"]
    assert "cannot be read" in client.get("/changes").text


def test_lines_of_many_threads_are_all_there(changes: Changes) -> None:
    threads = [
        threading.Thread(target=lambda n=n: [changes.add(f"thread {n}", f"{i}") for i in range(10)])  # type: ignore[misc]
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    newest = changes.newest(1000)
    assert len(newest.changes) == 80 and not newest.unreadable


def test_a_line_that_was_told_survives_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from hardware.clock import SystemClock; from kiosk.dashboard.changes import Changes\n"
        "changes = Changes(Path(sys.argv[1]), SystemClock())\n"
        "for n in range(10**6): changes.add('Ada', str(n)); print(n, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        told = [child.stdout.readline().strip() for _ in range(20)]
        child.send_signal(signal.SIGKILL)
    kept = {each.what for each in Changes(tmp_path, ManualClock()).newest(10**6).changes}
    assert set(told) <= kept


def test_a_torn_line_costs_itself_only(changes: Changes) -> None:
    changes.add("Ada", "before")
    with changes._path.open("ab") as file:
        file.write(b'{"at": "2026-11')
    changes.add("Ada", "after")
    newest = changes.newest(10)
    assert [each.what for each in newest.changes] == ["after", "before"]
    assert newest.unreadable == 1


def test_the_list_is_bounded_and_the_newest_lines_stay(changes: Changes) -> None:
    changes.add("Ada", "first")
    line = changes._path.read_bytes()
    changes._path.write_bytes(line * (MOST_BYTES // len(line)))
    changes.add("Ada", "last one")
    assert MOST_BYTES * 0.4 < changes._path.stat().st_size < MOST_BYTES * 0.6
    assert changes.newest(1).changes[0].what == "last one"
    assert changes._path.stat().st_mode & 0o077 == 0


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ChangesError, match="cannot be written"):
        Changes(tmp_path / "file", ManualClock()).add("Ada", "anything")


def test_organizers_see_the_newest_200_as_text(house: House) -> None:
    for number in range(205):
        house.changes.add("Ada (organizer) BCD", f"<b>change</b> {number}.")
    page = house.somebody("Ada", "organizer").get("/changes").text
    assert "<b>change" not in page
    shown = [line for line in unescape(page).splitlines() if 'class="what"' in line]
    assert len(shown) == 200
    assert "change</b> 204." in shown[0]
