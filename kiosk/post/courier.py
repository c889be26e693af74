"""Whoever carries letters: a mail server over SMTP, by TLS that is verified.

PlatypusError
└── MailError (OSError)
    ├── NoCourier            the server cannot be reached, trusted or logged in to: no letter will go
    ├── RefusedForNow        this letter may go later: a greylist, a full mailbox, a line that broke
    └── RefusedForGood       this letter will not go: no such mailbox
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from typing import Protocol, Self

from hardware.errors import PlatypusError
from kiosk.post.letter import Letter
from kiosk.post.settings import MailSettings

_LIMIT_S = 30.0  # for one answer
_WORST_REPLY = 300  # characters of what a server says


class MailError(PlatypusError, OSError):
    """A letter cannot be sent; its text says why, and what to do."""

    code = "mail"


class NoCourier(MailError):
    """No letter can be sent by this server, as it is set."""

    code = "no_courier"


class RefusedForNow(MailError):
    """This letter was not taken, and may be later."""

    code = "refused_for_now"


class RefusedForGood(MailError):
    """This letter was not taken, and will not be."""

    code = "refused_for_good"


class Courier(Protocol):
    """Takes letters, one at a time."""

    def send(self, letter: Letter) -> None:
        """Returns when somebody else is responsible for the letter. Raises MailError."""


class SmtpCourier:
    """One connection to a mail server, begun anew when it broke."""

    def __init__(self, settings: MailSettings, password: str, *, limit_s: float = _LIMIT_S) -> None:
        self._settings = settings
        self._password = password
        self._limit_s = limit_s
        self._line: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye; safe to call twice."""
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):  # the letters were taken: nothing is lost
                line.quit()
            line.close()

    def connect(self) -> smtplib.SMTP:
        """Reach the server and log in. Raises NoCourier, or RefusedForNow when it has no time."""
        if self._line is None:
            self._line = self._connected()
        return self._line

    def send(self, letter: Letter) -> None:
        line = self.connect()
        sender = letter.message["From"].addresses[0].addr_spec
        try:
            line.sendmail(sender, [letter.to], letter.message.as_bytes())
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            if code == 421:
                self._drop()
            raise _refused(code, said, "its recipient") from error
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code < 500:
                self._drop()
                raise _refused(error.smtp_code, error.smtp_error, "the sender") from error
            raise NoCourier(
                f"{self._settings.host} takes no letters from {sender} ({_said(error.smtp_code, error.smtp_error)}): "
                "is [mail] from an address of this account, and is a user needed?"
            ) from error
        except smtplib.SMTPDataError as error:
            if error.smtp_code == 421:
                self._drop()
            raise _refused(error.smtp_code, error.smtp_error, "the letter") from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise RefusedForNow(
                f"the line to {self._settings.host} broke ({_cause(error)}); whether this letter was taken is not known"
            ) from error
        except BaseException:  # Ctrl-C in the middle of it: what comes next on this line is nobody's answer
            self._drop()
            raise

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _connected(self) -> smtplib.SMTP:
        settings, where = self._settings, f"{self._settings.host}:{self._settings.port_used}"
        try:
            line = self._open()
        except MailError:
            raise
        except socket.gaierror as error:
            raise NoCourier(
                f"the mail server {settings.host} is not known: check [mail] host, and the network"
            ) from error
        except ssl.SSLCertVerificationError as error:
            raise NoCourier(self._untrusted(error)) from error
        except ssl.SSLError as error:
            raise NoCourier(
                f'{where} speaks no TLS from the start ({error.reason}): is it security = "starttls", or another port?'
            ) from error
        except smtplib.SMTPConnectError as error:
            raise _turned_away(error.smtp_code)(
                f"{where} takes no letters now ({_said(error.smtp_code, error.smtp_error)})"
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NoCourier(
                f"nobody takes letters at {where} ({_cause(error)}): check [mail] host and port, and the network"
            ) from error
        try:
            self._greet(line)
        except BaseException:
            line.close()
            raise
        return line

    def _open(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.security == "tls":
            return smtplib.SMTP_SSL(settings.host, settings.port_used, timeout=self._limit_s, context=self._context())
        return smtplib.SMTP(settings.host, settings.port_used, timeout=self._limit_s)

    def _greet(self, line: smtplib.SMTP) -> None:
        settings, where = self._settings, f"{self._settings.host}:{self._settings.port_used}"
        try:
            line.ehlo_or_helo_if_needed()
            if settings.security == "starttls":
                if not line.has_extn("starttls"):
                    raise NoCourier(f'{where} offers no STARTTLS: security = "tls", or another port')
                line.starttls(context=self._context())
            if settings.user:
                line.login(settings.user, self._password)
        except MailError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise NoCourier(self._untrusted(error)) from error
        except smtplib.SMTPNotSupportedError as error:
            raise NoCourier(f"{where} offers no login that we know: leave [mail] user out, or another port") from error
        except smtplib.SMTPAuthenticationError as error:
            said = _said(error.smtp_code, error.smtp_error)
            if error.smtp_code < 500:
                raise RefusedForNow(f"{where} has no time for the login of {settings.user} ({said})") from error
            raise NoCourier(
                f"{where} refuses the login of {settings.user} ({said}): check [mail] user, and password under [mail] "
                "in secrets.toml"
            ) from error
        except smtplib.SMTPResponseException as error:
            said = _said(error.smtp_code, error.smtp_error)
            raise _turned_away(error.smtp_code)(f"{where} takes no letters ({said})") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NoCourier(f"{where} broke off at the greeting ({_cause(error)}): try again later") from error

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._settings.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise NoCourier(f"[mail] ca_file {self._settings.ca_file} cannot be used: {_cause(error)}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _untrusted(self, error: ssl.SSLCertVerificationError) -> str:
        return (
            f"{self._settings.host} cannot prove who it is ({error.verify_message}): is [mail] host the name in its "
            "certificate? A private authority goes under ca_file. Nothing was sent"
        )


def _refused(code: int, said: bytes | str, what: str) -> MailError:
    return _by_code(code)(f"{what} was refused: {_said(code, said)}")


def _turned_away(code: int) -> type[MailError]:
    """At the greeting it is about us, not about a letter."""
    return RefusedForNow if code < 500 else NoCourier


def _by_code(code: int) -> type[MailError]:
    """4xx is for now, 5xx for good (RFC 5321, 4.2.1)."""
    return RefusedForNow if 400 <= code < 500 else RefusedForGood


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return f"{code} {line[:_WORST_REPLY]}".strip()


def _cause(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", None) or error)[:_WORST_REPLY] or type(error).__name__
