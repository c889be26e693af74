"""Backups on the pages: made, taken away and looked at by organizers, and by nobody else."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from api_stage import Program, issue, problem
from dashboard_browser import PICTURES, logged_in
from dashboard_house import House, token_on
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from hardware.durable import write_durably
from kiosk.backup.restoring import check
from kiosk.backup.shelf import SENT


@pytest.fixture
def phone(house: House) -> FlaskClient:
    issue(house, "Zoë Ødegård")
    return house.somebody("Ada", "organizer")


def press(phone: FlaskClient, path: str, **fields: str) -> TestResponse:
    return phone.post(path, data={"csrf_token": token_on(phone, "/backups"), **fields})


def send(phone: FlaskClient, raw: bytes, name: str = "backup.zip") -> TestResponse:
    data = {"csrf_token": token_on(phone, "/backups"), "file": FileStorage(io.BytesIO(raw), name)}
    boundary, body = encode_multipart(data)
    return phone.post("/backups/check", data=body, content_type=f"multipart/form-data; boundary={boundary}")


def made(house: House) -> list[Path]:
    return [each.path for each in house.shelf.backups()]


def test_one_press_makes_a_backup_and_the_page_says_when_and_how_large(house: House, phone: FlaskClient) -> None:
    assert "There is no backup" in phone.get("/system").text
    assert press(phone, "/backups/make").location == "/system"
    page = phone.get("/system").text
    assert "was read back" in page and "just now" in page and "There is no backup" not in page
    assert "Tuesday 24 November 2026, 19:55" in page and " kB" in page
    (file,) = made(house)
    assert check(file)[0].names[0].event == "evening"
    assert house.noted()[0].what == f"Backup: the backup {file.name} is made"
    house.clock.advance(7200)
    assert "2 hours ago" in phone.get("/system").text


@pytest.mark.skipif(os.geteuid() != 0, reason="files of two users are made by root")
def test_the_page_says_whether_stream_keys_are_in_it(house: House, phone: FlaskClient) -> None:
    secrets = house.shelf.places.secrets_path
    write_durably(secrets, b'[stream_keys]\nvenue = "talk"\n')
    press(phone, "/backups/make")
    page = phone.get("/backups").text
    assert "A backup holds stream keys" in page and "without stream keys" not in page
    os.chown(house.shelf.folder, 12345, 12345)  # as the appliance has it: the keys are the stream's
    os.chown(secrets, 12346, 12346)
    press(phone, "/backups/make")
    page = phone.get("/backups").text
    assert "A backup holds stream keys" not in page and "sudo platypus backup FILE" in page
    assert page.count("without stream keys") == 1, "the older one has them"
    newest, older = made(house)
    assert "Stream keys are not in it" in press(phone, "/backups/check", name=newest.name).text
    assert "Stream keys are not in it" not in press(phone, "/backups/check", name=older.name).text


def test_how_old_it_is_is_not_told_by_a_clock_that_may_be_wrong(house: House, phone: FlaskClient) -> None:
    press(phone, "/backups/make")
    house.clock.advance(7200)
    house.clock.is_trusted = False
    assert "hours ago" not in phone.get("/system").text


def test_it_is_taken_away_as_it_is_and_kept_by_no_browser(house: House, phone: FlaskClient) -> None:
    press(phone, "/backups/make")
    (file,) = made(house)
    answer = press(phone, "/backups/download", name=file.name)
    assert answer.status_code == 200 and answer.data == file.read_bytes()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == f"attachment; filename={file.name}"
    answer.close()
    assert house.noted()[0].what == f"Backup: the backup {file.name} was downloaded"


def test_nothing_but_a_backup_is_taken_away(house: House, phone: FlaskClient) -> None:
    press(phone, "/backups/make")
    for name in ("", "../ledger.db", "/etc/passwd", ".lock", "nothing.zip", "../backups/x.zip"):
        answer = press(phone, "/backups/download", name=name)
        assert answer.status_code == 404 and "there is no such backup" in answer.text, name
    assert phone.get("/backups/download").status_code == 405, "by a press alone"
    assert phone.post("/backups/download", data={"name": made(house)[0].name}).status_code == 400, "with its token"


@pytest.mark.parametrize("role", ["viewer", "door"])
def test_only_organizers_see_or_take_one(house: House, phone: FlaskClient, role: str) -> None:
    press(phone, "/backups/make")
    client = house.somebody("Zoë", role)  # type: ignore[arg-type]
    token = token_on(client, "/")
    assert client.get("/backups").status_code == 403
    for path in ("/backups/make", "/backups/download", "/backups/check"):
        answer = client.post(path, data={"csrf_token": token, "name": made(house)[0].name})
        assert answer.status_code == 403 and b"PK" not in answer.data
    assert len(made(house)) == 1
    if role == "door":
        assert "/backups" not in client.get("/system").text


def test_what_restoring_would_do_is_seen_with_what_to_type(house: House, phone: FlaskClient) -> None:
    press(phone, "/backups/make")
    (file,) = made(house)
    page = press(phone, "/backups/check", name=file.name).text
    assert f"{file.name} is whole" in page and "With names of evening" in page
    assert f"platypus restore --config {house.shelf.places.config_path} {file}" in page
    assert "Stop the door, the stream and the dashboard" in page


def test_a_backup_that_is_sent_is_proved_and_kept_for_the_command(house: House, phone: FlaskClient) -> None:
    press(phone, "/backups/make")
    raw = made(house)[0].read_bytes()
    page = send(phone, raw)
    assert page.status_code == 200 and str(house.shelf.folder / SENT) in page.text
    assert (house.shelf.folder / SENT).read_bytes() == raw
    assert (house.shelf.folder / SENT).stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_backup_replaces_none_and_is_told(house: House, phone: FlaskClient) -> None:
    press(phone, "/backups/make")
    raw = made(house)[0].read_bytes()
    send(phone, raw)
    foreign = io.BytesIO()
    with zipfile.ZipFile(foreign, "w") as other:
        other.writestr("photo.jpg", "a photo")
    for bad, why in ((raw[:-9], "its end is missing"), (b"\x89PNG", "no backup"), (foreign.getvalue(), "no backup")):
        answer = send(phone, bad)
        assert answer.status_code == 422 and why in answer.text
    assert send(phone, b"").status_code == 422
    assert (house.shelf.folder / SENT).read_bytes() == raw
    assert sorted(path.name for path in house.shelf.folder.iterdir() if "sent" in path.name) == [SENT]
    assert send(phone, b"x" * 2_000_001).status_code == 422
    assert house.noted()[0].outcome == "refused"


def test_a_backup_that_cannot_be_made_is_said(house: House, phone: FlaskClient) -> None:
    house.shelf.folder.write_text("no folder")
    answer = phone.post("/backups/make", data={"csrf_token": token_on(phone, "/system")}, follow_redirects=True)
    assert "Not done" in answer.text and "no backup can be kept in" in answer.text
    assert house.noted()[0].outcome == "refused"


def test_one_that_cannot_be_read_is_shown_as_such(house: House, phone: FlaskClient) -> None:
    press(phone, "/backups/make")
    bad = house.shelf.folder / "platypus-backup-0002-2026-11-24.zip"
    bad.write_bytes(b"PK\3\4 half")
    page = phone.get("/backups").text
    assert "It cannot be read" in page and bad.name in page


def test_forgetting_names_takes_the_backups_along(house: House, phone: FlaskClient) -> None:
    press(phone, "/backups/make")
    (file,) = made(house)
    phone.post("/tickets/forget", data={"csrf_token": token_on(phone, "/tickets/forget")})
    assert file not in made(house)
    assert [each.manifest and each.manifest.names for each in house.shelf.backups()] == [()]


def test_programs_make_one_and_see_which_there_are(house: House, phone: FlaskClient) -> None:
    program = Program(house, "organizer")
    done = program.post("/backups").get_json()
    assert done["names_of"] == ["evening"] and done["delete_at"].startswith("2026-12-08")
    listed = program.get("/backups").get_json()["backups"]
    assert listed == [done]
    assert house.noted()[0].what == f"Backup: the backup {done['file']} is made"
    problem(Program(house, "door", "Other").get("/backups"), 403, "not_for_role")
    problem(Program(house, "door", "Third").post("/backups"), 403, "not_for_role")
    house.clock.advance(timedelta(days=30).total_seconds())
    assert "sent" not in str(listed)


def test_an_organizer_makes_one_takes_it_away_and_looks_at_it(browser: Browser, house: House) -> None:
    issue(house, "Zoë Ødegård")
    with house.served() as server, logged_in(browser, server, house) as page:
        page.get_by_role("link", name="System").first.click()
        page.get_by_role("button", name="Make one now").click()
        expect(page.get_by_text("The backup is made, and was read back.")).to_be_visible()
        page.screenshot(path=PICTURES / "backup-system.png", full_page=True)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
        assert Path(download.value.path()).read_bytes() == made(house)[0].read_bytes()
        page.get_by_role("link", name="All backups").click()
        page.screenshot(path=PICTURES / "backups.png", full_page=True)
        page.locator("#file").set_input_files(made(house)[0])
        page.get_by_role("button", name="Look at it").click()
        expect(page.get_by_text("sent.zip is whole.")).to_be_visible()
        expect(page.get_by_text("platypus restore")).to_be_visible()
        page.screenshot(path=PICTURES / "backup.png", full_page=True)
        page.get_by_role("link", name="Backups").click()
        page.get_by_role("button", name="How to restore platypus-backup-0001").click()
        expect(page.get_by_text("platypus-backup-0001-2026-11-24.zip is whole.")).to_be_visible()
