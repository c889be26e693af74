"""Reads the texts of a PDF of fpdf2 back, in the order in which they were drawn: page by page."""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"\d+ 0 obj\n(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\n(.*?)\nendstream", re.DOTALL)
_CHAR = re.compile(rb"<([0-9A-F]{2,4})> <([0-9A-F]{4,})>")
_RANGE = re.compile(rb"<([0-9A-F]{2,4})> <([0-9A-F]{2,4})> <([0-9A-F]{4,})>")
_SHOWN = re.compile(rb"\((.*?)(?<!\\)\) Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\([\\()rn])")


def texts_of(pdf: bytes) -> list[list[str]]:
    """The texts of each page. Pictures have none."""
    streams = [_unpacked(body) for body in _OBJECT.findall(pdf) if b"stream" in body]
    letters = {}
    for stream in streams:
        if b"beginbfchar" in stream or b"beginbfrange" in stream:
            letters |= _letters(stream)
    return [[_text(shown, letters) for shown in _SHOWN.findall(each)] for each in streams if b" Tj" in each]


def _unpacked(body: bytes) -> bytes:
    found = _STREAM.search(body)
    raw = found[1] if found else b""
    if b"FlateDecode" not in body or b"/Image" in body:
        return b"" if b"/Image" in body else raw
    return zlib.decompress(raw)


def _letters(table: bytes) -> dict[int, str]:
    found = {}
    for first, last, to in _RANGE.findall(table):
        for offset in range(int(last, 16) - int(first, 16) + 1):
            found[int(first, 16) + offset] = chr(int(to, 16) + offset)
    for code, to in _CHAR.findall(table):
        found.setdefault(int(code, 16), bytes.fromhex(to.decode()).decode("utf-16-be"))
    return found


def _text(shown: bytes, letters: dict[int, str]) -> str:
    plain = _ESCAPED.sub(lambda match: {b"r": b"\r", b"n": b"\n"}.get(match[1], match[1]), shown)
    if not letters:
        return plain.decode("latin-1")
    return "".join(letters.get(int.from_bytes(plain[at : at + 2], "big"), "?") for at in range(0, len(plain), 2))
