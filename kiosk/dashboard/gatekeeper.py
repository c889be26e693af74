"""Who passes to a page: the table of rights held against whoever asks, before any route runs."""

from __future__ import annotations

import logging
from collections.abc import Callable

import flask
import flask_login

from kiosk.dashboard.access_errors import (
    AccessError,
    AccessFileError,
    NotForRole,
    NoToken,
    TooManyTries,
    WrongToken,
)
from kiosk.dashboard.access_file import Role
from kiosk.dashboard.guard import is_in_local_network, is_on_this_machine
from kiosk.dashboard.language import _, say_later
from kiosk.dashboard.phones import Phones, Visitor
from kiosk.dashboard.rights import API, FILM, OPEN_HERE, RIGHTS, may
from kiosk.dashboard.tokens import Program, Tokens

log = logging.getLogger(__name__)

_BOTH = frozenset({"metrics"})  # a scraper has a token, an organizer a browser
_NO_PAGES = frozenset({"metrics", "events", "screen_events", "preview_picture", "watch_playlist", "watch_segment"})
_NEEDS = {
    "door": say_later("This needs the role door or organizer. Ask an organizer."),
    "organizer": say_later("This is for organizers. Ask one to do it, or to give you that role."),
}
_NOBODY = say_later("Nobody may use this page.")


def add_gatekeeper(app: flask.Flask, phones: Phones, *, is_film_open: bool) -> None:
    """Refuse what the table of rights does not allow; templates ask it with `may("route")`.

    Pages know people by the cookie of their phone, the routes of the API know programs by their token, and neither
    takes the other; /metrics takes both. So no page elsewhere can make a browser press anything of the API.

    `is_film_open`: whether the local network may watch the stream without a login.
    """
    logins = flask_login.LoginManager()
    logins.session_protection = None  # a phone changes address and its login goes on; it can be ended from here
    logins.init_app(app, add_context_processor=False)  # a page that says what is wrong asks nobody who reads it
    logins.user_loader(phones.find)
    app.jinja_env.globals["may"] = lambda right: may(role(), right)

    @app.before_request
    def refuse() -> flask.typing.ResponseReturnValue | None:
        endpoint = flask.request.endpoint
        if endpoint is None or may(role(), endpoint):
            return None  # None: there is no such page, which the router says
        if endpoint.startswith(API):
            if role() is None:
                raise flask.g.no_program
            raise NotForRole(f"This token is for the role {role()}; this needs {RIGHTS.get(endpoint, 'another one')}.")
        if endpoint in OPEN_HERE and is_on_this_machine(flask.request):
            return None
        if is_film_open and endpoint in FILM and is_in_local_network(flask.request):
            return None
        if role() is not None:
            text = _(_NEEDS.get(RIGHTS.get(endpoint, ""), _NOBODY))
            if endpoint in _NO_PAGES:
                return flask.Response(f"{text}\n", 403, mimetype="text/plain")
            return flask.make_response(
                flask.render_template("error.html", title=_("Not for your role"), text=text), 403
            )
        if endpoint in _NO_PAGES:
            return _not_known()
        after = "screen" if endpoint in OPEN_HERE else "watch" if endpoint == "watch" else None
        return flask.redirect(flask.url_for("login", next=after), 303)


def look_at_tokens(app: flask.Flask, tokens: Tokens) -> None:
    """Know programs by their tokens, before anything else asks who it is: of one that is not good only why is kept."""

    @app.before_request
    def look_at_token() -> None:
        """Once a request: a wrong one counts."""
        endpoint = flask.request.endpoint or ""
        if not (endpoint.startswith(API) or endpoint in _BOTH):
            return
        shown = flask.request.authorization
        if shown is None or shown.type != "bearer" or not shown.token:
            flask.g.no_program = NoToken(
                "Send a token, as Authorization: Bearer platypus_..; an organizer makes one on the page People."
            )
            return
        try:
            flask.g.program = tokens.let_in(shown.token, flask.request.remote_addr or "unknown")
        except (WrongToken, TooManyTries) as error:
            flask.g.no_program = error


def visitor() -> Visitor:
    """Who is logged in at the phone that asks; only where the table of rights has let somebody pass."""
    who = visitor_if_any()
    if who is None:
        flask.abort(401)
    return who


def visitor_if_any() -> Visitor | None:
    """The same, or None for strangers."""
    user = flask_login.current_user  # a proxy, which would be somebody else after a login or logout
    return Visitor(user.person, user.phone, user.token) if user.is_authenticated else None


def asker_if_any() -> Visitor | Program | None:
    """Whoever asks, a person or a program; None for strangers."""
    endpoint = flask.request.endpoint or ""
    program: Program | None = flask.g.get("program")
    if endpoint.startswith(API) or program is not None:
        return program
    return visitor_if_any()


def program() -> Program:
    """The program that asks; only where the table of rights has let one pass."""
    found: Program = flask.g.program
    return found


def role() -> Role | None:
    """What whoever asks may do; None for strangers."""
    who = asker_if_any()
    return who.role if who else None


def _not_known() -> flask.Response:
    trouble: AccessError | None = flask.g.get("no_program")
    if isinstance(trouble, TooManyTries):
        text, headers = str(trouble), {"Retry-After": str(int(trouble.wait_s) + 1)}
        return flask.Response(f"{text}\n", 429, headers, mimetype="text/plain")
    text = str(trouble) if isinstance(trouble, WrongToken) else _("Log in first.")
    return flask.Response(f"{text}\n", 401, mimetype="text/plain")


def watcher(phones: Phones) -> Callable[[], Role | None]:
    """What asks, again and again and outside of any request, what this phone may do now: None once it is logged out."""
    token = visitor().token
    return _asking(lambda: phones.find(token))


def token_watcher(tokens: Tokens) -> Callable[[], Role | None]:
    """The same of the token that asks: None once it is revoked."""
    secret = flask.request.authorization.token if flask.request.authorization else None
    return _asking(lambda: tokens.find(secret or ""))


def _asking(find: Callable[[], Visitor | Program | None]) -> Callable[[], Role | None]:
    def ask() -> Role | None:
        try:
            found = find()
        except AccessFileError:
            log.exception("access event=file-unusable page=ended")
            return None
        return found.role if found else None

    return ask
