"""What is known of a recording beside its pictures: a small file next to it, so that it outlives a kill.

In the finished film it becomes title, artist, album, date and chapters (https://ffmpeg.org/ffmpeg-formats.html#Metadata-1
has the format of FFMETADATA).
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Final

import msgspec

from stream.order import Program

log = logging.getLogger(__name__)

_CHAPTERS: Final[dict[Program, str]] = {
    "starting": "Before the start",
    "next": "Introduction",
    "camera": "Camera",
    "break": "Break",
    "end": "End",
    "hidden": "Camera hidden",
}


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


def ffmetadata(note: FilmNote | None, event: str, duration_s: float) -> str:
    """What the finished film is to say of itself, as ffmpeg reads it. `event` is what the evening is called."""
    lines = [";FFMETADATA1"]
    tags = {"album": event}
    if note is not None:
        tags |= {"title": note.title, "artist": note.speaker, "date": note.begun[:10]}
    lines += [f"{key}={_escaped(value)}" for key, value in tags.items() if value]
    chapters = note.chapters if note is not None else ()
    ends = [*(each.at_s for each in chapters[1:]), duration_s]
    for chapter, end_s in zip(chapters, ends, strict=False):
        if end_s > chapter.at_s:
            lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={chapter.at_s * 1000:.0f}", f"END={end_s * 1000:.0f}"]
            is_talk = chapter.program == "camera" and note is not None and note.title
            lines.append(f"title={'Talk' if is_talk else _CHAPTERS[chapter.program]}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return re.sub(r"([=;#\\\n])", r"\\\1", " ".join(text.split()))


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
