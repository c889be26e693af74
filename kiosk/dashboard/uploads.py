"""Files that a form may bring: which routes take one, and how large it may be; all other forms are short."""

from __future__ import annotations

import re
from typing import NamedTuple

import flask

from hardware.errors import PlatypusError
from kiosk.dashboard.gatekeeper import role
from kiosk.dashboard.rights import may

# A schedule of 500 talks with their abstracts, or a list of 10,000 tickets; the command line takes more. The server
# reads it before anybody looked whether the sender is logged in, on up to 200 connections at once: so not 20 MB.
LARGEST_BYTES = 2_000_000
_FIELDS_BYTES = 16 * 1024  # what stands beside the file
PATHS = {
    "talks_upload": "/talks/upload",
    "tickets_look": "/tickets/look",
    "backup_check": "/backups/check",
}  # by their route


class UploadError(PlatypusError, ValueError):
    """No file came, or one that is too large; its text says what to do."""

    code = "upload"


class Upload(NamedTuple):
    """A file of a form."""

    name: str  # as its sender called it, without what a page or a log could trip over
    raw: bytes


def let_files_in(app: flask.Flask) -> None:
    """Allow a file where one is expected, from whoever may send it; before anything reads the request."""

    @app.before_request
    def allow() -> None:
        endpoint = flask.request.endpoint
        if endpoint in PATHS and may(role(), endpoint):
            flask.request.max_content_length = LARGEST_BYTES + _FIELDS_BYTES


def uploaded(absent: str, too_large: str) -> Upload:
    """The file of the form. Raises UploadError: its text is `absent` or `too_large`."""
    file = flask.request.files.get("file")
    if file is None:
        flask.abort(400)
    raw = file.read(LARGEST_BYTES + 1)
    if not raw:
        raise UploadError(absent)
    if len(raw) > LARGEST_BYTES:
        raise UploadError(too_large)
    return Upload(re.sub(r"[^\w. ()-]", "_", file.filename or "")[-60:] or "the file", raw)
