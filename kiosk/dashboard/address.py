"""How phones reach this page: what a QR code that leads here has to say."""

from __future__ import annotations

import socket
from pathlib import Path

import flask

from kiosk.dashboard.guard import host_name, is_own_name
from kiosk.dashboard.settings import DashboardSettings

_MDNS = Path("/run/avahi-daemon/socket")
_EVERY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what people write to listen on all


def phones_url(settings: DashboardSettings, plain_port: int) -> str | None:
    """The address of the start page for phones; None when no other machine can come here at all."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    if settings.https.enabled:
        host = own_address() if settings.https.host in _EVERY else settings.https.host
        return f"https://{_in_url(host)}:{settings.https.port}"
    if is_own_name(settings.host):
        return None
    host = own_address() if settings.host in _EVERY else settings.host
    return f"http://{_in_url(host)}:{plain_port}"


def base_url_for_phones(settings: DashboardSettings, request: flask.Request) -> str | None:
    """The same for somebody who is here by `request`: what brought them here brings others, unless they sit at the Pi.

    None when no other machine can come here at all.
    """
    name = host_name(request.host)
    if not (is_own_name(name) or (settings.public_url and name == settings.public_host)):
        return request.host_url.rstrip("/")
    port = request.host.rpartition(":")[2]
    return phones_url(settings, int(port) if port.isdecimal() else 80)


def named_url(settings: DashboardSettings, answers: Path = _MDNS) -> str | None:
    """The same by this machine's name, as long as something answers for it by mDNS (RFC 6762), which `answers` is a
    sign of. It stays good when the address changes; a telephone may not know how to ask.
    """
    if settings.public_url or not settings.https.enabled or settings.https.host not in _EVERY or not answers.exists():
        return None
    return f"https://{socket.gethostname().partition('.')[0]}.local:{settings.https.port}"


def own_address() -> str:
    """This machine's address in the network where most of its packets go, or its name when there is none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # RFC 5737; nothing is sent, the kernel only chooses a way
            address: str = probe.getsockname()[0]
            return address
    except OSError:
        return f"{socket.gethostname()}.local"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
