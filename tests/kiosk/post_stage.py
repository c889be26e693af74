"""A mail server for tests: SMTP as RFC 5321 has it, over TLS of an authority of its own, which does what it is told.

Real sockets and a real TLS: what is promised is about servers. It keeps what it took in memory.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email
import email.policy
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "door@example.org", "correct horse"


class Certificates(NamedTuple):
    """Files, PEM."""

    authority: Path
    chain: Path
    key: Path


class Taken(NamedTuple):
    """A letter that a server took, or did not answer for."""

    sender: str
    to: str
    message: EmailMessage
    over_tls: bool


def certificates(folder: Path, name: str = "127.0.0.1") -> Certificates:
    """An authority, and the certificate that it gave a server called `name`."""
    now = datetime.now(UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of a test")])

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )

    authority = (
        builder(issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.IPAddress(ip_address(name))] if name[0].isdigit() else [x509.DNSName(name)]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    own = (
        builder(subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    made = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    made.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    made.chain.write_bytes(own.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


class MailServer:
    """Listens on 127.0.0.1. What it does wrong is set before, or while, it is used."""

    def __init__(self, made: Certificates | None, *, tls_from_start: bool = False, wants_login: bool = True) -> None:
        self.taken: list[Taken] = []  # letters that it answered for with 250
        self.heard: list[Taken] = []  # all whose text came whole
        self.refuses: dict[str, list[str]] = {}  # recipient -> answers to RCPT, one after the other; then 250
        self.at_data: list[str] = []  # answers to the end of letters, one after the other; "drop": none, the line ends
        self.silent_after: int | None = None  # letters, after which no answer comes
        self.greeting = "220 mail.test ESMTP"
        self.logins: list[tuple[str, str]] = []
        self.has_gone_silent = threading.Event()
        self._wants_login = wants_login
        self._tls_from_start = tls_from_start
        self._context: ssl.SSLContext | None = None
        if made is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(made.chain, made.key)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail-server")
        self.port = 0

    def __enter__(self) -> MailServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(10)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _begin(self) -> None:
        context = self._context if self._tls_from_start else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for _ in range(3):  # what was aborted is closed in the loop's next rounds
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            await self._talk(reader, writer)
        writer.transport.abort()

    async def _talk(  # noqa: PLR0912, PLR0915  # the verbs of SMTP, one after the other
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        is_tls, is_known, sender, to = self._tls_from_start, not self._wants_login, "", ""

        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say(self.greeting)
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    offers = ["mail.test", "SIZE 10000000"]
                    offers += ["STARTTLS"] if self._context and not is_tls else []
                    offers += ["AUTH PLAIN"] if self._wants_login and is_tls else []
                    writer.write("".join(f"250-{each}\r\n" for each in offers[:-1]).encode())
                    say(f"250 {offers[-1]}")
                case "STARTTLS" if self._context is not None:
                    say("220 go on")
                    await writer.drain()
                    await writer.start_tls(self._context)
                    is_tls = True
                case "AUTH":
                    _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
                    self.logins.append((user, password))
                    is_known = (user, password) == (USER, PASSWORD)
                    say("235 welcome" if is_known else "535 5.7.8 no such user or password")
                case "MAIL":
                    sender = rest[5:].partition(">")[0].strip("<")
                    say("250 ok" if is_known else "530 5.7.0 log in first")
                case "RCPT":
                    to = rest[3:].strip("<>")
                    answers = self.refuses.get(to, [])
                    say(answers.pop(0) if answers else "250 ok")
                case "DATA":
                    say("354 go on")
                    text = (await reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n.")
                    message = email.message_from_bytes(text, policy=email.policy.default)
                    heard = Taken(sender, to, message, is_tls)  # type: ignore[arg-type]
                    self.heard.append(heard)
                    if self.silent_after == len(self.heard):
                        self.has_gone_silent.set()
                        await asyncio.Event().wait()
                    answer = self.at_data.pop(0) if self.at_data else "250 taken"
                    if answer == "drop":
                        return
                    if answer.startswith("250"):
                        self.taken.append(heard)
                    say(answer)
                case "RSET":
                    say("250 ok")
                case "QUIT":
                    say("221 bye")
                    return
                case _:
                    say("502 what?")
            await writer.drain()


@contextlib.contextmanager
def served(folder: Path, *, tls_from_start: bool = False) -> Iterator[tuple[MailServer, Certificates]]:
    """A server, and its certificates."""
    made = certificates(folder)
    with MailServer(made, tls_from_start=tls_from_start) as server:
        yield server, made
