"""The talks of the agenda's file, which others may replace at any time: read again when it has changed."""

from __future__ import annotations

import threading
from datetime import datetime

from hardware.clock import Clock
from stream.agenda import Agenda, AgendaFile, Talk, UnknownTalk
from stream.talks import TalkInfo

_LOOK_PERIOD_S = 1.0


class KeptTalks:
    """A `Talks` for the director. From any thread; costs a look at the file's date once a second."""

    def __init__(self, file: AgendaFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._version = file.version
        self._agenda = file.read()
        self._looked_s = clock.monotonic()

    def next_after(self, talk_id: str | None) -> TalkInfo | None:
        """The talk after that one; after None, or one that is not known (any more), the one the clock says is due."""
        agenda = self._fresh()
        try:
            talk = agenda.next_after(talk_id) if talk_id is not None else _due(agenda, self._clock.stamp().wall)
        except UnknownTalk:
            talk = _due(agenda, self._clock.stamp().wall)
        return _info(talk)

    def talk(self, talk_id: str) -> TalkInfo | None:
        """That talk; None when it is not known (any more)."""
        try:
            return _info(self._fresh().talk(talk_id))
        except UnknownTalk:
            return None

    def _fresh(self) -> Agenda:
        with self._lock:
            now_s = self._clock.monotonic()
            if now_s - self._looked_s >= _LOOK_PERIOD_S:
                self._looked_s = now_s
                version = self._file.version
                if version != self._version:
                    self._version, self._agenda = version, self._file.read()
            return self._agenda


def _due(agenda: Agenda, now: datetime) -> Talk | None:
    """The talk that is on, else the first that has not begun; an agenda that is over, or has no times, begins anew."""
    later = (talk for talk in agenda.talks if talk.starts_at is not None and talk.starts_at > now)
    return agenda.due(now) or next(later, None) or agenda.next_after(None)


def _info(talk: Talk | None) -> TalkInfo | None:
    if talk is None:
        return None
    return TalkInfo(
        id=talk.id,
        title=talk.title,
        speaker=talk.speaker,
        starts_at=talk.starts_at,
        do_not_record=talk.do_not_record,
    )
