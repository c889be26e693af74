"""Whether something can be an e-mail address that any server takes (RFC 5321, without quoted and non-ASCII names)."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def is_address(text: str, *, is_ours: bool = False) -> bool:
    """Whether a letter can be sent there; `is_ours`: a machine in this network, without a dot, will do."""
    try:
        name, domain = plain(text).rsplit("@", 1)
    except ValueError:
        return False
    labels = domain.split(".")
    return (
        len(name) <= 64
        and len(domain) <= 253
        and _NAME.fullmatch(name) is not None
        and all(map(_LABEL.fullmatch, labels))
        and (is_ours or len(labels) > 1)
    )


def plain(text: str) -> str:
    """The address with its domain as the network writes it (IDNA). Raises ValueError when it has none."""
    name, at, domain = text.strip().rpartition("@")
    if not at:
        raise ValueError("an address has an @")
    return f"{name}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"
