"""Whose list it is: the ticket systems whose exports are known by their headings, and what is peculiar to each.

Headings are compared folded (`sheet.fold`). What no source could be found for is said in its `doubt`, which whoever
takes such a list is shown: a code that the door will not read is better found out in the afternoon.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

from kiosk.tickets.status import Status


def _as_it_is(code: str) -> str:
    return code


class Source(NamedTuple):
    """A ticket system, as its lists show it."""

    name: str  # as it is written in the ledger, too
    marks: Sequence[Collection[str]]  # of each, one heading must be there
    headings: Mapping[str, Sequence[str]] = {}  # our word -> headings, looked for before the common ones
    statuses: Mapping[Status, Sequence[str]] = {}  # words of its own
    has_codes: bool = True  # False: its guests come without a code, and are found by name
    code: Callable[[str], str] = _as_it_is  # from what the list has to what the QR holds; may raise ValueError
    doubt: str = ""


def _billetweb(code: str) -> str:
    """Its QR holds 7 digits. Beside them some lists have the number of the bar code: 4 digits that are the same for the
    whole event, these 7, and a check digit."""
    if not (code.isascii() and code.isdigit()):
        return code
    match len(code):
        case 12:
            return code[4:11]
        case 7:
            return code
        case _:
            raise ValueError(
                f"{code[:20]} has {len(code)} digits, not Billetweb's 7 or 12: did a spreadsheet drop a zero, "
                "or is the list another system's?"
            )


PRETIX: Final = Source(
    name="pretix",
    marks=(
        ("order code", "code de commande", "numero de commande", "bestellnummer"),
        ("secret", "code secret", "ticket secret", "geheimnis", "ticket code"),
    ),
    headings={
        "code": ("secret", "code secret", "ticket secret", "geheimnis", "ticket code"),
        "holder": ("attendee name", "nom du participant", "name des teilnehmers", "teilnehmername"),
        "product": ("product", "produit", "produkt"),
        "status": ("paid", "paye", "bezahlt"),
        "order_code": ("order code", "code de commande", "numero de commande", "bestellnummer"),
        "note": ("comment", "commentaire", "kommentar"),
    },
    statuses={Status.PAID: ("ja",), Status.UNPAID: ("nein",)},
    doubt="pretix writes its headings in the language of whoever exports; the French and German ones are from memory: "
    "look at the columns below.",
)
HI_EVENTS: Final = Source(
    name="hi.events",
    marks=(("public id",), ("short id", "product id", "check ins")),
    headings={"code": ("public id",), "product": ("product name",), "note": ("notes",)},
)
HELLOASSO: Final = Source(
    name="helloasso",
    marks=(("numero de billet", "reference commande"), ("nom participant", "prenom participant")),
    headings={
        "code": ("qr code", "qrcode", "code barre", "code barres", "numero de billet"),
        "first": ("prenom participant",),
        "last": ("nom participant",),
        "email": ("email participant", "email payeur"),
        "product": ("tarif", "billet"),
        "status": ("statut de la commande",),
        "order_code": ("reference commande",),
    },
    statuses={Status.PAID: ("valide", "validee", "traite", "traitee"), Status.CANCELED: ("annulee", "remboursee")},
    doubt="Whether the QR of HelloAsso's tickets holds the number that this list has could not be found out. Show one "
    "ticket to the camera before the evening.",
)
EVENTBRITE: Final = Source(
    name="eventbrite",
    marks=(("order", "order id"), ("attendee", "attendee id", "attendee status")),
    headings={
        "code": ("barcode", "barcode number"),
        "product": ("ticket type", "price tier"),
        "status": ("attendee status",),
        "order_code": ("order", "order id"),
    },
    statuses={Status.CANCELED: ("deleted", "transferred"), Status.PAID: ("checked in",)},
    has_codes=False,
    doubt="Eventbrite's attendee list has no bar codes unless its export was asked for them: without, its guests are "
    "found by name.",
)
WEEZEVENT: Final = Source(
    name="weezevent",
    marks=(("id participant", "id weezticket", "numero de billet weezevent"),),
    headings={"code": ("code barres", "code barre", "barcode", "id weezticket")},
    doubt="Weezevent's list could not be looked at. Show one ticket to the camera before the evening.",
)
MEETUP: Final = Source(
    name="meetup",
    marks=(("rsvp", "rsvped on"), ("user id", "member id", "rsvped on")),
    statuses={Status.CANCELED: ("no", "not going"), Status.UNAPPROVED: ("waitlist", "waiting")},
    headings={"status": ("rsvp",)},
    has_codes=False,
    doubt="Meetup has no tickets: its guests are found by name, or get tickets of our own.",
)
BILLETWEB: Final = Source(
    name="billetweb",
    marks=(("codes barres", "code barres"),),
    headings={"code": ("codes barres", "code barres")},
    code=_billetweb,
    doubt="Of a bar code's 12 digits the 5th to the 11th are taken for what Billetweb's QR holds. Show one ticket to "
    "the camera before the evening.",
)
# Billetweb last: a column of bar codes is all it is known by, and others have one too.
SOURCES: Final = (PRETIX, HI_EVENTS, HELLOASSO, EVENTBRITE, WEEZEVENT, MEETUP, BILLETWEB)
OTHER: Final = Source(name="list", marks=())
NAMES: Final = tuple(source.name for source in (*SOURCES, OTHER))


def source_of(headings: Collection[str]) -> Source:
    """The first system whose list may have these headings (folded), OTHER when none."""
    for source in SOURCES:
        if all(any(heading in headings for heading in mark) for mark in source.marks):
            return source
    return OTHER


def source_named(name: str) -> Source | None:
    """A system by its name, one of NAMES."""
    return next((source for source in (*SOURCES, OTHER) if source.name == name), None)
