"""Each press that changes something leaves one line in the list of changes, whatever came of it.

The hook stands around all routes, so that none can forget it; a route may say in plain words what it did (`note`). Rows
of the door are in the ledger, with who made them: of these only what was refused before it came so far is noted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import flask

from hardware.clock import Clock
from kiosk.dashboard.changes import Changes, ChangesError
from kiosk.dashboard.gatekeeper import asker_if_any
from kiosk.dashboard.language import say_later
from kiosk.dashboard.phones import Visitor
from kiosk.dashboard.rights import API
from kiosk.dashboard.tokens import Program

log = logging.getLogger(__name__)

WHAT: Mapping[str, str] = {
    "login_post": say_later("Logged in"),
    "first_use_post": say_later("Came in by a link"),
    "own_pin_post": say_later("Own PIN changed"),
    "logout": say_later("Logged out"),
    "stream_start": say_later("Stream: start with the camera"),
    "stream_go_live": say_later("Stream: go live"),
    "stream_next_talk": say_later("Stream: next talk"),
    "stream_camera": say_later("Stream: camera"),
    "stream_take_break": say_later("Stream: break"),
    "stream_end": say_later("Stream: end"),
    "stream_hide_camera": say_later("Stream: hide camera"),
    "stream_undo": say_later("Stream: undo"),
    "stream_stop": say_later("Stream: stop"),
    "stream_retry": say_later("Stream: retry now"),
    "stream_preflight": say_later("Stream: check everything"),
    "talks_stage": say_later("Talks: put on stage"),
    "talks_next": say_later("Talks: make it the next"),
    "talks_up": say_later("Talks: move up"),
    "talks_down": say_later("Talks: move down"),
    "talks_remove": say_later("Talks: remove"),
    "talks_undo": say_later("Talks: undo"),
    "talks_undo-stage": say_later("Talks: undo who is on stage"),
    "talks_upload": say_later("Talks: take a file"),
    "talks_add": say_later("Talks: add"),
    "talks_edit": say_later("Talks: edit"),
    "tickets_look": say_later("Tickets: look at a list"),
    "tickets_take": say_later("Tickets: take a list"),
    "tickets_leave": say_later("Tickets: leave a list"),
    "tickets_forget": say_later("Tickets: forget names"),
    "tickets_revoke": say_later("Tickets: revoke"),
    "tickets_give-back": say_later("Tickets: give back"),
    "tickets_replace": say_later("Tickets: replace"),
    "pretix_enrol": say_later("Tickets from pretix: connect"),
    "pretix_choose": say_later("Tickets from pretix: choose a check-in list"),
    "pretix_sync": say_later("Tickets from pretix: ask now"),
    "pretix_seen": say_later("Tickets from pretix: look at a scan"),
    "pretix_leave": say_later("Tickets from pretix: leave"),
    "tickets_paper-look": say_later("Tickets: look at ticks of the paper"),
    "tickets_paper-take": say_later("Tickets: take ticks of the paper"),
    "system_lights": say_later("System: try lamps and buzzer"),
    "system_counter": say_later("System: try the counter"),
    "system_strike": say_later("System: free the door's latch"),
    "system_off": say_later("System: switch the machine off"),
    "system_anew": say_later("System: restart the machine"),
    "system_program": say_later("System: restart a program"),
    "system_support": say_later("System: make a file for support"),
    "backup_make": say_later("Backup: make one"),
    "backup_download": say_later("Backup: download"),
    "backup_check": say_later("Backup: look at one"),
    "people_invite": say_later("People: invite"),
    "people_withdraw": say_later("People: withdraw an invitation"),
    "people_role": say_later("People: change a role"),
    "people_remove": say_later("People: remove"),
    "people_log_out": say_later("People: log out a phone"),
    "people_token": say_later("People: make a token"),
    "people_revoke": say_later("People: revoke a token"),
}
DOOR: Mapping[str, str] = {  # of these only what was refused is noted
    "door_find": say_later("Door: search"),
    "door_check-in": say_later("Door: check in"),
    "door_check-out": say_later("Door: check out"),
    "door_walk-in": say_later("Door: walk in"),
    "door_wait": say_later("Door: wait"),
    "door_admit-waiting": say_later("Door: admit waiting"),
    "door_stop-waiting": say_later("Door: stop waiting"),
    "door_correct": say_later("Door: correct"),
    "door_undo": say_later("Door: undo"),
    "door_release": say_later("Door: release"),
    "door_set-clock": say_later("Door: set clock"),
    "door_read-code": say_later("Door: read code"),
}
LOOKS: Mapping[str, str] = {  # they change nothing: of these, too, only what was refused is noted
    "tickets_find": say_later("Tickets: search"),
    "tickets": say_later("Tickets: search by a program"),
}
IN_LEDGER = "door_"  # how the routes begin whose rows the ledger keeps
_CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
REFUSED = {
    400: say_later("the page was too old, or not ours"),
    403: say_later("not for this role"),
    413: say_later("too large"),
    500: say_later("it broke; see the log"),
}


AGAIN_S = 60.0  # a program that is refused the same again and again leaves one line in so long


class _Note(NamedTuple):
    detail: str
    refused: bool


class _Repeats:
    """What each program was refused last: one that tries again by itself would push everything else off the list."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, tuple[str, str, float]] = {}  # by mark: what, why, and when it was noted; monotonic s

    def has(self, who: Program, what: str, why: str) -> bool:
        """Whether this stands in the list already; when not, it is taken for noted from now on."""
        now_s = self._clock.monotonic()
        before = self._last.get(who.mark)
        if before is not None and before[:2] == (what, why) and now_s - before[2] < AGAIN_S:
            return True
        self._last[who.mark] = (what, why, now_s)
        return False


def add_noting(app: flask.Flask, changes: Changes, clock: Clock) -> None:
    """Note the presses of everybody who is logged in, and of programs. Strangers could fill the list: they are not."""
    repeats = _Repeats(clock)

    @app.before_request
    def remember() -> None:
        if flask.request.method not in _CHANGES_NOTHING:
            flask.g.who = asker_if_any()  # before a logout, or the end of whoever asks

    @app.after_request
    def write(response: flask.Response) -> flask.Response:
        endpoint = flask.request.endpoint
        who: Visitor | Program | None = flask.g.get("who")
        if flask.request.method in _CHANGES_NOTHING or endpoint is None or who is None:
            return response
        endpoint = endpoint.removeprefix(API)  # a program leaves the line that a press leaves
        noted: _Note = flask.g.get("noted") or _Note("", refused=False)
        refused = noted.refused or response.status_code >= 400
        if (endpoint.startswith(IN_LEDGER) or endpoint in LOOKS) and not refused:
            return response
        what = {**WHAT, **LOOKS}.get(endpoint) or DOOR.get(endpoint, endpoint)
        detail = noted.detail
        if refused and not detail:
            detail = REFUSED.get(response.status_code, f"answer {response.status_code}")
        if not refused and detail:
            what = f"{what.partition(':')[0]}: {detail}"
        if refused and isinstance(who, Program) and repeats.has(who, what, detail):
            return response
        try:
            changes.add(who.signature, what, refused=refused, why=detail if refused else "")
        except ChangesError:  # a full disk must not keep a stream from being stopped
            log.exception("changes event=not-written endpoint=%s by=%s", endpoint, who.mark)
        return response


def note(detail: str, *, refused: bool = False) -> None:
    """Say what a press did, or why it did not. Never a PIN, a key or a code."""
    flask.g.noted = _Note(" ".join(detail.split()), refused)


def leave_out() -> None:
    """Of this request the list says nothing: a program made a mistake, and would fill it by trying again."""
    flask.g.who = None


def came_in(who: Visitor) -> None:
    """From now on in this request, `who` is whom the list names."""
    flask.g.who = who
