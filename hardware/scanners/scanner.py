"""A source of codes that are read by somebody else: a barcode scanner, as the door sees it, and one that tests hold."""

from __future__ import annotations

import queue
from types import TracebackType
from typing import Protocol, Self

from hardware.errors import ScannerError


class Scanner(Protocol):
    """A barcode scanner. Opens itself again when it was unplugged."""

    @property
    def trouble(self) -> str | None:
        """Why no code can come now, in plain words with what to do; None when all is well."""

    def next_code(self, timeout_s: float) -> bytes | None:
        """The next code (UTF-8, never empty); waits up to `timeout_s`, then None. Raises `ScannerError` when closed."""

    def close(self) -> None:
        """Give the device back. Safe to call twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class FakeScanner:
    """Reads what it is shown."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.is_closed = False
        self._codes: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def present(self, code: bytes) -> None:
        """Somebody holds a code under the scanner."""
        self._codes.put(code)

    def next_code(self, timeout_s: float) -> bytes | None:
        """See `Scanner.next_code`."""
        if self.is_closed:
            raise ScannerError("the scanner is closed. Open it anew.")
        try:
            return self._codes.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Later calls raise `ScannerError`."""
        self.is_closed = True
