"""Tickets a page at a time, and one changed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.clock import ManualClock
from kiosk.ledger import Event, Hand, NewTicket, Presentation, UnknownTicket
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.ticket_book import CannotChange, Show, TicketBook
from kiosk.tickets.codes import digest
from kiosk.tickets.status import Status


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def event(ledger: Ledger) -> Event:
    made = ledger.create_event("evening", "An evening", 50)
    people = [("Ada", Status.PAID), ("Émile", Status.PAID), ("Grace", Status.CANCELED), ("Zoë", Status.PAID)]
    wanted = [NewTicket(0, digest_of(n), True, name, status=status) for n, (name, status) in enumerate(people, 1)]
    ledger.put_tickets(made, wanted)
    return made


@pytest.fixture
def book(ledger: Ledger, event: Event) -> TicketBook:
    return TicketBook(ledger, event)


def digest_of(number: int) -> bytes:
    return digest(f"code {number}".encode())


def hand(nonce: str) -> Hand:
    return Hand("Zoë", nonce, "desk", ManualClock().stamp())


def shown(number: int, nonce: str) -> Presentation:
    return Presentation(f"code {number}".encode(), nonce, "main", "camera", ManualClock().stamp())


def names(book: TicketBook, show: Show, text: str = "", start: int = 0, most: int = 10) -> list[str | None]:
    return [each.ticket.holder for each in book.leaf(text, show, start=start, most=most).found]


def test_tickets_are_shown_by_what_became_of_them(book: TicketBook, ledger: Ledger, event: Event) -> None:
    ledger.admit(event, shown(1, "a"))
    back = ledger.admit(event, shown(2, "b"))
    ledger.undo(event, back.scan_id, hand("c"))
    assert names(book, Show.ALL) == ["Ada", "Émile", "Grace", "Zoë"]
    assert names(book, Show.CAME) == ["Ada"]
    assert names(book, Show.AWAITED) == ["Émile", "Zoë"]
    assert names(book, Show.REFUSED) == ["Grace"]
    assert names(book, Show.ALL, "emile") == ["Émile"]


def test_a_leaf_says_how_many_there_are(book: TicketBook) -> None:
    leaf = book.leaf("", Show.ALL, start=1, most=2)
    assert [each.ticket.number for each in leaf.found] == [2, 3] and leaf.total == 4
    assert book.leaf("", Show.ALL, start=9, most=2) == ([], 4)


def test_a_revoked_ticket_is_refused_and_a_later_list_does_not_bring_it_back(
    book: TicketBook, ledger: Ledger, event: Event
) -> None:
    assert book.revoke(1).status is Status.REVOKED
    assert ledger.admit(event, shown(1, "a")).reason == "revoked"
    assert ledger.put_tickets(event, [NewTicket(0, digest_of(1), True, "Ada")]).unchanged == 1
    assert ledger.admit(event, shown(1, "b")).reason == "revoked"
    with pytest.raises(CannotChange, match="revoked already"):
        book.revoke(1)
    assert book.give_back(1).status is Status.PAID
    assert ledger.admit(event, shown(1, "c")).is_admitted
    with pytest.raises(CannotChange, match="nothing to give back"):
        book.give_back(1)


def test_a_replaced_ticket_is_worth_nothing_and_its_heir_has_another_code(
    book: TicketBook, ledger: Ledger, event: Event
) -> None:
    heir = book.replace(1, digest_of)
    assert (heir.number, heir.holder, heir.status) == (5, "Ada", Status.PAID)
    assert ledger.admit(event, shown(1, "a")).reason == "revoked"
    assert ledger.admit(event, shown(5, "b")).is_admitted
    assert names(book, Show.ALL, "ada") == ["Ada", "Ada"]


def test_what_is_given_back_is_what_it_was(book: TicketBook, ledger: Ledger, event: Event) -> None:
    book.revoke(3)
    assert book.give_back(3).status is Status.CANCELED
    book.replace(1, digest_of)
    with pytest.raises(CannotChange, match="has an heir, no. 5"):
        book.give_back(1)


def test_what_was_said_of_one_person_is_not_passed_on(ledger: Ledger, event: Event) -> None:
    person = NewTicket(0, digest(b"E"), True, "Own", "own@example.org", note="vegan", order_code="A1")
    ledger.put_tickets(event, [person])
    book = TicketBook(ledger, event)
    heir = book.replace(5, digest_of, holder="Ned")
    assert (heir.holder, heir.email, heir.note, heir.order_code) == ("Ned", None, None, None)
    assert book.replace(2, digest_of, email="emile@example.org").email == "emile@example.org"


def test_a_ticket_is_passed_on_to_somebody_else(book: TicketBook) -> None:
    heir = book.replace(2, digest_of, holder="Noor", email="noor@example.org")
    assert (heir.holder, heir.email) == ("Noor", "noor@example.org")
    assert names(book, Show.AWAITED, "noor@example.org") == ["Noor"]


def test_what_cannot_be_replaced_is_refused_and_stays_as_it_is(book: TicketBook, ledger: Ledger, event: Event) -> None:
    ledger.put_tickets(event, [NewTicket(0, digest(b"theirs"), is_own=False, holder="Bob")])
    ledger.admit(event, shown(1, "a"))
    for number, says in ((5, "not one of ours"), (1, "somebody is inside"), (3, "is canceled")):
        with pytest.raises(CannotChange, match=says):
            book.replace(number, digest_of)
    with pytest.raises(UnknownTicket, match="no ticket no. 99 in evening"):
        book.revoke(99)
    assert [ticket.status for ticket in ledger.tickets(event)] == ["paid", "paid", "canceled", "paid", "paid"]
