"""Text as a picture, in any script: shaped, right to left where it reads so, wrapped, shrunk and cut to fit its box.

Set by Pango (`pango-view`), which finds for each letter a font that has it, and emoji in colour. Pillow shapes and
turns too (raqm), but in one font a text: a name beside an emoji, or Latin beside Hangul, comes out as boxes. Measured
some 40 ms a text with 290 fonts. Without Pango, Pillow sets the text as well as it can, and that is said.

The text reaches Pango as a file: never as markup, and in no command line.
"""

from __future__ import annotations

import logging
import math
import os
import subprocess
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stream.agenda import plain_words

log = logging.getLogger(__name__)

FALLBACK_FAMILIES = ("Noto Sans", "DejaVu Sans")
_PILLOW_FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")  # Debian's fonts-dejavu-core
LIMIT_S = 5.0  # a first run may have to read all fonts
_MOST_LETTERS = 400  # more do not fit into any box of ours at its smallest size
_AT_ONCE = 20  # texts on one picture: 20 lines of 80 px and what stands between take 20 MB
_SHRINK = (1.0, 0.85, 0.72, 0.6, 0.5)
_SMALLEST_PX = 6
# Explicit directions: a text that turns what stands after it has no place on a slate. Marks and joiners stay.
_NO_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


class Style(NamedTuple):
    """How a text looks. `size_px` is the largest; it shrinks to half of it when the box is small."""

    family: str
    size_px: float
    colour: str  # "#rrggbb"
    is_bold: bool = False


class Lettering:
    """Sets texts; `folder` is for its own files and may be emptied at any time, `fonts` may hold fonts of the look's.

    `troubles` says in words what was not as it should be, since the last `forget_troubles`.
    """

    def __init__(
        self, folder: Path, fonts: Path | None = None, *, program: str = "pango-view", limit_s: float = LIMIT_S
    ) -> None:
        self._folder = folder
        self._fonts = fonts
        self._program = program
        self._limit_s = limit_s
        self._is_pango_out = False  # once it has failed: a slate waits for it only once
        self._known: dict[str, bool] = {}
        self.troubles: list[str] = []

    def forget_troubles(self) -> None:
        """Begin a new list; Pango, and fonts that were not there, are tried again."""
        self.troubles = []
        self._is_pango_out = False
        self._known = {family: True for family, is_there in self._known.items() if is_there}

    def block(self, text: str, style: Style, width_px: int, height_px: int) -> Image.Image | None:
        """`text` as RGBA on nothing, cropped to its ink and never larger than the box; None when there is none."""
        text = plain_words(text.translate(_NO_TURNS))
        if len(text) > _MOST_LETTERS:
            text = text[:_MOST_LETTERS].rstrip() + "…"
        if not text or width_px < 1 or height_px < 1:
            return None
        picture = self._set_by_pango(text, style, width_px, height_px)
        if picture is None:
            picture = _set_by_pillow(text, style, width_px, height_px)
        ink = picture.getbbox()
        if ink is None:
            return None
        return picture.crop((ink[0], ink[1], min(ink[2], ink[0] + width_px), min(ink[3], ink[1] + height_px)))

    def lines(self, texts: Sequence[str], style: Style) -> list[Image.Image | None]:
        """Short texts, each on one line of its own length, as RGBA on nothing, cropped to its ink.

        Some at a time, as most of what a text costs is Pango's start: 20 names take little longer than one. None for
        those without ink, and for all when Pango fails: `block` says why, and does without it.
        """
        words = [plain_words(text.translate(_NO_TURNS))[:_MOST_LETTERS] for text in texts]
        found: list[Image.Image | None] = []
        for at in range(0, len(words), _AT_ONCE):
            found += self._some_lines(words[at : at + _AT_ONCE], style)
        return found

    def _some_lines(self, words: Sequence[str], style: Style) -> Sequence[Image.Image | None]:
        nothing: list[Image.Image | None] = [None] * len(words)
        places = [place for place, text in enumerate(words) if text]
        if self._is_pango_out or not places:
            return nothing
        size_px = max(_SMALLEST_PX, round(style.size_px))
        argv = self._argv(style, size_px, math.ceil(size_px * 0.25), 0)
        argv = [each for each in argv if not each.startswith(("--width=", "--wrap="))]
        try:
            with tempfile.TemporaryDirectory(prefix="text-", dir=self._folder) as folder:
                written, drawn = Path(folder, "text.txt"), Path(folder, "text.png")
                written.write_text(("\n" * 4).join(words[place] for place in places), encoding="utf-8")
                self._run([*argv, f"--output={drawn}", str(written)])
                with Image.open(drawn, formats=["PNG"]) as file:
                    picture = file.convert("RGBA")
        except (OSError, subprocess.SubprocessError, SyntaxError, Image.DecompressionBombError) as error:
            log.warning("lettering event=lines-failed cause=%s next=one-by-one", type(error).__name__)
            return nothing
        bands = _bands(picture, size_px)
        if len(bands) != len(places):  # a text of marks alone has no ink: nobody can tell which is whose
            return nothing
        for place, band in zip(places, bands, strict=True):
            nothing[place] = band
        return nothing

    def font_file(self, family: str, *, is_bold: bool = False) -> Path | None:
        """Where the font of this name is, or one that stands in for it; None when nobody can tell."""
        name = family.replace("-", "\\-") + (":bold" if is_bold else "")
        try:
            found = Path(self._run(["fc-match", "--format=%{file}", name]).stdout.decode(errors="replace"))
        except (OSError, subprocess.SubprocessError):
            return None
        return found if found.suffix.lower() in {".ttf", ".otf"} and found.is_file() else None

    def has_family(self, family: str) -> bool:
        """Whether a font of this name is there; True when nobody can tell."""
        if family not in self._known:
            argv = ["fc-match", "--format=%{family}", family.replace("-", "\\-")]
            try:
                found = self._run(argv).stdout.decode(errors="replace")
            except (OSError, subprocess.SubprocessError):
                return True
            self._known[family] = family.casefold() in {each.strip().casefold() for each in found.split(",")}
        return self._known[family]

    def _set_by_pango(self, text: str, style: Style, width_px: int, height_px: int) -> Image.Image | None:
        """The text; None when Pango is not there or fails, and then that is said."""
        if self._is_pango_out:
            return None
        try:
            return self._set(text, style, width_px, height_px)
        except (OSError, subprocess.SubprocessError, SyntaxError) as error:  # SyntaxError: Pillow's word for a bad PNG
            late = isinstance(error, subprocess.TimeoutExpired)
            said = f"no answer in {self._limit_s:.0f} s" if late else str(error)[:120]
            log.warning('lettering event=pango-failed next=pillow error="%s"', said)
            self._is_pango_out = True
            self.troubles.append(
                f"Pango cannot set the text ({said}): scripts other than Latin may be wrong. "
                "Is it installed? apt install pango1.0-tools"
            )
            return None

    def _set(self, text: str, style: Style, width_px: int, height_px: int) -> Image.Image:
        """By Pango, at the largest size at which all of it fits; at the smallest cut with an ellipsis."""
        with tempfile.TemporaryDirectory(prefix="text-", dir=self._folder) as folder:
            written, drawn = Path(folder, "text.txt"), Path(folder, "text.png")
            written.write_text(text, encoding="utf-8")
            factor = _SHRINK[0]
            while True:
                is_last = factor == _SHRINK[-1]
                size_px = max(_SMALLEST_PX, round(style.size_px * factor))
                edge_px = min(math.ceil(size_px * 0.25), width_px // 4)  # room for what leans out of its line
                argv = self._argv(style, size_px, edge_px, width_px)
                if is_last:
                    argv += ["--ellipsize=end", f"--height={max(1, height_px - 2 * edge_px)}"]
                self._run([*argv, f"--output={drawn}", str(written)])
                with Image.open(drawn, formats=["PNG"]) as file:
                    picture = file.convert("RGBA")
                ink = picture.getbbox()
                tall_px = ink[3] - ink[1] if ink else 0
                if is_last or tall_px <= height_px:
                    return picture
                wanted = factor * math.sqrt(height_px / tall_px) * 1.05  # a text's area goes with its size squared
                factor = next((each for each in _SHRINK if each < factor and each <= wanted), _SHRINK[-1])

    def _argv(self, style: Style, size_px: int, edge_px: int, width_px: int) -> list[str]:
        families = ", ".join(dict.fromkeys((style.family, *FALLBACK_FAMILIES)))
        return [
            self._program,
            "--no-display",
            "--pixels",
            "--background=transparent",
            f"--foreground={style.colour}",
            f"--font={families}, {'Bold ' if style.is_bold else ''}{size_px}",
            "--wrap=word-char",
            "--antialias=gray",
            "--line-spacing=0.9",
            f"--margin={edge_px}",
            f"--width={max(1, width_px - 2 * edge_px)}",
        ]

    def _run(self, argv: list[str]) -> subprocess.CompletedProcess[bytes]:
        surroundings = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
        surroundings |= {"LC_ALL": "C.UTF-8", "XDG_CACHE_HOME": str(self._folder)}
        if self._fonts is not None and os.access(self._fonts, os.R_OK | os.X_OK):
            surroundings["FONTCONFIG_FILE"] = str(self._fonts_conf(self._fonts))
        done = subprocess.run(
            argv, env=surroundings, stdin=subprocess.DEVNULL, capture_output=True, timeout=self._limit_s, check=False
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise OSError(f"{argv[0]}: {said[-1][:100] if said else f'exit code {done.returncode}'}")
        return done

    def _fonts_conf(self, fonts: Path) -> Path:
        """The system's fonts and the look's own, see fonts.conf(5)."""
        path = self._folder / "fonts.conf"
        path.write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
            '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>'
            f"<dir>{escape(str(fonts.resolve()))}</dir></fontconfig>\n",
            encoding="utf-8",
        )
        return path


def _bands(picture: Image.Image, gap_px: int) -> list[Image.Image]:
    """What stands between rows that are empty for `gap_px` and more, from the top, each cropped to its ink."""
    rows = np.asarray(picture.getchannel("A")).any(axis=1)
    inked = np.flatnonzero(rows)
    if not len(inked):
        return []
    breaks = np.flatnonzero(np.diff(inked) > gap_px)
    tops = [int(inked[0]), *(int(inked[at + 1]) for at in breaks)]
    ends = [*(int(inked[at]) + 1 for at in breaks), int(inked[-1]) + 1]
    found = []
    for top, end in zip(tops, ends, strict=True):
        band = picture.crop((0, top, picture.width, end))
        found.append(band.crop(band.getbbox()))
    return found


def _set_by_pillow(text: str, style: Style, width_px: int, height_px: int) -> Image.Image:
    """Words wrapped in one font; what does not fit at the smallest size is left out."""
    picture = Image.new("RGBA", (width_px, height_px), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    for factor in _SHRINK:
        size_px = max(_SMALLEST_PX, style.size_px * factor)
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont
        try:
            font = ImageFont.truetype(_PILLOW_FONT, size_px)
        except OSError:  # Pillow has one of its own
            font = ImageFont.load_default(size_px)
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and draw.textlength(longer, font=font) > width_px:
                lines.append(word)
            else:
                lines[-1] = longer
        wrapped = "\n".join(lines)
        box = draw.multiline_textbbox((0, 0), wrapped, font=font)
        if (box[2] <= width_px and box[3] <= height_px) or factor == _SHRINK[-1]:
            draw.multiline_text((0, 0), wrapped, font=font, fill=style.colour)
            break
    return picture
