"""What a QR holds: how our codes are made, how any code is cleaned, and how the ledger remembers it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

SECRET_BYTES = 32

# Some encoders announce their character set inside the text; these are the four pretix met (facts of its scanner).
_ECI_PREFIX = re.compile(rb"^\\0000(01|03|26|27)")
_CONTROL = bytes(range(0x20)) + b"\x7f"


def new_secret() -> bytes:
    """A fresh event secret, 32 random bytes; whoever has it can print every ticket of that event."""
    return secrets.token_bytes(SECRET_BYTES)


def own_code(secret: bytes, event: str, number: int) -> str:
    """The code of ticket `number`: 128 bits as 26 characters of upper-case base32.

    Derived (HMAC-SHA256), not stored: the same ticket can be printed again, and the ledger gives no code away.
    Upper case and digits keep the QR in alphanumeric mode, so it stays at version 2 with error correction Q.
    """
    tag = hmac.digest(secret, f"platypus ticket {event}/{number}".encode(), "sha256")[:16]
    return base64.b32encode(tag).decode("ascii").rstrip("=")


def clean(raw: bytes) -> bytes:
    """A code as it was meant: without character-set announcement, control characters and outer blanks."""
    return _ECI_PREFIX.sub(b"", raw).translate(None, _CONTROL).strip()


def groups(code: str) -> str:
    """A code as people read it out: four characters at a time."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def digest(code: bytes) -> bytes:
    """How the ledger knows a code: SHA-256 of its cleaned bytes, 32 bytes."""
    return hashlib.sha256(clean(code)).digest()
