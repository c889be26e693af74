"""The tables in docs/door.md: the rules in their own order, the sounds as they are played."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hardware.panel import PATTERNS, Rhythm
from kiosk.ledger import Reason
from kiosk.ledger.rules import Claim, GateMode, Room, judge_entry, way
from kiosk.tickets.status import Status

PAGE = (Path(__file__).parents[2] / "docs" / "door.md").read_text(encoding="utf-8")


def test_the_table_lists_the_reasons_in_the_order_in_which_they_are_checked() -> None:
    table = PAGE.split("| reason | when |")[1].split("\n\n")[0]
    written = re.findall(r"^\| (\w+) \|", table, re.MULTILINE)

    now = datetime(2026, 11, 24, tzinfo=UTC)
    full = Room(inside=5, capacity=5, fire_limit=5, kept=0)
    wrong = Claim(Status.REVOKED, now + timedelta(hours=1), None, persons=2, inside=1, entered=1, since_last_s=None)
    cures = {  # what makes each reason go away
        Reason.REVOKED: {"status": Status.CANCELED},
        Reason.CANCELED: {"status": Status.BLOCKED},
        Reason.BLOCKED: {"status": Status.UNAPPROVED},
        Reason.UNAPPROVED: {"status": Status.UNPAID},
        Reason.INVALID_TIME: {"valid_from": None},
        Reason.UNPAID: {"status": Status.PAID},
        Reason.AMBIGUOUS: {"inside": 2},
        Reason.ALREADY_REDEEMED: {"inside": 0},
    }
    heard, claim = [Reason.INVALID], wrong
    while heard[-1] is not Reason.FULL:
        verdict = judge_entry(
            claim,
            full,
            now,
            is_clock_trusted=True,
            may_return=True,
            persons=1,
            is_way_clear=way(GateMode.BOTH, claim, timedelta()).is_clear,
        )
        reason = verdict.reason
        assert reason is not None and reason not in heard
        heard.append(reason)
        claim = claim._replace(**cures.get(reason, {}))  # type: ignore[arg-type]
    assert written == heard
    rest = set(Reason) - set(heard)
    assert all(f"`{reason}`" in PAGE for reason in rest)


@pytest.mark.parametrize(
    ("heading", "short", "long", "times", "none"),
    [
        ("| light | sound |", "one short beep", "one long beep", {2: "two short beeps", 3: "three beeps"}, "none"),
        ("| voyant | son |", "un bip court", "un bip long", {2: "deux bips courts", 3: "trois bips"}, "aucun"),
    ],
    ids=["en", "fr"],
)
def test_the_tables_of_lights_tell_every_sound_that_the_panel_makes(
    heading: str, short: str, long: str, times: dict[int, str], none: str
) -> None:
    def in_words(beeps: Rhythm) -> str:
        return {0: none, 1: short if beeps.on_s < 0.5 else long, **times}[beeps.times or 0]

    written = re.findall(r"^\|[^|]+\| ([^|]+?) \|", PAGE.split(heading)[1].split("\n\n")[0], re.MULTILINE)
    assert written == [in_words(pattern.beeps) for pattern in PATTERNS.values()]
