"""Lists of other systems on the page of the tickets: looked at, understood otherwise, then taken or left.

A list is kept in memory between the look and the press that takes it, with how it was understood, so that what is
taken is what was seen; it is compared anew with the tickets as they are by then. Works without scripts.
"""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

import flask

from hardware.clock import Clock
from hardware.errors import PlatypusError
from kiosk.dashboard import ticket_words
from kiosk.dashboard.desk import Turns
from kiosk.dashboard.gatekeeper import visitor
from kiosk.dashboard.language import Later, later
from kiosk.dashboard.live import Live
from kiosk.dashboard.noting import note
from kiosk.dashboard.ticket_office import Held, HeldLists, TicketOffice
from kiosk.dashboard.tickets_page import ShowPage, tell_press
from kiosk.dashboard.told import told
from kiosk.dashboard.uploads import LARGEST_BYTES, PATHS, uploaded
from kiosk.ledger.records import Imported
from kiosk.tickets.columns_file import Choice
from kiosk.tickets.sheet import WORDS, TicketFileError
from kiosk.tickets.table import parse_table

log = logging.getLogger(__name__)

_LOOK = "tickets_look"
_ABSENT = "No file was chosen, or it is empty: choose a list of tickets, .csv or .xlsx."
_TOO_LARGE = (
    f"The file has more than {LARGEST_BYTES // 1_000_000} MB. Is it the right one? The Pi itself takes larger "
    "ones: platypus tickets import FILE"
)


def add_ticket_lists(
    app: flask.Flask,
    office: TicketOffice,
    live: Live,
    zone: ZoneInfo,
    turns: Turns,
    clock: Clock,
    page: ShowPage,
) -> None:
    """Routes of a list; times on it are told in `zone`. `page` shows all tickets, with what is wrong with a file."""
    held = HeldLists(clock)

    def list_page(held_list: Held, word: str, trouble: str = "", code: int = 200) -> flask.typing.ResponseReturnValue:
        looked = held_list.looked
        return flask.render_template(
            "tickets_list.html",
            view=live.now().home,
            understood=ticket_words.understood(held_list),
            plan=None if looked is None else ticket_words.plan(looked, zone),
            word=word,
            trouble=trouble,
        ), code

    @app.post(PATHS[_LOOK], endpoint=_LOOK)
    def look() -> flask.typing.ResponseReturnValue:
        owner, word = visitor().mark, flask.request.form.get("list", "")
        seen: Held | None = None
        try:
            if word:
                seen = held.get(word, owner)
                choice: Choice | None = _choice(seen)
            else:
                file = uploaded(_ABSENT, _TOO_LARGE)
                with turns.taken():  # a spreadsheet's reader takes 200 MB
                    seen, choice = Held(parse_table(file.name, file.raw), None), None
            with turns.taken():
                looked = office.lists.look(seen.table, choice)
        except (PlatypusError, OSError) as error:
            log.warning("tickets do=look outcome=failed cause=%s", type(error).__name__)
            note("a list could not be taken", refused=True)  # not why: its first line may be a guest's
            if seen is not None and isinstance(error, TicketFileError):  # perhaps its columns are others
                return list_page(seen, word or held.hold(seen, owner), told(str(error)), 422)
            return page(told(str(error)), 422)
        note(later("a list of %(count)s tickets was looked at", count=looked.sheet.size).source)
        fresh = Held(seen.table, looked)
        return list_page(fresh, held.hold(fresh, owner, word))

    @app.post("/tickets/take", endpoint="tickets_take")
    def take() -> flask.typing.ResponseReturnValue:
        owner, word = visitor().mark, flask.request.form.get("list", "")
        is_asked = "cancel_gone" in flask.request.form

        def act() -> Later:
            seen = held.get(word, owner)
            with turns.taken():
                done = office.lists.take(seen.table, seen.choice, cancels=seen.gone if is_asked else ()).done
            held.forget(word, owner)
            office.lists.remember(seen.table, seen.choice)
            return _outcome(done)

        tell_press("take", act)
        return flask.redirect(flask.url_for("ticket_list"), 303)

    @app.post("/tickets/leave", endpoint="tickets_leave")
    def leave() -> flask.typing.ResponseReturnValue:
        held.forget(flask.request.form.get("list", ""), visitor().mark)
        note("a list was not taken")
        return flask.redirect(flask.url_for("ticket_list"), 303)


def _outcome(done: Imported) -> Later:
    return later(
        "List taken: %(new)s new, %(changed)s changed, %(same)s as before, %(gone)s cancelled",
        new=done.new,
        changed=done.changed,
        same=done.unchanged,
        gone=done.cancelled,
    )


def _choice(seen: Held) -> Choice:
    """How a list was understood, with what the form has otherwise."""
    form, source = flask.request.form, seen.source.name
    shown = {ours: seen.columns.get(ours, "") for ours in WORDS}
    changed = {ours: form[f"column-{ours}"] for ours in WORDS if form.get(f"column-{ours}", shown[ours]) != shown[ours]}
    chosen = form.get("source", source)
    return Choice(
        columns=seen.choice.columns | changed,
        source=seen.choice.source if chosen == source else chosen,
        by_name="by_name" in form,
    )
