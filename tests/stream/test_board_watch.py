"""A hot Pi and a weak supply are said in time, and nothing is said of a machine that is no Pi."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stream_stage import SMALL, until

from hardware.board import Board
from hardware.clock import ManualClock, SystemClock
from stream.alarms import Alarm
from stream.board_watch import BoardWatch
from stream.director import Director
from stream.settings import StreamSettings

GOOD, UNDER_VOLTAGE, WAS_UNDER_VOLTAGE, SLOWED = "0x0", "0x50001", "0x50000", "0x80008"


class Pi:
    """A Raspberry Pi in a folder, and the watch that looks at it; its time passes when told."""

    def __init__(self, root: Path, model: str = "Raspberry Pi 4 Model B Rev 1.4") -> None:
        self._root = root
        self._clock = ManualClock()
        self._write("proc/device-tree/model", model + "\0")
        self._write("usr/bin/vcgencmd", f'#!/bin/sh\necho look >>{root}/looks\necho "throttled=$(cat {root}/bits)"\n')
        (root / "usr/bin/vcgencmd").chmod(0o755)
        self._write("looks", "")
        self.is_at(50.0)
        self.watch = BoardWatch(Board(root), self._clock, look_period_s=0.01)

    def is_at(self, celsius: float, bits: str = GOOD) -> None:
        """From now on."""
        self._write("sys/class/thermal/thermal_zone0/temp", f"{celsius * 1000:.0f}\n")
        self._write("bits", bits)

    def after(self, seconds: float) -> list[Alarm]:
        """What is said when this has lasted so long, with a look each 2 s of it."""
        for _ in range(round(seconds / 2)):
            self._clock.advance(2.0)
            self._look()
        return list(self.watch.alarms())

    def _look(self) -> None:
        begun = self._looks()
        until(lambda: self._looks() >= begun + 2)  # one that began after the change is over

    def _looks(self) -> int:
        return (self._root / "looks").read_text().count("look")

    def _write(self, path: str, text: str) -> None:
        """As a whole: the watch looks at any moment."""
        new = self._root / "new"
        new.write_text(text)
        (self._root / path).parent.mkdir(parents=True, exist_ok=True)
        new.replace(self._root / path)


@pytest.fixture
def pi(tmp_path: Path) -> Iterator[Pi]:
    found = Pi(tmp_path)
    found.watch.start()
    yield found
    found.watch.stop()


def test_heat_is_said_before_the_pi_slows_down_and_until_it_is_cooler(pi: Pi) -> None:
    pi.is_at(77.9)
    assert pi.after(20) == []
    pi.is_at(78.4)
    (said,) = pi.after(8)
    assert (said.code, said.cause) == ("hot", "the Raspberry Pi is 78 °C hot: from 80 °C it slows down")
    assert said.action
    pi.is_at(76.0)
    assert [alarm.code for alarm in pi.after(30)] == ["hot"], "no flicker at the limit"
    pi.is_at(74.0)
    assert pi.after(14) == []


def test_a_moment_of_heat_is_no_alarm(pi: Pi) -> None:
    pi.is_at(79.0)
    assert pi.after(2) == []
    pi.is_at(70.0)
    assert pi.after(10) == []


def test_a_pi_that_slowed_down_by_heat_says_so_at_any_temperature(pi: Pi) -> None:
    pi.is_at(61.0, SLOWED)
    (said,) = pi.after(8)
    assert (said.code, said.cause) == ("hot", "the Raspberry Pi is 61 °C hot: it has slowed down")


def test_a_weak_supply_is_said_at_once_and_for_a_while_after_a_dip(pi: Pi) -> None:
    pi.is_at(50.0, UNDER_VOLTAGE)
    (said,) = pi.after(2)
    assert (said.code, said.cause) == ("power", "the Raspberry Pi gets too little power")
    assert "official power supply" in said.action
    pi.is_at(50.0, WAS_UNDER_VOLTAGE)
    assert [alarm.cause for alarm in pi.after(10)] == ["the Raspberry Pi gets too little power, a moment ago"]
    assert pi.after(16) == []


def test_what_happened_since_boot_and_is_over_is_no_alarm(pi: Pi) -> None:
    pi.is_at(50.0, "0xf0000")
    assert pi.after(20) == []


def test_another_machine_may_be_as_hot_as_it_likes(tmp_path: Path) -> None:
    laptop = Pi(tmp_path, model="Some Laptop")
    laptop.is_at(97.0)
    laptop.watch.start()
    assert laptop.watch.alarms() == ()
    assert (tmp_path / "looks").read_text() == "", "it is not even looked at"


def test_a_firmware_that_hangs_keeps_nobody_waiting(tmp_path: Path, clock: SystemClock) -> None:
    Pi(tmp_path)
    (tmp_path / "usr/bin/vcgencmd").write_text(f"#!/bin/sh\necho look >>{tmp_path}/looks\nexec sleep 60\n")
    of = StreamSettings(picture=SMALL, preview=False)
    with Director(of, {}, tmp_path / "state", tmp_path / "run", clock, board=Board(tmp_path)) as director:
        until(lambda: (tmp_path / "looks").read_text() != "", what="it is asked")
        begun_s = clock.monotonic()
        for _ in range(20):
            director.state()
        assert clock.monotonic() - begun_s < 1.0
        assert director.quiet_s < 2.0


def test_the_director_tells_what_the_board_says(tmp_path: Path, clock: SystemClock) -> None:
    Pi(tmp_path).is_at(50.0, UNDER_VOLTAGE)
    of = StreamSettings(picture=SMALL, preview=False)
    with Director(of, {}, tmp_path / "state", tmp_path / "run", clock, board=Board(tmp_path)) as director:
        until(lambda: [alarm.code for alarm in director.state().alarms] == ["power"])
