"""Who passes to a page: the table of rights held against whoever asks, before any route runs."""

from __future__ import annotations

import logging
from collections.abc import Callable

import flask
import flask_login

from kiosk.dashboard.access_errors import AccessFileError
from kiosk.dashboard.access_file import Role
from kiosk.dashboard.guard import is_in_local_network, is_on_this_machine
from kiosk.dashboard.language import _, say_later
from kiosk.dashboard.phones import Phones, Visitor
from kiosk.dashboard.rights import FILM, OPEN_HERE, RIGHTS, may

log = logging.getLogger(__name__)

_NO_PAGES = frozenset({"metrics", "events", "screen_events", "preview_picture", "watch_playlist", "watch_segment"})
_NEEDS = {
    "door": say_later("This needs the role door or organizer. Ask an organizer."),
    "organizer": say_later("This is for organizers. Ask one to do it, or to give you that role."),
}
_NOBODY = say_later("Nobody may use this page.")


def add_gatekeeper(app: flask.Flask, phones: Phones, *, is_film_open: bool) -> None:
    """Refuse what the table of rights does not allow; templates ask it with `may("route")`.

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
            return flask.Response(_("Log in first.") + "\n", 401, mimetype="text/plain")
        after = "screen" if endpoint in OPEN_HERE else "watch" if endpoint == "watch" else None
        return flask.redirect(flask.url_for("login", next=after), 303)


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


def role() -> Role | None:
    """What whoever asks may do; None for strangers."""
    who = visitor_if_any()
    return who.role if who else None


def watcher(phones: Phones) -> Callable[[], Role | None]:
    """What asks, again and again and outside of any request, what this phone may do now: None once it is logged out."""
    token = visitor().token

    def ask() -> Role | None:
        try:
            found = phones.find(token)
        except AccessFileError:
            log.exception("access event=file-unusable page=ended")
            return None
        return found.role if found else None

    return ask
