"""A phone as one more gate: its page reads codes by the camera, and the ledger answers as it does at any gate.

One presentation of a code is one POST with a nonce that the phone made; the phone says it again until it has an answer,
and it counts once. Answers are JSON: 200 and 409 are final, 503 wants the same again, all else ends the page's session.
"""

from __future__ import annotations

import base64
import binascii
import logging

import flask
import msgspec

from hardware.errors import PlatypusError
from kiosk.dashboard import desk_words
from kiosk.dashboard.desk import PATIENCE_S, Turns
from kiosk.dashboard.desk_words import Said
from kiosk.dashboard.gatekeeper import visitor
from kiosk.dashboard.language import _, say_later
from kiosk.dashboard.live import Live
from kiosk.dashboard.ports import PHONE_GATE, FrontDesk
from kiosk.dashboard.presses import press_of
from kiosk.ledger import GateMode

log = logging.getLogger(__name__)

LONGEST_CODE = 3000  # bytes; the largest QR holds 2,953
MOST_AT_ONCE = 2  # threads that may wait for the ledger, beside those of the desk
_MODES = {
    GateMode.ENTRY: say_later("Entry"),
    GateMode.EXIT: say_later("Exit"),
    GateMode.BOTH: say_later("Both"),
}


def add_scanning(app: flask.Flask, desk: FrontDesk, live: Live) -> None:
    """Routes of the phone that is a gate."""
    turns = Turns(MOST_AT_ONCE, PATIENCE_S)

    @app.get("/door/scan", endpoint="door_scan")
    def page() -> flask.typing.ResponseReturnValue:
        return flask.render_template(
            "scan.html",
            me=gate(),
            modes=tuple((mode.value, _(_MODES[mode])) for mode in GateMode),
            longest_code=LONGEST_CODE,
        )

    @app.post("/door/scan", endpoint="door_read-code")
    def scan() -> flask.typing.ResponseReturnValue:
        code, mode, press = code_of(), mode_of(), press_of()
        try:
            with turns.taken():
                decision = desk.scan(code, mode, press, gate())
        except OSError as error:  # the ledger, or no turn: the same nonce again may do
            log.warning("scan gate=%s outcome=failed cause=%s", _word(gate()), type(error).__name__, exc_info=True)
            return _answer(desk_words.failed(error), 503)
        except PlatypusError as error:
            log.warning("scan gate=%s outcome=refused cause=%s", _word(gate()), type(error).__name__)
            return _answer(desk_words.failed(error), 409)
        live.nudge()
        log.info(
            "scan gate=%s scan=%d way=%s answer=%s",
            _word(gate()),
            decision.scan_id,
            decision.direction,
            decision.reason or "admitted",
        )
        return _answer(desk_words.scanned(decision), 200)


def gate() -> str:
    """The gate that this phone is: tells two phones apart, and no persons."""
    return f"{PHONE_GATE} {visitor().phone.letters}"


def code_of() -> bytes:
    """The code in the form, which travels as base64 since it may hold any bytes. Aborts with 400 when it is none."""
    try:
        code = base64.b64decode(flask.request.form.get("code", ""), validate=True)
    except (binascii.Error, ValueError):
        flask.abort(400)
    if not 0 < len(code) <= LONGEST_CODE:
        flask.abort(400)
    return code


def mode_of() -> GateMode:
    """Which way the phone is for. Aborts with 400 when the form does not say."""
    try:
        return GateMode(flask.request.form.get("mode", ""))
    except ValueError:
        flask.abort(400)


def _answer(said: Said, status: int) -> flask.Response:
    body = {"tone": said.tone, "title": said.title, "detail": said.detail, "attention": said.attention}
    return flask.Response(msgspec.json.encode(body), status, mimetype="application/json")


def _word(name: str) -> str:
    return name.replace(" ", "-")
