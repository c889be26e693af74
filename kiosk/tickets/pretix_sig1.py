"""Codes that pretix signed, its "signature scheme 1": read and verified with the event's public keys, and no network.

    code = base64(0x01, length of payload, length of signature (64), payload, signature), its characters reversed

Lengths are 16 bits, the big end first; the payload is a protobuf message, the signature Ed25519 over it. Source:
pretix's src/pretix/base/secrets.py and libpretixsync's pretix_sig1.proto. Neither header nor base64 is signed, so every
form of a code but the one that pretix writes is refused: else a revoked code, written another way, would be none.

A signature says who made a code. It says nothing of orders that were canceled since: pretix gives such an order a new
code, signed like any other, and revokes the old one alone (its issue 2467). Only a list of orders knows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hardware.errors import PlatypusError
from kiosk.tickets import codes
from kiosk.tickets.protobuf import MalformedMessage, read_fields, signed64

MAX_CHARS = 500  # such a code has some 120; what is longer costs no more than looking at its length
SAYS_NOTHING_OF_CANCELED_ORDERS = (
    "a signature says nothing of canceled orders: pretix signs the new code of such an order too; only a list knows"
)

_HEADER_BYTES = 5
_SIGNATURE_BYTES = 64
_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_S = 253_370_764_800  # 9999-01-01: a day later some zone would be in a year that datetime has not
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)


class KeyTextError(PlatypusError, ValueError):
    """A text holds no public key of pretix; its words say what it is taken for, and never show it."""

    code = "key_text"


class _Damaged(PlatypusError, ValueError):
    """A code that begins as a signed one and does not go on as one."""

    code = "damaged"


class Fault(StrEnum):
    """Why a code is not taken for signed by pretix."""

    NOT_SIG1 = "not_sig1"  # a code of another kind
    DAMAGED = "damaged"  # begins as one, and is not what pretix writes
    NO_KEY_FITS = "no_key_fits"  # forged, misread, or signed with a key that was not given
    REVOKED = "revoked"  # signed, and on the list of those that count no more


class Key(NamedTuple):
    """A public key of an event."""

    public: Ed25519PublicKey
    fingerprint: str  # the first 16 hexadecimal digits of SHA-256 of the key as DER: to tell keys apart


class Payload(NamedTuple):
    """What a code says of its ticket. Numbers are pretix's own; 0 where there is none."""

    seed: str  # random: it makes two codes of the same product differ
    item: int
    variation: int
    subevent: int
    valid_from: datetime | None  # aware, UTC
    valid_until: datetime | None


class Check(NamedTuple):
    """What came of looking at a code. Without `key`, nobody vouches for the payload."""

    fault: Fault | None
    says: str  # the same in words
    payload: Payload | None = None
    key: Key | None = None  # which one fits

    @property
    def is_signed(self) -> bool:
        """Whether a key fits and nobody revoked the code."""
        return self.fault is None


def read_keys(text: bytes) -> Sequence[Key]:
    """The public keys of a text: base64 of PEM, one a line, as pretix's API gives them; plain PEM; or base64 of DER.

    Raises KeyTextError.
    """
    if blocks := [match[0] for match in _PEM.finditer(text)]:
        return [_key(block) for block in blocks]
    if not text.split():
        raise KeyTextError("there is no key in it: give what pretix names under valid_keys, pretix_sig1")
    try:
        return [_key(_unwrapped(b"".join(text.split())))]  # one key, perhaps broken over lines
    except KeyTextError:
        if len(text.split()) == 1:
            raise
    return [_key(_unwrapped(line)) for line in text.split()]


def check(raw: bytes, keys: Sequence[Key], revoked: Collection[str] = ()) -> Check:
    """Whether pretix signed the code `raw` with one of `keys`, and what it says.

    `revoked` are whole codes, as pretix lists them; give a set when they are many. Takes any bytes.
    """
    code = codes.clean(raw) if len(raw) <= MAX_CHARS else b""
    try:
        parts = _parts(code)
        if parts is None:
            return Check(Fault.NOT_SIG1, "not a code that pretix signed (pretix_sig1)")
        signed, signature = parts
        payload = _payload(signed)
    except (_Damaged, MalformedMessage) as error:
        return Check(Fault.DAMAGED, f"begins as a signed code of pretix and is damaged: {error}")
    key = next((key for key in keys if _fits(key, signature, signed)), None)
    if key is None:
        known = f"none of the {len(keys)} keys given fits" if len(keys) > 1 else "the key given does not fit"
        says = f"{known}: forged, misread, or of another event" if keys else "no key was given to verify it with"
        return Check(Fault.NO_KEY_FITS, says, payload)
    if code.decode("ascii") in revoked:
        return Check(Fault.REVOKED, "signed by pretix, and revoked: a newer code replaced it", payload, key)
    return Check(None, f"signed by pretix; {SAYS_NOTHING_OF_CANCELED_ORDERS}", payload, key)


def _parts(code: bytes) -> tuple[bytes, bytes] | None:
    """Payload and signature; None for a code of another kind. Raises _Damaged."""
    try:
        frame = base64.b64decode(code[::-1], validate=True)
    except binascii.Error:
        return None
    size = int.from_bytes(frame[1:3], "big")
    if len(frame) < _HEADER_BYTES or frame[0] != _VERSION or frame[3:5] != _SIGNATURE_BYTES.to_bytes(2, "big"):
        return None
    if base64.b64encode(frame)[::-1] != code:
        raise _Damaged("its first characters are not as pretix writes them")
    if len(frame) != _HEADER_BYTES + size + _SIGNATURE_BYTES:
        wanted = _HEADER_BYTES + size + _SIGNATURE_BYTES
        raise _Damaged(f"{len(frame)} bytes where its beginning speaks of {wanted}")
    return frame[_HEADER_BYTES:-_SIGNATURE_BYTES], frame[-_SIGNATURE_BYTES:]


def _payload(message: bytes) -> Payload:
    """What a message says; fields that we do not know are passed over. Raises MalformedMessage, _Damaged."""
    seed = b""
    numbers = dict.fromkeys(range(2, 7), 0)
    for number, value in read_fields(message):
        if isinstance(value, bytes):
            seed = value if number == 1 else seed
        elif number in numbers:
            numbers[number] = signed64(value)
    try:
        text = seed.decode("utf-8")
    except UnicodeDecodeError:
        raise _Damaged("its seed is no text") from None
    return Payload(text, numbers[2], numbers[3], numbers[4], _moment(numbers[5]), _moment(numbers[6]))


def _moment(unix_s: int) -> datetime | None:
    if not 0 <= unix_s < _LAST_S:
        raise _Damaged(f"{unix_s} s after 1970 is no time of a ticket")
    return _EPOCH + timedelta(seconds=unix_s) if unix_s else None


def _fits(key: Key, signature: bytes, signed: bytes) -> bool:
    try:
        key.public.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _unwrapped(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise KeyTextError("neither PEM nor base64: give a public key as pretix names it") from None


def _key(content: bytes) -> Key:
    """A key of PEM or DER."""
    if b"PRIVATE KEY" in content:
        raise KeyTextError("a private key, which no door needs: give the public one, and keep this one to yourself")
    is_pem = _PEM.search(content) is not None
    load = serialization.load_pem_public_key if is_pem else serialization.load_der_public_key
    try:
        public = load(content)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyTextError("no public key: give it as pretix names it (base64 of a PEM), as PEM or as DER") from None
    if not isinstance(public, Ed25519PublicKey):
        raise KeyTextError("a public key of another kind than Ed25519, with which pretix signs")
    form = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Key(public, hashlib.sha256(form).hexdigest()[:16])
