"""Codes that pretix signed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_stage import (
    EXAMPLE,
    EXAMPLE_KEY,
    key_of_pretix,
    key_pem,
    message_of,
    secret_key,
    signed,
    varint,
    written,
)

from kiosk.tickets.pretix_sig1 import MAX_CHARS, Fault, KeyTextError, Payload, check, read_keys

SECRET = secret_key()
KEYS = read_keys(key_pem(SECRET.public_key()))
MESSAGE = message_of("CTJqJOl1H", 1, 0, 14)
FRAME = signed(SECRET, MESSAGE)
CODE = written(FRAME)
GROUP_ORDER = (1 << 252) + 27742317777372353535851937790883648493  # of Ed25519 (RFC 8032)
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

int64 = st.integers(-(1 << 63), (1 << 63) - 1)
unix_s = st.integers(0, 253_370_764_799)


def test_the_example_of_pretix_is_signed_and_says_its_ticket() -> None:
    (key,) = read_keys(EXAMPLE_KEY.encode())
    seen = check(EXAMPLE.encode(), [key])
    assert seen.is_signed and seen.key == key
    assert seen.payload == Payload("CTJqJOl1H", 1, 0, 14, None, None)
    assert "nothing of canceled orders" in seen.says


@given(st.text(max_size=30), int64, int64, int64, unix_s, unix_s, st.binary(min_size=32, max_size=32))
def test_what_was_signed_is_read_again(
    seed: str, item: int, variation: int, subevent: int, start: int, end: int, secret: bytes
) -> None:
    pair = Ed25519PrivateKey.from_private_bytes(secret)
    code = written(signed(pair, message_of(seed, item, variation, subevent, start, end)))
    seen = check(code, read_keys(key_pem(pair.public_key())))
    assert seen.is_signed
    moments = [datetime.fromtimestamp(moment, UTC) if moment else None for moment in (start, end)]
    assert seen.payload == Payload(seed, item, variation, subevent, *moments)


@given(st.integers(0, len(FRAME) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(at: int, change: int) -> None:
    frame = bytearray(FRAME)
    frame[at] ^= change
    assert not check(written(bytes(frame)), KEYS).is_signed


@given(st.integers(0, len(CODE) - 1), st.sampled_from(BASE64))
def test_any_changed_character_is_refused(at: int, other: int) -> None:
    code = bytearray(CODE)
    code[at] = other
    assert check(bytes(code), KEYS).is_signed == (code == CODE)


@settings(deadline=None)
@given(st.binary(max_size=2 * MAX_CHARS))
def test_any_bytes_have_an_answer(raw: bytes) -> None:
    for code in (raw, written(raw), written(b"\x01" + len(raw).to_bytes(2, "big") + b"\x00\x40" + raw + bytes(64))):
        seen = check(code, KEYS)
        assert not seen.is_signed and seen.says


@given(st.text(max_size=2 * MAX_CHARS))
def test_any_text_has_an_answer(text: str) -> None:
    assert not check(text.encode(), KEYS).is_signed


@given(st.binary(max_size=200))
def test_any_signed_bytes_are_a_payload_or_damaged(message: bytes) -> None:
    seen = check(written(signed(SECRET, message)), KEYS)
    assert seen.is_signed or seen.fault in {Fault.DAMAGED, Fault.NOT_SIG1}


def test_a_code_written_in_another_way_is_refused_so_that_no_revoked_one_comes_back() -> None:
    paddings = set()
    for more in range(3):
        frame = signed(SECRET, MESSAGE + varint(7 << 3 | 2) + varint(more) + bytes(more))
        code = written(frame)
        assert check(code, KEYS).is_signed
        padding = len(code) - len(code.lstrip(b"="))
        paddings.add(padding)
        last = BASE64.index(code[padding])
        others = [code[:padding] + bytes([BASE64[last + n]]) + code[padding + 1 :] for n in range(1, 4**padding)]
        assert all(base64.b64decode(other[::-1]) == frame for other in others), "the same bytes"
        assert [check(other, KEYS).fault for other in others] == [Fault.DAMAGED] * len(others)
        assert not padding or not check(code.lstrip(b"="), KEYS).is_signed
        assert not check(b"=" + code, KEYS).is_signed
        assert not check(written(frame + b"\0"), KEYS).is_signed
    assert paddings == {0, 1, 2}


def test_a_signature_has_one_form_only() -> None:
    half = int.from_bytes(FRAME[-32:], "little") + GROUP_ORDER
    assert check(written(FRAME[:-32] + half.to_bytes(32, "little")), KEYS).fault is Fault.NO_KEY_FITS


def test_scanners_additions_do_not_matter() -> None:
    assert check(b"\\000026" + CODE + b"\r\n", KEYS).is_signed


def test_after_a_rotation_codes_of_either_key_are_good_and_it_is_said_which() -> None:
    secrets = [secret_key(number) for number in (1, 2, 3)]
    keys = [read_keys(key_of_pretix(secret.public_key()).encode())[0] for secret in secrets]
    assert len({key.fingerprint for key in keys}) == 3
    for secret, key in zip(secrets, keys, strict=True):
        seen = check(written(signed(secret, MESSAGE)), keys)
        assert seen.is_signed and seen.key == key
    seen = check(written(signed(secret_key(4), MESSAGE)), keys)
    assert (seen.fault, seen.key) == (Fault.NO_KEY_FITS, None) and "none of the 3 keys" in seen.says
    assert seen.payload is not None, "what it claims is told, and that nobody vouches for it"
    assert "no key was given" in check(CODE, ()).says


def test_a_revoked_code_is_refused_and_its_neighbour_is_not() -> None:
    revoked = {CODE.decode()}
    assert check(CODE + b"\n", KEYS, revoked).fault is Fault.REVOKED
    assert check(written(signed(SECRET, message_of("another", 1, 0, 14))), KEYS, revoked).is_signed
    forged = written(signed(secret_key(2), MESSAGE))
    assert check(forged, KEYS, {forged.decode()}).fault is Fault.NO_KEY_FITS


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (b"", Fault.NOT_SIG1),
        (b"A" * 26, Fault.NOT_SIG1),
        (b"abcdefghjkmnpqrstuvwxyz234567892", Fault.NOT_SIG1),
        (CODE[:-4], Fault.NOT_SIG1),
        (CODE[4:], Fault.DAMAGED),
        (written(b"\x02" + FRAME[1:]), Fault.NOT_SIG1),
        (written(FRAME[:3] + b"\x00\x3f" + FRAME[5:]), Fault.NOT_SIG1),
        (written(b"\x01\x00\x00\x00\x40"), Fault.DAMAGED),
        (written(signed(SECRET, b"\x0a\x02\xff\xfe")), Fault.DAMAGED),
        (written(signed(SECRET, b"\x0a\x05A")), Fault.DAMAGED),
        (written(signed(SECRET, message_of("s", 1, 0, 0, 0, 1 << 62))), Fault.DAMAGED),
        (written(signed(SECRET, message_of("s", 1, 0, 0, -1))), Fault.DAMAGED),
    ],
)
def test_what_is_none_and_what_is_damaged_are_told_apart(code: bytes, fault: Fault) -> None:
    assert check(code, KEYS).fault is fault


def test_a_later_field_of_pretix_changes_nothing() -> None:
    more = varint(9 << 3 | 2) + b"\x03new" + varint(10 << 3) + b"\x01" + varint(11 << 3 | 5) + bytes(4)
    assert check(written(signed(SECRET, MESSAGE + more)), KEYS).payload == Payload("CTJqJOl1H", 1, 0, 14, None, None)


def test_a_code_longer_than_any_is_refused_by_its_length() -> None:
    long = written(signed(SECRET, message_of("s" * 300, 1)))
    assert len(long) <= MAX_CHARS and check(long, KEYS).is_signed
    longer = written(signed(SECRET, message_of("s" * 400, 1)))
    assert len(longer) > MAX_CHARS and check(longer, KEYS).fault is Fault.NOT_SIG1
    assert check(b"A" * 50_000_000, KEYS).fault is Fault.NOT_SIG1


def test_a_key_is_taken_as_pretix_gives_it_as_pem_and_as_der() -> None:
    pem = key_pem(SECRET.public_key())
    der = b"".join(pem.splitlines()[1:-1])
    as_given = key_of_pretix(SECRET.public_key()).encode()
    broken = b"\n".join(as_given[at : at + 76] for at in range(0, len(as_given), 76))
    for text in (pem, b"  " + der + b"\n", as_given, broken, pem.replace(b"\n", b"\r\n")):
        assert read_keys(text) == KEYS


def test_several_keys_may_stand_in_one_text() -> None:
    pairs = [secret_key(number).public_key() for number in (1, 2)]
    lines = "\n".join(map(key_of_pretix, pairs)).encode()
    pems = b"".join(map(key_pem, pairs))
    fingerprints = [key.fingerprint for key in read_keys(lines)]
    assert len(set(fingerprints)) == 2
    assert [key.fingerprint for key in read_keys(pems)] == fingerprints


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b" \n", "no key in it"),
        (b"keys.pem", "neither PEM nor base64"),
        (b"QUJD", "no public key"),
        (b"\xff\xfe", "neither PEM nor base64"),
        (SECRET.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), "private key"),
        (base64.b64encode(SECRET.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())), "private key"),
        (base64.b64encode(SECRET.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())), "no public key"),
        (key_pem(SECRET.public_key()).replace(b"M", b"N"), "no public key"),
    ],
)
def test_what_is_no_public_key_is_refused_in_words_that_do_not_show_it(text: bytes, says: str) -> None:
    with pytest.raises(KeyTextError, match=says) as refused:
        read_keys(text)
    assert not text.strip() or text.decode(errors="replace") not in str(refused.value)


def test_a_key_of_another_kind_is_named_as_such() -> None:
    public = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    with pytest.raises(KeyTextError, match="another kind than Ed25519"):
        read_keys(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


@given(st.binary(max_size=300))
def test_any_text_is_keys_or_refused(text: bytes) -> None:
    for each in (text, base64.b64encode(text)):
        with pytest.raises(KeyTextError):
            read_keys(each)
