"""Every sentence about a scan, the door or the stream that a person reads, from states to words.

A `tone` is yes, no, warn or calm; a page gives it a colour and a symbol, never a colour alone. Tables hold the English
sentences; functions say them in the language of the moment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from hardware.checks import Check
from kiosk.dashboard.language import _, decimal, ngettext, pgettext, say_later
from kiosk.dashboard.ports import DESK_GATE, Heard
from kiosk.dashboard.told import sentence, told
from kiosk.ledger import KnownTime, ScanRow
from kiosk.news import DoorState
from stream.alarms import Alarm, AlarmCode
from stream.health import FilmsState, Health, LegKind, LegState, Readiness, SourceState, StreamState
from stream.talks import TalkInfo

Tone = Literal["yes", "no", "warn", "calm"]

_MINUTE_S = 60
_SEEN_BYTES = 100_000  # of film: less is always on its way
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


LEG_NAMES = {
    LegKind.RECORDING: say_later("Recording"),
    LegKind.PREVIEW: say_later("Preview"),
}


def leg_name(state: LegState) -> str:
    """What a person calls an output."""
    return _(LEG_NAMES[state.kind]) if state.kind in LEG_NAMES else state.name


def leg(state: LegState) -> Status:
    """The words for one output of the stream, with its numbers."""
    is_file = _is_file(state)
    said: dict[Health, tuple[Tone, str]] = {
        Health.WAITING: ("calm", _("Waiting")),
        Health.CONNECTING: ("warn", _("Opening the file") if is_file else _("Connecting")),
        Health.LIVE: ("yes", _("Writing") if is_file else _("Live")),
        Health.BEHIND: ("warn", _("Behind")),
        Health.REFUSED: ("no", pgettext("output", "Refused")),
        Health.LOST: ("no", _("Lost")),
        Health.STOPPED: ("calm", _("Stopped")),
    }
    tone, title = said[state.state]
    if state.is_low_rate and state.state is Health.LIVE:
        tone, title = "warn", _("Live, with fewer bits")
    parts = [sentence(part) for part in (state.cause, state.action) if part]
    if state.state is Health.REFUSED and not parts:
        parts.append(_("Check the key."))
    if state.retry_in_s is not None:
        parts.append(_("Next try in %(duration)s.", duration=seconds(state.retry_in_s)))
    if numbers := _leg_numbers(state):
        parts.append(" · ".join(numbers))
    return Status(tone, title, " ".join(parts))


def _leg_numbers(state: LegState) -> list[str]:
    """Rounded, so that a page is sent anew when there is something to see."""
    numbers = []
    if state.state in {Health.LIVE, Health.BEHIND}:
        if state.bit_rate_kbps:
            numbers.append(_("%(rate)s Mb/s", rate=decimal(state.bit_rate_kbps / 1000)))
        if state.written_s >= _MINUTE_S:
            minutes = f"{state.written_s // _MINUTE_S:.0f}"
            written = _("%(minutes)s min written", minutes=minutes)
            numbers.append(written if _is_file(state) else _("%(minutes)s min sent", minutes=minutes))
        if state.queue_bytes >= _SEEN_BYTES:
            numbers.append(_("%(megabytes)s MB wait here", megabytes=decimal(state.queue_bytes / 1e6)))
        if state.unsent_bytes >= _SEEN_BYTES:
            numbers.append(_("%(megabytes)s MB wait in the network", megabytes=decimal(state.unsent_bytes / 1e6)))
    if state.reconnects:
        numbers.append(ngettext("%(num)s reconnect", "%(num)s reconnects", state.reconnects))
    if state.dropped_frames:
        numbers.append(ngettext("%(num)s frame left out", "%(num)s frames left out", state.dropped_frames))
    return numbers


def _is_file(state: LegState) -> bool:
    return state.kind is LegKind.RECORDING


# What viewers see, by StreamState.program.
PROGRAMS = {
    "starting": say_later("The slate before the start"),
    "camera": say_later("The camera"),
    "next": say_later("The slate of the next talk"),
    "break": say_later("The slate of the break"),
    "end": say_later("The slate at the end"),
    "hidden": say_later("“We will be right back”"),
}


def program(state: StreamState) -> Status:
    """The words for what viewers see now, and why that is not what was asked for."""
    title = _(PROGRAMS[state.program]) if state.program in PROGRAMS else state.program
    talk = "" if state.talk is None else _talk(state.talk)
    if state.program_cause:
        return Status("warn", _("A slate") if state.on_air == "slate" else title, sentence(state.program_cause))
    return Status("yes" if state.program == "camera" else "calm", title, talk)


def next_talk(state: StreamState) -> str:
    """Whom the button would introduce."""
    if state.next_talk is None:
        return _("The next speaker's slate, then the camera")
    return _talk(state.next_talk)


def _talk(talk: TalkInfo) -> str:
    return f"{talk.title} · {talk.speaker}" if talk.speaker else talk.title


def source(state: SourceState) -> Status | None:
    """The words for the stage camera, or None when there is nothing to say."""
    if state.state is Health.STOPPED or (state.state is Health.LIVE and not state.cause):
        return None
    if state.state is Health.LIVE:
        return Status("warn", _("Stage camera works, but"), sentence(state.cause))
    if state.state is Health.CONNECTING:
        title = _("Stage camera starting")
    else:
        title = _("Stage camera waiting") if state.state is Health.WAITING else _("Stage camera in trouble")
    return Status("warn", title, sentence(state.cause) or _("Viewers see nothing new until it is back."))


# What viewers or the recording lose for as long as it lasts; the others may still come to that.
_GRAVE: frozenset[AlarmCode] = frozenset({"fault", "no-picture", "no-sound", "black", "disk"})


def alarm(said: Alarm) -> Status:
    """The words for something that is wrong with the stream."""
    return Status("no" if said.code in _GRAVE else "warn", sentence(said.cause), sentence(said.action))


def sound(state: StreamState) -> Status | None:
    """The words for what viewers hear of the room, with its level; that none comes is an alarm, and said there."""
    room = state.sound
    if any(alarm.code == "no-sound" for alarm in state.alarms):
        return None
    if room.cause:
        return Status("calm", _("No sound"), sentence(room.cause))
    if room.peak_db is None:
        return None
    level = _("Peak %(level)s dB.", level=signed(round(room.peak_db)))
    return Status("yes", _("Heard"), level) if room.on_air else Status("calm", _("Muted"), level)


def films(state: FilmsState) -> Status | None:
    """The words for recordings that become films, or None when there are none."""
    if state.cause:
        return Status("warn", _("A film is not made yet"), sentence(state.cause))
    if state.waiting:
        return Status("calm", ngettext("Making a film", "Making %(num)s films", state.waiting))
    if not state.finished:
        return None
    title = ngettext("%(num)s film ready", "%(num)s films ready", state.finished)
    return Status("yes", title, _("In the folder of the recordings."))


def check(found: Check) -> Status:
    """The words for one thing that the pre-flight tried."""
    short: dict[str, tuple[Tone, str]] = {
        "ok": ("yes", _("Fine")),
        "attention": ("warn", pgettext("check", "Look")),
        "bad": ("no", _("Fails")),
    }
    tone, title = short[found.state]
    return Status(tone, title, " ".join(sentence(part) for part in (found.says, found.do) if part))


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


def checked(readiness: Readiness, zone: ZoneInfo) -> str:
    """How far the pre-flight is."""
    if not readiness.is_complete:
        return _("Checking: say something into the microphone …")
    return _("Checked at %(time)s", time=hour(datetime.fromisoformat(readiness.begun), zone))


def stream(heard: Heard[StreamState] | None) -> Status:
    """The words for the stream as a whole."""
    if heard is None:
        return Status("warn", _("No news of the stream"), _("Its program has not been heard yet."))
    if not heard.state.online:
        return Status("no", _("Stream program is off"), _("It is not running; see to the stream's Pi."))
    if heard.age_s > SILENT_S:
        title = _("No news for %(duration)s", duration=seconds(heard.age_s))
        return Status("no", title, _("The stream does not answer; it may well be going on."))
    if heard.state.order != "live":
        return Status("calm", _("Not streaming"), _("Press Go live when people may watch."))
    wanted = [leg for leg in heard.state.legs if leg.kind is LegKind.DESTINATION]
    live = [leg for leg in wanted if leg.state in {Health.LIVE, Health.BEHIND}]
    if not wanted:
        return Status("yes", _("Recording only"), _("No destination is set up."))
    if len(live) < len(wanted):
        is_lost = any(leg.state in {Health.LOST, Health.REFUSED} for leg in wanted)
        if live:
            return Status("warn", _("Live on %(live)s of %(wanted)s", live=len(live), wanted=len(wanted)))
        if is_lost:
            return Status("no", _("Not live"), _("Viewers see nothing now."))
        return Status("warn", _("Going live"))
    if any(leg.state is Health.BEHIND for leg in wanted):
        return Status("warn", _("Live, but behind"), _("The network is slower than the stream."))
    return Status("yes", _("Live"))
