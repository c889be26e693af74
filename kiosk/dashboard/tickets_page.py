"""The pages of the tickets: all of them, some at a time, and one in full with what can be done about it.

Works without scripts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from zoneinfo import ZoneInfo

import flask

from hardware.errors import PlatypusError
from kiosk.dashboard import desk_words, qr, ticket_words
from kiosk.dashboard.desk import Turns
from kiosk.dashboard.language import Later, _
from kiosk.dashboard.live import Live
from kiosk.dashboard.noting import note
from kiosk.dashboard.presses import LONGEST_TEXT
from kiosk.dashboard.searches import Searches
from kiosk.dashboard.ticket_office import Changed, TicketOffice
from kiosk.dashboard.told import told
from kiosk.dashboard.uploads import LARGEST_BYTES
from kiosk.ledger import UnknownTicket
from kiosk.ledger.ticket_book import Leaf, Show

log = logging.getLogger(__name__)

ShowPage = Callable[[str, int], flask.typing.ResponseReturnValue]

LEAF = 50  # tickets on a page
_MOST_START = 10_000_000
ONE = "/tickets/<int(max=2147483647):number>"  # more than that a database does not count


def add_tickets(
    app: flask.Flask, office: TicketOffice, live: Live, zone: ZoneInfo, turns: Turns, searches: Searches
) -> ShowPage:
    """Routes of the pages; times on them are told in `zone`. Returns what shows the first one, with what went wrong."""

    def page(trouble: str = "", code: int = 200) -> flask.typing.ResponseReturnValue:
        word = flask.request.args.get("s", "")
        text = searches.text(word)
        show = _show(flask.request.args.get("show", ""))
        start = min(max(0, flask.request.args.get("start", 0, type=int)), _MOST_START)
        try:
            with turns.taken():
                leaf = office.book.leaf(text, show, start=start, most=LEAF)
        except PlatypusError as error:
            log.warning("tickets do=list outcome=failed cause=%s", type(error).__name__)
            leaf, trouble, code = Leaf([], 0), trouble or told(str(error)), 503
        return flask.render_template(
            "tickets.html",
            view=live.now().home,
            lines=[(each.ticket.number, desk_words.found(each, zone)) for each in leaf.found],
            total=leaf.total,
            start=start,
            leaf=LEAF,
            q=text,
            word=word,
            show=show,
            shows=[(each.value, _(name)) for each, name in ticket_words.SHOWS.items()],
            most_mb=LARGEST_BYTES // 1_000_000,
            trouble=trouble,
        ), code

    @app.post("/tickets/find", endpoint="tickets_find")
    def find() -> flask.typing.ResponseReturnValue:
        word = searches.keep(flask.request.form.get("q", "")[:LONGEST_TEXT])
        show = _show(flask.request.form.get("show", ""))
        return flask.redirect(flask.url_for("ticket_list", s=word, show=None if show is Show.ALL else show), 303)

    @app.get("/tickets")
    def ticket_list() -> flask.typing.ResponseReturnValue:
        return page()

    @app.get(ONE)
    def ticket(number: int) -> flask.typing.ResponseReturnValue:
        with turns.taken():
            each = office.book.ticket(number)
        line = desk_words.found(each, zone)
        told_facts = ticket_words.facts(each, line.tone, line.state, zone)
        code = qr.ticket(office.code_of(number)) if told_facts.is_own and told_facts.is_good else ""
        event = live.now().home.event
        return flask.render_template("ticket.html", ticket=told_facts, code=code, event=event)

    def press(name: str, act: Callable[[int], Changed]) -> None:
        def pressed(number: int) -> flask.typing.ResponseReturnValue:
            def once() -> Later:
                with turns.taken():
                    return act(number).said

            tell_press(name, once)
            return flask.redirect(flask.url_for("ticket", number=number), 303)

        app.post(f"{ONE}/{name}", endpoint=f"tickets_{name}")(pressed)

    def replace(number: int) -> Changed:
        holder = flask.request.form.get("holder", "").strip()[:LONGEST_TEXT] or None
        email = flask.request.form.get("email", "").strip()[:LONGEST_TEXT] or None
        return office.replace(number, holder, email)

    press("revoke", office.revoke)
    press("give-back", office.give_back)
    press("replace", replace)

    @app.errorhandler(UnknownTicket)
    def unknown(error: UnknownTicket) -> flask.typing.ResponseReturnValue:
        return flask.render_template("error.html", title=_("No such ticket"), text=told(str(error))), 404

    return page


def tell_press(name: str, act: Callable[[], Later]) -> None:
    """Do it, and say what came of it: on the next page, in the list of changes, in the log."""
    try:
        done = act()
    except (PlatypusError, OSError) as error:
        log.warning("tickets do=%s outcome=failed cause=%s", name, type(error).__name__)
        note(str(error), refused=True)
        flask.flash(_("Not done: %(cause)s", cause=told(str(error))[:500]), "no")
    else:
        log.info("tickets do=%s outcome=ok", name)
        note(done.source)
        flask.flash(str(done), "yes")


def _show(word: str) -> Show:
    try:
        return Show(word)
    except ValueError:
        return Show.ALL
