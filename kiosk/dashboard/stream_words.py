"""Every sentence about the stream that a person reads, from states to words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk.dashboard.language import _, decimal, ngettext, pgettext, say_later
from kiosk.dashboard.ports import Heard
from kiosk.dashboard.told import sentence
from kiosk.dashboard.words import SILENT_S, Status, Tone, hour, seconds, signed
from stream.alarms import Alarm, AlarmCode
from stream.health import FilmsState, Health, LegKind, LegState, Readiness, SourceState, StreamState
from stream.talks import TalkInfo

_MINUTE_S = 60
_SEEN_BYTES = 100_000  # of film: less is always on its way

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
