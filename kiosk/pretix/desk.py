"""What an organizer does about pretix: enrol this machine, choose the check-in list, look at conflicts, leave."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

import msgspec

from hardware.clock import Clock
from hardware.errors import PlatypusError
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.pretix_copy import Conflict, PretixCopy
from kiosk.ledger.records import Event
from kiosk.pretix.links import Link, Links
from kiosk.pretix.sync import PretixSync, ServerOf, origin_of, real_server
from kiosk.tickets.pretix import enrolment
from kiosk.tickets.pretix.answers import EventThere, in_language
from kiosk.tickets.pretix.enrolment import Enrolled, Handshake
from kiosk.tickets.pretix.errors import PretixError, PretixRevoked
from kiosk.version import own_version

log = logging.getLogger(__name__)

_MOST_EVENTS = 12

Enrol = Callable[[Handshake, str], Enrolled]


class NotEnrolled(PlatypusError, LookupError):
    """This machine is no device of a pretix server yet."""

    code = "not_enrolled"


class NoSuchList(PlatypusError, LookupError):
    """The server has no such event or check-in list."""

    code = "no_such_list"


class AlreadyEnrolled(PlatypusError, ValueError):
    """This machine is a device already; leave that server first."""

    code = "already_enrolled"


class Choice(NamedTuple):
    """A check-in list that can be chosen."""

    event: str  # pretix's short name
    event_name: str
    starts_at: datetime  # aware
    checkin_list: int
    list_name: str


def _next_first(events: Sequence[EventThere], now: datetime) -> Sequence[EventThere]:
    """The few that may be meant: a request is made for each."""
    lately = now - timedelta(days=1)
    coming = sorted((each for each in events if each.date_from >= lately), key=lambda each: each.date_from)
    over = sorted((each for each in events if each.date_from < lately), key=lambda each: each.date_from, reverse=True)
    return [*coming, *over][:_MOST_EVENTS]


class PretixDesk:
    """For one event. Every method raises LedgerError and LinkError; those that ask pretix PretixError."""

    def __init__(
        self,
        event: Event,
        copy: PretixCopy,
        links: Links,
        sync: PretixSync,
        clock: Clock,
        language: str,
        server_of: ServerOf,
        enrol: Enrol,
    ) -> None:
        self.sync = sync
        self._event = event
        self._copy = copy
        self._links = links
        self._clock = clock
        self._language = language
        self._server_of = server_of
        self._enrol = enrol

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        event: Event,
        links: Links,
        clock: Clock,
        language: str,
        server_of: ServerOf = real_server,
        enrol: Enrol = enrolment.enrol,
    ) -> Self:
        """With a sync of its own."""
        copy = PretixCopy(ledger, event)
        sync = PretixSync(event, copy, links, clock, language, server_of)
        return cls(event, copy, links, sync, clock, language, server_of, enrol)

    def enrol(self, text: str) -> Link:
        """Make this machine a device, by what the QR code of a new one holds. The only list there is, is chosen."""
        handshake = enrolment.handshake_of(text)
        if self._links.get(self._event.slug) is not None:
            raise AlreadyEnrolled("this machine is a device of pretix already: leave that one first")
        url = enrolment.safe_url(handshake.url)
        self._links.try_writing()
        enrolled = self._enrol(handshake, own_version())
        link = Link(
            url=url,
            organizer=enrolled.organizer,
            device_id=enrolled.device_id,
            serial=enrolled.unique_serial,
            name=enrolled.name,
            token=enrolled.api_token,
        )
        self._links.put(self._event.slug, link)
        log.info("pretix event=enrolled device=%d", link.device_id)
        try:
            choices = self.choices()
        except PretixError as error:  # it is enrolled: that must not be lost
            log.warning("pretix event=lists-unknown cause=%s", error)
            return link
        return self._take_up(link, choices[0]) if len(choices) == 1 else link

    def choices(self) -> Sequence[Choice]:
        """The check-in lists that this device may use: of the next events, then of those that were last."""
        server = self._server_of(self._link())
        return [
            Choice(event.slug, in_language(event.name, self._language), event.date_from, each.id, each.name)
            for event in _next_first(server.events(), self._clock.stamp().wall)
            for each in server.lists(event.slug)
        ]

    def choose(self, event: str, checkin_list: int) -> Link:
        """Take the tickets of this list from now on. Those of another event, had before, are cancelled."""
        link = self._link()
        for each in self.choices():
            if (each.event, each.checkin_list) == (event, checkin_list):
                break
        else:
            raise NoSuchList(f"pretix has no check-in list {checkin_list} in an event {event!r} for this device")
        return self._take_up(link, each)

    def is_device(self) -> bool:
        """Whether pretix is told what happens at the door."""
        link = self._links.get(self._event.slug)
        return link is not None and link.is_chosen

    def conflicts(self) -> Sequence[Conflict]:
        """What nobody has looked at yet."""
        return self._copy.conflicts()

    def see(self, scan_id: int) -> None:
        """Somebody looked at it."""
        self._copy.see(scan_id)

    def leave(self) -> str:
        """Be a device no more; the tickets stay as they are. Returns why pretix could not be told, "" when it was."""
        link = self._link()
        why = ""
        try:
            self._server_of(link).revoke()
        except PretixRevoked:  # pretix knows
            pass
        except PretixError as error:
            why = str(error)
        self._links.put(self._event.slug, None)
        self._copy.rest()
        log.info("pretix event=left device=%d is_told=%s", link.device_id, not why)
        return why

    def _take_up(self, link: Link, each: Choice) -> Link:
        chosen = msgspec.structs.replace(
            link,
            event=each.event,
            event_name=each.event_name,
            checkin_list=each.checkin_list,
            list_name=each.list_name,
        )
        self._links.put(self._event.slug, chosen)
        self._copy.begin_if_other(origin_of(chosen), chosen.device_id)
        self.sync.ask_now(whole=True)
        return chosen

    def _link(self) -> Link:
        link = self._links.get(self._event.slug)
        if link is None:
            raise NotEnrolled(
                "this machine is no device of pretix: make one there (organizer, devices), and enrol with its code"
            )
        return link
