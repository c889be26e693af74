"""Lists of tickets into the ledger: looked at first, then taken; and what was chosen for a list is remembered."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import NamedTuple

from kiosk.ledger import Event, NewTicket, Ticket
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.listing import Cancels
from kiosk.ledger.plan import Plan
from kiosk.ledger.records import Imported
from kiosk.tickets import codes
from kiosk.tickets.columns_file import Choice, ColumnsFile, key_of
from kiosk.tickets.sheet import Row, Sheet, TicketFileError, sheet_of, source_of_list
from kiosk.tickets.sources import NAMES, OTHER, source_named
from kiosk.tickets.table import Table

log = logging.getLogger(__name__)


class Looked(NamedTuple):
    """A list, and what taking it would do."""

    sheet: Sheet  # without its rows
    choice: Choice  # how it was understood
    is_remembered: bool  # it was chosen for an earlier list with these headings
    plan: Plan


class Taken(NamedTuple):
    """A list that was taken."""

    sheet: Sheet  # without its rows
    choice: Choice
    is_remembered: bool
    done: Imported
    tickets: Sequence[NewTicket]  # all of the list, with their numbers where they are of our own


class TicketLists:
    """Lists for one event. Every method raises TicketFileError for a list that cannot be taken, and LedgerError."""

    def __init__(
        self,
        ledger: Ledger,
        event: Event,
        secret: Callable[[], bytes],
        columns: ColumnsFile,
        zone: tzinfo | None = None,
    ) -> None:
        self._ledger = ledger
        self._event = event
        self._secret = secret  # of the event; asked for only when tickets of our own are made
        self._columns = columns
        self._zone = zone  # of the venue, in which the times of a spreadsheet are meant

    def look(self, table: Table, choice: Choice | None = None) -> Looked:
        """What taking a list would do; nothing is written. Without `choice`, the one that is remembered."""
        choice, is_remembered = self._choice(table, choice)
        sheet, wanted = _read(table, choice, self._zone)
        if _has_codes(sheet):
            plan = self._ledger.plan_tickets(self._event, wanted, sheet.fields)
        else:
            plan = self._ledger.plan_issue(self._event, wanted, sheet.fields, self._digest())
        return Looked(sheet, choice, is_remembered, plan)

    def take(self, table: Table, choice: Choice | None = None, *, cancels: Cancels = False) -> Taken:
        """Take a list, all of it or nothing; `cancels`: which of the tickets that it does not name are cancelled."""
        choice, is_remembered = self._choice(table, choice)
        sheet, wanted = _read(table, choice, self._zone)
        if _has_codes(sheet):
            done = self._ledger.put_tickets(self._event, wanted, sheet.fields, cancels=cancels)
        else:
            wanted, done = self._ledger.issue(self._event, wanted, sheet.fields, self._digest(), cancels=cancels)
        return Taken(sheet, choice, is_remembered, done, wanted)

    def remember(self, table: Table, choice: Choice) -> None:
        """Understand the next list with these headings in the same way."""
        if choice == (self._columns.choice(table.headings) or Choice()):
            return
        try:
            self._columns.remember(table.headings, choice)
        except OSError as error:  # the list was taken; the next one asks again
            log.warning("columns event=not-remembered cause=%s next=asks-again", error.strerror)

    def tickets(self) -> Sequence[Ticket]:
        """All tickets of the event, by number."""
        return self._ledger.tickets(self._event)

    def _choice(self, table: Table, choice: Choice | None) -> tuple[Choice, bool]:
        if choice is not None:
            return choice, False
        remembered = self._columns.choice(table.headings)
        return remembered or Choice(), remembered is not None

    def _digest(self) -> Callable[[int], bytes]:
        secret = self._secret()
        return lambda number: codes.digest(codes.own_code(secret, self._event.slug, number).encode())


def _read(table: Table, choice: Choice, zone: tzinfo | None) -> tuple[Sheet, Sequence[NewTicket]]:
    """What a list says, and its tickets; without the rows, of which there may be 100,000."""
    source = source_named(choice.source) if choice.source else source_of_list(table)
    if source is None:
        raise TicketFileError(f"the source {choice.source!r} is none of {', '.join(NAMES)}")
    columns = {**choice.columns, "code": ""} if choice.by_name else choice.columns
    needs_code = source.has_codes and not choice.by_name
    sheet = sheet_of(table, columns=columns, needs_code=needs_code, source=source, zone=zone)
    # Lists of nobody in particular are told apart by their headings: what one does not name is not gone from another.
    name = source.name if source is not OTHER else f"{OTHER.name} {key_of(table.headings)[:8]}"
    rows, sheet = deque(sheet.rows), sheet._replace(rows=())
    wanted = []
    while rows:  # each goes as its ticket comes: both of 100,000 are 20 MB more
        wanted.append(_ticket(rows.popleft(), name, is_own=not _has_codes(sheet)))
    return sheet, wanted


def _has_codes(sheet: Sheet) -> bool:
    return "code" in sheet.columns


def _ticket(row: Row, source: str, *, is_own: bool) -> NewTicket:
    return NewTicket(
        number=0,
        code_sha256=b"" if row.code is None else codes.digest(row.code.encode()),
        is_own=is_own,
        holder=row.holder,
        email=row.email,
        product=row.product,
        status=row.status,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        guests=row.guests,
        order_code=row.order_code,
        note=row.note,
        source=source,
        language=row.language,
    )
