"""The appliance on a real systemd: see tests/appliance/run, which this starts where somebody asks for it.

It takes minutes and root, so it is no part of what CI runs by itself: PLATYPUS_APPLIANCE=bookworm, or trixie.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SUITE = os.environ.get("PLATYPUS_APPLIANCE", "")
MISSING = [name for name in ("mmdebstrap", "systemd-nspawn") if shutil.which(name) is None]


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(not SUITE, reason="takes minutes: PLATYPUS_APPLIANCE=bookworm asks for it")
@pytest.mark.skipif(os.geteuid() != 0, reason="a container is booted by root")
@pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} missing: apt install mmdebstrap systemd-container")
def test_it_installs_breaks_upgrades_goes_back_and_leaves() -> None:
    done = subprocess.run(
        [str(Path(__file__).with_name("run")), SUITE], capture_output=True, text=True, timeout=1400, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "--uninstall --purge leaves nothing" in done.stdout
