"""What a recording is called: its moment and its talk, in a name that every file system takes.

Windows (NTFS, exFAT, FAT) is the narrowest: its signs and its rule of names' ends are at
https://learn.microsoft.com/windows/win32/fileio/naming-a-file. A name begins with a date, so the names it reserves
(CON, NUL ...) cannot come up. Linux counts 255 bytes.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from pathlib import Path

from stream.talks import TalkInfo

MOST_BYTES = 200  # of the stem: the rest is for "-999", ".mp4.part" and what a durable file puts around its name
_OURS = re.compile(r"\d{4}-\d\d-\d\d_\d{6}(?!\d)")
_FORBIDDEN = frozenset('<>:"/\\|?*')
_JOINERS = frozenset("\u200c\u200d")  # Persian words and emoji are written with them
_LEFT_OUT = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def bare_stem(begun: datetime) -> str:
    """The name, without its ending, of a recording without a talk that begins at `begun` (local)."""
    return f"{begun:%Y-%m-%d_%H%M%S}"


def stem_of(begun: datetime, talk: TalkInfo | None) -> str:
    """The name, without its ending, of a recording of `talk` that begins at `begun` (local)."""
    stem = bare_stem(begun)
    if talk is None:
        return stem
    words = " - ".join(each for each in (_safe(talk.title), _safe(talk.speaker)) if each)
    room = MOST_BYTES - len(stem) - 1
    cut = words.encode()[:room].decode(errors="ignore")
    if cut != words:  # never half of what is written with several characters
        while cut and (unicodedata.combining(words[len(cut)]) or words[len(cut)] in _JOINERS or cut[-1] in _JOINERS):
            cut = cut[:-1]
    cut = cut.rstrip(" .-")
    return f"{stem} {cut}" if cut else stem


def is_ours(path: Path) -> bool:
    """Whether a file's name begins as those of our recordings do: others' are left alone."""
    return _OURS.match(path.name) is not None


def _safe(text: str) -> str:
    """`text` without what some file system refuses, or what would mislead the eye (directions, invisible signs)."""
    kept = (
        " " if c in _FORBIDDEN or (unicodedata.category(c) in _LEFT_OUT and c not in _JOINERS) else c
        for c in unicodedata.normalize("NFC", text)
    )
    return " ".join("".join(kept).split()).strip(" .")
