"""What is kept of guests, for anybody who asks; and the organizer's press that forgets it at once."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import flask

from kiosk.dashboard.desk import Turns
from kiosk.dashboard.language import Later, day_and_time, later
from kiosk.dashboard.live import Live
from kiosk.dashboard.ticket_office import TicketOffice
from kiosk.dashboard.tickets_page import tell_press

_DAY = "EEEE d MMMM y"


def add_privacy(app: flask.Flask, office: TicketOffice, live: Live, zone: ZoneInfo, turns: Turns) -> None:
    """Routes of both pages; days are told in `zone`."""

    @app.get("/privacy")
    def privacy() -> flask.typing.ResponseReturnValue:
        days = office.forgetting.after.days if office.forgetting.after is not None else 0
        told_to = "pretix" if office.pretix.is_device() else ""
        return flask.render_template("privacy.html", days=days, event=live.now().home.event, told_to=told_to)

    @app.get("/tickets/forget")
    def confirm_forget() -> flask.typing.ResponseReturnValue:
        with turns.taken():
            known = office.kept()
        at = known.goes_at(office.forgetting.after) if office.forgetting.after is not None else None
        goes = day_and_time(at.astimezone(zone), _DAY) if at is not None else ""
        return flask.render_template("forget.html", known=known, goes=goes)

    @app.post("/tickets/forget", endpoint="tickets_forget")
    def forget() -> flask.typing.ResponseReturnValue:
        def act() -> Later:
            with turns.taken():
                gone = office.forget()
            return later("Names, e-mails and notes of %(count)s tickets are forgotten", count=gone.tickets)

        tell_press("forget", act)
        return flask.redirect(flask.url_for("ticket_list"), 303)
