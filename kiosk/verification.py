"""What a ticket code is: whose codes look so, whether pretix signed it, and which ticket of the ledger it belongs to.

It answers an organizer's question and admits nobody: the door's rules are not asked, and no row is written.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from hardware.errors import PlatypusError
from kiosk.config import Config, load_config
from kiosk.ledger import Bearer, UnknownEvent, pretix_at_door
from kiosk.ledger.ledger import Ledger
from kiosk.ledger.pretix_copy import PretixCopy
from kiosk.tickets import codes, pretix_sig1
from kiosk.tickets.pretix_sig1 import Check, Fault, Key, KeyTextError
from kiosk.tickets.shapes import IN_WORDS, Shape, shape_of
from kiosk.tickets.status import Status

MAX_CODE_BYTES = 7_089  # the digits that the largest QR holds
_KEY_FILE_BYTES = 100_000
_SHOWN_CHARS = 40  # of a wrong --pretix-key; no private key is as short
_TIME = "%Y-%m-%d %H:%M %Z"

Window = Literal["open", "not_yet", "over"]


class CodeError(PlatypusError, ValueError):
    """What was given is no code at all: nothing, or more than a QR holds."""

    code = "code"


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What pretix's signature is worth, and what the code says of its ticket. Without a key nobody vouches for that."""

    is_valid: bool  # a key fits; nothing is said of its hours, nor of canceled orders
    fault: Fault | None
    says: str
    key: str | None = None  # its fingerprint
    key_number: int | None = None  # among those given, the first being 1
    seed: str | None = None
    item: int | None = None
    variation: int | None = None
    subevent: int | None = None
    valid_from: datetime | None = None  # aware, in the venue's zone
    valid_until: datetime | None = None
    window: Window | None = None  # by this machine's clock; None: good at any time, or unreadable


class KnownTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket of the ledger that has this code."""

    event: str  # its short name
    event_name: str
    is_of_this_event: bool  # the one that the door is set to
    number: int
    holder: str | None
    product: str | None
    status: Status
    valid_from: datetime | None  # aware, in the venue's zone
    valid_until: datetime | None
    persons: int  # whom it admits
    entries: int  # how often it came in
    inside: int  # people inside by it now
    last_at: datetime | None  # its last movement


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a code."""

    code: str  # cleaned, as the door compares it
    length: int  # bytes of that
    shape: Shape
    shape_says: str
    signature: Signature | None  # None: it has not that form
    event: str | None  # the one that the door is set to
    tickets: Sequence[KnownTicket]
    ledger_says: str

    @property
    def is_good(self) -> bool:
        """Whether it is a ticket of this event, or signed; not whether its guest may enter."""
        is_signed = self.signature is not None and self.signature.is_valid
        return is_signed or any(ticket.is_of_this_event for ticket in self.tickets)


def keys_of(given: Sequence[str]) -> Sequence[Key]:
    """The public keys of files and texts, in their order. Raises KeyTextError."""
    found: list[Key] = []
    for number, each in enumerate(given, start=1):
        try:
            found += pretix_sig1.read_keys(_key_text(each))
        except KeyTextError as error:
            shown = repr(each) if len(each) <= _SHOWN_CHARS else f"no. {number} ({len(each)} characters)"
            raise KeyTextError(
                f"--pretix-key {shown}: {error}. A file that is there is read, all else is a key."
            ) from None
    return found


def verify(config_path: Path | None, raw: bytes, keys: Sequence[Key], now: datetime) -> Verification:
    """Say what the code `raw` is. Without `config_path` no ledger is asked, and times are told in UTC.

    `now` is aware. Raises CodeError, ConfigError, LedgerError.
    """
    code = codes.clean(raw)
    if not code:
        raise CodeError("there is no code: give one, or - and one on standard input")
    if len(raw) > MAX_CODE_BYTES:
        raise CodeError(
            f"more than the {MAX_CODE_BYTES:,} characters that a QR holds are no code. Is it the right file?"
        )
    config = load_config(config_path) if config_path is not None else None
    zone = config.dashboard.zone if config is not None else ZoneInfo("UTC")
    tickets, ledger_says, copied = _looked_up(config, code, zone)
    keys = [*keys, *copied]
    shape = shape_of(code)
    is_signed_form = shape is Shape.PRETIX_SIG1
    return Verification(
        code=code.decode("utf-8", errors="replace"),
        length=len(code),
        shape=shape,
        shape_says=IN_WORDS[shape],
        signature=_signature(pretix_sig1.check(code, keys), keys, zone, now) if is_signed_form else None,
        event=config.door.event if config is not None else None,
        tickets=tickets,
        ledger_says=ledger_says,
    )


def as_text(told: Verification) -> str:
    """The same for a person, some lines."""
    lines = [f"{_plain(told.code)} ({told.length} bytes)", told.shape_says]
    if told.signature is not None:
        lines += _signature_lines(told.signature)
    lines += [told.ledger_says, *(line for ticket in told.tickets for line in _ticket_lines(ticket))]
    return "\n".join(lines)


def _key_text(given: str) -> bytes:
    if not os.path.exists(given):  # noqa: PTH110  # a Path raises for a name that is too long, as most keys are
        return os.fsencode(given)
    try:
        with Path(given).open("rb") as file:
            text = file.read(_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise KeyTextError(f"cannot be read: {error.strerror}") from error
    if len(text) > _KEY_FILE_BYTES:
        raise KeyTextError(f"more than {_KEY_FILE_BYTES:,} bytes are no file of keys")
    return text


def _looked_up(config: Config | None, code: bytes, zone: tzinfo) -> tuple[Sequence[KnownTicket], str, Sequence[Key]]:
    """The tickets of the ledger that have this code, what is to be said of them, and the keys of its copy of pretix."""
    if config is None:
        return [], "no ledger was asked: there is no platypus.toml; name one with --config", []
    if not config.ledger_path.exists():  # a look makes nothing
        return [], f"no ledger was asked: there is none at {config.ledger_path}", []
    slug = config.door.event
    with Ledger(config.ledger_path) as ledger:
        found = [_known(bearer, slug, zone) for bearer in ledger.bearers(code)]
        try:
            copy = PretixCopy(ledger, ledger.event(slug))
        except UnknownEvent as error:
            return found, f"the door is set to an event that was never made: {error}", []
        known = copy.read()
        withdrawn = copy.withdrawn(codes.digest(code))
    keys = pretix_at_door.keys_of(known.entrance.keys) if known is not None else ()
    if any(ticket.is_of_this_event for ticket in found):
        return found, f"a ticket of {slug}, which the door is set to", keys
    if found:
        return found, f"no ticket of {slug}, which the door is set to, but of another event", keys
    if withdrawn is not None:
        return found, f"{withdrawn} in pretix, so the copy of {slug} says; no ticket has this code", keys
    return found, f"nobody's: no event of {config.ledger_path} has a ticket with this code", keys


def _known(bearer: Bearer, slug: str, zone: tzinfo) -> KnownTicket:
    ticket = bearer.found.ticket
    return KnownTicket(
        event=bearer.event.slug,
        event_name=bearer.event.name,
        is_of_this_event=bearer.event.slug == slug,
        number=ticket.number,
        holder=ticket.holder,
        product=ticket.product,
        status=ticket.status,
        valid_from=_in_zone(ticket.valid_from, zone),
        valid_until=_in_zone(ticket.valid_until, zone),
        persons=ticket.persons,
        entries=bearer.entries,
        inside=bearer.found.inside,
        last_at=_in_zone(bearer.found.last_at, zone),
    )


def _signature(check: Check, keys: Sequence[Key], zone: tzinfo, now: datetime) -> Signature:
    about = check.payload
    if about is None:
        return Signature(is_valid=False, fault=check.fault, says=check.says)
    return Signature(
        is_valid=check.is_signed,
        fault=check.fault,
        says=check.says,
        key=check.key.fingerprint if check.key is not None else None,
        key_number=keys.index(check.key) + 1 if check.key is not None else None,
        seed=about.seed,
        item=about.item,
        variation=about.variation,
        subevent=about.subevent,
        valid_from=_in_zone(about.valid_from, zone),
        valid_until=_in_zone(about.valid_until, zone),
        window=_window(about.valid_from, about.valid_until, now),
    )


def _window(start: datetime | None, end: datetime | None, now: datetime) -> Window | None:
    if start is None and end is None:
        return None
    if start is not None and now < start:
        return "not_yet"
    return "over" if end is not None and now > end else "open"


def _signature_lines(told: Signature) -> list[str]:
    lines = [told.says]
    if told.key is not None:
        lines.append(f"  key {told.key_number}, fingerprint {told.key}")
    if told.seed is None:
        return lines
    vouched = "" if told.key is not None else ", which nobody vouches for"
    lines.append(
        f"  item {told.item}, variation {told.variation}, subevent {told.subevent}, seed {_plain(told.seed)}{vouched}"
    )
    if told.window is None:
        return [*lines, "  at any hour"]
    state = {"open": "now", "not_yet": "not yet", "over": "no longer"}[told.window]
    return [*lines, f"  {_hours(told.valid_from, told.valid_until)}: {state}, by this machine's clock"]


def _ticket_lines(told: KnownTicket) -> list[str]:
    whose = [_plain(word) for word in (told.holder, told.product) if word]
    times = {0: "never came in", 1: "came in once"}.get(told.entries, f"came in {told.entries} times")
    where = "not inside now"
    if told.inside:
        where = "inside now" if told.persons == 1 else f"{told.inside} of {told.persons} people inside now"
    moved = f", last moved {told.last_at:{_TIME}}" if told.last_at is not None else ""
    lines = [
        f"  {told.event} ({_plain(told.event_name)}), no. {told.number}: {', '.join([*whose, told.status])}",
        f"  {times}, {where}{moved}",
    ]
    hours = _hours(told.valid_from, told.valid_until)
    return [*lines, f"  {hours}"] if hours else lines


def _hours(start: datetime | None, end: datetime | None) -> str:
    """A window in words; nothing when there is none."""
    return " ".join(f"{word} {moment:{_TIME}}" for word, moment in (("from", start), ("until", end)) if moment)


def _in_zone(moment: datetime | None, zone: tzinfo) -> datetime | None:
    return None if moment is None else moment.astimezone(zone)


def _plain(text: str) -> str:
    """For a terminal, which some characters would command."""
    return text if text.isprintable() else ascii(text)
