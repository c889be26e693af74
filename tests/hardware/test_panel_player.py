"""Who plays the signals, when a pin fails under the play."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from hardware.panel.player import Player
from hardware.panel.signals import Rhythm

FAST = Rhythm(0.01, 0.01, 50)
STEADY = Rhythm(60.0, 0.0, 1)


class Lamp:
    """On or off; `on` fails once so many are left, `off` while it is stuck."""

    def __init__(self, ons: int = 1_000_000) -> None:
        self.is_on = self.is_stuck = False
        self.ons = ons

    def on(self) -> None:
        if self.ons == 0:
            raise OSError("the lamp does not answer")
        self.ons -= 1
        self.is_on = True

    def off(self) -> None:
        if self.is_stuck:
            raise OSError("the lamp is stuck")
        self.is_on = False


def wait_until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to pass"
        threading.Event().wait(0.002)


@pytest.fixture
def player() -> Iterator[Player]:
    player = Player()
    yield player
    player.close()


def test_a_lamp_that_cannot_begin_is_told_at_once_and_leaves_all_off(player: Player) -> None:
    steady, broken = Lamp(), Lamp(ons=0)
    with pytest.raises(OSError, match="does not answer"):
        player.play([(steady, STEADY), (broken, FAST)])
    assert not steady.is_on


def test_a_lamp_that_fails_in_the_middle_ends_the_signal_and_the_next_one_plays(
    player: Player, caplog: pytest.LogCaptureFixture
) -> None:
    steady, broken = Lamp(), Lamp(ons=3)
    with caplog.at_level(logging.ERROR):
        player.play([(steady, STEADY), (broken, FAST)])
        wait_until(lambda: "event=signal-broken-off" in caplog.text)
    assert not steady.is_on and "does not answer" in caplog.text
    blinking = Lamp()
    player.play([(blinking, FAST)])
    wait_until(lambda: blinking.ons < 1_000_000 - 3)


def test_one_that_will_not_go_off_keeps_no_other_on(player: Player) -> None:
    stuck, steady = Lamp(), Lamp()
    player.play([(stuck, STEADY), (steady, STEADY)])
    stuck.is_stuck = True
    with pytest.raises(OSError, match="stuck"):
        player.play(())
    assert not steady.is_on
    stuck.is_stuck = False
    player.play(())  # it was not forgotten
    assert not stuck.is_on


def test_closing_ends_the_thread_also_when_a_lamp_is_stuck() -> None:
    player, stuck = Player(), Lamp()
    player.play([(stuck, STEADY)])
    stuck.is_stuck = True
    with pytest.raises(OSError, match="stuck"):
        player.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "panel"]
