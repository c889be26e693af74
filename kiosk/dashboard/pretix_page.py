"""The page of pretix: enrol this machine, choose whose tickets, see how old the copy is, look at conflicts.

Only what a person presses asks the server; how it stands is read from here. Works without scripts.
"""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

import flask
import msgspec

from hardware.errors import PlatypusError
from kiosk.dashboard import pretix_words
from kiosk.dashboard.desk import Turns
from kiosk.dashboard.language import Later, later
from kiosk.dashboard.live import Live
from kiosk.dashboard.ticket_office import TicketOffice
from kiosk.dashboard.tickets_page import tell_press
from kiosk.dashboard.told import told
from kiosk.pretix.sync import Phase

log = logging.getLogger(__name__)

_MOST_CHARS = 2_000


def add_pretix(app: flask.Flask, office: TicketOffice, live: Live, zone: ZoneInfo, turns: Turns) -> None:
    """Routes of the page; times on it are told in `zone`."""
    desk = office.pretix

    @app.get("/tickets/pretix")
    def pretix() -> flask.typing.ResponseReturnValue:
        with turns.taken():
            state, found = desk.sync.state(), desk.conflicts()
        trouble, choices = "", []
        if state.link is not None and (state.phase is Phase.UNCHOSEN or "choose" in flask.request.args):
            try:
                choices = list(pretix_words.choices(desk.choices(), state, zone))
            except PlatypusError as error:
                log.warning("pretix do=choices outcome=failed cause=%s", type(error).__name__)
                trouble = told(str(error))
        return flask.render_template(
            "pretix.html",
            event=live.now().home.event,
            state=state,
            status=pretix_words.status(state, zone),
            untold=pretix_words.untold(state),
            conflicts=pretix_words.conflicts(found, zone),
            choices=choices,
            trouble=trouble,
        )

    def back() -> flask.typing.ResponseReturnValue:
        return flask.redirect(flask.url_for("pretix"), 303)

    @app.post("/tickets/pretix/enrol", endpoint="pretix_enrol")
    def enrol() -> flask.typing.ResponseReturnValue:
        form = flask.request.form
        text = form.get("code", "")[:_MOST_CHARS].strip()
        if not text:  # typed: the address and the token that stand under the QR code
            typed = {"url": form.get("url", "").strip(), "token": form.get("token", "").strip(), "handshake_version": 1}
            text = msgspec.json.encode(typed).decode()

        def act() -> Later:
            link = desk.enrol(text)
            return later("Connected to pretix as %(device)s", device=link.name)

        tell_press("pretix-enrol", act)
        return back()

    @app.post("/tickets/pretix/choose", endpoint="pretix_choose")
    def choose() -> flask.typing.ResponseReturnValue:
        def act() -> Later:
            number, _, event = flask.request.form.get("list", "").partition(" ")
            link = desk.choose(event, int(number) if number.isdecimal() else 0)
            return later("Tickets of %(event)s, %(list)s", event=link.event_name, list=link.list_name)

        tell_press("pretix-choose", act)
        return back()

    @app.post("/tickets/pretix/sync", endpoint="pretix_sync")
    def sync() -> flask.typing.ResponseReturnValue:
        def act() -> Later:
            desk.sync.ask_now(whole=True)
            return later("pretix is being asked")

        tell_press("pretix-sync", act)
        return back()

    @app.post("/tickets/pretix/seen", endpoint="pretix_seen")
    def seen() -> flask.typing.ResponseReturnValue:
        def act() -> Later:
            with turns.taken():
                scan = flask.request.form.get("scan", "")
                desk.see(int(scan) if scan.isdecimal() and len(scan) < 10 else 0)
            return later("Looked at")

        tell_press("pretix-seen", act)
        return back()

    @app.get("/tickets/pretix/leave")
    def confirm_pretix_leave() -> flask.typing.ResponseReturnValue:
        with turns.taken():
            state = desk.sync.state()
        return flask.render_template("pretix_leave.html", untold=pretix_words.untold(state), state=state)

    @app.post("/tickets/pretix/leave", endpoint="pretix_leave")
    def leave() -> flask.typing.ResponseReturnValue:
        def act() -> Later:
            why = desk.leave()
            if why:
                return later("Left; pretix does not know it: %(cause)s", cause=why)
            return later("This machine is no device of pretix any more")

        tell_press("pretix-leave", act)
        return back()
