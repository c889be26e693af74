"""The organizers' report of the evening, so far or as it was: a page, and files to keep.

Counted when somebody asks, one at a time: nobody at the door waits for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from zoneinfo import ZoneInfo

import flask
import msgspec

from hardware.errors import PlatypusError
from kiosk.dashboard import desk_words
from kiosk.dashboard.desk import Turns
from kiosk.dashboard.language import _
from kiosk.dashboard.ports import FrontDesk
from kiosk.dashboard.report_view import report_view
from kiosk.dashboard.sheet_maker import sheet_apart
from kiosk.ledger.report import Report
from kiosk.ledger.report_forms import as_csv, as_json

log = logging.getLogger(__name__)

_PATIENCE_S = 5.0  # of who asks while another report is made


def add_report(app: flask.Flask, desk: FrontDesk, zone: ZoneInfo) -> None:
    """The routes; times are told in `zone`."""
    turns = Turns(1, _PATIENCE_S)

    def made() -> Report:
        with turns.taken():
            return desk.report(zone)

    @app.get("/report")
    def report() -> flask.typing.ResponseReturnValue:
        try:
            return flask.render_template("report.html", view=report_view(made(), zone), trouble="")
        except (PlatypusError, OSError) as error:
            return flask.render_template("report.html", view=None, trouble=_failed(error)), 503

    def file(ending: str, kind: str, write: Callable[[Report], bytes]) -> None:
        def download() -> flask.typing.ResponseReturnValue:
            try:
                told = made()
                content = write(told)
            except (PlatypusError, OSError) as error:
                text = _failed(error)
                return flask.render_template("error.html", title=_("There is no report now"), text=text), 503
            answer = flask.Response(content, content_type=kind)
            answer.headers.set("Content-Disposition", "attachment", filename=f"{told.slug}-report.{ending}")
            return answer

        app.get(f"/report.{ending}", endpoint=f"report_{ending}")(download)

    file("pdf", "application/pdf", lambda told: sheet_apart(told, zone))
    file("csv", "text/csv; charset=utf-8", as_csv)
    file("json", "application/json", lambda told: msgspec.json.encode(as_json(told)))


def _failed(error: PlatypusError | OSError) -> str:
    log.warning("report outcome=failed cause=%s", type(error).__name__, exc_info=error)
    return desk_words.failed(error).detail
