"""The sponsors' logos on the screen at the door: whoever pays for the food is thanked where everybody comes in.

They are those of the slates' look, handed out as they are; nothing is decoded here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import flask

from stream.look_files import FORMATS, sponsor_paths

log = logging.getLogger(__name__)

_LARGEST_BYTES = 2_000_000  # a screen loads each once; slates may have larger ones


class Sponsors:
    """The logos of `folder`, which may change at any time, and need not be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def logos(self) -> Sequence[Path]:
        """Those that a browser should load, in the order of their names."""
        paths, _ = sponsor_paths(self._folder)  # what is wrong with others the slates say
        return [path for path in paths if _size_bytes(path) in range(1, _LARGEST_BYTES + 1)]

    def logo(self, name: str) -> Path | None:
        """The file of a logo; None for any other name."""
        return next((path for path in self.logos() if path.name == name), None)


def add_sponsors(app: flask.Flask, sponsors: Sponsors) -> None:
    """The logos' route; templates ask for their names."""

    @app.get("/screen/sponsors/<name>", endpoint="screen_sponsor")
    def logo(name: str) -> flask.typing.ResponseReturnValue:
        path = sponsors.logo(name)
        if path is None:
            flask.abort(404)
        try:
            picture = path.read_bytes()
        except OSError as error:  # taken away this moment, or closed to us
            log.warning("sponsors event=not-sent file=%s cause=%s", path.name, error.strerror)
            flask.abort(404)
        kind = FORMATS[path.suffix.lower()].lower()
        return flask.Response(picture, mimetype=f"image/{kind}", headers={"Cache-Control": "private, max-age=60"})

    app.jinja_env.globals["sponsors"] = lambda: [path.name for path in sponsors.logos()]


def _size_bytes(path: Path) -> int:
    try:
        return 0 if path.is_symlink() else path.stat().st_size  # nothing from elsewhere is handed out
    except OSError:
        return 0
