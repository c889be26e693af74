"""The first page, and the live news of every page; each as much as the role of whoever looks allows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import flask

from kiosk.dashboard.gatekeeper import role, watcher
from kiosk.dashboard.language import of_page, speaking, spoken
from kiosk.dashboard.live import Listener, Live, Snapshot, TooManyListeners
from kiosk.dashboard.phones import Phones
from kiosk.dashboard.rights import may
from kiosk.dashboard.told import told
from kiosk.dashboard.views import clock_time

log = logging.getLogger(__name__)


def add_pages(app: flask.Flask, phones: Phones, live: Live, zone: ZoneInfo) -> None:
    """Routes of the first page; times on the page are told in `zone`."""

    @app.get("/")
    def home() -> flask.typing.ResponseReturnValue:
        return page_now("home.html", live, zone)

    @app.get("/events")
    def events() -> flask.typing.ResponseReturnValue:
        ask = watcher(phones)
        mine = ask()
        sees_names = may(mine, "see_names")

        language = of_page(spoken())

        def encode(snapshot: Snapshot) -> bytes:
            with speaking(language):
                return snapshot.home_json if sees_names else snapshot.nameless_json

        return event_stream(live, encode, lambda: mine is not None and ask() == mine)

    @app.get("/healthz")
    def healthz() -> flask.typing.ResponseReturnValue:
        return flask.Response("ok\n", mimetype="text/plain")


def page_now(template: str, live: Live, zone: ZoneInfo, **more: object) -> str:
    """A page that shows this moment's facts, and goes on by the news. `more` is for the template."""
    now = live.now()
    view = now.home if may(role(), "see_names") else now.nameless
    return flask.render_template(template, view=view, as_of=clock_time(now.at, zone), **more)


def event_stream(
    live: Live, encode: Callable[[Snapshot], bytes], is_as_it_was: Callable[[], bool]
) -> flask.typing.ResponseReturnValue:
    """An endless answer of server-sent events: `snapshot` when something changed, else `beat`.

    `is_as_it_was`: whether the reader may still see what `encode` shows. Once not, the page is told to `reload` and
    nothing more.

    The format is WHATWG HTML's, section "Server-sent events". Each snapshot is whole, so a browser that comes
    back with Last-Event-ID needs nothing but the current one, which is the first it gets.
    """
    try:
        return open_stream(live, encode, is_as_it_was)
    except TooManyListeners as error:
        return flask.Response(f"{told(str(error))}\n", 503, {"Retry-After": "5"}, mimetype="text/plain")


def open_stream(live: Live, encode: Callable[[Snapshot], bytes], is_as_it_was: Callable[[], bool]) -> flask.Response:
    """The same for whoever says in their own way that as many are open as there may be. Raises TooManyListeners."""
    if flask.request.method == "HEAD":  # a page asks why it was turned away
        return flask.Response(mimetype="text/event-stream")
    listener = live.join()
    answer = flask.Response(_events(listener, encode, is_as_it_was), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"  # nginx in front of us would keep events back
    answer.call_on_close(listener.leave)  # also when the browser left before the first event
    return answer


def _events(
    listener: Listener, encode: Callable[[Snapshot], bytes], is_as_it_was: Callable[[], bool]
) -> Iterator[bytes]:
    yield b"retry: 1000\n\n"
    last = b""
    for snapshot in listener:
        if not is_as_it_was():
            yield b"event: reload\ndata: {}\n\n"
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
