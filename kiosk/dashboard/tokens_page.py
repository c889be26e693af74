"""The part of the page of people where tokens are made for programs, shown once, and revoked."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import flask

from kiosk.dashboard import people_words
from kiosk.dashboard.access import Access
from kiosk.dashboard.access_errors import AccessError, AccessFileError
from kiosk.dashboard.access_file import ROLES
from kiosk.dashboard.gatekeeper import visitor
from kiosk.dashboard.language import later
from kiosk.dashboard.noting import note
from kiosk.dashboard.told import told


def add_tokens(app: flask.Flask, access: Access) -> None:
    """Routes of the presses; the list is on the page of people."""

    def refused(error: AccessError) -> flask.typing.ResponseReturnValue:
        if isinstance(error, AccessFileError):
            raise error
        note(str(error), refused=True)
        flask.flash(told(str(error)), "no")
        return flask.redirect(flask.url_for("people"), 303)

    @app.post("/people/token", endpoint="people_token")
    def make() -> flask.typing.ResponseReturnValue:
        form = flask.request.form
        role = next((each for each in ROLES if each == form.get("role")), None)
        if role is None:
            flask.abort(400)
        try:
            secret, token = access.tokens.make(form.get("name", ""), role, visitor().person.id)
        except AccessError as error:
            return refused(error)
        said_role = people_words.role_later(role)
        note(later("A token for %(said_role)s is made: %(name)s", said_role=said_role, name=token.name).source)
        # The one time that it is shown: only its hash is kept.
        word, may_do = people_words.role(role), people_words.role_may(role)
        return flask.render_template("token.html", token=token, secret=secret, role_word=word, role_may=may_do)

    @app.post("/people/revoke", endpoint="people_revoke")
    def revoke() -> flask.typing.ResponseReturnValue:
        try:
            token = access.tokens.revoke(flask.request.form.get("token", "")[:64])
        except AccessError as error:
            return refused(error)
        said = later("The token %(name)s is revoked.", name=token.name)
        note(said.source)
        flask.flash(str(said), "yes")
        return flask.redirect(flask.url_for("people"), 303)


def token_lines(access: Access, names: Mapping[str, str], zone: ZoneInfo) -> list[people_words.TokenLine]:
    """Every token, for the page; `names`: of people by id."""
    return [people_words.token(each, access.tokens.seen(each), names, zone) for each in access.tokens.all()]
