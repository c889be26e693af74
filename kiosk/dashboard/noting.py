"""Each press that changes something leaves one line in the list of changes, whatever came of it.

The hook stands around all routes, so that none can forget it; a route may say in plain words what it did (`note`). Rows
of the door are in the ledger, with who made them: of these only what was refused before it came so far is noted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import flask

from kiosk.dashboard.changes import Changes, ChangesError
from kiosk.dashboard.gatekeeper import visitor_if_any
from kiosk.dashboard.phones import Visitor

log = logging.getLogger(__name__)

WHAT: Mapping[str, str] = {
    "login_post": "Logged in",
    "first_use_post": "Came in by a link",
    "own_pin_post": "Own PIN changed",
    "logout": "Logged out",
    "stream_start": "Stream: start with the camera",
    "stream_go_live": "Stream: go live",
    "stream_next_talk": "Stream: next talk",
    "stream_camera": "Stream: camera",
    "stream_take_break": "Stream: break",
    "stream_end": "Stream: end",
    "stream_hide_camera": "Stream: hide camera",
    "stream_undo": "Stream: undo",
    "stream_stop": "Stream: stop",
    "stream_retry": "Stream: retry now",
    "stream_preflight": "Stream: check everything",
    "talks_stage": "Talks: put on stage",
    "talks_next": "Talks: make it the next",
    "talks_up": "Talks: move up",
    "talks_down": "Talks: move down",
    "talks_remove": "Talks: remove",
    "talks_undo": "Talks: undo",
    "talks_undo-stage": "Talks: undo who is on stage",
    "talks_upload": "Talks: take a file",
    "talks_add": "Talks: add",
    "talks_edit": "Talks: edit",
    "people_invite": "People: invite",
    "people_withdraw": "People: withdraw an invitation",
    "people_role": "People: change a role",
    "people_remove": "People: remove",
    "people_log_out": "People: log out a phone",
}
IN_LEDGER = "door_"  # how the routes begin whose rows the ledger keeps
_CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = {
    400: "the page was too old, or not ours",
    403: "not for this role",
    413: "too large",
    500: "it broke; see the log",
}


class _Note(NamedTuple):
    detail: str
    refused: bool


def add_noting(app: flask.Flask, changes: Changes) -> None:
    """Note the presses of everybody who is logged in. Strangers are not noted: they could fill the list."""

    @app.before_request
    def remember() -> None:
        if flask.request.method not in _CHANGES_NOTHING:
            flask.g.who = visitor_if_any()  # before a logout, or the end of whoever asks

    @app.after_request
    def write(response: flask.Response) -> flask.Response:
        endpoint = flask.request.endpoint
        who: Visitor | None = flask.g.get("who")
        if flask.request.method in _CHANGES_NOTHING or endpoint is None or who is None:
            return response
        noted: _Note = flask.g.get("noted") or _Note("", refused=False)
        refused = noted.refused or response.status_code >= 400
        if endpoint.startswith(IN_LEDGER) and not refused:
            return response
        what = WHAT.get(endpoint) or endpoint.replace(IN_LEDGER, "Door: ").replace("-", " ")
        detail = noted.detail
        if refused and not detail:
            detail = _REFUSED.get(response.status_code, f"answer {response.status_code}")
        if not refused and detail:
            what = f"{what.partition(':')[0]}: {detail}"
        try:
            changes.add(who.signature, what, refused=refused, why=detail if refused else "")
        except ChangesError:  # a full disk must not keep a stream from being stopped
            log.exception("changes event=not-written endpoint=%s phone=%s", endpoint, who.phone.letters)
        return response


def note(detail: str, *, refused: bool = False) -> None:
    """Say what a press did, or why it did not. Never a PIN, a key or a code."""
    flask.g.noted = _Note(" ".join(detail.split()), refused)


def came_in(who: Visitor) -> None:
    """From now on in this request, `who` is whom the list names."""
    flask.g.who = who
