"""`platypus tickets paper` and `platypus tickets ticks`, as an organizer types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kiosk_stage import CONFIG

from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.tickets.line_numbers import line_number

LIST = "Code,Name,Status,Guests\nA1,Ada Lovelace,paid,0\nB2,Łukasz Żuławski,paid,2\nC3,王小明,unpaid,0\n"
FIRST, SECOND, THIRD = (line_number(1, number) for number in (1, 2, 3))


def platypus(folder: Path, *words: str, code: int = 0, said: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "tickets", *words, "--event", "evening"],
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PLATYPUS_CONFIG": str(folder / "platypus.toml"), "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def venue(tmp_path: Path) -> Path:
    (tmp_path / "platypus.toml").write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    (tmp_path / "state").mkdir()
    with Ledger(tmp_path / "state" / "ledger.db") as ledger:
        ledger.create_event("evening", "An evening", 2)
    platypus(tmp_path, "import", str(tmp_path / "list.csv"))
    return tmp_path


def inside(venue: Path) -> int:
    with Ledger(venue / "state" / "ledger.db") as ledger:
        assert audit(ledger) == []
        return ledger.occupancy(ledger.event("evening")).inside


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_paper_is_a_pdf_for_its_owner_alone(venue: Path, language: str) -> None:
    out = venue / "paper.pdf"
    assert "3 tickets in" in platypus(venue, "paper", "--out", str(out), "--language", language)
    assert out.read_bytes().startswith(b"%PDF-") and out.stat().st_mode & 0o777 == 0o600


def test_a_paper_that_cannot_be_written_is_said(venue: Path) -> None:
    said = platypus(venue, "paper", "--out", "/proc/nope/paper.pdf", code=1)
    assert "platypus: the paper cannot be written to /proc/nope/paper.pdf" in said


def test_numbers_are_looked_at_then_taken_from_anywhere(venue: Path) -> None:
    seen = platypus(venue, "ticks", FIRST, SECOND, "x2", "--walk-ins", "1", "--preview")
    assert "Ada Lovelace: Comes in, time unknown" in seen and "Nothing was written" in seen and inside(venue) == 0
    taken = platypus(venue, "ticks", "--file", "-", "--walk-ins", "1", said=f"{FIRST}\n{SECOND} x2\n")
    assert "Łukasz Żuławski: Came in, at an unknown time · 2 people" in taken
    assert "4 inside: 2 more than the 2 seats" in taken and inside(venue) == 4
    (venue / "typed.txt").write_text(f"{FIRST}, {SECOND} x2", encoding="utf-8")
    again = platypus(venue, "ticks", "--file", str(venue / "typed.txt"), "--walk-ins", "1")
    assert again.count("Typed before: nothing changes") == 2 and inside(venue) == 4


def test_what_is_wrong_is_told_one_by_one_and_the_rest_is_taken(venue: Path) -> None:
    said = platypus(venue, "ticks", FIRST, "1-x", THIRD, line_number(1, 99), code=1)
    assert "look again: “1-x” is no number of the paper" in said
    assert "stands on no paper of this event" in said and "王小明: Not taken: not paid" in said
    assert inside(venue) == 1
    said = platypus(venue, "ticks", THIRD, "--did-get-in", THIRD)
    assert "though not paid: noted as against the rules" in said and inside(venue) == 2


def test_programs_get_one_object(venue: Path) -> None:
    told = json.loads(platypus(venue, "ticks", FIRST, THIRD, "--did-get-in", "all", "--gate", "side", "--json"))
    assert [(each["line"], each["fate"], each["reason"]) for each in told["ticks"]] == [
        (FIRST, "enters", None),
        (THIRD, "enters", "unpaid"),
    ]
    assert (told["inside"], told["capacity"], told["wrong"]) == (2, 2, [])


def test_wrong_usage_is_told(venue: Path) -> None:
    for words in ((), ("--at", "25:00", FIRST), (FIRST, "--day", "soon")):
        assert "Usage" in platypus(venue, "ticks", *words, code=2), words
