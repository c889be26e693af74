"""The table of the rules in docs/door.md is the rules' own order."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kiosk.ledger import Reason
from kiosk.ledger.rules import Claim, Room, judge_entry
from kiosk.tickets.status import Status


def test_the_table_lists_the_reasons_in_the_order_in_which_they_are_checked() -> None:
    page = (Path(__file__).parents[2] / "docs" / "door.md").read_text(encoding="utf-8")
    table = page.split("| reason | when |")[1].split("\n\n")[0]
    written = re.findall(r"^\| (\w+) \|", table, re.MULTILINE)

    now = datetime(2026, 11, 24, tzinfo=UTC)
    full = Room(inside=5, capacity=5, fire_limit=5, kept=0)
    wrong = Claim(
        Status.REVOKED, now + timedelta(hours=1), None, persons=1, inside=1, was_inside=True, since_last_s=None
    )
    cures = {  # what makes each reason go away
        Reason.REVOKED: {"status": Status.CANCELED},
        Reason.CANCELED: {"status": Status.BLOCKED},
        Reason.BLOCKED: {"status": Status.UNAPPROVED},
        Reason.UNAPPROVED: {"status": Status.UNPAID},
        Reason.INVALID_TIME: {"valid_from": None},
        Reason.UNPAID: {"status": Status.PAID},
        Reason.ALREADY_REDEEMED: {"inside": 0, "was_inside": False},
    }
    heard, claim = [Reason.INVALID], wrong
    while heard[-1] is not Reason.FULL:
        reason = judge_entry(claim, full, now, is_clock_trusted=True, may_return=True, persons=1).reason
        assert reason is not None and reason not in heard
        heard.append(reason)
        claim = claim._replace(**cures.get(reason, {}))  # type: ignore[arg-type]
    assert written == heard
    rest = set(Reason) - set(heard)
    assert all(f"`{reason}`" in page for reason in rest)
