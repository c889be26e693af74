"""Files of a shared folder are for its group where they are meant to be, and for nobody else."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from hardware.durable import append_durably, is_shared, make_folder, open_lock, share, write_durably


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


def test_a_link_to_nowhere_in_the_place_of_a_shared_file_makes_no_file_elsewhere(shared: Path, tmp_path: Path) -> None:
    (shared / "ledger.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="ledger.db"):
        share(shared / "ledger.db")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_link_in_the_place_of_a_lock_gives_nobody_its_target(shared: Path, tmp_path: Path) -> None:
    """The folder is the program's that faces the network; what it plants there must not become its own through root."""
    os.chown(shared, 12345, 12345)
    shadow = tmp_path / "shadow"
    shadow.write_text("private")
    (shared / ".lock").symlink_to(shadow)
    with pytest.raises(OSError, match=r"\.lock"):
        open_lock(shared / ".lock")
    assert shadow.stat().st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_folders_that_root_makes_belong_to_whom_the_folder_around_them_belongs(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12346)
    write_durably(tmp_path / "reports" / "of" / "evening.json", b"x")
    made = [tmp_path / "reports", tmp_path / "reports" / "of", tmp_path / "reports" / "of" / "evening.json"]
    assert [(path.stat().st_uid, path.stat().st_gid) for path in made] == [(12345, 12346)] * 3


def test_a_folder_is_made_once_and_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert mode(tmp_path / "a" / "b") == 0o700
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file")


def test_a_line_that_the_plug_tore_off_costs_no_other_one(tmp_path: Path) -> None:
    lines = tmp_path / "folder" / "lines"
    assert append_durably(lines, b"first\n") == 6
    with lines.open("ab") as file:
        file.write(b"to")
    assert append_durably(lines, b"third\n") == len(lines.read_bytes())
    append_durably(lines, b"fourth\n")
    assert lines.read_bytes() == b"first\nto\nthird\nfourth\n"


def test_a_link_in_the_place_of_a_file_of_lines_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"of somebody else\n")
    (tmp_path / "lines").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="lines"):
        append_durably(tmp_path / "lines", b"ours\n")
    assert (tmp_path / "elsewhere").read_bytes() == b"of somebody else\n"
