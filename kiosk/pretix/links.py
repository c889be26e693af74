"""Which event of ours is which check-in list of which pretix server, with the token of this device; for us alone."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import msgspec

from hardware.durable import write_durably
from hardware.errors import PlatypusError


class LinkError(PlatypusError, OSError):
    """The file of links cannot be read or written; its text says why."""

    code = "pretix_link"


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device that is enrolled, and the check-in list that was chosen for it."""

    url: str
    organizer: str
    device_id: int
    serial: str  # by which pretix's pages name the device
    name: str
    token: str
    event: str = ""  # pretix's short name; "": none was chosen yet
    event_name: str = ""
    checkin_list: int = 0
    list_name: str = ""

    @property
    def is_chosen(self) -> bool:
        """Whether it is known which tickets are meant."""
        return bool(self.event and self.checkin_list)

    def __repr__(self) -> str:
        return f"Link({self.url} {self.organizer} {self.event} {self.checkin_list}, device {self.device_id})"


class Links:
    """The file; every look reads it, since the command line changes it too. Every method raises LinkError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, event: str) -> Link | None:
        """That of one of our events, by its short name."""
        return self._read().get(event)

    def put(self, event: str, link: Link | None) -> None:
        """Keep it, or none. Durable when this returns."""
        with self._lock:
            links = self._read()
            if links.get(event) == link:
                return
            others = {slug: each for slug, each in links.items() if slug != event}
            self._write(others if link is None else {**others, event: link})

    def try_writing(self) -> None:
        """Raise LinkError when nothing could be kept here: a code that is good once is not to be spent in vain."""
        with self._lock:
            self._write(self._read())

    def _read(self) -> dict[str, Link]:
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
            if mode & 0o077:
                raise LinkError(f"{self._path} may be read by others (mode {mode:04o}): chmod 600 {self._path}")
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Link])
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError as error:
            why = str(error).partition(" - at")[0]
            raise LinkError(f"{self._path} is damaged ({why}): remove it, and enrol this device again") from error
        except OSError as error:
            if isinstance(error, LinkError):
                raise
            raise LinkError(
                f"{self._path} cannot be read: {error.strerror}. Does it belong to another user?"
            ) from error

    def _write(self, links: dict[str, Link]) -> None:
        try:
            write_durably(self._path, msgspec.json.format(msgspec.json.encode(links)) + b"\n")
        except OSError as error:
            raise LinkError(f"{self._path} cannot be written: {error.strerror}. Is the disk full?") from error
