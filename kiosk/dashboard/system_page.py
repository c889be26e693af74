"""The page of the system: the machine, its clock, the programs, the wiring of the gates, and how others come here."""

from __future__ import annotations

from collections.abc import Mapping

import flask

from hardware.clock import Clock
from hardware.errors import PlatypusError
from kiosk.dashboard import qr
from kiosk.dashboard.address import base_url_for_phones, named_url
from kiosk.dashboard.backup_page import Card
from kiosk.dashboard.gatekeeper import role
from kiosk.dashboard.language import _, say_later
from kiosk.dashboard.live import Live
from kiosk.dashboard.orders import NotDone
from kiosk.dashboard.outcome import tell_outcome
from kiosk.dashboard.pages import page_now
from kiosk.dashboard.ports import News
from kiosk.dashboard.rights import may
from kiosk.dashboard.settings import DashboardSettings
from kiosk.dashboard.told import told
from kiosk.dashboard.upkeep import Upkeep, add_upkeep, log_lines
from kiosk.news import PanelPart
from kiosk.version import own_version

_ANSWER_S = 3.0  # how long a press waits for the gate
_TRIED: Mapping[PanelPart, str] = {
    "lights": say_later("Look at the gate: green and red shine in turn, three times, each time with a beep."),
    "counter": say_later("Look at the counter: for three seconds it shows 88, or all its lights."),
    "strike": say_later("Listen to the door: its latch is free for a moment."),
}

_PROGRAMS = {"door": say_later("Door"), "stream": say_later("Stream"), "dashboard": say_later("Dashboard")}


def add_system(
    app: flask.Flask, live: Live, news: News, settings: DashboardSettings, backup: Card, upkeep: Upkeep, clock: Clock
) -> None:
    """Routes of the page; `backup` says what there is to say of the newest one."""

    @app.get("/system")
    def system() -> flask.typing.ResponseReturnValue:
        looks_after = may(role(), "system_support")
        wants_log = looks_after and flask.request.args.get("log") == "1"
        address = base_url_for_phones(settings, flask.request)
        return page_now(
            "system.html",
            live,
            settings.zone,
            address=address,
            named=named_url(settings) if address else None,
            code=qr.picture(address) if address else None,
            version=own_version(),
            backup=backup() if may(role(), "backups") else None,
            looks_after=looks_after,
            trouble=told(upkeep.power.trouble()) if looks_after else "",
            programs={name: _(said) for name, said in _PROGRAMS.items()},
            log=log_lines(upkeep, settings.zone) if wants_log else None,
        )

    add_upkeep(app, upkeep, live, clock)

    def try_part(part: PanelPart) -> flask.typing.ResponseReturnValue:
        gate = flask.request.form.get("gate", "")
        tell_outcome(f"try-{part}", lambda: _try(news, gate, part), _TRIED[part], "calm")
        return flask.redirect(flask.url_for("system"), 303)

    def button(part: PanelPart) -> None:
        app.post(f"/system/try/{part}", endpoint=f"system_{part}")(lambda: try_part(part))

    for part in _TRIED:
        button(part)


def _try(news: News, gate: str, part: PanelPart) -> None:
    """Raises UnknownGate, NotDone, BusError."""
    if gate not in {heard.state.gate for heard in news.latest().doors}:
        raise UnknownGate(f"There is no gate {gate[:40]!r}: it has not been heard of.")
    reply = news.try_panel(gate, part, _ANSWER_S)
    if not reply.ok:
        raise NotDone(reply.error or "The gate said no, and not why; see its log.")


class UnknownGate(PlatypusError, LookupError):
    """No door has told of this gate."""

    code = "unknown_gate"
