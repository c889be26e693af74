"""The door's own process, fed with films of tickets that were shown to a camera."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import tomli_w

from hardware.cameras.simulated import write_film
from hardware.cameras.visitors import Medium, Visitor
from kiosk import office
from kiosk.config import event_secret, load_config
from kiosk.ledger import HeadCount, Reason
from kiosk.ledger.ledger import Ledger
from kiosk.ticket_press import Wish
from kiosk.tickets import codes
from kiosk.tickets.forms import Form

MEDIA: tuple[Medium, ...] = ("phone", "dark", "paper")


def prepare(folder: Path, film: Path, guests: int) -> Path:
    config = folder / "platypus.toml"
    camera = {"kind": "file", "path": str(film)}
    settings = {
        "state_dir": str(folder / "state"),
        "run_dir": str(folder / "run"),
        "bus": {"socket": str(folder / "nobody.sock")},  # the broker is dead: the door admits all the same
        "door": {"event": "evening", "camera": camera, "panel": {"pins": "mock"}},
    }
    config.write_text(tomli_w.dumps(settings), encoding="utf-8")
    office.create_event(config, "evening", "An evening", 50)
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Name",), *((f"Guest {n}",) for n in range(1, guests + 1))])
    office.issue_tickets(config, "evening", folder / "people.csv", folder / "tickets", Wish((Form.PNG,)))
    return config


def visitor(config: Path, number: int, medium: Medium = "phone") -> Visitor:
    return Visitor(codes.own_code(event_secret(load_config(config), "evening"), "evening", number), medium)


def open_door(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kiosk", "door", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def counted(config: Path) -> tuple[HeadCount, dict[Reason, int]]:
    with Ledger(load_config(config).ledger_path) as ledger:
        event = ledger.event("evening")
        return ledger.head_count(event), ledger.refusals(event)


@pytest.mark.slow
def test_a_film_of_tickets_admits_each_exactly_once(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    config = prepare(tmp_path, film, guests=len(MEDIA))
    write_film(film, [visitor(config, n, medium) for n, medium in enumerate(MEDIA, 1)], seed=5)
    done = open_door(config)
    assert done.returncode == 0, done.stderr
    count, refused = counted(config)
    assert (count.inside, count.admitted, refused) == (3, 3, {})
    assert done.stderr.count("answer=admitted") == 3
    assert visitor(config, 1).code not in done.stderr and "Guest" not in done.stderr


@pytest.mark.slow
def test_a_film_that_was_cut_off_loses_nobody_who_was_in_it(tmp_path: Path) -> None:
    film = tmp_path / "film.ts"  # a camera's own recording, whose plug was pulled: no index at its end
    config = prepare(tmp_path, film, guests=2)
    write_film(film, [visitor(config, 1), visitor(config, 2, "paper")], seed=5)
    whole = film.read_bytes()
    film.write_bytes(whole[: len(whole) * 3 // 5])
    done = open_door(config)
    assert "Traceback" not in done.stderr
    count, _ = counted(config)
    assert count.admitted == 1


@pytest.mark.parametrize("content", [None, b"", b"not a film at all" * 1000], ids=["absent", "empty", "nonsense"])
def test_a_film_that_is_none_is_refused_in_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    film = tmp_path / "film.mp4"
    config = prepare(tmp_path, film, guests=1)
    if content is not None:
        film.write_bytes(content)
    done = open_door(config)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert str(film) in done.stderr.splitlines()[-1]
