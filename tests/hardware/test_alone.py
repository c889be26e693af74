"""One program of a kind at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hardware.alone import RunsAlready, alone

HOLD = "import sys; from pathlib import Path; from hardware.alone import alone\n"
HOLD += "with alone(Path(sys.argv[1]), 'the stream'): print('held', flush=True); sys.stdin.read()"


def test_a_second_one_is_told_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "state" / "stream.lock"
    argv = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with (
            pytest.raises(RunsAlready, match=r"the stream runs already, with the files in .*state"),
            alone(lock, "the stream"),
        ):
            pytest.fail("two at a time")
        first.kill()
    with alone(lock, "the stream"):
        assert oct(lock.stat().st_mode & 0o777) == "0o600"


def test_who_left_in_good_order_holds_nothing(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(2):
        with alone(tmp_path / "x.lock", "it"):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
