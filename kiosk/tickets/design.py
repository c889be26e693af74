"""How tickets look: the folder of the slates' look, so that a logo is put in one place for the stream and for paper.

What is broken in it is left out and said in words; it never costs a ticket.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from kiosk.tickets.forms import FONT
from kiosk.tickets.typesetting import Type, type_of
from stream import look as looks
from stream import look_files
from stream.lettering import Lettering
from stream.look import BadLook, LogoBox, Look
from stream.slate_sheet import is_lost_on, mixed, plate_of

# Latin, Greek and Cyrillic; Debian's fonts-dejavu-core puts it here, and its bold beside it.
_LOGO_PX = (600, 180)  # 50 x 15 mm at 305 dpi
_SPONSOR_PX = (240, 96)


class Design(NamedTuple):
    """A look, read and ready to be drawn with."""

    look: Look
    type: Type
    logo: Image.Image | None  # RGBA, to stand on the look's background
    sponsors: Sequence[Image.Image]  # RGBA, to stand on white
    troubles: Sequence[str]  # what is left out, in words


@contextmanager
def design_of(folder: Path | None, font: Path = FONT) -> Iterator[Design]:
    """The design of a folder, which may not be there; None: of nothing but our own. Raises FontError."""
    with tempfile.TemporaryDirectory(prefix="platypus-tickets-") as work:
        lettering = Lettering(Path(work), folder / "fonts" if folder else None)
        troubles: list[str] = []
        look = _look(folder, troubles)
        if look.font != Look().font and not lettering.has_family(look.font):
            troubles.append(f"look.toml: the font {look.font!r} is not there; another is used.")
        logo, sponsors = _pictures(folder, look, troubles) if folder else (None, [])
        yield Design(look, type_of(lettering, look.font, font), logo, sponsors, troubles)


def _look(folder: Path | None, troubles: list[str]) -> Look:
    try:
        look = looks.read_look(folder) if folder else Look()
    except BadLook as error:
        troubles.append(f"{error} Until then the tickets have the default look.")
        return Look()
    troubles += looks.troubles_of(look)
    return look


def _pictures(folder: Path, look: Look, troubles: list[str]) -> tuple[Image.Image | None, list[Image.Image]]:
    box = LogoBox()
    logo, path = None, look_files.logo_path(folder)
    if path is not None:
        try:
            logo = _on(box.logo(path), _LOGO_PX, look.background, "#ffffff")
        except ValueError as error:
            troubles.append(f"{path.name} is left out: {error}.")
    elif (folder / "logo.svg").exists():
        troubles.append("logo.svg is left out: save it as logo.png.")
    paths, wrong = look_files.sponsor_paths(folder)
    troubles += wrong
    sponsors = []
    for path in paths:
        try:
            sponsors.append(_on(box.logo(path), _SPONSOR_PX, "#ffffff", mixed("#ffffff", "#000000", 0.15)))
        except ValueError as error:
            troubles.append(f"sponsors/{path.name} is left out: {error}.")
    return logo, sponsors


def _on(logo: Image.Image, most_px: tuple[int, int], ground: str, other_ground: str) -> Image.Image:
    """The logo; on a plate of `other_ground` when it would be lost on `ground`."""
    logo = looks.scaled(logo, most_px)
    if not is_lost_on(logo, ground):
        return logo
    edge = max(2, round(logo.height * 0.1))
    plate = plate_of((logo.width + 2 * edge, logo.height + 2 * edge), other_ground, edge)
    plate.alpha_composite(logo, (edge, edge))
    return looks.scaled(plate, most_px)
