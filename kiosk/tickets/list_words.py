"""How lists of tickets say things, whoever wrote them: headings, states, languages; folded, as `sheet.fold` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kiosk.tickets.status import Status

# Headings met in the exports of many systems and in hand-made lists, folded (lower case, no accents, blanks for
# punctuation). The first heading that fits wins; those of a system that is known (sources.py) come before.
HEADINGS: Mapping[str, Sequence[str]] = {
    "code": (
        "code",
        "ticket code",
        "secret",
        "codes barres",
        "code barres",
        "barcode",
        "qr code",
        "qrcode",
        "public id",
    ),
    "holder": (
        "teilnehmername",
        "name",
        "nom complet",
        "full name",
        "attendee name",
        "holder",
        "participant",
        "nom du participant",
    ),
    "first": ("first name", "firstname", "given name", "prenom", "prenom du participant", "prenom participant"),
    "last": ("last name", "lastname", "family name", "nom", "surname", "nom de famille"),
    "email": ("email", "e mail", "mail", "courriel", "adresse e mail"),
    "product": (
        "product",
        "product name",
        "produit",
        "produkt",
        "ticket type",
        "tickettype",
        "type",
        "category",
        "categorie",
        "tarif",
    ),
    "status": ("status", "attendee status", "statut", "paid", "paye", "etat", "bezahlt"),
    "valid_from": ("valid from", "valable des"),
    "valid_until": ("valid until", "valable jusqu a"),
    "guests": ("guests", "invites", "accompagnants"),
    "order_code": ("order code", "order", "commande", "order id"),
    "note": ("note", "notes", "remarque", "diet", "diets", "regime", "regime alimentaire", "allergies"),
    "language": ("language", "langue", "lang", "locale", "preferred language", "sprache"),
}

STATUS_WORDS: Mapping[Status, Sequence[str]] = {
    Status.PAID: (
        "",
        "paid",
        "yes",
        "oui",
        "true",
        "1",
        "paye",
        "attending",
        "going",
        "ja",
        "confirmed",
        "confirme",
        "valid",
        "active",
        "free",
    ),
    Status.UNPAID: (
        "unpaid",
        "no",
        "non",
        "nein",
        "false",
        "0",
        "pending",
        "impaye",
        "en attente",
        "awaiting payment",
    ),
    Status.CANCELED: ("canceled", "cancelled", "annule", "refunded", "rembourse", "not attending"),
    Status.BLOCKED: ("blocked", "bloque"),
    Status.UNAPPROVED: ("unapproved", "awaiting approval"),
    Status.REVOKED: ("revoked", "revoque"),
}

LANGUAGES: Mapping[str, Sequence[str]] = {
    "en": ("en", "eng", "english", "anglais", "englisch"),
    "fr": ("fr", "fra", "fre", "french", "francais", "franzosisch"),
}

WORDS = tuple(HEADINGS)  # for what of ours a column can be
