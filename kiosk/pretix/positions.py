"""What an order of pretix is worth at our door: the same checks, in the same order, as pretix makes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from kiosk.ledger.pretix_copy import SOURCE, Entrance, Position
from kiosk.ledger.records import NewTicket
from kiosk.tickets.codes import digest
from kiosk.tickets.pretix.answers import (
    CheckinList,
    EventThere,
    Item,
    Order,
    OrderPosition,
    Question,
    in_language,
)
from kiosk.tickets.status import Status

_SIG1 = "pretix_sig1"
_ATTENTION = "Attention"  # the same in English and in French
_NAME_CHARS, _EMAIL_CHARS, _NOTE_CHARS, _CODE_CHARS = 200, 320, 500, 64  # as wide as the ledger's columns


class Rules(NamedTuple):
    """What the orders of an event are read by."""

    event: EventThere
    checkin_list: CheckinList
    items: Mapping[int, Item]
    questions: Sequence[Question]
    devices: frozenset[int]  # ours, now and before: what they told pretix is nothing new
    language: str

    @property
    def entrance(self) -> Entrance:
        """What the door needs beside the tickets."""
        keys = self.event.valid_keys
        lines = keys.get(_SIG1, ()) if isinstance(keys, Mapping) else ()
        products = {item.id: self.name_of(item.id) for item in self.items.values() if self.lets_in(item.id)}
        return Entrance("\n".join(lines), products, self.checkin_list.subevent)

    def name_of(self, item: int) -> str:
        """A product as people call it."""
        known = self.items.get(item)
        return in_language(known.name, self.language)[:_NAME_CHARS] if known is not None else ""

    def lets_in(self, item: int) -> bool:
        """Whether a product is one for this door. On a list of all products a T-shirt is none."""
        if not self.checkin_list.all_products:
            return item in self.checkin_list.limit_products
        known = self.items.get(item)
        return known is None or known.admission


def positions_of(orders: Iterable[Order], rules: Rules) -> Iterator[Position]:
    """The tickets of orders, as the ledger is to have them."""
    for order in orders:
        for position in order.positions:
            elsewhere, here = (_is_used(position, rules, by_us=by_us) for by_us in (False, True))
            yield Position(position.id, _ticket(order, position, rules), elsewhere, here)


def _ticket(order: Order, position: OrderPosition, rules: Rules) -> NewTicket:
    return NewTicket(
        number=0,
        code_sha256=digest(position.secret.encode()),
        is_own=False,
        holder=_holder(order, position)[:_NAME_CHARS] or None,
        email=(order.email or "").strip()[:_EMAIL_CHARS] or None,
        product=rules.name_of(position.item) or None,
        status=_status(order, position, rules),
        valid_from=_utc(position.valid_from),
        valid_until=_utc(position.valid_until),
        order_code=order.code[:_CODE_CHARS],
        note=_note(order, position, rules)[:_NOTE_CHARS] or None,
        source=SOURCE,
    )


def _holder(order: Order, position: OrderPosition) -> str:
    """Whose ticket it is, or the ticket's that it belongs to, or who bought it: as on pretix's own lists."""
    mains = (each.attendee_name for each in order.positions if each.id == position.addon_to)
    buyer = order.invoice_address and order.invoice_address.name
    return next((name.strip() for name in (position.attendee_name, *mains, buyer) if name and name.strip()), "")


def _status(order: Order, position: OrderPosition, rules: Rules) -> Status:
    is_of_date = rules.checkin_list.subevent in (None, position.subevent)
    is_paid = order.status == "p" or (
        order.status == "n" and (order.valid_if_pending or rules.checkin_list.include_pending)
    )
    if order.status in ("c", "e") or position.canceled:
        return Status.CANCELED
    if position.blocked:
        return Status.BLOCKED
    if order.require_approval and not is_paid:
        return Status.UNAPPROVED
    if not rules.lets_in(position.item) or not is_of_date:
        return Status.PRODUCT
    return Status.PAID if is_paid else Status.UNPAID


def _is_used(position: OrderPosition, rules: Rules, *, by_us: bool) -> bool:
    """Whether its holder is in by pretix, and this machine, or another device, let them in last."""
    here = rules.checkin_list
    known = [each for each in position.checkins if each.list == here.id]
    entries = [each for each in known if each.type == "entry"]
    if here.allow_multiple_entries or not entries:
        return False
    if max(known, key=lambda each: each.datetime).type == "exit" and here.allow_entry_after_exit:
        return False
    last = max(entries, key=lambda each: each.datetime)
    return (last.device_id in rules.devices) == by_us


def _note(order: Order, position: OrderPosition, rules: Rules) -> str:
    """What a volunteer is to see: pretix's own remarks, answers that are shown at the door, and what is to be asked."""
    item = rules.items.get(position.item)
    remarks = [text.strip() for text in (order.checkin_text, item and item.checkin_text) if text and text.strip()]
    if not remarks and (order.checkin_attention or (item is not None and item.checkin_attention)):
        remarks = [_ATTENTION]
    answers = {each.question: each.answer for each in position.answers}
    for question in rules.questions:
        asked = in_language(question.question, rules.language).strip().rstrip("?:").rstrip()
        if question.id in answers:
            if question.show_during_checkin or question.ask_during_checkin:
                remarks.append(f"{asked}: {answers[question.id]}")
        elif question.ask_during_checkin and position.item in question.items:
            remarks.append(f"{asked}?")
    return " · ".join(remarks)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
