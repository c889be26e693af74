"""Killed in the middle of writing and of restoring, at every step: nothing half is believed, nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from backup_stage import Pi

from kiosk import safekeeping
from kiosk.backup.in_use import works_on


def run(limit: int, *words: Path) -> int | None:
    """How many steps there were; None: it was killed."""
    script = Path(__file__).with_name("killed.py")
    done = subprocess.run(
        [sys.executable, str(script), str(limit), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
    )
    if done.returncode == -9:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.timeout(300)
def test_a_backup_that_is_killed_leaves_none_and_the_next_one_is_whole(pi: Pi) -> None:
    first = pi.back_up()
    limit = 1
    while (steps := run(limit, pi.config_path)) is None:
        there = {path.name for path in (pi.state / "backups").glob("*.zip")}
        for name in there - {first.name}:  # killed after it had its name: then it is whole
            safekeeping.foresee(pi.config_path, pi.state / "backups" / name)
            (pi.state / "backups" / name).unlink()
        limit += 1
    assert limit > 5 and steps
    assert not list((pi.state / "backups").glob(".platypus-backup-*")), "what the killed ones left is cleared away"
    assert len(list((pi.state / "backups").glob("*.zip"))) == 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_restore_that_is_killed_is_the_old_state_or_is_finished_by_whoever_starts(pi: Pi, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    pi.back_up().rename(file)
    assert pi.admit(0, "later") == "admitted"
    (pi.state / "look" / "new.png").write_text("of after the backup")
    pristine = tmp_path / "pristine"
    shutil.copytree(pi.folder, pristine)
    old = files(pi)
    steps = run(10_000, pi.config_path, file)
    assert steps, "not killed at all"
    new = files(pi)
    outcomes = []
    for limit in [*range(1, steps - 30, 9), *range(steps - 30, steps + 1)]:  # at the end files change places
        shutil.rmtree(pi.folder)
        shutil.copytree(pristine, pi.folder)
        assert run(limit, pi.config_path, file) is None
        with works_on(pi.state, "door", (pi.config_path.parent,)):  # as after a power cut, when the door starts
            pass
        found = files(pi)
        assert found in (old, new), limit
        assert not list(pi.folder.rglob(".restoring*/*")), "what was unpacked for nothing is gone"
        if found == new:
            (aside,) = pi.aside
            assert (aside / "look" / "new.png").exists()
            assert pi.admit(0, "n") == "admitted"
        else:
            assert pi.admit(0, "n") == "already_redeemed"
        outcomes.append(found == new)
    assert outcomes == sorted(outcomes), "from one moment on it is done, and before it nothing is"
    assert True in outcomes and False in outcomes


def files(pi: Pi) -> Mapping[str, bytes]:
    """The state and the configuration, without what went aside and the ledger's bytes."""
    return {
        name: b"".join(line for line in raw.splitlines() if b"is restored" not in line)
        for name, raw in pi.everything().items()
        if "before-restore" not in name and not name.startswith("etc/.restoring") and "ledger.db" not in name
    }


def test_the_restore_itself_run_again_finishes_an_interrupted_one(pi: Pi, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    pi.back_up().rename(file)
    pristine = tmp_path / "pristine"
    shutil.copytree(pi.folder, pristine)
    steps = run(10_000, pi.config_path, file)
    assert steps is not None
    for limit in range(steps - 12, steps + 1, 3):
        shutil.rmtree(pi.folder)
        shutil.copytree(pristine, pi.folder)
        assert run(limit, pi.config_path, file) is None
        pi.restore(file)
        assert pi.admit(1, "n") == "admitted"
        assert not list(pi.folder.rglob(".restoring*"))
