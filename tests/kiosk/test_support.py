"""The file for support says how everything is, and names nobody: not in one byte of what is in it."""

from __future__ import annotations

import io
import json
import logging
import os
import stat
import tempfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_cli import platypus

from hardware.checks import Check
from hardware.clock import ManualClock, SystemClock
from hardware.durable import write_durably
from kiosk.config import Config, event_secret, load_config, make_event_secret
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_file import AccessFile
from kiosk.ledger import Hand, NewTicket, Presentation
from kiosk.ledger.ledger import Ledger
from kiosk.log_ring import keep_log, newest
from kiosk.pretix.links import Link, Links
from kiosk.safekeeping import places_of
from kiosk.support import SupportError, support_file, write_support
from kiosk.tickets import codes
from kiosk.tickets.codes import digest
from kiosk.veil import GONE, Veil
from stream.agenda import Agenda, AgendaFile, Talk

CONFIG = """
state_dir = "{folder}/state"
run_dir = "{folder}/run"
[bus]
socket = "{folder}/bus.sock"
[door]
event = "evening"
camera = {{ kind = "rtsp", url = "rtsp://watcher:h%40sh-pass@127.0.0.1:9/gate" }}
[stream]
source = {{ kind = "rtsp", url = "rtsp://stage:s3cret-rtsp@127.0.0.1:9/stage?token=qqtokenqq" }}
[[stream.destinations]]
name = "hall"
url = "rtmp://127.0.0.1:9/live-zebra"
[mail]
from = "The Otters <otters@example.org>"
reply_to = "desk@example.org"
host = "mail.example.org"
user = "otter-login"
"""
CAMERA = 'kind = "pictures", folder = "/nowhere"'
SECRETS = '[stream_keys]\nhall = "zq7k-9fjw-2mxd"\n[mail]\npassword = "mail pass-word"\n'
STREAM_KEY = "zq7k-9fjw-2mxd"
CODE = "SHOWNATTHEDOOR77"
IN_FILES = (
    *("Zoë", "Ødegård", "zoe@example.org", "zoe", "ORD9X", "peanuts, badly"),
    *("Wanda", "Waiting", "Ada", "Hopperschmidt", "Nguyễn", "Văn An"),
    *("otters@example.org", "desk@example.org", "otter-login", "mail pass-word", "watcher", "h@sh-pass", "h%40sh-pass"),
    *("s3cret-rtsp", "qqtokenqq", "live-zebra", STREAM_KEY, "pretix-token-t0p", "SER14L"),
)
PERSONAL = (*IN_FILES, CODE, "tulip-47", "peanuts")  # code and PIN are in no file at all


@pytest.fixture
def root_log() -> Iterator[logging.Logger]:
    log = logging.getLogger()
    before, level = list(log.handlers), log.level
    log.setLevel(logging.INFO)
    yield log
    log.setLevel(level)
    for handler in [each for each in log.handlers if each not in before]:
        log.removeHandler(handler)
        handler.close()


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A venue in whose files there is everything that must not be told; returns the path of its configuration."""
    path = tmp_path / "platypus.toml"
    write_durably(path, CONFIG.format(folder=tmp_path).encode())
    write_durably(tmp_path / "secrets.toml", SECRETS.encode())
    config, clock = load_config(path), SystemClock()
    make_event_secret(config, "evening")
    with Ledger(config.ledger_path) as ledger:
        event = ledger.create_event("evening", "An evening", 50, starts_at=datetime(2026, 11, 24, 18, tzinfo=UTC))
        ticket = NewTicket(
            *(1, digest(CODE.encode()), False, "Zoë Ødegård", "zoe@example.org"),
            order_code="ORD9X",
            note="peanuts, badly",
        )
        ledger.put_tickets(event, [ticket])
        stamp = ManualClock().stamp()
        assert ledger.admit(event, Presentation(CODE.encode(), "n1", "main", "camera", stamp)).is_admitted
        ledger.wait(event, "Wanda Waiting", 2, Hand("Ada Hopperschmidt (door) QXZ", "n2", "desk", stamp))
    access = Access(config_state(config), clock)
    access.invitations.use(access.login_link(), "Ada Hopperschmidt", "tulip-47")
    link = Link(
        url="https://pretix.example.org",
        organizer="o",
        device_id=1,
        serial="SER14L",
        name="d",
        token="pretix-token-t0p",
    )
    Links(config.pretix_path).put("evening", link)
    AgendaFile(config.agenda_path).write(Agenda(talks=(Talk(id="t1", title="Otters", speaker="Nguyễn Văn An"),)))
    return path


def config_state(config: Config) -> Path:
    return Path(config.state_dir)


def unpacked(raw: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_no_name_code_or_key_of_a_full_venue_is_in_it(filled: Path, root_log: logging.Logger) -> None:
    config = load_config(filled)
    secret = event_secret(config, "evening")
    own_code = codes.own_code(secret, "evening", 1)
    kept = AccessFile(config_state(config)).load()
    keep_log(filled, "door")
    # Nothing of ours logs any of this; a program it starts might.
    for word in (*IN_FILES, CODE, own_code, secret.hex(), kept.secret_key, kept.people[0].pin_hash):
        root_log.warning("somebody=%r said %s.", word, word)
    root_log.warning("ffmpeg: rtmp://127.0.0.1:9/live-zebra/%s failed", STREAM_KEY)
    found = unpacked(
        support_file(filled, [Check("camera", "bad", "camera rtsp://watcher:h%40sh-pass@127.0.0.1:9/gate")])
    )
    everything = "\n".join([*found, *found.values()])
    never = (*PERSONAL, own_code, secret.hex(), kept.secret_key, kept.people[0].pin_hash, kept.people[0].id)
    assert [word for word in never if word in everything] == [], everything
    assert found["log.txt"].count("somebody=") == len(IN_FILES) + 5, "lines stay, words go"
    assert "Not read" not in found["README.txt"]


def test_it_has_what_helps(filled: Path, root_log: logging.Logger) -> None:
    keep_log(filled, "door")
    root_log.info("scan outcome=admitted row=7")
    found = unpacked(support_file(filled, [Check("power", "attention", "the supply was too weak", "another one")]))
    assert json.loads(found["health.json"])[0]["name"] == "power"
    ledger = json.loads(found["ledger.json"])
    assert ledger["check"] == ["sound"]
    (event,) = ledger["events"]
    assert (event["tickets"], event["inside"], event["waiting"], event["is_tonight"]) == (1, 1, 1, True)
    machine = json.loads(found["machine.json"])
    assert machine["kernel"] and machine["mounts"] and machine["board"]["disk"]["free_bytes"] > 0
    assert "ledger.db" in machine["files"]
    assert 'url = "rtmp://127.0.0.1:9"' in found["config.toml"] and 'event = "evening"' in found["config.toml"]
    assert "scan outcome=admitted row=7" in found["log.txt"]
    assert "secrets" not in "".join(found), "that file is not in it"


def test_a_venue_that_is_broken_gets_its_file_all_the_same(tmp_path: Path, filled: Path) -> None:
    (tmp_path / "state" / "ledger.db").write_bytes(b"no ledger at all" * 100)
    (tmp_path / "secrets.toml").chmod(0o644)
    found = unpacked(support_file(filled, []))
    assert "trouble" in json.loads(found["ledger.json"])
    assert "secrets.toml, the ledger" in found["README.txt"], "it says what it could not know"
    filled.write_text("[door]\nevent = 'x'\npassword = 'hidden-in-plain'\n")
    found = unpacked(support_file(filled, []))
    assert "not readable" in found["config.toml"] and "hidden-in-plain" not in "".join(found.values())


def test_the_command_prints_where_it_is_and_nobody_else_may_read_it(filled: Path, tmp_path: Path) -> None:
    text = filled.read_text()
    filled.write_text(text.replace('kind = "rtsp", url = "rtsp://watcher:h%40sh-pass@127.0.0.1:9/gate"', CAMERA))
    filled.chmod(0o600)
    told = json.loads(platypus(tmp_path, "support", "--json").stdout)
    made = Path(told["file"])
    assert made.parent == tmp_path / "state" / "support" and told["bytes"] == made.stat().st_size
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    names = {check["name"] for check in json.loads(unpacked(made.read_bytes())["health.json"])}
    assert {"camera", "disk", "memory", "versions", "network", "way to hall", "platypus door"} <= names
    assert platypus(tmp_path, "support", str(tmp_path)).stdout.startswith(f"{tmp_path}/platypus-support-")


def test_the_newest_five_are_kept_and_no_backup_takes_them(filled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "support"
    for n in range(9):
        write_durably(folder / f"platypus-support-2020-01-0{n + 1}-000000.zip", b"PK")
    made = write_support(filled, [], None)
    assert len(list(folder.iterdir())) == 5 and made.exists()
    files = dict(places_of(load_config(filled), filled).files())
    assert "state/agenda.json" in files and not [name for name in files if "support" in name]


def test_what_of_the_state_cannot_be_read_costs_the_list_nothing_else(filled: Path) -> None:
    state = config_state(load_config(filled))
    (state / "loop").symlink_to(state / "loop")
    (state / "gone.json").symlink_to(state / "nowhere")
    machine = json.loads(unpacked(support_file(filled, []))["machine.json"])
    assert machine["files"]["ledger.db"] > 0 and {"loop", "gone.json"} <= set(machine["files"])


def test_a_folder_of_another_user_is_listed_with_why_it_was_not_read() -> None:
    from kiosk import support

    with tempfile.TemporaryDirectory() as name:  # pytest's own is closed to other users
        state = Path(name)
        state.chmod(0o755)
        (state / "closed").mkdir(mode=0)
        (state / "open.json").write_text("{}")
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        try:
            assert support._files(state) == {"closed": "Permission denied", "open.json": 2}
        finally:
            os.seteuid(before)


def test_a_place_that_takes_no_file_is_named(filled: Path) -> None:
    with pytest.raises(SupportError, match="Name another place"):
        write_support(filled, [], Path("/proc/mine.zip"))


# -- the veil ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "veiled"),
    [
        ("Zoë Ødegård came", f"{GONE} came"),
        ("by=Zoë.", f"by={GONE}."),
        ("Zoës and Zoëlogy stay", "Zoës and Zoëlogy stay"),
        ("write to Z.O@x.example now", f"write to {GONE} now"),
        ("rtsp://u:p@cam/stream1?x=y failed", f"rtsp://{GONE}@cam/{GONE} failed"),
        ("code AB2CDEFGHIJKLMNOPQRSTUVWX2", f"code {GONE}"),
        ("event=scan row=12 at 2026-11-24T19:00:00", "event=scan row=12 at 2026-11-24T19:00:00"),
        ("+++ found", f"{GONE} found"),
    ],
)
def test_what_is_known_and_what_looks_like_it_goes(text: str, veiled: str) -> None:
    veil = Veil([text])
    veil.hide(["Zoë Ødegård", "+++", "xy"])
    assert veil.over(text) == veiled


def test_of_a_hundred_thousand_names_those_are_kept_that_the_text_may_have() -> None:
    text = "event=scan outcome=admitted gate=main\n" * 200 + "Guest99999 Otter99999"
    veil = Veil([text])
    tracemalloc.start()
    veil.hide(f"Guest{n} Otter{n}" for n in range(100_000))
    kept_bytes, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert veil.over(text).endswith(f"\n{GONE}")
    assert most_bytes < 1_000_000, (kept_bytes, most_bytes)


# -- the log ----------------------------------------------------------------------------------------------------------


def test_the_log_of_all_programs_is_read_in_order_and_tracebacks_stay_whole(
    filled: Path, root_log: logging.Logger, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "door-main.log.1").write_text("2026-11-24 19:00:01,000 INFO a event=first\n")
    (run / "door-main.log").write_text(
        "end of a line\n2026-11-24 19:00:03,000 ERROR a event=third\nTraceback\n  File x\n"
    )
    (run / "stream.log").write_text("2026-11-24 19:00:02,500 INFO b event=second\n")
    lines = newest(load_config(filled), root=tmp_path)
    assert [(line.program, line.text.split("event=")[1]) for line in lines] == [
        ("door-main", "first"),
        ("stream", "second"),
        ("door-main", "third\nTraceback\n  File x"),
    ]
    assert len(newest(load_config(filled), 2, tmp_path)) == 2


def test_the_log_stays_small_and_private(filled: Path, root_log: logging.Logger, tmp_path: Path) -> None:
    keep_log(filled, "stream")
    for n in range(5000):
        root_log.info("event=line n=%d %s", n, "x" * 80)
    kept = sorted((tmp_path / "run").glob("stream.log*"))
    assert len(kept) == 2 and sum(each.stat().st_size for each in kept) < 300_000
    assert newest(load_config(filled), 200, tmp_path)[-1].text.split()[3] == "n=4999"


def test_two_doors_of_one_machine_have_a_file_each(filled: Path, root_log: logging.Logger, tmp_path: Path) -> None:
    """In one file each would throw the other's lines away, and go on to write what was renamed under it."""
    north = filled.with_name("north.toml")
    write_durably(north, filled.read_bytes().replace(b'event = "evening"', b'event = "evening"\ngate = "north"'))
    run = tmp_path / "run"
    for config_path, said in ((filled, "event=of-main"), (north, "event=of-north")):
        keep_log(config_path, "door")
        root_log.info(said)
        root_log.handlers[-1].close()
        root_log.removeHandler(root_log.handlers[-1])
    assert sorted(path.name for path in run.iterdir()) == ["door-main.log", "door-north.log"]
    lines = newest(load_config(filled), root=tmp_path)
    assert [(line.program, line.text.split()[-1]) for line in lines] == [
        ("door-main", "event=of-main"),
        ("door-north", "event=of-north"),
    ]


def test_where_programs_share_a_folder_its_group_may_read_the_log(
    filled: Path, root_log: logging.Logger, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o3770)
    keep_log(filled, "door")
    assert stat.S_IMODE((tmp_path / "run" / "door-main.log").stat().st_mode) == 0o640


def test_a_log_that_cannot_be_kept_stops_no_door(
    filled: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run").write_text("no folder")
    keep_log(filled, "door")
    assert "event=not-kept" in caplog.text
