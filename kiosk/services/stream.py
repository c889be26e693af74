"""The stream's process."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from hardware.alone import alone
from hardware.clock import SystemClock
from hardware.durable import is_shared
from hardware.errors import PlatypusError
from hardware.heap import keep_heap_lean
from hardware.worker import Worker
from kiosk.agenda_desk import AgendaDesk
from kiosk.backup.in_use import works_on
from kiosk.bus import Bus, Will
from kiosk.config import Config, Secrets, load_config, load_secrets, secrets_path
from kiosk.ledger.peek import event_name
from kiosk.news import STREAM_AGENDA, STREAM_COMMAND, STREAM_STATE, AgendaNews, Reply, StreamCommand, StreamOrder
from kiosk.services.running import run_until, until_told
from stream.agenda import AgendaFile
from stream.director import Director
from stream.health import StreamState
from stream.kept_talks import KeptTalks
from stream.logbook import Logbook
from stream.slates import Slates

log = logging.getLogger(__name__)

_STATE_EVERY_S = 0.5


def run_stream(config_path: Path) -> None:
    """Until SIGTERM or SIGINT. It takes up again what had been ordered."""
    keep_heap_lean()
    config = load_config(config_path)
    if is_shared(Path(config.run_dir)):  # with a dashboard that has another user and shows the preview
        os.umask(0o027)
    elsewhere = (config_path.parent, config.look_path)
    with works_on(Path(config.state_dir), "stream", elsewhere), until_told() as stopping:
        # Read now: a restore that had been interrupted, and was finished just before, may have brought another one
        _run(load_config(config_path), load_secrets(secrets_path(config_path)), stopping)


def _run(config: Config, secrets: Secrets, stopping: threading.Event) -> None:
    gone = Will(STREAM_STATE, StreamState(online=False))
    clock, state_dir, run_dir = SystemClock(), Path(config.state_dir), Path(config.run_dir)
    agenda = AgendaFile(config.agenda_path)
    event = agenda.read().event or _name_of_event(config)
    artist = Slates(config.look_path, run_dir / "pictures", config.dashboard.zone, event)
    talks = KeptTalks(agenda, clock)
    with (
        alone(state_dir / "stream.lock", "the stream (platypus stream status tells how it is)"),
        Director(
            config.stream, secrets.stream_keys, state_dir, run_dir, clock, talks=talks, artist=artist, event=event
        ) as director,
        Bus(config.bus.socket, "stream", gone) as bus,
    ):
        orders: dict[StreamOrder, Callable[[], None]] = {
            "start": director.start,
            "go_live": director.go_live,
            "camera": director.camera,
            "take_break": director.take_break,
            "end": director.end,
            "hide_camera": director.hide_camera,
            "undo": director.undo,
            "stop": director.stop,
            "retry": director.retry,
            "preflight": director.preflight,
        }

        desk, logbook = AgendaDesk(director, talks), Logbook(config.logbook_path, clock)
        told: AgendaNews | None = None
        telling = threading.Lock()  # or what is older could be told after what is newer

        def tell_all() -> StreamState:
            nonlocal told
            with telling:
                if (news := desk.news()) != told:
                    told = news
                    bus.keep(STREAM_AGENDA, news)
                state = director.state()
                logbook.note(state)
                bus.keep(STREAM_STATE, state)
            return state

        def obey(command: StreamCommand) -> Reply:
            log.info("order=%s", command.do)
            try:
                if not desk.obey(command):
                    orders[command.do]()
            finally:
                state = tell_all()  # before the answer: who reads it finds the pages as they are now
            return Reply(ok=True, state=state)

        def tell(worker: Worker) -> None:
            while worker.wait(_STATE_EVERY_S):
                worker.tick()
                tell_all()

        bus.serve(STREAM_COMMAND, StreamCommand, obey)
        run_until(stopping, Worker("stream state", tell), lambda: director.quiet_s)


def _name_of_event(config: Config) -> str:
    """What the evening is called by the ledger, where it is on this machine."""
    try:
        return event_name(config.ledger_path, config.door.event) if config.ledger_path.exists() else ""
    except PlatypusError as error:
        log.warning("stream event=name-unknown cause=%s next=slates-without-it", error)
        return ""
