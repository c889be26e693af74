"""A report's PDF made by a program of its own: what draws it takes 50 MB, which this one would keep all evening.

python -m kiosk.dashboard.sheet_maker < order.json > report.pdf
"""

from __future__ import annotations

import sys
from zoneinfo import ZoneInfo

import msgspec

from hardware.errors import PlatypusError
from kiosk.dashboard.language import speaking, spoken
from kiosk.dashboard.report_sheet import sheet
from kiosk.dashboard.report_view import report_view
from kiosk.dashboard.settings import Language
from kiosk.ledger.report import Report
from kiosk.tickets.apart import ApartError, made_apart

_LIMIT_S = 30.0  # a slow Pi takes some seconds


class SheetError(PlatypusError, RuntimeError):
    """The PDF could not be made; the log says why."""

    code = "sheet"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be drawn."""

    report: Report
    zone: str
    language: Language


def sheet_apart(told: Report, zone: ZoneInfo) -> bytes:
    """The report as one page of A4, in the language of the moment. Raises SheetError."""
    order = msgspec.json.encode(Order(report=told, zone=zone.key, language=spoken()))
    try:
        return made_apart("kiosk.dashboard.sheet_maker", order, _LIMIT_S, begins=b"%PDF")
    except ApartError as error:
        raise SheetError(f"the PDF could not be made: {error}. Take the CSV, or try again.") from error


def _main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    zone = ZoneInfo(order.zone)
    with speaking(order.language):
        sys.stdout.buffer.write(sheet(report_view(order.report, zone), order.report, zone))


if __name__ == "__main__":
    _main()
