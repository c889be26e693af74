"""What tickets are printed as, and with which font; loads nothing that draws."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")  # fonts-dejavu-core


class Form(StrEnum):
    """A form."""

    A4 = "a4"  # tickets.pdf: four to a sheet, with marks where to cut
    PAGE = "page"  # tickets-pages.pdf: a page of A6 each, to send
    LABEL = "label"  # tickets-labels.pdf: a label of 62 mm each, black
    PNG = "png"  # NNNN.png, for a phone
    SVG = "svg"  # NNNN.svg

    @property
    def ending(self) -> str:
        """Of its files."""
        return self.value if self in (Form.PNG, Form.SVG) else "pdf"

    @property
    def kind(self) -> str:
        """Of its files, as the web calls it."""
        return {"png": "image/png", "svg": "image/svg+xml"}.get(self.ending, "application/pdf")
