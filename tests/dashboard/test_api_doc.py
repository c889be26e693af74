"""docs/api.md: its commands are run as they stand, and its table has the codes that there are."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from api_stage import Program, issue
from dashboard_house import House
from talks_stage import Stage

from kiosk.dashboard.api.problems import STATUS

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page_do_what_it_says(make_house: Callable[..., House], tmp_path: Path) -> None:
    house = make_house(reads_ledger=True)
    issue(house, "Zoë Ødegård", "Bo")
    stage = Stage(house, tmp_path)
    program = Program(house, "organizer")
    blocks = re.findall(r"```sh\n(.+?)```", PAGE, re.DOTALL)
    assert len(blocks) == 6
    with house.served() as server:
        done = subprocess.run(
            ["bash", "-eu", "-c", "\n".join(blocks)],
            env={
                "PATH": "/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
                "PLATYPUS": server.url,
                "TOKEN": program.secret,
                "CODE": "Zoë Ødegård",
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert house.ledger.occupancy(house.evening).inside == 4, "Zoë, two walk-ins and a correction"
    assert [guest.name for guest in house.ledger.waiting_list(house.evening)] == ["Cleo"]
    assert [command.do for command in house.news.commands[:5]] == [
        *("go_live", "next_talk", "camera", "hide_camera"),
        "undo",
    ]
    assert not [title for title in stage.titles() if "Otters" in title]
    assert (tmp_path / "token.header").stat().st_mode & 0o077 == 0


def test_every_code_of_the_page_is_one_with_that_status() -> None:
    table = PAGE.split("| status | code | what to do |")[1].split("\n\n")[0]
    for statuses, codes in re.findall(r"^\| ([\d, ]+) \| (.+?) \|", table, re.MULTILINE):
        for code in re.findall(r"`(\w+)`", codes):
            if code not in {"not_found", "too_large"}:  # the server's own
                assert str(STATUS[code]) in statuses, code
