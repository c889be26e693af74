"""The bus, with a real Mosquitto."""

from __future__ import annotations

import getpass
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hardware.programs import find_program
from kiosk.bus import Bus, Will
from kiosk.demo import servers
from kiosk.news import STREAM_COMMAND, STREAM_STATE, BusError, DoorState, Reply, StreamCommand, door_state_topic
from stream.errors import ChildError
from stream.health import StreamState
from stream.process import Child

WAIT_S = 10.0


class Broker:
    """A Mosquitto that can be killed and brought back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child: Child | None = None
        self.start()

    def start(self) -> None:
        self._child, self.socket = servers.mosquitto(self._folder)
        deadline = time.monotonic() + WAIT_S
        while not self.socket.is_socket():
            assert time.monotonic() < deadline and self._child.wait(0.02) is None, self._child.last_lines

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.kill()


def heard(bus: Bus, topic: str, kind: type) -> queue.Queue:
    messages: queue.Queue = queue.Queue()
    bus.listen(topic, kind, lambda _topic, message: messages.put(message))
    return messages


def until(messages: queue.Queue, fits: Callable[[object], bool]) -> object:
    while True:
        message = messages.get(timeout=WAIT_S)
        if fits(message):
            return message


def test_a_state_is_kept_for_who_comes_later(broker: Broker) -> None:
    topic = door_state_topic("main")
    with Bus(str(broker.socket), "door") as door, Bus(str(broker.socket), "late") as late:
        door.keep(topic, DoorState(gate="main", inside=7))
        assert heard(late, topic, DoorState).get(timeout=WAIT_S).inside == 7


def test_a_process_that_leaves_is_said_to_be_gone(broker: Broker) -> None:
    with Bus(str(broker.socket), "dashboard") as dashboard:
        states = heard(dashboard, STREAM_STATE, StreamState)
        with Bus(str(broker.socket), "stream", Will(STREAM_STATE, StreamState(online=False))) as stream:
            stream.keep(STREAM_STATE, StreamState(order="live"))
            until(states, lambda state: state.order == "live" and state.online)
        until(states, lambda state: not state.online)


def test_a_command_is_answered_and_a_failing_one_with_words(broker: Broker) -> None:
    def obey(command: StreamCommand) -> Reply:
        if command.do == "start":
            return Reply(ok=True, state=StreamState(order="live"))
        if command.do == "stop":
            raise ChildError("ffmpeg cannot be started: is it installed?")
        raise ZeroDivisionError

    with Bus(str(broker.socket), "stream") as stream, Bus(str(broker.socket), "dashboard") as dashboard:
        stream.serve(STREAM_COMMAND, StreamCommand, obey)
        states = heard(dashboard, "ready", StreamState)
        stream.keep("ready", StreamState())
        states.get(timeout=WAIT_S)
        assert dashboard.ask(STREAM_COMMAND, StreamCommand(do="start"), WAIT_S).state == StreamState(order="live")
        assert "is it installed" in str(dashboard.ask(STREAM_COMMAND, StreamCommand(do="stop"), WAIT_S).error)
        assert "log" in str(dashboard.ask(STREAM_COMMAND, StreamCommand(do="retry"), WAIT_S).error)


def test_a_command_nobody_answers_ends_in_time_with_words(broker: Broker) -> None:
    with Bus(str(broker.socket), "dashboard") as dashboard:
        states = heard(dashboard, "ready", StreamState)
        dashboard.keep("ready", StreamState())
        states.get(timeout=WAIT_S)
        with pytest.raises(BusError, match="is that process running"):
            dashboard.ask(STREAM_COMMAND, StreamCommand(do="start"), 0.3)


def test_a_command_that_was_given_up_is_not_carried_out_later(broker: Broker) -> None:
    begun, go_on, obeyed = threading.Event(), threading.Event(), []

    def obey(command: StreamCommand) -> Reply:
        obeyed.append(command.do)
        begun.set()
        go_on.wait(WAIT_S)
        return Reply(ok=True)

    with Bus(str(broker.socket), "stream") as stream, Bus(str(broker.socket), "dashboard") as dashboard:
        stream.serve(STREAM_COMMAND, StreamCommand, obey)
        states = heard(dashboard, "ready", StreamState)
        stream.keep("ready", StreamState())
        states.get(timeout=WAIT_S)
        for do in ("start", "stop"):
            with pytest.raises(BusError):
                dashboard.ask(STREAM_COMMAND, StreamCommand(do=do), 2.0)
        assert begun.is_set()
        go_on.set()
        assert dashboard.ask(STREAM_COMMAND, StreamCommand(do="retry"), WAIT_S).ok
    assert obeyed == ["start", "retry"]


def test_without_a_broker_telling_never_waits_and_asking_fails_at_once(tmp_path: Path) -> None:
    with Bus(str(tmp_path / "nobody.sock"), "door") as bus:
        bus.keep("state", StreamState())
        bus.publish("scan", StreamState())
        with pytest.raises(BusError, match="broker"):
            bus.ask(STREAM_COMMAND, StreamCommand(do="start"), 5)


def test_what_was_kept_is_said_again_when_a_killed_broker_is_back(broker: Broker) -> None:
    topic = door_state_topic("main")
    with Bus(str(broker.socket), "door") as door, Bus(str(broker.socket), "dashboard") as dashboard:
        states = heard(dashboard, topic, DoorState)
        door.keep(topic, DoorState(gate="main", inside=1))
        until(states, lambda state: state.inside == 1)
        broker.kill()
        door.keep(topic, DoorState(gate="main", inside=2))
        broker.start()
        until(states, lambda state: state.inside == 2)


def test_nonsense_on_the_bus_is_not_news(broker: Broker) -> None:
    topic = door_state_topic("main")
    with Bus(str(broker.socket), "stranger") as stranger, Bus(str(broker.socket), "dashboard") as dashboard:
        states = heard(dashboard, topic, DoorState)
        stranger.keep(topic, StreamState())  # no gate in it: not a DoorState
        stranger.keep(topic, DoorState(gate="main", inside=3))
        assert states.get(timeout=WAIT_S).inside == 3


def test_the_brokers_shipped_configuration_works(tmp_path: Path) -> None:
    shipped = (Path(__file__).parents[2] / "systemd" / "mosquitto.conf").read_text(encoding="utf-8")
    socket = tmp_path / "bus.sock"
    config = tmp_path / "mosquitto.conf"
    user = f"user {getpass.getuser()}\n"  # as root, mosquitto would become another user who may not write here
    config.write_text(shipped.replace("/run/platypus/bus.sock", str(socket)) + user, encoding="utf-8")
    with Child("mosquitto", [find_program("mosquitto"), "-c", str(config)]), Bus(str(socket), "door") as bus:
        states = heard(bus, "ready", StreamState)
        bus.keep("ready", StreamState(order="live"))
        assert states.get(timeout=WAIT_S).order == "live"
