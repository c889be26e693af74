"""The page of the stream, and the buttons of what viewers see."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import flask

from kiosk.dashboard.live import Live
from kiosk.dashboard.orders import DONE, ORDERS, give
from kiosk.dashboard.outcome import tell_outcome
from kiosk.dashboard.pages import page_now
from kiosk.dashboard.ports import News
from kiosk.news import StreamCommand, StreamOrder

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
        tell_outcome(do, lambda: give(news, StreamCommand(do=do)), DONE[do])
        back = "home" if flask.request.form.get("page") == _TONIGHT else "stream"
        return flask.redirect(flask.url_for(back), 303)

    def button(path: str, do: StreamOrder) -> None:
        app.post(f"/stream/{path}", endpoint=f"stream_{do}")(lambda: press(do))

    for path, do in ORDERS.items():
        button(path, do)
