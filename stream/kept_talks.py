"""The talks of the agenda's file, which others may replace at any time: read again when it has changed.

It also changes the file, on behalf of whoever saw the agenda as it is: a change made from an older one is refused.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from typing import NamedTuple

from hardware.clock import Clock
from stream.agenda import Agenda, AgendaChanged, AgendaError, AgendaFile, AgendaNotKept, Talk, UnknownTalk, revision_of
from stream.agenda_words import undo_words
from stream.talks import TalkInfo

log = logging.getLogger(__name__)

_LOOK_PERIOD_S = 1.0


class Kept(NamedTuple):
    """An agenda with what its readers want to know about it."""

    agenda: Agenda
    revision: str
    undo: str  # what taking back its last change would do, in words; "" when nothing
    version: int | None  # of the file


class KeptTalks:
    """A `Talks` for the director. From any thread; costs a look at the file's date once a second."""

    def __init__(self, file: AgendaFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._changing = threading.Lock()  # apart: who asks for a talk does not wait for a disk
        self._kept = self._read()
        self._looked_s = clock.monotonic()

    def next_after(self, talk_id: str | None) -> TalkInfo | None:
        """The talk after that one; after None, or one that is not known (any more), the one the clock says is due."""
        agenda = self.kept().agenda
        try:
            talk = agenda.next_after(talk_id) if talk_id is not None else _due(agenda, self._clock.stamp().wall)
        except UnknownTalk:
            talk = _due(agenda, self._clock.stamp().wall)
        return _info(talk)

    def talk(self, talk_id: str) -> TalkInfo | None:
        """That talk; None when it is not known (any more)."""
        try:
            return _info(self.kept().agenda.talk(talk_id))
        except UnknownTalk:
            return None

    def kept(self, *, looks_now: bool = False) -> Kept:
        """The agenda; `looks_now`: as it is on the disk this very moment."""
        with self._lock:
            now_s = self._clock.monotonic()
            if looks_now or now_s - self._looked_s >= _LOOK_PERIOD_S:
                self._looked_s = now_s
                if self._file.version != self._kept.version:
                    self._kept = self._read()
            return self._kept

    def replace(self, agenda: Agenda, made_from: str) -> None:
        """Take `agenda`, which somebody made from the revision `made_from`.

        Raises AgendaChanged when it is another one by now, AgendaError, and AgendaNotKept when it holds all the same.
        """
        with self._changing:
            self._check(made_from)
            self._put(agenda)

    def undo(self, made_from: str) -> None:
        """Back to the agenda before the last change; once more, and the change is there again. Raises as `replace`."""
        with self._changing:
            self._check(made_from)
            before = self._file.before()
            if before is None:
                raise AgendaError("The agenda was not changed: there is nothing to undo.")
            self._put(before)

    def bring_forward(self, talk_id: str, after: str | None) -> None:
        """Let the agenda say what happened: this talk came right after that one (None: was the first on stage).

        Those that it came in front of are next. Raises AgendaNotKept when it holds all the same.
        """
        with self._changing:
            behind = self.next_after(after)
            agenda = self.kept(looks_now=True).agenda
            if behind is None or behind.id == talk_id or self.talk(talk_id) is None:
                return
            moved = agenda.move(talk_id, before=behind.id)
            if moved != agenda:
                log.info("agenda event=brought-forward talk=%s before=%s", talk_id, behind.id)
                self._put(moved)

    def _check(self, made_from: str) -> None:
        if self.kept(looks_now=True).revision != made_from:
            raise AgendaChanged(
                "The agenda was changed meanwhile, by another phone or an import. "
                "Look at it as it is now, then press again."
            )

    def _put(self, agenda: Agenda) -> None:
        try:
            self._file.write(agenda)
        except AgendaNotKept:
            with self._lock:
                self._kept = Kept(agenda, revision_of(agenda), "", self._file.version)
            raise
        with self._lock:
            self._kept = self._read()

    def _read(self) -> Kept:
        version = self._file.version  # before it is read: what is replaced in between is read again
        agenda = self._file.read()
        return Kept(agenda, revision_of(agenda), undo_words(self._file.before(), agenda), version)


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
