"""What the dashboard shows when it cannot begin: what is wrong with the settings, on whatever page is opened.

Nobody is logged in, since who may log in is not known either: whoever is in the network reads it.
"""

from __future__ import annotations

from collections.abc import Callable

import flask
from werkzeug.exceptions import HTTPException

from hardware.clock import Clock
from kiosk.dashboard.guard import Cookies, guard
from kiosk.dashboard.language import add_language
from kiosk.dashboard.settings import DashboardSettings
from kiosk.dashboard.told import told

_AGAIN_S = 5
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


def create_safe_app(settings: DashboardSettings, cause: Callable[[], str], clock: Clock) -> flask.Flask:
    """One page for every address, also for programs that look at /healthz: it comes with 503.

    `cause`, asked each time, has nothing in it that is not for everybody.
    """
    app = flask.Flask("kiosk.dashboard")
    app.session_interface = Cookies(settings, clock)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    add_language(app, settings.language)
    guard(app, settings)

    @app.route("/", defaults={"path": ""}, methods=_METHODS)
    @app.route("/<path:path>", methods=_METHODS)
    def wrong(path: str) -> flask.typing.ResponseReturnValue:
        text = cause()
        said = told(text)
        page = flask.render_template("safe_mode.html", cause=said, is_told=said != text)
        return page, 503, {"Retry-After": str(_AGAIN_S), "Refresh": str(_AGAIN_S)}

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> flask.typing.ResponseReturnValue:
        return error.get_response()

    return app
