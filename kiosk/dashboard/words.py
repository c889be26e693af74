"""Every sentence about a scan, the door or the stream that a person reads, from states to words.

A `tone` is yes, no, warn or calm; a page gives it a colour and a symbol, never a colour alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from hardware.checks import Check
from kiosk.dashboard.ports import DESK_GATE, Heard
from kiosk.ledger import ScanRow
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


class Status(NamedTuple):
    """What is said about a process or one of its parts."""

    tone: Tone
    title: str
    detail: str = ""


ADMITTED = Answer("yes", "Admitted", "Welcome!", "Come in and take any seat.")
GOODBYE = Answer("calm", "Left", "Goodbye!", "See you next time.")

# Red is a no that stays a no with this ticket; amber is one that a volunteer can often put right.
REFUSALS: dict[str, Answer] = {
    "invalid": Answer("no", "Unknown code", "Unknown code", "Show the QR code of your ticket, or see a volunteer."),
    "unpaid": Answer("warn", "Not paid", "Not paid yet", "Please see a volunteer to settle it."),
    "blocked": Answer("no", "Blocked", "Ticket blocked", "Please see a volunteer."),
    "invalid_time": Answer("warn", "Not valid now", "Not valid at this time", "Check the date, or see a volunteer."),
    "canceled": Answer("no", "Canceled", "Ticket canceled", "Please see a volunteer."),
    "already_redeemed": Answer("no", "Already used", "Already used", "Please see a volunteer."),
    "product": Answer("no", "Other entrance", "Not for this entrance", "Please see a volunteer."),
    "rules": Answer("no", "Not allowed by the rules", "Not allowed now", "Please see a volunteer."),
    "ambiguous": Answer("warn", "Coming or going?", "Coming or going?", "A part of your group is in: see a volunteer."),
    "revoked": Answer("no", "Revoked", "Replaced by a newer ticket", "Show your latest ticket, or see a volunteer."),
    "unapproved": Answer("warn", "Not approved", "Not approved yet", "Please see a volunteer."),
    "error": Answer("warn", "Could not check", "We could not check", "Please try again, or see a volunteer."),
    "full": Answer("warn", "House full", "We are full", "Please see a volunteer. You can watch the stream."),
}

WALK_IN = "walk-in"  # the product that the ledger gives to tickets made at the door

DECISIONS = {
    "undo": "Undone",
    "wait": "Put on the waiting list",
    "unwait": "Taken off the waiting list",
    "release": "Kept seats released",
    "clock": "Clock set by a phone",
}

CAVEATS = {
    "offline": "not checked online",
    "clock_not_trusted": "clock not confirmed",
    "override": "let in against the rules",
}


def answer(reason: str | None, *, is_admitted: bool) -> Answer:
    """The words for a scan; a reason we do not know is said as it came and sends the guest to a volunteer."""
    if is_admitted:
        return ADMITTED
    known = REFUSALS.get(reason or "error")
    return known or Answer("warn", f"Refused: {reason}", "Not admitted", "Please see a volunteer.")


def movement(row: ScanRow) -> Answer:
    """The words for a row of the ledger, whatever it is a row of."""
    if row.kind == "correction":
        return Answer("calm", f"Corrected by {signed(row.delta)}", "", "")
    if row.kind in DECISIONS:
        return Answer("calm", DECISIONS[row.kind], "", "")
    if row.kind == "exit" and row.is_admitted:
        return GOODBYE
    return answer(row.reason, is_admitted=row.is_admitted)


def who(row: ScanRow) -> str:
    """Whom or what a row is about."""
    if row.holder or row.guest:
        return row.holder or row.guest or ""
    if row.kind in {"release", "clock"} or (row.kind == "undo" and row.product is None and not row.delta):
        return "The desk"
    if row.product == WALK_IN or (row.gate == DESK_GATE and row.reason == "full" and row.product is None):
        return "Walk-in"
    if row.kind in {"correction", "undo"} and row.product is None:
        return "Head count"
    return "No ticket" if row.reason == "invalid" else "No name"


def people(count: int) -> str:
    """1 person, 3 people."""
    return "1 person" if count == 1 else f"{count} people"


def signed(count: int) -> str:
    """A change as a person writes it, with a minus that is as wide as the plus."""
    return f"+{count}" if count > 0 else f"\N{MINUS SIGN}{-count}" if count else "±0"


def caveat(code: str) -> str:
    """The words for something a green could not check."""
    return CAVEATS.get(code, code.replace("_", " "))


def seconds(duration_s: float) -> str:
    """A duration as a person says it: 4 s, 3 min, 2 h."""
    if duration_s < 100:
        return f"{duration_s:.0f} s"
    if duration_s < 6000:
        return f"{duration_s / 60:.0f} min"
    return f"{duration_s / 3600:.0f} h"


def is_gone(heard: Heard[DoorState] | Heard[StreamState]) -> bool:
    """Whether the process that said this is taken for gone."""
    return not heard.state.online or heard.age_s > SILENT_S


def door(heard: Heard[DoorState], trouble_s: float) -> Status:
    """The words for a gate. `trouble_s`: how long its camera has not been well."""
    state = heard.state
    if not state.online:
        return Status("no", "Door is off", "Its program is not running: check people in by hand.")
    if heard.age_s > SILENT_S:
        return Status("no", f"No news for {seconds(heard.age_s)}", "The door does not answer: check people in by hand.")
    cause = f" {_sentence(state.cause)}" if state.cause else ""
    match state.camera:
        case "ok":
            # A camera that gives pictures may still come with a cause: the ledger or the panel is in trouble.
            troubles = [_sentence(trouble) for trouble in (state.cause, state.scanner, state.passage) if trouble]
            if troubles:
                return Status("warn", "Camera reads", " ".join(troubles))
            passed = (
                f"Beams: {state.passed_in} in, {state.passed_out} out" if state.passed_in or state.passed_out else ""
            )
            return Status("yes", "Camera reads", passed)
        case "starting":
            return Status("calm", "Camera is starting", cause.strip())
        case "stalled":
            return Status("warn", f"No picture for {seconds(max(1.0, trouble_s))}", f"Check people in by hand.{cause}")
        case "unclear":
            return Status("warn", "Camera cannot see", f"Check people in by hand.{cause}")
        case "lost":
            return Status("no", "Camera lost", f"Check people in by hand.{cause}")


def leg_name(state: LegState) -> str:
    """What a person calls an output."""
    return state.name if state.kind is LegKind.DESTINATION else state.kind.capitalize()


def leg(state: LegState) -> Status:
    """The words for one output of the stream, with its numbers."""
    is_file = _is_file(state)
    said: dict[Health, tuple[Tone, str]] = {
        Health.WAITING: ("calm", "Waiting"),
        Health.CONNECTING: ("warn", "Opening the file" if is_file else "Connecting"),
        Health.LIVE: ("yes", "Writing" if is_file else "Live"),
        Health.BEHIND: ("warn", "Behind"),
        Health.REFUSED: ("no", "Refused"),
        Health.LOST: ("no", "Lost"),
        Health.STOPPED: ("calm", "Stopped"),
    }
    tone, title = said[state.state]
    if state.is_low_rate and state.state is Health.LIVE:
        tone, title = "warn", "Live, with fewer bits"
    parts = [_sentence(part) for part in (state.cause, state.action) if part]
    if state.state is Health.REFUSED and not parts:
        parts.append("Check the key.")
    if state.retry_in_s is not None:
        parts.append(f"Next try in {seconds(state.retry_in_s)}.")
    if numbers := _leg_numbers(state):
        parts.append(" · ".join(numbers))
    return Status(tone, title, " ".join(parts))


def _leg_numbers(state: LegState) -> list[str]:
    """Rounded, so that a page is sent anew when there is something to see."""
    numbers = []
    if state.state in {Health.LIVE, Health.BEHIND}:
        if state.bit_rate_kbps:
            numbers.append(f"{state.bit_rate_kbps / 1000:.1f} Mb/s")
        if state.written_s >= _MINUTE_S:
            numbers.append(f"{state.written_s // _MINUTE_S:.0f} min {'written' if _is_file(state) else 'sent'}")
        for waiting_bytes, where in ((state.queue_bytes, "here"), (state.unsent_bytes, "in the network")):
            if waiting_bytes >= _SEEN_BYTES:
                numbers.append(f"{waiting_bytes / 1e6:.1f} MB wait {where}")
    if state.reconnects:
        numbers.append(f"{state.reconnects} reconnect{'s' * (state.reconnects > 1)}")
    if state.dropped_frames:
        numbers.append(f"{state.dropped_frames} frame{'s' * (state.dropped_frames > 1)} left out")
    return numbers


def _is_file(state: LegState) -> bool:
    return state.kind is LegKind.RECORDING


# What viewers see, by StreamState.program.
PROGRAMS = {
    "starting": "The slate before the start",
    "camera": "The camera",
    "next": "The slate of the next talk",
    "break": "The slate of the break",
    "end": "The slate at the end",
    "hidden": "“We will be right back”",
}


def program(state: StreamState) -> Status:
    """The words for what viewers see now, and why that is not what was asked for."""
    title = PROGRAMS.get(state.program, state.program)
    talk = "" if state.talk is None else _talk(state.talk)
    if state.program_cause:
        return Status("warn", "A slate" if state.on_air == "slate" else title, _sentence(state.program_cause))
    return Status("yes" if state.program == "camera" else "calm", title, talk)


def next_talk(state: StreamState) -> str:
    """Whom the button would introduce."""
    if state.next_talk is None:
        return "The next speaker's slate, then the camera"
    return _talk(state.next_talk)


def _talk(talk: TalkInfo) -> str:
    return f"{talk.title} · {talk.speaker}" if talk.speaker else talk.title


def source(state: SourceState) -> Status | None:
    """The words for the stage camera, or None when there is nothing to say."""
    if state.state is Health.STOPPED or (state.state is Health.LIVE and not state.cause):
        return None
    if state.state is Health.LIVE:
        return Status("warn", "Stage camera works, but", _sentence(state.cause))
    title = {Health.CONNECTING: "starting", Health.WAITING: "waiting"}.get(state.state, "in trouble")
    detail = _sentence(state.cause) if state.cause else "Viewers see nothing new until it is back."
    return Status("warn", f"Stage camera {title}", detail)


# What viewers or the recording lose for as long as it lasts; the others may still come to that.
_GRAVE: frozenset[AlarmCode] = frozenset({"fault", "no-picture", "no-sound", "black", "disk"})


def alarm(said: Alarm) -> Status:
    """The words for something that is wrong with the stream."""
    return Status("no" if said.code in _GRAVE else "warn", _sentence(said.cause), _sentence(said.action))


def sound(state: StreamState) -> Status | None:
    """The words for what viewers hear of the room, with its level; that none comes is an alarm, and said there."""
    room = state.sound
    if any(alarm.code == "no-sound" for alarm in state.alarms):
        return None
    if room.cause:
        return Status("calm", "No sound", _sentence(room.cause))
    if room.peak_db is None:
        return None
    level = f"Peak {signed(round(room.peak_db))} dB."
    return Status("yes", "Heard", level) if room.on_air else Status("calm", "Muted", level)


def films(state: FilmsState) -> Status | None:
    """The words for recordings that become films, or None when there are none."""
    if state.cause:
        return Status("warn", "A film is not made yet", _sentence(state.cause))
    if state.waiting:
        return Status("calm", f"Making {'a film' if state.waiting == 1 else f'{state.waiting} films'}")
    if not state.finished:
        return None
    return Status("yes", f"{state.finished} film{'s' * (state.finished > 1)} ready", "In the folder of the recordings.")


def check(found: Check) -> Status:
    """The words for one thing that the pre-flight tried."""
    short: dict[str, tuple[Tone, str]] = {"ok": ("yes", "Fine"), "attention": ("warn", "Look"), "bad": ("no", "Fails")}
    tone, title = short[found.state]
    return Status(tone, title, " ".join(_sentence(part) for part in (found.says, found.do) if part))


def checked(readiness: Readiness, zone: ZoneInfo) -> str:
    """How far the pre-flight is."""
    if not readiness.is_complete:
        return "Checking: say something into the microphone …"
    return f"Checked at {datetime.fromisoformat(readiness.begun).astimezone(zone):%H:%M}"


def stream(heard: Heard[StreamState] | None) -> Status:
    """The words for the stream as a whole."""
    if heard is None:
        return Status("warn", "No news of the stream", "Its program has not been heard yet.")
    if not heard.state.online:
        return Status("no", "Stream program is off", "It is not running; see to the stream's Pi.")
    if heard.age_s > SILENT_S:
        return Status(
            "no", f"No news for {seconds(heard.age_s)}", "The stream does not answer; it may well be going on."
        )
    if heard.state.order != "live":
        return Status("calm", "Not streaming", "Press Go live when people may watch.")
    wanted = [leg for leg in heard.state.legs if leg.kind is LegKind.DESTINATION]
    live = [leg for leg in wanted if leg.state in {Health.LIVE, Health.BEHIND}]
    if not wanted:
        return Status("yes", "Recording only", "No destination is set up.")
    if len(live) < len(wanted):
        is_lost = any(leg.state in {Health.LOST, Health.REFUSED} for leg in wanted)
        if live:
            return Status("warn", f"Live on {len(live)} of {len(wanted)}")
        return Status("no", "Not live", "Viewers see nothing now.") if is_lost else Status("warn", "Going live")
    if any(leg.state is Health.BEHIND for leg in wanted):
        return Status("warn", "Live, but behind", "The network is slower than the stream.")
    return Status("yes", "Live")


def _sentence(text: str) -> str:
    """`text` with a capital and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")
