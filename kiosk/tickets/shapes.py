"""What a code looks like: whose system makes codes of that form. A look proves nothing; lists and signatures do."""

from __future__ import annotations

import re
from enum import StrEnum

from kiosk.tickets import codes, pretix_sig1


class Shape(StrEnum):
    """Whose codes look so."""

    OWN = "own"
    PRETIX = "pretix"
    PRETIX_SIG1 = "pretix_sig1"
    BILLETWEB_QR = "billetweb_qr"
    BILLETWEB_BARCODE = "billetweb_barcode"
    HI_EVENTS = "hi_events"
    UNKNOWN = "unknown"


# Forms met in pretix's documentation, in entree's README for Billetweb, and in the exports of Hi.Events.
_FORMS = (
    (Shape.OWN, re.compile(rb"[A-Z2-7]{25}[AEIMQUY4]")),  # 128 bits: the 26th character has three of its five
    (Shape.PRETIX, re.compile(rb"[a-hjkmnp-z2-9]{32}")),  # without o, i, l, 0 and 1, which are mistaken for each other
    (Shape.BILLETWEB_QR, re.compile(rb"[0-9]{7}")),
    (Shape.BILLETWEB_BARCODE, re.compile(rb"[0-9]{12}")),
    (Shape.HI_EVENTS, re.compile(rb"A-[A-Z0-9]{7}")),
)

IN_WORDS = {
    Shape.OWN: "looks like one of ours (26 characters of base32)",
    Shape.PRETIX: "looks like a random code of pretix (32 characters of a-z2-9)",
    Shape.PRETIX_SIG1: "has the form of a code that pretix signed (pretix_sig1)",
    Shape.BILLETWEB_QR: "looks like the 7 digits of a QR code of Billetweb",
    Shape.BILLETWEB_BARCODE: "looks like the 12 digits of a barcode of Billetweb; the 5th to 11th are its QR code's",
    Shape.HI_EVENTS: "looks like a code of Hi.Events (A- and 7 characters)",
    Shape.UNKNOWN: "has no form that we know",
}


def shape_of(raw: bytes) -> Shape:
    """What the code `raw` looks like, once it is cleaned."""
    code = codes.clean(raw)
    for shape, form in _FORMS:
        if form.fullmatch(code):
            return shape
    is_signed_form = pretix_sig1.check(code, ()).fault is not pretix_sig1.Fault.NOT_SIG1
    return Shape.PRETIX_SIG1 if is_signed_form else Shape.UNKNOWN
