"""The paper list in words: what stands on it, and what is said of each tick that comes back."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from kiosk.dashboard import words
from kiosk.dashboard.language import _, day_and_time, ngettext, pgettext, say_later
from kiosk.dashboard.ports import DESK_GATE, PHONE_GATE, PROGRAM_GATE
from kiosk.dashboard.report_view import gate
from kiosk.dashboard.ticket_words import STATUSES
from kiosk.dashboard.words import Tone
from kiosk.ledger import Found
from kiosk.ledger.paper import Fate, Ticked
from kiosk.ledger.records import PAPER
from kiosk.paper_list import Answered, Listed, PaperFacts, Why, Wrong
from kiosk.tickets.paper_sheet import PaperLine, PaperSheet
from kiosk.tickets.status import Status

_WHY: Mapping[Why, str] = {
    Why.NO_NUMBER: say_later("“%(word)s” is no number of the paper, no time like 19:05 and no x2 for two people."),
    Why.NO_TIME: say_later("“%(word)s” is no time of day."),
    Why.NOTHING_BEFORE: say_later("“%(word)s” stands behind no number that was taken."),
    Why.TWICE: say_later("%(word)s stands there twice; it counts once."),
    Why.TOO_MANY: say_later("%(word)s is one number too many: take these first, then the rest."),
    Why.WRONG_CHECK: say_later("%(word)s is mistyped: its last digit does not fit. Look at the paper again."),
    Why.OTHER_EVENT: say_later("%(word)s is of the paper of another event, %(other)s, or mistyped."),
    Why.NO_LINE: say_later("%(word)s stands on no paper of this event: there is no such ticket."),
    Why.NOT_YET: say_later("%(word)s: that time has not come yet. Is it of another day?"),
    Why.TOO_MANY_PEOPLE: say_later(
        "%(word)s: the ticket has only %(other)s. Take those, and count the others as walk-ins."
    ),
}


class TickLine(msgspec.Struct, frozen=True, kw_only=True):
    """A tick, for whoever compares it with the paper."""

    line: str  # its number, as it stands on the paper
    who: str
    tone: Tone
    state: str
    can_get_in: bool  # somebody may say that they did


def sheet(facts: PaperFacts, zone: ZoneInfo) -> PaperSheet:
    """The paper in the language of the moment; times in `zone`."""
    event, printed = facts.event, facts.printed_at
    persons = sum(each.found.ticket.persons for each in facts.lines if each.found.ticket.status is Status.PAID)
    about = [
        ngettext("%(num)s seat", "%(num)s seats", event.capacity),
        ngettext("%(num)s ticket", "%(num)s tickets", len(facts.lines)),
    ]
    if event.starts_at is not None:
        about.insert(0, day_and_time(event.starts_at.astimezone(zone), "EEEE d MMMM y, HH:mm"))
    made = [
        _("printed on %(date)s", date=day_and_time(printed.wall.astimezone(zone), "d MMMM, HH:mm")),
        *(() if printed.is_known else (_("clock not sure"),)),
        _("good tickets for %(people)s", people=words.people(persons)),
    ]
    return PaperSheet(
        event=event.name,
        about=" · ".join(about),
        made=" · ".join(made),
        heads=(
            pgettext("ticket", "Number"),
            _("Name"),
            _("Kind of ticket"),
            pgettext("ticket", "People"),
            pgettext("ticket", "State"),
            _("Time"),
        ),
        page=_("page {page} of {pages}"),
        foot=_("Tick who comes in, and write the time. Type the numbers back in, then shred this paper: it has names."),
        walk_ins=_("Walk-ins and guests without a ticket: a line for each person"),
        lines=tuple(_line(each, zone) for each in facts.lines),
    )


def _line(each: Listed, zone: ZoneInfo) -> PaperLine:
    ticket, inside = each.found.ticket, each.found.inside
    return PaperLine(
        number=each.number,
        name=each.name or (_("Walk-in") if ticket.is_walk_in else _("No name")),
        kind=words.product(ticket.product),
        persons=f"\N{MULTIPLICATION SIGN}{ticket.persons}" if ticket.persons > 1 else "",
        state=_state(each, zone),
        letter=each.letter,
        is_struck=ticket.status not in {Status.PAID, Status.UNPAID},
        is_in=inside >= ticket.persons,
    )


def _state(each: Listed, zone: ZoneInfo) -> str:
    ticket, inside = each.found.ticket, each.found.inside
    at = words.hour(each.found.last_at, zone) if each.found.last_at else ""
    if inside >= ticket.persons:
        return _("in since %(time)s", time=at)
    if inside:
        return _("%(inside)s of %(persons)s are in", inside=inside, persons=ticket.persons)
    if each.heir:
        return _("now %(number)s", number=each.heir)
    if ticket.status is not Status.PAID:
        return _(STATUSES[ticket.status])
    return _("left at %(time)s", time=at) if at else ""


def tick_line(each: Ticked, line: str, zone: ZoneInfo, *, is_done: bool) -> TickLine:
    """What becomes of a tick, or became of it; `line` is its number on the paper."""
    found = each.found
    if found is None:  # told as a wrong number
        return TickLine(line=line, who="", tone="no", state="", can_get_in=False)
    tone, state = _fate(each, found, zone, is_done=is_done)
    ticket = found.ticket
    return TickLine(
        line=line,
        who=ticket.holder or (_("Walk-in") if ticket.is_walk_in else _("No name")),
        tone=tone,
        state=state,
        can_get_in=each.reason is not None and each.fate is not Fate.TYPED_BEFORE,
    )


def _fate(each: Ticked, found: Found, zone: ZoneInfo, *, is_done: bool) -> tuple[Tone, str]:
    last = words.hour(found.last_at, zone) if found.last_at else ""
    why = words.answer(each.reason, is_admitted=False).short.lower() if each.reason is not None else ""
    match each.fate:
        case Fate.TYPED_BEFORE:
            return "calm", _("Typed before: nothing changes")
        case Fate.ALREADY_IN if found.inside:
            return "calm", _("Already in since %(time)s (%(gate)s): nothing changes", time=last, gate=_where(each.gate))
        case Fate.ALREADY_IN:
            return "calm", _("Was counted in, and left at %(time)s: nothing changes", time=last)
        case Fate.REFUSED:
            return "warn", _("Not taken: %(why)s", why=why)
        case Fate.CAME_AND_LEFT:
            said = _("Came, and left at %(time)s", time=last)
        case _ if each.tick.at is not None:
            at = words.hour(each.tick.at, zone)
            said = _("Came in at %(time)s", time=at) if is_done else _("Comes in, at %(time)s", time=at)
        case _:
            said = _("Came in, at an unknown time") if is_done else _("Comes in, time unknown")
    if each.persons > 1:
        said = f"{said} · {words.people(each.persons)}"
    if why:
        return "warn", _("%(said)s, though %(why)s: noted as against the rules", said=said, why=why)
    return "yes", said


def _where(name: str) -> str:
    """A gate; whose phone or program it was is nobody's business here."""
    kind = name.partition(" ")[0]
    return gate(kind) if kind in {PHONE_GATE, PROGRAM_GATE, DESK_GATE, PAPER} else name


def wrong_line(each: Wrong) -> str:
    """What is wrong with a word."""
    other = words.people(int(each.other)) if each.why is Why.TOO_MANY_PEOPLE else each.other
    return _(_WHY[each.why], word=each.word, other=other)


def walk_ins(told: Answered, *, is_done: bool) -> str:
    """What becomes of the walk-ins; "" when the paper has none."""
    each = told.walk_ins
    if not each.on_paper:
        return ""
    if not each.new:
        return _("Walk-ins: %(count)s were counted before, nothing changes", count=each.counted_before)
    said = (
        ngettext("%(num)s walk-in is counted", "%(num)s walk-ins are counted", each.new)
        if is_done
        else ngettext("%(num)s walk-in comes in", "%(num)s walk-ins come in", each.new)
    )
    if each.counted_before:
        return _("%(said)s; %(count)s were counted before", said=said, count=each.counted_before)
    return said


def room(told: Answered) -> tuple[Tone, str]:
    """Who is inside then: nobody of the paper is refused for it."""
    inside, capacity = told.room
    if inside > capacity:
        said = _(
            "%(inside)s inside: %(more)s more than the %(capacity)s seats",
            inside=inside,
            capacity=capacity,
            more=inside - capacity,
        )
        return "warn", said
    return "calm", _("%(inside)s of %(capacity)s inside.", inside=inside, capacity=capacity)
