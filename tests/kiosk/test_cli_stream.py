"""`platypus stream ...`, with a real broker: what is asked reaches the process, and its answer the terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from test_cli import CONFIG, platypus

from hardware.clock import ManualClock
from kiosk.bus import Bus, Will
from kiosk.demo import servers
from kiosk.news import STREAM_AGENDA, STREAM_COMMAND, STREAM_STATE, AgendaNews, Reply, StreamCommand
from stream.agenda import Agenda, Talk
from stream.alarms import Alarm
from stream.control import FakeDirector
from stream.health import StreamState
from stream.talks import FixedTalks, TalkInfo

WAIT_S = 10.0
TALKS = FixedTalks([TalkInfo(id="a", title="Łukasz' talk", speaker="Łukasz"), TalkInfo(id="7", title="Lightning")])
AGENDA = Agenda(talks=(Talk(id="a", title="Łukasz' talk", speaker="Łukasz"), Talk(id="7", title="Lightning")))


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[Path]:
    """A broker, and nobody on it."""
    child, socket = servers.mosquitto(tmp_path)
    deadline = time.monotonic() + WAIT_S
    while not socket.is_socket():
        assert time.monotonic() < deadline and child.wait(0.02) is None, child.last_lines
    text = CONFIG.format(folder=tmp_path).replace(f"{tmp_path}/bus.sock", str(socket))
    (tmp_path / "platypus.toml").write_text(text, encoding="utf-8")
    yield tmp_path
    child.kill()


@pytest.fixture
def director(venue: Path) -> Iterator[FakeDirector]:
    """A stream process whose director is played."""
    fake = FakeDirector(ManualClock(), talks=TALKS)
    with Bus(_socket(venue), "stream", Will(STREAM_STATE, StreamState(online=False))) as bus:

        def obey(command: StreamCommand) -> Reply:
            getattr(fake, command.do)(*([command.talk] if command.talk else []))
            bus.keep(STREAM_STATE, fake.state())
            return Reply(ok=True, state=fake.state())

        bus.serve(STREAM_COMMAND, StreamCommand, obey)
        bus.keep(STREAM_STATE, fake.state())
        bus.keep(STREAM_AGENDA, AgendaNews(revision="1", agenda=AGENDA))
        deadline = time.monotonic() + WAIT_S
        while not bus.is_connected:
            assert time.monotonic() < deadline
        yield fake


def _socket(venue: Path) -> str:
    text = (venue / "platypus.toml").read_text()
    return text.split('socket = "')[1].split('"')[0]


def state(venue: Path, *words: str) -> dict[str, object]:
    return json.loads(platypus(venue, "stream", *words, "--json").stdout)


def test_each_word_does_what_it_says_and_answers_with_the_new_state(venue: Path, director: FakeDirector) -> None:
    seen = [
        (said["order"], said["program"])
        for word in ("go-live", "next", "camera", "break", "hide", "end", "undo", "retry", "stop")
        for said in [state(venue, word)]
    ]
    assert seen == [
        ("live", "starting"),
        ("live", "next"),
        ("live", "camera"),
        ("live", "break"),
        ("live", "hidden"),
        ("live", "end"),
        ("live", "hidden"),
        ("live", "hidden"),
        ("stopped", ""),
    ]
    assert director.commands == [
        *("go_live", "next_talk", "camera", "take_break", "hide_camera", "end", "undo", "retry", "stop")
    ]


def test_the_state_is_told_to_people_and_to_programs(venue: Path, director: FakeDirector) -> None:
    platypus(venue, "stream", "go-live")
    said = platypus(venue, "stream", "next").stdout
    assert said.splitlines()[0] == "live: next; talk: Łukasz' talk; next: Lightning"
    assert "hall: live" in said
    assert "undo: back to the slate before the start" in said
    told = state(venue, "status")
    assert told["talk"] == msgspec.to_builtins(TALKS.talk("a"))
    assert told["undo"] == "back to the slate before the start"


def test_what_is_wrong_is_told_with_what_to_do(venue: Path, director: FakeDirector) -> None:
    director.set_alarms(Alarm(code="black", cause="the camera's picture is black for 7 s", action="Take off the cap"))
    said = platypus(venue, "stream", "go-live").stdout
    assert "! the camera's picture is black for 7 s: take off the cap" in said
    assert state(venue, "status")["alarms"] == [
        {"code": "black", "cause": "the camera's picture is black for 7 s", "action": "Take off the cap"}
    ]


def test_a_talk_is_chosen_by_its_id_or_its_number(venue: Path, director: FakeDirector) -> None:
    platypus(venue, "stream", "go-live")
    for word in ("7", "2"):
        said = platypus(venue, "stream", "talk", word).stdout
        assert said.splitlines()[0] == "live: starting; talk: Lightning"
        platypus(venue, "stream", "undo")
    said = platypus(venue, "stream", "talk", "7", "--next").stdout
    assert said.splitlines()[0] == "live: starting; next: Lightning"
    for word in ("3", "0", "Lightning", "²"):
        done = platypus(venue, "stream", "talk", word, code=1)
        assert "its number, from 1 to 2, of platypus agenda show" in done.stderr.splitlines()[-1]


def test_an_order_that_makes_no_sense_is_one_sentence_and_an_exit_code(venue: Path, director: FakeDirector) -> None:
    done = platypus(venue, "stream", "break", "--json", code=1)
    assert "press Go live first" in done.stderr.splitlines()[-1]
    assert done.stdout == ""


def test_the_pre_flight_is_a_list_of_ticks_and_an_exit_code(venue: Path, director: FakeDirector) -> None:
    said = platypus(venue, "stream", "preflight").stdout
    assert "✓ ok    to hall            the key is accepted" in said
    assert "! look  disk               room for 3.1 hours of recording\n" in said
    assert "→ delete old recordings" in said
    platypus(venue, "stream", "go-live")
    assert "live already" in platypus(venue, "stream", "preflight", code=1).stderr


def test_a_process_that_is_not_there_is_said(venue: Path) -> None:
    assert "is not running" in platypus(venue, "stream", "status", code=1).stderr


def test_a_broker_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "platypus.toml").write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    assert "mosquitto" in platypus(tmp_path, "stream", "hide", code=1).stderr


def test_the_configuration_may_be_named_before_the_word(venue: Path, director: FakeDirector) -> None:
    (venue / "other.toml").write_text((venue / "platypus.toml").read_text())
    (venue / "platypus.toml").unlink()
    assert state(venue, "--config", str(venue / "other.toml"), "status")["order"] == "stopped"
