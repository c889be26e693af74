"""What a ticket is worth before anyone shows it."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What a ticket is worth before anyone scans it; the words are pretix's refusal reasons, and `paid`."""

    PAID = "paid"
    UNPAID = "unpaid"
    CANCELED = "canceled"
    BLOCKED = "blocked"
    UNAPPROVED = "unapproved"
    REVOKED = "revoked"
    PRODUCT = "product"  # a T-shirt, another day, another room: nothing that this door lets in
