"""Coming in and going out: the link where somebody chooses a name and a PIN, login, logout, a new PIN of one's own."""

from __future__ import annotations

import contextlib

import flask
import flask_login

from kiosk.dashboard.access import Access
from kiosk.dashboard.access_errors import (
    AccessError,
    AccessFileError,
    BadName,
    LinkGone,
    NameTaken,
    TooMany,
    TooManyTries,
    UnknownPhone,
    WeakPin,
    WrongLogin,
)
from kiosk.dashboard.access_file import FIRST_NAME, TAKEN_OVER, Person
from kiosk.dashboard.gatekeeper import visitor, visitor_if_any
from kiosk.dashboard.language import _
from kiosk.dashboard.noting import came_in, note
from kiosk.dashboard.people_words import role
from kiosk.dashboard.phones import device
from kiosk.dashboard.told import told

_AFTER_LOGIN = {"home": "/", "screen": "/screen", "watch": "/watch"}  # never an address from outside
_CODES: dict[type[AccessError], int] = {NameTaken: 409, BadName: 422, WeakPin: 422, TooMany: 409, WrongLogin: 403}


def add_entrance(app: flask.Flask, access: Access) -> None:
    """Routes of the entrance."""

    def come_in(person: Person) -> None:
        """Begin anew: nothing of the cookie from before is kept, and its token is one that nobody has seen."""
        before = visitor_if_any()
        if before is not None:
            with contextlib.suppress(UnknownPhone):  # a new PIN has logged it out already
                access.phones.log_out(before.person.id, before.phone.letters)
        who = access.phones.log_in(person, device(flask.request.user_agent.string))
        flask.session.clear()
        flask_login.login_user(who)
        flask.session.permanent = True
        came_in(who)

    @app.get("/login")
    def login() -> flask.typing.ResponseReturnValue:
        return _login_page(access)

    @app.post("/login", endpoint="login_post")
    def log_in() -> flask.typing.ResponseReturnValue:
        form = flask.request.form
        try:
            person = access.people.log_in(form.get("name", ""), form.get("pin", ""), _address())
        except (WrongLogin, TooManyTries) as error:
            return _refusal(_login_page(access, told(str(error))), error)
        come_in(person)
        note(visitor().phone.device)
        return flask.redirect(_AFTER_LOGIN.get(flask.request.args.get("next", ""), "/"), 303)

    @app.get("/first/<token>")
    def first_use(token: str) -> flask.typing.ResponseReturnValue:
        return _first_page(access, token)

    @app.post("/first/<token>", endpoint="first_use_post")
    def choose(token: str) -> flask.typing.ResponseReturnValue:
        form = flask.request.form
        try:
            person = access.invitations.use(token, form.get("name", ""), form.get("pin", ""))
        except (BadName, WeakPin, TooMany, TooManyTries) as error:
            return _refusal(_first_page(access, token, error), error)
        come_in(person)
        note(f"{visitor().phone.device}, as {person.role}")
        return flask.redirect("/", 303)

    @app.get("/own-pin")
    def own_pin() -> flask.typing.ResponseReturnValue:
        return flask.render_template("own_pin.html", me=visitor(), error="")

    @app.post("/own-pin", endpoint="own_pin_post")
    def change_own_pin() -> flask.typing.ResponseReturnValue:
        form, me = flask.request.form, visitor()
        try:
            access.people.change_pin(me.person.id, form.get("old", ""), form.get("pin", ""), _address())
        except (WrongLogin, WeakPin, TooManyTries) as error:
            text = _("That is not your PIN. Try again.") if isinstance(error, WrongLogin) else told(str(error))
            return _refusal(flask.render_template("own_pin.html", me=me, error=text), error)
        come_in(me.person)  # the other phones are out
        flask.flash(_("Your PIN is changed. Your other phones are logged out."), "yes")
        return flask.redirect("/", 303)

    @app.post("/logout")
    def logout() -> flask.typing.ResponseReturnValue:
        me = visitor()
        access.phones.log_out(me.person.id, me.phone.letters)
        flask_login.logout_user()
        flask.session.clear()
        return flask.redirect(flask.url_for("login"), 303)

    @app.errorhandler(LinkGone)
    def link_gone(error: LinkGone) -> flask.typing.ResponseReturnValue:
        return flask.render_template("error.html", title=_("This link is over"), text=told(str(error))), 410

    @app.errorhandler(AccessFileError)
    def cannot_know(error: AccessFileError) -> flask.typing.ResponseReturnValue:
        app.logger.error("access event=file-unusable cause=%s", error)
        text = _(
            "The list of people cannot be read or written. The door and the stream go on; what is wrong is in the log."
        )
        return flask.render_template("error.html", title=_("Nobody can be let in now"), text=text), 503


def _login_page(access: Access, error: str = "") -> str:
    people = access.people.all()
    # Whoever shared the one PIN of an earlier state of this program has never seen the name that it got.
    example = FIRST_NAME if [person.id for person in people] == [TAKEN_OVER] else ""
    return flask.render_template("login.html", has_people=bool(people), example=example, error=error)


def _first_page(access: Access, token: str, error: AccessError | None = None) -> str:
    link = access.invitations.check(token)
    is_machines = access.invitations.is_machines(link)
    typed = flask.request.form.get("name")
    organizers = [person.name for person in access.people.all() if person.role == "organizer"]
    suggested = (organizers[0] if len(organizers) == 1 else "" if organizers else FIRST_NAME) if is_machines else ""
    return flask.render_template(
        "first.html",
        role=link.role,
        role_word=role(link.role),
        resets=is_machines and bool(organizers),
        name=suggested if typed is None else typed,
        error=told(str(error or "")),
        error_at="name" if isinstance(error, BadName) else "pin",
    )


def _refusal(page: str, error: AccessError) -> flask.Response:
    note(str(error), refused=True)
    answer = flask.make_response(page, _CODES.get(type(error), 403))
    if isinstance(error, TooManyTries):
        answer.status_code = 429
        answer.headers["Retry-After"] = str(int(error.wait_s) + 1)
    return answer


def _address() -> str:
    return flask.request.remote_addr or "unknown"
