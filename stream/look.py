"""The look of the slates, from a folder: look.toml, logo.png, sponsors/ and fonts/. Everything is optional.

What is broken is left out and said in words; it never costs a slate.
"""

from __future__ import annotations

import logging
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from PIL import Image, ImageOps

from hardware.errors import PlatypusError
from stream.look_files import FORMATS
from stream.slate_words import Language

log = logging.getLogger(__name__)

_MAX_BYTES = 20_000_000
_MAX_PIXELS = 16_000_000  # 64 MB when decoded
_READABLE = 4.5  # contrast of text, WCAG 2.2

Colour = Annotated[str, msgspec.Meta(pattern=r"^#[0-9a-fA-F]{6}$")]
# No comma and no leading digit: Pango reads "family, family, style size".
Family = Annotated[str, msgspec.Meta(pattern=r"^[^\W\d_][\w .'-]{0,60}$")]
Words = Annotated[str, msgspec.Meta(max_length=200)]


class BadLook(PlatypusError, ValueError):
    """look.toml cannot be used; its text names the field and what to do."""

    code = "bad_look"


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """look.toml. The colours of the default have a contrast of 15 and more."""

    language: Language = "en"
    background: Colour = "#10161f"
    text: Colour = "#ffffff"
    accent: Colour = "#ffc857"
    font: Family = "Noto Sans"
    association: Words = ""  # whose event it is, on the last slate
    website: Words = ""


class LogoBox:
    """Pictures of logos, kept as long as their file is the same."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[tuple[int, int], Image.Image]] = {}

    def logo(self, path: Path) -> Image.Image:
        """The logo as RGBA, cropped to what is seen of it, at most 1000 pixels. Raises ValueError in words."""
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            kept = self._kept.get(path)
            if kept is None or kept[0] != stamp:
                kept = self._kept[path] = (stamp, _load(path))
        except ValueError:
            raise
        except Exception as error:  # a broken picture makes its decoder raise whatever it likes
            log.warning("slates event=logo-refused file=%s next=without-it", path.name, exc_info=True)
            raise ValueError(f"it cannot be read ({str(error)[:100]}): save it again as PNG") from error
        return kept[1]


def scaled(logo: Image.Image, most_px: tuple[int, int]) -> Image.Image:
    """The logo at the largest size that fits into `most_px`."""
    factor = min(most_px[0] / logo.width, most_px[1] / logo.height)
    size = (max(1, int(logo.width * factor)), max(1, int(logo.height * factor)))
    return logo.resize(size, Image.Resampling.LANCZOS)


def _load(path: Path) -> Image.Image:
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES:,} bytes: 1000 across are plenty")
    with Image.open(path, formats=[FORMATS[path.suffix.lower()]]) as file:
        if file.width * file.height > _MAX_PIXELS:
            raise ValueError(f"it has {file.width} x {file.height} pixels: 1000 across are plenty")
        file.draft("RGB", (1000, 1000))
        picture = ImageOps.exif_transpose(file).convert("RGBA")
    ink = picture.getchannel("A").getbbox()
    if ink is None:
        raise ValueError("nothing is to be seen in it")
    picture = picture.crop(ink)
    picture.thumbnail((1000, 1000), Image.Resampling.LANCZOS)
    return picture


def read_look(folder: Path) -> Look:
    """look.toml of `folder`; the default when there is none. Raises BadLook."""
    path = folder / "look.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), Look)
    except FileNotFoundError:
        return Look()
    except NotADirectoryError as error:
        raise BadLook(
            f"{folder} is not a folder: the look of the slates is one, with look.toml and logo.png."
        ) from error
    except msgspec.ValidationError as error:
        raise BadLook(f'{path}: {error}. Colours are written "#rrggbb", the language "en" or "fr".') from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadLook(f"{path} is not TOML: {error}. Texts and colours stand in quotes.") from error
    except OSError as error:
        raise BadLook(f"{path} cannot be read: {error.strerror}. Check its rights.") from error


def troubles_of(look: Look) -> list[str]:
    """What a viewer could not read."""
    return [
        f"look.toml: {name} {colour} on background {look.background} has a contrast of "
        f"{contrast(colour, look.background):.1f}; {_READABLE} can be read."
        for name, colour in (("text", look.text), ("accent", look.accent))
        if contrast(colour, look.background) < _READABLE
    ]


def rgb(colour: str) -> tuple[int, int, int]:
    """#rrggbb as numbers from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((luminance(rgb(one)), luminance(rgb(other))))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: tuple[int, int, int]) -> float:
    """WCAG 2.2's relative luminance, from 0 to 1."""
    red, green, blue = ((c / 255) / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
