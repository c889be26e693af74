"""A ticket as a letter (RFC 5322): plain text that has all that counts, the ticket as PDF and as PNG beside it.

No HTML: what it would add is on the ticket, and a letter of text alone is read by everything, spam filters included.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import NamedTuple

from kiosk.post.addresses import plain
from kiosk.post.settings import MailSettings
from kiosk.tickets.card import Evening, Printable, kind_of
from kiosk.tickets.ticket_words import TicketWords
from stream.agenda import plain_words


class Letter(NamedTuple):
    """One letter, and whom it is for."""

    number: int  # of the ticket
    to: str  # as the network writes it
    message: EmailMessage


def letter(
    ticket: Printable,
    email: str,
    evening: Evening,
    say: TicketWords,
    settings: MailSettings,
    *,
    pdf: bytes,
    png: bytes,
    message_id: str,
    at: datetime,
) -> Letter:
    """The letter of one ticket; `at` is aware. `email` is an address."""
    to = plain(email)
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(settings.sender)
    message["To"] = Address(plain_words(ticket.holder), addr_spec=to)
    if settings.reply_to:
        message["Reply-To"] = _address(settings.reply_to)
    message["Subject"] = plain_words(say.subject.format(evening.name))
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{message_id}@{_address(settings.sender).domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    message.set_content(
        say.letter(
            event=plain_words(evening.name),
            when=say.when(evening.when) if evening.when else "",
            venue=plain_words(evening.venue),
            name=plain_words(ticket.holder),
            kind=kind_of(ticket, say),
            number=ticket.number,
            code=ticket.code,
        ),
        cte="quoted-printable",
    )
    message["Content-Language"] = say.language  # of this part: what is attached moves it there
    name = say.file_name.format(ticket.number)
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"{name}.pdf")
    message.add_attachment(png, maintype="image", subtype="png", filename=f"{name}.png")
    return Letter(ticket.number, to, message)


def message_id(secret: bytes, event: str, number: int) -> str:
    """What comes before the @ of a Message-ID: the same for the same ticket, so that a mailbox knows a letter again."""
    tag = hmac.digest(secret, f"platypus letter {event}/{number}".encode(), "sha256")[:12].hex()
    return f"platypus.{event}.{number}.{tag}"


def address_mac(secret: bytes, address: str) -> bytes:
    """What the ledger keeps of an address: 32 bytes that tell the same one, to whoever has the event's secret."""
    return hmac.digest(secret, f"platypus address {address.casefold()}".encode(), "sha256")


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(name, addr_spec=plain(address))
