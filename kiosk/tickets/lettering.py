"""Texts that the sheets' own font cannot set, as small pictures: Arabic, Chinese, emoji, beside the Latin of the rest.

Pango (`pango-view`, as for the slates) finds a font for each letter, joins and turns what is joined and turned. It sets
hundreds of texts in one run, since most of a run's time goes into looking for fonts. Where Pango is missing or fails,
there are no pictures, and whoever draws uses the font that there is. Texts reach it as a file, never as markup.
"""

from __future__ import annotations

import logging
import subprocess
import tempfile
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

log = logging.getLogger(__name__)

SIZE_PX = 40  # of the letters; 250 dots an inch for letters of 11.5 points
_ASCENT_PX, _DESCENT_PX = round(1.15 * SIZE_PX), round(0.5 * SIZE_PX)  # room for what stands high, as Thai does
_IN_ONE_RUN = 150  # texts with a line between two: a picture of some 20,000 of the 32,767 lines that Cairo draws
_LIMIT_S = 60.0  # a slow Pi that reads all its fonts
_LONGEST = 80  # letters
# Before each text stands a stroke, by which its line is found; what follows it begins at the left whatever it is.
_MARK, _LEFT_TO_RIGHT = "-", "\u200e"
_MARK_PX = SIZE_PX // 2  # no text begins so far to the left
_INDENT = "\N{NO-BREAK SPACE}" * 5
_MARK_HEIGHT = 0.28  # of the letters' size: how far above its line the stroke stands
_JOINERS = "\u200c\u200d"  # written in Persian, Hindi and emoji; not printable by Python's word
# Letters as they stand, one after the other from the left: Latin to Cyrillic and Armenian, Georgian, signs of money.
_PLAIN = ((0x20, 0x590), (0x10A0, 0x1100), (0x1E00, 0x2000), (0x2010, 0x2028), (0x2030, 0x205F), (0x20A0, 0x20D0))


class Lettered(NamedTuple):
    """A text as a picture on nothing."""

    picture: Image.Image  # RGBA, or LA where there is no colour in it; letters of SIZE_PX
    baseline_px: int  # from its top


def one_line(text: str) -> str:
    """What can be printed of a text, in one line; signs that turn what stands after them left out."""
    kept = "".join(c for c in unicodedata.normalize("NFC", text) if c.isprintable() or c.isspace() or c in _JOINERS)
    return " ".join(kept.split())


def is_plain(text: str, letters: Collection[int]) -> bool:
    """Whether a font that has `letters` sets it as it is: nothing is joined, turned, or put on top of another."""
    return all(
        ord(c) in letters
        and any(first <= ord(c) < end for first, end in _PLAIN)
        and not unicodedata.category(c).startswith("M")
        for c in text
    )


def lettered(texts: Iterable[str], program: str = "pango-view") -> Mapping[str, Lettered]:
    """Pictures of texts, each of one line (`one_line`); of none where Pango cannot be had, and then that is logged."""
    wanted = list(dict.fromkeys(texts))
    found: dict[str, Lettered] = {}
    for start in range(0, len(wanted), _IN_ONE_RUN):
        some = wanted[start : start + _IN_ONE_RUN]
        try:
            found |= zip(some, _set(some, program), strict=True)
        except (OSError, subprocess.SubprocessError, ValueError, SyntaxError) as error:  # SyntaxError: a bad PNG
            log.warning('lettering event=failed texts=%d next=one-font cause="%s"', len(some), type(error).__name__)
            return found
    return found


def _set(texts: Sequence[str], program: str) -> Sequence[Lettered]:
    """Raises ValueError when the picture does not have as many lines."""
    lines = [f"{_LEFT_TO_RIGHT}{_MARK}{_INDENT}{text[:_LONGEST]}" for text in texts]
    with tempfile.TemporaryDirectory(prefix="letters-") as folder:
        written, drawn = Path(folder, "text.txt"), Path(folder, "text.png")
        written.write_text("\n\n".join(lines), encoding="utf-8")
        argv = [
            *(program, "--no-display", "--pixels", "--background=transparent", "--margin=0", "--antialias=gray"),
            *("--align=left", f"--font=DejaVu Sans, Noto Sans, {SIZE_PX}", f"--output={drawn}", str(written)),
        ]
        subprocess.run(argv, capture_output=True, check=True, timeout=_LIMIT_S)
        with Image.open(drawn, formats=["PNG"]) as file:
            picture = file.convert("RGBA")
    baselines = [round(middle + _MARK_HEIGHT * SIZE_PX) for middle in _marks(picture)]
    if len(baselines) != len(texts):
        raise ValueError(f"{len(baselines)} lines for {len(texts)} texts")
    return [_cut_out(picture, baseline) for baseline in baselines]


def _marks(picture: Image.Image) -> Sequence[float]:
    """The middles of the strokes at the left edge, from the top."""
    column = picture.getchannel("A").crop((0, 0, _MARK_PX, picture.height)).reduce((_MARK_PX, 1)).tobytes()
    found, begin = [], None
    for y, ink in enumerate((*column, 0)):
        if ink and begin is None:
            begin = y
        elif not ink and begin is not None:
            found.append((begin + y - 1) / 2)
            begin = None
    return found


def _cut_out(picture: Image.Image, baseline: int) -> Lettered:
    top = baseline - _ASCENT_PX
    line = picture.crop((_MARK_PX, top, picture.width, baseline + _DESCENT_PX))
    ink = line.getchannel("A").getbbox()
    if ink is None:  # a text of nothing that can be seen
        return Lettered(line.crop((0, 0, 1, 1)), 0)
    cut = line.crop(ink)
    has_colour = any(band.getbbox() for band in cut.split()[:3])
    return Lettered(cut if has_colour else cut.convert("LA"), _ASCENT_PX - ink[1])  # thousands take half the memory
