"""The door's process."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from hardware.cameras import open_camera
from hardware.clock import SystemClock
from hardware.errors import PanelError, PassageError
from hardware.heap import keep_heap_lean
from hardware.panel import AbsentPanel, GpioPanel, Panel, PanelSettings, open_panel
from hardware.passage import open_passages
from hardware.scanners import open_scanner
from hardware.worker import Worker
from kiosk.backup.in_use import works_on
from kiosk.bus import Bus, Will
from kiosk.config import Config, load_config
from kiosk.door.loop import Door, Gate
from kiosk.door.sidekicks import Doorway, ScannerSource
from kiosk.door.wiring import Wiring
from kiosk.ledger.ledger import Ledger
from kiosk.news import DoorCommand, DoorState, Reply, ScanNews, door_command_topic, door_state_topic, scan_topic
from kiosk.services.running import run_until, until_told

log = logging.getLogger(__name__)


def run_door(config_path: Path) -> None:
    """Until SIGTERM or SIGINT, or until a film given as camera has been shown."""
    keep_heap_lean()
    config = load_config(config_path)
    with works_on(Path(config.state_dir), "door", (config_path.parent, config.look_path)):
        _run(load_config(config_path))  # a restore that was finished just now may have brought another one


def _run(config: Config) -> None:
    clock = SystemClock()
    with Ledger(config.ledger_path) as ledger:
        settings = config.door
        gate = Gate(settings.gate, ledger.event(settings.event), settings.mode, timedelta(seconds=settings.dwell_s))
        gone = Will(door_state_topic(gate.name), DoorState(gate=gate.name, online=False))
        with (
            until_told() as stopping,
            Bus(config.bus.socket, f"door-{gate.name}", gone) as bus,
            _panel(config.door.panel) as panel,
            open_camera(config.door.camera) as camera,
        ):
            door = Door(gate, camera, ledger, panel, _DoorTeller(bus, gate.name), clock)
            latch = panel if isinstance(panel, GpioPanel) else None
            wiring = Wiring(panel, latch, door)

            def obey(command: DoorCommand) -> Reply:
                wiring.try_part(command.try_part)
                return Reply(ok=True)

            bus.serve(door_command_topic(gate.name), DoorCommand, obey)
            helpers: list[Worker] = []
            with ExitStack() as beside:
                if settings.scanner is not None:
                    scanner = beside.enter_context(open_scanner(settings.scanner))
                    helpers.append(beside.enter_context(Worker("scanner", ScannerSource(scanner, door).run)))
                if settings.passage is not None:
                    try:
                        passages = beside.enter_context(open_passages(settings.passage))
                    except PassageError as error:  # as with the panel: guests come in all the same, and it is said
                        log.error("passage event=absent cause=%s", error)  # noqa: TRY400
                        door.note(passage=str(error))
                    else:
                        helpers.append(beside.enter_context(Worker("doorway", Doorway(passages, latch, door).run)))
                worker = Worker(f"door {gate.name}", door.run)
                run_until(stopping, worker, lambda: max((each.quiet_s for each in helpers), default=0.0))


def _panel(settings: PanelSettings) -> Panel:
    """The gate's panel; one that cannot be opened keeps nobody out, but is told until it is mended."""
    try:
        return open_panel(settings)
    except PanelError as error:
        log.error("panel event=absent cause=%s", error)  # noqa: TRY400  # foreseen: its text says all
        return AbsentPanel(str(error))


class _DoorTeller:
    """The door's news on the bus."""

    def __init__(self, bus: Bus, gate: str) -> None:
        self._bus = bus
        self._gate = gate

    def state(self, state: DoorState) -> None:
        self._bus.keep(door_state_topic(self._gate), state)

    def scan(self, scan: ScanNews) -> None:
        self._bus.publish(scan_topic(self._gate), scan)
