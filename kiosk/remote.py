"""What an organizer asks of a running stream from the command line: a question on the bus, and its answer."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from hardware.errors import PlatypusError
from kiosk.bus import Bus
from kiosk.config import load_config
from kiosk.news import STREAM_AGENDA, STREAM_COMMAND, STREAM_STATE, AgendaNews, BusError, StreamCommand, StreamOrder
from stream.health import Readiness, StreamState

_News = TypeVar("_News", bound=msgspec.Struct)
_CONNECT_LIMIT_S = 2.0
_PREFLIGHT_LIMIT_S = 70.0
_ANSWER_LIMIT_S = 20.0  # a stop waits for its legs to end in good order


class NotDone(PlatypusError, RuntimeError):
    """The stream process refused an order, or did not carry it out in time; its text says why."""

    code = "not_done"


def order_stream(config_path: Path, do: StreamOrder, talk: str = "") -> StreamState:
    """Have the stream process do something; its new state. Raises BusError, NotDone with what it said.

    `talk`, for those that choose one: its id, or its number in the agenda, the first being 1.
    """
    with _on_the_bus(config_path) as bus:
        talk_id = _talk_id(_last(bus, STREAM_AGENDA, AgendaNews), talk) if talk else ""
        reply = bus.ask(STREAM_COMMAND, StreamCommand(do=do, talk=talk_id), _ANSWER_LIMIT_S)
    if not reply.ok or reply.state is None:
        raise NotDone(reply.error or "the stream process answered without a state; its log says why")
    return reply.state


def preflight(config_path: Path) -> Readiness:
    """Have the stream process try everything, and wait for what it finds. Raises BusError, NotDone."""
    said: queue.Queue[StreamState] = queue.Queue()
    with _on_the_bus(config_path) as bus:
        reply = bus.ask(STREAM_COMMAND, StreamCommand(do="preflight"), _ANSWER_LIMIT_S)
        if not reply.ok:
            raise NotDone(reply.error or "the stream process did not begin; its log says why")
        bus.listen(STREAM_STATE, StreamState, lambda _topic, state: said.put(state))
        until_s = time.monotonic() + _PREFLIGHT_LIMIT_S
        while time.monotonic() < until_s:
            try:
                state = said.get(timeout=_CONNECT_LIMIT_S)
            except queue.Empty:
                continue
            if state.order == "live" or not state.online:
                raise NotDone("the stream went live, or its process ended, before everything was tried")
            if state.readiness is not None and state.readiness.is_complete:
                return state.readiness
    raise NotDone(f"not everything was tried within {_PREFLIGHT_LIMIT_S:.0f} s; the log of the stream says more")


def stream_state(config_path: Path) -> StreamState:
    """What the stream process last said of itself. Raises BusError when it is not there."""
    with _on_the_bus(config_path) as bus:
        state = _last(bus, STREAM_STATE, StreamState)
    if state is None or not state.online:
        raise BusError("the stream process is not running: platypus stream")
    return state


def _last(bus: Bus, topic: str, kind: type[_News]) -> _News | None:
    """What is kept under `topic`; None when nothing is."""
    said: queue.Queue[_News] = queue.Queue()
    bus.listen(topic, kind, lambda _topic, news: said.put(news))
    try:
        return said.get(timeout=_CONNECT_LIMIT_S)
    except queue.Empty:
        return None


def _talk_id(news: AgendaNews | None, wanted: str) -> str:
    """The id of the talk that is called so, or has this number. Raises NotDone."""
    ids = [talk.id for talk in news.agenda.talks] if news else []
    if wanted in ids:
        return wanted
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(ids):
        return ids[int(wanted) - 1]
    if not ids:
        raise NotDone("there are no talks yet: platypus agenda import FILE, or the page Talks of the dashboard")
    raise NotDone(f"there is no talk {wanted!r}: take its number, from 1 to {len(ids)}, of platypus agenda show")


@contextmanager
def _on_the_bus(config_path: Path) -> Iterator[Bus]:
    """A place on the bus for one question. Raises BusError when the broker is not there."""
    with Bus(load_config(config_path).bus.socket, "cli") as bus:
        until_s = time.monotonic() + _CONNECT_LIMIT_S
        while not bus.is_connected:
            if time.monotonic() > until_s:
                raise BusError("the message broker is not there; is mosquitto running?")
            time.sleep(0.02)
        yield bus
