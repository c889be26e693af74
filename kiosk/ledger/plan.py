"""What a list would change, before anything is changed: new tickets, other words, tickets that it does not name.

Nothing is lost by a list: a ticket it does not name stays, unless somebody says that it is cancelled; its scans stay
in any case. A plan is made from the tickets as they are, and carried out in the transaction that read them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from kiosk.ledger.records import NewTicket, Ticket
from kiosk.tickets.sheet import fold
from kiosk.tickets.status import Status

_MANY_GONE = 0.5  # of the tickets of a source: more is another list, or a part of one


class Doubt(StrEnum):
    """Why somebody should look twice."""

    SAME_PERSON = "same_person"  # tickets with a name and an e-mail that others have, too
    HAVE_ONE = "have_one"  # new tickets of people who have a good one already, of another list
    OTHER_EVENT = "other_event"  # codes that are tickets of another event
    INSIDE = "inside"  # people who are inside, whose ticket would be worth nothing
    MANY_GONE = "many_gone"  # more than half of the source's tickets are not in the list
    STAYS_REFUSED = "stays_refused"  # revoked here; or cancelled, and the list does not say what they are worth
    NONE_GOOD = "none_good"  # not one ticket of the list is worth anything


class Changed(NamedTuple):
    """A ticket about which the list says something else than the ledger."""

    ticket: Ticket
    after: NewTicket
    words: Mapping[str, tuple[Any, Any]]  # field -> before, after


class Plan(NamedTuple):
    """What a list would do."""

    new: Sequence[NewTicket]  # of number 0: the next free one, when it is written
    changed: Sequence[Changed]
    unchanged: int
    gone: Sequence[Ticket]  # of the same source, worth something, and not in the list
    doubts: Mapping[Doubt, int]  # and how many tickets each is about


def numbered(
    there: Sequence[Ticket], people: Sequence[NewTicket], digest_of: Callable[[int], bytes]
) -> Sequence[NewTicket]:
    """Tickets of our own for people: theirs when they have one, else the next free number.

    People are told apart by name and e-mail, whatever their case and accents, or by name alone where the list has no
    e-mails; the second Jean Dupont of a list is the second of `there`, too. Who has a good ticket keeps that one.
    """
    has_emails = any(person.email for person in people)

    def key(each: Ticket | NewTicket) -> tuple[str, str]:
        name, email = _person(each)
        return name, email if has_emails else ""

    unclaimed: dict[tuple[str, str], list[int]] = {}
    for ticket in sorted(there, key=lambda each: each.status is not Status.PAID):
        if ticket.is_own and not ticket.is_walk_in:
            unclaimed.setdefault(key(ticket), []).append(ticket.number)
    free = free_number(there)
    found = []
    for person in people:
        mine = unclaimed.get(key(person))
        if mine:
            number = mine.pop(0)
        else:
            number, free = free, free + 1
        found.append(person._replace(number=number, code_sha256=digest_of(number)))
    return found


def plan(
    there: Iterable[Ticket],
    wanted: Sequence[NewTicket],
    fields: Collection[str] | None,
    *,
    inside: Collection[int] = (),
    elsewhere: Collection[bytes] = (),
    synced: Collection[int] = (),
) -> Plan:
    """Compare a list with the tickets that are there, by their codes.

    `fields` (of NewTicket; None: all) is what the list speaks of: one without a column says nothing about it. `inside`
    are the ids of tickets whose people are inside now, `elsewhere` the digests of codes of other events, `synced` the
    ids of tickets that a device of pretix keeps fresh: no list makes them gone.
    """
    new = {ticket.code_sha256: ticket for ticket in wanted}  # whatever is found among `there` leaves it
    sources: set[str | None] = {ticket.source for ticket in wanted}
    is_own = {ticket.is_own for ticket in wanted}
    changed, doubts, ours, gone = [], Counter[Doubt](), Counter[str | None](), []
    have_one = set()  # people with a good ticket that is another list's
    for before in there:
        said = new.pop(before.code_sha256, None)
        is_ours = not before.is_walk_in and before.is_own in is_own and before.id not in synced
        ours[before.source] += is_ours
        if said is None:
            if before.status is not Status.PAID:
                continue
            if is_ours:
                gone.append(before)
            if before.email and not (is_ours and before.source in sources):
                have_one.add(_person(before))
            continue
        if before.source is None:  # of before sources were noted: such are this one's when the list names one of them
            sources.add(None)
        after = _after(before, said, fields)
        words = {
            name: (getattr(before, name), value)
            for name, value in after._asdict().items()
            if getattr(before, name) != value
        }
        is_good = said.status is Status.PAID  # so says the list, or it says nothing
        doubts[Doubt.STAYS_REFUSED] += is_good and after.status is not Status.PAID
        if words:
            changed.append(Changed(before, after, words))
            doubts[Doubt.INSIDE] += before.id in inside and after.status is not Status.PAID
    gone = [ticket for ticket in gone if ticket.source in sources]
    of_list = sum(ours[source] for source in sources)
    doubts[Doubt.MANY_GONE] = len(gone) if len(gone) > _MANY_GONE * of_list else 0
    doubts[Doubt.OTHER_EVENT] = sum(code in elsewhere for code in new)
    if have_one:
        good = (ticket for ticket in new.values() if ticket.status is Status.PAID)
        doubts[Doubt.HAVE_ONE] = sum(_person(ticket) in have_one for ticket in good)
    doubts[Doubt.SAME_PERSON] = _of_one_person(wanted)
    if wanted and not any(ticket.status is Status.PAID for ticket in wanted):
        doubts[Doubt.NONE_GOOD] = len(wanted)
    return Plan(
        list(new.values()),
        changed,
        len(wanted) - len(new) - len(changed),
        gone,
        {doubt: count for doubt, count in doubts.items() if count},
    )


def _after(before: Ticket, said: NewTicket, fields: Collection[str] | None) -> NewTicket:
    values = {
        name: value if fields is None or name in fields else getattr(before, name)
        for name, value in said._asdict().items()
    }
    values |= {"number": before.number, "is_own": before.is_own, "source": before.source}
    if before.revoked_from is not None:  # by a person's hand, which also gives it back
        values["status"] = Status.REVOKED
    return NewTicket(**values)


def _person(each: Ticket | NewTicket) -> tuple[str, str]:
    """By which two tickets are one person's: name and e-mail, whatever their case and accents."""
    return fold(each.holder or ""), (each.email or "").casefold()


def free_number(there: Iterable[Ticket | NewTicket]) -> int:
    """The first number after all of them."""
    return max((ticket.number for ticket in there), default=0) + 1


def _of_one_person(wanted: Sequence[NewTicket]) -> int:
    """How many tickets have a name and an e-mail that an earlier one of the list has."""
    people = Counter((ticket.holder, ticket.email) for ticket in wanted if ticket.holder and ticket.email)
    return sum(count - 1 for count in people.values())
