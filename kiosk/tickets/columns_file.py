"""The columns that somebody chose for a list, so that the next list with the same headings need not be explained."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from hardware.durable import write_durably
from kiosk.tickets.sheet import fold

log = logging.getLogger(__name__)

_MOST = 100  # kinds of lists; the oldest is forgotten


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a list is to be understood, where that is not found out by itself."""

    columns: dict[str, str] = {}  # our word -> the list's heading, "" for none
    source: str = ""  # name of the ticket system; "": as the headings say
    by_name: bool = False  # its people have no codes: they get tickets of our own


class ColumnsFile:
    """Choices by headings, in a small file. It saves a question and no more: what is damaged is forgotten."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def choice(self, headings: Sequence[str]) -> Choice | None:
        """What was chosen for a list with these headings; None when nothing was."""
        return self._read().get(key_of(headings))

    def remember(self, headings: Sequence[str], choice: Choice) -> None:
        """Keep a choice. Raises OSError."""
        kept = {key: each for key, each in self._read().items() if key != key_of(headings)}
        kept[key_of(headings)] = choice
        newest = dict(list(kept.items())[-_MOST:])
        write_durably(self._path, msgspec.json.format(msgspec.json.encode(newest)) + b"\n")

    def _read(self) -> Mapping[str, Choice]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Choice])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("file=%s event=not-read cause=%s next=as-if-empty", self._path, error)
            return {}


def key_of(headings: Sequence[str]) -> str:
    """The same for lists with the same headings, whatever their case."""
    return hashlib.sha256("\n".join(fold(each) for each in headings).encode()).hexdigest()[:32]
