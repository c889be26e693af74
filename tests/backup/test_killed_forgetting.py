"""Killed in the middle of forgetting, at every step: the next look goes on to the end, or nothing was begun."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from datetime import UTC
from pathlib import Path

import pytest
import sqlalchemy as sa
from backup_stage import STARTS, Pi, manifest_of

from hardware.alone import RunsAlready, alone
from hardware.clock import ManualClock
from kiosk import safekeeping
from kiosk.backup.shelf import Shelf
from kiosk.forgetting import Forgetting
from kiosk.ledger import NewTicket
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.pretix_copy import PretixCopy
from kiosk.pretix.desk import PretixDesk
from kiosk.pretix.links import Links
from kiosk.tickets.codes import digest
from kiosk.tickets.pretix.fake_server import FakePretix

HANDSHAKE = '{"handshake_version": 1, "url": "https://pretix.example.org", "token": "good once"}'


class LastingPretix(FakePretix):
    """One that knows of a revoked device in the next process, too."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.revoked_at = folder / "revoked"

    def revoke(self) -> None:
        super().revoke()
        self.revoked_at.touch()


def forgetting(pi: Pi, ledger: Ledger) -> Forgetting:
    clock = ManualClock(STARTS)
    places = safekeeping.places_of(pi.config, pi.config_path)
    shelf = Shelf(places, pi.state / "backups", 10, clock, None)
    links, server = Links(pi.state / "pretix.json"), LastingPretix(pi.folder)
    return Forgetting(ledger, pi.state / "reports", links, clock, None, UTC, shelf, server_of=lambda _: server)


def forget_killed_at(pi: Pi, limit: int) -> bool:
    """Whether it was: right before its step of that number."""
    child = os.fork()
    if child == 0:
        code = 3
        try:
            with pi.ledger() as ledger:
                count_steps(limit)
                forgetting(pi, ledger).forget(ledger.event("evening"))
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def count_steps(limit: int) -> None:
    """What changes a file, and what changes the ledger: of this process, for good."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}:
            step()

    def executed(db: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("UPDATE", "DELETE", "VACUUM", "PRAGMA wal")):
            step()

    def committed(db: object) -> None:
        step()

    sys.addaudithook(audited)
    sa.event.listen(sa.Engine, "before_cursor_execute", executed)
    sa.event.listen(sa.Engine, "commit", committed)


def prepare(pi: Pi) -> None:
    (pi.state / "reports" / "before.json").unlink()
    with pi.ledger() as ledger:
        event, links, server = ledger.event("evening"), Links(pi.state / "pretix.json"), LastingPretix(pi.folder)
        desk = PretixDesk.of(ledger, event, links, ManualClock(), "en", lambda _: server, server.enrol)
        desk.enrol(HANDSHAKE)
        desk.sync.round()
        assert PretixCopy(ledger, event).read() is not None
    pi.back_up()


def what_is_left(pi: Pi) -> set[str]:
    with pi.ledger() as ledger:
        event = ledger.event("evening")
        found = {
            "names": {ticket.holder for ticket in ledger.tickets(event)} != {None},
            "copy": PretixCopy(ledger, event).read() is not None,
        }
    backups = [manifest_of(path) for path in (pi.state / "backups").glob("*.zip")]
    return {name for name, is_there in found.items() if is_there} | {
        name
        for name, is_there in {
            "link": Links(pi.state / "pretix.json").get("evening") is not None,
            "device": not (pi.folder / "revoked").exists(),
            "backup": any(each.names for each in backups),
            "in the file": b"Guest 1" in (pi.state / "ledger.db").read_bytes(),
        }.items()
        if is_there
    }


@pytest.mark.timeout(300)
def test_forgetting_that_is_killed_is_not_begun_or_is_finished_by_the_next_look(pi: Pi, tmp_path: Path) -> None:
    prepare(pi)
    everything = what_is_left(pi)
    assert everything == {"names", "copy", "link", "device", "backup", "in the file"}
    pristine = tmp_path / "pristine"
    shutil.copytree(pi.folder, pristine)
    outcomes, between = [], set()
    limit = 1
    while forget_killed_at(pi, limit):
        left = what_is_left(pi)
        between.add(frozenset(left))
        with pi.ledger() as ledger:
            forgetting(pi, ledger).look()
        after = what_is_left(pi)
        assert after in (set(), everything), (limit, left, after)
        assert after == set() or left == everything, (limit, left)
        assert not [path for path in (pi.state / "reports").iterdir() if path.name.startswith(".forgetting-")]
        outcomes.append(not after)
        shutil.rmtree(pi.folder)
        shutil.copytree(pristine, pi.folder)
        limit += 1
    assert what_is_left(pi) == set()
    assert outcomes == sorted(outcomes), "from one moment on it is done, and before it nothing is"
    assert len(between) > 4, "it was killed in the middle of things"


def test_names_brought_in_while_backups_wait_are_not_forgotten_with_the_old_ones(pi: Pi) -> None:
    prepare(pi)
    with pi.ledger() as ledger:
        event = ledger.event("evening")
        with alone(pi.state / "backups" / ".lock", "somebody who makes one"), pytest.raises(RunsAlready):
            forgetting(pi, ledger).forget(event)
        assert what_is_left(pi) == {"backup"}
        ledger.put_tickets(event, [NewTicket(0, digest(b"new"), True, "Grace")])
        forgetting(pi, ledger).look()
        assert "Grace" in {ticket.holder for ticket in ledger.tickets(event)}
    assert b"Guest" not in b"".join(path.read_bytes() for path in (pi.state / "backups").glob("*.zip"))


def test_what_could_not_be_begun_is_not_done_later_by_surprise(pi: Pi) -> None:
    prepare(pi)
    (pi.state / "pretix.json").chmod(0o644)
    with pi.ledger() as ledger:
        with pytest.raises(OSError, match="may be read by others"):
            forgetting(pi, ledger).forget(ledger.event("evening"))
        (pi.state / "pretix.json").chmod(0o600)
        forgetting(pi, ledger).look()
    assert "names" in what_is_left(pi)


def test_an_event_that_is_in_no_ledger_any_more_stops_no_other_one(pi: Pi) -> None:
    (pi.state / "reports" / ".forgetting-winter").write_bytes(b"all\n")
    with pi.ledger() as ledger:
        forgetting(pi, ledger).look()
    assert not (pi.state / "reports" / ".forgetting-winter").exists() and "names" in what_is_left(pi)
