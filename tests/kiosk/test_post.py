"""Tickets as letters: what they say, who carries them, and that none is lost, sent twice, or sent in the clear."""

from __future__ import annotations

import email
import email.policy
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pypdfium2
import pytest
import zxingcpp
from kiosk_stage import CONFIG
from PIL import Image
from post_stage import PASSWORD, USER, MailServer, certificates, served

from hardware.clock import ManualClock
from kiosk import office, post_office
from kiosk.config import ConfigError, load_config, load_secrets, secrets_path
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.privacy import forget
from kiosk.ledger.sendings import Sendings
from kiosk.post.addresses import is_address, plain
from kiosk.post.courier import NoCourier, RefusedForGood, RefusedForNow, SmtpCourier
from kiosk.post.letter import Letter, letter, message_id
from kiosk.post.round import RETRY_S, Done, Due, deliver
from kiosk.post.settings import MailSettings
from kiosk.ticket_press import Wish
from kiosk.tickets.card import Evening, Printable
from kiosk.tickets.ticket_words import TICKET_WORDS

CODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
EVENING = Evening("Soirée\u00a0: été", datetime(2026, 11, 26, 19, tzinfo=ZoneInfo("Europe/Paris")), "La Paillasse")
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
WITH_MAIL = (
    CONFIG
    + """\
[mail]
from = "La Société <tickets@example.org>"
reply_to = "hello@example.org"
host = "127.0.0.1"
port = {port}
security = "starttls"
user = "{user}"
ca_file = "{folder}/authority.pem"
"""
)
PEOPLE = "Name;E-mail;Langue\nÉmile Baudot;emile@example.org;fr\nAda Lovelace;ada@example.org;en\nNo Mail;;\n"


def settings(port: int = 25, **values: Any) -> MailSettings:
    given = {"from": "Tickets <tickets@example.org>", "host": "127.0.0.1", "port": port, "user": USER, **values}
    return msgspec.convert(given, MailSettings)


def a_letter(number: int = 1, to: str = "ada@example.org", holder: str = "Łukasz 🦆", language: str = "fr") -> Letter:
    ticket = Printable(number, CODE, holder, "Standard", 3)
    return letter(
        ticket,
        to,
        EVENING,
        TICKET_WORDS[language],  # type: ignore[index]
        settings(reply_to="hello@example.org"),
        pdf=b"%PDF-",
        png=b"\x89PNG",
        message_id=message_id(b"secret", "evening", number),
        at=AT,
    )


def parsed(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


# -- letters ----------------------------------------------------------------------------------------------------------


def test_a_letter_says_all_that_counts_in_its_language() -> None:
    raw = a_letter().message.as_bytes()
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 998 and b"\n" not in raw.replace(b"\r\n", b"")
    message = parsed(raw)
    assert message["Subject"] == "Votre billet : Soirée : été"
    assert (message["To"].addresses[0].display_name, message["To"].addresses[0].addr_spec) == (
        "Łukasz 🦆",
        "ada@example.org",
    )
    assert message["From"] == "Tickets <tickets@example.org>" and message["Reply-To"] == "hello@example.org"
    assert message["Bcc"] is None and message["Date"].datetime == AT
    body = message.get_body(("plain",))
    assert body is not None
    assert body["Content-Language"] == "fr"
    text = body.get_content()
    for said in (
        "Bonjour Łukasz 🦆,",
        "Jeudi 26 novembre 2026 à 19\u00a0h\u00a000",
        "La Paillasse",
        "Standard · pour 3",
    ):
        assert said in text
    assert "ABCD EFGH IJKL MNOP QRST UVWX YZ" in text and "donnez votre nom" in text
    assert [each.get_filename() for each in message.iter_attachments()] == ["billet-1.pdf", "billet-1.png"]


def test_the_letter_of_a_ticket_has_one_message_id_for_ever_and_no_other_has_it() -> None:
    ids = [parsed(a_letter(number).message.as_bytes())["Message-ID"] for number in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2] and ids[0].endswith("@example.org>")


def test_a_name_cannot_add_a_header_or_another_recipient() -> None:
    message = parsed(a_letter(holder='Eve\r\nBcc: x@evil.example, "y" <z@evil.example>').message.as_bytes())
    assert message["Bcc"] is None and [each.addr_spec for each in message["To"].addresses] == ["ada@example.org"]


@pytest.mark.parametrize(
    "bad", ["", "ada", "@example.org", "ada@", "a da@example.org", "ada@example", "ada@-x.org", "a@b.org\nBcc: c@d.org",
            "a@b.org, c@d.org", "adä@example.org", "a@" + "b" * 64 + ".org"]
)  # fmt: skip
def test_what_can_be_no_address_is_known(bad: str) -> None:
    assert not is_address(bad)


def test_an_address_in_a_domain_of_any_script_is_one() -> None:
    assert is_address("ada@exämple.org") and plain("ada@exämple.org") == "ada@xn--exmple-cua.org"
    assert is_address("ada.b+c@example.co.uk") and is_address("door@localhost", is_ours=True)


# -- settings ---------------------------------------------------------------------------------------------------------


def test_letters_go_in_the_clear_to_this_machine_only() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        assert settings(host=host, security="none").security == "none"
    with pytest.raises(msgspec.ValidationError, match="for everybody to read"):
        settings(host="smtp.example.org", security="none")
    with pytest.raises(msgspec.ValidationError, match="no address"):
        msgspec.convert({"from": "nobody"}, MailSettings)
    assert [settings(0, security=each).port_used for each in ("starttls", "tls", "none")] == [587, 465, 25]


def test_the_password_is_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text('[mail]\npassword = "hunter2"\n')
    path.chmod(0o600)
    assert load_secrets(path).mail.password == "hunter2" and "hunter2" not in repr(load_secrets(path))
    path.write_text('[mail]\npasswort = "hunter2"\n')
    with pytest.raises(ConfigError) as caught:
        load_secrets(path)
    assert "hunter2" not in str(caught.value)


# -- the courier ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_goes_by_tls_that_is_verified(tmp_path: Path, security: str) -> None:
    with served(tmp_path, tls_from_start=security == "tls") as (server, made):
        wanted = settings(server.port, security=security, ca_file=str(made.authority))
        with SmtpCourier(wanted, PASSWORD) as courier:
            courier.send(a_letter())
            courier.send(a_letter(2))
        assert [(each.sender, each.to, each.over_tls) for each in server.taken] == [
            ("tickets@example.org", "ada@example.org", True)
        ] * 2
        assert server.logins == [(USER, PASSWORD)]  # one connection for both
        assert server.taken[0].message["Subject"] == "Votre billet : Soirée : été"


def test_a_server_that_cannot_prove_who_it_is_gets_no_password(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with served(tmp_path) as (server, made), pytest.raises(NoCourier, match="cannot prove who it is"):
        SmtpCourier(settings(server.port), PASSWORD).send(a_letter())
    assert server.logins == []
    other = certificates(tmp_path / "other", "mail.example.org")
    with MailServer(other) as server, pytest.raises(NoCourier, match="the name in its certificate"):
        SmtpCourier(settings(server.port, ca_file=str(other.authority)), PASSWORD).send(a_letter())
    assert server.logins == [] and made.authority.exists()


def test_a_server_without_starttls_is_not_spoken_to_in_the_clear() -> None:
    with MailServer(None) as server, pytest.raises(NoCourier, match="offers no STARTTLS"):
        SmtpCourier(settings(server.port), PASSWORD).send(a_letter())
    assert server.logins == [] and server.heard == []


def test_a_server_that_turns_us_away_refuses_no_letter(tmp_path: Path) -> None:
    """It is about us: no letter of five hundred is to be taken for one that can never go."""
    with served(tmp_path) as (server, made):
        wanted = settings(server.port, ca_file=str(made.authority))
        for greeting, kind in (("554 your network is blocked", NoCourier), ("421 too busy", RefusedForNow)):
            server.greeting = greeting
            with pytest.raises(kind, match=greeting[4:]), SmtpCourier(wanted, PASSWORD) as courier:
                courier.send(a_letter())


def test_each_failure_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for wanted, said in (
        (settings(host="no-such-name.invalid"), "is not known: check"),
        (settings(port), "nobody takes letters at"),
        (settings(port, ca_file=str(tmp_path / "none.pem")), "nobody takes letters at|ca_file"),
    ):
        with pytest.raises(NoCourier, match=said):
            SmtpCourier(wanted, PASSWORD).send(a_letter())
    with served(tmp_path) as (server, made):
        known = {"ca_file": str(made.authority)}
        for wanted, password, said in (
            (settings(server.port, **known), "wrong", "refuses the login of door@example.org .535"),
            (settings(server.port, security="tls", **known), PASSWORD, 'security = "starttls"'),
            (settings(server.port, user="", **known), "", "is a user needed"),
            (settings(server.port, ca_file=str(tmp_path / "none.pem")), PASSWORD, "ca_file .* cannot be used"),
        ):
            with pytest.raises(NoCourier, match=said), SmtpCourier(wanted, password) as courier:
                courier.send(a_letter())
    assert server.heard == []


def test_refusals_for_now_and_for_good_are_told_apart(tmp_path: Path) -> None:
    with served(tmp_path) as (server, made):
        server.refuses = {"ada@example.org": ["450 4.2.0 greylisted", "550 5.1.1 no such mailbox"]}
        server.at_data = ["452 4.3.1 full", "554 5.6.0 no", "drop"]
        with SmtpCourier(settings(server.port, ca_file=str(made.authority)), PASSWORD) as courier:
            for kind, said in (
                (RefusedForNow, "450 4.2.0 greylisted"),
                (RefusedForGood, "550 5.1.1 no such mailbox"),
                (RefusedForNow, "452 4.3.1 full"),
                (RefusedForGood, "554 5.6.0 no"),
                (RefusedForNow, "whether this letter was taken is not known"),
            ):
                with pytest.raises(kind, match=said):
                    courier.send(a_letter())
            courier.send(a_letter())  # on a new line
        assert len(server.taken) == 1


# -- the round --------------------------------------------------------------------------------------------------------


class Lapse:
    """Lets the seconds of a test's clock pass, and keeps them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.waited: list[float] = []
        self.told: list[tuple[int, int, int]] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.clock.advance(seconds)

    def sent(self, number: int, done: int, total: int) -> None:
        self.told.append((number, done, total))

    def waits(self, seconds: float, letters: int) -> None:
        pass


class Scripted:
    """A courier whose answers are written down: ticket -> what it says, one after the other; then it takes them."""

    def __init__(self, answers: dict[int, list[BaseException]], clock: ManualClock) -> None:
        self.answers = answers
        self.taken: list[tuple[int, float]] = []
        self._clock = clock

    def send(self, letter: Letter) -> None:
        if self.answers.get(letter.number):
            raise self.answers[letter.number].pop(0)
        self.taken.append((letter.number, self._clock.monotonic()))


def round_of(count: int, answers: dict[int, list[BaseException]], lapse: Lapse) -> tuple[Done, Scripted, list[int]]:
    courier, noted = Scripted(answers, lapse.clock), list[int]()
    due = [Due(number, lambda number=number: a_letter(number)) for number in range(1, count + 1)]  # type: ignore[misc]
    done = deliver(due, courier, 20, lapse.clock, lapse.wait, lambda letter: noted.append(letter.number), lapse)
    return done, courier, noted


def test_the_pace_is_kept() -> None:
    lapse = Lapse()
    done, courier, noted = round_of(50, {}, lapse)
    times = [at for _, at in courier.taken]
    assert np.diff(times) == pytest.approx([3.0] * 49) and done.sent == noted == list(range(1, 51))
    assert lapse.told[-1] == (50, 50, 50)


def test_a_greylisted_letter_goes_later_and_keeps_nobody_waiting() -> None:
    lapse = Lapse()
    done, courier, _ = round_of(3, {1: [RefusedForNow("450"), RefusedForNow("450")]}, lapse)
    assert [number for number, _ in courier.taken] == [2, 3, 1] and done.failed == []
    assert courier.taken[-1][1] - 1000 == pytest.approx(RETRY_S[0] + RETRY_S[1])


def test_a_letter_that_is_refused_for_good_is_not_tried_again_and_one_for_now_not_for_ever() -> None:
    lapse = Lapse()
    refused: dict[int, list[BaseException]] = {1: [RefusedForGood("550")], 2: [RefusedForNow("451")] * 9}
    done, _, noted = round_of(3, refused, lapse)
    assert [(each.number, each.is_for_good) for each in done.failed] == [(1, True), (2, False)]
    assert noted == done.sent == [3] and len(refused[2]) == 9 - len(RETRY_S) - 1 and sum(lapse.waited) < 3600


def test_a_server_that_never_worked_ends_the_round_and_one_that_did_is_tried_again() -> None:
    done, courier, _ = round_of(3, {1: [NoCourier("no such server")]}, Lapse())
    assert (done.stopped_by, done.left, courier.taken) == ("no such server", [1, 2, 3], [])
    done, courier, _ = round_of(3, {2: [NoCourier("gone")]}, Lapse())
    assert (done.stopped_by, done.sent) == ("", [1, 2, 3])
    done, _, _ = round_of(3, {2: [NoCourier("gone")] * 9}, Lapse())
    assert (done.stopped_by, done.sent, done.left) == ("gone", [1], [2, 3])


def test_ctrl_c_ends_with_what_was_sent_and_what_is_left() -> None:
    done, _, noted = round_of(4, {3: [KeyboardInterrupt()]}, Lapse())
    assert (done.is_interrupted, done.sent, noted, done.left) == (True, [1, 2], [1, 2], [3, 4])


# -- the whole --------------------------------------------------------------------------------------------------------


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[tuple[Path, MailServer]]:
    with served(tmp_path) as (server, _):
        config = tmp_path / "platypus.toml"
        config.write_text(WITH_MAIL.format(folder=tmp_path, port=server.port, user=USER), encoding="utf-8")
        secrets = secrets_path(config)
        secrets.write_text(f'[mail]\npassword = "{PASSWORD}"\n')
        secrets.chmod(0o600)
        office.create_event(config, "evening", "An evening", 50, starts_at=EVENING.when, venue="La Paillasse")
        people = tmp_path / "people.csv"
        people.write_text(PEOPLE, encoding="utf-8")
        office.issue_tickets(config, "evening", people, tmp_path / "out", Wish((), None, letters=True))
        yield config, server


def send(config: Path, which: Any = "unsent", **values: Any) -> tuple[post_office.Post, Done]:
    lapse = Lapse()
    return post_office.send_post(config, "evening", which, lapse.clock, lapse.wait, lapse, **values)


def platypus(config: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "kiosk", "tickets", *words]
    surroundings = {**os.environ, "PLATYPUS_CONFIG": str(config)}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=surroundings)
    assert done.returncode == code and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done


def test_letters_are_files_ready_to_send_and_who_has_no_address_is_named(venue: tuple[Path, MailServer]) -> None:
    config, _ = venue
    folder = config.parent / "out"
    assert sorted(path.name for path in folder.iterdir()) == ["0001.eml", "0002.eml"]
    french, english = (parsed((folder / f"000{number}.eml").read_bytes()) for number in (1, 2))
    assert (french["Subject"], english["Subject"]) == ("Votre billet : An evening", "Your ticket: An evening")
    body = english.get_body(("plain",))
    assert body is not None and "Thursday 26 November 2026, 19:00" in body.get_content()
    code = next(line for line in body.get_content().splitlines() if line.startswith("Code: "))[6:].replace(" ", "")
    pdf, png = (each.get_content() for each in english.iter_attachments())
    document = pypdfium2.PdfDocument(pdf)
    drawn = document[0].render(scale=150 / 72).to_pil().convert("L")
    document.close()
    with Image.open(io.BytesIO(png)) as picture:
        for shown in (drawn, picture.convert("L")):
            assert [each.text for each in zxingcpp.read_barcodes(np.asarray(shown))] == [code]
    issued = platypus(
        config, "issue", str(config.parent / "people.csv"), "--event", "evening", "--out", str(folder), "--eml"
    )
    assert "1 without an e-mail that can be one, give theirs by hand: no. 3 No Mail" in issued.stdout


def test_everybody_gets_theirs_once_and_a_new_address_gets_it_too(venue: tuple[Path, MailServer]) -> None:
    config, server = venue
    post, done = send(config)
    assert (done.sent, [each.number for each in post.unreachable]) == ([1, 2], [3])
    assert [(each.to, each.message["Subject"][:5]) for each in server.taken] == [
        ("emile@example.org", "Votre"),
        ("ada@example.org", "Your "),
    ]
    post, done = send(config)
    assert (done.sent, post.sent_before) == ([], [1, 2])
    _, done = send(config, [2])  # asked for by number it goes again
    assert done.sent == [2]
    people = config.parent / "people.csv"
    people.write_text("Name;E-mail\nÉmile Baudot;new@example.org\n", encoding="utf-8")
    office.issue_tickets(config, "evening", people, config.parent / "out", Wish((), None))
    assert send(config)[1].sent == [4] and server.taken[-1].to == "new@example.org"


def test_a_dry_run_says_who_would_get_what_and_sends_nothing(venue: tuple[Path, MailServer]) -> None:
    config, server = venue
    said = platypus(config, "send", "--event", "evening", "--dry-run").stdout
    assert "no. 1 Émile Baudot <emile@example.org>" in said and "2 would be sent; nothing was." in said
    told = json.loads(platypus(config, "send", "--event", "evening", "--dry-run", "--json").stdout)
    assert ([each["number"] for each in told["due"]], told["without_email"]) == ([1, 2], [3])
    assert server.heard == []


def test_a_trial_goes_to_oneself_alone_and_is_not_noted(venue: tuple[Path, MailServer]) -> None:
    config, server = venue
    _, done = send(config, to_self="me@example.org")
    assert [each.to for each in server.taken] == ["me@example.org"] and done.sent == [1]
    assert send(config)[1].sent == [1, 2]
    assert send(config, to_self="me@example.org")[1].sent == [1]  # also when everybody has theirs
    with pytest.raises(ConfigError, match="no e-mail address"):
        send(config, to_self="me")


def test_a_line_that_breaks_before_the_answer_sends_that_letter_again_as_the_same(
    venue: tuple[Path, MailServer],
) -> None:
    config, server = venue
    server.at_data = ["drop"]
    _, done = send(config)
    assert sorted(done.sent) == [1, 2]
    ids = [each.message["Message-ID"] for each in server.heard]
    assert len(ids) == 3 and len(set(ids)) == 2


def test_killed_in_the_middle_only_the_letter_on_its_way_goes_twice(venue: tuple[Path, MailServer]) -> None:
    config, server = venue
    config.write_text(config.read_text() + "per_minute = 600\n")
    server.silent_after = 2  # it has the second letter, and does not answer
    argv = [sys.executable, "-m", "kiosk", "tickets", "send", "--event", "evening"]
    surroundings = {**os.environ, "PLATYPUS_CONFIG": str(config)}
    with subprocess.Popen(argv, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert server.has_gone_silent.wait(60)
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[0].decode()
    assert "1 of 2: no. 1 sent" in said
    server.silent_after = None
    assert send(config)[1].sent == [2]
    assert [each.to for each in server.heard] == ["emile@example.org", "ada@example.org", "ada@example.org"]


def test_ctrl_c_ends_tidily_with_a_summary(venue: tuple[Path, MailServer]) -> None:
    config, server = venue
    config.write_text(config.read_text() + "per_minute = 600\n")
    server.silent_after = 2
    argv = [sys.executable, "-m", "kiosk", "tickets", "send", "--event", "evening"]
    surroundings = {**os.environ, "PLATYPUS_CONFIG": str(config)}
    with subprocess.Popen(argv, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert server.has_gone_silent.wait(60)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[0].decode()
    assert process.returncode == 130 and "1 sent, 0 not taken, 1 left" in said and "the same command goes on" in said
    for address in ("emile@example.org", "ada@example.org", PASSWORD):
        assert address not in said


def test_what_was_not_taken_is_said_and_is_the_exit_code(venue: tuple[Path, MailServer]) -> None:
    config, server = venue
    config.write_text(config.read_text() + "per_minute = 600\n")
    server.refuses = {"ada@example.org": ["550 5.1.1 no such mailbox"]}
    said = platypus(config, "send", "--event", "evening", code=1).stdout
    assert "no. 2 was not sent: its recipient was refused: 550 5.1.1 no such mailbox" in said
    assert "1 sent, 1 not taken, 0 left" in said
    secrets_path(config).write_text('[mail]\npassword = "wrong"\n')
    refused = platypus(config, "send", "--event", "evening", code=1)
    assert "refuses the login" in refused.stderr and "wrong" not in refused.stdout + refused.stderr
    secrets_path(config).unlink()
    assert "no password" in platypus(config, "send", "--event", "evening", code=1).stderr


def test_two_rounds_at_once_are_refused(venue: tuple[Path, MailServer]) -> None:
    config, _ = venue
    from hardware.alone import RunsAlready, alone

    with alone(config.parent / "state" / "sending.lock", "another"), pytest.raises(RunsAlready):
        send(config)


def test_no_address_is_kept_of_what_was_sent_and_nothing_of_it_once_names_are_forgotten(
    venue: tuple[Path, MailServer],
) -> None:
    config, _ = venue
    send(config)
    with Ledger(load_config(config).ledger_path) as ledger:
        event = ledger.event("evening")
        assert all(None not in macs for macs in Sendings(ledger, event).sent().values())
        forget(ledger, event)
        assert set(Sendings(ledger, event).sent().values()) == {frozenset({None})}
    raw = b"".join(path.read_bytes() for path in (config.parent / "state").glob("ledger*"))
    assert b"ada@example.org" not in raw


def test_letters_need_a_sender_and_a_server(venue: tuple[Path, MailServer]) -> None:
    config, _ = venue
    text = config.read_text()
    config.write_text(text.replace('host = "127.0.0.1"', 'host = ""'))
    with pytest.raises(ConfigError, match="does not say how letters go"):
        send(config)
    config.write_text(text[: text.index("[mail]")])
    before: Callable[[], int] = lambda: len(post_office.look_at_post(config, "evening", "unsent").due)  # noqa: E731
    count = before()
    with pytest.raises(ConfigError, match="whom letters are from"):
        office.replace_ticket(
            config, "evening", 1, config.parent / "x", Wish((), None, letters=True), holder=None, email=None
        )
    assert before() == count  # nothing was replaced


def test_a_mail_server_on_this_machine_needs_neither_tls_nor_login() -> None:
    with MailServer(None, wants_login=False) as server:
        with SmtpCourier(settings(server.port, security="none", user=""), "") as courier:
            courier.send(a_letter())
        assert [(each.to, each.over_tls) for each in server.taken] == [("ada@example.org", False)]


def test_the_check_of_the_configuration_misses_no_password(venue: tuple[Path, MailServer]) -> None:
    config, _ = venue
    assert any("is good" in line for line in office.check_config(config))
    secrets_path(config).unlink()
    with pytest.raises(ConfigError, match=r"has user .* and no password"):
        office.check_config(config)
