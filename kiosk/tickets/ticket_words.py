"""What a ticket and the letter with it say, in the languages they speak. A test sees that each has all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from babel.dates import format_datetime

from kiosk.tickets.codes import groups
from stream.slate_words import Language


class TicketWords(NamedTuple):
    """One language. {} stands for what is filled in."""

    language: Language
    ticket_number: str
    persons: str  # a number, two or more
    if_unread: str
    subject: str  # of the letter: the event
    hello: str  # a name
    hello_somebody: str
    here_is: str  # the event
    when_label: str
    where_label: str
    who_label: str
    kind_label: str
    code_label: str
    show_it: str
    keep_it: str
    file_name: str  # of what is attached: a number
    moment: str  # CLDR's pattern

    def when(self, at: datetime) -> str:
        """A moment in its own zone, beginning with a capital."""
        said = format_datetime(at, self.moment, tzinfo=at.tzinfo, locale=self.language)
        return said[:1].upper() + said[1:]

    def letter(self, *, event: str, when: str, venue: str, name: str, kind: str, number: int, code: str) -> str:
        """The letter that goes with a ticket; what is empty is left out."""
        facts = [
            (self.when_label, when),
            (self.where_label, venue),
            (self.who_label, name),
            (self.kind_label, kind),
            (self.code_label, groups(code)),
        ]
        lines = [
            self.hello.format(name) if name else self.hello_somebody,
            "",
            self.here_is.format(event),
            "",
            *(label.format(value) for label, value in facts if value),
            "",
            self.show_it,
            self.if_unread,
            "",
            self.keep_it,
            "",
            self.ticket_number.format(number),
        ]
        return "\n".join(lines) + "\n"


_ENGLISH = TicketWords(
    language="en",
    ticket_number="Ticket no. {}",
    persons="for {} persons",
    if_unread="If it does not scan: say your name at the door, or read out this code.",
    subject="Your ticket: {}",
    hello="Hello {},",
    hello_somebody="Hello,",
    here_is="here is your ticket for {}.",
    when_label="When: {}",
    where_label="Where: {}",
    who_label="Name: {}",
    kind_label="Ticket: {}",
    code_label="Code: {}",
    show_it="Show its QR code at the door, on your phone or on paper: it is attached as a picture and as a PDF.",
    keep_it="Keep it to yourself: whoever has a copy of it has your seat.",
    file_name="ticket-{}",
    moment="EEEE d MMMM y, HH:mm",
)

_FRENCH = TicketWords(
    language="fr",
    ticket_number="Billet n°\u00a0{}",
    persons="pour {}\u00a0personnes",
    if_unread="Si le code ne passe pas\u00a0: donnez votre nom à l'entrée, ou lisez ce code.",
    subject="Votre billet\u00a0: {}",
    hello="Bonjour {},",
    hello_somebody="Bonjour,",
    here_is="voici votre billet pour {}.",
    when_label="Quand\u00a0: {}",
    where_label="Où\u00a0: {}",
    who_label="Nom\u00a0: {}",
    kind_label="Billet\u00a0: {}",
    code_label="Code\u00a0: {}",
    show_it="Montrez son QR code à l'entrée, sur votre téléphone ou sur papier\u00a0: il est joint en image et en PDF.",
    keep_it="Gardez-le pour vous\u00a0: qui en a une copie a votre place.",
    file_name="billet-{}",
    moment="EEEE d MMMM y 'à' HH\u00a0'h'\u00a0mm",
)

TICKET_WORDS: Mapping[Language, TicketWords] = {"en": _ENGLISH, "fr": _FRENCH}
