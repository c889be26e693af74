"""Fixtures of the dashboard's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dashboard_house import House, build


@pytest.fixture
def make_house(tmp_path: Path) -> Callable[..., House]:
    """A maker of houses with their own settings."""
    return lambda **settings: build(tmp_path, **settings)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house with the default settings."""
    return build(tmp_path)
