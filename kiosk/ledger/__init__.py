"""Who is in: the append-only record of scans, and the one transaction that decides."""

from kiosk.ledger.ledger import Ledger
from kiosk.ledger.records import (
    Decision,
    Event,
    HeadCount,
    LedgerError,
    NewTicket,
    Presentation,
    ScanRow,
    Ticket,
    UnknownEvent,
)
from kiosk.ledger.rules import Caveat, Reason

__all__ = [
    "Caveat",
    "Decision",
    "Event",
    "HeadCount",
    "Ledger",
    "LedgerError",
    "NewTicket",
    "Presentation",
    "Reason",
    "ScanRow",
    "Ticket",
    "UnknownEvent",
]
