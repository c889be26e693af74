"""A pretix server as a scanning device sees it, with the security profile pretixSCAN (checked: pretix 2026.8.0).

A position is redeemed by its number, through its check-in list, since the ledger keeps no code that could be shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from kiosk.tickets.pretix.answers import Checkin, CheckinList, EventThere, Item, Order, Question, Withdrawn
from kiosk.tickets.pretix.errors import PretixRefused, PretixRejected
from kiosk.tickets.pretix.wire import Wire, convert, host_of, read

_Kind = TypeVar("_Kind")

_MOST_PAGES = 4_000  # two hundred thousand orders
_ORDER_FIELDS = (
    "code",
    "status",
    "valid_if_pending",
    "require_approval",
    "email",
    "checkin_attention",
    "checkin_text",
    "invoice_address.name",
)
_POSITION_FIELDS = (
    "id",
    "item",
    "addon_to",
    "attendee_name",
    "secret",
    "subevent",
    "checkins",
    "canceled",
    "valid_from",
    "valid_until",
    "blocked",
    "answers",
)


class OrdersPage(NamedTuple):
    """Some of the orders."""

    orders: Sequence[Order]
    generated: str  # pretix's own word for when; ask for what was modified since then


class Scan(NamedTuple):
    """A movement that pretix is told of; told twice with the same nonce it is one."""

    position: int
    nonce: str
    at: datetime  # aware
    type: Literal["entry", "exit"]


class Redeemed(NamedTuple):
    """What pretix made of a scan."""

    reason: str | None  # why it was refused; None: taken
    other_at: datetime | None  # aware: the newest check-in that it names


class Server(Protocol):
    """What the sync needs of a pretix server. Every call raises PretixAway or PretixRefused."""

    def events(self) -> Sequence[EventThere]:
        """Those of the organizer that this device may see."""

    def event(self, event: str) -> EventThere:
        """One of them, with its keys."""

    def lists(self, event: str) -> Sequence[CheckinList]:
        """Its check-in lists."""

    def items(self, event: str) -> Sequence[Item]:
        """Its products."""

    def questions(self, event: str) -> Sequence[Question]:
        """Its questions."""

    def orders(self, event: str, since: str) -> Iterator[OrdersPage]:
        """All orders, or those modified since an `OrdersPage.generated`, a page at a time."""

    def revoked(self, event: str) -> Sequence[Withdrawn]:
        """Codes that count no more."""

    def blocked(self, event: str) -> Sequence[Withdrawn]:
        """Codes that were blocked, and those that are no more."""

    def redeem(self, event: str, checkin_list: int, scan: Scan, *, by_force: bool = False) -> Redeemed:
        """Tell of a movement; `by_force` it is written whatever the rules there say."""

    def tell_refusal(self, event: str, checkin_list: int, refusal: Mapping[str, Any]) -> None:
        """Tell of somebody who was not let in; twice with the same nonce is once."""

    def annul(self, checkin_list: int, nonce: str, at: datetime) -> bool:
        """Take back, at a moment, the entry that had this nonce. Returns False when pretix does not: too late, or
        from another device; an entry that never was is taken back.
        """

    def revoke(self) -> None:
        """This device is one no more."""


class PretixServer:
    """The server at `url`, for a device that is enrolled there. Safe from several threads."""

    def __init__(self, url: str, organizer: str, token: str) -> None:
        self._base = f"{url.rstrip('/')}/api/v1/"
        self._organizer = f"organizers/{quote(organizer, safe='')}/"
        self._wire = Wire({"Authorization": f"Device {token}"})

    def events(self) -> Sequence[EventThere]:
        return self._all(f"{self._organizer}events/", EventThere)

    def event(self, event: str) -> EventThere:
        return read(self._wire.ask("GET", f"{self._base}{self._event(event)}"), EventThere)

    def lists(self, event: str) -> Sequence[CheckinList]:
        return self._all(f"{self._event(event)}checkinlists/", CheckinList)

    def items(self, event: str) -> Sequence[Item]:
        return self._all(f"{self._event(event)}items/", Item)

    def questions(self, event: str) -> Sequence[Question]:
        return self._all(f"{self._event(event)}questions/", Question)

    def orders(self, event: str, since: str) -> Iterator[OrdersPage]:
        asked = [("include_canceled_positions", "true")]
        asked += [("include", name) for name in (*_ORDER_FIELDS, *(f"positions.{name}" for name in _POSITION_FIELDS))]
        if since:
            asked.append(("modified_since", since))
        for content, headers in self._pages(f"{self._event(event)}orders/?{urlencode(asked)}"):
            generated = headers.get("X-Page-Generated", "")
            if not generated:
                raise PretixRefused("this server does not say when it made its page: is it pretix 3 or newer?")
            yield OrdersPage(convert(content, list[Order]), generated)

    def revoked(self, event: str) -> Sequence[Withdrawn]:
        return self._all(f"{self._event(event)}revokedsecrets/", Withdrawn)

    def blocked(self, event: str) -> Sequence[Withdrawn]:
        return self._all(f"{self._event(event)}blockedsecrets/", Withdrawn)

    def redeem(self, event: str, checkin_list: int, scan: Scan, *, by_force: bool = False) -> Redeemed:
        path = f"{self._event(event)}checkinlists/{checkin_list}/positions/{scan.position}/redeem/"
        body = {
            "nonce": scan.nonce,
            "datetime": scan.at.isoformat(),
            "type": scan.type,
            "force": by_force,
            "questions_supported": False,  # its rows say what is to be asked; nobody is kept out for an answer
            "canceled_supported": True,  # else a cancelled ticket would be called unpaid
        }
        said = self._wire.ask("POST", self._base + path, body, also=(400, 404))
        answer = read(said, _RedeemAnswer)
        if answer.status == "ok":
            return Redeemed(None, None)
        if answer.status != "error" or not answer.reason:
            raise PretixRejected("pretix did not understand a scan")
        others = answer.position.checkins if answer.position is not None else ()
        return Redeemed(answer.reason, max((each.datetime for each in others), default=None))

    def tell_refusal(self, event: str, checkin_list: int, refusal: Mapping[str, Any]) -> None:
        self._wire.ask("POST", f"{self._base}{self._event(event)}checkinlists/{checkin_list}/failed_checkins/", refusal)

    def annul(self, checkin_list: int, nonce: str, at: datetime) -> bool:
        body = {"nonce": nonce, "lists": [checkin_list], "datetime": at.isoformat()}
        said = self._wire.ask("POST", f"{self._base}{self._organizer}checkinrpc/annul/", body, also=(400, 404))
        return said.status != 400 or b"unsuccessful" in said.content  # that one was taken back before

    def revoke(self) -> None:
        self._wire.ask("POST", f"{self._base}device/revoke", {})

    def _event(self, event: str) -> str:
        return f"{self._organizer}events/{quote(event, safe='')}/"

    def _all(self, path: str, kind: type[_Kind]) -> Sequence[_Kind]:
        return [one for content, _ in self._pages(path) for one in convert(content, list[kind])]  # type: ignore[valid-type]

    def _pages(self, path: str) -> Iterator[tuple[Any, Mapping[str, str]]]:
        at, seen = self._base + path, 0
        while at:
            said = self._wire.ask("GET", at)
            page = read(said, _Page)
            yield page.results, said.headers
            seen += 1
            if page.next is not None and not page.next.startswith(self._base):
                raise PretixRefused(
                    f"the server calls itself {host_of(page.next)}, and we know it as {host_of(self._base)}: the token "
                    "is sent to no other address. Enrol this device with the address that pretix has in its settings."
                )
            if seen > _MOST_PAGES:
                raise PretixRefused("the server's list has no end")
            at = page.next or ""


class _RedeemedPosition(msgspec.Struct, frozen=True):
    checkins: Sequence[Checkin] = ()


class _RedeemAnswer(msgspec.Struct, frozen=True):
    status: str = ""
    reason: str | None = None
    position: _RedeemedPosition | None = None


class _Page(msgspec.Struct, frozen=True):
    results: Any
    next: str | None = None
