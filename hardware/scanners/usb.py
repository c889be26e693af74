"""A USB barcode scanner as a source of codes: opened by a worker, read, and opened again whenever it was unplugged."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from hardware.clock import Clock, SystemClock
from hardware.errors import ScannerError
from hardware.scanners.decoder import Decoder
from hardware.scanners.evdev import EventDevice, KeyDevice, find_by_name
from hardware.scanners.settings import ScannerSettings
from hardware.worker import Worker

log = logging.getLogger(__name__)

RETRY_S = (0.5, 1.0, 2.0, 5.0)  # the last is repeated for ever
READ_S = 0.2  # how late the worker may notice that it is to stop
KEPT = 4  # codes nobody has taken; whoever scans a fifth has long gone on
END_S = 0.1  # how long a reader may not notice that we are closed


class UsbScanner:
    """A `Scanner` over any `KeyDevice`; `open_device` raises `ScannerError` while there is none."""

    def __init__(
        self,
        decoder: Decoder,
        open_device: Callable[[], KeyDevice],
        clock: Clock,
        *,
        retry_s: Sequence[float] = RETRY_S,
    ) -> None:
        self._decoder = decoder
        self._open_device = open_device
        self._clock = clock
        self._retry_s = retry_s
        self._codes: queue.Queue[bytes] = queue.Queue(KEPT)
        self._trouble: str | None = "the scanner is being opened"
        self._worker = Worker("scanner", self._work)
        self._is_open = True
        self._worker.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def trouble(self) -> str | None:
        """See `Scanner.trouble`."""
        if self._worker.failure is not None:
            return f"the scanner's driver failed: {self._worker.failure}. Restart the door."
        return self._trouble

    @property
    def quiet_s(self) -> float:
        """Seconds since the worker last looked; for a watchdog. A scanner that is away makes it wait up to 5 s."""
        return self._worker.quiet_s

    def next_code(self, timeout_s: float) -> bytes | None:
        """See `Scanner.next_code`."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            if not self._is_open:
                raise ScannerError("the scanner is closed. Open it anew.")
            left_s = deadline_s - time.monotonic()
            try:
                return self._codes.get(timeout=min(max(0.0, left_s), END_S))
            except queue.Empty:
                if left_s <= 0.0:
                    return None

    def close(self) -> None:
        """See `Scanner.close`."""
        self._is_open = False
        self._worker.stop()

    def _work(self, worker: Worker) -> None:
        failures = 0
        while worker.wait(0):
            try:
                with closing(self._open_device()) as device:
                    log.info("scanner=%r event=open", device.name)
                    self._trouble, failures = None, 0
                    self._decoder.reset()
                    self._read(device, worker)
            except ScannerError as error:
                retry_s = self._retry_s[min(failures, len(self._retry_s) - 1)]
                if str(error) != self._trouble:  # once, not each 5 s of an evening without a scanner
                    log.warning("event=scanner-lost retry_s=%.1f reason=%r", retry_s, str(error))
                self._trouble = str(error)
                failures += 1
                worker.tick()
                worker.wait(retry_s)

    def _read(self, device: KeyDevice, worker: Worker) -> None:
        while worker.wait(0):
            events = device.read(READ_S)
            worker.tick()
            at_s = self._clock.monotonic()
            for event in events:
                code = self._decoder.feed(event, at_s)
                if code is not None:
                    self._keep(code)

    def _keep(self, code: bytes) -> None:
        log.info("event=scanner-read bytes=%d", len(code))
        while True:
            try:
                self._codes.put_nowait(code)
            except queue.Full:
                try:
                    self._codes.get_nowait()
                except queue.Empty:
                    continue
                log.warning("event=scanner-code-dropped reason=nobody-took-it")
            else:
                return


def open_scanner(settings: ScannerSettings, clock: Clock | None = None) -> UsbScanner:
    """The scanner that `settings` describe. One that is not plugged in yet is `trouble`, and waited for."""

    def open_device() -> KeyDevice:
        path = Path(settings.path) if settings.path is not None else find_by_name(settings.name or "")
        return EventDevice(path, grab=settings.grab)

    return UsbScanner(Decoder(settings.layout, forget_s=settings.forget_s), open_device, clock or SystemClock())
