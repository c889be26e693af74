"""How tickets leave by e-mail: [mail] of platypus.toml, as a frozen struct. The password is in secrets.toml."""

from __future__ import annotations

from email.utils import parseaddr
from ipaddress import ip_address
from typing import Annotated, Literal

import msgspec

from kiosk.post.addresses import is_address

Line = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\r\n]*$")]
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class MailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[mail]."""

    sender: Line = msgspec.field(name="from")  # "The Platypus Society <tickets@platypus.example>"
    reply_to: Line = ""
    host: Line = ""  # of whoever takes the mail; "": letters are written as files only
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0  # 0: the usual one, 587 or 465
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Line = ""  # "": no login
    ca_file: str | None = None  # a PEM file, for a server whose certificate only your own authority vouches for
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=600)] = (
        20  # letters; more and many a server takes us for a nuisance
    )

    def __post_init__(self) -> None:
        for name, text in (("from", self.sender), ("reply_to", self.reply_to)):
            if (text or name == "from") and not is_address(parseaddr(text)[1], is_ours=True):
                raise ValueError(f"{name} {text!r} is no address such as Tickets <tickets@example.org>")
        if self.security == "none" and self.host and not _is_loopback(self.host):
            raise ValueError(
                f'security "none" would send letters and password to {self.host} for everybody to read: '
                'write "starttls" or "tls"; "none" is for a mail server on this machine'
            )

    @property
    def port_used(self) -> int:
        """The one that was chosen, or the usual one."""
        return self.port or _PORTS[self.security]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
