"""The page of the stream, and the buttons of what viewers see."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import flask

from hardware.errors import PlatypusError
from kiosk.dashboard.language import _, say_later
from kiosk.dashboard.live import Live
from kiosk.dashboard.noting import note
from kiosk.dashboard.pages import page_now
from kiosk.dashboard.ports import News
from kiosk.dashboard.told import told
from kiosk.news import StreamCommand, StreamOrder

log = logging.getLogger(__name__)

ANSWER_S = 5.0  # how long a press waits for the stream process
_ORDERS: Mapping[str, StreamOrder] = {
    "start": "start",
    "go-live": "go_live",
    "next": "next_talk",
    "camera": "camera",
    "break": "take_break",
    "end": "end",
    "hide": "hide_camera",
    "undo": "undo",
    "stop": "stop",
    "retry": "retry",
    "preflight": "preflight",
}
_DONE: Mapping[StreamOrder, str] = {
    "start": say_later("Asked to start. It is live when the line below says so."),
    "go_live": say_later("Going live with the slate before the start."),
    "next_talk": say_later("The next talk is introduced; the camera follows by itself."),
    "camera": say_later("The camera is shown from its next full picture on."),
    "take_break": say_later("Viewers see the break."),
    "end": say_later("Viewers are thanked. The stream goes on until you stop it."),
    "hide_camera": say_later("The camera and the room's sound are hidden."),
    "undo": say_later("Undone."),
    "stop": say_later("The stream is stopping."),
    "retry": say_later("Trying again now."),
    "preflight": say_later("Checking: what is found appears below."),
}
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
            reply = news.command(StreamCommand(do=do), ANSWER_S)
            error = None if reply.ok else reply.error or "The stream said no, and not why; see its log."
        except PlatypusError as failure:
            error = str(failure)
        if error:
            log.warning("press do=%s outcome=failed", do)
            note(error, refused=True)
            flask.flash(_("Not done: %(cause)s", cause=told(error)), "no")
        else:
            log.info("press do=%s outcome=ok", do)
            flask.flash(_(_DONE[do]), "yes")
        back = "home" if flask.request.form.get("page") == _TONIGHT else "stream"
        return flask.redirect(flask.url_for(back), 303)

    def button(path: str, do: StreamOrder) -> None:
        app.post(f"/stream/{path}", endpoint=f"stream_{do}")(lambda: press(do))

    for path, do in _ORDERS.items():
        button(path, do)
