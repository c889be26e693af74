"""The page of the talks without scripts: what it shows, what each press does, and what it refuses."""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from dashboard_house import House, token_on
from flask.testing import FlaskClient
from talks_stage import ARABIC, EVENING, SEVEN, Stage
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from hardware.clock import ManualClock
from kiosk.news import StreamCommand
from stream.agenda import Agenda, Talk

SCHEDULE = {
    "schedule": {
        "conference": {
            "title": "Another evening",
            "days": [
                {"rooms": {"Stage": [{"title": "New", "date": "2026-12-01T19:00:00+01:00", "duration": "00:20"}]}}
            ],
        }
    }
}


@pytest.fixture
def stage(make_house: Any, tmp_path: Path) -> Stage:
    return Stage(make_house(clock=ManualClock(SEVEN.replace(hour=17))), tmp_path)


@pytest.fixture
def phone(stage: Stage) -> FlaskClient:
    return stage.house.organizer()


def press(phone: FlaskClient, path: str, seen: str | None = None, **fields: object) -> TestResponse:
    """A press on the page as it is now, or as `seen`: its revision."""
    page = phone.get("/talks").text
    found = re.search(r'name="revision" value="([^"]*)"', page)
    assert found
    data = {"csrf_token": token_on(phone, "/talks"), "revision": found[1] if seen is None else seen, **fields}
    boundary, body = encode_multipart(data)
    kind = f"multipart/form-data; boundary={boundary}"
    return phone.post(f"/talks/{path}", data=body, content_type=kind, follow_redirects=True)


def file_of(raw: bytes, name: str = "list.csv") -> FileStorage:
    return FileStorage(io.BytesIO(raw), name)


def schedule() -> FileStorage:
    return file_of(json.dumps(SCHEDULE).encode(), "schedule.json")


def states(phone: FlaskClient) -> dict[str, str]:
    """What is said of talks, by id."""
    page = phone.get("/talks").text
    found = {}
    for each in re.findall(r'<li class="talk".*?</li>', page, re.DOTALL):
        state = re.search(r'class="state"[^>]*>(.*?)<', each)
        talk = re.search(r'id="more-(.*?)"', each)
        if state and talk:
            found[talk[1]] = state[1]
    return found


def test_before_the_stream_is_live_the_clock_says_who_is_on_and_who_is_next(stage: Stage, phone: FlaskClient) -> None:
    assert states(phone) == {"t0": "Next, by the clock"}
    stage.house.clock.jump_to(SEVEN.replace(minute=12))
    stage.house.live.renew()
    assert states(phone) == {"t1": "On stage, by the clock", "t2": "Next, by the clock"}
    assert "Put on stage now" not in phone.get("/talks").text


def test_while_live_the_order_says_who_is_on_stage_and_who_is_next(stage: Stage, phone: FlaskClient) -> None:
    stage.obey(StreamCommand(do="go_live"))
    assert states(phone) == {"t0": "Next"}
    stage.obey(StreamCommand(do="next_talk"))
    assert states(phone) == {"t0": "On stage", "t1": "Next"}


def test_a_talk_is_put_on_stage_and_made_the_next_by_one_press_and_undone_by_another(
    stage: Stage, phone: FlaskClient
) -> None:
    stage.obey(StreamCommand(do="start"))
    said = press(phone, "stage", talk="t2").text
    assert f"On stage: {ARABIC}" in said
    assert states(phone) == {"t2": "On stage", "t3": "Next"}
    assert stage.director.state().program == "camera"
    assert "Next: Goodbye" in press(phone, "next", talk="t5").text
    assert states(phone) == {"t2": "On stage", "t5": "Next"}
    press(phone, "undo-stage")
    assert states(phone) == {"t2": "On stage", "t3": "Next"}


def test_a_talk_is_moved_removed_and_brought_back(stage: Stage, phone: FlaskClient) -> None:
    press(phone, "down", talk="t0")
    assert stage.ids()[:3] == ["t1", "t0", "t2"]
    press(phone, "up", talk="t0")
    press(phone, "up", talk="t0")
    press(phone, "down", talk="t5")
    assert stage.file.read() == EVENING
    assert "Removed: Goodbye" in press(phone, "remove", talk="t5").text
    assert "t5" not in stage.ids()
    page = phone.get("/talks").text
    assert "“Goodbye” is there again" in page
    press(phone, "undo")
    assert stage.file.read() == EVENING


def test_a_talk_is_added_at_its_time_and_edited(stage: Stage, phone: FlaskClient) -> None:
    form = phone.get("/talks/add").text
    assert 'value="2026-11-24T20:00"' in form, "where the last one ends, in the venue's zone"
    press(phone, "add", title=" Early\tbird ", speaker="Ann", starts_at="2026-11-24T19:05", minutes="5", room="")
    assert stage.titles()[:2] == ["Welcome", "Early bird"]
    added = stage.file.read().talks[1]
    assert (added.minutes, added.do_not_record) == (5, False)
    press(phone, f"edit/{added.id}", title="Late bird", speaker="", starts_at="", minutes="", do_not_record="on")
    changed = stage.file.read().talks[1]
    assert changed == Talk(id=added.id, title="Late bird", do_not_record=True)
    press(phone, "add", title="Off the record", do_not_record="on")
    assert stage.file.read().talks[-1].do_not_record


def test_saving_what_nobody_touched_changes_nothing(make_house: Any, tmp_path: Path) -> None:
    odd = Talk(id="x", title="Odd", starts_at=SEVEN.replace(second=30), minutes=7)
    stage = Stage(make_house(clock=ManualClock(SEVEN)), tmp_path, Agenda(talks=(odd,)))
    press(stage.house.organizer(), "edit/x", title="Odd", starts_at="2026-11-24T19:00", minutes="7")
    assert stage.file.read().talks == (odd,)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": " "}, "A talk needs a title."),
        ({"title": "x" * 501}, "The title has 501 characters, 500 are the most."),
        ({"title": "x", "starts_at": "soon"}, "is not a time"),
        ({"title": "x", "minutes": "long"}, "is not a duration"),
        ({"title": "x", "minutes": "0"}, "between 1 and 1440"),
    ],
)
def test_what_makes_no_sense_is_said_beside_what_was_typed(
    stage: Stage, phone: FlaskClient, fields: dict[str, str], words: str
) -> None:
    answer = press(phone, "add", speaker="Zoë", **fields)
    assert answer.status_code == 422
    assert words in answer.text.replace("&#39;", "'")
    assert 'value="Zoë"' in answer.text
    assert stage.file.read() == EVENING


@pytest.mark.parametrize("path", ["up", "down", "remove", "undo", "upload"])
def test_the_second_of_two_phones_hears_that_the_agenda_changed_and_sees_it(
    stage: Stage, phone: FlaskClient, path: str
) -> None:
    seen = stage.desk.news().revision
    press(phone, "remove", talk="t1")
    before = stage.file.read()
    fields = {"file": schedule()} if path == "upload" else {"talk": "t3"}
    page = press(phone, path, seen=seen, **fields).text
    assert "The agenda was changed meanwhile." in page
    assert 'id="more-t1"' not in page
    assert stage.file.read() == before


def test_what_was_typed_meanwhile_is_kept_by_one_more_press(stage: Stage, phone: FlaskClient) -> None:
    seen = stage.desk.news().revision
    press(phone, "remove", talk="t1")
    answer = press(phone, "edit/t0", seen=seen, title="Hello", speaker="Bo")
    assert answer.status_code == 409
    assert "press again to keep it" in answer.text
    assert 'value="Hello"' in answer.text
    assert f'value="{stage.desk.news().revision}"' in answer.text
    press(phone, "edit/t0", title="Hello", speaker="Bo")
    assert stage.titles()[0] == "Hello"
    assert "t1" not in stage.ids()


def test_a_change_that_crosses_another_one_on_its_way_is_refused_by_the_stream(
    stage: Stage, phone: FlaskClient
) -> None:
    stage.file.write(EVENING.remove("t1"))  # an import that nobody has told of yet
    assert "The agenda was changed meanwhile" in press(phone, "remove", talk="t5").text
    assert "t5" in stage.ids()


def test_a_schedule_is_taken_and_the_old_talks_come_back_by_one_press(stage: Stage, phone: FlaskClient) -> None:
    page = press(phone, "upload", file=schedule()).text
    assert "1 talk from schedule.json" in page
    assert "Another evening, Tuesday 1 December, 19:00. In place of the 6 there were." in page
    assert stage.titles() == ["New"]
    press(phone, "undo")
    assert stage.file.read() == EVENING


def test_room_and_day_of_a_file_are_asked_for_and_taken(stage: Stage, phone: FlaskClient) -> None:
    rooms = b"title,room,start\nOne,Hall,19:00\nTwo,Cellar,19:10\n"
    page = press(phone, "upload", file=file_of(rooms), day="2026-12-01").text.replace("&#39;", "'")
    assert "choose among 'Hall', 'Cellar'" in page
    press(phone, "upload", file=file_of(rooms), day="2026-12-01", room="cellar")
    assert stage.titles() == ["Two"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "No file was chosen, or it is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is not text"),
        (b"{}", "is not a schedule.json"),
        (b"title,start\nA,25:00\nB,soon\n", "row 3"),
        (b"title\n" + b"x" * 501 + b"\n", "500 are the most"),
        (b"title\n" + b"".join(b"t%d\n" % n for n in range(501)), "at most 500"),
        (b"x" * 2_000_001, "more than 2 MB"),
    ],
)
def test_a_file_with_a_mistake_changes_nothing_and_says_which(
    stage: Stage, phone: FlaskClient, raw: bytes, words: str
) -> None:
    answer = press(phone, "upload", file=file_of(raw, "../../<b>.csv"))
    assert answer.status_code == 422
    assert words in answer.text
    assert "<b>" not in answer.text
    assert stage.file.read() == EVENING


def test_a_body_far_too_large_is_one_sentence(stage: Stage, phone: FlaskClient) -> None:
    answer = press(phone, "upload", file=file_of(b"x" * 2_200_000))
    assert answer.status_code == 413
    assert "a file of talks or tickets: 2 MB" in answer.text
    stranger = stage.house.client().post("/talks/upload", data={"file": (io.BytesIO(b"x" * 20_000), "l.csv")})
    assert stranger.status_code == 413, "whoever is not logged in may send as little as everywhere else"


def test_names_are_words_and_never_markup(stage: Stage, phone: FlaskClient) -> None:
    for page in (phone.get("/talks").text, phone.get("/talks/edit/t1").text, press(phone, "remove", talk="t1").text):
        assert "<b>" not in page
        assert "<script>alert" not in page
        assert "O&#39;Brien" in page


def test_without_the_stream_s_process_the_page_is_for_reading(stage: Stage, phone: FlaskClient) -> None:
    stage.obey(StreamCommand(do="start"))
    stage.leave()
    page = phone.get("/talks").text
    assert "The talks can be read, not changed, until it is back." in page
    assert "Goodbye" in page
    for button in ("Put on stage now", "Make it the next", "Remove", "Edit", "Add a talk"):
        assert button not in page
    assert re.search(r"<button[^>]* disabled>Take these talks", page)


def test_nobody_who_answers_is_said_and_nothing_is_lost(stage: Stage, phone: FlaskClient) -> None:
    stage.house.news.obey = None
    stage.house.news.reply = None
    answer = press(phone, "add", title="Typed for minutes")
    assert "did not answer" in answer.text
    assert 'value="Typed for minutes"' in answer.text
    assert "Not done" in press(phone, "remove", talk="t1").text


def test_before_anything_was_heard_the_page_says_so(house: House) -> None:
    page = house.organizer().get("/talks").text
    assert "has not told its talks yet" in page


def test_a_talk_that_is_gone_is_said(stage: Stage, phone: FlaskClient) -> None:
    stage.obey(StreamCommand(do="start"))
    assert "has no talk" in press(phone, "stage", talk="gone").text
    answer = phone.get("/talks/edit/gone")
    assert answer.status_code == 404
    assert "This talk is gone" in answer.text


@pytest.mark.parametrize(
    "path", ["stage", "next", "up", "down", "remove", "undo", "undo-stage", "upload", "add", "edit/t0"]
)
def test_every_press_needs_a_login_and_a_token(stage: Stage, phone: FlaskClient, path: str) -> None:
    stage.obey(StreamCommand(do="start"))
    fields = {"talk": "t3", "revision": stage.desk.news().revision, "title": "x"}
    assert phone.post(f"/talks/{path}", data=fields).status_code == 400
    stranger = stage.house.client()
    fields["csrf_token"] = token_on(stranger, "/login")
    answer = stranger.post(f"/talks/{path}", data=fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert stage.file.read() == EVENING
    assert stage.director.state().talk is None
    for page in ("/talks", "/talks/add", "/talks/edit/t0"):
        assert stranger.get(page).status_code == 303


def test_a_press_is_answered_soon_also_with_the_longest_agenda(make_house: Any, tmp_path: Path) -> None:
    many = Agenda(talks=tuple(Talk(id=f"t{n}", title=f"{n} " + "x" * 400, speaker="y" * 400) for n in range(500)))
    stage = Stage(make_house(clock=ManualClock(SEVEN)), tmp_path, many)
    stage.obey(StreamCommand(do="start"))
    phone = stage.house.organizer()
    token, took_s = token_on(phone, "/talks"), {}
    for path in ("stage", "next", "up", "remove"):
        data = {"csrf_token": token, "revision": stage.desk.news().revision, "talk": "t7"}
        begun_s = time.monotonic()
        answer = phone.post(f"/talks/{path}", data=data, follow_redirects=True)
        took_s[path] = time.monotonic() - begun_s
        assert answer.status_code == 200
    print("seconds with 500 talks of 800 letters:", {path: round(s, 3) for path, s in took_s.items()})
    assert max(took_s.values()) < 2, "a page of a megabyte"
