"""Fixtures of the dashboard's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dashboard_browser import CHROMIUM, FLAGS, PICTURES
from dashboard_house import LIGHT, House, build
from playwright.sync_api import Browser, sync_playwright

from hardware.clock import ManualClock
from kiosk.dashboard.access import Access
from kiosk.dashboard.pins import Pins


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """A maker of houses with their own settings."""
    houses: list[House] = []

    def make(**settings: Any) -> House:
        houses.append(build(tmp_path, **settings))
        return houses[-1]

    yield make
    for house in houses:
        house.ledger.close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """A house with the default settings."""
    return make_house()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until it is told."""
    return ManualClock()


@pytest.fixture
def access(tmp_path: Path, clock: ManualClock) -> Access:
    """Who may come in, of a machine that nobody has used yet."""
    return Access(tmp_path, clock, Pins(LIGHT))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()
