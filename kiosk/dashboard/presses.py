"""What each button of the volunteer's page does: from the fields of its form to the words that answer it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import flask

from kiosk.dashboard import desk_words, words
from kiosk.dashboard.desk_words import Insist, Said
from kiosk.dashboard.gatekeeper import visitor
from kiosk.dashboard.language import _, ngettext
from kiosk.dashboard.ports import FrontDesk, Press

MOST_PERSONS = 20  # without a ticket, in one press; a larger group is two presses
MOST_ON_A_TICKET = 999
LONGEST_TEXT = 80  # characters of a name or of a search
_CENTURY_END_MS = 4_102_444_800_000  # 2100-01-01
_NONCE = re.compile(r"[0-9a-f]{32}")


class Presses:
    """The buttons. Each reads the request's form, acts once a nonce, and returns what to say.

    They abort with 400 on a form that is not ours, and raise what the front desk raises.
    """

    def __init__(self, desk: FrontDesk, zone: ZoneInfo) -> None:
        self._desk = desk
        self._zone = zone

    def by_path(self) -> dict[str, Callable[[], Said]]:
        """Each button by the last part of its address."""
        return {
            "check-in": self.check_in,
            "check-out": self.check_out,
            "walk-in": self.walk_in,
            "wait": self.wait,
            "admit-waiting": self.admit_waiting,
            "stop-waiting": self.stop_waiting,
            "correct": self.correct,
            "undo": self.undo,
            "release": self.release,
            "set-clock": self.set_clock,
        }

    def check_in(self) -> Said:
        ticket, persons = number("ticket"), persons_or(0, MOST_ON_A_TICKET) or None
        who, is_override = name() or _("This ticket"), override()
        decision = self._desk.check_in(ticket, press_of(), persons=persons, override=is_override)
        if decision.is_admitted:
            return desk_words.came_in(decision)
        if decision.ticket is not None and decision.ticket.holder:
            who = decision.ticket.holder
        fields = {"ticket": str(ticket), **({"persons": str(persons)} if persons else {})}
        return desk_words.refused(decision, who, None if is_override else Insist(action="check-in", fields=fields))

    def check_out(self) -> Said:
        return desk_words.went_out(self._desk.check_out(number("ticket"), press_of()))

    def walk_in(self) -> Said:
        guest, persons, is_override = name(), persons_or(1), override()
        decision = self._desk.walk_in(press_of(), name=guest, persons=persons, override=is_override)
        if decision.is_admitted:
            return desk_words.came_in(decision)
        fields = {"persons": str(persons), **({"name": guest} if guest else {})}
        insist = None if is_override else Insist(action="walk-in", fields=fields, may_wait=True)
        return desk_words.refused(decision, guest or _("Walk-in"), insist, desk_words.NO_FREE_SEAT)

    def wait(self) -> Said:
        guest, persons, press = name(), persons_or(1), press_of()
        if guest is None:
            return Said(tone="warn", title=_("Who shall be called?"), detail=_("Write a name, then press again."))
        self._desk.wait(guest, persons, press)
        title = _("%(who)s is on the waiting list", who=guest)
        return Said(tone="calm", title=title, detail=_("They are let in below, in its order."))

    def admit_waiting(self) -> Said:
        waiting, who, is_override = number("waiting"), name() or _("This guest"), override()
        decision = self._desk.admit_waiting(waiting, press_of(), override=is_override)
        if decision.is_admitted:
            return desk_words.came_in(decision)
        if is_override:
            return desk_words.refused(decision, who, None)
        return desk_words.not_their_turn(
            who, Insist(action="admit-waiting", fields={"waiting": str(waiting), "name": who})
        )

    def stop_waiting(self) -> Said:
        self._desk.stop_waiting(number("waiting"), press_of())
        said = _("A mistake? Undo it below, and they have their place again.")
        title = _("%(who)s is off the waiting list", who=name() or _("This guest"))
        return Said(tone="calm", title=title, detail=said)

    def correct(self) -> Said:
        delta = {"1": 1, "-1": -1}.get(flask.request.form.get("delta", ""))
        if delta is None:
            flask.abort(400)
        inside = self._desk.correct(delta, press_of())
        done = _("One more is counted") if delta > 0 else _("One fewer is counted")
        return Said(tone="calm", title=done, detail=" ".join((_inside(inside), _("A mistake? Undo it below."))))

    def undo(self) -> Said:
        inside = self._desk.undo(number("scan"), press_of())
        return Said(tone="calm", title=_("Undone: %(who)s", who=name() or _("that row")), detail=_inside(inside))

    def release(self) -> Said:
        seats = self._desk.release_no_shows(press_of())
        free = ngettext("%(num)s free for walk-ins.", "%(num)s free for walk-ins.", seats.free)
        return Said(tone="yes", title=_("Nobody's seat is kept any more"), detail=free)

    def set_clock(self) -> Said:
        wall = moment("now_ms")
        self._desk.set_clock(wall, press_of())
        said = _("Tickets with hours are checked again, and the times of earlier rows are put right.")
        title = _("The clock is set: %(time)s", time=words.hour(wall, self._zone))
        return Said(tone="yes", title=title, detail=said)


def _inside(count: int) -> str:
    return ngettext("%(num)s inside now.", "%(num)s inside now.", count)


def press_of() -> Press:
    """The press that this request is. Aborts with 400 when it has no nonce of ours."""
    nonce = flask.request.form.get("nonce", "")
    if not _NONCE.fullmatch(nonce):
        flask.abort(400)
    return Press(visitor().signature, nonce)


def number(field: str) -> int:
    """A field of the form that holds an id. Aborts with 400 when it does not."""
    text = flask.request.form.get(field, "")
    if not re.fullmatch(r"[0-9]{1,12}", text):
        flask.abort(400)
    return int(text)


def moment(field: str) -> datetime:
    """A field of the form that holds milliseconds since 1970, as JavaScript counts. Aborts with 400 on anything else
    than a time of this century.
    """
    text = flask.request.form.get(field, "")
    if not re.fullmatch(r"[0-9]{12,13}", text) or int(text) >= _CENTURY_END_MS:
        flask.abort(400)
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(text))


def persons_or(default: int, most: int = MOST_PERSONS) -> int:
    """How many people, `default` when the form does not say. Aborts with 400 when it is no number up to `most`."""
    text = flask.request.form.get("persons", "")
    if not text:
        return default
    if not (re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= most):
        flask.abort(400)
    return int(text)


def name() -> str | None:
    """The name in the form, None when there is none."""
    return one_line(flask.request.form.get("name", ""))


def one_line(text: str) -> str | None:
    """A name as it is kept: one line, no control characters, None when nothing is left."""
    text = " ".join(text.split())
    return "".join(c for c in text if c.isprintable())[:LONGEST_TEXT].strip() or None


def override() -> bool:
    """Whether this is the second press, against the rules."""
    return flask.request.form.get("override") == "yes"
