"""The one thing to press next: what an organizer with one free thumb most probably wants now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from kiosk.dashboard import words
from kiosk.dashboard.ports import EventFacts, NewsNow
from stream.health import StreamState

Press = Literal["", "preflight", "go_live", "next_talk", "camera", "end", "stop"]

_READY_BEFORE = timedelta(hours=1)  # of the start: before that there is time to look at everything
_LONGEST = timedelta(hours=8)  # an evening whose talks have no times is over after that
_A_TALK = timedelta(hours=1)  # of which nobody has written how long it is
_OVERRUN = timedelta(hours=1)  # who stops by mistake at the end finds the way back


def next_press(event: EventFacts | None, news: NewsNow, now: datetime | None) -> Press:
    """What to press at `now` (aware; None: nobody knows what time it is); "" when nothing, or nobody would hear it."""
    if news.stream is None or words.is_gone(news.stream):
        return ""
    state = news.stream.state
    if state.order != "live":
        return _before(event, news, now)
    match state.program:
        case "starting" | "break":
            return _talk_or_camera(state)
        case "camera" if state.next_talk is not None:
            return "next_talk"
        case "camera" if state.talk is not None:  # it was the last one
            return "end"
        case "hidden" | "next":
            return "camera"
        case "end":
            return "stop"
        case _:  # the camera, and nobody has written down who speaks
            return ""


def _before(event: EventFacts | None, news: NewsNow, now: datetime | None) -> Press:
    starts_at = event.starts_at if event else None
    if starts_at is None or now is None or starts_at - _READY_BEFORE <= now < _over_at(starts_at, news):
        return "go_live"
    return "preflight" if now < starts_at else ""


def _over_at(starts_at: datetime, news: NewsNow) -> datetime:
    """When nobody goes live any more. Talks of another day are an agenda that nobody has changed yet."""
    talks = news.agenda.agenda.talks if news.agenda else ()
    ends = [
        talk.starts_at + (timedelta(minutes=talk.minutes) if talk.minutes else _A_TALK)
        for talk in talks
        if talk.starts_at and talk.starts_at > starts_at - _LONGEST
    ]
    return max(ends, default=starts_at + _LONGEST) + _OVERRUN


def _talk_or_camera(state: StreamState) -> Press:
    if state.next_talk is not None:
        return "next_talk"
    return "camera"
