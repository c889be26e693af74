"""Lists of other systems, looked at first and then taken, by the real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.clock import ManualClock
from kiosk.ledger import Event, Hand, NewTicket
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.plan import Doubt
from kiosk.ledger.ticket_book import TicketBook
from kiosk.ticket_lists import TicketLists
from kiosk.tickets import codes
from kiosk.tickets.columns_file import Choice, ColumnsFile
from kiosk.tickets.sheet import TicketFileError
from kiosk.tickets.status import Status
from kiosk.tickets.table import Table, parse_table

BILLETWEB = "id;Codes-barres;Nom;Prénom;Email;Tarif;Payé\n"
SECRET = codes.new_secret()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def event(ledger: Ledger) -> Event:
    return ledger.create_event("evening", "An evening", 50)


@pytest.fixture
def lists(ledger: Ledger, event: Event, tmp_path: Path) -> TicketLists:
    return TicketLists(ledger, event, lambda: SECRET, ColumnsFile(tmp_path / "columns.json"))


def table(text: str) -> Table:
    return parse_table("list.csv", text.encode())


def sold(*rows: str) -> Table:
    return table(BILLETWEB + "".join(f"{row}\n" for row in rows))


ADA = "1;491212345678;Lovelace;Ada;ada@example.org;Plein;Oui"
BOB = "2;7654321;Baudot;Émile;emile@example.org;Plein;Oui"


def check_in(ledger: Ledger, event: Event, ticket_id: int) -> None:
    assert ledger.check_in(event, ticket_id, Hand("Zoë", "n", "desk", ManualClock().stamp())).is_admitted


def test_looking_writes_nothing_and_tells_what_taking_does(lists: TicketLists, ledger: Ledger, event: Event) -> None:
    looked = lists.look(sold(ADA, BOB))
    assert (looked.sheet.source.name, len(looked.plan.new), looked.plan.changed) == ("billetweb", 2, [])
    assert ledger.tickets(event) == []
    assert tuple(lists.take(sold(ADA, BOB)).done)[:4] == (2, 0, 0, 0)
    again = lists.look(sold(ADA, BOB)).plan
    assert (again.new, again.changed, again.unchanged, again.gone) == ([], [], 2, [])
    assert tuple(lists.take(sold(ADA, BOB)).done)[:4] == (0, 0, 2, 0)


def test_the_seven_digits_of_billetwebs_qr_are_the_code_also_when_the_list_has_twelve(
    lists: TicketLists, ledger: Ledger, event: Event
) -> None:
    lists.take(sold(ADA, BOB))
    known = {ticket.code_sha256: ticket.holder for ticket in ledger.tickets(event)}
    assert known == {codes.digest(b"1234567"): "Ada Lovelace", codes.digest(b"7654321"): "Émile Baudot"}


def test_what_changed_is_told_word_by_word_and_a_scan_outlives_it(
    lists: TicketLists, ledger: Ledger, event: Event
) -> None:
    lists.take(sold(ADA, BOB))
    check_in(ledger, event, ledger.tickets(event)[0].id)
    refunded = sold(ADA.replace("Oui", "Remboursé"), BOB.replace("Plein", "Réduit"))
    plan = lists.look(refunded).plan
    assert [each.words for each in plan.changed] == [
        {"status": (Status.PAID, Status.CANCELED)},
        {"product": ("Plein", "Réduit")},
    ]
    assert plan.doubts == {Doubt.INSIDE: 1}
    assert lists.take(refunded).done.changed == 2
    assert ledger.head_count(event).admitted == 1 and ledger.occupancy(event).inside == 1


def test_what_the_list_does_not_name_stays_unless_somebody_says_otherwise(
    lists: TicketLists, ledger: Ledger, event: Event
) -> None:
    lists.take(sold(ADA, BOB))
    assert [ticket.holder for ticket in lists.look(sold(ADA)).plan.gone] == ["Émile Baudot"]
    lists.take(sold(ADA))
    assert [ticket.status for ticket in ledger.tickets(event)] == ["paid", "paid"]
    assert lists.take(sold(ADA), cancels=True).done.cancelled == 1
    assert [ticket.status for ticket in ledger.tickets(event)] == ["paid", "canceled"]
    assert lists.look(sold(ADA)).plan.gone == []


def test_the_tickets_of_another_system_are_not_gone(lists: TicketLists, ledger: Ledger, event: Event) -> None:
    lists.take(sold(ADA, BOB))
    other = table("First Name,Last Name,Public ID,Short ID\nGrace,Hopper,A-1234567,a_1\n")
    assert lists.look(other).sheet.source.name == "hi.events"
    assert lists.look(other).plan.gone == []
    lists.take(other, cancels=True)
    assert [ticket.status for ticket in ledger.tickets(event)] == ["paid"] * 3
    assert [ticket.source for ticket in ledger.tickets(event)] == ["billetweb", "billetweb", "hi.events"]


def test_tickets_of_nobody_knows_whose_list_are_gone_only_from_a_list_that_names_one_of_them(
    lists: TicketLists, ledger: Ledger, event: Event
) -> None:
    for code in (b"1234567", b"7654321"):
        ledger.put_tickets(event, [NewTicket(0, codes.digest(code), is_own=False, holder=code.decode())])
    assert lists.look(sold("9;9999999;Hopper;Grace;;Plein;Oui")).plan.gone == []
    assert [ticket.holder for ticket in lists.look(sold(ADA)).plan.gone] == ["7654321"]


def test_two_lists_of_nobody_in_particular_are_two(lists: TicketLists, ledger: Ledger, event: Event) -> None:
    lists.take(table("Bracelet,Code\nx,W1\n"))
    lists.take(table("Name,Code\nAda,K1\nBob,K2\n"))
    assert lists.take(table("Name,Code\nAda,K1\n"), cancels=True).done.cancelled == 1
    assert [ticket.status for ticket in ledger.tickets(event)] == ["paid", "paid", "canceled"]


def test_a_list_of_one_system_does_not_adopt_the_guests_of_another(
    lists: TicketLists, ledger: Ledger, event: Event
) -> None:
    lists.take(table("Name,User ID,RSVP,Guests,RSVPed on\nMia,1,Yes,0,x\nNed,2,Yes,0,x\n"))
    by_name = Choice(by_name=True)
    assert lists.take(table("Name,Code\nMia,\n"), by_name, cancels=True).done.cancelled == 0
    assert [ticket.status for ticket in ledger.tickets(event)] == ["paid", "paid"]


def test_only_what_was_shown_as_gone_is_cancelled(lists: TicketLists, ledger: Ledger, event: Event) -> None:
    lists.take(sold(ADA, BOB))
    shown = {ticket.id for ticket in lists.look(sold(ADA)).plan.gone}
    lists.take(sold(ADA, BOB, "3;7654322;Hopper;Grace;;Plein;Oui"))  # by somebody else, meanwhile
    assert lists.take(sold(ADA), cancels=shown).done.cancelled == 1
    assert [ticket.status for ticket in ledger.tickets(event)] == ["paid", "canceled", "paid"]


def test_who_was_given_another_ticket_keeps_that_one(lists: TicketLists, ledger: Ledger, event: Event) -> None:
    people, by_name = table("Name,E-mail\nAda,ada@example.org\nBob,\n"), Choice(by_name=True)
    lists.take(people, by_name)
    TicketBook(ledger, event).replace(
        1, lambda number: codes.digest(codes.own_code(SECRET, "evening", number).encode())
    )
    taken = lists.take(people, by_name, cancels=True)
    assert [ticket.number for ticket in taken.tickets] == [3, 2] and taken.done.cancelled == 0
    assert [ticket.status for ticket in ledger.tickets(event)] == ["revoked", "paid", "paid"]


@pytest.mark.parametrize(
    "later",
    [
        "Name,E-mail\nE\u0301MILE,EMILE@example.org\n",
        "Name\nÉmile\n",
    ],
    ids=["accents and case", "no e-mails"],
)
def test_a_person_is_known_again(lists: TicketLists, ledger: Ledger, event: Event, later: str) -> None:
    lists.take(table("Name,E-mail\nÉmile,emile@example.org\n"), Choice(by_name=True))
    assert lists.look(table(later), Choice(by_name=True)).plan.new == []


def test_a_ticket_revoked_by_its_own_system_is_given_back_by_it(
    lists: TicketLists, ledger: Ledger, event: Event
) -> None:
    lists.take(table("Name,Code,Status\nAda,A1,revoked\n"))
    lists.take(table("Name,Code,Status\nAda,A1,paid\n"))
    assert [ticket.status for ticket in ledger.tickets(event)] == ["paid"]


def test_doubts_are_told_of_a_list_that_was_taken_too(lists: TicketLists) -> None:
    lists.take(sold(ADA, BOB, "3;7654322;Hopper;Grace;;Plein;Oui"))
    assert lists.take(sold(ADA)).done.doubts == {"many_gone": 2}


def test_a_chosen_heading_is_known_whatever_its_case(lists: TicketLists) -> None:
    choice = Choice(columns={"code": "Bracelet"})
    lists.remember(table("Name,Bracelet\nAda,W1\n"), choice)
    assert len(lists.look(table("NAME,BRACELET\nAda,W1\n")).plan.new) == 1


def test_a_choice_that_cannot_be_remembered_loses_nothing(
    ledger: Ledger, event: Event, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    lists = TicketLists(ledger, event, lambda: SECRET, ColumnsFile(tmp_path / "file" / "columns.json"))
    lists.remember(table("Name,Code\nAda,A1\n"), Choice(source="pretix"))
    assert "not-remembered" in caplog.text


def test_guests_of_meetup_come_by_name_with_their_plus_ones(lists: TicketLists, ledger: Ledger, event: Event) -> None:
    rows = "Name,User ID,RSVP,Guests,RSVPed on\nAda,1,Yes,2,x\nBob,2,No,0,x\nCy,3,Waitlist,0,x\n"
    looked = lists.look(table(rows))
    assert (looked.sheet.source.name, len(looked.plan.new)) == ("meetup", 3)
    lists.take(table(rows))
    assert tuple(lists.take(table(rows)).done)[:4] == (0, 0, 3, 0)
    found = [(ticket.holder, ticket.persons, ticket.status) for ticket in ledger.tickets(event)]
    assert found == [("Ada", 3, "paid"), ("Bob", 1, "canceled"), ("Cy", 1, "unapproved")]
    assert ledger.tickets(event)[0].code_sha256 == codes.digest(codes.own_code(SECRET, "evening", 1).encode())


@pytest.mark.parametrize(
    ("text", "source", "code"),
    [
        ("Order code,Attendee name,Product,Paid,Secret\nX,Ada,Seat,Yes,k5\n", "pretix", "k5"),
        ("Code de commande,Nom du participant,Produit,Payé,Secret\nX,Ada,Place,Oui,k5\n", "pretix", "k5"),
        ("Numéro de billet,Nom participant,Prénom participant,Tarif\n77,Lovelace,Ada,Plein\n", "helloasso", "77"),
        ("Order #,First Name,Last Name,Attendee #,Barcode\n9,Ada,Lovelace,1,990001\n", "eventbrite", "990001"),
        ("Id participant,Nom,Prénom,Code-barres\n5,Lovelace,Ada,7448370\n", "weezevent", "7448370"),
        ("Code-barres,Nom\n987674483700,Ada\n", "billetweb", "7448370"),
        ("Codes-barres,Nom\n7448370,Ada\n", "billetweb", "7448370"),
        ("Name,Code\nAda,A1\n", "list", "A1"),
    ],
)
def test_lists_are_known_by_their_headings(
    lists: TicketLists, ledger: Ledger, event: Event, text: str, source: str, code: str
) -> None:
    assert lists.take(table(text)).sheet.source.name == source
    (ticket,) = ledger.tickets(event)
    assert ticket.code_sha256 == codes.digest(code.encode())
    assert ticket.source is not None and ticket.source.partition(" ")[0] == source
    assert ticket.holder in {"Ada", "Ada Lovelace"}


def test_an_attendee_list_without_bar_codes_is_taken_by_name(lists: TicketLists, ledger: Ledger, event: Event) -> None:
    lists.take(table("Order #,First Name,Last Name,Attendee #,Attendee Status\n9,Ada,Lovelace,1,Attending\n"))
    (ticket,) = ledger.tickets(event)
    assert ticket.is_own and ticket.holder == "Ada Lovelace"


def test_chosen_columns_are_remembered_for_the_next_list_with_these_headings(lists: TicketLists) -> None:
    first = table("Who,Bracelet\nAda,W1\n")
    with pytest.raises(TicketFileError, match="no column that looks like a ticket code; it has: Who, Bracelet"):
        lists.look(first)
    choice = Choice(columns={"code": "Bracelet", "holder": "Who"})
    lists.take(first, choice)
    lists.remember(first, choice)
    later = lists.look(table("Who,Bracelet\nAda,W1\nBob,W2\n"))
    assert later.is_remembered and (len(later.plan.new), later.plan.unchanged) == (1, 1)


def test_a_damaged_memory_costs_a_question_and_no_more(lists: TicketLists, tmp_path: Path) -> None:
    (tmp_path / "columns.json").write_bytes(b"{")
    assert lists.look(table("Name,Code\nAda,A1\n")).is_remembered is False
    lists.remember(table("Name,Code\nAda,A1\n"), Choice(source="pretix"))
    assert lists.look(table("Name,Code\nAda,A1\n")).choice.source == "pretix"


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (Choice(columns={"colour": "Name"}), "'colour' is nothing that a ticket has"),
        (Choice(columns={"code": "Seat"}), "has no column 'Seat'; it has: Name, Code"),
        (Choice(source="ticketmaster"), "'ticketmaster' is none of pretix, "),
        (Choice(columns={"holder": ""}, by_name=True), "no column with names"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(lists: TicketLists, choice: Choice, says: str) -> None:
    with pytest.raises(TicketFileError, match=says):
        lists.look(table("Name,Code\nAda,A1\n"), choice)


def test_a_list_of_another_event_is_doubted(lists: TicketLists, ledger: Ledger, tmp_path: Path) -> None:
    other = ledger.create_event("last-month", "Last month", 50)
    TicketLists(ledger, other, lambda: SECRET, ColumnsFile(tmp_path / "columns.json")).take(sold(ADA, BOB))
    assert lists.look(sold(ADA, BOB)).plan.doubts == {Doubt.OTHER_EVENT: 2}


def test_half_a_list_and_a_group_are_doubted(lists: TicketLists) -> None:
    lists.take(sold(ADA, BOB, "3;7654322;Baudot;Émile;emile@example.org;Plein;Oui"))
    plan = lists.look(sold("4;7654323;Baudot;Émile;emile@example.org;Plein;Oui", ADA)).plan
    assert plan.doubts == {Doubt.MANY_GONE: 2}
    assert lists.look(sold(BOB, "3;7654322;Baudot;Émile;emile@example.org;Plein;Oui")).plan.doubts == {
        Doubt.SAME_PERSON: 1
    }


def test_who_came_by_name_first_and_then_with_a_code_is_doubted(lists: TicketLists) -> None:
    attendees = "Order #,First Name,Last Name,Email,Attendee #"
    lists.take(table(f"{attendees}\n9,Ada,Lovelace,ada@example.org,1\n10,Bob,Braun,bob@example.org,2\n"))
    later = table(f"{attendees},Barcode\n9,Ada,Lovelace,ADA@example.org,1,990001\n11,Cy,Kay,cy@example.org,3,990002\n")
    plan = lists.look(later).plan
    assert ([each.holder for each in plan.new], plan.doubts) == (["Ada Lovelace", "Cy Kay"], {Doubt.HAVE_ONE: 1})
    head, rows = f"{attendees},Barcode,Attendee Status", "9,Ada,Lovelace,ada@example.org,1,990001,Deleted\n"
    assert Doubt.HAVE_ONE not in lists.look(table(f"{head}\n{rows}")).plan.doubts


def test_a_ticket_cancelled_here_stays_so_when_the_list_does_not_say_more(lists: TicketLists) -> None:
    lists.take(table("Name,Code,Status\nAda,A1,cancelled\nBob,A2,paid\n"))
    plan = lists.look(table("Name,Code\nAda,A1\nBob,A2\n")).plan
    assert (plan.changed, plan.doubts) == ([], {Doubt.STAYS_REFUSED: 1})
    assert lists.look(table("Name,Code,Status\nAda,A1,no\n")).plan.doubts == {Doubt.NONE_GOOD: 1}


def test_a_bad_row_changes_nothing_of_the_others(lists: TicketLists, ledger: Ledger, event: Event) -> None:
    with pytest.raises(TicketFileError, match="row 3: no code"):
        lists.take(sold(ADA, "2;;Baudot;Émile;emile@example.org;Plein;Oui"))
    assert ledger.tickets(event) == []
