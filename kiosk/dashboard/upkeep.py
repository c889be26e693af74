"""The page of the system for whoever looks after the machine: switch it off, start it or a program anew, its log, and
a file to show to somebody who helps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import flask

from hardware.clock import Clock
from hardware.errors import PlatypusError
from hardware.power_switch import Power, PowerError
from hardware.units import PROGRAMS, LogLine
from kiosk.dashboard.desk import Turns
from kiosk.dashboard.language import _, later, ngettext, say_later
from kiosk.dashboard.live import Live, Snapshot
from kiosk.dashboard.noting import note
from kiosk.dashboard.told import told
from kiosk.dashboard.words import is_gone

log = logging.getLogger(__name__)

_PATIENCE_S = 5.0  # of who asks for a file while another one is made
_LATELY = timedelta(minutes=10)
OFF, ANEW = "off", "anew"
_TITLES = {
    OFF: (say_later("Switch the machine off?"), say_later("Yes, switch it off")),
    ANEW: (say_later("Restart the machine?"), say_later("Yes, restart it")),
    "door": (say_later("Restart the door's program?"), say_later("Yes, restart it")),
    "stream": (say_later("Restart the stream's program?"), say_later("Yes, restart it")),
    "dashboard": (say_later("Restart the dashboard?"), say_later("Yes, restart it")),
}
_BACK = {
    OFF: say_later("To switch it on again, pull its plug and put it back. It takes about a minute."),
    ANEW: say_later("It is back by itself after about a minute."),
}
_DONE = {
    OFF: (
        say_later("The machine switches off"),
        say_later("Wait until its green light no longer blinks, some 10 seconds. Then it may be unplugged."),
    ),
    ANEW: (say_later("The machine restarts"), say_later("This page comes back by itself in a minute.")),
    "door": (say_later("The door's program restarts"), say_later("It reads tickets again in some seconds.")),
    "stream": (say_later("The stream's program restarts"), say_later("A stream that was on air goes on by itself.")),
    "dashboard": (say_later("The dashboard restarts"), say_later("This page comes back by itself in some seconds.")),
}
NOTED = {
    OFF: say_later("the machine is switched off"),
    ANEW: say_later("the machine is restarted"),
    "door": say_later("the door's program is restarted"),
    "stream": say_later("the stream's program is restarted"),
    "dashboard": say_later("the dashboard is restarted"),
}


class Upkeep(NamedTuple):
    """What the page is given."""

    power: Power
    log: Callable[[], Sequence[LogLine]]  # oldest first; it may take some seconds
    support: Callable[[], bytes]  # makes a ZIP; it may take some seconds


class SupportBusy(PlatypusError, TimeoutError):
    """One is made already."""

    code = "support_busy"

    def __init__(self) -> None:
        super().__init__("a file for support is made just now; wait a moment, then press again")


def add_upkeep(app: flask.Flask, upkeep: Upkeep, live: Live, clock: Clock) -> None:
    """The routes."""
    turns = Turns(1, _PATIENCE_S, SupportBusy)

    def confirm(what: str) -> flask.typing.ResponseReturnValue:
        title, yes = _TITLES[what]
        return flask.render_template(
            "switch.html",
            title=_(title),
            yes=_(yes),
            then=[*_then(what, live.now()), *([_(_BACK[what])] if what in _BACK else [])],
            trouble=told(upkeep.power.trouble()),
            action=flask.url_for("system_program") if what in PROGRAMS else flask.url_for(f"system_{what}"),
            program=what if what in PROGRAMS else "",
            is_danger=what in {OFF, ANEW},
        )

    def carry_out(what: str, act: Callable[[], None]) -> flask.typing.ResponseReturnValue:
        try:
            act()
        except PowerError as error:
            log.warning("press do=%s outcome=failed", what if what in _DONE else "program")
            note(str(error), refused=True)
            flask.flash(_("Not done: %(cause)s", cause=told(str(error))), "no")
            return flask.redirect(flask.url_for("system"), 303)
        log.warning("press do=%s outcome=ok", what)
        note(NOTED[what])
        title, text = _DONE[what]
        again_s = 0 if what == OFF else 60 if what == ANEW else 10
        said = [_(text), *([_(_BACK[OFF])] if what == OFF else [])]
        return flask.render_template("switched.html", title=_(title), said=said, again_s=again_s)

    @app.get("/system/off", endpoint="confirm_off")
    def ask_off() -> flask.typing.ResponseReturnValue:
        return confirm(OFF)

    @app.get("/system/anew", endpoint="confirm_anew")
    def ask_anew() -> flask.typing.ResponseReturnValue:
        return confirm(ANEW)

    @app.get("/system/program/<program>", endpoint="confirm_program")
    def ask_program(program: str) -> flask.typing.ResponseReturnValue:
        if program not in PROGRAMS:
            flask.abort(404)
        return confirm(program)

    @app.post("/system/off", endpoint="system_off")
    def switch_off() -> flask.typing.ResponseReturnValue:
        return carry_out(OFF, upkeep.power.switch_off)

    @app.post("/system/anew", endpoint="system_anew")
    def start_anew() -> flask.typing.ResponseReturnValue:
        return carry_out(ANEW, upkeep.power.start_anew)

    @app.post("/system/program", endpoint="system_program")
    def start_program_anew() -> flask.typing.ResponseReturnValue:
        program = flask.request.form.get("program", "")
        return carry_out(program, lambda: upkeep.power.start_program_anew(program))

    @app.post("/system/support", endpoint="system_support")
    def support() -> flask.typing.ResponseReturnValue:
        """By POST, as a backup is: nothing that looks ahead fetches it."""
        try:
            with turns.taken():
                made = upkeep.support()
        except PlatypusError as error:
            log.warning("press do=support outcome=failed")
            note(str(error), refused=True)
            flask.flash(_("Not done: %(cause)s", cause=told(str(error))), "no")
            return flask.redirect(flask.url_for("system"), 303)
        note(later("a file for support was downloaded").source)
        name = f"platypus-support-{clock.stamp().wall:%Y-%m-%d-%H%M}.zip"
        headers = {"Content-Disposition": f"attachment; filename={name}"}
        return flask.Response(made, mimetype="application/zip", headers=headers)


class Line(NamedTuple):
    """One line of the log, for the page."""

    time: str
    program: str
    text: str


def log_lines(upkeep: Upkeep, zone: ZoneInfo) -> list[Line]:
    """The log, newest first."""
    return [
        Line(f"{line.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", line.program, line.text)
        for line in reversed(upkeep.log())
    ]


def _then(what: str, now: Snapshot) -> list[str]:
    """What will happen, as things stand."""
    facts = now.facts
    stream = facts.news.stream
    is_live = stream is not None and not is_gone(stream) and stream.state.order == "live"
    lately = sum(each.delta for each in facts.movements if each.delta > 0 and each.at > now.at - _LATELY)
    came = (
        ngettext(
            "%(num)s person came in during the last ten minutes.",
            "%(num)s people came in during the last ten minutes.",
            lately,
        )
        if lately
        else ""
    )
    kept = _("Nothing is lost: each scan is on the disk.")
    match what:
        case "off":
            said = [
                _("The door reads no tickets any more: check people in by the paper list."),
                came,
                _("The stream ends for everyone who watches.") if is_live else "",
                kept,
            ]
        case "anew":
            said = [
                _("The door reads no tickets for about a minute, and this page is away."),
                came,
                _("The stream breaks off, and goes on by itself.") if is_live else "",
                kept,
            ]
        case "door":
            said = [_("The door reads no tickets for some seconds."), came, kept]
        case "stream":
            breaks = _("The stream breaks off for some seconds, and goes on by itself.")
            said = [breaks if is_live else _("Nothing is on air now.")]
        case _:
            said = [
                _("This page and the screen are away for some seconds; phones stay logged in."),
                _("Door and stream go on."),
            ]
    return [each for each in said if each]
