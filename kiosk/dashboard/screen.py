"""The screen for attendees: the last answer for five seconds, else what to do. No personal data by default."""

from __future__ import annotations

import flask
import flask_login
import segno
from markupsafe import Markup

from kiosk.dashboard.access import Access
from kiosk.dashboard.live import Live
from kiosk.dashboard.pages import event_stream
from kiosk.dashboard.screen_words import SCREEN_WORDS, Language


def add_screen(app: flask.Flask, access: Access, live: Live, language: Language) -> None:
    """Routes of the screen; `?gate=` chooses one gate."""

    @app.get("/screen")
    def screen() -> flask.typing.ResponseReturnValue:
        gate = flask.request.args.get("gate")
        view = live.now().screen(gate)
        return flask.render_template(
            "screen.html",
            view=view,
            gate=gate,
            code=_code(view.stream_page),
            say=SCREEN_WORDS[language],
            language=language,
        )

    @app.get("/screen/events")
    def screen_events() -> flask.typing.ResponseReturnValue:
        gate = flask.request.args.get("gate")
        user = flask_login.current_user
        mine = user.generation if user.is_authenticated else None
        return event_stream(
            live, lambda snapshot: snapshot.screen_json(gate), lambda: mine is None or access.generation() == mine
        )


def _code(address: str) -> Markup | None:
    """The address as a QR code: black on white in every theme, since many readers miss light on dark."""
    if not address:
        return None
    code = segno.make(address, error="m", micro=False)
    return Markup(code.svg_inline(border=3, light="#ffffff", dark="#000000", omitsize=True))  # noqa: S704 - segno's
