"""What is known of a recording beside its pictures: a small file next to it, so that it outlives a kill."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from stream.order import Program

log = logging.getLogger(__name__)


class Chapter(msgspec.Struct, frozen=True):
    """From where on what was shown."""

    at_s: float  # after the first picture
    program: Program


class FilmNote(msgspec.Struct, frozen=True, kw_only=True):
    """One recording."""

    begun: str  # ISO 8601, local time with its offset
    title: str = ""
    speaker: str = ""
    chapters: tuple[Chapter, ...] = ()


def note_path(film: Path) -> Path:
    """Where the note of a recording is."""
    return film.with_suffix(".json")


def read_note(film: Path) -> FilmNote | None:
    """The note of a recording; None when there is none, or none that can be read (logged)."""
    try:
        return msgspec.json.decode(note_path(film).read_bytes(), type=FilmNote)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning("film=%s event=note-unreadable cause=%s next=without", film.name, error)
        return None
