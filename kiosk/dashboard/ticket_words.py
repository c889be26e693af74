"""The words of the page of the tickets: what a ticket has, what it is worth, and what a list would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from kiosk.dashboard.language import _, day_and_time, ngettext, say_later
from kiosk.dashboard.ticket_office import Held
from kiosk.dashboard.told import told
from kiosk.dashboard.words import Tone
from kiosk.ledger.plan import Changed, Doubt
from kiosk.ledger.records import Found, NewTicket, Ticket
from kiosk.ledger.ticket_book import Show
from kiosk.ticket_lists import Looked
from kiosk.tickets.sheet import WORDS, Sheet
from kiosk.tickets.sources import NAMES
from kiosk.tickets.status import Status

MOST_LINES = 20  # of a kind; the rest is counted

FIELDS: Mapping[str, str] = {
    "code": say_later("Code"),
    "holder": say_later("Name"),
    "first": say_later("First name"),
    "last": say_later("Family name"),
    "email": say_later("E-mail"),
    "product": say_later("Kind of ticket"),
    "status": say_later("Worth"),
    "valid_from": say_later("Good from"),
    "valid_until": say_later("Good until"),
    "guests": say_later("Guests"),
    "order_code": say_later("Order"),
    "note": say_later("Note"),
    "language": say_later("Language"),
}
STATUSES: Mapping[Status, str] = {
    Status.PAID: say_later("good"),
    Status.UNPAID: say_later("not paid"),
    Status.CANCELED: say_later("cancelled"),
    Status.BLOCKED: say_later("blocked"),
    Status.UNAPPROVED: say_later("not approved"),
    Status.REVOKED: say_later("revoked"),
    Status.PRODUCT: say_later("for something else"),
}
SHOWS: Mapping[Show, str] = {
    Show.ALL: say_later("All"),
    Show.AWAITED: say_later("Not here yet"),
    Show.CAME: say_later("Came"),
    Show.REFUSED: say_later("Worth nothing"),
}


class TicketFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket in full."""

    number: int
    who: str
    lines: tuple[tuple[str, str], ...]  # what, and its value
    tone: Tone
    state: str
    is_own: bool
    is_revoked: bool  # by a person's hand
    has_heir: bool
    is_good: bool


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """What taking a list would do."""

    note: str  # what could not be found out about lists of this source
    new: int
    changed: int
    unchanged: int
    gone: int
    new_lines: tuple[str, ...]
    changed_lines: tuple[str, ...]
    gone_lines: tuple[str, ...]
    doubts: tuple[str, ...]
    is_idle: bool  # taking it changes nothing


class UnderstoodView(msgspec.Struct, frozen=True, kw_only=True):
    """How a list is understood, and could be."""

    title: str
    name: str  # of the file
    source: str
    sources: tuple[str, ...]
    is_remembered: bool
    columns: tuple[tuple[str, str, str], ...]  # our word, its name, the heading it is taken from
    headings: tuple[str, ...]
    by_name: bool
    left_out: str


def facts(each: Found, tone: Tone, state: str, zone: ZoneInfo) -> TicketFacts:
    """A ticket; `tone` and `state` as the list of tickets tells them."""
    ticket = each.ticket
    told_fields = ("email", "product", "guests", "order_code", "note", "valid_from", "valid_until", "status")
    lines = [(_(FIELDS[name]), _value(getattr(ticket, name), zone)) for name in told_fields if getattr(ticket, name)]
    if ticket.source and ticket.source in NAMES:
        lines.append((_("From a list of"), ticket.source))
    return TicketFacts(
        number=ticket.number,
        who=ticket.holder or _("No name"),
        lines=tuple(lines),
        tone=tone,
        state=state,
        is_own=ticket.is_own and not ticket.is_walk_in,
        is_revoked=ticket.revoked_from is not None,
        has_heir=ticket.heir is not None,
        is_good=ticket.status is Status.PAID,
    )


def plan(looked: Looked, zone: ZoneInfo) -> PlanView:
    """A list that was looked at, in words; times in `zone`."""
    found = looked.plan
    return PlanView(
        note=told(looked.sheet.source.doubt),
        new=len(found.new),
        changed=len(found.changed),
        unchanged=found.unchanged,
        gone=len(found.gone),
        new_lines=_first(found.new, _named),
        changed_lines=_first(found.changed, lambda each: _changed(each, zone)),
        gone_lines=_first(found.gone, _named),
        doubts=(*_letters(looked.sheet), *(_doubt(doubt, count) for doubt, count in found.doubts.items())),
        is_idle=not found.new and not found.changed and not found.gone,
    )


def understood(held: Held) -> UnderstoodView:
    """How a list at hand is understood."""
    headings = tuple(heading for heading in held.table.headings if heading)
    taken = held.columns
    left_out = [heading for heading in headings if heading not in taken.values()] if taken else []
    size = held.looked.sheet.size if held.looked is not None else 0
    return UnderstoodView(
        title=ngettext("%(num)s ticket in the list", "%(num)s tickets in the list", size) if size else _("A list"),
        name=held.table.name,
        source=held.source.name,
        sources=NAMES,
        is_remembered=held.looked is not None and held.looked.is_remembered,
        columns=tuple((ours, _(FIELDS[ours]), taken.get(ours, "")) for ours in WORDS),
        headings=headings,
        by_name=held.choice.by_name,
        left_out=", ".join(left_out),
    )


def _first(each: Sequence[Any], say: Any) -> tuple[str, ...]:
    lines = [say(one) for one in each[:MOST_LINES]]
    more = len(each) - len(lines)
    return (*lines, _("and %(count)s more", count=more)) if more else tuple(lines)


def _named(ticket: Ticket | NewTicket) -> str:
    number = _("no. %(number)s", number=ticket.number) if ticket.number else ""
    return " · ".join(filter(None, (number, ticket.holder or _("No name"), ticket.product)))


def _changed(each: Changed, zone: ZoneInfo) -> str:
    words = [
        _("%(what)s: %(old)s → %(new)s", what=_(FIELDS[name]), old=_value(old, zone), new=_value(new, zone))
        for name, (old, new) in each.words.items()
    ]
    return f"{_named(each.ticket)} · {', '.join(words)}"


def _value(value: object, zone: ZoneInfo) -> str:
    match value:
        case None | "":
            return "\N{EN DASH}"
        case Status():
            return _(STATUSES[value])
        case datetime():
            return day_and_time(value.astimezone(zone), "d MMM, HH:mm")
        case _:
            return str(value)


def _letters(sheet: Sheet) -> tuple[str, ...]:
    if not sheet.doubtful_letters:
        return ()
    said = _(
        "The file does not say how it writes letters. Is this name right: %(name)s? If not, save the list as "
        "CSV UTF-8, or as XLSX.",
        name=sheet.doubtful_letters,
    )
    return (said,)


def _doubt(doubt: Doubt, count: int) -> str:
    match doubt:
        case Doubt.SAME_PERSON:
            return ngettext(
                "%(num)s ticket has name and e-mail of another one: a group of one person?",
                "%(num)s tickets have name and e-mail of another one: groups of one person?",
                count,
            )
        case Doubt.HAVE_ONE:
            return ngettext(
                "%(num)s new ticket is for somebody who has a good one already, of another list: both would let them "
                "in.",
                "%(num)s new tickets are for people who have a good one already, of another list: both would let them "
                "in.",
                count,
            )
        case Doubt.OTHER_EVENT:
            return ngettext(
                "%(num)s code is that of another event's ticket: is it the right list?",
                "%(num)s codes are those of another event's tickets: is it the right list?",
                count,
            )
        case Doubt.INSIDE:
            return ngettext(
                "%(num)s ticket whose people are inside now would be worth nothing: they could not come back.",
                "%(num)s tickets whose people are inside now would be worth nothing: they could not come back.",
                count,
            )
        case Doubt.MANY_GONE:
            return ngettext(
                "%(num)s ticket of this source, of the few there are, is not in the list: is it the whole list?",
                "%(num)s of this source's tickets, most of them, are not in the list: is it the whole list?",
                count,
            )
        case Doubt.STAYS_REFUSED:
            return ngettext(
                "%(num)s ticket was revoked here, or cancelled and the list does not say what it is worth: "
                "it stays so.",
                "%(num)s tickets were revoked here, or cancelled and the list does not say what they are worth: "
                "they stay so.",
                count,
            )
        case Doubt.NONE_GOOD:
            return _("Not one ticket of the list is worth anything: is the right column taken for “Worth”?")
