"""The door, the stream and the contract of the camera on the real picamera2, in a root made for it. See `run`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run")
SWITCH = "PLATYPUS_VIRTUAL_CAMERA"
MAY_BUILD = os.environ.get(SWITCH) == "build"
LIMIT_S = 1200 if MAY_BUILD else 110  # making the root takes minutes; a check at most half a minute

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_S + 10)]


@pytest.fixture(scope="module", autouse=True)
def root() -> None:
    """Skips with the reason when it cannot be entered."""
    if os.geteuid() != 0:
        pytest.skip("the virtual camera needs root: sudo tests/virtual_camera/run")
    for needed in ("mmdebstrap", "systemd-nspawn", "unshare"):
        if shutil.which(needed) is None:
            pytest.skip(f"the virtual camera needs {needed}: apt install mmdebstrap systemd-container util-linux")
    folder = Path(subprocess.run([RUN, "root"], check=True, capture_output=True, text=True).stdout.strip())
    if not folder.is_dir() and not MAY_BUILD:
        pytest.skip(f"no virtual camera at {folder}: tests/virtual_camera/run build, or {SWITCH}=build (minutes, 1 GB)")


@pytest.mark.parametrize(
    "check",
    [
        "tests/hardware/test_picamera2_contract.py",
        "tests/virtual_camera/check_door.py",
        "tests/virtual_camera/check_stage.py",
    ],
    ids=["contract", "door", "stage"],
)
def test_the_real_picamera2_does_what_we_rely_on(check: str) -> None:
    done = subprocess.run(
        [RUN, "check", "-q", "-s", check], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
