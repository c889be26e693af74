"""The wiring test answers nobody: it never interrupts an answer, and leaves the count as it was."""

from __future__ import annotations

import pytest

from hardware.errors import PanelError
from hardware.panel import AbsentPanel, FakePanel, Signal
from kiosk.door.wiring import COUNTER_S, EIGHTS, Wiring


def test_lamps_and_buzzer_are_tried_by_a_signal_that_is_no_answer() -> None:
    panel = FakePanel()
    Wiring(panel, panel, lambda: None).try_part("lights")
    assert panel.signals == [Signal.TEST]
    assert panel.releases == []


def test_the_strike_is_freed_without_a_green() -> None:
    panel = FakePanel()
    Wiring(panel, panel, lambda: None).try_part("strike")
    assert (len(panel.releases), panel.signals) == (1, [])


@pytest.mark.parametrize("signal", [Signal.ADMITTED, Signal.NOTED, Signal.REFUSED, Signal.ATTENTION])
def test_nothing_is_tried_while_a_guest_is_answered(signal: Signal) -> None:
    now_s = [10.0]
    panel = FakePanel(lambda: now_s[0])
    wiring = Wiring(panel, panel, lambda: None)
    panel.show(signal)
    for part in ("lights", "counter", "strike"):
        with pytest.raises(PanelError, match="being answered"):
            wiring.try_part(part)
    assert (panel.signals, panel.counts, panel.releases) == ([signal], [], [])
    now_s[0] += 5
    wiring.try_part("lights")
    wiring.try_part("lights")  # a test may follow a test
    assert panel.signals == [signal, Signal.TEST, Signal.TEST]


def test_a_gate_that_is_out_of_order_can_be_tried() -> None:
    panel = FakePanel()
    panel.show(Signal.OUT_OF_ORDER)
    Wiring(panel, panel, lambda: None).try_part("lights")
    assert panel.signals[-1] is Signal.TEST


def test_the_counter_shows_all_it_has_and_then_the_count_again() -> None:
    panel, counted = FakePanel(), []
    wiring = Wiring(
        panel, panel, lambda: counted.append(1), again_after=lambda wait_s, then: counted.append((wait_s, then))
    )
    wiring.try_part("counter")
    assert panel.counts == [(EIGHTS, EIGHTS)]
    (wait_s, then) = counted.pop()
    assert wait_s == COUNTER_S and not counted
    then()
    assert counted == [1]


def test_a_panel_that_cannot_be_opened_says_why() -> None:
    wiring = Wiring(AbsentPanel("the GPIO pins cannot be opened"), None, lambda: None)
    for part in ("lights", "counter", "strike"):
        with pytest.raises(PanelError, match="opened"):
            wiring.try_part(part)
