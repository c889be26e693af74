"""The volunteer's page: search, check in and out, walk-ins, the waiting list, corrections and undo.

Every press is a form with a nonce made when the form was shown, so that a double press, a resend after a lost answer
and a reload count once. Works without scripts; with them (door.js) the same pages are fetched and put in place.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import flask
import msgspec

from hardware.errors import PlatypusError
from kiosk.dashboard import desk_words, views
from kiosk.dashboard.desk_words import Said
from kiosk.dashboard.gatekeeper import visitor
from kiosk.dashboard.live import Live
from kiosk.dashboard.ports import FrontDesk
from kiosk.dashboard.presses import LONGEST_TEXT, MOST_PERSONS, Presses
from kiosk.dashboard.searches import Searches
from kiosk.dashboard.told import told

log = logging.getLogger(__name__)

MOST_FOUND = 12  # more than a volunteer reads: then the search wants one more word
MOST_AT_ONCE = 4  # threads that may wait for the ledger: a locked one must not take them all
PATIENCE_S = 1.0


class DeskBusy(PlatypusError, TimeoutError):
    """Too many presses wait for the ledger already; this one did nothing."""

    code = "desk_busy"

    def __init__(self) -> None:
        super().__init__("the ledger does not answer and nothing was counted; wait a moment, then press again")


class Turns:
    """Lets a few threads at a time to the ledger, or to whatever may not answer."""

    def __init__(self, places: int, patience_s: float, busy: type[PlatypusError] = DeskBusy) -> None:
        self._places = threading.Semaphore(places)
        self._patience_s = patience_s
        self._busy = busy

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A turn. Raises DeskBusy, or what was chosen, when none comes in time."""
        if not self._places.acquire(timeout=self._patience_s):
            raise self._busy
        try:
            yield
        finally:
            self._places.release()


def add_desk(app: flask.Flask, desk: FrontDesk, live: Live, zone: ZoneInfo, turns: Turns, searches: Searches) -> None:
    """Routes of the volunteer's page; times on it are told in `zone`."""
    app.jinja_env.globals["nonce"] = lambda: secrets.token_hex(16)

    @app.get("/door")
    def door() -> flask.typing.ResponseReturnValue:
        text = searches.text(flask.request.args.get("s", ""))
        said = None
        if "part" not in flask.request.args:  # a part is fetched beside a press, and must not take its answer away
            said = msgspec.convert(flask.session.pop("said", None), Said | None)
        now = live.now()
        found, trouble = search(text)
        return flask.render_template(
            "door.html",
            view=now.home,
            rows=[views.line(row, zone) for row in now.facts.scans],
            waiting=[desk_words.waiting(guest, place, zone) for place, guest in enumerate(now.facts.waiting, 1)],
            as_of=views.clock_time(now.at, zone),
            q=text,
            found=found[:MOST_FOUND],
            is_more=len(found) > MOST_FOUND,
            trouble=trouble,
            said=said,
            me=told(visitor().signature),
            most_persons=MOST_PERSONS,
        )

    @app.post("/door/find", endpoint="door_find")
    def find() -> flask.typing.ResponseReturnValue:
        part = "" if "part" in flask.request.form else None
        return flask.redirect(flask.url_for("door", part=part, s=searches.keep(asked_text())), 303)

    @app.get("/door/release")
    def confirm_release() -> flask.typing.ResponseReturnValue:
        return flask.render_template("release.html")

    def asked_text() -> str:
        return flask.request.form.get("q", "")[:LONGEST_TEXT]

    def search(text: str) -> tuple[list[desk_words.FoundLine], str]:
        if not text.strip():
            return [], ""
        try:
            with turns.taken():
                return [desk_words.found(each, zone) for each in desk.find(text, MOST_FOUND + 1)], ""
        except (PlatypusError, OSError) as error:
            log.exception("desk do=find outcome=failed")
            return [], desk_words.failed(error).detail

    def post(path: str, act: Callable[[], Said]) -> None:
        """A button: `act`, say what came of it, and show the page again with that done."""

        def press() -> flask.typing.ResponseReturnValue:
            try:
                with turns.taken():
                    said = act()
            except (PlatypusError, OSError) as error:
                log.warning("desk do=%s outcome=failed cause=%s", path, type(error).__name__, exc_info=True)
                said = desk_words.failed(error)
            else:
                log.info("desk do=%s outcome=%s phone=%s", path, said.tone, visitor().phone.letters)
            flask.session["said"] = msgspec.to_builtins(said)
            live.renew()
            return flask.redirect(flask.url_for("door", s=searches.keep(asked_text())), 303)

        app.post(f"/door/{path}", endpoint=f"door_{path}")(press)

    for path, act in Presses(desk, zone).by_path().items():
        post(path, act)
