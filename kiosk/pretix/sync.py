"""Keeps the copy of a pretix event fresh, and tells pretix what happened at the door; the door itself waits for none.

A round looks which rows there are, takes what changed in pretix since the last one, and then tells it of those rows:
so a ticket that was good by its signature alone has its order by then, if it has one. What is told has the row's own
nonce and time: said again after a lost reply it is still one scan. What pretix refuses is told once more by force, as
that is what happened, and becomes a conflict that a person looks at.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from hardware.clock import Clock
from hardware.errors import PlatypusError
from hardware.worker import Worker
from kiosk.ledger.pretix_copy import PretixCopy, Told
from kiosk.ledger.records import Event
from kiosk.ledger.rules import Reason
from kiosk.pretix.links import Link, Links
from kiosk.pretix.positions import Rules, positions_of
from kiosk.tickets.codes import digest
from kiosk.tickets.pretix.errors import PretixAway, PretixRefused, PretixRejected
from kiosk.tickets.pretix.server import PretixServer, Scan, Server
from kiosk.tickets.status import Status
from stream.backoff import Backoff

log = logging.getLogger(__name__)

ServerOf = Callable[[Link], Server]

ROUND_S = 60.0  # between two rounds when nothing happens at the door
SOON_S = 5.0  # and when something did
WHOLE_S = 6 * 3600.0  # then all orders are taken again, should pretix have forgotten to name one
_STEPS_S = (2.0, 5.0, 15.0, 30.0, 60.0)
_PORTION = 50
_MOST_FAILURES = 5  # of one row, by a server that takes the one after it
_MOST_A_ROUND = 200  # rows told before pretix is asked again what changed
_CLOCK = "the clock of this machine is not set: scans are told when it is"


class Phase(StrEnum):
    """How it stands with pretix."""

    ABSENT = "absent"  # no device is enrolled
    UNCHOSEN = "unchosen"  # no check-in list is chosen
    STARTING = "starting"  # not asked yet since this program began
    CURRENT = "current"
    AWAY = "away"  # it does not answer; tried again by itself
    REFUSED = "refused"  # a person has to do something


class SyncState(NamedTuple):
    """What there is to tell."""

    phase: Phase
    link: Link | None
    age_s: float | None  # of the copy; None: there is none, or it is of before this machine was switched on
    copied_at: datetime | None  # aware, UTC; as the machine believed
    untold: int  # rows that pretix has yet to be told of
    conflicts: int  # that nobody has looked at
    cause: str  # why not current, in words


class PretixSync:
    """For one event."""

    def __init__(
        self,
        event: Event,
        copy: PretixCopy,
        links: Links,
        clock: Clock,
        language: str,
        server_of: ServerOf,
    ) -> None:
        self._event = event
        self._copy = copy
        self._links = links
        self._clock = clock
        self._language = language
        self._server_of = server_of
        self._one_at_a_time = threading.Lock()
        self._asked = threading.Event()
        self._backoff = Backoff(_STEPS_S)
        self._phase, self._cause, self._changed = Phase.STARTING, "", 0
        self._is_whole_asked = True
        self._server: tuple[Link, Server] | None = None
        self._rules: Rules | None = None
        self._whole_at_s: float | None = None
        self._stuck: tuple[int, int] = (0, 0)  # a row, and how often it failed
        self._missing: set[int] = set()  # positions that the last whole round did not see
        self.worker = Worker("pretix", self._run)

    def ask_now(self, *, whole: bool = False) -> None:
        """Begin a round at once; `whole`: take all orders again."""
        if whole:
            self._is_whole_asked = True
        self._backoff.reset()
        self._asked.set()

    def state(self) -> SyncState:
        """How it stands. Raises LedgerError, LinkError."""
        link, copy, now = self._links.get(self._event.slug), self._copy.read(), self._clock.stamp()
        phase = self._phase
        if link is None or not link.is_chosen:
            phase = Phase.ABSENT if link is None else Phase.UNCHOSEN
        age_s = None
        if copy is not None and not copy.asked.boot_id:  # begun, and never complete
            copy = None
        if copy is not None and copy.asked.boot_id == now.boot_id:
            age_s = (now.monotonic_ns - copy.asked.monotonic_ns) / 1e9
        cause = self._cause if phase in (Phase.AWAY, Phase.REFUSED) else ""
        if phase is Phase.STARTING and copy is not None:  # another process asks: the dashboard's
            cause = copy.trouble
            is_fresh = age_s is not None and age_s <= 3 * ROUND_S
            phase = Phase.AWAY if cause else Phase.CURRENT if is_fresh else phase
        return SyncState(
            phase,
            link,
            age_s,
            copy.asked.wall if copy is not None else None,
            self._copy.count_untold() if copy is not None else 0,
            self._copy.count_conflicts() if copy is not None else 0,
            cause,
        )

    def round(self) -> Phase:
        """Take and tell once. Raises LedgerError, LinkError; what pretix does wrong is in the state."""
        with self._one_at_a_time:
            link = self._links.get(self._event.slug)
            if link is None or not link.is_chosen:
                self._phase = Phase.ABSENT if link is None else Phase.UNCHOSEN
                self._copy.rest()  # the plug may have been pulled when somebody left
                return self._phase
            self._copy.begin_if_other(origin_of(link), link.device_id)
            try:
                up_to = self._copy.last_scan_id()
                self._take(link)
                told = self._tell(link, up_to)
            except (PretixAway, PretixRefused) as error:
                phase = Phase.AWAY if isinstance(error, PretixAway) else Phase.REFUSED
                if (phase, str(error)) != (self._phase, self._cause):
                    log.warning("pretix event=%s cause=%s", phase, error)
                    self._copy.note_trouble(str(error))
                self._phase, self._cause = phase, str(error)
            else:
                if self._phase is not Phase.CURRENT or self._changed or told:
                    log.info("pretix event=synced changed=%d told=%d", self._changed, told)
                if self._phase is not Phase.CURRENT:
                    self._copy.note_trouble("")
                self._phase, self._cause = Phase.CURRENT, ""
                self._backoff.reset()
            return self._phase

    def _take(self, link: Link) -> None:
        server, copy, stamp = self._server_for(link), self._copy.read(), self._clock.stamp()
        rules = self._ask_rules(server, link)
        now_s = self._clock.monotonic()
        is_late = self._whole_at_s is None or now_s - self._whole_at_s > WHOLE_S
        is_whole = copy is None or rules != self._rules or is_late or self._is_whole_asked
        self._is_whole_asked = False

        def may() -> bool:
            return self._links.get(self._event.slug) == link

        generated, seen, changed = "", set[int](), 0
        for page in server.orders(link.event, "" if is_whole or copy is None else copy.page_generated):
            positions = list(positions_of(page.orders, rules))
            changed += self._copy.take(positions, may)
            if not may():  # the evening is forgotten, or another list was chosen
                raise PretixAway("another check-in list was chosen meanwhile, or none")
            seen |= {position.id for position in positions}
            generated = generated or page.generated
            self.worker.tick()
        withdrawn = {
            **{digest(each.secret.encode()): Status.BLOCKED for each in server.blocked(link.event) if each.blocked},
            **{digest(each.secret.encode()): Status.REVOKED for each in server.revoked(link.event)},
        }
        self._copy.withdraw(withdrawn, may)
        missing = self._copy.positions() - seen if is_whole else set()
        # An order that goes in the middle of a round moves the others by one page: what is missing once may be there.
        changed += self._copy.cancel(missing & self._missing, may)
        is_sure = not missing - self._missing
        self._copy.reached(stamp, generated, rules.entrance, may)
        self._rules, self._changed = rules, changed
        if is_whole:
            self._missing, self._whole_at_s = missing, now_s
            if not is_sure:  # the next round looks for them again
                self.ask_now(whole=True)

    def _ask_rules(self, server: Server, link: Link) -> Rules:
        lists = {each.id: each for each in server.lists(link.event)}
        if link.checkin_list not in lists:
            raise PretixRefused(
                f"pretix has no check-in list {link.list_name!r} any more in {link.event}: choose another one"
            )
        items = {each.id: each for each in server.items(link.event)}
        questions = server.questions(link.event)
        event = server.event(link.event)
        copy = self._copy.read()
        devices = copy.devices if copy is not None else frozenset({link.device_id})
        return Rules(event, lists[link.checkin_list], items, questions, devices, self._language)

    def _tell(self, link: Link, up_to: int) -> int:
        server, count = self._server_for(link), 0
        while count < _MOST_A_ROUND and (rows := self._copy.untold(_PORTION, up_to)):
            for row, then in zip(rows, [*rows[1:], None], strict=True):
                if self._is_time_awaited(row):
                    raise PretixAway(_CLOCK)
                conflict = self._told(server, link, row, then) if row.is_time_known else "time"
                self._copy.told(row.scan_id, conflict)
                count += 1
                self.worker.tick()
        if count >= _MOST_A_ROUND:
            self._asked.set()  # what changed there meanwhile comes first
        return count

    def _is_time_awaited(self, row: Told) -> bool:
        """Whether somebody may still say when this was: in this boot. Of an earlier one nobody will, nor of paper."""
        return not row.is_time_known and row.boot_id == self._clock.stamp().boot_id

    def _told(self, server: Server, link: Link, row: Told, then: Told | None) -> str | None:
        """Tell of one row. Returns the word of a conflict that is not noted yet."""
        try:
            return _tell(server, link, row, self._copy)
        except PretixRejected as error:
            log.warning("pretix event=not-taken scan=%d cause=%s", row.scan_id, error)
            return "error"
        except PretixAway as error:
            self._stuck = (row.scan_id, self._stuck[1] + 1 if self._stuck[0] == row.scan_id else 1)
            if self._stuck[1] < _MOST_FAILURES or not self._takes(server, link, then):
                raise
            log.warning("pretix event=given-up scan=%d cause=%s", row.scan_id, error)
            return "error"  # it is this row that the server cannot stand: it takes the one after it

    def _takes(self, server: Server, link: Link, row: Told | None) -> bool:
        if row is None or not row.is_time_known:
            return False
        try:
            _tell(server, link, row, self._copy)
        except (PretixAway, PretixRefused):
            return False
        return True

    def _server_for(self, link: Link) -> Server:
        if self._server is None or self._server[0] != link:
            self._server, self._rules, self._whole_at_s = (link, self._server_of(link)), None, None
        return self._server[1]

    def _run(self, worker: Worker) -> None:
        while not worker.is_stopping:
            worker.tick()
            self._asked.clear()
            try:
                phase = self.round()
            except PlatypusError as error:
                log.warning("pretix event=failed cause=%s next=in-a-minute", error)
                phase = Phase.REFUSED
                self._phase, self._cause = phase, str(error)
            wait_s = self._backoff.next_wait_s(self._clock.monotonic()) if phase is Phase.AWAY else ROUND_S
            begun_s = self._clock.monotonic()
            while not self._asked.is_set() and worker.wait(0.5):
                worker.tick()
                waited_s = self._clock.monotonic() - begun_s
                if waited_s >= wait_s or (phase is Phase.CURRENT and waited_s >= SOON_S and self._has_news()):
                    break

    def _has_news(self) -> bool:
        try:
            return bool(self._copy.untold(1))
        except PlatypusError as error:  # the round will say so, too
            log.warning("pretix event=failed cause=%s", error)
            return True


def real_server(link: Link) -> Server:
    """The server of a link, over the network."""
    return PretixServer(link.url, link.organizer, link.token)


def origin_of(link: Link) -> str:
    """What tells one event in pretix from another."""
    return f"{link.url} {link.organizer} {link.event}"


def _tell(server: Server, link: Link, row: Told, copy: PretixCopy) -> str | None:
    """Tell pretix of one row. Returns the word of a conflict that is not noted yet."""
    where = (link.event, link.checkin_list)
    if row.kind == "undo":
        if row.position is None or row.undone_nonce is None:
            return None
        if row.undone_kind == "entry":
            nonces = (row.undone_nonce, _forced(row.undone_nonce))  # by one of them it was taken, by none perhaps
            done = [server.annul(link.checkin_list, nonce, row.at) for nonce in nonces]
            return None if all(done) else "annul"
        scan = Scan(row.position, _forced(row.nonce), row.at, "entry")  # an exit that was none: they are inside
        return server.redeem(*where, scan, by_force=True).reason
    kind: Literal["entry", "exit"] = "exit" if row.kind == "exit" else "entry"
    if row.reason is not None:
        server.tell_refusal(*where, _refusal(row, kind))
        return None
    if row.position is None:  # signed, and pretix has no such order
        return str(Reason.INVALID)
    scan = Scan(row.position, row.nonce, row.at, kind)
    if not row.is_override:
        answer = server.redeem(*where, scan)
        if answer.reason is None:
            return None
        copy.note_conflict(row.scan_id, answer.reason, answer.other_at)  # before its trace there is lost by force
        if answer.reason == Reason.INVALID:  # a position that is gone is not there by force either
            return None
    # By a nonce of its own: the first one has a refusal, so that nothing could be annulled by it.
    return server.redeem(*where, scan._replace(nonce=_forced(row.nonce)), by_force=True).reason


def _forced(nonce: str) -> str:
    return hashlib.sha256(f"by force {nonce}".encode()).hexdigest()


def _refusal(row: Told, kind: str) -> dict[str, object]:
    """What pretix keeps of somebody who was refused. The ledger keeps no code, only its SHA-256."""
    said: dict[str, object] = {
        "nonce": row.nonce,
        "datetime": row.at.isoformat(),
        "type": kind,
        "raw_barcode": f"sha256:{row.code_sha256.hex()}" if row.code_sha256 is not None else "by hand",
        "error_reason": str(row.reason),
    }
    if row.reason is Reason.FULL:  # pretix knows no full room
        said |= {"error_reason": str(Reason.ERROR), "error_explanation": "full"}
    if row.position is not None:
        said["position"] = row.position
    return said
