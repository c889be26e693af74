"""What the organizer may choose about the dashboard: [dashboard] of platypus.toml, as a frozen struct."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

Language = Literal["en", "fr"]


class HttpsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[dashboard.https]: what phones and laptops use. nginx does it, as a child of the dashboard's process."""

    enabled: bool = True
    host: str = ""  # the address to listen on; "": all of them
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8443
    certificate: str | None = None  # a PEM file of your own, with the chain; None: this machine makes one
    key: str | None = None  # its key, PEM, without a password

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together: write both, or none for one that this machine makes")


class DashboardSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[dashboard] of platypus.toml."""

    # Plain HTTP, for the screen and for browsers on this machine. On an address of the network everybody in the same
    # wifi can read PINs and names, and no phone gives its camera to such a page: so it has to be asked for in words
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080  # 0: any free port
    plain_http: Literal["this-machine", "whole-network"] = "this-machine"
    https: HttpsSettings = HttpsSettings()
    public_url: str | None = None  # how phones reach this page when that is not http://<host>:<port>
    show_names: bool = False  # whether the attendee screen greets people by name
    language: Language = "en"  # "en" or "fr": of pages, for a browser that asks for neither; each person may choose
    screen_language: Language | None = None  # of the attendee screen and of /watch; None: as `language`
    # Who may open /watch beside organizers: "off" nobody; "local" whoever is in the local network, without a login, for
    # a screen in the room next door. Each one takes as much of that network as a destination takes of the uplink
    watch: Literal["off", "local"] = "off"
    time_zone: str = "Europe/Paris"  # of the venue; every time on a page is told in it
    hosts: tuple[str, ...] = ()  # names this page may be called by, beside IP addresses, localhost and *.local

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            raise ValueError(f"time_zone {self.time_zone!r} is not known; write one such as Europe/Paris") from None
        if self.plain_http == "this-machine" and not _is_loopback(self.host):
            raise ValueError(
                f"host {self.host!r} would send PINs and names for the whole network to read: leave it out, phones "
                f'use https on port {self.https.port}; or write plain_http = "whole-network"'
            )
        if self.public_url is not None:
            url = urlsplit(self.public_url)
            if url.scheme not in {"http", "https"} or not url.hostname:
                raise ValueError(f"public_url {self.public_url!r} is not an address such as https://door.example.org")

    @property
    def language_of_screens(self) -> Language:
        """What everybody sees together is in the venue's language, whoever logged that screen in."""
        return self.screen_language or self.language

    @property
    def zone(self) -> ZoneInfo:
        """The venue's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def public_host(self) -> str | None:
        """The host name in `public_url`, in lower case."""
        return urlsplit(self.public_url).hostname if self.public_url else None

    @property
    def is_public_url_secure(self) -> bool:
        """Whether phones reach this page by https (a proxy in front of us holds the certificate)."""
        return self.public_url is not None and urlsplit(self.public_url).scheme == "https"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
