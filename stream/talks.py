"""The talks, as far as the program needs them: who is on, who is next. The agenda itself is somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class TalkInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One talk, for slates and pages."""

    id: str
    title: str
    speaker: str = ""
    starts_at: datetime | None = None  # aware
    do_not_record: bool = False  # the speaker's wish: it may be streamed, and is in no file


class Talks(Protocol):
    """The talks of the evening, in their order. Answers at once, out of memory, from any thread, and never fails."""

    def next_after(self, talk_id: str | None) -> TalkInfo | None:
        """The talk after that one; after None, or one that is not known (any more), the one to begin with."""

    def talk(self, talk_id: str) -> TalkInfo | None:
        """That talk; None when it is not known (any more)."""


class FixedTalks:
    """Talks in a fixed order: the fake, and without any talks what is there when there is no agenda."""

    def __init__(self, talks: Sequence[TalkInfo] = ()) -> None:
        self._talks = tuple(talks)

    def next_after(self, talk_id: str | None) -> TalkInfo | None:
        ids = [each.id for each in self._talks]
        number = ids.index(talk_id) + 1 if talk_id in ids else 0
        return self._talks[number] if number < len(ids) else None

    def talk(self, talk_id: str) -> TalkInfo | None:
        return next((each for each in self._talks if each.id == talk_id), None)
