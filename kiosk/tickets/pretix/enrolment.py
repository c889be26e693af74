"""How this machine becomes a device of a pretix server: by the code that pretix shows for a new one, good once."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from kiosk.tickets.pretix.errors import PretixRefused
from kiosk.tickets.pretix.wire import Wire, read

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Handshake(msgspec.Struct, frozen=True, kw_only=True):
    """What the QR code of a new device holds."""

    url: str
    token: str  # good once
    handshake_version: int = 1


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """A device that pretix knows."""

    organizer: str
    device_id: int
    unique_serial: str
    api_token: str
    name: str


def handshake_of(text: str) -> Handshake:
    """What the QR code of a new device says. Raises PretixRefused."""
    try:
        found = msgspec.json.decode(text.strip().encode(), type=Handshake)
    except msgspec.DecodeError:
        raise PretixRefused(
            'this is not the QR code of a new device, which holds {"handshake_version": 1, "url": ..., "token": ...}. '
            "Make one in pretix: organizer, devices, connect a device; security profile pretixSCAN."
        ) from None
    if found.handshake_version != 1:
        raise PretixRefused(f"a device of handshake {found.handshake_version} is newer than what we know: 1")
    return found


def safe_url(url: str) -> str:
    """The server's address, when a secret may be sent to it. Raises PretixRefused."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host:
        raise PretixRefused("this is no address: it begins with https://")
    is_near = parts.scheme == "http" and host in _LOOPBACK
    if not (parts.scheme == "https" or is_near) or parts.username or parts.query or parts.fragment:
        raise PretixRefused(
            f"{url[:100]!r} is no address for a secret: it begins with https:// and has a name, no more"
        )
    return url.strip().rstrip("/")


def enrol(handshake: Handshake, version: str) -> Enrolled:
    """Make this machine the device of that code, which is used up by it. Raises PretixAway, PretixRefused."""
    url = safe_url(handshake.url)
    body = {
        "token": handshake.token,
        "hardware_brand": "Raspberry Pi",
        "hardware_model": "Platypus",
        "software_brand": "Platypus",  # with "pretixscan" in it, no scan could name a position's number
        "software_version": version,
    }
    said = Wire({}).ask("POST", f"{url}/api/v1/device/initialize", body, also=(400, 404))
    if said.status == 404:
        raise PretixRefused(f"there is no pretix at {url}: is the address that of its first page, and no more?")
    if said.status == 400:
        raise PretixRefused(
            "pretix does not take this device's code: it was used before, or is no longer good. A code whose answer "
            "was lost is used up too. Make another device in pretix and try with that one's code."
        )
    return read(said, Enrolled)
