"""One ticket printed by a program of its own: what draws it takes 80 MB, which a server would keep all evening.

python -m kiosk.press_apart < order.json > ticket.pdf
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import msgspec

import kiosk
from hardware.errors import PlatypusError
from stream.slate_words import Language

_PACKAGES = Path(kiosk.__file__).parents[1]  # where it finds our packages
_LIMIT_S = 30.0  # a slow Pi takes some seconds
_ENVIRONMENT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
FORMS = {  # of kiosk.tickets.printing: the ending and the kind of its file
    "page": ("pdf", "application/pdf"),
    "label": ("pdf", "application/pdf"),
    "a4": ("pdf", "application/pdf"),
    "png": ("png", "image/png"),
    "svg": ("svg", "image/svg+xml"),
}


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
    form: str  # one of FORMS
    look: str  # the folder


def print_apart(order: Order) -> bytes:
    """The file of a ticket. Raises NotPrinted."""
    surroundings = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kiosk.press_apart"],
            input=msgspec.json.encode(order),
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
            cwd=_PACKAGES,
            env=surroundings | {"LC_ALL": "C.UTF-8"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        cause = getattr(error, "strerror", None) or f"not within {_LIMIT_S:.0f} s"
        raise NotPrinted(f"the ticket could not be drawn: {cause}. Try again.") from error
    if done.returncode or not done.stdout:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise NotPrinted(f"the ticket could not be drawn: {last}. Try again.")
    return done.stdout


def _main() -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # all of this is for the child alone

    from kiosk.tickets.card import Evening, Printable  # noqa: PLC0415
    from kiosk.tickets.design import design_of  # noqa: PLC0415
    from kiosk.tickets.printing import Form, Piece, Printer  # noqa: PLC0415

    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    when = order.when.astimezone(ZoneInfo(order.zone)) if order.when else None
    ticket = Printable(order.number, order.code, order.holder, order.product, order.persons)
    with design_of(Path(order.look)) as design:
        printer = Printer(Evening(order.event, when, order.venue), design)
        sys.stdout.buffer.write(printer.one(Piece(ticket, order.language), Form(order.form)))


if __name__ == "__main__":
    _main()
