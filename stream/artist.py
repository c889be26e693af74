"""Drawing slates: the port, and the plain artist that needs nothing but a font."""

from __future__ import annotations

import math
import textwrap
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from PIL import Image, ImageDraw, ImageFont

from stream.settings import Picture
from stream.talks import TalkInfo

SlateKind = Literal["starting", "next", "break", "end", "hidden"]
_FONT = "DejaVuSans-Bold.ttf"  # apt: fonts-dejavu-core
_DARK, _LIGHT, _SOFT = (18, 22, 32), (240, 240, 240), (160, 170, 190)
_LINES = 4  # of one text; a longer one ends in dots


class SlateArtist(Protocol):
    """Makes the pictures of a slate. Called from one thread, which may be kept busy for a second or two."""

    def draw(
        self, kind: SlateKind, talk: TalkInfo | None, starts_at: datetime | None, now: datetime, picture: Picture
    ) -> list[Path]:
        """One or several PNG files of the size of `picture`, each shown for an equal share of 8 s, then again.

        `talk` is the one announced: the next one, except at the end and while hidden. `starts_at` (aware) is given when
        a countdown is to be drawn, as of `now`. The files are read at once and are the artist's own. May raise
        anything: then the plain artist draws.
        """


class PlainArtist:
    """Big words in the middle of a dark picture. Overwrites its own files, one a kind, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def draw(
        self, kind: SlateKind, talk: TalkInfo | None, starts_at: datetime | None, now: datetime, picture: Picture
    ) -> list[Path]:
        image = Image.new("RGB", (picture.width_px, picture.height_px), _DARK)
        pen = ImageDraw.Draw(image)
        blocks = [
            (text, font, colour)
            for text, part, colour in _words(kind, talk, starts_at, now)
            for font in [_font(picture.height_px * part)]
            for text in [_fitted(text, font, picture.width_px * 0.86)]
        ]
        gap = picture.height_px * 0.06
        heights = [pen.multiline_textbbox((0, 0), text, font)[3] for text, font, _ in blocks]
        top = (picture.height_px - sum(heights) - gap * (len(blocks) - 1)) / 2
        for (text, font, colour), height in zip(blocks, heights, strict=True):
            pen.multiline_text((picture.width_px / 2, top), text, colour, font, anchor="ma", align="center")
            top += height + gap
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"plain-{kind}.png"
        image.save(path)
        return [path]


def _words(
    kind: SlateKind, talk: TalkInfo | None, starts_at: datetime | None, now: datetime
) -> list[tuple[str, float, tuple[int, int, int]]]:
    """Texts with their size, as a part of the picture's height, and their colour."""
    minutes = max(0, math.ceil((starts_at - now).total_seconds() / 60)) if starts_at else None
    wait = {None: "", 0: "in a moment", 1: "in a minute"}.get(minutes, f"in {minutes} minutes")
    name = [(talk.title, 0.075, _LIGHT), (talk.speaker, 0.055, _SOFT)] if talk else []
    match kind:
        case "starting":
            words = [(f"We start {wait or 'soon'}", 0.1, _LIGHT), *name]
        case "next":
            words = [("Next talk", 0.055 if name else 0.1, _SOFT), *name]
        case "break":
            words = [("Break", 0.1, _LIGHT), (f"We go on {wait}" if wait else "", 0.055, _SOFT), *name]
        case "end":
            words = [("Thank you for watching", 0.1, _LIGHT)]
        case "hidden":
            words = [("We will be right back", 0.1, _LIGHT)]
    return [each for each in words if each[0].strip()]


def _font(height_px: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.truetype(_FONT, max(8, round(height_px)))
    except OSError:  # a machine without the font: Pillow's own, which has fewer letters
        return ImageFont.load_default(max(8, round(height_px)))


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width_px: float) -> str:
    """`text` in lines that are no wider than `width_px`."""
    text = " ".join(text.split())
    columns = max(1, int(len(text) * width_px / max(1.0, font.getlength(text))))
    while columns > 1:
        lines = textwrap.wrap(text, columns, max_lines=_LINES, placeholder=" …")
        if all(font.getlength(line) <= width_px for line in lines):
            break
        columns -= 1
    return "\n".join(textwrap.wrap(text, columns, max_lines=_LINES, placeholder="…"))
