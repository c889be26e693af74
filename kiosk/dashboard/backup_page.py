"""Backups on the page of the system and on their own: make one, take it away, look at one before it is restored.

Restoring itself is done at the machine: it replaces the files that this very page, the door and the stream work with,
and they have to be stopped before. The page proves the file and says what to type.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import flask

from hardware.clock import Clock
from hardware.errors import PlatypusError
from kiosk.backup.errors import why
from kiosk.backup.manifest import Manifest
from kiosk.backup.restoring import check
from kiosk.backup.shelf import Shelf
from kiosk.dashboard import backup_words
from kiosk.dashboard.desk import Turns
from kiosk.dashboard.language import _, later, say_later
from kiosk.dashboard.noting import note
from kiosk.dashboard.outcome import tell_outcome
from kiosk.dashboard.told import told
from kiosk.dashboard.uploads import LARGEST_BYTES, PATHS, uploaded

log = logging.getLogger(__name__)

_CHECK = "backup_check"
_PATIENCE_S = 5.0  # of who asks while a backup is made or read
_MADE = say_later("The backup is made, and was read back.")
_ABSENT = "No file was chosen, or it is empty: choose a backup, platypus-backup-….zip."
_TOO_LARGE = (
    f"The file has more than {LARGEST_BYTES // 1_000_000} MB. The Pi itself takes larger ones: copy it there, then: "
    "platypus restore --check FILE"
)
Card = Callable[[], backup_words.Line]


def add_backup(app: flask.Flask, shelf: Shelf, clock: Clock, zone: ZoneInfo) -> Card:
    """The routes; times are told in `zone`. Returns what the page of the system says of the newest backup."""
    turns = Turns(1, _PATIENCE_S, BackupBusy)

    def card() -> backup_words.Line:
        try:
            return backup_words.latest(shelf.backups(), clock.stamp(), zone, shelf.after)
        except OSError as error:
            return backup_words.Line("", "no", _("Backups cannot be read"), _said(error), is_good=False)

    def page(trouble: str = "", code: int = 200) -> flask.typing.ResponseReturnValue:
        lines, has_keys = [], True
        try:
            now = clock.stamp()
            has_keys = not shelf.leaves_keys_out()
            lines = [backup_words.line(each, now, zone, shelf.after) for each in shelf.backups()]
        except OSError as error:
            trouble = trouble or _said(error)
        most_mb = LARGEST_BYTES // 1_000_000
        return flask.render_template(
            "backups.html", lines=lines, trouble=trouble, folder=shelf.folder, most_mb=most_mb, has_keys=has_keys
        ), code

    @app.get("/backups")
    def backups() -> flask.typing.ResponseReturnValue:
        return page()

    @app.post("/backups/make", endpoint="backup_make")
    def make() -> flask.typing.ResponseReturnValue:
        def act() -> None:
            with turns.taken():
                made = shelf.make()
            note(later("the backup %(file)s is made", file=made.path.name).source)

        tell_outcome("backup", act, _MADE)
        return flask.redirect(flask.url_for("system"), 303)

    @app.post("/backups/download", endpoint="backup_download")
    def download() -> flask.typing.ResponseReturnValue:
        """By POST: a link to it would stand in a history, and be fetched by whatever looks ahead."""
        name = flask.request.form.get("name", "")
        try:
            found = shelf.named(name)
            answer = flask.send_file(
                found.path.absolute(), mimetype="application/zip", as_attachment=True, conditional=False, etag=False
            )
        except (PlatypusError, OSError) as error:
            note(str(error), refused=True)
            return page(_said(error), 404)
        note(later("the backup %(file)s was downloaded", file=found.path.name).source)
        return answer

    @app.post(PATHS[_CHECK], endpoint=_CHECK)
    def look() -> flask.typing.ResponseReturnValue:
        name = flask.request.form.get("name", "")
        try:
            with turns.taken():
                path, manifest = _proved(shelf, name) if name else shelf.take_in(uploaded(_ABSENT, _TOO_LARGE).raw)
        except (PlatypusError, OSError) as error:
            log.warning("backup do=check outcome=failed cause=%s", type(error).__name__)
            note(str(error), refused=True)
            return page(_("Not to be restored: %(cause)s", cause=_said(error)), 422)
        note(later("the backup %(file)s was looked at", file=path.name).source)
        return flask.render_template(
            "backup.html",
            name=path.name,
            plan=backup_words.plan(manifest, zone, shelf.after),
            command=backup_words.command(path, shelf.places),
        )

    return card


class BackupBusy(PlatypusError, TimeoutError):
    """One is made or read already."""

    code = "backup_busy"

    def __init__(self) -> None:
        super().__init__("a backup is made or read just now; wait a moment, then press again")


def _proved(shelf: Shelf, name: str) -> tuple[Path, Manifest]:
    """Raises BackupError, BadBackup, OSError."""
    path = shelf.named(name).path
    return path, check(path)[0]


def _said(error: PlatypusError | OSError) -> str:
    return told(str(error) if isinstance(error, PlatypusError) else why(error))
