"""Who is in: the append-only record of scans, and the one transaction that decides."""

from kiosk.ledger.ledger import Ledger
from kiosk.ledger.movements import DWELL
from kiosk.ledger.records import (
    CannotUndo,
    Decision,
    Event,
    Found,
    Hand,
    HeadCount,
    LedgerError,
    NewTicket,
    Occupancy,
    OldPage,
    Presentation,
    ScanRow,
    Seats,
    Ticket,
    TooMany,
    UnknownEvent,
    UnknownTicket,
    Waiting,
)
from kiosk.ledger.rules import Caveat, Direction, GateMode, Reason

__all__ = [
    "DWELL",
    "CannotUndo",
    "Caveat",
    "Decision",
    "Direction",
    "Event",
    "Found",
    "GateMode",
    "Hand",
    "HeadCount",
    "Ledger",
    "LedgerError",
    "NewTicket",
    "Occupancy",
    "OldPage",
    "Presentation",
    "Reason",
    "ScanRow",
    "Seats",
    "Ticket",
    "TooMany",
    "UnknownEvent",
    "UnknownTicket",
    "Waiting",
]
