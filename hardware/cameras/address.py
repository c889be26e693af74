"""An address fit to be shown: what a log or an error may say of a network camera."""

from __future__ import annotations

from urllib.parse import urlsplit


def without_credentials(url: str) -> str:
    """The address with neither user, password nor query (cameras take passwords there too).

    An address that cannot be taken apart is not shown at all.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "(an address that cannot be read)"
    where = parts.hostname or ""
    if ":" in where:  # IPv6
        where = f"[{where}]"
    if port is not None:
        where = f"{where}:{port}"
    return f"{parts.scheme}://{where}{parts.path}"
