"""The routes of the API in the application: reads requests, has them carried out, writes answers and problems."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Callable

import flask
import msgspec
from werkzeug.exceptions import HTTPException

from hardware.errors import PlatypusError
from kiosk.dashboard.api import facts, problems
from kiosk.dashboard.api.bodies import Nothing
from kiosk.dashboard.api.calls import Call, Calls
from kiosk.dashboard.api.openapi import document
from kiosk.dashboard.api.problems import NoKey, NotJson, NotUnderstood, WrongMediaType
from kiosk.dashboard.api.routes import BASE, ROUTES, Route
from kiosk.dashboard.gatekeeper import program, role, token_watcher
from kiosk.dashboard.live import Live, Snapshot, TooManyListeners
from kiosk.dashboard.noting import leave_out, note
from kiosk.dashboard.pages import open_stream
from kiosk.dashboard.rights import API, may
from kiosk.dashboard.tokens import Tokens

log = logging.getLogger(__name__)

KEY = "Idempotency-Key"
MOST_LISTENERS = 12  # of the places that live pages have: programs do not take them all
_KEY = re.compile(r"[!-~]{1,200}")
_NOTHING_ASKED = frozenset({400, 404, 405, 413, 415, 422})  # a mistake of the program: for its log, not for the list


def add_api(app: flask.Flask, calls: Calls, live: Live, tokens: Tokens) -> flask.Blueprint:
    """Serve the table of routes. Returns what no CSRF token is to be asked of: no cookie counts here."""
    api = flask.Blueprint(API.rstrip("."), __name__, url_prefix=BASE)
    deeds = calls.by_name()
    places = threading.BoundedSemaphore(MOST_LISTENERS)

    def serve(route: Route, carry_out: Callable[[Call], msgspec.Struct]) -> None:
        def answer(talk: str = "") -> flask.Response:
            said = carry_out(_call(route, talk))
            if route.writes:
                log.info("api do=%s outcome=ok by=%s", route.name, program().mark)
            return flask.Response(msgspec.json.encode(said), mimetype="application/json")

        api.add_url_rule(route.path, route.name, answer, methods=[route.method])

    for route in ROUTES:
        if route.answer is not None:
            serve(route, deeds[route.name])

    @api.get("/openapi.json", endpoint="openapi")
    def openapi() -> flask.Response:
        return flask.Response(document(), mimetype="application/json")

    @api.get("/events", endpoint="events")
    def events() -> flask.Response:
        ask = token_watcher(tokens)
        mine = role()
        sees_names = may(mine, "see_names")

        def encode(snapshot: Snapshot) -> bytes:
            return msgspec.json.encode(facts.evening(snapshot, names=sees_names))

        if not places.acquire(blocking=False):
            raise TooManyListeners(f"{MOST_LISTENERS} programs listen already; close one, or try again in a moment.")
        try:
            answer = open_stream(live, encode, lambda: ask() == mine)
        except BaseException:
            places.release()
            raise
        answer.call_on_close(places.release)
        return answer

    @api.errorhandler(Exception)
    def failed(error: Exception) -> flask.Response:
        """Blueprints come first: nothing that the pages say of an error is said here."""
        endpoint = flask.request.endpoint
        if isinstance(error, HTTPException):
            said, words = problems.of_http(error), ""
        elif isinstance(error, PlatypusError | OSError):
            said, words = problems.of_error(error), str(error)
            is_unwell = said.status_code == 503
            if role() is not None or is_unwell:  # else strangers could fill the log: see tokens.py
                trace = error if is_unwell else None
                log.warning("api endpoint=%s outcome=failed cause=%s", endpoint, type(error).__name__, exc_info=trace)
        else:
            log.error("api event=failed endpoint=%s", endpoint, exc_info=error)
            said, words = problems.broken(), ""
        if said.status_code in _NOTHING_ASKED:
            leave_out()
        elif words:
            note(words, refused=True)
        return said

    app.register_blueprint(api)
    return api


def is_api(request: flask.Request) -> bool:
    """Whether an address is one of a program, though there be none."""
    return request.path.startswith("/api/")


def _call(route: Route, talk: str) -> Call:
    who = program()
    return Call(
        body=_body(route),
        asked=_asked(route),
        talk=talk,
        program=who,
        sees_names=may(who.role, "see_names"),
        nonce=_nonce() if route.writes == "ledger" else "",
    )


def _body(route: Route) -> msgspec.Struct | None:
    """What was sent. Raises NotJson, WrongMediaType, NotUnderstood; RequestEntityTooLarge past 16 kB."""
    if route.body is None:
        return None
    sent = flask.request.get_data()
    if route.body is Nothing and not sent:
        return Nothing()
    if flask.request.mimetype != "application/json":
        raise WrongMediaType("Send JSON, and say so: Content-Type: application/json")
    try:
        return msgspec.json.decode(sent, type=route.body)
    except msgspec.ValidationError as error:
        raise NotUnderstood(f"{error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJson(f"The body is not JSON: {error}") from error


def _asked(route: Route) -> msgspec.Struct | None:
    """What stands behind the question mark. Raises NotUnderstood."""
    if route.asked is None:
        return None
    try:
        return msgspec.convert(flask.request.args.to_dict(), route.asked, strict=False)
    except msgspec.ValidationError as error:
        raise NotUnderstood(f"{error}") from error


def _nonce() -> str:
    """What the ledger tells presses apart by: the program's key, which no other program's can be. Raises NoKey."""
    key = flask.request.headers.get(KEY, "")
    if not _KEY.fullmatch(key):
        raise NoKey(
            f"Send a header {KEY} of 1 to 200 printable letters, another one for each press and the same again."
        )
    return hashlib.sha256(f"{program().token.id}\n{key}".encode()).hexdigest()
