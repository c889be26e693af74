"""A restore by root, where each program has a user of its own: what it leaves stops nobody, and gives nobody rights."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from backup_stage import STARTS, Pi

from hardware.clock import ManualClock
from hardware.errors import PlatypusError
from hardware.units import Program
from kiosk import safekeeping
from kiosk.backup import swap
from kiosk.backup.errors import BackupError, RestoreError
from kiosk.backup.in_use import works_on
from kiosk.backup.restoring import restore
from kiosk.backup.swap import Move, Plan
from kiosk.backup.writing import write_backup

DASHBOARD, STREAM, DOOR, GROUP = 12345, 12346, 12347, 12348

STAMP = ManualClock(STARTS).stamp()

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has files of several users")


@pytest.fixture
def appliance() -> Iterator[Pi]:
    """The state is the dashboard's, for a group that all share; the configuration is root's, the keys the stream's."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own is closed to other users
        folder = Path(name)
        folder.chmod(0o755)
        pi = Pi(folder).prepare()
        for path in [pi.state, *pi.state.rglob("*")]:
            os.chown(path, DASHBOARD, GROUP)
        pi.state.chmod(0o2770)
        os.chown(pi.config_path.with_name("secrets.toml"), STREAM, GROUP)
        yield pi


def in_child(act: Callable[[], None], uid: int = 0) -> tuple[int, str]:
    """Do it in a process of its own, as another user. Returns its exit code and what it said."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said, code = "a traceback is above", 3
        try:
            os.setgroups([])
            os.setgid(GROUP if uid else 0)
            os.setuid(uid)
            act()
            said, code = "", 0
        except PlatypusError as error:
            said, code = str(error), 1
        except OSError as error:
            said, code = str(error), 2
        finally:
            os.write(write, said.encode())
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as told:
        said = told.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def restore_killed_at(pi: Pi, file: Path, limit: int) -> int:
    """Returns the exit code; -9 when it was killed right before its step of that number."""
    steps = 0

    def step(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if event in {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chown", "sqlite3.connect"}:
            steps += 1
            if steps == limit:
                os.kill(os.getpid(), signal.SIGKILL)

    foreseen = safekeeping.foresee(pi.config_path, file, with_config=True)

    def act() -> None:
        sys.addaudithook(step)
        safekeeping.put_back(pi.config_path, file, foreseen)

    code, said = in_child(act)
    assert code in (0, -9), said
    return code


def starts(pi: Pi, program: Program, uid: int) -> tuple[int, str]:
    def act() -> None:
        with works_on(pi.state, program, (pi.config_path.parent, pi.config.look_path)):
            pass

    return in_child(act, uid)


def whole(pi: Pi) -> Path:
    return safekeeping.make(pi.config_path, pi.folder / "whole.zip").path


@pytest.mark.timeout(300)
def test_a_restore_that_root_did_not_finish_stops_programs_only_when_something_was_begun(appliance: Pi) -> None:
    file = whole(appliance)
    outcomes = set()
    limit = 1
    while restore_killed_at(appliance, file, limit) != 0:
        is_begun = swap.is_unfinished(appliance.state)
        for program, uid in (("door", DOOR), ("stream", STREAM), ("dashboard", DASHBOARD)):
            code, said = starts(appliance, program, uid)  # type: ignore[arg-type]
            may_finish = uid == DASHBOARD and not swap.is_unfinished(appliance.state)  # what is left is in the state
            assert code == (1 if is_begun and not may_finish else 0), (limit, program, said)
            assert code == 0 or "sudo platypus restore FILE" in said
        outcomes.add(is_begun)
        if is_begun:
            appliance.restore(file, with_config=True)
            assert starts(appliance, "door", DOOR) == (0, "")
        limit += 3
    assert outcomes == {True, False}
    assert not list(appliance.folder.rglob(".restoring*"))


def test_what_root_left_is_cleared_by_whose_state_it_is(appliance: Pi) -> None:
    file = whole(appliance)
    limit = 1
    while not (appliance.state / ".restoring" / "look" / "logo.png").exists():
        assert restore_killed_at(appliance, file, limit) == -9
        limit += 1
    assert starts(appliance, "dashboard", DASHBOARD) == (0, "")
    assert not (appliance.state / ".restoring").exists()


def test_what_cannot_be_cleared_is_logged_and_stops_nobody(appliance: Pi) -> None:
    (appliance.state / ".restoring").mkdir(mode=0o700)
    (appliance.state / ".restoring" / "ledger.db").write_text("x")
    assert starts(appliance, "door", DOOR) == (0, "")
    assert (appliance.state / ".restoring").exists()
    appliance.restore(whole(appliance))
    assert not (appliance.state / ".restoring").exists()


def test_the_keys_that_a_restore_replaces_stay_the_streams(appliance: Pi) -> None:
    appliance.restore(whole(appliance), with_config=True)
    (aside,) = appliance.aside
    kept = aside / "before-restore-config" / "secrets.toml"
    assert (kept.stat().st_uid, kept.stat().st_mode & 0o777) == (STREAM, 0o600)
    code, said = in_child(lambda: print(kept.read_bytes()), DASHBOARD)
    assert code == 2 and "Permission denied" in said
    strangers = [path for path in aside.rglob("*") if path.stat().st_uid != DASHBOARD]
    assert {path.name for path in strangers} == {"secrets.toml", "platypus.toml"}, "as they were"
    code, said = in_child(lambda: swap.remove(aside), DASHBOARD)
    assert code == 0, "and whose folder it is may let it go when its names are due"


@pytest.mark.parametrize("name", [".restore", ".in-use-door"])
def test_a_link_in_the_place_of_a_lock_gives_nobody_its_target(appliance: Pi, name: str) -> None:
    file = whole(appliance)
    (appliance.state / name).unlink(missing_ok=True)
    shadow = appliance.folder / "shadow"
    shadow.write_text("private")
    (appliance.state / name).symlink_to(shadow)
    with pytest.raises(RestoreError, match=f"{name}: .*symbolic links"):
        appliance.restore(file)
    assert shadow.stat().st_uid == 0


@pytest.mark.parametrize("where", ["target", "source"])
def test_a_plan_of_whoever_has_the_state_moves_nothing_elsewhere(appliance: Pi, where: str) -> None:
    file = whole(appliance)
    inside, outside = appliance.state / "evil", appliance.folder / "elsewhere" / "file"
    inside.write_text("evil")
    outside.parent.mkdir()
    outside.write_text("not ours")
    (appliance.state / "door").symlink_to(outside.parent)  # so that it looks as if it were inside
    move = Move(str(inside), str(appliance.state / "door" / "file"))
    if where == "source":
        move = Move(str(outside), str(inside))
    swap.commit(appliance.state, Plan(replaced=(move,)))
    with pytest.raises(RestoreError, match="nothing of Platypus is"):
        appliance.restore(file)
    assert (inside.read_text(), outside.read_text()) == ("evil", "not ours")


def test_a_link_among_what_was_unpacked_gives_nobody_its_target(appliance: Pi) -> None:
    from kiosk.backup import restoring

    shadow = appliance.folder / "shadow"
    shadow.write_text("private")
    (appliance.state / "look" / "link.png").symlink_to(shadow)
    restoring._own_all(appliance.state / "look", appliance.state)
    assert shadow.stat().st_uid == 0


def test_a_name_that_may_not_be_looked_at_is_not_taken_for_absent(appliance: Pi) -> None:
    closed = appliance.folder / "closed"
    closed.mkdir(mode=0o700)
    (closed / "ledger.db").write_text("x")
    code, said = in_child(lambda: print(swap.is_there(closed / "ledger.db")), DOOR)
    assert code == 2 and "Permission denied" in said
    assert not swap.is_there(closed / "ledger.db" / "below") and not swap.is_there(closed / "absent")


def test_a_plan_is_as_private_as_the_state(appliance: Pi) -> None:
    swap.commit(appliance.state, Plan())
    code, said = starts(appliance, "door", DOOR)
    assert code == 1 and "Permission denied" in said and "sudo platypus restore FILE" in said
    assert msgspec.json.decode((appliance.state / ".restore-plan.json").read_bytes(), type=Plan) == Plan()


@pytest.mark.parametrize("planted", ["look/talk.png", "talk.json", "talk"])
def test_root_puts_nothing_into_a_backup_that_a_planted_link_leads_to(appliance: Pi, planted: str) -> None:
    """A backup on the shelf is the dashboard's: it would read the stream's keys in it."""
    secrets = appliance.config_path.with_name("secrets.toml")
    link = appliance.state / planted
    link.symlink_to(secrets.parent if planted == "talk" else secrets)
    os.chown(link, DASHBOARD, GROUP, follow_symlinks=False)
    if planted == "talk.json":  # the keys themselves are never of the state, by whatever name
        assert b"talk.json" not in appliance.back_up().read_bytes()
        return
    with pytest.raises(BackupError, match=f"{planted}: it is a link to what belongs to another user"):
        appliance.back_up()
    os.chown(link, 0, 0, follow_symlinks=False)  # root's own link is meant
    appliance.back_up()


def test_two_restores_within_a_second_put_aside_what_there_was_under_names_of_their_own(appliance: Pi) -> None:
    look = appliance.folder / "look"
    look.mkdir()
    places = safekeeping.places_of(appliance.config, appliance.config_path)._replace(look_path=look)
    (look / "logo.png").write_text("the first")
    file, stamp = write_backup(places, appliance.folder / "whole.zip", STAMP, None).path, STAMP
    for _ in range(3):
        restore(file, places, {}, stamp)
    day = "2026-11-24-180000"
    assert [path.name for path in appliance.aside] == [f"before-restore-{day}{n}" for n in ("", "-2", "-3")]
    beside = sorted(path.name for path in appliance.folder.glob("look-*"))
    assert beside == [f"look-before-restore-{day}{n}" for n in ("", "-2", "-3")]
    assert (look / "logo.png").read_text() == "the first"
