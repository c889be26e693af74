"""The form of one talk: what is typed on a phone, to a talk and back; whatever is wrong with it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from stream.agenda import Agenda, AgendaError, Talk, plain_words
from stream.agenda_found import minutes_of

LONGEST = 500  # characters of a text, as Talk has it


class TalkForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields as text, so that what was typed is shown again with what is wrong."""

    title: str = ""
    speaker: str = ""
    starts_at: str = ""  # as <input type="datetime-local"> has it, in the venue's zone
    minutes: str = ""
    room: str = ""
    do_not_record: bool = False

    def put_in(self, talk: Talk, zone: ZoneInfo) -> Talk:
        """`talk` with what was typed. Raises AgendaError in words."""
        texts = {name: plain_words(getattr(self, name)) for name in ("title", "speaker", "room")}
        for name, text in texts.items():
            if len(text) > LONGEST:
                raise AgendaError(f"The {name} has {len(text)} characters, {LONGEST} are the most.")
        if not texts["title"]:
            raise AgendaError("A talk needs a title.")
        return msgspec.structs.replace(
            talk,
            **texts,
            starts_at=_moment(self.starts_at, talk.starts_at, zone),
            minutes=_minutes(self.minutes),
            do_not_record=self.do_not_record,
        )


def form_of(fields: Mapping[str, str]) -> TalkForm:
    """What a phone sent."""
    texts = {name: fields.get(name, "").strip() for name in ("title", "speaker", "starts_at", "minutes", "room")}
    return TalkForm(**texts, do_not_record="do_not_record" in fields)


def filled(talk: Talk, zone: ZoneInfo) -> TalkForm:
    """The form of a talk there is."""
    return TalkForm(
        title=talk.title,
        speaker=talk.speaker,
        starts_at=_local(talk.starts_at, zone) if talk.starts_at else "",
        minutes=str(talk.minutes or ""),
        room=talk.room,
        do_not_record=talk.do_not_record,
    )


def begun(agenda: Agenda, zone: ZoneInfo) -> TalkForm:
    """The form of one more talk: it begins when the last one ends, and is as long."""
    last = agenda.talks[-1] if agenda.talks else None
    if last is None or last.starts_at is None or last.minutes is None:
        return TalkForm()
    ends_at = last.starts_at + timedelta(minutes=last.minutes)
    return TalkForm(starts_at=_local(ends_at, zone), minutes=str(last.minutes), room=last.room)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}"


def _moment(text: str, before: datetime | None, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    if before is not None and text == _local(before, zone):
        return before  # nobody touched it: its seconds, and the hour that a clock shows twice, stay as they were
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise AgendaError(f"The start {text[:40]!r} is not a time such as 2026-11-24 19:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _minutes(text: str) -> int | None:
    if not text:
        return None
    try:
        return minutes_of(text[:40])
    except ValueError as error:
        raise AgendaError(f"The duration: {error}.") from None
