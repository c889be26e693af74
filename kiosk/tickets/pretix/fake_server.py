"""A pretix server of a few lines in memory, for tests and for trying the pages: one event, one or more lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kiosk.tickets.pretix.answers import CheckinList, EventThere, Item, Order, OrderPosition, Question, Withdrawn
from kiosk.tickets.pretix.enrolment import Enrolled, Handshake
from kiosk.tickets.pretix.errors import PretixAway, PretixRefused
from kiosk.tickets.pretix.server import OrdersPage, Redeemed, Scan


class FakePretix:
    """A Server, and whoever enrols devices there. `is_away`: it does not answer."""

    def __init__(self, tickets: int = 3) -> None:
        self.is_away = False
        self.changed: list[Order] = []  # since it was asked last
        self.refuses = ""  # pretix's word for the next scans that are not by force
        self.token = "good once"  # noqa: S105  # no secret of anybody's
        self.told: list[Scan | Mapping[str, Any] | str] = []
        self.keys: list[str] = []  # for pretix_sig1
        self.withdrawn: list[Withdrawn] = []
        self.is_revoked = False
        self.on_orders: Callable[[], None] = lambda: None  # happens when the orders were read
        self.on_revoked: Callable[[], None] = lambda: None  # happens when all else was
        self.checkin_lists = [CheckinList(id=1, name="Main door", all_products=True)]
        self.orders_there = [
            Order(
                code=f"ORDER{n}",
                status="p",
                email=f"guest{n}@example.org",
                positions=[OrderPosition(id=n, item=1, secret=f"pretix-{n}", attendee_name=f"Guest {n} of pretix")],
            )
            for n in range(1, tickets + 1)
        ]

    def enrol(self, handshake: Handshake, version: str) -> Enrolled:
        """As enrolment.enrol."""
        self._answer()
        if handshake.token != self.token:
            raise PretixRefused(f"pretix does not know this code (Platypus {version})")
        self.token = ""
        return Enrolled(organizer="venue", device_id=7, unique_serial="SERIAL", api_token="x" * 64, name="Door 7")

    def events(self) -> Sequence[EventThere]:
        self._answer()
        return [self.event("meetup")]

    def event(self, event: str) -> EventThere:
        self._answer()
        begins = datetime(2026, 11, 24, 18, tzinfo=UTC)
        return EventThere(
            slug=event, name={"en": "The meetup"}, date_from=begins, valid_keys={"pretix_sig1": self.keys}
        )

    def lists(self, event: str) -> Sequence[CheckinList]:
        self._answer()
        return self.checkin_lists

    def items(self, event: str) -> Sequence[Item]:
        self._answer()
        return [Item(id=1, name={"en": "Seat"})]

    def questions(self, event: str) -> Sequence[Question]:
        self._answer()
        return []

    def orders(self, event: str, since: str) -> Iterator[OrdersPage]:
        self._answer()
        orders = [] if since and not self.changed else list(self.changed or self.orders_there)
        self.changed = []
        self.on_orders()
        yield OrdersPage(orders, "2026-11-24T19:00:00+01:00")

    def revoked(self, event: str) -> Sequence[Withdrawn]:
        self._answer()
        self.on_revoked()
        return self.withdrawn

    def blocked(self, event: str) -> Sequence[Withdrawn]:
        self._answer()
        return []

    def redeem(self, event: str, checkin_list: int, scan: Scan, *, by_force: bool = False) -> Redeemed:
        self._answer()
        if self.refuses and not by_force:
            return Redeemed(self.refuses, scan.at)
        self.told.append(scan)
        return Redeemed(None, None)

    def tell_refusal(self, event: str, checkin_list: int, refusal: Mapping[str, Any]) -> None:
        self._answer()
        self.told.append(refusal)

    def annul(self, checkin_list: int, nonce: str, at: datetime) -> bool:
        self._answer()
        self.told.append(nonce)
        return True

    def revoke(self) -> None:
        self._answer()
        self.is_revoked = True

    def _answer(self) -> None:
        if self.is_away:
            raise PretixAway("pretix.example.org does not answer (no connection). Is the network there?")
