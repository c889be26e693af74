"""The wiring test answers nobody: it never interrupts an answer, and leaves the count as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, get_args

import pytest
from test_loop import Told

from hardware.clock import ManualClock
from hardware.errors import PanelError
from hardware.panel import AbsentPanel, FakePanel, Panel, Signal
from kiosk.door.loop import Door, Gate
from kiosk.door.wiring import COUNTER_S, EIGHTS, Wiring
from kiosk.ledger import Event, GateMode
from kiosk.news import PanelPart

PARTS: tuple[PanelPart, ...] = get_args(PanelPart)


class Stage:
    """A gate whose camera and ledger nobody asks, and its wiring."""

    def __init__(self, panel: Panel | None = None) -> None:
        self.clock = ManualClock()
        self.panel = FakePanel(self.clock.monotonic)
        self.later: list[tuple[float, Callable[[], None]]] = []
        nobody: Any = None
        event = Event(1, "evening", "An evening", 50, 60, True, None, None, None)
        self.door = Door(Gate("main", event, GateMode.ENTRY), nobody, nobody, panel or self.panel, Told(), self.clock)
        latch = self.panel if panel is None else None
        note = lambda wait_s, do: self.later.append((wait_s, do))  # noqa: E731
        self.wiring = Wiring(panel or self.panel, latch, self.door, again_after=note)


def test_lamps_and_buzzer_are_tried_by_a_signal_that_is_no_answer() -> None:
    stage = Stage()
    stage.wiring.try_part("lights")
    assert (stage.panel.signals, stage.panel.releases) == ([Signal.TEST], [])


def test_the_strike_is_freed_without_a_green() -> None:
    stage = Stage()
    stage.wiring.try_part("strike")
    assert (len(stage.panel.releases), stage.panel.signals) == (1, [])


@pytest.mark.parametrize("signal", [Signal.ADMITTED, Signal.NOTED, Signal.REFUSED, Signal.ATTENTION])
def test_nothing_is_tried_while_a_guest_is_answered(signal: Signal) -> None:
    stage = Stage()
    stage.panel.show(signal)
    for part in PARTS:
        with pytest.raises(PanelError, match="being answered"):
            stage.wiring.try_part(part)
    assert (stage.panel.signals, stage.panel.counts, stage.panel.releases) == ([signal], [], [])
    stage.clock.advance(5)
    stage.wiring.try_part("lights")
    stage.wiring.try_part("lights")  # a test may follow a test
    assert stage.panel.signals == [signal, Signal.TEST, Signal.TEST]


def test_nothing_is_tried_while_the_ledger_decides_on_a_guest() -> None:
    stage = Stage()
    decided = threading.Event()
    deciding = threading.Event()

    def decide() -> None:
        with stage.door.between_guests():  # as long as a guest is served, nobody else is
            deciding.set()
            decided.wait()

    guest = threading.Thread(target=decide)
    guest.start()
    deciding.wait()
    with pytest.raises(PanelError, match="being answered"):
        stage.wiring.try_part("lights")
    decided.set()
    guest.join()
    stage.wiring.try_part("lights")


def test_a_gate_that_is_out_of_order_can_be_tried() -> None:
    stage = Stage()
    stage.panel.show(Signal.OUT_OF_ORDER)
    stage.wiring.try_part("lights")
    assert stage.panel.signals[-1] is Signal.TEST


def test_the_counter_shows_all_it_has_and_then_the_count_again() -> None:
    stage = Stage()
    stage.wiring.try_part("counter")
    assert stage.panel.counts == [(EIGHTS, EIGHTS)]
    ((wait_s, recount),) = stage.later
    assert wait_s == COUNTER_S
    recount()
    assert stage.panel.counts == [(EIGHTS, EIGHTS), (0, 0)]


def test_a_panel_that_cannot_be_opened_says_why() -> None:
    stage = Stage(AbsentPanel("the GPIO pins cannot be opened"))
    for part in PARTS:
        with pytest.raises(PanelError, match="opened"):
            stage.wiring.try_part(part)
