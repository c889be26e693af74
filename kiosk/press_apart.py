"""One ticket printed by a program of its own: what draws it takes 80 MB, which a server would keep all evening.

python -m kiosk.press_apart < order.json > ticket.pdf
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import msgspec

from hardware.errors import PlatypusError
from kiosk.tickets.apart import ApartError, made_apart
from kiosk.tickets.forms import Form
from stream.slate_words import Language

_LIMIT_S = 30.0  # a slow Pi takes some seconds


class NotPrinted(PlatypusError, RuntimeError):
    """The ticket could not be drawn; its text says why."""

    code = "not_printed"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be printed. It goes through a pipe: the code is for nobody's list of processes."""

    event: str
    when: datetime | None  # aware
    zone: str  # of the venue
    venue: str
    number: int
    code: str
    holder: str
    product: str
    persons: int
    language: Language
    form: Form
    look: str  # the folder


def print_apart(order: Order) -> bytes:
    """The file of a ticket. Raises NotPrinted."""
    try:
        return made_apart("kiosk.press_apart", msgspec.json.encode(order), _LIMIT_S)
    except ApartError as error:
        raise NotPrinted(f"the ticket could not be drawn: {str(error)[:200]}. Try again.") from error


def _main() -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # all of this is for the child alone

    from kiosk.tickets.card import Evening, Printable  # noqa: PLC0415
    from kiosk.tickets.design import design_of  # noqa: PLC0415
    from kiosk.tickets.printing import Piece, Printer  # noqa: PLC0415

    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    when = order.when.astimezone(ZoneInfo(order.zone)) if order.when else None
    ticket = Printable(order.number, order.code, order.holder, order.product, order.persons)
    with design_of(Path(order.look)) as design:
        printer = Printer(Evening(order.event, when, order.venue), design)
        sys.stdout.buffer.write(printer.one(Piece(ticket, order.language), order.form))


if __name__ == "__main__":
    _main()
