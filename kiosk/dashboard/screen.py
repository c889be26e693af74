"""The screen for attendees: the last answer for five seconds, else what to do. No personal data by default."""

from __future__ import annotations

import flask

from kiosk.dashboard import qr, screen_words
from kiosk.dashboard.address import base_url_for_phones
from kiosk.dashboard.first_link import FirstLink, Shown
from kiosk.dashboard.gatekeeper import role, watcher
from kiosk.dashboard.guard import is_on_this_machine
from kiosk.dashboard.language import speaking
from kiosk.dashboard.live import Live, Snapshot
from kiosk.dashboard.pages import event_stream
from kiosk.dashboard.phones import Phones
from kiosk.dashboard.settings import DashboardSettings


def add_screen(
    app: flask.Flask, settings: DashboardSettings, phones: Phones, first_link: FirstLink, live: Live
) -> None:
    """Routes of the screen; `?gate=` chooses one gate. On the Pi itself it shows how to become the first organizer."""
    language = settings.language_of_screens

    @app.get("/screen")
    def screen() -> flask.typing.ResponseReturnValue:
        gate = flask.request.args.get("gate")
        base, shown = shown_link()
        first = f"{base}{flask.url_for('first_use', token=shown.token)}" if shown else None
        with speaking(language):
            view = live.now().screen(gate)
            return flask.render_template(
                "screen.html",
                view=view,
                gate=gate,
                code=qr.picture(view.stream_page) if view.stream_page else None,
                first_code=qr.picture(first) if first else None,
                first_id=shown.id if shown else None,
                first=screen_words.FIRST.said(),
                closed=screen_words.CLOSED.said(),
            )

    @app.get("/screen/events")
    def screen_events() -> flask.typing.ResponseReturnValue:
        gate = flask.request.args.get("gate")
        on_page = flask.request.args.get("first")  # which link the page shows
        is_here = is_on_this_machine(flask.request)
        shows_link = shown_link()[0] is not None
        ask = watcher(phones) if role() is not None else None

        def is_as_it_was() -> bool:
            shown = first_link.shown() if shows_link else None
            return (is_here or (ask is not None and ask() is not None)) and on_page == (shown.id if shown else None)

        def encode(snapshot: Snapshot) -> bytes:
            with speaking(language):
                return snapshot.screen_json(gate)

        return event_stream(live, encode, is_as_it_was)

    def shown_link() -> tuple[str | None, Shown | None]:
        """Where phones reach us, and the link to show; only to a browser on the Pi itself."""
        base = base_url_for_phones(settings, flask.request) if is_on_this_machine(flask.request) else None
        return base, first_link.shown() if base else None
