"""Codes as pretix signs them, for tests: an independent writer of what `kiosk.tickets.pretix_sig1` reads."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EXAMPLE = (  # public: a test vector of libpretixsync
    "E4BibyTSylQOgeKjuMPiTDxi5HXPuTVsx1qCli3IL0143gj0EZXOB9iQInANxRFJTt4Pf9nXnHdB91Qk/RN0L5AIBABSxw2TKFnSUNUCKAEAPAQA"
)
EXAMPLE_KEY = "MCowBQYDK2VwAyEA7AD7/vFA33EsY4z2PHr7iZPsZ8n5dh0ajP8gyzNmmIs="


def secret_key(number: int = 1) -> Ed25519PrivateKey:
    """A key pair; the same for the same number."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def key_pem(public: Ed25519PublicKey) -> bytes:
    """A public key as PEM."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_of_pretix(public: Ed25519PublicKey) -> str:
    """A public key as pretix's API gives it."""
    return base64.b64encode(key_pem(public)).decode()


def varint(number: int) -> bytes:
    """A number, as it stands in a message."""
    number %= 1 << 64
    groups = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def message_of(seed: str, *numbers: int) -> bytes:
    """A payload: item, variation, subevent, valid from, valid until (Unix time); 0 is left out, as by proto3."""
    text = seed.encode()
    parts = [b"\x0a" + varint(len(text)) + text if text else b""]
    parts += [varint(field << 3) + varint(number) for field, number in enumerate(numbers, start=2) if number]
    return b"".join(parts)


def signed(secret: Ed25519PrivateKey, message: bytes) -> bytes:
    """The frame: header, payload, signature."""
    return b"\x01" + len(message).to_bytes(2, "big") + b"\x00\x40" + message + secret.sign(message)


def written(frame: bytes) -> bytes:
    """A frame as a code."""
    return base64.b64encode(frame)[::-1]
