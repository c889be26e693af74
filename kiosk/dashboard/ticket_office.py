"""What the pages of the tickets are given: the event's tickets, lists to take, codes of our own, lists in hand."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from hardware.clock import Clock
from hardware.errors import PlatypusError
from kiosk.dashboard.language import Later, later
from kiosk.forgetting import Forgetting
from kiosk.ledger import Event, Ticket
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.privacy import Kept, kept_of
from kiosk.ledger.ticket_book import TicketBook
from kiosk.paper_list import PaperList
from kiosk.press_apart import Order, print_apart
from kiosk.pretix.desk import PretixDesk
from kiosk.ticket_lists import Looked, TicketLists
from kiosk.tickets import codes
from kiosk.tickets.columns_file import Choice, ColumnsFile
from kiosk.tickets.forms import Form
from kiosk.tickets.sheet import guessed, source_of_list
from kiosk.tickets.sources import Source
from kiosk.tickets.table import Table
from stream.slate_words import Language

MOST_HELD = 4
MOST_HELD_BYTES = 24_000_000  # a spreadsheet of 2 MB may have ten times as much text; the newest is held in any case
LIFE_S = 1_800.0  # somebody goes and asks a colleague


class ListGone(PlatypusError, LookupError):
    """A list that was looked at too long ago, or by somebody else."""

    code = "list_gone"


class Changed(NamedTuple):
    """A ticket as it is now, and what was done."""

    ticket: Ticket
    said: Later


class TicketOffice(NamedTuple):
    """Everything about tickets that the page uses."""

    book: TicketBook
    lists: TicketLists
    code_of: Callable[[int], str]  # of a ticket of ours, by its number
    printed: Callable[[Ticket, Form, Language], bytes]  # one of ours
    kept: Callable[[], Kept]  # what is known of persons
    forget: Callable[[], Kept]  # forget them, once and for all
    forgetting: Forgetting
    pretix: PretixDesk
    paper: PaperList

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        event: Event,
        secret: Callable[[], bytes],
        columns_path: Path,
        forgetting: Forgetting,
        pretix: PretixDesk,
        look: Path,
        zone: ZoneInfo,
    ) -> Self:
        """For an event; its `secret` is asked for when a code of ours is needed. `look`: the folder of the design."""

        def printed(ticket: Ticket, form: Form, language: Language) -> bytes:
            order = Order(
                event=event.name,
                when=event.starts_at,
                zone=zone.key,
                venue=event.venue or "",
                number=ticket.number,
                code=codes.own_code(secret(), event.slug, ticket.number),
                holder=ticket.holder or "",
                product=ticket.product or "",
                persons=ticket.persons,
                language=language,
                form=form,
                look=str(look),
            )
            return print_apart(order)

        return cls(
            TicketBook(ledger, event),
            TicketLists(ledger, event, secret, ColumnsFile(columns_path), zone),
            lambda number: codes.own_code(secret(), event.slug, number),
            printed,
            lambda: kept_of(ledger, event),
            lambda: forgetting.forget(event),
            forgetting,
            pretix,
            PaperList(ledger, event),
        )

    def digest_of(self, number: int) -> bytes:
        """By which the ledger knows the code of one of ours."""
        return codes.digest(self.code_of(number).encode())

    def revoke(self, number: int) -> Changed:
        """Raises UnknownTicket, CannotChange; so do the others."""
        return Changed(self.book.revoke(number), later("Ticket no. %(number)s is revoked", number=number))

    def give_back(self, number: int) -> Changed:
        """What was revoked here is what it was."""
        return Changed(self.book.give_back(number), later("Ticket no. %(number)s is good again", number=number))

    def replace(self, number: int, holder: str | None, email: str | None) -> Changed:
        """Another one in the place of one of ours, for the same person or for `holder`."""
        heir = self.book.replace(number, self.digest_of, holder=holder, email=email)
        said = later("Ticket no. %(number)s takes the place of no. %(old)s", number=heir.number, old=number)
        return Changed(heir, said)


class Held(NamedTuple):
    """A list that somebody looked at, and how it was understood: so it is taken."""

    table: Table
    looked: Looked | None  # None: nobody has said yet which column is what

    @property
    def choice(self) -> Choice:
        """How it was understood."""
        return self.looked.choice if self.looked is not None else Choice()

    @property
    def columns(self) -> Mapping[str, str]:
        """Our word -> the heading it is, or would be, taken from."""
        return self.looked.sheet.columns if self.looked is not None else guessed(self.table, self.source)

    @property
    def gone(self) -> Collection[int]:
        """The ids of the tickets of which its reader was told that the list does not name them."""
        return frozenset(ticket.id for ticket in self.looked.plan.gone) if self.looked is not None else ()

    @property
    def source(self) -> Source:
        """Whose list it is."""
        return self.looked.sheet.source if self.looked is not None else source_of_list(self.table)


class _Kept(NamedTuple):
    held: Held
    owner: str
    at_s: float


class HeldLists:
    """Lists that somebody looked at and has not taken yet: a few, for a while, in memory alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def hold(self, held: Held, owner: str, word: str = "") -> str:
        """Keep a list, in the place of `word`; the oldest goes when there are too many.

        Returns the word by which `owner` gets it back.
        """
        word = word or secrets.token_urlsafe(12)
        with self._lock:
            self._kept[word] = _Kept(held, owner, self._clock.monotonic())
            while len(self._kept) > 1 and (
                len(self._kept) > MOST_HELD
                or sum(each.held.table.kept_bytes for each in self._kept.values()) > MOST_HELD_BYTES
            ):
                self._kept.popitem(last=False)
        return word

    def get(self, word: str, owner: str) -> Held:
        """Raises ListGone."""
        with self._lock:
            kept = self._kept.get(word)
        if kept is None or kept.owner != owner or self._clock.monotonic() - kept.at_s > LIFE_S:
            raise ListGone(
                "This list is no longer at hand: it was taken already, or too long ago. Choose its file again."
            )
        return kept.held

    def forget(self, word: str, owner: str) -> None:
        """It was taken, or will not be."""
        with self._lock:
            kept = self._kept.get(word)
            if kept is not None and kept.owner == owner:
                del self._kept[word]
