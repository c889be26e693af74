"""One ticket of ours as a file: a page to send, a label, a picture. Drawn when somebody asks, one at a time."""

from __future__ import annotations

import logging

import flask

from hardware.errors import PlatypusError
from kiosk.dashboard.desk import Turns
from kiosk.dashboard.language import _, spoken
from kiosk.dashboard.ticket_office import TicketOffice
from kiosk.dashboard.tickets_page import ONE
from kiosk.dashboard.told import told
from kiosk.ledger import UnknownTicket
from kiosk.tickets.forms import Form
from kiosk.tickets.status import Status

log = logging.getLogger(__name__)

_PATIENCE_S = 10.0  # of who asks while another ticket is drawn


def add_ticket_files(app: flask.Flask, office: TicketOffice, turns: Turns) -> None:
    """The route; `turns` are those of the ledger."""
    presses = Turns(1, _PATIENCE_S)

    @app.get(f"{ONE}/print/<form>")
    def ticket_print(number: int, form: str) -> flask.typing.ResponseReturnValue:
        if form not in set(Form):
            flask.abort(404)
        wanted = Form(form)
        try:
            with turns.taken():
                each = office.book.ticket(number).ticket
            if not each.is_own or each.is_walk_in or each.status is not Status.PAID:
                flask.abort(404)  # the page offers it where it shows the code, for those alone
            with presses.taken():
                content = office.printed(each, wanted, "fr" if (each.language or spoken()) == "fr" else "en")
        except UnknownTicket:
            raise
        except (PlatypusError, OSError) as error:
            log.warning("tickets do=print outcome=failed cause=%s", type(error).__name__)
            text = told(str(error))
            return flask.render_template("error.html", title=_("The ticket was not printed"), text=text), 503
        answer = flask.Response(content, content_type=wanted.kind)
        answer.headers.set(
            "Content-Disposition", "attachment", filename=f"ticket-{number:04d}-{wanted}.{wanted.ending}"
        )
        return answer
