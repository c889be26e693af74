"""What the API says when it does not do what was asked: RFC 9457's problem+json, with a code that stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import flask
import msgspec
from werkzeug.exceptions import HTTPException

from hardware.errors import PlatypusError
from kiosk.dashboard.access_errors import TooManyTries

CONTENT_TYPE = "application/problem+json"
_LONGEST_DETAIL = 500


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why not. `code` is for programs, `detail` for whoever reads their log."""

    status: int
    code: str
    title: str  # the status in words, as RFC 9457 has it for about:blank
    detail: str
    type: str = "about:blank"


class NotUnderstood(PlatypusError, ValueError):
    """The request has a mistake in it; nothing was asked of anybody."""

    code = "invalid"


class NotJson(NotUnderstood):
    """The body is not JSON."""

    code = "not_json"


class WrongMediaType(NotUnderstood):
    """The body is not called JSON."""

    code = "media_type"


class NoKey(NotUnderstood):
    """What counts people has no Idempotency-Key."""

    code = "no_idempotency_key"


STATUS: Mapping[str, int] = {
    "not_json": 400,
    "no_idempotency_key": 400,
    "no_token": 401,
    "wrong_token": 401,
    "not_for_role": 403,
    "unknown_ticket": 404,
    "unknown_talk": 404,
    "cannot_change": 409,
    "cannot_undo": 409,
    "too_many": 409,
    "clock_known": 409,
    "wrong_time": 409,
    "agenda_changed": 409,
    "not_done": 409,
    "power": 409,
    "runs_already": 409,
    "media_type": 415,
    "invalid": 422,
    "old_page": 422,
    "no_name": 422,
    "agenda": 422,
    "too_many_tries": 429,
    "ledger": 503,
    "desk_busy": 503,
    "stream_busy": 503,
    "too_many_listeners": 503,
    "changes": 503,
    "access_file": 503,
    "backup": 503,
    "bad_backup": 503,
    "bus": 504,
}
_SAID: Mapping[str, str] = {  # where the sentence of an error speaks of a page
    "old_page": "This Idempotency-Key was used for something else; nothing was counted. Take a new one for each press.",
    "agenda_changed": "The agenda was changed meanwhile; nothing was done. Get the talks again and look, then decide.",
    "access_file": "The list of tokens cannot be read or written; what is wrong is in the log. Door and stream go on.",
    "desk_busy": "The ledger does not answer and nothing was counted. Say it again in a moment, with the same key.",
}
_BY_STATUS: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be understood."),
    404: ("not_found", "There is no such address; /api/v1/openapi.json has them all."),
    405: ("method_not_allowed", "This address does not take this method; see the header Allow."),
    413: ("too_large", "The body is larger than anything that is taken here: 16 kB."),
    500: ("broken", "It was our fault, and it is in the log. Door and stream go on."),
}


def of_error(error: PlatypusError | OSError) -> flask.Response:
    """The answer for something that we foresaw."""
    code = error.code if isinstance(error, PlatypusError) else "unavailable"
    status = STATUS.get(code, 503 if isinstance(error, OSError) else 409)
    answer = _answer(status, code, _SAID.get(code) or str(error))
    if isinstance(error, TooManyTries):
        answer.headers["Retry-After"] = str(int(error.wait_s) + 1)
    elif status == 503:
        answer.headers["Retry-After"] = "1"
    elif status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def of_http(error: HTTPException) -> flask.Response:
    """The answer for what the server itself refuses: an address, a method, a size, a Host."""
    status = error.code or 500
    code, detail = _BY_STATUS.get(status, _BY_STATUS[400] if status < 500 else _BY_STATUS[500])
    if isinstance(error.description, str) and "[dashboard]" in error.description:
        detail = error.description  # our own words about an unknown Host
    answer = _answer(status, code, detail)
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def broken() -> flask.Response:
    """The answer for what nobody foresaw; it is in the log."""
    return _answer(500, *_BY_STATUS[500])


def _answer(status: int, code: str, detail: str) -> flask.Response:
    title = HTTPStatus(status).phrase
    detail = detail[:1].upper() + detail[1:_LONGEST_DETAIL]
    problem = Problem(status=status, code=code, title=title, detail=detail)
    return flask.Response(msgspec.json.encode(problem), status, content_type=CONTENT_TYPE)
