"""Files that are no whole backup of ours: each is refused in words, and nothing has changed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from backup_stage import Pi, member, rewritten, sealed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.clock import ManualClock
from kiosk import safekeeping
from kiosk.backup import archive
from kiosk.backup.errors import BadBackup, NewerBackup, RestoreError

Change = Callable[[dict[str, bytes], dict[str, Any]], None]


def refused(pi: Pi, file: Path, what: str, kind: type[Exception] = BadBackup) -> None:
    before = pi.everything()
    with pytest.raises(kind, match=what) as told:
        pi.restore(file)
    assert str(file) in str(told.value) and "Nothing was changed" in str(told.value)
    assert pi.everything() == before


def put_in(name: str, content: bytes = b"x") -> Change:
    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        files[name] = content
        manifest["files"].append(member(name, content))

    return change


def test_a_file_that_ends_too_early(pi: Pi) -> None:
    file = pi.back_up()
    whole = file.read_bytes()
    cut = pi.folder / "cut.zip"
    for length in (0, 3, 100, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:length])
        refused(pi, cut, "empty|no backup of Platypus|not whole")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_one_byte_that_changed_wherever_it_is(pi: Pi, where: float, by: int) -> None:
    file = next(iter((pi.state / "backups").glob("*.zip")), None) or pi.back_up()
    raw = bytearray(file.read_bytes())
    raw[int(where * len(raw))] ^= by
    bad = pi.folder / "bad.zip"
    bad.write_bytes(raw)
    with pytest.raises(BadBackup), archive.opened(bad):
        pass


@pytest.mark.parametrize("raw", [b"", b"PK", b"\x89PNG\r\n", b"\0" * 5000, b"PK\3\4" + b"\xff" * 5000])
def test_a_file_that_is_something_else(pi: Pi, raw: bytes) -> None:
    foreign = pi.folder / "holiday.zip"
    foreign.write_bytes(raw)
    refused(pi, foreign, "empty|no backup of Platypus")


def test_a_zip_of_somebody_else(pi: Pi) -> None:
    foreign = pi.folder / "holiday.zip"
    with zipfile.ZipFile(foreign, "w") as other:
        other.writestr("photo.jpg", "a photo")
    refused(pi, foreign, "no backup of Platypus")


def test_a_file_that_is_not_there_or_a_folder(pi: Pi) -> None:
    for path in (pi.folder / "nowhere.zip", pi.folder):
        refused(pi, path, "cannot be read", RestoreError)


@pytest.mark.parametrize(
    "change",
    [
        lambda files, manifest: manifest.update(platypus_backup=2, something_new=True),
        lambda files, manifest: manifest.update(schema="0999"),
    ],
)
def test_one_of_a_newer_platypus(pi: Pi, change: Change) -> None:
    refused(pi, rewritten(pi.back_up(), change), "newer Platypus", NewerBackup)


@pytest.mark.parametrize(
    "name",
    [
        "state/../../etc/passwd",
        "../state/x",
        "/etc/passwd",
        "state//x",
        "state/./x",
        "state\\..\\x",
        "state/x\n",
        "elsewhere/x",
        "state",
        "ledger.db/x",
        "state/ledger.db",
        "state/.restore-plan.json",
        "state/recordings/x",
        "state/backups/x.zip",
        "state/before-restore-x/y",
        "config/sub/x",
        "look/" + "x" * 300,
    ],
)
def test_a_name_that_is_none_of_ours(pi: Pi, name: str) -> None:
    refused(pi, rewritten(pi.back_up(), put_in(name)), "no name of a file of ours|damaged")


def test_a_link(pi: Pi) -> None:
    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        put_in("state/link", b"/etc/passwd")(files, manifest)

    file = rewritten(pi.back_up(), change)
    body = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "state/link":
                info.external_attr = 0o120777 << 16
            new.writestr(info, content)
        new.comment = old.comment
    refused(pi, sealed(file, body.getvalue()), "no plain file")


def test_what_would_unpack_to_a_gigabyte(pi: Pi) -> None:
    """A megabyte that is a thousand of them: the list of files says so, and nothing is unpacked."""

    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        manifest["files"].append({"name": "state/bomb", "size": 1_000_000_001, "sha256": "0" * 64})

    refused(pi, rewritten(pi.back_up(), change), "would unpack to 1.0 GB")


def test_what_unpacks_to_more_than_it_says(pi: Pi) -> None:
    file = rewritten(pi.back_up(), put_in("state/bomb", b"\0" * 50_000_000))
    raw = file.read_bytes()
    lying = raw.replace((50_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    lying = lying.replace(b'"size": 50000000', b'"size": 1000    ')
    refused(pi, sealed(file, lying), "damaged|not those of its list|not what was put in")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda files, manifest: files.pop("ledger.db"), "not those of its list"),
        (lambda files, manifest: files.update({"state/extra": b"x"}), "not those of its list"),
        (lambda files, manifest: manifest["files"].append(manifest["files"][0]), "not those of its list"),
        (lambda files, manifest: manifest["files"][1].update(sha256="0" * 64), "not what was put in"),
        (lambda files, manifest: manifest.pop("made_at"), "cannot be understood"),
        (lambda files, manifest: manifest["files"][0].update(size="many"), "cannot be understood"),
        (lambda files, manifest: manifest["files"][1].update(size=-1), "."),
    ],
)
def test_a_list_of_files_that_is_not_true(pi: Pi, change: Change, what: str) -> None:
    refused(pi, rewritten(pi.back_up(), change), what)


def test_a_backup_without_a_ledger(pi: Pi) -> None:
    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        files.pop("ledger.db")
        manifest["files"] = [each for each in manifest["files"] if each["name"] != "ledger.db"]

    refused(pi, rewritten(pi.back_up(), change), "no ledger in it")


@pytest.mark.parametrize("raw", [b"no database at all", b"", b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_ledger_that_is_none(pi: Pi, raw: bytes) -> None:
    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        files["ledger.db"] = raw
        manifest["files"] = [each for each in manifest["files"] if each["name"] != "ledger.db"]
        manifest["files"].append(member("ledger.db", raw))

    refused(pi, rewritten(pi.back_up(), change), "the ledger in it")


def test_a_ledger_with_a_page_that_is_gone(pi: Pi) -> None:
    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        raw = bytearray(files["ledger.db"])
        raw[8192:12288] = b"\xa5" * 4096
        files["ledger.db"] = bytes(raw)
        manifest["files"] = [each for each in manifest["files"] if each["name"] != "ledger.db"]
        manifest["files"].append(member("ledger.db", bytes(raw)))

    refused(pi, rewritten(pi.back_up(), change), "the ledger in it")


def test_a_seal_that_does_not_fit(pi: Pi) -> None:
    refused(pi, rewritten(pi.back_up(), put_in("state/x"), seals=False), "not those that were written")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_a_glance_at_a_damaged_one_is_told_like_any_other(pi: Pi, where: float, by: int) -> None:
    """The list of backups, and what deletes the old ones, must not end at one of them."""
    file = next(iter((pi.state / "backups").glob("*.zip")), None) or pi.back_up()
    raw = bytearray(file.read_bytes())
    begin = raw.rindex(b"PK\3\4")  # the manifest, and the ZIP's own list: the rest is not looked at
    raw[begin + int(where * (len(raw) - begin))] ^= by
    bad = pi.folder / "bad.zip"
    bad.write_bytes(raw)
    with suppress(BadBackup, OSError):
        archive.glance(bad)


@pytest.mark.parametrize("bit", [1, 0])
def test_a_list_of_files_behind_a_password_or_cut_off_stops_no_page(pi: Pi, bit: int) -> None:
    file = pi.back_up()
    raw = bytearray(file.read_bytes())
    if bit:
        raw[raw.rindex(b"PK\1\2") + 8] |= bit  # the manifest is the last one in the ZIP's own list
    else:
        begin = raw.rindex(b"PK\3\4") + 30 + len("manifest.json")
        raw[begin : begin + 40] = b"\xff" * 40
    file.write_bytes(raw)
    (copy,) = safekeeping.shelf_of(pi.config, pi.config_path, ManualClock()).backups()
    assert copy.manifest is None and copy.trouble.startswith("it is damaged (")


def test_a_configuration_that_this_platypus_does_not_understand(pi: Pi, other: Pi) -> None:
    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        raw = b'[teleporter]\nspeed = "high"\n'
        files["config/platypus.toml"] = raw
        manifest["files"] = [each for each in manifest["files"] if each["name"] != "config/platypus.toml"]
        manifest["files"].append(member("config/platypus.toml", raw))

    file = rewritten(pi.back_up(), change)
    with pytest.raises(BadBackup, match="Write a platypus.toml for this machine first"):
        other.restore(file)
    assert not other.folder.exists()
    pi.restore(file)  # which has one of its own


def test_a_live_ledger_that_is_damaged_makes_no_backup(pi: Pi) -> None:
    from kiosk.backup.errors import BackupError

    first = pi.back_up()
    ledger = pi.state / "ledger.db"
    with ledger.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * 4096)
    with pytest.raises(BackupError, match="Keep the older backups"):
        pi.back_up()
    assert [path.name for path in (pi.state / "backups").glob("*.zip")] == [first.name]
    assert not list((pi.state / "backups").glob(".platypus-backup-*"))
    assert safekeeping.foresee(pi.config_path, first).manifest.schema
