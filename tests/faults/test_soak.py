"""Two minutes of faults at random; an hour of them is a command, see soak.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_network import NoNetworks
from soak import soak


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_minutes_of_faults_cost_what_each_of_them_may(tmp_path: Path) -> None:
    try:
        result = soak(tmp_path, 2, 7, print)
    except NoNetworks as error:
        pytest.skip(f"{error}. Run this as root, or allow user namespaces.")
    print(result)
    assert sum(result.faults.values()) > 3
    assert result.misses == []
