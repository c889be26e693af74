"""The page of the paper list: print it before the evening, and type its ticks back in after the night the Pi died.

Nothing is kept between the look and the press that takes it: what was typed travels in the form, and a tick counts once
however often it is said. Works without scripts.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import date, time
from zoneinfo import ZoneInfo

import flask

from hardware.clock import Clock
from hardware.errors import PlatypusError
from kiosk.dashboard import paper_words
from kiosk.dashboard.desk import Turns
from kiosk.dashboard.gatekeeper import visitor
from kiosk.dashboard.language import _, later
from kiosk.dashboard.live import Live
from kiosk.dashboard.noting import note
from kiosk.dashboard.told import told
from kiosk.ledger.paper import Fate
from kiosk.paper_list import LONGEST_GATE, MOST_WALK_INS, Answered, Given, PaperList, Why
from kiosk.tickets.apart import ApartError
from kiosk.tickets.paper_sheet import paper_apart

log = logging.getLogger(__name__)

LONGEST = 8_000  # characters: a form has 16 kB, in which a new line takes six
_PATIENCE_S = 5.0  # of who asks while another paper is made
_SAID_ONCE = frozenset({Why.TWICE, Why.NOTHING_BEFORE})  # there is nothing to mend
_NUMBER, _LINE = re.compile(r"[0-9]{1,9}"), re.compile(r"[0-9]{1,9}-[0-9]")


def add_paper(app: flask.Flask, paper: PaperList, live: Live, zone: ZoneInfo, turns: Turns, clock: Clock) -> None:
    """The routes; times are told, and read, in `zone`."""
    drawing = Turns(1, _PATIENCE_S)

    def page(
        given: Given | None = None,
        answered: Answered | None = None,
        *,
        is_done: bool = False,
        trouble: str = "",
        code: int = 200,
    ) -> flask.typing.ResponseReturnValue:
        form, day = flask.request.form, paper.day(zone)
        lines, wrong, numbers = [], [], ""
        if answered is not None:
            lines = [
                paper_words.tick_line(each, paper.line(each.tick.number), zone, is_done=is_done)
                for each in answered.ticked
            ]
            wrong = [paper_words.wrong_line(each) for each in answered.wrong]
            open_words = [each.word for each in answered.wrong if each.why not in _SAID_ONCE]
            open_words += [paper.word(each, zone) for each in answered.ticked if each.fate is Fate.REFUSED]
            numbers = " ".join(open_words)
        # What was not taken stays in the field, until somebody mends it or decides.
        text = (numbers if is_done else form.get("ticks", ""))[:LONGEST]
        return flask.render_template(
            "tickets_paper.html",
            view=live.now().home,
            trouble=trouble,
            lines=lines,
            wrong=wrong,
            walk_ins_said=paper_words.walk_ins(answered, is_done=is_done) if answered else "",
            room=paper_words.room(answered) if answered else None,
            is_done=is_done,
            is_asked=answered is not None and not is_done,
            forced=given.did_get_in if given else (),
            text=text,
            walk_ins="" if is_done else form.get("walk_ins", "")[:3],
            at=form.get("at", "")[:5],
            gate=form.get("gate", "")[:LONGEST_GATE],
            day=form.get("day", day.isoformat() if day else "")[:10],
            longest=LONGEST,
            longest_gate=LONGEST_GATE,
            most_walk_ins=MOST_WALK_INS,
        ), code

    @app.get("/tickets/paper", endpoint="tickets_paper")
    def show() -> flask.typing.ResponseReturnValue:
        return page()

    @app.get("/tickets/paper.pdf", endpoint="tickets_paper_pdf")
    def pdf() -> flask.typing.ResponseReturnValue:
        try:
            with drawing.taken():
                with turns.taken():
                    facts = paper.facts(clock.stamp())
                content = paper_apart(paper_words.sheet(facts, zone))
        except (PlatypusError, OSError) as error:
            log.warning("paper do=print outcome=failed cause=%s", type(error).__name__, exc_info=error)
            said = "" if isinstance(error, ApartError) else told(str(error))
            text = said or _("It could not be drawn; the log says why. Try again, or: platypus tickets paper")
            return flask.render_template("error.html", title=_("There is no paper now"), text=text), 503
        log.info("paper do=print outcome=ok tickets=%d", len(facts.lines))
        answer = flask.Response(content, content_type="application/pdf")
        answer.headers.set("Content-Disposition", "attachment", filename=f"{facts.event.slug}-paper.pdf")
        return answer

    def press(name: str, act: Callable[[Given], Answered], said: Callable[[Answered], str], *, is_done: bool) -> None:
        def pressed() -> flask.typing.ResponseReturnValue:
            given = _given()
            try:
                with turns.taken():
                    answered = act(given)
            except (PlatypusError, OSError) as error:
                log.warning("paper do=%s outcome=failed cause=%s", name, type(error).__name__, exc_info=error)
                note(str(error), refused=True)
                return page(given, trouble=_("Not done: %(cause)s", cause=told(str(error))[:500]), code=503)
            note(said(answered))
            log.info("paper do=%s outcome=ok ticks=%d wrong=%d", name, len(answered.ticked), len(answered.wrong))
            if is_done:
                live.renew()
            return page(given, answered, is_done=is_done)

        app.post(f"/tickets/paper/{name}", endpoint=f"tickets_paper-{name}")(pressed)

    def look(given: Given) -> Answered:
        return paper.look(given, visitor().signature, clock.stamp(), zone)

    def take(given: Given) -> Answered:
        return paper.take(given, visitor().signature, clock.stamp(), zone)

    def looked(answered: Answered) -> str:
        return later("%(count)s ticks of the paper were looked at", count=len(answered.ticked)).source

    press("look", look, looked, is_done=False)
    press("take", take, _taken_said, is_done=True)


def _taken_said(answered: Answered) -> str:
    """The line of the list of changes."""
    return later(
        "the paper was typed in: people by tickets %(came)s, without %(walk_ins)s, not understood %(wrong)s",
        came=answered.came,
        walk_ins=answered.walk_ins.new,
        wrong=len(answered.wrong),
    ).source


def _given() -> Given:
    """What the form holds. What a field of ours cannot hold is none of ours."""
    form = flask.request.form
    count, at, day = form.get("walk_ins", "").strip(), form.get("at", "").strip(), form.get("day", "").strip()
    if count and not (_NUMBER.fullmatch(count) and int(count) <= MOST_WALK_INS):
        flask.abort(400)
    try:
        return Given(
            text=form.get("ticks", "")[:LONGEST],
            walk_ins=int(count or 0),
            at=time.fromisoformat(at) if at else None,
            day=date.fromisoformat(day) if day else None,
            gate=form.get("gate", ""),
            did_get_in=[each for each in form.getlist("did_get_in") if _LINE.fullmatch(each)],
        )
    except ValueError:
        flask.abort(400)
