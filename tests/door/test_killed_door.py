"""The plug is pulled while guests come in: every green had its row, and no row counts twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from kiosk.ledger import NewTicket
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.tickets.codes import digest

KILLS = 200


@pytest.mark.slow
def test_two_hundred_kills_lose_no_row_and_count_none_twice(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    codes = {digest(f"T{number:04d}".encode()): f"T{number:04d}" for number in range(1500)}
    with Ledger(path) as ledger:
        event = ledger.create_event("evening", "An evening", 5000)
        ledger.put_tickets(event, [NewTicket(0, sha256, is_own=False) for sha256 in codes])
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("kill_many.py")), str(path), str(KILLS), "7"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    greens = json.loads(done.stdout)["greens"]
    with Ledger(path) as ledger:
        assert audit(ledger) == []
        admitted = {codes[each.ticket.code_sha256] for each in ledger.states(event) if each.inside}
        count = ledger.head_count(event)
    assert len(greens) > KILLS  # there was something to lose
    assert max(Counter(greens).values()) == 1  # nobody was greeted twice
    assert set(greens) <= admitted  # every green has its row
    assert count.inside == len(admitted)
    # A row without a green is a guest who saw no light and shows the ticket again; at most one for each kill.
    assert len(admitted) - len(greens) <= KILLS
    print(f"{KILLS} kills, {len(greens)} greens, {len(admitted)} rows, {count.refused} refusals")
