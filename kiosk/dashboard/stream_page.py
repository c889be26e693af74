"""The page of the stream, and the buttons of what viewers see."""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

import flask

from hardware.errors import PlatypusError
from kiosk.dashboard.language import _
from kiosk.dashboard.live import Live
from kiosk.dashboard.noting import note
from kiosk.dashboard.orders import DONE, ORDERS, give
from kiosk.dashboard.pages import page_now
from kiosk.dashboard.ports import News
from kiosk.dashboard.told import told
from kiosk.news import StreamCommand, StreamOrder

log = logging.getLogger(__name__)

_TONIGHT = "tonight"  # the page of a button that leads back there: all others lead to the stream's


def add_stream(app: flask.Flask, live: Live, news: News, zone: ZoneInfo) -> None:
    """Routes of the page of the stream; times on it are told in `zone`."""

    @app.get("/stream")
    def stream() -> flask.typing.ResponseReturnValue:
        return page_now("stream.html", live, zone)

    @app.get("/stream/stop")
    def confirm_stop() -> flask.typing.ResponseReturnValue:
        return flask.render_template("stop.html")

    def press(do: StreamOrder) -> flask.typing.ResponseReturnValue:
        try:
            give(news, StreamCommand(do=do))
        except PlatypusError as error:
            log.warning("press do=%s outcome=failed", do)
            note(str(error), refused=True)
            flask.flash(_("Not done: %(cause)s", cause=told(str(error))), "no")
        else:
            log.info("press do=%s outcome=ok", do)
            flask.flash(_(DONE[do]), "yes")
        back = "home" if flask.request.form.get("page") == _TONIGHT else "stream"
        return flask.redirect(flask.url_for(back), 303)

    def button(path: str, do: StreamOrder) -> None:
        app.post(f"/stream/{path}", endpoint=f"stream_{do}")(lambda: press(do))

    for path, do in ORDERS.items():
        button(path, do)
