"""The agenda: the talks of an event in their order on stage, which one the clock says is on, and its durable file.

An agenda read from a file and one typed on the dashboard are the same thing; every change gives a new `Agenda`.

PlatypusError
├── AgendaError (ValueError)        a change that makes no sense
│   ├── UnknownTalk (LookupError)   the agenda has no such talk
│   └── AgendaChanged               it was changed meanwhile by somebody else
└── AgendaNotKept (OSError)         the agenda holds now, but will not survive a power cut
"""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Self

import msgspec

from hardware.durable import write_durably
from hardware.errors import PlatypusError

log = logging.getLogger(__name__)

MOST_TALKS = 500  # a large conference's one room over four days has some 100
MOST_BYTES = 512 * 1024  # written down; 500 talks with 60 letters of title and 30 of speakers have some 130 kB
_UNTIMED_LAST_MINUTES = 60  # how long a last talk without a duration is taken to be on

TalkId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]  # safe in addresses and file names
Words = Annotated[str, msgspec.Meta(max_length=500)]


class AgendaError(PlatypusError, ValueError):
    """A change of the agenda that makes no sense; its text says what to do."""

    code = "agenda"


class UnknownTalk(AgendaError, LookupError):
    """The agenda has no talk of this id; perhaps it was deleted, or another file was read."""

    code = "unknown_talk"


class AgendaChanged(AgendaError):
    """The agenda is not any more what the change was made from."""

    code = "agenda_changed"


class AgendaNotKept(PlatypusError, OSError):
    """The agenda could not be written down for the next boot."""

    code = "agenda_not_kept"


class Talk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One talk. `speaker` joins all names; `do_not_record` is the speaker's wish as the planning tool knows it."""

    id: TalkId
    title: Words
    speaker: Words = ""
    starts_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] | None = None
    room: Words = ""
    do_not_record: bool = False


class Agenda(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The talks in their order on stage, which may differ from the order of their times."""

    event: Words = ""
    talks: Annotated[tuple[Talk, ...], msgspec.Meta(max_length=MOST_TALKS)] = ()

    def __post_init__(self) -> None:
        ids = [talk.id for talk in self.talks]
        if len(set(ids)) < len(ids):
            twice = next(each for each in ids if ids.count(each) > 1)
            raise AgendaError(f"Two talks have the id {twice!r}: each needs its own.")

    def talk(self, talk_id: str) -> Talk:
        """The talk of this id. Raises UnknownTalk."""
        return self.talks[self._place(talk_id)]

    def next_after(self, talk_id: str | None) -> Talk | None:
        """The talk after this one, the first for None; None after the last. Raises UnknownTalk."""
        place = 0 if talk_id is None else self._place(talk_id) + 1
        return self.talks[place] if place < len(self.talks) else None

    def due(self, now: datetime) -> Talk | None:
        """The talk that is on at `now` (aware), by the clock alone; None in a pause, before and after.

        A talk without a duration lasts until the next one begins. Of two that overlap, the one begun last is on.
        """
        timed = sorted(
            ((talk.starts_at, talk) for talk in self.talks if talk.starts_at is not None), key=lambda each: each[0]
        )
        begun = [place for place, (starts_at, _) in enumerate(timed) if starts_at <= now]
        for place in reversed(begun):
            starts_at, talk = timed[place]
            later = [other for other, _ in timed[place + 1 :] if other > starts_at]
            if talk.minutes is not None:
                ends_at = starts_at + timedelta(minutes=talk.minutes)
            else:
                ends_at = later[0] if later else starts_at + timedelta(minutes=_UNTIMED_LAST_MINUTES)
            if now < ends_at:
                return talk
        return None

    def add(
        self,
        *,
        title: str,
        speaker: str = "",
        starts_at: datetime | None = None,
        minutes: int | None = None,
        room: str = "",
    ) -> Self:
        """With one more talk: before the first that begins later, else at the end. Raises AgendaError."""
        if len(self.talks) >= MOST_TALKS:
            raise AgendaError(f"The agenda has {MOST_TALKS} talks, which is all it can have: delete some first.")
        talk = _checked(
            Talk(
                id=free_id(title, {each.id for each in self.talks}),
                title=title.strip(),
                speaker=speaker.strip(),
                starts_at=starts_at,
                minutes=minutes,
                room=room.strip(),
            )
        )
        place = len(self.talks)
        if starts_at is not None:
            later = (n for n, each in enumerate(self.talks) if each.starts_at and each.starts_at > starts_at)
            place = next(later, place)
        return self._with([*self.talks[:place], talk, *self.talks[place:]])

    def change(self, talk: Talk) -> Self:
        """With `talk` in the place of the one that has its id. Raises AgendaError, UnknownTalk."""
        place = self._place(talk.id)
        return self._with([*self.talks[:place], _checked(talk), *self.talks[place + 1 :]])

    def move(self, talk_id: str, *, before: str | None) -> Self:
        """With the talk right before another one, or last for None. Raises UnknownTalk."""
        talk = self.talk(talk_id)
        if before == talk_id:
            return self
        rest = [each for each in self.talks if each.id != talk_id]
        place = len(rest) if before is None else [each.id for each in rest].index(self.talk(before).id)
        return self._with([*rest[:place], talk, *rest[place:]])

    def remove(self, talk_id: str) -> Self:
        """Without the talk. Raises UnknownTalk."""
        place = self._place(talk_id)
        return self._with([*self.talks[:place], *self.talks[place + 1 :]])

    def _with(self, talks: list[Talk]) -> Self:
        return msgspec.structs.replace(self, talks=tuple(talks))

    def _place(self, talk_id: str) -> int:
        for place, talk in enumerate(self.talks):
            if talk.id == talk_id:
                return place
        raise UnknownTalk(f"The agenda has no talk {talk_id!r}: it may have been deleted. Load the agenda again.")


def _checked(talk: Talk) -> Talk:
    """`talk`, when its values are what its types say: msgspec looks at what it reads, not at what we make."""
    if not talk.title.strip():
        raise AgendaError("A talk needs a title.")
    if talk.starts_at is not None and talk.starts_at.tzinfo is None:
        raise AgendaError(f"The start {talk.starts_at:%Y-%m-%d %H:%M} has no time zone.")
    try:
        return msgspec.convert(msgspec.to_builtins(talk), Talk)
    except msgspec.ValidationError as error:
        raise AgendaError(f"The talk {talk.title[:60]!r} cannot be kept: {error}.") from error


def plain_words(text: str) -> str:
    """`text` in one line: blanks squeezed, control characters and half characters left out.

    Joiners and direction marks stay: Persian words and emoji are written with them.
    """
    return " ".join("".join(c if unicodedata.category(c) not in {"Cc", "Cs"} else " " for c in text).split())


def revision_of(agenda: Agenda) -> str:
    """A short name for this very content: another one after each change, the same one when it was undone."""
    return hashlib.blake2b(msgspec.json.encode(agenda), digest_size=8).hexdigest()


def free_id(title: str, taken: set[str]) -> str:
    """An id made of the title's Latin letters, unlike all that are taken: "o-brien", "o-brien-2"."""
    plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].rstrip("-") or "talk"
    counted = (f"{base}-{n}" for n in range(2, len(taken) + 3))
    return next(each for each in (base, *counted) if each not in taken)


class AgendaFile:
    """One small file, replaced as a whole: after a power cut it holds the old agenda or the new one.

    What was replaced last stands beside it (agenda.before.json).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = path.with_suffix(".before.json")

    @property
    def version(self) -> int | None:
        """Another one after each change; None while there is no file."""
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return None

    def read(self) -> Agenda:
        """The agenda as last written; an empty one when there was none yet, or when it cannot be read (logged)."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Agenda)
        except FileNotFoundError:
            return Agenda()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.error("agenda event=unreadable file=%s cause=%s next=an-empty-one", self._path, error)  # noqa: TRY400
            return Agenda()

    def before(self) -> Agenda | None:
        """The agenda that the last one replaced; None when there is none, or none that can be read."""
        try:
            return msgspec.json.decode(self._before.read_bytes(), type=Agenda)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def write(self, agenda: Agenda) -> None:
        """Keep `agenda`: it is on the disk when this returns. Raises AgendaNotKept; AgendaError when it is too long."""
        fresh = msgspec.json.encode(agenda)
        if len(fresh) > MOST_BYTES:
            raise AgendaError(f"The agenda has {len(fresh):,} bytes, {MOST_BYTES:,} are the most: shorten its texts.")
        try:
            old = self._path.read_bytes() if self._path.exists() else fresh
            if old != fresh and _is_whole(old):  # a damaged one must not take the place of the last good one
                write_durably(self._before, old, for_group=True)
            write_durably(self._path, fresh, for_group=True)
        except OSError as error:
            raise AgendaNotKept(
                f"The agenda is changed, but after a power cut it would be the old one: {self._path} cannot be "
                f"written ({error.strerror}). Free some space and press again."
            ) from error


def _is_whole(content: bytes) -> bool:
    try:
        msgspec.json.decode(content, type=Agenda)
    except msgspec.DecodeError:
        return False
    return True
