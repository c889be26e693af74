"""The ledger's promises, on a real SQLite file."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.clock import ManualClock
from kiosk.ledger import Caveat, Event, LedgerError, NewTicket, Presentation, Reason, UnknownEvent, migrations
from kiosk.ledger.audit import audit
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.schema import metadata
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status

CLOCK = ManualClock()


def ticket(code: str, **more: object) -> NewTicket:
    return NewTicket(0, digest(code.encode()), is_own=False, **more)  # type: ignore[arg-type]


def shown(code: str, nonce: str, *, clock: ManualClock = CLOCK) -> Presentation:
    return Presentation(code.encode(), nonce, "main", "camera", clock.stamp())


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        yield ledger


@pytest.fixture
def event(ledger: Ledger) -> Event:
    return ledger.create_event("evening", "An evening", capacity=2)


def test_a_known_ticket_is_admitted_once(ledger: Ledger, event: Event) -> None:
    ledger.put_tickets(event, [ticket("A", holder="Ada")])
    first = ledger.admit(event, shown("A", "n1"))
    second = ledger.admit(event, shown("A", "n2"))
    assert (first.is_admitted, first.inside, first.ticket and first.ticket.holder) == (True, 1, "Ada")
    assert (second.reason, second.inside) == (Reason.ALREADY_REDEEMED, 1)


def test_a_retried_scan_is_not_a_second_entry(ledger: Ledger, event: Event) -> None:
    ledger.put_tickets(event, [ticket("A")])
    first = ledger.admit(event, shown("A", "same"))
    again = ledger.admit(event, shown("A", "same"))
    assert again.is_admitted and again.is_repeat and again.scan_id == first.scan_id
    assert ledger.head_count(event).inside == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status.UNPAID, Reason.UNPAID),
        (Status.CANCELED, Reason.CANCELED),
        (Status.BLOCKED, Reason.BLOCKED),
        (Status.UNAPPROVED, Reason.UNAPPROVED),
        (Status.REVOKED, Reason.REVOKED),
    ],
)
def test_a_ticket_that_is_worth_nothing_says_why(ledger: Ledger, event: Event, status: Status, reason: Reason) -> None:
    ledger.put_tickets(event, [ticket("A", status=status)])
    assert ledger.admit(event, shown("A", "n")).reason is reason


def test_an_unknown_code_is_invalid_and_kept_as_a_row(ledger: Ledger, event: Event) -> None:
    assert ledger.admit(event, shown("nobody's", "n")).reason is Reason.INVALID
    assert [row.reason for row in ledger.recent_scans(event, 5)] == [Reason.INVALID]


def test_a_full_room_refuses_good_tickets_only_after_wrong_ones_heard_their_reason(
    ledger: Ledger, event: Event
) -> None:
    ledger.put_tickets(event, [ticket(code) for code in "ABC"] + [ticket("U", status=Status.UNPAID)])
    answers = [ledger.admit(event, shown(code, f"n{code}")).reason for code in "ABCU"]
    assert answers == [None, None, Reason.FULL, Reason.UNPAID]
    assert ledger.refusals(event) == {Reason.FULL: 1, Reason.UNPAID: 1}


def test_a_ticket_outside_its_hours_is_refused_when_the_time_is_known(ledger: Ledger, event: Event) -> None:
    early = CLOCK.stamp().wall + timedelta(hours=1)
    ledger.put_tickets(event, [ticket("A", valid_from=early)])
    assert ledger.admit(event, shown("A", "n")).reason is Reason.INVALID_TIME


def test_a_wrong_clock_never_refuses_a_guest_and_the_green_says_so(ledger: Ledger, event: Event) -> None:
    lost = ManualClock(is_trusted=False)
    ledger.put_tickets(event, [ticket("A", valid_from=lost.stamp().wall + timedelta(days=999))])
    answer = ledger.admit(event, shown("A", "n", clock=lost))
    assert answer.is_admitted and answer.caveats == (Caveat.CLOCK,)


def test_the_database_itself_refuses_a_second_entry_and_a_second_nonce(
    ledger: Ledger, event: Event, tmp_path: Path
) -> None:
    ledger.put_tickets(event, [ticket("A")])
    ledger.admit(event, shown("A", "n1"))
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        rest = "event_id, code_sha256, gate, source, kind, delta, inside, fire_limit"
        rest += ", wall, monotonic_ns, boot_id, clock_trusted"
        copy = f"INSERT INTO scans (nonce, ticket_id, visit, {rest}) SELECT ?, ?, ?, {rest} FROM scans"  # noqa: S608
        with pytest.raises(sqlite3.IntegrityError, match="ticket_id, scans.kind, scans.visit"):
            db.execute(copy, ("n2", 1, 1))
        with pytest.raises(sqlite3.IntegrityError, match="nonce"):
            db.execute(copy, ("n1", 1, 2))
        db.execute(copy, ("n2", 1, 2))  # a second visit, after an exit, is another row
        db.rollback()
    db.close()


def test_a_scan_can_be_neither_changed_nor_deleted(ledger: Ledger, event: Event, tmp_path: Path) -> None:
    ledger.admit(event, shown("x", "n"))
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        for change in ("DELETE FROM scans", "UPDATE scans SET gate = 'back'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(change)
    db.close()


def test_every_commit_is_on_the_disk_before_the_answer(ledger: Ledger) -> None:
    with ledger.database.reading() as db:
        assert db.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(ledger: Ledger) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with ledger.database._engine.connect() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
        unique = {c["name"] for t in metadata.tables for c in sa.inspect(db).get_unique_constraints(t)}
        checks = {c["name"] for t in metadata.tables for c in sa.inspect(db).get_check_constraints(t)}
    said = [
        c
        for table in metadata.tables.values()
        for c in [*table.constraints, *(c for k in table.c for c in k.constraints)]
    ]
    assert unique == {
        "uq_" + "_".join([c.table.name, *c.columns.keys()]) for c in said if isinstance(c, sa.UniqueConstraint)
    }
    assert checks == {c.name for c in said if isinstance(c, sa.CheckConstraint)}


def test_an_older_ledger_is_brought_up_with_every_row_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    migrations.upgrade(engine, tmp_path / "ledger.lock", "0001")
    with engine.begin() as db:
        released = "1970-01-01 00:00:00.000000"  # how an older program wrote that a person said so
        db.exec_driver_sql(f"INSERT INTO events VALUES (1, 'evening', 'An evening', 5, 5, 1, NULL, '{released}', NULL)")  # noqa: S608
        db.exec_driver_sql(
            "INSERT INTO tickets VALUES "
            "(1, 1, 1, x'01', 0, 0, 'Zoë', NULL, NULL, 'paid', NULL, NULL, 0, NULL, NULL, '')"
        )
        db.exec_driver_sql("INSERT INTO waiting VALUES (1, 1, 'Bo', 2, '2026-11-24 18:00:00')")
        for key, kind, visit, undoes, delta, inside in (
            (1, "entry", 1, None, 1, 1),
            (2, "undo", None, 1, -1, 0),
            (3, "entry", 2, None, 1, 1),
        ):
            db.exec_driver_sql(
                "INSERT INTO scans VALUES (?, ?, 1, 1, x'01', 'main', 'camera', NULL, ?, ?, ?, NULL, '', ?, ?, 5, "
                "'2026-11-24 18:00:00', ?, 'boot', 1)",
                (key, f"n{key}", kind, visit, undoes, delta, inside, key),
            )
        before = db.exec_driver_sql("SELECT * FROM scans").all()
    engine.dispose()
    with Ledger(path) as ledger:
        with ledger.database.reading() as db:
            rows = [tuple(row)[:-2] for row in db.exec_driver_sql("SELECT * FROM scans WHERE kind != 'release'")]
            assert rows == [*map(tuple, before)]
            assert db.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert audit(ledger) == []
        event = ledger.event("evening")
        assert [guest.name for guest in ledger.waiting_list(event)] == ["Bo"]
        assert event.release_no_shows_at is None and ledger.recent_scans(event, 1)[0].kind == "release"
        unset = CLOCK.stamp()._replace(is_trusted=False)
        assert ledger.seats(event, unset).kept == 0
        with ledger.database.writing() as db, pytest.raises(sa.exc.IntegrityError, match="append-only"):
            db.exec_driver_sql("DELETE FROM scans")


def test_an_older_ledger_is_brought_up_beside_somebody_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    migrations.upgrade(engine, tmp_path / "ledger.lock", "0001")
    engine.dispose()
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO waiting VALUES (1, 1, 'Bo', 2, '2026-11-24 18:00:00')")
    opened: list[Ledger] = []
    opening = threading.Thread(target=lambda: opened.append(Ledger(path)))
    opening.start()
    opening.join(0.3)  # it waits for the writer
    assert not opened
    writer.execute("ROLLBACK")
    opening.join(10)
    opened[0].close()
    writer.close()


def test_tickets_of_an_older_ledger_are_found_and_their_source_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    migrations.upgrade(engine, tmp_path / "ledger.lock", "0002")
    engine.dispose()
    with sqlite3.connect(path) as older:
        older.execute("INSERT INTO events VALUES (1, 'evening', 'An evening', 50, 50, 1, NULL, NULL, NULL)")
        older.execute(
            "INSERT INTO tickets VALUES (1, 1, 1, x'00', 0, 0, 'Conan O''Brien', NULL, NULL, 'paid', NULL, NULL, 0, "
            "NULL, NULL, 'conan o brien')"
        )
    older.close()
    with Ledger(path) as ledger:
        (found,) = ledger.find(ledger.event("evening"), "obrien")
        assert (found.ticket.holder, found.ticket.source) == ("Conan O'Brien", None)


def test_an_older_ledger_whose_rows_do_not_fit_together_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    migrations.upgrade(engine, tmp_path / "ledger.lock", "0001")
    with sqlite3.connect(path) as tampering:  # a guest of an event that is not there
        tampering.execute("INSERT INTO waiting VALUES (1, 7, 'Bo', 2, '2026-11-24 18:00:00')")
    tampering.close()
    with pytest.raises(LedgerError, match="do not fit together; nothing was changed"):
        Ledger(path)
    assert migrations.revision(engine) == "0001"
    with engine.connect() as db:
        assert len(db.exec_driver_sql("SELECT * FROM waiting").one()) == 5
    engine.dispose()


def test_an_unknown_event_is_named_with_those_there_are(ledger: Ledger, event: Event) -> None:
    with pytest.raises(UnknownEvent, match="evening"):
        ledger.event("morning")


def test_a_file_that_is_no_ledger_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, but long enough to be one" * 100)
    with pytest.raises(LedgerError, match="not a database"):
        Ledger(tmp_path / "ledger.db")


def test_the_same_list_twice_changes_nothing_and_a_later_one_updates(ledger: Ledger, event: Event) -> None:
    people = [ticket("A", holder="Ada"), ticket("B", holder="Bob")]
    assert tuple(ledger.put_tickets(event, people))[:4] == (2, 0, 0, 0)
    ledger.admit(event, shown("A", "n"))
    assert tuple(ledger.put_tickets(event, people))[:4] == (0, 0, 2, 0)
    later = [ticket("A", holder="Ada"), ticket("B", holder="Bob", status=Status.CANCELED), ticket("C")]
    assert tuple(ledger.put_tickets(event, later))[:4] == (1, 1, 1, 0)
    assert [t.number for t in ledger.tickets(event)] == [1, 2, 3]
    assert ledger.head_count(event) == (1, 2, 1, 0, 3)


def _race(path: Path, codes: list[str], barrier: object, name: str) -> None:
    with Ledger(path) as ledger:
        event = ledger.event("evening")
        barrier.wait()  # type: ignore[attr-defined]
        for code in codes:
            ledger.admit(event, shown(code, f"{name}-{code}"))


def test_two_processes_at_once_admit_each_ticket_once_and_never_over_capacity(tmp_path: Path) -> None:
    codes = [f"T{n}" for n in range(150)]
    with Ledger(tmp_path / "ledger.db") as ledger:
        event = ledger.create_event("evening", "An evening", capacity=100)
        ledger.put_tickets(event, [ticket(code) for code in codes])
        spawn = multiprocessing.get_context("spawn")
        barrier = spawn.Barrier(2)
        racers = [spawn.Process(target=_race, args=(tmp_path / "ledger.db", codes, barrier, name)) for name in "ab"]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(60)
        assert [racer.exitcode for racer in racers] == [0, 0]
        count = ledger.head_count(event)
        assert (count.inside, count.admitted, count.admitted + count.refused) == (100, 100, 300)
        refused = ledger.refusals(event)
        assert refused[Reason.ALREADY_REDEEMED] == 100 and refused[Reason.FULL] == 100


@pytest.mark.slow
def test_two_processes_race_on_two_thousand_tickets_and_each_is_admitted_once(tmp_path: Path) -> None:
    codes = [f"T{n}" for n in range(2000)]
    with Ledger(tmp_path / "ledger.db") as ledger:
        event = ledger.create_event("evening", "An evening", capacity=5000)
        ledger.put_tickets(event, [ticket(code) for code in codes])
        spawn = multiprocessing.get_context("spawn")
        barrier = spawn.Barrier(2)
        orders = {"a": codes, "b": codes[::-1]}
        racers = [
            spawn.Process(target=_race, args=(tmp_path / "ledger.db", order, barrier, name))
            for name, order in orders.items()
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(110)
        assert [racer.exitcode for racer in racers] == [0, 0]
        assert audit(ledger) == []
        assert ledger.head_count(event) == (2000, 5000, 2000, 2000, 2000)
        assert ledger.refusals(event) == {Reason.ALREADY_REDEEMED: 2000}


def test_two_processes_may_open_a_new_ledger_at_the_same_moment(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    openers = [spawn.Process(target=_open, args=(tmp_path / "ledger.db",)) for _ in range(3)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join(60)
    assert [opener.exitcode for opener in openers] == [0, 0, 0]


def _open(path: Path) -> None:
    Ledger(path).close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("ABCDEx"), st.integers(0, 9)), max_size=25))
def test_occupancy_is_the_number_of_different_tickets_admitted_whatever_is_shown(
    tmp_path_factory: pytest.TempPathFactory, shows: list[tuple[str, int]]
) -> None:
    with Ledger(tmp_path_factory.mktemp("hypothesis") / "ledger.db") as ledger:
        event = ledger.create_event("evening", "An evening", capacity=3)
        ledger.put_tickets(event, [ticket(code) for code in "ABCDE"])
        admitted = set()
        nonces: dict[str, str] = {}
        for code, nonce in shows:
            first = nonces.setdefault(f"n{nonce}", code)
            if first != code:  # a nonce belongs to one presentation of one code
                continue
            answer = ledger.admit(event, shown(code, f"n{nonce}"))
            if answer.is_admitted:
                admitted.add(code)
        assert ledger.head_count(event).inside == len(admitted) <= 3
