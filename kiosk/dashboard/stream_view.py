"""What pages show of the stream: what viewers see and hear, the legs, what is wrong, and what may be pressed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from kiosk.dashboard import stream_words, talks_view, words
from kiosk.dashboard.language import _
from kiosk.dashboard.ports import NewsNow
from kiosk.dashboard.talks_view import TalkLine
from kiosk.dashboard.told import told
from kiosk.dashboard.words import Status, Tone
from stream.health import Health, LegKind, Readiness, SoundState, StreamState

_SAY_THE_SOURCE = {"no-picture", "slow"}  # alarms that say all that the line of the stage camera would
_QUIETEST_DB = -60  # where the meter begins: what counts as silence (stream/sound_watch.py)
_LOUD_DB = -6  # half of full scale: one that comes nearer clips at the next laugh
_TALKS = 4  # on the page of the stream; all of them have a page of their own


class StatusLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing and how it stands."""

    key: str
    name: str
    tone: Tone
    title: str
    detail: str = ""


class LevelView(msgspec.Struct, frozen=True, kw_only=True):
    """The meter of the room's sound. Whole dBFS, so that a page is sent anew when there is something to see."""

    is_known: bool = False
    peak: int = _QUIETEST_DB
    rms: int = _QUIETEST_DB
    text: str = ""
    tone: Tone = "calm"


class StreamView(msgspec.Struct, frozen=True, kw_only=True):
    """The stream, on any page that shows it."""

    tone: Tone
    title: str
    detail: str
    since: str
    lines: tuple[StatusLine, ...]
    level: LevelView = LevelView()
    viewers: StatusLine | None = None  # what they see now; None when there is nothing to see
    has_preview: bool = False  # a picture of it may be there
    alarms: tuple[StatusLine, ...] = ()  # the worst first: what is wrong, and what to do
    checked: str = ""  # how far the pre-flight is; "" when nobody asked, or viewers watch
    checks: tuple[StatusLine, ...] = ()  # what it found
    talks: tuple[StatusLine, ...] = ()  # who is on stage, and who comes
    can_start: bool
    can_stop: bool
    can_retry: bool
    can_hide: bool = False  # viewers may see the room
    has_next: bool = True  # not after the last talk of the agenda
    next_talk: str = ""  # whom the button would introduce
    undo: str = ""  # what the button would do


def stream_view(news: NewsNow, now: datetime | None, zone: ZoneInfo) -> StreamView:
    """The stream of this moment; times in `zone`."""
    heard = news.stream
    said = stream_words.stream(heard)
    if heard is None:
        return StreamView(
            tone=said.tone, title=said.title, detail=said.detail, since="", lines=(),
            can_start=True, can_stop=True, can_retry=False,
        )  # fmt: skip
    state = heard.state
    wants_live = state.order == "live"
    is_gone = words.is_gone(heard)
    viewers: StatusLine | None = None
    readiness: Readiness | None = None
    alarms = () if is_gone else state.alarms
    if not is_gone:  # what a process that is gone has said last is not shown: it would look alive
        if wants_live and state.program:
            viewers = status("program", _("Viewers see"), stream_words.program(state))
        readiness = None if wants_live else state.readiness
    return StreamView(
        tone=said.tone,
        title=said.title,
        detail=said.detail,
        since=_since(state, zone) if wants_live else "",
        lines=() if is_gone else _lines(state),
        level=LevelView() if is_gone else _level(state.sound),
        viewers=viewers,
        has_preview=viewers is not None and any(leg.kind is LegKind.PREVIEW for leg in state.legs),
        alarms=tuple(status(alarm.code, "", stream_words.alarm(alarm)) for alarm in alarms),
        checked=stream_words.checked(readiness, zone) if readiness else "",
        checks=tuple(status(found.name, words.check_name(found), words.check(found)) for found in readiness.checks)
        if readiness
        else (),
        talks=_talks(news, now, zone),
        can_start=not wants_live,
        can_stop=wants_live,
        can_hide=wants_live and not is_gone and state.program != "hidden",
        has_next=state.next_talk is not None or state.talk is None,
        next_talk=stream_words.next_talk(state),
        undo=_capital(state.undo),
        can_retry=wants_live and any(leg.state in {Health.LOST, Health.REFUSED} for leg in state.legs),
    )


def status(key: str, name: str, said: Status) -> StatusLine:
    """A line of what is said about a thing."""
    return StatusLine(key=key, name=name, tone=said.tone, title=said.title, detail=said.detail)


def _lines(state: StreamState) -> tuple[StatusLine, ...]:
    wants_live = state.order == "live"
    lines: list[StatusLine] = []
    source = stream_words.source(state.source)
    if source is not None and wants_live and not {alarm.code for alarm in state.alarms} & _SAY_THE_SOURCE:
        lines.append(status("source", _("Stage camera"), source))
    sound = stream_words.sound(state)
    if sound is not None and wants_live:
        lines.append(status("sound", _("Sound"), sound))
    films = stream_words.films(state.films)
    if films is not None:
        lines.append(status("films", _("Films"), films))
    lines += [
        status(f"{leg.kind}-{leg.name}", stream_words.leg_name(leg), stream_words.leg(leg))
        for leg in state.legs
        if leg.kind is not LegKind.PREVIEW or leg.state in {Health.LOST, Health.BEHIND}  # else its picture says it
    ]
    return tuple(lines)


def _level(sound: SoundState) -> LevelView:
    if sound.peak_db is None:
        return LevelView()
    rms_db = _QUIETEST_DB if sound.rms_db is None else sound.rms_db
    peak, rms = (max(_QUIETEST_DB, min(0, round(each))) for each in (sound.peak_db, rms_db))
    tone: Tone = "no" if peak >= 0 else "warn" if peak > _LOUD_DB else "calm" if peak == _QUIETEST_DB else "yes"
    return LevelView(is_known=True, peak=peak, rms=rms, text=f"{words.signed(peak) if peak else 0} dB", tone=tone)


def _talks(news: NewsNow, now: datetime | None, zone: ZoneInfo) -> tuple[StatusLine, ...]:
    lines = talks_view.compose(news, now, zone).lines
    marked = [number for number, line in enumerate(lines) if line.state]
    first = min(marked, default=0)
    return tuple(_talk(line) for line in lines[first : first + _TALKS])


def _talk(line: TalkLine) -> StatusLine:
    detail = " · ".join(part for part in (line.speaker, line.about, line.state) if part)
    return StatusLine(key=line.id, name=line.time or "\N{EN DASH}", tone=line.tone, title=line.title, detail=detail)


def _since(state: StreamState, zone: ZoneInfo) -> str:
    if state.since is None:
        return _("Ordered: live")
    return _("Ordered live since %(time)s", time=words.hour(datetime.fromisoformat(state.since), zone))


def _capital(text: str) -> str:
    text = told(text)
    return text[:1].upper() + text[1:]
