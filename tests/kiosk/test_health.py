"""The doctor and the page of the system look at the same things, and take nothing away from a program that runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hardware.board import Board
from hardware.checks import Check
from kiosk.backup.in_use import running, works_on
from kiosk.config import Config, load_config
from kiosk.doctor import examine
from kiosk.health import Health

CONFIG = """
state_dir = "{folder}/state"
run_dir = "{folder}/run"
[bus]
socket = "{folder}/bus.sock"
[door]
event = "evening"
camera = {{ kind = "device", path = "/dev/video7" }}
[door.panel]
pins = "mock"
[stream]
recordings_dir = "{folder}/films"
[stream.source]
kind = "device"
path = "/dev/video8"
microphone = "plughw:1,0"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "platypus.toml"
    file.write_text(CONFIG.format(folder=tmp_path))
    return file


@pytest.fixture
def config(path: Path) -> Config:
    return load_config(path)


def by_name(checks: Sequence[Check]) -> dict[str, Check]:
    found = {check.name: check for check in checks}
    assert len(found) == len(checks), "a page tells lines apart by their names"
    return found


def test_what_the_page_shows_is_what_the_doctor_says(path: Path, config: Config, tmp_path: Path) -> None:
    with works_on(tmp_path / "state", "door"):
        health = Health(config)
        looked = by_name([*health.machine(), *health.parts(), *health.network()])
        told = by_name(examine(path))
    assert {"disk", "recordings", "memory", "door camera", "stage camera", "microphone", "versions"} <= set(looked)
    assert {name: check.state for name, check in looked.items()} == {name: told[name].state for name in looked}


def test_a_door_that_runs_keeps_its_camera(path: Path, config: Config, tmp_path: Path) -> None:
    assert by_name(examine(path))["camera"].state == "bad", "there is no such camera: it was tried"
    with works_on(tmp_path / "state", "door"):
        found = by_name(examine(path))
    assert (found["camera"].state, found["pins"].state) == ("ok", "ok")
    assert "the door has it" in found["camera"].says


def test_without_systemd_programs_are_known_by_what_they_hold(config: Config, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert running(state) == set()
    with works_on(state, "door"), works_on(state, "stream"):
        assert running(state) == {"door", "stream"}
        found = by_name(Health(config, root=tmp_path).parts())
        with works_on(state, "dashboard"):
            assert running(state) == {"door", "stream", "dashboard"}, "looking stopped nobody"
    assert [found[f"platypus {each}"].state for each in ("door", "stream", "dashboard")] == ["ok", "ok", "attention"]
    assert running(state) == set()


def test_each_thing_that_is_not_well_comes_with_what_to_do(config: Config, tmp_path: Path) -> None:
    health = Health(config, Board(tmp_path), tmp_path)
    bad = [check for check in (*health.machine(), *health.parts(), *health.network()) if check.state != "ok"]
    assert {check.name for check in bad} >= {"door camera", "stage camera", "microphone", "network"}
    assert [check.name for check in bad if not check.do] == []


def test_a_configuration_that_is_no_good_hides_nothing_of_the_machine(path: Path) -> None:
    path.write_text("[door]\nevent = 7\n")
    found = by_name(examine(path))
    assert found["configuration"].state == "bad"
    assert {"disk", "memory", "versions", "network", "clock"} <= set(found)
