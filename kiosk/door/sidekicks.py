"""What helps a gate beside its camera: a barcode scanner as another source of codes, and the doorway."""

from __future__ import annotations

import logging
from typing import Protocol

from hardware.errors import PanelError, PassageError
from hardware.passage import BeamsBlocked, BeamsFree, Direction, ExitPressed, Passages, Passed
from hardware.scanners import Scanner
from hardware.worker import Worker
from kiosk.door.loop import Door

log = logging.getLogger(__name__)

_WAIT_S = 0.5
_AGAIN_S = 2.0
_SAME_CODE_S = 1.5  # a trigger that is held, or pulled twice, is one presentation; as for the camera


class Latch(Protocol):
    """What the exit button frees."""

    def release(self) -> None:
        """Raises PanelError when there is no strike."""


class ScannerSource:
    """Hands a barcode scanner's codes to the door. `run` is the body of its worker."""

    def __init__(self, scanner: Scanner, door: Door) -> None:
        self._scanner = scanner
        self._door = door

    def run(self, worker: Worker) -> None:
        """Until asked to stop; a scanner that is unplugged comes back by itself."""
        last, quiet_s, told = b"", 0.0, ""
        while not worker.is_stopping:
            worker.tick()
            trouble = self._scanner.trouble or ""
            if trouble != told:
                told = trouble
                self._door.note(scanner=trouble)
            code = self._scanner.next_code(_WAIT_S)
            quiet_s = 0.0 if code else quiet_s + _WAIT_S
            if quiet_s >= _SAME_CODE_S:
                last = b""
            if code and code != last:
                last = code
                self._door.present(code, "scanner")


class Doorway:
    """Frees the strike for the exit button, and counts who passes. `run` is the body of its worker.

    The beams count bodies, the ledger tickets: the difference is for a person to look at, never corrected by itself.
    """

    def __init__(self, passages: Passages, latch: Latch | None, door: Door) -> None:
        self._passages = passages
        self._latch = latch
        self._door = door

    def run(self, worker: Worker) -> None:
        """Until asked to stop."""
        passed = {Direction.IN: 0, Direction.OUT: 0}
        while not worker.is_stopping:
            worker.tick()
            try:
                event = self._passages.next_event(_WAIT_S)
            except PassageError as error:
                self._door.note(passage=str(error))
                if not worker.wait(_AGAIN_S):
                    return
                continue
            match event:
                case Passed(direction=direction):
                    passed[direction] += 1
                    self._door.note(passed_in=passed[Direction.IN], passed_out=passed[Direction.OUT])
                case ExitPressed():
                    self._free()
                case BeamsBlocked():
                    self._door.note(passage="Something stands in the doorway's beam: nobody is counted.")
                case BeamsFree():
                    self._door.note(passage="")
                case None:
                    pass

    def _free(self) -> None:
        if self._latch is None:
            log.warning("passage event=exit-pressed cause=no-strike")
            return
        try:
            self._latch.release()
        except PanelError as error:
            log.warning("passage event=exit-not-freed cause=%s", error)
