"""Talks by the bus: what the stream process does with a talk's name and with a whole agenda, and what others hear."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from test_cli import CONFIG, platypus

from hardware.clock import ManualClock, SystemClock
from kiosk.agenda_desk import AgendaDesk
from kiosk.bus import Bus
from kiosk.demo import servers
from kiosk.news import StreamCommand
from kiosk.services.dashboard import Hearing
from stream.agenda import Agenda, AgendaChanged, AgendaFile, Talk
from stream.control import FakeDirector
from stream.errors import NoNextTalk, NoSuchTalk
from stream.kept_talks import KeptTalks

WAIT_S = 15.0
FOUR = Agenda(event="Lightning", talks=tuple(Talk(id=each, title=f"Talk {each}") for each in "abcd"))


@pytest.fixture
def director(tmp_path: Path) -> FakeDirector:
    file, clock = AgendaFile(tmp_path / "agenda.json"), ManualClock(datetime(2026, 11, 24, 19, tzinfo=UTC))
    file.write(FOUR)
    return FakeDirector(clock, talks=KeptTalks(file, clock))


@pytest.fixture
def desk(director: FakeDirector) -> AgendaDesk:
    return AgendaDesk(director, director._talks)  # type: ignore[arg-type]  # made just above


def order(desk: AgendaDesk) -> list[str]:
    return [talk.id for talk in desk.news().agenda.talks]


def test_a_talk_made_the_next_one_has_its_place_in_the_agenda_once_it_is_introduced(
    desk: AgendaDesk, director: FakeDirector
) -> None:
    director.start()
    assert desk.obey(StreamCommand(do="put_on_stage", talk="a"))
    assert desk.obey(StreamCommand(do="make_next", talk="d"))
    assert order(desk) == ["a", "b", "c", "d"]
    evening = []
    for _ in range(3):
        assert desk.obey(StreamCommand(do="next_talk"))
        director.introduced()
        evening.append(director.state().talk)
    assert [talk.id for talk in evening if talk] == ["d", "b", "c"]
    assert order(desk) == ["a", "d", "b", "c"]
    with pytest.raises(NoNextTalk):
        desk.obey(StreamCommand(do="next_talk"))


def test_a_talk_put_on_stage_leaves_the_agenda_as_it_is(desk: AgendaDesk, director: FakeDirector) -> None:
    director.start()
    desk.obey(StreamCommand(do="put_on_stage", talk="c"))
    assert order(desk) == ["a", "b", "c", "d"]
    with pytest.raises(NoSuchTalk):
        desk.obey(StreamCommand(do="put_on_stage", talk="gone"))


def test_a_disk_that_is_full_does_not_keep_a_speaker_from_the_stage(
    desk: AgendaDesk, director: FakeDirector, tmp_path: Path
) -> None:
    director.start()
    desk.obey(StreamCommand(do="make_next", talk="d"))
    (tmp_path / "agenda.before.json").mkdir()
    desk.obey(StreamCommand(do="next_talk"))
    talk = director.state().talk
    assert talk is not None and talk.id == "d"


def test_an_agenda_is_replaced_and_undone_from_the_revision_it_was_seen_in(desk: AgendaDesk) -> None:
    seen = desk.news()
    desk.obey(StreamCommand(do="replace_agenda", agenda=FOUR.remove("b"), made_from=seen.revision))
    assert order(desk) == ["a", "c", "d"]
    assert desk.news().undo == "“Talk b” is there again"
    with pytest.raises(AgendaChanged):
        desk.obey(StreamCommand(do="undo_agenda", made_from=seen.revision))
    desk.obey(StreamCommand(do="undo_agenda", made_from=desk.news().revision))
    assert desk.news().revision == seen.revision
    assert not desk.obey(StreamCommand(do="camera"))


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[Path]:
    """A broker, and a real stream process on it."""
    child, socket = servers.mosquitto(tmp_path)
    until(socket.is_socket)
    text = CONFIG.format(folder=tmp_path).replace(f"{tmp_path}/bus.sock", str(socket))
    config = tmp_path / "platypus.toml"
    config.write_text(text, encoding="utf-8")
    with subprocess.Popen([sys.executable, "-m", "kiosk", "stream", "--config", str(config)]) as process:
        yield tmp_path
        process.terminate()
        process.wait(WAIT_S)
    child.kill()


def until(condition: Callable[[], Any]) -> Any:
    end_s = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < end_s
        time.sleep(0.01)
    return found


def test_a_stream_process_tells_its_agenda_and_whoever_asks_has_the_new_one_with_the_answer(venue: Path) -> None:
    (venue / "talks.csv").write_text("title,speaker\n<b>O'Brien</b>,Zoë\nشكر,\n", encoding="utf-8")
    socket = (venue / "platypus.toml").read_text().split('socket = "')[1].split('"')[0]
    with Bus(socket, "dashboard") as bus:
        news = Hearing(bus, SystemClock())
        until(lambda: news.latest().agenda)
        until(lambda: news.latest().stream)
        platypus(venue, "agenda", "import", str(venue / "talks.csv"))
        imported = until(lambda: (found := news.latest().agenda) and found.agenda.talks and found)
        assert [talk.title for talk in imported.agenda.talks] == ["<b>O'Brien</b>", "شكر"]

        long = Agenda(talks=tuple(Talk(id=f"t{n}", title=f"{n} " + "x" * 490, speaker="y" * 440) for n in range(500)))
        begun_s = time.monotonic()
        reply = news.command(
            StreamCommand(do="replace_agenda", agenda=long, made_from=imported.revision), timeout_s=WAIT_S
        )
        took_s = time.monotonic() - begun_s
        assert reply.ok, reply.error
        heard = news.latest().agenda
        assert heard is not None and heard.agenda == long
        print(f"the longest agenda, there and back: {took_s:.3f} s")
        late = news.command(
            StreamCommand(do="replace_agenda", agenda=FOUR, made_from=imported.revision), timeout_s=WAIT_S
        )
        assert not late.ok and "changed meanwhile" in (late.error or "")
        news.command(StreamCommand(do="undo_agenda", made_from=heard.revision), timeout_s=WAIT_S)
        undone = news.latest().agenda
        assert undone is not None and undone.agenda == imported.agenda
    assert AgendaFile(venue / "state" / "agenda.json").read() == imported.agenda
