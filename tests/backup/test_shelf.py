"""Backups that are kept: how many, until when, and who else must not touch them."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from backup_stage import STARTS, Pi, manifest_of, platypus

from hardware.alone import RunsAlready, alone
from hardware.clock import ManualClock
from kiosk import safekeeping
from kiosk.backup.errors import BackupError, InUse, RestoreError
from kiosk.backup.in_use import works_on
from kiosk.backup.shelf import Shelf
from kiosk.forgetting import Forgetting
from kiosk.pretix.links import Links

FORTNIGHT = timedelta(days=14)
DUE = STARTS + FORTNIGHT


def shelf(pi: Pi, clock: ManualClock, *, keep: int = 10) -> Shelf:
    places = safekeeping.places_of(pi.config, pi.config_path)
    return Shelf(places, pi.state / "backups", keep, clock, FORTNIGHT)


def names(pi: Pi) -> list[str]:
    return sorted(path.name for path in (pi.state / "backups").glob("*.zip"))


def look(pi: Pi, clock: ManualClock) -> None:
    """What the worker does once an hour."""
    with pi.ledger() as ledger:
        links = Links(pi.state / "pretix.json")
        Forgetting(ledger, pi.state / "reports", links, clock, FORTNIGHT, UTC, shelf(pi, clock)).look()


def test_the_oldest_go_when_there_are_too_many_whatever_the_clock_says(pi: Pi) -> None:
    clock = ManualClock()
    for _ in range(3):
        shelf(pi, clock, keep=3).make()
    clock.jump_to(clock.stamp().wall.replace(year=1980))  # a Pi that woke up in the past
    shelf(pi, clock, keep=3).make()
    assert [name[:20] for name in names(pi)] == [f"platypus-backup-000{n}" for n in (2, 3, 4)]


def test_files_of_others_in_the_folder_are_not_thrown_away(pi: Pi) -> None:
    (pi.state / "backups").mkdir()
    (pi.state / "backups" / "holiday.zip").write_bytes(b"photos")
    shelf(pi, ManualClock(), keep=1).make()
    shelf(pi, ManualClock(), keep=1).make()
    assert "holiday.zip" in names(pi) and len(names(pi)) == 2


def test_backups_go_when_their_names_are_due_and_one_without_names_takes_their_place(pi: Pi) -> None:
    clock = ManualClock(DUE - timedelta(seconds=1))
    shelf(pi, clock).make()
    shelf(pi, clock).make()
    look(pi, clock)
    assert len(names(pi)) == 2
    clock.advance(2)
    look(pi, clock)
    assert [name[:20] for name in names(pi)] == ["platypus-backup-0003"]
    assert manifest_of(pi.state / "backups" / names(pi)[0]).names == ()
    assert b"Guest 1" not in (pi.state / "backups" / names(pi)[0]).read_bytes()
    look(pi, clock)
    assert len(names(pi)) == 1, "it stays: it has no names"


def test_what_a_killed_backup_left_goes_with_the_names(pi: Pi) -> None:
    left = pi.state / "backups" / ".platypus-backup-killed"
    left.mkdir(parents=True)
    (left / "ledger.db").write_bytes((pi.state / "ledger.db").read_bytes())
    (pi.state / "backups" / "..sent-killed").write_bytes(b"names")
    look(pi, ManualClock(DUE))
    assert [path for path in (pi.state / "backups").iterdir() if not path.name.startswith(".lock")] == []


def test_what_is_sent_or_made_right_now_is_not_cleared_away(pi: Pi) -> None:
    """The hourly look falls into it: what is half there belongs to somebody."""
    folder = pi.state / "backups"
    folder.mkdir()
    half = folder / "..sent-half"
    half.write_bytes(b"half")
    with alone(folder / ".lock-uploads", "somebody who sends one"):
        look(pi, ManualClock(DUE))
        assert half.exists()
        with pytest.raises(RunsAlready, match="a look at a backup runs already"):
            shelf(pi, ManualClock()).take_in(b"another one")
    look(pi, ManualClock(DUE))
    assert not half.exists()


def test_names_are_not_forgotten_beside_a_backup_that_is_being_made(pi: Pi) -> None:
    """It may hold them, and is on no list yet."""
    clock = ManualClock(DUE)
    shelf(pi, clock).make()
    with alone(pi.state / "backups" / ".lock", "somebody who makes one"):
        for forgets in (lambda: shelf(pi, clock).forget("evening"), shelf(pi, clock).forget_due):
            with pytest.raises(RunsAlready):
                forgets()
    assert len(names(pi)) == 1
    assert len(shelf(pi, clock).forget("evening")) == 1


def test_a_folder_that_is_cleared_away_before_anybody_held_it_is_made_again(pi: Pi) -> None:
    """Another process looks for what killed ones left, in the moment between making a folder and holding it."""
    script = """
import os, sys
from pathlib import Path
from kiosk import safekeeping
from kiosk.backup.writing import clear_left

cleared = []

def step(event, arguments):
    if event == "open" and ".platypus-backup-" in str(arguments[0]) and not cleared:
        cleared.append(arguments[0])
        clear_left(Path(arguments[0]).parent)

sys.addaudithook(step)
made = safekeeping.make(Path(sys.argv[1]))
assert cleared and made.path.exists()
"""
    words = [sys.executable, "-c", script, str(pi.config_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not list((pi.state / "backups").glob(".platypus-backup-*"))


def test_a_backup_is_read_once_however_often_it_is_listed(pi: Pi) -> None:
    kept = shelf(pi, ManualClock())
    path = kept.make().path
    (first,) = kept.backups()
    status, raw = path.stat(), path.read_bytes()
    path.write_bytes(b"x" * len(raw))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as if it were the same: then it is not read
    assert kept.backups() == [first]
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert [each.manifest for each in kept.backups()] == [None]
    path.unlink()
    assert kept.backups() == []


def test_a_link_to_nowhere_among_the_backups_costs_no_other_one(pi: Pi) -> None:
    path = shelf(pi, ManualClock()).make().path
    (path.parent / "gone.zip").symlink_to(path.parent / "nowhere")
    assert [each.path.name for each in shelf(pi, ManualClock()).backups() if each.manifest] == [path.name]


def test_a_link_to_nowhere_in_the_state_costs_no_backup(pi: Pi) -> None:
    (pi.state / "old.json").symlink_to(pi.state / "nowhere")
    file = pi.back_up()
    pi.restore(file)
    (aside,) = pi.aside
    assert (aside / "old.json").is_symlink(), "it goes aside with the rest"


def test_a_link_in_the_place_of_a_backup_is_not_written_over(pi: Pi, tmp_path: Path) -> None:
    (tmp_path / "backup.zip").symlink_to(tmp_path / "nowhere")
    with pytest.raises(BackupError, match="is there already"):
        safekeeping.make(pi.config_path, tmp_path / "backup.zip")


def test_a_clock_that_nobody_vouches_for_deletes_no_backup(pi: Pi) -> None:
    clock = ManualClock(DUE + FORTNIGHT)
    shelf(pi, clock).make()
    clock.is_trusted = False
    look(pi, clock)
    assert len(names(pi)) == 1 and manifest_of(pi.state / "backups" / names(pi)[0]).names


def test_what_a_restore_put_aside_goes_with_its_names(pi: Pi) -> None:
    pi.restore(pi.back_up())
    assert pi.aside
    look(pi, ManualClock(DUE - timedelta(days=1)))
    assert pi.aside
    look(pi, ManualClock(DUE))
    assert not pi.aside


def test_what_was_put_aside_unreadable_goes_when_its_time_has_passed(pi: Pi) -> None:
    file = pi.back_up()
    (pi.state / "ledger.db").write_bytes(b"no database at all")
    places = safekeeping.places_of(pi.config, pi.config_path)
    from kiosk.backup.restoring import restore

    restore(file, places, {}, ManualClock(STARTS).stamp())
    assert pi.aside and shelf(pi, ManualClock()).holding("evening")[-1].path == pi.aside[0]
    look(pi, ManualClock(DUE))
    assert not pi.aside


def test_erasing_an_event_deletes_its_backups_and_says_so(pi: Pi) -> None:
    platypus(pi, "backup")
    told = platypus(pi, "privacy", "show").stdout
    assert f"{pi.state}/backups/{names(pi)[0]}: names of evening: deleted on 2026-12-08" in told
    data = json.loads(platypus(pi, "privacy", "show", "--json").stdout)
    assert data["backups"][0]["events"] == ["evening"] and data["backups"][0]["goes_at"].startswith("2026-12-08")
    first = names(pi)[0]
    told = platypus(pi, "privacy", "erase", "evening", "--yes").stdout
    assert f"{first} is deleted" in told and "yours to delete" in told
    assert len(names(pi)) == 1 and first not in names(pi)
    assert manifest_of(pi.state / "backups" / names(pi)[0]).names == ()


def test_a_backup_that_cannot_be_read_is_named_for_a_person_to_delete(pi: Pi) -> None:
    (pi.state / "backups").mkdir()
    (pi.state / "backups" / "platypus-backup-0007-2026-11-24.zip").write_bytes(b"PK\3\4 half")
    assert "delete it by hand" in platypus(pi, "privacy", "show").stdout
    platypus(pi, "backup")
    assert any("0008" in name for name in names(pi))


@pytest.mark.parametrize("program", ["door", "stream", "dashboard"])
def test_a_restore_waits_for_no_program_and_says_which_to_stop(pi: Pi, program: str) -> None:
    file = pi.back_up()
    before = pi.everything()
    with works_on(pi.state, program):  # type: ignore[arg-type]
        with pytest.raises(InUse, match=f"platypus {program} run.*systemctl stop platypus-{program}"):
            pi.restore(file)
        assert pi.everything() == before
        pi.back_up()  # which needs nobody to stop
    pi.restore(file)


def test_a_killed_program_does_not_keep_the_files(pi: Pi) -> None:
    file = pi.back_up()
    code = f"""
import sys, time
from pathlib import Path
from kiosk.backup.in_use import works_on
with works_on(Path({str(pi.state)!r}), "door"):
    print("holds", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(InUse):
            pi.restore(file)
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    pi.restore(file)


def test_a_name_that_is_taken_stays_as_it_is(pi: Pi, tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.zip"
    thesis.write_text("years of work")
    with pytest.raises(BackupError, match="there already"):
        safekeeping.make(pi.config_path, thesis)
    assert thesis.read_text() == "years of work"


def limited(pi: Pi, bytes_: int, *words: str) -> subprocess.CompletedProcess[str]:
    """The command on a disk that takes no larger file than so: the kernel refuses to write further."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    return subprocess.run(
        [sys.executable, "-m", "kiosk", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
        env={"PLATYPUS_CONFIG": str(pi.config_path), "PATH": "/usr/bin:/bin"},
    )


@pytest.mark.parametrize("bytes_", [50_000, 100_000])
def test_a_full_disk_is_told_and_no_half_backup_is_left(pi: Pi, bytes_: int) -> None:
    (pi.state / "look" / "logo.png").write_bytes(os.urandom(200_000))
    done = limited(pi, bytes_, "backup")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "backup" in done.stderr and ("Is there room" in done.stderr or "Is the disk full" in done.stderr)
    assert [path.name for path in (pi.state / "backups").iterdir()] == [".lock"]


def test_a_full_disk_leaves_the_old_state_whole(pi: Pi) -> None:
    file = pi.back_up()
    before = pi.everything()
    done = limited(pi, 50_000, "restore", str(file), "--yes")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "cannot be" in done.stderr or "failed" in done.stderr
    assert pi.everything() == before


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="root may read everything")
def test_what_may_not_be_read_is_named(pi: Pi) -> None:
    """A backup without the stream keys would be worth less than it looks: there is none then."""
    words = [sys.executable, "-m", "kiosk", "backup"]
    if os.geteuid() == 0:  # a root that may not read what is not allowed
        words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *words]
    secrets = pi.config_path.with_name("secrets.toml")
    secrets.chmod(0)
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PLATYPUS_CONFIG": str(pi.config_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 1, done.stderr
    assert f"{secrets}: Permission denied" in done.stderr
    assert re.search(r"sudo platypus backup \S+platypus-backup-0001-\S+\.zip", done.stderr), "the file that was meant"
    assert names(pi) == []


def test_the_commands_tell_programs_in_json(pi: Pi, other: Pi) -> None:
    made = json.loads(platypus(pi, "backup", "--json").stdout)
    assert made["bytes"] == Path(made["file"]).stat().st_size
    assert {"ledger.db", "config/secrets.toml"} <= {each["name"] for each in made["files"]}
    told = json.loads(platypus(pi, "restore", made["file"], "--check", "--json").stdout)
    assert told["is_restored"] is False and told["migrates"] is False
    assert str(pi.config_path) in told["keeps"]
    platypus(pi, "restore", made["file"], "--json", exit_code=2)
    done = json.loads(
        platypus(other, "restore", made["file"], "--yes", "--json", "--state-dir", str(other.state)).stdout
    )
    assert done["is_restored"] is True and done["aside"] is None
    assert "talk" not in json.dumps([made, told, done]).replace("talks", ""), "no key is shown"


def test_the_commands_tell_people_what_they_should_know(pi: Pi, other: Pi, tmp_path: Path) -> None:
    told = platypus(pi, "backup", str(tmp_path)).stdout
    (file,) = tmp_path.glob("platypus-backup-*.zip")
    assert "written and read back" in told and "stream keys" in told and "Recordings are not in it" in told
    told = platypus(other, "restore", str(file), "--check", "--state-dir", str(other.state)).stdout
    assert "is whole" in told and "Names of evening" in told and f"it goes to {other.state}" in told
    assert not other.folder.exists(), "a check changes nothing"
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(file.read_bytes()[:-1])
    said = platypus(other, "restore", str(damaged), "--yes", exit_code=1).stderr
    assert "Nothing was changed" in said
    assert not other.folder.exists()
    with pytest.raises(RestoreError):
        safekeeping.foresee(other.config_path, tmp_path / "nowhere.zip")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_and_restores_belongs_to_whose_state_it_is(pi: Pi) -> None:
    """`sudo platypus backup` and `sudo platypus restore` lock nobody out."""
    for path in [pi.folder, *pi.folder.rglob("*")]:
        os.chown(path, 65534, 65534)
    file = pi.back_up()
    pi.restore(file, with_config=True)
    strangers = [path for path in pi.folder.rglob("*") if path.stat().st_uid != 65534]
    assert strangers == []


@pytest.mark.skipif(os.geteuid() != 0, reason="files of two users are made by root")
def test_a_backup_that_another_user_owns_has_no_stream_keys_in_it(pi: Pi) -> None:
    """As the appliance has it: the state is the dashboard's, the keys are the stream's."""
    secrets = pi.config_path.with_name("secrets.toml")
    assert secrets.exists()
    for path, owner in ((pi.state, 12345), (secrets, 12346)):
        os.chown(path, owner, owner)
    kept = shelf(pi, ManualClock()).make()
    assert kept.manifest.left_out == ("config/secrets.toml",)
    assert "config/secrets.toml" not in {each.name for each in kept.manifest.files}
    whole = safekeeping.make(pi.config_path, pi.state.parent / "whole.zip")
    assert whole.manifest.left_out == ()
    assert "config/secrets.toml" in {each.name for each in whole.manifest.files}
    folder = pi.state / "backups"
    for to in (folder, folder / "mine.zip", folder / "new" / "mine.zip", pi.state / "mine.zip"):
        assert safekeeping.make(pi.config_path, to).manifest.left_out == ("config/secrets.toml",), to
    assert [path for path in pi.state.rglob("*.zip") if path.stat().st_uid != 12345] == []


def test_what_a_restore_puts_back_into_a_shared_state_is_for_those_who_share_it(pi: Pi, other: Pi) -> None:
    made = safekeeping.make(pi.config_path, pi.state.parent / "whole.zip")
    other.state.mkdir(parents=True, exist_ok=True)
    other.state.chmod(0o2770)
    foreseen = safekeeping.foresee(other.config_path, made.path, state_dir=other.state)
    safekeeping.put_back(other.config_path, made.path, foreseen)
    modes = {name: (other.state / name).stat().st_mode & 0o777 for name in ("ledger.db", "agenda.json")}
    assert modes == {"ledger.db": 0o660, "agenda.json": 0o640}
    assert (other.state / "event-secrets.json").stat().st_mode & 0o777 == 0o600
