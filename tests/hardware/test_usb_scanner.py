"""A USB scanner from end to end: recorded events through a pipe, unplugged, and back again."""

from __future__ import annotations

import logging
import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hardware.clock import SystemClock
from hardware.errors import ScannerError
from hardware.scanners import (
    Decoder,
    EventDevice,
    FakeScanner,
    KeyEvent,
    ScannerSettings,
    UsbScanner,
    find_by_name,
    open_scanner,
)
from hardware.scanners.evdev import EVENT

# "Ab-1" and Enter, as an American keyboard sends it: type, code, value
RECORDED = [
    *((1, 42, 1), (0, 0, 0), (4, 4, 458756), (1, 30, 1), (0, 0, 0), (1, 30, 0), (1, 42, 0), (0, 0, 0)),
    *((1, 48, 1), (0, 0, 0), (1, 48, 0), (0, 0, 0), (1, 12, 1), (1, 12, 0), (0, 0, 0), (1, 2, 1), (1, 2, 0), (0, 0, 0)),
    *((4, 4, 458792), (1, 28, 1), (0, 0, 0), (1, 28, 0), (0, 0, 0)),
]


def packed(events: list[tuple[int, int, int]] = RECORDED) -> bytes:
    return b"".join(EVENT.pack(1_795_000_000 + n, n, *event) for n, event in enumerate(events))


def wait_until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to pass"
        threading.Event().wait(0.002)


@pytest.fixture
def plug(tmp_path: Path) -> Path:
    """Where a scanner is plugged in: a named pipe in the place of /dev/input/event0."""
    path = tmp_path / "event0"
    os.mkfifo(path)
    return path


def test_an_event_is_as_large_as_the_kernels() -> None:
    assert EVENT.size == 2 * struct.calcsize("@l") + 8  # two longs, two of 16 bits, one of 32; nothing between them


def test_events_are_read_whole_whatever_pieces_they_come_in(plug: Path) -> None:
    device = EventDevice(plug, grab=False)
    writer = os.open(plug, os.O_WRONLY)
    seen: list[KeyEvent] = []
    data = packed()
    for start in range(0, len(data), 7):
        os.write(writer, data[start : start + 7])
        seen += device.read(1.0)
    assert seen == [KeyEvent(*event) for event in RECORDED]
    assert device.read(0.0) == []
    os.close(writer)
    with pytest.raises(ScannerError, match=r"event0 is gone.*Plug it in"):
        device.read(1.0)
    device.close()
    device.close()


def test_a_code_comes_through_and_the_scanner_is_back_after_it_was_unplugged(plug: Path) -> None:
    settings = ScannerSettings(path=str(plug), grab=False)
    with open_scanner(settings) as scanner:
        for _ in range(2):
            writer = os.open(plug, os.O_WRONLY)  # waits for the scanner to open its end
            os.write(writer, packed())
            assert scanner.next_code(5.0) == b"Ab-1"
            assert scanner.trouble is None
            os.close(writer)
            wait_until(lambda: scanner.trouble is not None)
            assert "is gone" in str(scanner.trouble)
        assert scanner.next_code(0.0) is None


def test_a_code_cut_in_two_by_a_plug_is_not_put_together(plug: Path) -> None:
    with open_scanner(ScannerSettings(path=str(plug), grab=False, forget_s=10.0)) as scanner:
        for part in (packed(RECORDED[:12]), packed(RECORDED[8:])):
            writer = os.open(plug, os.O_WRONLY)
            os.write(writer, part)
            wait_until(lambda: scanner.trouble is None)
            os.close(writer)
            wait_until(lambda: scanner.trouble is not None)
        assert scanner.next_code(1.0) == b"b-1"
        assert scanner.next_code(0.0) is None


def test_a_scanner_that_is_not_there_is_trouble_in_words_and_told_once_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[int] = []
    path = tmp_path / "event7"

    def open_device() -> EventDevice:
        attempts.append(1)
        return EventDevice(path, grab=True)

    with (
        caplog.at_level(logging.WARNING),
        UsbScanner(Decoder("us"), open_device, SystemClock(), retry_s=(0.01,)) as scanner,
    ):
        wait_until(lambda: len(attempts) > 3)
        assert "event7 cannot be opened" in str(scanner.trouble) and "group input" in str(scanner.trouble)
    assert caplog.text.count("event=scanner-lost") == 1


def test_a_path_that_is_no_input_device_cannot_be_grabbed_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(packed())
    with pytest.raises(ScannerError, match=r"for us alone.*no input device\? With grab = false"):
        EventDevice(path, grab=True)


class Plugged:
    """A `KeyDevice` that types what it is given, then waits."""

    name = "a scanner of the test"

    def __init__(self, events: list[KeyEvent], error: Exception | None = None) -> None:
        self._events = events
        self._error = error
        self.is_closed = threading.Event()

    def read(self, timeout_s: float) -> list[KeyEvent]:
        events, self._events = self._events, []
        if not events and self._error is not None:
            raise self._error
        if not events:
            self.is_closed.wait(min(timeout_s, 0.01))
        return events

    def close(self) -> None:
        self.is_closed.set()


def test_codes_nobody_takes_are_not_kept_for_ever_and_the_newest_are(caplog: pytest.LogCaptureFixture) -> None:
    events = [
        event
        for number in range(2, 11)  # the keys 1 to 9
        for event in (KeyEvent(1, number, 1), KeyEvent(1, number, 0), KeyEvent(1, 28, 1), KeyEvent(1, 28, 0))
    ]
    with caplog.at_level(logging.INFO), UsbScanner(Decoder("us"), lambda: Plugged(events), SystemClock()) as scanner:
        wait_until(lambda: caplog.text.count("event=scanner-read") == 9)
        assert [scanner.next_code(1.0) for _ in range(4)] == [b"6", b"7", b"8", b"9"]
        assert scanner.next_code(0.0) is None
    assert caplog.text.count("reason=nobody-took-it") == 5


def test_what_was_scanned_is_never_in_the_log(plug: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), open_scanner(ScannerSettings(path=str(plug), grab=False)) as scanner:
        writer = os.open(plug, os.O_WRONLY)
        os.write(writer, packed())
        assert scanner.next_code(5.0) == b"Ab-1"
        os.close(writer)
    assert "event=scanner-read bytes=4" in caplog.text
    assert "Ab" not in caplog.text


def test_closing_gives_the_device_back_and_ends_the_wait() -> None:
    device = Plugged([])
    scanner = UsbScanner(Decoder("us"), lambda: device, SystemClock())
    wait_until(lambda: scanner.trouble is None)
    closer = threading.Timer(0.05, scanner.close)
    closer.start()
    began_s = time.monotonic()
    with pytest.raises(ScannerError, match="closed"):
        scanner.next_code(30.0)
    assert time.monotonic() - began_s < 3.0
    closer.join(5)
    assert device.is_closed.is_set()
    scanner.close()


def test_a_bug_in_the_driver_is_trouble_too() -> None:
    device = Plugged([], ZeroDivisionError("a bug"))
    with UsbScanner(Decoder("us"), lambda: device, SystemClock()) as scanner:
        wait_until(lambda: "a bug" in str(scanner.trouble))
        assert device.is_closed.is_set()


def put_device(sys_input: Path, number: int, name: str, keys: str) -> None:
    (sys_input / f"event{number}/device/capabilities").mkdir(parents=True)
    (sys_input / f"event{number}/device/name").write_text(name + "\n")
    (sys_input / f"event{number}/device/capabilities/key").write_text(keys + "\n")


KEYBOARD = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
POWER_KEYS = "10000000000000 0"


def test_a_scanner_is_found_by_a_part_of_its_name_and_only_the_device_that_types(tmp_path: Path) -> None:
    put_device(tmp_path, 10, "Newland USB Barcode Reader", KEYBOARD)
    put_device(tmp_path, 2, "Newland USB Barcode Reader", POWER_KEYS)
    put_device(tmp_path, 0, "Logitech K120", KEYBOARD)
    (tmp_path / "event3").mkdir()  # being unplugged at this moment
    assert find_by_name("barcode", tmp_path) == Path("/dev/input/event10")
    with pytest.raises(ScannerError, match=r"'zebra'.*'Logitech K120', 'Newland USB Barcode Reader'"):
        find_by_name("zebra", tmp_path)


def test_without_any_keyboard_the_error_says_none(tmp_path: Path) -> None:
    with pytest.raises(ScannerError, match="there: none"):
        find_by_name("zebra", tmp_path)


@pytest.mark.parametrize("given", [{}, {"path": "/dev/input/event0", "name": "x"}, {"name": ""}])
def test_a_scanner_is_found_in_one_way_exactly(given: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"path.*name"):
        msgspec.convert(given, ScannerSettings)


def test_the_fake_scanner_reads_what_it_is_shown() -> None:
    with FakeScanner() as scanner:
        scanner.present(b"A-1")
        assert scanner.next_code(0.0) == b"A-1"
        assert scanner.next_code(0.0) is None
    with pytest.raises(ScannerError):
        scanner.next_code(0.0)
