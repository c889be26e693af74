"""Fixtures of the tests of backup and restore."""

from __future__ import annotations

from pathlib import Path

import pytest
from backup_stage import Pi


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    """A machine with an evening on it."""
    return Pi(tmp_path / "old").prepare()


@pytest.fixture
def other(tmp_path: Path) -> Pi:
    """A machine with nothing on it."""
    return Pi(tmp_path / "new")
