"""What another Pi knows after a restore."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from backup_stage import Pi, admit, manifest_of

from kiosk import safekeeping
from kiosk.backup.errors import BackupError
from kiosk.config import ConfigError, event_secret, load_secrets, secrets_path
from kiosk.ledger import migrations
from kiosk.ledger.audit import audit
from stream.order import OrderFile


def test_another_pi_admits_whom_the_old_one_would_and_refuses_who_is_in(pi: Pi, other: Pi) -> None:
    assert pi.admit(0, "n0") == "admitted"
    file = pi.back_up()
    other.restore(file, state_dir=other.state)
    assert other.admit(0, "n1") == "already_redeemed"
    assert other.admit(1, "n2") == "admitted"
    assert other.admit(9, "n3") == "invalid"
    with other.ledger() as ledger:
        assert audit(ledger) == []


def test_everything_but_recordings_is_on_the_other_pi_as_it_was(pi: Pi, other: Pi) -> None:
    other.restore(pi.back_up(), state_dir=other.state)
    was, is_now = dict(pi.content()), dict(other.content())
    told = is_now["state/changes.jsonl"].removeprefix(was["state/changes.jsonl"])
    assert told.count(b"\n") == 1 and b"is restored" in told
    # Folders are its own; see below for the order
    for name in ("config/platypus.toml", "state/stream-order.json", "state/changes.jsonl"):
        del was[name], is_now[name]
    assert is_now == was
    assert {"look/logo.png", "state/tls/certificate.pem", "state/dashboard.json", "config/secrets.toml"} <= set(was)
    assert not (other.state / "recordings").exists()
    assert event_secret(other.config, "evening") == event_secret(pi.config, "evening")
    assert load_secrets(secrets_path(other.config_path)).stream_keys == {"venue": "talk"}


def test_all_of_it_is_for_its_owner_alone(pi: Pi, other: Pi) -> None:
    file = pi.back_up()
    assert file.stat().st_mode & 0o077 == 0
    other.restore(file, state_dir=other.state)
    assert [path for path in other.state.rglob("*") if path.stat().st_mode & 0o077] == []
    assert secrets_path(other.config_path).stat().st_mode & 0o777 == 0o600


def test_scans_go_on_while_a_backup_is_made(pi: Pi, other: Pi) -> None:
    """What it has is a moment: each guest is in it as a whole or not at all, and the door waits for nothing."""
    with pi.ledger() as ledger:
        event = ledger.event("evening")
        from kiosk.ledger import NewTicket
        from kiosk.tickets.codes import digest

        many = [NewTicket(0, digest(f"code of guest {n}".encode()), True, f"Guest {n}") for n in range(300)]
        ledger.put_tickets(event, many)
        ledger.change_event(event, capacity=500, fire_limit=500)
        event = ledger.event("evening")
        admitted: list[int] = []
        half, made = threading.Event(), threading.Event()

        def door() -> None:
            for n in range(3, 300):
                if admit(ledger, event, n, f"s{n}") == "admitted":
                    admitted.append(n)
                if n == 30:
                    half.set()
                if made.is_set() and n > 60:
                    return

        thread = threading.Thread(target=door)
        thread.start()
        half.wait(10)
        before = len(admitted)
        file = pi.back_up()
        made.set()
        thread.join(30)
    other.restore(file, state_dir=other.state)
    with other.ledger() as copy:
        assert audit(copy) == []
        inside = copy.occupancy(copy.event("evening")).inside
    assert before <= inside <= len(admitted)
    assert other.admit(admitted[0], "again") == "already_redeemed"


def test_a_stream_that_was_on_air_is_not_on_air_by_itself(pi: Pi, other: Pi) -> None:
    file = pi.back_up()
    done, notes = safekeeping.put_back(
        other.config_path, file, safekeeping.foresee(other.config_path, file, state_dir=other.state)
    )
    order = OrderFile(other.state / "stream-order.json").read()
    assert done.was_live and order is not None
    assert (order.do, order.program) == ("stopped", "hidden")
    assert any("on air" in note for note in notes)


def test_what_was_there_goes_aside_and_is_whole(pi: Pi, tmp_path: Path) -> None:
    file = pi.back_up()
    assert pi.admit(1, "later") == "admitted"
    pi.restore(file)
    assert pi.admit(1, "n") == "admitted", "the backup did not know of it"
    assert (pi.state / "recordings" / "talk.ts").read_text() == "a film", "recordings stay where they are"
    (aside,) = pi.aside
    old = Pi(tmp_path / "aside")
    old.state = aside
    assert old.admit(1, "n") == "already_redeemed"
    pi.restore(file)
    assert len(pi.aside) == 2, "and again to another folder"


def test_folders_are_those_of_the_machine_it_is_restored_on(pi: Pi, other: Pi) -> None:
    file = pi.back_up()
    other.configure("[dashboard]\nport = 8081\n")
    other.restore(file)
    assert other.config.dashboard.port == 8081, "its own configuration stays"
    other.restore(file, with_config=True)
    assert other.config.dashboard.port == 8080
    assert other.config.state_dir == str(other.state)
    assert other.config.bus.socket == f"{other.folder}/bus.sock"
    assert other.config_path.read_text().startswith("# written by a person")
    kept = other.aside[-1] / "before-restore-config" / "platypus.toml"
    assert "8081" in kept.read_text()


def test_a_look_elsewhere_and_a_certificate_of_ones_own_come_along(pi: Pi, other: Pi) -> None:
    elsewhere, own = pi.folder / "brand", pi.folder / "etc"
    (pi.state / "look").rename(elsewhere)
    for name in ("door.pem", "door.key"):
        (own / name).write_text(name)
    pi.configure(
        f'[stream]\nlook_dir = "{elsewhere}"\n'
        f'[dashboard.https]\ncertificate = "{own}/door.pem"\nkey = "{own}/door.key"\n'
    )
    file = pi.back_up()
    other.configure(f'[stream]\nlook_dir = "{other.folder}/art"\n')
    (other.folder / "art").mkdir()
    (other.folder / "art" / "own.png").write_text("its own")
    other.restore(file)
    assert (other.folder / "art" / "logo.png").read_text() == "a logo"
    assert [path.read_text() for path in other.folder.glob("art-before-restore-*/own.png")] == ["its own"]
    assert (other.folder / "etc" / "door.key").read_text() == "door.key"


def test_an_older_ledger_is_brought_up_to_date(pi: Pi, other: Pi, tmp_path: Path) -> None:
    older = tmp_path / "older.db"
    engine = sa.create_engine(f"sqlite:///{older}")
    with engine.connect() as db:
        db.exec_driver_sql("PRAGMA journal_mode=DELETE")
    migrations.upgrade(engine, tmp_path / "older.lock", "0001")
    with engine.begin() as db:
        db.exec_driver_sql("INSERT INTO events VALUES (1, 'evening', 'An evening', 50, 50, 1, NULL, NULL, NULL)")
    engine.dispose()
    (pi.state / "ledger.db").unlink()
    older.rename(pi.state / "ledger.db")
    made = safekeeping.make_before_upgrade(pi.config_path)
    assert made is not None and made.manifest.schema == "0001", "a backup changes nothing of what it takes"
    assert safekeeping.foresee(other.config_path, made.path, state_dir=other.state).migrates
    other.restore(made.path, state_dir=other.state)
    with other.ledger() as ledger:
        assert ledger.event("evening").name == "An evening"
        assert audit(ledger) == []


def test_before_an_upgrade_nothing_is_made_of_a_ledger_that_is_up_to_date(pi: Pi) -> None:
    assert safekeeping.make_before_upgrade(pi.config_path) is None


def test_without_a_ledger_there_is_no_backup(pi: Pi) -> None:
    (pi.state / "ledger.db").unlink()
    with pytest.raises(BackupError, match="no ledger"):
        pi.back_up()
    assert not list((pi.state / "backups").glob("*.zip"))


def test_a_machine_with_a_configuration_says_itself_where_its_state_is(pi: Pi, other: Pi) -> None:
    file = pi.back_up()
    other.configure()
    with pytest.raises(ConfigError, match="change it there"):
        other.restore(file, state_dir=other.folder / "elsewhere")


def test_it_says_what_it_is(pi: Pi) -> None:
    manifest = manifest_of(pi.back_up())
    assert manifest.schema == migrations.HEAD
    assert [each.event for each in manifest.names] == ["evening"]
    assert manifest.erase_by is not None and manifest.erase_by.date().isoformat() == "2026-12-08"
