"""What a pretix server answers: the fields that we ask for, no others (checked against pretix 2026.8.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

I18n = Mapping[str, str]  # language -> words


class EventThere(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the organizer."""

    slug: str
    name: I18n
    date_from: datetime
    valid_keys: Mapping[str, Sequence[str]] | list[Any] = []  # "pretix_sig1" -> keys; [] where it signs none


class CheckinList(msgspec.Struct, frozen=True, kw_only=True):
    """A check-in list: whom one door lets in."""

    id: int
    name: str
    all_products: bool
    limit_products: Sequence[int] = []
    subevent: int | None = None
    include_pending: bool = False
    allow_multiple_entries: bool = False
    allow_entry_after_exit: bool = True


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A product."""

    id: int
    name: I18n
    admission: bool = True
    checkin_attention: bool = False
    checkin_text: str | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Something that buyers, or guests at the door, are asked."""

    id: int
    question: I18n
    items: Sequence[int]
    ask_during_checkin: bool = False
    show_during_checkin: bool = False


class Checkin(msgspec.Struct, frozen=True, kw_only=True):
    """One scan that pretix took."""

    datetime: datetime
    list: int
    type: str  # entry or exit
    device_id: int | None = None  # None: a person in pretix's own pages


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody answered to a question."""

    question: int
    answer: str


class OrderPosition(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket of an order."""

    id: int
    item: int
    secret: str
    addon_to: int | None = None  # the ticket that it belongs to
    attendee_name: str | None = None
    subevent: int | None = None
    checkins: Sequence[Checkin] = []
    canceled: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    blocked: Sequence[str] | None = None
    answers: Sequence[Answer] = []


class InvoiceAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays; of it no more than the name is asked for."""

    name: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its tickets."""

    code: str
    status: Literal["n", "p", "e", "c"]  # pending, paid, expired, cancelled
    positions: Sequence[OrderPosition]
    email: str | None = None
    invoice_address: InvoiceAddress | None = None
    valid_if_pending: bool = False
    require_approval: bool = False
    checkin_attention: bool = False
    checkin_text: str | None = None


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was revoked or blocked."""

    secret: str
    blocked: bool = True  # False: it was, and is no more


def in_language(text: I18n, language: str) -> str:
    """Words that pretix has in several languages: in ours, else in English, else in any."""
    return text.get(language) or text.get("en") or next((word for word in text.values() if word), "")
