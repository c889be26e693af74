"""Every sentence about a scan, a gate or the machine that a person reads, from states to words.

A `tone` is yes, no, warn or calm; a page gives it a colour and a symbol, never a colour alone. Tables hold the English
sentences; functions say them in the language of the moment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from hardware.checks import Check
from kiosk.dashboard.language import _, ngettext, pgettext, say_later
from kiosk.dashboard.ports import DESK_GATE, Heard
from kiosk.dashboard.told import sentence, told
from kiosk.ledger import KnownTime, ScanRow
from kiosk.news import DoorState
from stream.health import StreamState

Tone = Literal["yes", "no", "warn", "calm"]

_SHORT = 34  # letters that go into a line of a phone, or hardly more
SILENT_S = 4.0  # a process that says nothing for longer is taken for gone; each says its state every 2 s or less


class Answer(NamedTuple):
    """What is said about a scan."""

    tone: Tone
    short: str  # for the organizer's list
    title: str  # for the attendee, very large
    advice: str  # what the attendee does next

    def said(self) -> Answer:
        """The same in the language of the moment."""
        return Answer(self.tone, *(_(text) if text else "" for text in self[1:]))


class Status(NamedTuple):
    """What is said about a process or one of its parts."""

    tone: Tone
    title: str
    detail: str = ""


ADMITTED = Answer("yes", say_later("Admitted"), say_later("Welcome!"), say_later("Come in and take any seat."))
GOODBYE = Answer("calm", say_later("Left"), say_later("Goodbye!"), say_later("See you next time."))
_VOLUNTEER = say_later("Please see a volunteer.")

# Red is a no that stays a no with this ticket; amber is one that a volunteer can often put right.
REFUSALS: dict[str, Answer] = {
    "invalid": Answer(
        "no",
        say_later("Unknown code"),
        say_later("Unknown code"),
        say_later("Show the QR code of your ticket, or see a volunteer."),
    ),
    "unpaid": Answer(
        "warn", say_later("Not paid"), say_later("Not paid yet"), say_later("Please see a volunteer to settle it.")
    ),
    "blocked": Answer("no", say_later("Blocked"), say_later("Ticket blocked"), _VOLUNTEER),
    "invalid_time": Answer(
        "warn",
        say_later("Not valid now"),
        say_later("Not valid at this time"),
        say_later("Check the date, or see a volunteer."),
    ),
    "canceled": Answer("no", say_later("Canceled"), say_later("Ticket canceled"), _VOLUNTEER),
    "already_redeemed": Answer("no", say_later("Already used"), say_later("Already used"), _VOLUNTEER),
    "product": Answer("no", say_later("Other entrance"), say_later("Not for this entrance"), _VOLUNTEER),
    "rules": Answer("no", say_later("Not allowed by the rules"), say_later("Not allowed now"), _VOLUNTEER),
    "ambiguous": Answer(
        "warn",
        say_later("Coming or going?"),
        say_later("Coming or going?"),
        say_later("A part of your group is in: see a volunteer."),
    ),
    "revoked": Answer(
        "no",
        say_later("Revoked"),
        say_later("Replaced by a newer ticket"),
        say_later("Show your latest ticket, or see a volunteer."),
    ),
    "unapproved": Answer("warn", say_later("Not approved"), say_later("Not approved yet"), _VOLUNTEER),
    "error": Answer(
        "warn",
        say_later("Could not check"),
        say_later("We could not check"),
        say_later("Please try again, or see a volunteer."),
    ),
    "full": Answer(
        "warn",
        say_later("House full"),
        say_later("We are full"),
        say_later("Please see a volunteer. You can watch the stream."),
    ),
}
NOT_ADMITTED = Answer("warn", "", say_later("Not admitted"), _VOLUNTEER)  # for a reason that we do not know

WALK_IN = "walk-in"  # the product that the ledger gives to tickets made at the door

DECISIONS = {
    "undo": say_later("Undone"),
    "wait": say_later("Put on the waiting list"),
    "unwait": say_later("Taken off the waiting list"),
    "release": say_later("Kept seats released"),
    "clock": say_later("Clock set by a phone"),
}

CAVEATS = {
    "offline": say_later("not checked online"),
    "clock_not_trusted": say_later("clock not confirmed"),
    "pretix_copy_old": say_later("pretix not asked for a while"),
    "signature_only": say_later("by its signature alone"),
    "override": say_later("let in against the rules"),
}


def answer(reason: str | None, *, is_admitted: bool) -> Answer:
    """The words for a scan; a reason we do not know is said as it came and sends the guest to a volunteer."""
    if is_admitted:
        return ADMITTED.said()
    known = REFUSALS.get(reason or "error", NOT_ADMITTED).said()
    return known if known.short else known._replace(short=_("Refused: %(reason)s", reason=reason))


def movement(row: ScanRow) -> Answer:
    """The words for a row of the ledger, whatever it is a row of."""
    if row.kind == "correction":
        return Answer("calm", _("Corrected by %(count)s", count=signed(row.delta)), "", "")
    if row.kind in DECISIONS:
        return Answer("calm", _(DECISIONS[row.kind]), "", "")
    if row.kind == "exit" and row.is_admitted:
        return GOODBYE.said()
    return answer(row.reason, is_admitted=row.is_admitted)


def who(row: ScanRow) -> str:
    """Whom or what a row is about."""
    if row.holder or row.guest:
        return row.holder or row.guest or ""
    if row.kind in {"release", "clock"} or (row.kind == "undo" and row.product is None and not row.delta):
        return _("The desk")
    if row.product == WALK_IN or (row.gate == DESK_GATE and row.reason == "full" and row.product is None):
        return _("Walk-in")
    if row.kind in {"correction", "undo"} and row.product is None:
        return _("Head count")
    return _("No ticket") if row.reason == "invalid" else _("No name")


def people(count: int) -> str:
    """1 person, 3 people."""
    return ngettext("%(num)s person", "%(num)s people", count)


def signed(count: int) -> str:
    """A change as a person writes it, with a minus that is as wide as the plus."""
    return f"+{count}" if count > 0 else f"\N{MINUS SIGN}{-count}" if count else "±0"


def caveat(code: str) -> str:
    """The words for something a green could not check."""
    return _(CAVEATS[code]) if code in CAVEATS else code.replace("_", " ")


def seconds(duration_s: float) -> str:
    """A duration as a person says it: 4 s, 3 min, 2 h."""
    if duration_s < 100:
        return f"{duration_s:.0f} s"
    if duration_s < 6000:
        return f"{duration_s / 60:.0f} min"
    return f"{duration_s / 3600:.0f} h"


def product(name: str | None) -> str:
    """What a ticket is for, as its list has it; the word for one made at the door is ours."""
    return _("walk-in") if name == WALK_IN else name or ""


def hour(at: datetime, zone: ZoneInfo) -> str:
    """A time of day at the venue, to the minute."""
    return f"{at.astimezone(zone):%H:%M}"


def is_gone(heard: Heard[DoorState] | Heard[StreamState]) -> bool:
    """Whether the process that said this is taken for gone."""
    return not heard.state.online or heard.age_s > SILENT_S


def door(heard: Heard[DoorState], trouble_s: float) -> Status:
    """The words for a gate. `trouble_s`: how long its camera has not been well."""
    state = heard.state
    if not state.online:
        return Status("no", _("Door is off"), _("Its program is not running: check people in by hand."))
    if heard.age_s > SILENT_S:
        return Status(
            "no",
            _("No news for %(duration)s", duration=seconds(heard.age_s)),
            _("The door does not answer: check people in by hand."),
        )
    cause = sentence(state.cause) if state.cause else ""
    by_hand = " ".join(filter(None, (_("Check people in by hand."), cause)))
    match state.camera:
        case "ok":
            # A camera that gives pictures may still come with a cause: the ledger or the panel is in trouble.
            troubles = [sentence(trouble) for trouble in (state.cause, state.scanner, state.passage) if trouble]
            if troubles:
                return Status("warn", _("Camera reads"), " ".join(troubles))
            passed = ""
            if state.passed_in or state.passed_out:
                passed = _("Beams: %(into)s in, %(out)s out", into=state.passed_in, out=state.passed_out)
            return Status("yes", _("Camera reads"), passed)
        case "starting":
            return Status("calm", _("Camera is starting"), cause)
        case "stalled":
            title = _("No picture for %(duration)s", duration=seconds(max(1.0, trouble_s)))
            return Status("warn", title, by_hand)
        case "unclear":
            return Status("warn", _("Camera cannot see"), by_hand)
        case "lost":
            return Status("no", _("Camera lost"), by_hand)


def check(found: Check) -> Status:
    """The words for one thing that the pre-flight tried."""
    short: dict[str, tuple[Tone, str]] = {
        "ok": ("yes", _("Fine")),
        "attention": ("warn", pgettext("check", "Look")),
        "bad": ("no", _("Fails")),
    }
    tone, title = short[found.state]
    return Status(tone, title, " ".join(sentence(part) for part in (found.says, found.do) if part))


def machine(found: Check) -> Status:
    """The same of the machine: there are many, and what is fine needs one line."""
    if found.state != "ok" or len(found.says) > _SHORT:
        return check(found)
    return Status("yes", sentence(found.says), sentence(found.do) if found.do else "")


def check_name(found: Check) -> str:
    """What a person calls a thing that was looked at."""
    name = told(found.name)
    return name[:1].upper() + name[1:]


def clock(time: KnownTime | None, zone: ZoneInfo) -> Status:
    """The words for what time it is, and whether it can be believed. To the minute: pages are sent anew by it."""
    if time is None:
        return Status("warn", _("Unknown"), _("The ledger cannot be read."))
    now = hour(time.wall, zone)
    match time.told_by:
        case "server":
            return Status("yes", now, _("Set by a time server."))
        case "hand":
            return Status("calm", now, _("Set by a phone."))
        case _:
            return Status("warn", now, _("Nobody has confirmed it. Tickets with hours are let in and marked."))


# What a panel shows, by DoorState.panel.
PANELS: dict[str, Status] = {
    "idle": Status("calm", say_later("Dark, waiting")),
    "admitted": Status("yes", say_later("Green: admitted")),
    "noted": Status("yes", say_later("Green with a wink: admitted, look at the phone")),
    "refused": Status("no", say_later("Red: refused")),
    "attention": Status("warn", say_later("Amber: a person has to look")),
    "out_of_order": Status("warn", say_later("Amber: nothing can be read")),
    "test": Status("calm", say_later("Test of the lamps")),
}


def panel(heard: Heard[DoorState]) -> Status:
    """The words for what a gate's panel shows now."""
    if is_gone(heard):
        return Status("no", _("Unknown"), _("The door's program does not answer."))
    shown = PANELS.get(heard.state.panel)
    return Status("calm", heard.state.panel) if shown is None else Status(shown.tone, _(shown.title))
