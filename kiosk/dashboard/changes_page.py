"""The organizers' page of what was changed, by whom and when."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import flask

from kiosk.dashboard import people_words
from kiosk.dashboard.changes import Changes, ChangesError, Newest
from kiosk.dashboard.told import told

SHOWN = 200


def add_changes(app: flask.Flask, changes: Changes, zone: ZoneInfo) -> None:
    """The one route; times on it are told in `zone`."""

    @app.get("/changes", endpoint="changes")
    def show() -> flask.typing.ResponseReturnValue:
        newest, trouble = Newest((), 0), ""
        try:
            newest = changes.newest(SHOWN)
        except ChangesError as error:
            trouble = told(str(error))
        return flask.render_template(
            "changes.html",
            lines=people_words.changes(newest.changes, zone),
            unreadable=newest.unreadable,
            trouble=trouble,
            most=SHOWN,
        )
