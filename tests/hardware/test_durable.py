"""Files of a shared folder are for its group where they are meant to be, and for nobody else."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from hardware.durable import is_shared, share, write_durably


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o2770)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_stays_private_in_a_shared_folder(shared: Path) -> None:
    write_durably(shared / "people", b"x")
    assert mode(shared / "people") == 0o600


def test_a_file_for_the_group_is_read_by_those_who_share_its_folder_alone(shared: Path, tmp_path: Path) -> None:
    write_durably(shared / "talks", b"x", for_group=True)
    write_durably(tmp_path / "talks", b"x", for_group=True)
    assert (mode(shared / "talks"), mode(tmp_path / "talks")) == (0o640, 0o600)


def test_a_shared_file_is_made_and_written_by_all_who_share_its_folder(shared: Path) -> None:
    share(shared / "ledger.db")
    share(shared / "ledger.db")
    assert mode(shared / "ledger.db") == 0o660


def test_nothing_is_shared_elsewhere(tmp_path: Path) -> None:
    share(tmp_path / "ledger.db")
    assert not (tmp_path / "ledger.db").exists()
    assert not is_shared(tmp_path / "absent")


def test_a_link_in_the_place_of_a_shared_file_gives_nobody_rights_elsewhere(shared: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("private")
    other.chmod(0o600)
    (shared / "ledger.db").symlink_to(other)
    share(shared / "ledger.db")
    assert mode(other) == 0o600


def test_sharing_a_file_ends_no_lock_on_it(shared: Path) -> None:
    """An ordinary handle, closed, would end the locks of its whole process, SQLite's among them."""
    share(shared / "ledger.db")
    with (shared / "ledger.db").open("r+") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        share(shared / "ledger.db")
        child = os.fork()
        if child == 0:
            with (shared / "ledger.db").open("r+") as other:
                try:
                    fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
