"""A destination: one pusher under supervision, brought back by itself, and honest about where it stands."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path
from random import random
from typing import NamedTuple
from urllib.parse import urlsplit

from hardware.clock import Clock
from hardware.worker import Worker
from stream import copies
from stream.backoff import Backoff
from stream.congestion import Congestion
from stream.errors import BadStreamKey, ChildError
from stream.feed import Feed, LowRateCopy
from stream.health import Health, LegKind, LegState
from stream.hub import LEG_LIMIT_BYTES, Chunk, Hub
from stream.process import Child
from stream.pulse import Beat, Look, Pulse
from stream.rate import Rate
from stream.settings import Destination as Address
from stream.sockets import unsent_bytes
from stream.standing import Standing
from stream.tap import first_of

log = logging.getLogger(__name__)

_LOOK_PERIOD_S = 0.5
_BUSY_RETRY_S = 1.0  # the server still holds our last session; it lets go by itself
_REFUSED_RETRY_S = 20.0
_STRIKES = 3  # connections closed at once in a row, before that is taken for a refusal
_AT_ONCE_S = 6.0  # 3 s after connecting, which may take 3 s
_STEPS_S = (0.3, *[1.0] * 8, 2.0)  # a server that restarts is back within ten seconds
_SLOWER_S = ((60.0, 5.0), (600.0, 15.0))
_LAST_WORDS_S = 1.0
_CHECK_KEY = "check the stream key"
_CONNECTING = "connecting to the server"
CONNECTING_AGAIN = "connecting again: "
_LOW = "the network is too slow for the full bit rate: viewers get a smaller one until it is better"


_ACTIONS = {
    Health.REFUSED: "Copy the key from the platform's page again: platypus stream destinations key",
    Health.LOST: "Mend the network, then press Retry now",
    Health.BEHIND: "Use a cable or another network when there is one",
}


class Why(Enum):
    """Why a connection ended."""

    BUSY = auto()
    REFUSED = auto()
    CLOSED = auto()  # without a word: a refusal, when it happens again and again at once
    NETWORK = auto()


class End(NamedTuple):
    """How a connection ended, in words for the organizer."""

    why: Why
    cause: str
    action: str = ""  # what to do about it; "" for what its state says by itself


_SIGNS = (  # what ffmpeg 5.1 writes -> what it means; the first that fits counts
    ("Already publishing", End(Why.BUSY, "the server still holds the last connection")),
    ("Server error:", End(Why.REFUSED, f"the server refuses: {_CHECK_KEY}")),
    (
        "certificate",
        End(Why.REFUSED, "the server's certificate is not trusted", "Check the address, the clock, and ca_file"),
    ),
    (
        "owner does not match",
        End(Why.REFUSED, "the certificate is another server's", "Check the address: platypus stream destinations"),
    ),
    (
        "Failed to resolve",
        End(Why.NETWORK, "the server's name is not found", "Check the network, and the address for a slip"),
    ),
    ("Connection refused", End(Why.NETWORK, "no server answers at the address")),
    ("unreachable", End(Why.NETWORK, "no network to the server")),
    ("No route to host", End(Why.NETWORK, "no network to the server")),
    ("timed out", End(Why.NETWORK, "the server does not answer")),
    (
        "RTMP handshake",  # so no key was sent yet
        End(
            Why.NETWORK,
            "the server closed the connection before it answered",
            "Check the address, and whether this network is open",
        ),
    ),
    ("Connection reset", End(Why.CLOSED, "the server cut the connection")),
)


_FAULT = End(Why.NETWORK, "a fault of the program: its log says which", "Nothing: it begins anew by itself")


def why_ended(lines: Sequence[str], exit_code: int) -> End:
    """Read a pusher's last lines."""
    for sign, end in _SIGNS:
        if any(sign in line for line in lines):
            return end
    if exit_code < 0:
        return End(Why.NETWORK, f"the pusher was killed (signal {-exit_code})", "Nothing: it begins anew by itself")
    return End(Why.CLOSED, "the server closed the connection")


def _end_of(child: Child) -> End:
    """Why a pusher ended that reads no more. Its last words count, so they are waited for before they are read."""
    code = child.stop(patience_s=0.5)
    return why_ended(child.last_lines, code)


class Destination:
    """Keeps one address fed. Counters last as long as this object.

    `key` None means that none is known: the leg is refused from the start, and says what to write where. `low_rate` is
    what it gives while the network is too slow for the program; without it, it loses frames then.
    """

    def __init__(
        self,
        address: Address,
        key: str | None,
        clock: Clock,
        *,
        limit_bytes: int = LEG_LIMIT_BYTES,
        chance: Callable[[], float] = random,
        folder: Path | None = None,
        low_rate: LowRateCopy | None = None,
        congestion: Congestion | None = None,
    ) -> None:
        self.name = address.name
        self._address = address
        self._clock = clock
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._low_rate = low_rate
        self._congestion = congestion or Congestion()
        self._key: bytes | None = None
        self._secrets = tuple(each for each in (key, urlsplit(address.url).query) if each)
        self._no_key = ""
        try:
            self._key = copies.key_file(address.url, key or "")
        except BadStreamKey as error:
            self._no_key = str(error)
        self._backoff = Backoff(_STEPS_S, _SLOWER_S, chance)
        self._standing = Standing(address.name, clock)
        self._lock = threading.Lock()  # of what follows
        self._feed: Feed | None = None
        self._frames_before = 0
        self._frames_now = 0
        self._dropped_before = 0
        self._live_pid: int | None = None  # of the last connection that came to be live
        self._reconnects = 0
        self._strikes = 0
        self._rate = Rate()
        self._acked = 0  # bytes of this connection that the other side's kernel has
        self._unsent = 0
        self._written_s = 0.0
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the pusher that runs now."""
        return self._pid

    @property
    def acked_bytes(self) -> int:
        """How much of this connection the other side's kernel has acknowledged."""
        return self._acked

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return self._standing.quiet_s

    def start(self, hub: Hub) -> None:
        """Begin to push what `hub` sends."""
        if self._key is None:
            self._say(Health.REFUSED, self._no_key, f"platypus stream destinations key {self.name}")
            return
        self._backoff.reset()
        self._strikes = 0
        self._live_pid = None
        self._standing.begin(lambda worker: self._run(worker, hub))

    def stop(self) -> None:
        """Close the session at the server, or end it when that takes too long."""
        self._standing.end()

    def retry(self) -> None:
        """Try again now, when it waits; and forget how often it failed."""
        self._strikes = 0
        self._backoff.reset()
        self._standing.retry()

    def state(self) -> LegState:
        """What it is doing now."""
        stand = self._standing.now()
        with self._lock:
            return LegState(
                name=self.name,
                kind=LegKind.DESTINATION,
                state=stand.state,
                cause=stand.cause,
                frames_sent=self._frames_before + self._frames_now,
                reconnects=self._reconnects,
                dropped_frames=self._dropped_before + (self._feed.dropped_frames if self._feed else 0),
                queue_bytes=self._feed.queue_bytes if self._feed else 0,
                bit_rate_kbps=round(self._rate.per_s(self._clock.monotonic()) * 8 / 1000),
                retry_in_s=stand.retry_in_s,
                unsent_bytes=self._unsent,
                written_s=self._written_s,
                action=stand.action,
                is_low_rate=self._feed is not None and self._feed.is_low,
                rate_changes=self._congestion.changes,
            )

    def _run(self, worker: Worker, hub: Hub) -> None:
        while not worker.is_stopping:
            feed = Feed(hub, self.name, self._limit_bytes, self._low_rate, is_low=self._congestion.is_low)
            with self._lock:
                self._feed = feed
            try:
                end = self._connect(worker, feed)
            except Exception:  # whatever it is, this destination is for the whole evening
                log.exception("leg=%s event=fault next=connect-again", self.name)
                end = _FAULT
            finally:
                feed.close()
                with self._lock:
                    self._dropped_before += feed.dropped_frames
                    self._frames_before += self._frames_now
                    self._frames_now = 0
                    self._feed = None
            if end is None or worker.is_stopping:
                return
            self._wait_after(end, worker)

    def _connect(self, worker: Worker, feed: Feed) -> End | None:
        """One connection from start to end; None when asked to stop."""
        first = first_of(feed, worker)
        if first is None:
            return None
        if self._standing.state is Health.WAITING:
            self._say(Health.CONNECTING, _CONNECTING)
        reading, writing = os.pipe()
        try:
            try:
                os.write(writing, self._key or b"")
            finally:
                os.close(writing)
            argv = copies.pusher(self._address, key_fd=reading)
        except BaseException:
            os.close(reading)  # from here on the child's, which closes it however it ends
            raise
        try:
            child = Child(
                f"pusher-{self.name}",
                argv,
                give_fds=(reading,),
                has_stdin=True,
                secrets=self._secrets,
                folder=self._folder,
            )
        except ChildError as error:
            return End(Why.NETWORK, str(error))
        self._pid = child.pid
        self._acked = self._unsent = 0
        self._written_s = 0.0
        began_s = self._clock.monotonic()
        pulse = Pulse(began_s)
        try:
            return self._push(worker, feed, child, pulse, first)
        finally:
            self._pid = None
            child.stop(patience_s=1.0)
            self._note_frames(child)
            is_at_once = self._clock.monotonic() - began_s < _AT_ONCE_S
            self._strikes = self._strikes + 1 if is_at_once and not pulse.was_live else 0

    def _push(self, worker: Worker, feed: Feed, child: Child, pulse: Pulse, first: Chunk) -> End | None:
        rest = memoryview(first.data)
        look_at_s = self._clock.monotonic()
        give_up_s: float | None = None  # after a stop, what waits is still sent, for a moment
        while True:
            worker.tick()
            if worker.is_stopping:
                give_up_s = give_up_s or self._clock.monotonic() + _LAST_WORDS_S
                if (not rest and not feed.queue_bytes) or self._clock.monotonic() > give_up_s:
                    return None
            if not rest:
                chunk = feed.take(0.1)
                rest = memoryview(chunk.data if chunk else b"")
            try:
                if rest:
                    rest = rest[child.write(rest, 0.1) :]
            except BrokenPipeError:
                return _end_of(child)
            if child.exit_code is not None:
                return _end_of(child)
            if self._clock.monotonic() >= look_at_s:
                look_at_s = self._clock.monotonic() + _LOOK_PERIOD_S
                if self._judge(feed, child, pulse) is Beat.STUCK:
                    child.kill()
                    return End(Why.NETWORK, "the network is stuck: the server takes nothing any more")

    def _judge(self, feed: Feed, child: Child, pulse: Pulse) -> Beat:
        progress = child.progress
        look = Look(
            now_s=self._clock.monotonic(),
            fed_at_s=feed.fed_at_s,
            out_time_us=progress.out_time_us if progress else -1,
            total_bytes=progress.total_bytes if progress else 0,
            unsent_bytes=unsent_bytes(child.pid),
            queue_bytes=feed.queue_bytes,
        )
        beat = pulse.beat(look)
        acked = look.total_bytes - (look.unsent_bytes or 0)
        with self._lock:
            self._rate.add(look.now_s, max(0, acked - self._acked))
            self._acked = max(self._acked, acked)
            self._unsent = look.unsent_bytes or 0
            self._written_s = round(max(0, look.out_time_us) / 1e6, 1)
        self._note_frames(child)
        self._congestion.note(look.now_s, is_behind=beat is Beat.BEHIND, is_well=beat is Beat.LIVE)
        feed.ask(low=self._congestion.is_low)
        match beat:
            case Beat.LIVE:
                if self._live_pid != child.pid:
                    self._reconnects += self._live_pid is not None
                    self._live_pid = child.pid
                    log.info("leg=%s event=live reconnects=%d", self.name, self._reconnects)
                self._backoff.reset()
                self._say(Health.LIVE, _LOW if feed.is_low else "")
            case Beat.BEHIND:
                waiting = look.queue_bytes + (look.unsent_bytes or 0)
                self._say(Health.BEHIND, f"the network takes less than the stream makes: {waiting // 1000} kB wait")
            case Beat.HUNGRY:
                self._say(Health.WAITING, "nothing comes from the camera")
            case Beat.CONNECTING:  # one that was refused stays so until it is taken; one that was lost says why
                if self._standing.state not in (Health.REFUSED, Health.LOST, Health.CONNECTING):
                    self._say(Health.CONNECTING, _CONNECTING)
            case Beat.STUCK:
                pass  # ended by the caller, who says why
        return beat

    def _wait_after(self, end: End, worker: Worker) -> None:
        is_refused = end.why is Why.REFUSED or (end.why is Why.CLOSED and self._strikes >= _STRIKES)
        cause = end.cause
        if is_refused:
            wait_s = _REFUSED_RETRY_S
            if end.why is Why.CLOSED:
                cause = f"the server closes every connection at once: {_CHECK_KEY}"
        elif end.why is Why.BUSY:
            wait_s = _BUSY_RETRY_S
        else:
            wait_s = self._backoff.next_wait_s(self._clock.monotonic())
        log.warning('leg=%s event=%s cause="%s" retry_in_s=%.1f', self.name, end.why.name.lower(), cause, wait_s)
        state = Health.REFUSED if is_refused else Health.LOST
        self._standing.wait(worker, wait_s, state, cause, end.action or _ACTIONS[state])
        if not is_refused:  # it stays lost until the other side has acknowledged something
            self._say(Health.LOST, f"{CONNECTING_AGAIN}{cause}", end.action)

    def _note_frames(self, child: Child) -> None:
        progress = child.progress
        if progress is None:
            return
        with self._lock:
            self._frames_now = progress.frame

    def _say(self, state: Health, cause: str = "", action: str = "") -> None:
        self._standing.say(state, cause, action or _ACTIONS.get(state, ""))
