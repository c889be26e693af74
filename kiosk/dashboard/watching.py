"""What viewers see: the small picture on the organizer's page, and the page for a screen in the room next door."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import flask

from hardware.clock import Clock
from kiosk.dashboard.language import _, speaking
from kiosk.dashboard.settings import Language
from stream.preview_files import PICTURE, PLAYLIST, SEGMENT

log = logging.getLogger(__name__)

OLD_S = 10.0  # a picture older than this is none; pictures come each keyframe, at least each 4 s
_OLD_PLAYLIST_S = 20.0
_SET_BACK_S = 2.0  # a file made so much later than now: the clock was set, and its age is unknown
_LARGEST_BYTES = 4_000_000
_NO_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360"><rect width="640" height="360" fill="#222b29"/>'
    '<text x="320" y="192" fill="#cfd8d4" font-family="sans-serif" font-size="36" text-anchor="middle">'
    "{words}</text></svg>"
)


class Shot(NamedTuple):
    """A small picture, and how old it is."""

    jpeg: bytes
    age_s: float


class PreviewFiles:
    """The folder where the stream's process puts picture and segments, as the dashboard reads it. Never waits."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def picture(self) -> Shot | None:
        """The picture of what viewers see, or None when there is none or it is too old to be shown."""
        found = self._young(PICTURE, OLD_S)
        return None if found is None else Shot(*found)

    def playlist(self) -> bytes | None:
        """The list of the segments there are now, or None."""
        found = self._young(PLAYLIST, _OLD_PLAYLIST_S)
        return None if found is None else found[0]

    def segment(self, name: str) -> Path | None:
        """Where a segment lies; None for any other name, and when it is gone."""
        if not SEGMENT.fullmatch(name):
            return None
        path = self._folder / name
        return path if path.is_file() and not path.is_symlink() else None

    def _young(self, name: str, limit_s: float) -> tuple[bytes, float] | None:
        try:
            with (self._folder / name).open("rb") as file:
                content = file.read(_LARGEST_BYTES)
                made_s = (self._folder / name).stat().st_mtime
        except OSError:
            return None  # there is no stream, or none that wants a preview
        age_s = self._clock.stamp().wall.timestamp() - made_s
        return (content, max(0.0, age_s)) if -_SET_BACK_S <= age_s <= limit_s else None


def add_watching(app: flask.Flask, files: PreviewFiles, language: Language) -> None:
    """Routes of the picture and of the page with the film, which speaks `language`."""

    @app.get("/preview.jpg", endpoint="preview_picture")
    def picture() -> flask.typing.ResponseReturnValue:
        shot = files.picture()
        if shot is None:
            return flask.Response(_NO_PICTURE.format(words=_("No picture")), 404, mimetype="image/svg+xml")
        return flask.Response(shot.jpeg, mimetype="image/jpeg", headers={"Picture-Age": f"{shot.age_s:.1f}"})

    @app.get("/watch")
    def watch() -> flask.typing.ResponseReturnValue:
        with speaking(language):
            return flask.render_template("watch.html")

    @app.get("/watch/live.m3u8", endpoint="watch_playlist")
    def playlist() -> flask.typing.ResponseReturnValue:
        content = files.playlist()
        if content is None:
            return flask.Response("There is no stream now.\n", 404, mimetype="text/plain")
        return flask.Response(content, mimetype="application/vnd.apple.mpegurl", headers={"Cache-Control": "no-cache"})

    @app.get("/watch/<name>", endpoint="watch_segment")
    def segment(name: str) -> flask.typing.ResponseReturnValue:
        path = files.segment(name)
        if path is None:
            return over()
        try:
            # Handed to waitress as a whole file: its one sending thread serves slow screens, no thread of ours waits.
            answer = flask.send_file(path, mimetype="video/mp2t", conditional=False, etag=False)
        except FileNotFoundError:  # deleted this moment
            return over()
        answer.headers["Cache-Control"] = "private, max-age=60, immutable"  # its name is never used again
        return answer

    def over() -> flask.Response:
        return flask.Response("This part of the film is over.\n", 404, mimetype="text/plain")
