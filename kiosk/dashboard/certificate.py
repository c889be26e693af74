"""The certificate of the dashboard's HTTPS: the organizer's own, or one that this machine makes and signs for itself.

A certificate that nobody else signed makes a phone warn once; what is sent is as secret as with any other. It stays the
same for two years, so that a phone that was told to trust it warns no more: a new address of the Pi is no new one.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hardware.durable import write_durably
from hardware.errors import PlatypusError
from kiosk.dashboard.address import own_address

log = logging.getLogger(__name__)

_LIFE = timedelta(days=820)  # Apple's devices take no longer one than 825 days (support.apple.com, HT210176)
_RENEWED = timedelta(days=30)  # before its end
_SLACK = timedelta(days=1)  # a phone's clock may be behind ours


class CertificateError(PlatypusError, OSError):
    """A certificate or its key cannot be read, made, or used together."""

    code = "certificate"


class Certificate(NamedTuple):
    """Two PEM files; the first may hold the chain behind it."""

    chain: Path
    key: Path
    sha256: str  # of the certificate: what a browser shows as its fingerprint, AB:CD:...
    ends_at: datetime  # aware


def own_certificate(folder: Path, names: Iterable[str], now: datetime) -> Certificate:
    """The one made by this machine, in `folder`; made anew when there is none, or when it ends soon.

    `names` are DNS names and IP addresses it is good for; `now` is aware. Raises CertificateError.
    """
    chain, key = folder / "certificate.pem", folder / "key.pem"
    try:
        kept = read_certificate(chain, key)
        if kept.ends_at - now > _RENEWED:
            return kept
    except CertificateError as error:
        if chain.exists():
            log.warning("https event=certificate-unusable cause=%s next=make-another", error)
    try:
        for path, content in zip((key, chain), _made(names, now), strict=True):
            write_durably(path, content)
    except OSError as error:
        raise CertificateError(f"no certificate can be kept in {folder}: {error.strerror}") from error
    return read_certificate(chain, key)


def read_certificate(chain: Path, key: Path) -> Certificate:
    """A certificate and the key that belongs to it. Raises CertificateError."""
    try:
        certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
        secret = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except OSError as error:
        raise CertificateError(f"{error.filename} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:  # TypeError: the key has a password
        raise CertificateError(f"{chain} and {key} are no certificate and its key, PEM, without password") from error
    if secret.public_key() != certificate.public_key():
        raise CertificateError(f"{key} is the key of another certificate than {chain}")
    sha256 = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    return Certificate(chain, key, sha256, certificate.not_valid_after_utc)


def names_of_machine() -> list[str]:
    """What this machine may be called by a browser: its name, with and without .local, and its address of now."""
    name = socket.gethostname().partition(".")[0]
    return ["localhost", name, f"{name}.local", "127.0.0.1", own_address()]


def _made(names: Iterable[str], now: datetime) -> tuple[bytes, bytes]:
    """Key and certificate, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Platypus dashboard")])
    begin = now - _SLACK
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _LIFE)
        .add_extension(x509.SubjectAlternativeName([_general(each) for each in dict.fromkeys(names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret, certificate.public_bytes(pem)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
