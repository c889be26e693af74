"""Coming in: the one-time link where the PIN is chosen, the login, the logout."""

from __future__ import annotations

import flask
import flask_login

from kiosk.dashboard.access import Access, AccessError, LinkGone, TooManyTries, WeakPin
from kiosk.dashboard.guard import is_in_local_network, is_on_this_machine

_AFTER_LOGIN = {"home": "/", "screen": "/screen", "watch": "/watch"}  # never an address from outside
_OPEN = frozenset({"static", "healthz", "login", "login_post", "first_use", "first_use_post"})
_OPEN_HERE = frozenset({"screen", "screen_events"})  # to a browser on the Pi itself
_FILM = frozenset({"watch", "watch_playlist", "watch_segment"})  # to the local network, when the organizer allows it
_NO_PAGES = frozenset({"preview_picture", "watch_playlist", "watch_segment"})


class Organizer:
    """Whoever knows the PIN, in one generation of sessions. What Flask-Login calls a user."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, generation: str) -> None:
        self.generation = generation

    def get_id(self) -> str:
        """What the session cookie names."""
        return self.generation


def add_entrance(app: flask.Flask, access: Access, *, is_film_open: bool) -> None:
    """Routes of the entrance, and the rule that everything else needs a session.

    `is_film_open`: whether the local network may watch the stream without one.
    """
    logins = flask_login.LoginManager()
    logins.session_protection = None  # a phone changes address and the session goes on; a new PIN ends it
    logins.init_app(app)

    def load(generation: str) -> Organizer | None:
        return Organizer(generation) if generation == access.generation() else None

    logins.user_loader(load)

    @app.before_request
    def need_session() -> flask.typing.ResponseReturnValue | None:
        endpoint = flask.request.endpoint
        if endpoint is None or endpoint in _OPEN or flask_login.current_user.is_authenticated:
            return None
        if endpoint in _OPEN_HERE and is_on_this_machine(flask.request):
            return None
        if is_film_open and endpoint in _FILM and is_in_local_network(flask.request):
            return None
        if endpoint.endswith("events") or endpoint in _NO_PAGES:
            return flask.Response("Log in first.\n", 401, mimetype="text/plain")
        after = "screen" if endpoint in _OPEN_HERE else "watch" if endpoint == "watch" else None
        return flask.redirect(flask.url_for("login", next=after), 303)

    def come_in() -> None:
        flask.session.clear()
        flask_login.login_user(Organizer(access.generation()))
        flask.session.permanent = True

    @app.get("/login")
    def login() -> flask.typing.ResponseReturnValue:
        return flask.render_template("login.html", has_pin=access.has_pin, error="")

    @app.post("/login", endpoint="login_post")
    def log_in() -> flask.typing.ResponseReturnValue:
        try:
            access.check_pin(flask.request.form.get("pin", ""), flask.request.remote_addr or "unknown")
        except AccessError as error:
            answer = flask.make_response(
                flask.render_template("login.html", has_pin=access.has_pin, error=str(error)), 403
            )
            if isinstance(error, TooManyTries):
                answer.status_code = 429
                answer.headers["Retry-After"] = str(int(error.wait_s) + 1)
            return answer
        come_in()
        return flask.redirect(_AFTER_LOGIN.get(flask.request.args.get("next", ""), "/"), 303)

    @app.get("/first/<token>")
    def first_use(token: str) -> flask.typing.ResponseReturnValue:
        access.check_link(token)
        return flask.render_template("first.html", is_new=not access.has_pin, error="")

    @app.post("/first/<token>", endpoint="first_use_post")
    def choose(token: str) -> flask.typing.ResponseReturnValue:
        try:
            access.choose_pin(token, flask.request.form.get("pin", ""))
        except WeakPin as error:
            page = flask.render_template("first.html", is_new=not access.has_pin, error=str(error))
            return flask.make_response(page, 422)
        come_in()
        return flask.redirect("/", 303)

    @app.post("/logout")
    def logout() -> flask.typing.ResponseReturnValue:
        flask_login.logout_user()
        flask.session.clear()
        return flask.redirect(flask.url_for("login"), 303)

    @app.errorhandler(LinkGone)
    def link_gone(error: LinkGone) -> flask.typing.ResponseReturnValue:
        return flask.render_template("error.html", title="This link is over", text=str(error)), 410
