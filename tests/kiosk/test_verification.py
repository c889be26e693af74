"""What a ticket code is, as an organizer asks for it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hardware.clock import ManualClock
from kiosk.config import load_config
from kiosk.ledger import Event, GateMode, Hand, NewTicket, Presentation
from kiosk.ledger.ledger import Ledger
from kiosk.tickets import codes
from kiosk.tickets.pretix_sig1 import KeyTextError
from kiosk.tickets.status import Status
from kiosk.verification import MAX_CODE_BYTES, CodeError, as_text, keys_of, verify

CONFIG = """
state_dir = "{folder}/state"
[door]
event = "evening"
camera = {{ kind = "pictures", folder = "{folder}/pictures" }}
[door.panel]
pins = "mock"
"""
OWN = codes.own_code(bytes(32), "evening", 1)
NOW = datetime(2026, 11, 26, 18, 30, tzinfo=UTC)
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = base64.b64encode(SECRET.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).decode()
OTHER_KEY = "MCowBQYDK2VwAyEA7AD7/vFA33EsY4z2PHr7iZPsZ8n5dh0ajP8gyzNmmIs="  # of libpretixsync's test vector
EXAMPLE = (
    "E4BibyTSylQOgeKjuMPiTDxi5HXPuTVsx1qCli3IL0143gj0EZXOB9iQInANxRFJTt4Pf9nXnHdB91Qk/RN0L5AIBABSxw2TKFnSUNUCKAEAPAQA"
)


def signed_code(start: datetime, end: datetime, seed: bytes = b"CTJqJOl1H") -> str:
    """A code for item 3 with hours, signed by SECRET."""
    message = b"\x0a" + bytes([len(seed)]) + seed + b"\x10\x03"
    for field, moment in ((5, start), (6, end)):
        unix_s = int(moment.timestamp())
        message += bytes([field << 3, *(unix_s >> shift & 0x7F | 0x80 for shift in range(0, 28, 7)), unix_s >> 28])
    frame = b"\x01" + len(message).to_bytes(2, "big") + b"\x00\x40" + message + SECRET.sign(message)
    return base64.b64encode(frame)[::-1].decode()


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    path = tmp_path / "platypus.toml"
    path.write_text(CONFIG.format(folder=tmp_path))
    return path


@pytest.fixture
def evening(config_path: Path) -> Event:
    """The event that the door is set to, with one ticket of two people, of code OWN; and another with the code W-1."""
    with Ledger(load_config(config_path).ledger_path) as ledger:
        event = ledger.create_event("evening", "An evening", 50)
        ada = NewTicket(0, codes.digest(OWN.encode()), True, "Ada Lovelace", "ada@example.org", "Speaker", guests=1)
        ledger.put_tickets(event, [ada])
        other = ledger.create_event("matinee", "A matinée", 50)
        ledger.put_tickets(other, [NewTicket(0, codes.digest(b"W-1"), False, "Bob", status=Status.CANCELED)])
    return event


def test_a_ticket_of_the_ledger_is_told_with_how_often_it_came_in_and_whether_it_is_inside(
    config_path: Path, evening: Event
) -> None:
    clock = ManualClock(NOW)
    with Ledger(load_config(config_path).ledger_path) as ledger:

        def asked() -> tuple[int, int]:
            told = verify(config_path, OWN.encode(), [], NOW)
            (ticket,) = told.tickets
            assert told.is_good and ticket.is_of_this_event and (ticket.holder, ticket.number) == ("Ada Lovelace", 1)
            return ticket.entries, ticket.inside

        assert asked() == (0, 0)
        for nonce, mode in enumerate([GateMode.ENTRY, GateMode.EXIT, GateMode.ENTRY]):
            clock.advance(60)
            shown = Presentation(OWN.encode(), f"n{nonce}", "main", "camera", clock.stamp())
            last = ledger.admit(evening, shown, mode)
        assert asked() == (2, 2)
        words = as_text(verify(config_path, OWN.encode(), [], NOW))
        assert "came in 2 times, 2 of 2 people inside now, last moved 2026-11-26 19:33 CET" in words
        assert "An evening), no. 1: Ada Lovelace, Speaker, paid" in words
        ledger.undo(evening, last.scan_id, Hand("Léa", "undo", "main", clock.stamp()))
        assert asked() == (1, 0), "what was undone did not come in"
        assert len(ledger.recent_scans(evening, 10)) == 4, "and a question is no scan"


def test_a_ticket_of_another_event_is_named_and_is_none_of_this_evening(config_path: Path, evening: Event) -> None:
    told = verify(config_path, b"W-1", [], NOW)
    assert not told.is_good and [ticket.event for ticket in told.tickets] == ["matinee"]
    assert "no ticket of evening" in told.ledger_says and "Bob, canceled" in as_text(told)


def test_a_code_of_two_events_is_told_with_both(config_path: Path, evening: Event) -> None:
    with Ledger(load_config(config_path).ledger_path) as ledger:
        again = NewTicket(0, codes.digest(OWN.encode()), False, "Ada Lovelace")
        ledger.put_tickets(ledger.event("matinee"), [again])
    told = verify(config_path, OWN.encode(), [], NOW)
    assert [(ticket.event, ticket.is_of_this_event) for ticket in told.tickets] == [
        ("matinee", False),
        ("evening", True),
    ]
    assert told.is_good


def test_a_code_of_nobody_is_said_to_be_nobodys(config_path: Path, evening: Event) -> None:
    told = verify(config_path, b"1234567", [], NOW)
    assert not told.is_good and "nobody's" in told.ledger_says and "Billetweb" in told.shape_says


def test_a_door_that_is_set_to_no_event_is_told_so_and_other_events_tickets_all_the_same(
    config_path: Path, evening: Event
) -> None:
    config_path.write_text(config_path.read_text().replace('event = "evening"', 'event = "morning"'))
    told = verify(config_path, OWN.encode(), [], NOW)
    assert not told.is_good and [ticket.event for ticket in told.tickets] == ["evening"]
    assert "no event 'morning'" in told.ledger_says


def test_a_question_makes_no_ledger(config_path: Path) -> None:
    told = verify(config_path, OWN.encode(), [], NOW)
    assert not told.is_good and "there is none at" in told.ledger_says
    assert not load_config(config_path).ledger_path.parent.exists()


@pytest.mark.parametrize(
    ("since_start", "window", "words"),
    [
        (timedelta(seconds=-1), "not_yet", "not yet"),
        (timedelta(), "open", "now"),
        (timedelta(hours=4), "open", "now"),
        (timedelta(hours=4, seconds=1), "over", "no longer"),
    ],
)
def test_the_hours_of_a_signed_code_are_told_in_the_venues_zone(
    config_path: Path, evening: Event, since_start: timedelta, window: str, words: str
) -> None:
    start = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
    code = signed_code(start, start + timedelta(hours=4)).encode()
    told = verify(config_path, code, keys_of([OTHER_KEY, KEY]), start + since_start)
    assert told.is_good and told.signature is not None
    assert (told.signature.window, told.signature.key_number, told.signature.item) == (window, 2, 3)
    text = as_text(told)
    assert f"from 2026-11-26 19:00 CET until 2026-11-26 23:00 CET: {words}, by this machine's clock" in text
    assert "nothing of canceled orders" in text and "item 3" in text and "nobody's" in text


def test_what_a_code_says_that_no_key_fits_is_told_as_nobodys_word() -> None:
    told = verify(None, EXAMPLE.encode(), keys_of([KEY]), NOW)
    assert not told.is_good and told.signature is not None
    assert (told.signature.fault, told.signature.subevent, told.signature.key) == ("no_key_fits", 14, None)
    assert "which nobody vouches for" in as_text(told)


def test_a_code_commands_no_terminal() -> None:
    code = signed_code(NOW, NOW, seed="\x1b]0;\x07\u009b1m".encode())
    for each in (code, "W\u009b31m1"):
        assert "".join(as_text(verify(None, each.encode(), keys_of([KEY]), NOW)).split("\n")).isprintable()


def test_nothing_and_far_too_much_are_no_codes() -> None:
    for raw in (b"", b" \r\n", b"7" * (MAX_CODE_BYTES + 1)):
        with pytest.raises(CodeError):
            verify(None, raw, [], NOW)
    assert verify(None, b"7" * MAX_CODE_BYTES, [], NOW).length == MAX_CODE_BYTES
    assert verify(None, b"\xff\xfe\x80", [], NOW).length == 3


def test_keys_are_taken_from_files_and_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEY}\n{OTHER_KEY}\n")
    assert keys_of([str(tmp_path / "keys")]) == keys_of([KEY, OTHER_KEY])
    (tmp_path / "film").write_bytes(bytes(200_000))
    long = "A" * 5000
    for wrong in ("keys.pem", str(tmp_path), str(tmp_path / "film"), long, "\0", "\udcff"):
        with pytest.raises(KeyTextError, match="--pretix-key") as refused:
            keys_of([wrong])
        assert len(str(refused.value)) < 400 and long not in str(refused.value)
    with pytest.raises(KeyTextError, match="'keys.pem'"):
        keys_of([KEY, "keys.pem"])


# -- as it is typed ---------------------------------------------------------------------------------------------------


def platypus(*words: str, stdin: bytes = b"", code: int = 0, config: Path | None = None) -> Any:
    """What `platypus tickets verify` says, as JSON; its last line on stderr when it says nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "tickets", "verify", "--json", *words],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"} | ({"PLATYPUS_CONFIG": str(config)} if config else {}),
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr.decode().splitlines()[-1]


def test_a_known_code_on_standard_input_is_one_object_and_exit_0(config_path: Path, evening: Event) -> None:
    told = platypus("-", stdin=f"{OWN}\n".encode(), config=config_path)
    assert (told["code"], told["length"], told["shape"], told["signature"]) == (OWN, 26, "own", None)
    (ticket,) = told["tickets"]
    assert (ticket["event"], ticket["holder"], ticket["status"], ticket["inside"]) == (
        "evening",
        "Ada Lovelace",
        "paid",
        0,
    )


def test_a_signed_code_needs_no_configuration_and_an_unknown_one_is_exit_1() -> None:
    told = platypus(EXAMPLE, "--pretix-key", OTHER_KEY)
    assert (told["signature"]["is_valid"], told["signature"]["subevent"], told["event"]) == (True, 14, None)
    assert platypus(EXAMPLE, "--pretix-key", KEY, code=1)["signature"]["fault"] == "no_key_fits"
    assert platypus(OWN, code=1)["shape"] == "own"


def test_a_configuration_that_was_named_and_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert "cannot be read" in platypus(OWN, config=tmp_path / "absent.toml", code=1)
    assert "--pretix-key" in platypus(OWN, "--pretix-key", "absent.pem", code=1)
    assert "no code" in platypus("-", code=1)
    assert "that a QR holds" in platypus("-", stdin=b"7" * 100_000, code=1)
