"""The durable order: what the organizer wants of the stream and of its program, kept over a power cut."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from hardware.durable import write_durably
from stream.errors import OrderNotKept
from stream.talks import TalkInfo

log = logging.getLogger(__name__)

_SAME_EVENING = timedelta(hours=12)  # well below the 26 hours after which the timeline's numbers begin anew

Program = Literal["starting", "camera", "next", "break", "end", "hidden"]


class Scene(msgspec.Struct, frozen=True):
    """What viewers are to see: the camera or a slate, and during which talk."""

    program: Program = "camera"
    talk: str | None = None  # its id; None before the first one, or without an agenda
    then: str | None = None  # the talk that was made the next one; None: the agenda says which

    @property
    def has_room_sound(self) -> bool:
        """Whether viewers are to hear the room: program.py has the table."""
        return self.program in ("camera", "next")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """To be live, or not, and with what. A file from before there were programs has no more than these two."""

    do: Literal["live", "stopped"]
    since: str  # when that was ordered, ISO 8601 UTC; a change of the program is no new order
    program: Program = "camera"
    talk: str | None = None
    then: str | None = None
    before: Scene | None = None  # what undo goes back to
    remembered: tuple[TalkInfo, ...] = ()  # the talks of both scenes, as the agenda last had them

    def remembers(self, talk_id: str | None) -> TalkInfo | None:
        """That talk, though it may have been deleted from the agenda: its speaker's wish still holds."""
        return next((each for each in self.remembered if each.id == talk_id), None)

    @property
    def scene(self) -> Scene:
        """What viewers are to see while live."""
        return Scene(self.program, self.talk, self.then)

    def age_s(self, now: datetime) -> float:
        """Seconds since it was given, at `now` (aware); 0 when the clock was set back, or for another evening's."""
        try:
            age = now - datetime.fromisoformat(self.since)
        except (ValueError, TypeError):  # somebody edited the file
            return 0.0
        return age / timedelta(seconds=1) if timedelta(0) <= age < _SAME_EVENING else 0.0


class OrderFile:
    """One small file, replaced as a whole: after a power cut it holds the old order or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Order | None:
        """The last order; None when there was none yet, or when it cannot be read (logged)."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Order)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError):
            log.exception("stream event=order-unreadable file=%s next=as-if-new", self._path)
            return None

    def write(self, order: Order) -> None:
        """Keep `order`: it is on the disk when this returns. Raises OrderNotKept."""
        try:
            write_durably(self._path, msgspec.json.encode(order), for_group=True)
        except OSError as error:
            raise OrderNotKept(
                f"The stream does as told, but after a power cut it would not know: {self._path} cannot be written "
                f"({error.strerror}). Free some space and press again."
            ) from error
