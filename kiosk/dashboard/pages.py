"""The organizer's page, its live news, and its buttons."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Literal
from zoneinfo import ZoneInfo

import flask
import flask_login

from hardware.errors import PlatypusError
from kiosk.dashboard.access import Access
from kiosk.dashboard.live import Listener, Live, Snapshot, TooManyListeners
from kiosk.dashboard.ports import News
from kiosk.dashboard.views import clock_time
from kiosk.news import StreamCommand

log = logging.getLogger(__name__)

ANSWER_S = 5.0  # how long a press waits for the stream process
_DONE = {
    "start": "Asked to start. It is live when the line below says so.",
    "stop": "The stream is stopping.",
    "retry": "Trying again now.",
}


def add_pages(app: flask.Flask, access: Access, live: Live, news: News, zone: ZoneInfo) -> None:
    """Routes of the organizer; times on the page are told in `zone`."""

    @app.get("/")
    def home() -> flask.typing.ResponseReturnValue:
        now = live.now()
        return flask.render_template("home.html", view=now.home, as_of=clock_time(now.at, zone))

    @app.get("/events")
    def events() -> flask.typing.ResponseReturnValue:
        mine = flask_login.current_user.generation
        return event_stream(live, lambda snapshot: snapshot.home_json, lambda: access.generation() == mine)

    @app.get("/stream/stop")
    def confirm_stop() -> flask.typing.ResponseReturnValue:
        return flask.render_template("stop.html")

    @app.post("/stream/start")
    def start() -> flask.typing.ResponseReturnValue:
        return press("start")

    @app.post("/stream/stop", endpoint="stop")
    def stop() -> flask.typing.ResponseReturnValue:
        return press("stop")

    @app.post("/stream/retry")
    def retry() -> flask.typing.ResponseReturnValue:
        return press("retry")

    @app.get("/healthz")
    def healthz() -> flask.typing.ResponseReturnValue:
        return flask.Response("ok\n", mimetype="text/plain")

    def press(do: Literal["start", "stop", "retry"]) -> flask.typing.ResponseReturnValue:
        try:
            reply = news.command(StreamCommand(do=do), ANSWER_S)
            error = None if reply.ok else reply.error or "The stream said no, and not why; see its log."
        except PlatypusError as failure:
            error = str(failure)
        if error:
            log.warning("press do=%s outcome=failed", do)
            flask.flash(f"Could not {do}: {error}", "no")
        else:
            log.info("press do=%s outcome=ok", do)
            flask.flash(_DONE[do], "yes")
        return flask.redirect(flask.url_for("home"), 303)


def event_stream(
    live: Live, encode: Callable[[Snapshot], bytes], is_allowed: Callable[[], bool]
) -> flask.typing.ResponseReturnValue:
    """An endless answer of server-sent events: `snapshot` when something changed, else `beat`.

    The format is WHATWG HTML's, section "Server-sent events". Each snapshot is whole, so a browser that comes
    back with Last-Event-ID needs nothing but the current one, which is the first it gets.
    """
    if flask.request.method == "HEAD":  # a page asks why it was turned away
        return flask.Response(mimetype="text/event-stream")
    try:
        listener = live.join()
    except TooManyListeners as error:
        return flask.Response(f"{error}\n", 503, {"Retry-After": "5"}, mimetype="text/plain")
    answer = flask.Response(_events(listener, encode, is_allowed), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"  # nginx in front of us would keep events back
    answer.call_on_close(listener.leave)  # also when the browser left before the first event
    return answer


def _events(listener: Listener, encode: Callable[[Snapshot], bytes], is_allowed: Callable[[], bool]) -> Iterator[bytes]:
    yield b"retry: 1000\n\n"
    last = b""
    for snapshot in listener:
        if not is_allowed():
            return
        if snapshot is None:
            yield b":\n\n"
            continue
        data = encode(snapshot)
        if data == last:
            yield b"event: beat\ndata: {}\n\n"
        else:
            last = data
            yield b"id: %d\nevent: snapshot\ndata: %b\n\n" % (snapshot.number, data)
