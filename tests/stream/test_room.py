"""The alarm of the disk comes while there is still time, and goes when there is room again."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from hardware.clock import ManualClock
from stream.disk import MemoryDisk
from stream.room import Room

FIRST, SPARE = Path("/first"), Path("/spare")
MINUTE = 1000 * 125 * 60 * 1.07  # bytes at 1000 kb/s


class Watched:
    def __init__(self, clock: ManualClock, minutes: float) -> None:
        self.clock = clock
        self.disk = MemoryDisk()
        self.measured_kbps = 0
        self.has(minutes)
        self.room = Room(
            (FIRST, SPARE),
            clock,
            self.disk,
            reserve_bytes=1_000_000,
            expected_kbps=1000,
            measured_kbps=lambda: self.measured_kbps,
        )

    def has(self, minutes: float) -> None:
        self.disk.room_bytes = round(1_000_000 + minutes * MINUTE)

    def look(self, seconds: int = 6) -> str:
        for _ in range(seconds):
            self.room.look()
            self.clock.advance(1.0)
        return " ".join(alarm.cause for alarm in self.room.alarms())


@pytest.fixture
def watched(still_clock: ManualClock) -> Watched:
    return Watched(still_clock, minutes=40)


def test_enough_room_is_no_alarm(watched: Watched) -> None:
    assert watched.look() == ""


def test_minutes_left_are_said_above_what_is_left_to_the_ledger(watched: Watched) -> None:
    watched.has(minutes=25.4)
    assert watched.look() == "room for 25 minutes of recording"
    (alarm,) = watched.room.alarms()
    assert alarm.code == "disk"
    assert "/first" in alarm.action


def test_a_full_disk_is_said(watched: Watched) -> None:
    watched.has(minutes=0)
    assert watched.look() == "no room for the recording"


def test_a_bit_rate_above_what_was_expected_counts(watched: Watched) -> None:
    watched.measured_kbps = 2140
    assert watched.look() == "room for 20 minutes of recording"


def test_one_bad_look_is_no_alarm_and_one_good_one_no_end_of_it(watched: Watched) -> None:
    watched.has(minutes=10)
    assert watched.look(seconds=3) == ""
    assert watched.look(seconds=4)
    watched.has(minutes=40)
    assert watched.look(seconds=10)
    assert watched.look(seconds=30) == ""


def test_the_spare_folder_counts_when_the_first_is_gone(watched: Watched) -> None:
    watched.disk.broken[FIRST] = OSError(errno.ENOENT, "gone")
    assert watched.look() == ""
    watched.disk.broken[SPARE] = OSError(errno.ENOENT, "gone")
    assert "no room" in watched.look()
