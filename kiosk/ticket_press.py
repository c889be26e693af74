"""Tickets of ours on paper, on phones and in letters: the event's, in the design of the look's folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self, cast, get_args
from zoneinfo import ZoneInfo

from kiosk.ledger import Event, NewTicket, Ticket
from kiosk.post.addresses import is_address
from kiosk.post.letter import Letter, letter, message_id
from kiosk.post.settings import MailSettings
from kiosk.tickets import codes
from kiosk.tickets.design import design_of
from kiosk.tickets.forms import Form
from kiosk.tickets.printing import Evening, Piece, Printable, Printer, PrintingError, write_private, write_tickets
from kiosk.tickets.ticket_words import TICKET_WORDS
from stream.slate_words import Language

AnyTicket = Ticket | NewTicket

AS_ALWAYS = (Form.A4, Form.PNG, Form.SVG)


class Wish(NamedTuple):
    """What somebody wants tickets as."""

    forms: Sequence[Form] = AS_ALWAYS
    language: Language | None = None  # of people whose list does not say; None: the dashboard's
    letters: bool = False  # NNNN.eml for everybody who has an e-mail


class Printed(NamedTuple):
    """What was written."""

    files: Sequence[Path]
    unreachable: Sequence[AnyTicket]  # letters were wanted, and they have no e-mail, or none that can be one
    troubles: Sequence[str]  # of the design, in words


class TicketPress:
    """Prints and writes for one event."""

    def __init__(
        self,
        event: Event,
        secret: bytes,
        printer: Printer,
        evening: Evening,
        language: Language,
        troubles: Sequence[str],
    ) -> None:
        self.troubles = troubles
        self._event = event
        self._secret = secret
        self._printer = printer
        self._evening = evening
        self._language = language

    @classmethod
    @contextmanager
    def of(cls, event: Event, secret: bytes, look: Path, zone: ZoneInfo, language: Language) -> Iterator[Self]:
        """With the design in `look`; times are told in `zone`, in `language` where the ticket has none of its own."""
        when = event.starts_at.astimezone(zone) if event.starts_at else None
        evening = Evening(event.name, when, event.venue or "")
        with design_of(look) as design:
            yield cls(event, secret, Printer(evening, design), evening, language, design.troubles)

    def write(
        self, tickets: Sequence[AnyTicket], out: Path, wish: Wish, mail: MailSettings | None, at: datetime
    ) -> Printed:
        """Write `tickets` to the folder `out`; letters where there is `mail`. Raises PrintingError."""
        files = write_tickets(out, self._printer, [self._piece(each) for each in tickets], wish.forms)
        if mail is None or not wish.letters:
            return Printed(files, [], self.troubles)
        reachable = [each for each in tickets if is_address(each.email or "")]
        for each in reachable:
            path = out / f"{each.number:04d}.eml"
            try:
                write_private(path, self.letter(each, mail, at).message.as_bytes())
            except OSError as error:
                raise PrintingError(f"{path} cannot be written: {error.strerror or error}") from error
            files.append(path)
        return Printed(files, [each for each in tickets if not is_address(each.email or "")], self.troubles)

    def letter(self, ticket: AnyTicket, mail: MailSettings, at: datetime, to: str = "") -> Letter:
        """The letter of a ticket that has an e-mail, or to another address."""
        piece = self._piece(ticket)
        return letter(
            piece.ticket,
            to or ticket.email or "",
            self._evening,
            TICKET_WORDS[piece.language],
            mail,
            pdf=self._printer.pages([piece]),
            png=self._printer.png(piece),
            message_id=message_id(self._secret, self._event.slug, ticket.number),
            at=at,
        )

    def _piece(self, ticket: AnyTicket) -> Piece:
        return Piece(
            Printable(
                ticket.number,
                codes.own_code(self._secret, self._event.slug, ticket.number),
                ticket.holder or "",
                ticket.product or "",
                1 + ticket.guests,
            ),
            cast("Language", ticket.language) if ticket.language in get_args(Language) else self._language,
        )
