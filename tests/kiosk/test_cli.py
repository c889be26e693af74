"""The `platypus` command, as an organizer types it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from kiosk_stage import CONFIG

from hardware.clock import SystemClock
from kiosk.config import event_secret, load_config
from kiosk.dashboard.changes import Changes
from kiosk.dashboard.tokens import FORM
from kiosk.door.reader import Reader
from kiosk.ledger import Hand
from kiosk.ledger.ledger import Ledger
from kiosk.tickets import codes

PEOPLE = "Name;E-mail;Ticket type\nÉmile Baudot;emile@example.org;Seat\nAda Lovelace;ada@example.org;Speaker\n"


def platypus(
    folder: Path, *words: str, code: int = 0, stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        env={"PLATYPUS_CONFIG": str(folder / "platypus.toml"), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == code, (done.stdout or "") + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def venue(tmp_path: Path) -> Path:
    (tmp_path / "platypus.toml").write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    platypus(tmp_path, "event", "create", "evening", "--name", "An evening", "--starts", "2026-11-26T19:00+0100")
    return tmp_path


def test_tickets_are_issued_printed_again_and_read(venue: Path) -> None:
    people = venue / "people.csv"
    people.write_bytes(PEOPLE.encode("cp1252"))
    first = platypus(venue, "tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "tickets"))
    assert "2 new, 0 changed, 0 as before; 5 files" in first.stdout and "holder from 'Name'" in first.stdout
    again = platypus(venue, "tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "again"))
    assert "0 new, 0 changed, 2 as before" in again.stdout
    assert (venue / "tickets" / "0001.svg").read_bytes() == (venue / "again" / "0001.svg").read_bytes()

    pictures = [str(venue / "tickets" / "0001.png"), str(venue / "again" / "0002.png")]
    *lines, steps = map(json.loads, platypus(venue, "read", "--stats", *pictures).stdout.splitlines())
    assert steps == {"steps": {"zxing": 2, "zxing:read": 2}}
    texts = [line["codes"][0]["text"] for line in lines]
    secret = event_secret(load_config(venue / "platypus.toml"), "evening")
    assert texts == [codes.own_code(secret, "evening", number) for number in (1, 2)]


def test_tickets_are_issued_in_the_forms_and_languages_that_are_asked_for(venue: Path) -> None:
    people = venue / "people.csv"
    people.write_text("Name,Language\nAda,en\nÉmile,\n", encoding="utf-8")
    words = ("tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "tickets"))
    told = json.loads(platypus(venue, *words, "--form", "label", "--form", "svg", "--language", "fr", "--json").stdout)
    assert (told["new"], told["absent"], told["without_email"]) == (2, [], [])
    assert [Path(file).name for file in told["files"]] == ["tickets-labels.pdf", "0001.svg", "0002.svg"]
    said = [(venue / "tickets" / f"000{number}.svg").read_text() for number in (1, 2)]
    assert "26 November 2026, 19:00" in said[0] and "Jeudi 26 novembre 2026 à 19\u00a0h\u00a000" in said[1]
    assert "no such option" in platypus(venue, *words, "--poster", code=2).stderr.lower()
    assert "[mail]" in platypus(venue, *words, "--eml", code=1).stderr


def test_the_ledger_holds_no_code_and_no_secret(venue: Path) -> None:
    people = venue / "people.csv"
    people.write_text(PEOPLE, encoding="utf-8")
    platypus(venue, "tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "tickets"))
    secret = event_secret(load_config(venue / "platypus.toml"), "evening")
    for path in (venue / "state").glob("ledger*"):
        raw = path.read_bytes()
        assert secret not in raw and secret.hex().encode() not in raw
        assert codes.own_code(secret, "evening", 1).encode() not in raw


def test_a_list_of_others_is_imported_and_its_columns_are_said(venue: Path) -> None:
    listing = venue / "list.csv"
    listing.write_bytes("﻿Nom complet,Bracelet,Statut\nAda,W-1,payé\nBob,W-2,annulé\n".encode())
    missing = platypus(venue, "tickets", "import", str(listing), "--event", "evening", code=1)
    assert "no column that looks like a ticket code" in missing.stderr and "--column" in missing.stderr
    words = ["tickets", "import", str(listing), "--event", "evening", "--column", "code=Bracelet"]
    done = platypus(venue, *words)
    assert "2 new" in done.stdout and "code from 'Bracelet'" in done.stdout
    assert "2 as before" in platypus(venue, *words).stdout
    with Ledger(load_config(venue / "platypus.toml").ledger_path) as ledger:
        assert [ticket.holder for ticket in ledger.tickets(ledger.event("evening"))] == ["Ada", "Bob"]


def test_a_list_is_previewed_in_words_and_as_an_object(venue: Path) -> None:
    listing = venue / "list.csv"
    listing.write_text("Codes-barres,Nom,Prénom\n1234567,Lovelace,Ada\n7654321,Baudot,Émile\n")
    words = ("tickets", "import", str(listing), "--event", "evening")
    said = platypus(venue, *words, "--preview").stdout
    assert (
        "2 tickets of billetweb" in said and "2 new, 0 changed, 0 as before" in said and "Nothing was written" in said
    )
    assert "2 new" in platypus(venue, *words).stdout
    listing.write_text("Codes-barres,Nom,Prénom,Payé\n1234567,Lovelace,Ada,Remboursé\n")
    told = json.loads(platypus(venue, *words, "--preview", "--json").stdout)
    assert (told["new"], told["gone"], told["changed"]) == (
        0,
        [2],
        [{"number": 1, "words": {"status": ["paid", "canceled"]}}],
    )
    assert "no. 1 Ada Lovelace: status paid -> canceled" in platypus(venue, *words, "--preview").stdout
    assert "1 changed, 0 as before, 1 cancelled" in platypus(venue, *words, "--cancel-gone").stdout
    assert "is not like code=Bracelet" in platypus(venue, *words, "--column", "code", code=2).stderr


def test_one_ticket_is_revoked_given_back_and_replaced(venue: Path) -> None:
    people = venue / "people.csv"
    people.write_text(PEOPLE, encoding="utf-8")
    platypus(venue, "tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "tickets"))
    assert "no. 1 Émile Baudot is revoked" in platypus(venue, "tickets", "revoke", "1", "--event", "evening").stdout
    assert "revoked already" in platypus(venue, "tickets", "revoke", "1", "--event", "evening", code=1).stderr
    assert "is good again" in platypus(venue, "tickets", "give-back", "1", "--event", "evening").stdout
    words = ("tickets", "replace", "1", "--event", "evening", "--out", str(venue / "again"), "--name", "Noor")
    assert "no. 3 Noor takes the place of no. 1; 3 files" in platypus(venue, *words).stdout
    assert {path.name for path in (venue / "again").iterdir()} == {"0003.png", "0003.svg", "tickets.pdf"}
    failed = platypus(venue, "tickets", "replace", "2", "--event", "evening", "--out", "/proc/nope", code=1).stderr
    assert "no. 4 was made in the place of no. 2" in failed and "platypus tickets print 4" in failed
    platypus(venue, "tickets", "print", "4", "--event", "evening", "--out", str(venue / "fourth"))
    assert (venue / "fourth" / "0004.png").exists()
    refused = platypus(venue, "tickets", "print", "2", "--event", "evening", "--out", str(venue / "x"), code=1).stderr
    assert "no. 2 is revoked" in refused
    issued = platypus(venue, "tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "all")).stdout
    assert "1 ticket(s) issued before are not in this list and stay good: no. 3" in issued
    assert {path.stem for path in (venue / "all").glob("*.png")} == {"0004"}


def test_names_are_shown_and_erased(venue: Path) -> None:
    people = venue / "people.csv"
    people.write_text(PEOPLE, encoding="utf-8")
    platypus(venue, "tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "tickets"))
    assert "evening: 2 ticket(s) with a name" in platypus(venue, "privacy", "show").stdout
    assert "goes on 2026-12-10" in platypus(venue, "privacy", "show").stdout
    assert "evening: erased on 2 ticket(s)" in platypus(venue, "privacy", "erase", "evening", "--yes").stdout
    assert json.loads(platypus(venue, "privacy", "show", "--json").stdout)["events"][0]["tickets"] == 0
    assert json.loads((venue / "state" / "reports" / "evening.json").read_text())["tickets"] == 2
    assert "no event" in platypus(venue, "privacy", "erase", "morning", "--yes", code=1).stderr


def test_a_later_list_that_lacks_a_column_says_nothing_about_it(venue: Path) -> None:
    listing = venue / "list.csv"
    listing.write_text("Code,Name,Status,Diet\nW-1,Ada,canceled,vegan\n")
    platypus(venue, "tickets", "import", str(listing), "--event", "evening")
    listing.write_text("Code,E-mail\nW-1,ada@example.org\n")
    assert "1 changed" in platypus(venue, "tickets", "import", str(listing), "--event", "evening").stdout
    with Ledger(load_config(venue / "platypus.toml").ledger_path) as ledger:
        (ticket,) = ledger.tickets(ledger.event("evening"))
    assert (ticket.holder, ticket.status, ticket.note, ticket.email) == ("Ada", "canceled", "vegan", "ada@example.org")


def test_tickets_are_not_made_anew_with_another_secret(venue: Path) -> None:
    people = venue / "people.csv"
    people.write_text(PEOPLE, encoding="utf-8")
    words = ["tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "tickets")]
    platypus(venue, *words)
    (venue / "state" / "event-secrets.json").unlink()
    assert "restore" in platypus(venue, *words, code=1).stderr


def test_what_is_written_is_for_its_owner_alone(venue: Path) -> None:
    people = venue / "people.csv"
    people.write_text(PEOPLE, encoding="utf-8")
    (venue / "tickets").mkdir()
    (venue / "tickets" / "0001.png").touch(mode=0o644)
    platypus(venue, "tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "tickets"))
    platypus(venue, "dashboard", "--new-login")
    for path in [*(venue / "state").iterdir(), *(venue / "tickets").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_login_link_is_a_line_for_programs_and_a_code_too_on_a_terminal(venue: Path) -> None:
    link = platypus(venue, "dashboard", "--new-login").stdout.strip()
    assert re.fullmatch(r"https://[\w.-]+:8443/first/[\w-]{22}", link)
    master, terminal = pty.openpty()
    try:
        platypus(venue, "dashboard", "--new-login", stdout=terminal)
        said = os.read(master, 100_000).decode()
    finally:
        os.close(terminal)
        os.close(master)
    first, *lines = said.splitlines()
    rows = [re.fullmatch(r"\x1b\[30;107m(.+)\x1b\[0m", line) for line in lines]
    shades = {" ": (255, 255), "▀": (0, 255), "▄": (255, 0), "█": (0, 0)}  # upper, lower
    picture = [[shades[half][part] for half in row[1]] for row in rows if row for part in (0, 1)]
    shown = np.repeat(np.repeat(np.array(picture, np.uint8), 8, axis=0), 8, axis=1)
    assert [code.data.decode() for code in Reader(SystemClock()).read_still(shown)] == [first]


def test_a_login_link_from_the_command_line_is_in_the_list_of_changes(venue: Path) -> None:
    platypus(venue, "dashboard", "--new-login")
    (line,) = Changes(venue / "state", SystemClock()).newest(10).changes
    assert (line.who, line.what) == ("The command line", "People: A login link for an organizer is made.")


def test_a_token_from_the_command_line_is_one_line_and_in_the_list_of_changes(venue: Path) -> None:
    said = platypus(venue, "dashboard", "token", "Ticket wall", "--role", "door").stdout
    assert FORM.fullmatch(said.strip())
    (line,) = Changes(venue / "state", SystemClock()).newest(10).changes
    assert (line.who, line.what) == ("The command line", "People: A token for door is made: Ticket wall")
    assert "already" in platypus(venue, "dashboard", "token", "Ticket wall", code=1).stderr


@pytest.mark.parametrize(
    "words", [["event", "create", "new", "--name", "New"], ["dashboard", "--new-login"], ["stream"]]
)
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "in-the-way").write_text("a file")
    text = CONFIG.format(folder=tmp_path).replace(f"{tmp_path}/state", f"{tmp_path}/in-the-way/state")
    (tmp_path / "platypus.toml").write_text(text.replace(f"{tmp_path}/run", f"{tmp_path}/in-the-way/run"))
    said = platypus(tmp_path, *words, code=1).stderr
    assert "in-the-way" in said.splitlines()[-1]


def test_what_cannot_be_read_is_said_line_by_line_and_in_the_exit_code(venue: Path) -> None:
    (venue / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    done = platypus(venue, "read", str(venue / "broken.png"), str(venue / "absent.png"), code=1)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"].rsplit("/", 1)[1] for line in lines] == ["broken.png", "absent.png"]
    assert all("cannot be read" in line["error"] for line in lines)


def test_a_good_configuration_is_said_to_be_good_and_a_bad_one_why(venue: Path) -> None:
    assert "0 tickets" in platypus(venue, "config", "check").stdout
    with (venue / "platypus.toml").open("a") as file:
        file.write("\n[[stream.destinations]]\nname = 'tube'\nurl = 'rtmp://a.example.org/live'\n")
    assert "[stream_keys]" in platypus(venue, "config", "check", code=1).stderr
    (venue / "platypus.toml").write_text("[door]\nevent = 3\n")
    done = platypus(venue, "config", "check", code=1)
    assert "door.event" in done.stderr and len(done.stderr.splitlines()) == 1


def test_an_event_is_made_once(venue: Path) -> None:
    done = platypus(venue, "event", "create", "evening", "--name", "Again", code=1)
    assert "already is an event" in done.stderr
    bad = platypus(venue, "event", "create", "An Evening", "--name", "Again", code=1)
    assert "small letters" in bad.stderr


def test_kept_seats_are_released_at_a_time_or_minutes_after_the_start(venue: Path) -> None:
    def released() -> datetime | None:
        with Ledger(load_config(venue / "platypus.toml").ledger_path) as ledger:
            return ledger.event("evening").release_no_shows_at

    platypus(venue, "event", "change", "evening", "--release-no-shows", "15")
    assert released() == datetime(2026, 11, 26, 18, 15, tzinfo=UTC)
    platypus(venue, "event", "change", "evening", "--release-no-shows", "2026-11-26T19:30+0100", "--capacity", "40")
    assert released() == datetime(2026, 11, 26, 18, 30, tzinfo=UTC)
    platypus(venue, "event", "change", "evening", "--starts", "2026-11-27T20:00+0100")
    assert released() == datetime(2026, 11, 27, 19, 30, tzinfo=UTC), "as long after the start as before"
    said = platypus(venue, "event", "create", "other", "--name", "Other", "--release-no-shows", "15", code=1)
    assert "--starts" in said.stderr
    assert "Usage" in platypus(venue, "event", "change", "evening", "--release-no-shows", "soon", code=2).stderr


def test_a_fire_limit_that_nobody_chose_follows_the_seats(venue: Path) -> None:
    said = [
        platypus(venue, "event", "change", "evening", *words).stdout
        for words in (
            ("--capacity", "30"),
            ("--fire-limit", "45"),
            ("--capacity", "35"),
        )
    ]
    assert ["30 seats, at most 30" in said[0], "at most 45" in said[1], "35 seats, at most 45" in said[2]] == [True] * 3
    assert "fire limit" in platypus(venue, "event", "change", "evening", "--capacity", "50", code=1).stderr


def test_an_event_that_was_never_made_is_named_as_such(venue: Path) -> None:
    path = venue / "platypus.toml"
    path.write_text(path.read_text().replace('event = "evening"', 'event = "morning"'))
    assert "no event 'morning'" in platypus(venue, "config", "check", code=1).stderr


def test_doctor_says_what_works_for_people_and_for_programs(venue: Path) -> None:
    (venue / "tickets").mkdir()
    done = platypus(venue, "doctor", "--json", code=1)  # no broker, no picture to show
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert {"ffmpeg", "encoders", "zxing-cpp", "zbar", "clock", "camera", "pins", "broker", "disk"} <= set(checks)
    assert [checks[name]["state"] for name in ("ffmpeg", "encoders", "zxing-cpp", "zbar")] == ["ok"] * 4
    assert (checks["camera"]["state"], checks["broker"]["state"], checks["pins"]["state"]) == (
        "bad",
        "bad",
        "attention",
    )
    assert "holds no picture" in checks["camera"]["says"] and checks["broker"]["do"]
    table = platypus(venue, "doctor", code=1).stdout
    assert "✓ ok" in table and "✗ bad" in table and "→" in table


def test_a_wrong_word_is_answered_with_the_usage(tmp_path: Path) -> None:
    assert "Usage" in platypus(tmp_path, "dor", code=2).stderr


def test_the_report_is_told_and_kept_as_files_that_name_nobody(venue: Path) -> None:
    people = venue / "people.csv"
    people.write_text(PEOPLE)
    platypus(venue, "tickets", "issue", str(people), "--event", "evening", "--out", str(venue / "tickets"))
    with Ledger(load_config(venue / "platypus.toml").ledger_path) as ledger:
        event = ledger.event("evening")
        hand = Hand("Ada (door) BCD", "a" * 32, "desk", SystemClock().stamp())
        ledger.check_in(event, ledger.tickets(event)[0].id, hand, override=True)

    assert "came 1 (of them guests 0), no-shows 1, walk-ins 0" in platypus(venue, "event", "report", "evening").stdout
    table, page = venue / "report.csv", venue / "report.pdf"
    files = ("--csv", str(table), "--pdf", str(page))
    done = platypus(venue, "event", "report", "evening", "--json", *files, "--language", "fr")
    assert json.loads(done.stdout)["no_shows"] == 1
    assert b"event,An evening,no_shows,1\r\n" in table.read_bytes()
    assert page.read_bytes().startswith(b"%PDF-")
    assert not [name for name in ("Baudot", "Lovelace", "BCD") if name in done.stdout + table.read_text()]


def test_a_report_that_cannot_be_written_is_one_sentence(venue: Path) -> None:
    for option in ("--csv", "--pdf"):
        done = platypus(venue, "event", "report", "evening", option, str(venue / "nowhere" / "report"), code=1)
        assert "cannot be written" in done.stderr and len(done.stderr.splitlines()) == 1
