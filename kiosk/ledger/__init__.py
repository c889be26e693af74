"""Who is in: the append-only record of scans, and the one transaction that decides.

Here are its words, which load no database; the record itself is `kiosk.ledger.ledger.Ledger`.
"""

from kiosk.ledger.records import (
    CannotUndo,
    ClockKnown,
    Decision,
    Event,
    Found,
    Hand,
    HeadCount,
    KnownTime,
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
    WrongTime,
)
from kiosk.ledger.rules import DWELL, Caveat, Direction, GateMode, Reason

__all__ = [
    "DWELL",
    "CannotUndo",
    "Caveat",
    "ClockKnown",
    "Decision",
    "Direction",
    "Event",
    "Found",
    "GateMode",
    "Hand",
    "HeadCount",
    "KnownTime",
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
    "WrongTime",
]
