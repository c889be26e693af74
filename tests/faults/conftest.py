"""Evenings for faults to happen to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from evening import Evening
from fault_network import NoNetworks

Begin = Callable[..., Evening]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Builds an evening that is live, and ends it whatever happens."""
    with ExitStack() as stack:

        def build(*destinations: str, wait_for: str = "hall", **options: Any) -> Evening:
            try:
                evening = stack.enter_context(Evening(tmp_path, destinations or ("hall",), **options))
            except NoNetworks as error:
                pytest.skip(f"{error}. Run this as root, or allow user namespaces.")
            evening.begin(wait_for=wait_for)
            return evening

        yield build
