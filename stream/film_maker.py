"""One recording to an MP4: copied, compared, and only then put in the recording's place.

What is compared: the frames of picture and sound are as many, the length is the same, and the keyframes of beginning
and end can be decoded. A recording that ends in half a frame, as after a power cut, may fail the last as its film does.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from hardware.clock import Clock
from hardware.durable import sync_folder
from hardware.worker import Worker
from stream import copies
from stream.errors import ChildError, FilmNotMade
from stream.film_note import ffmetadata, note_path, read_note
from stream.process import Child

PART = ".mp4.part"
_LOW = ("ionice", "-c", "3", "nice", "-n", "19")  # after everybody else, at the disk and on the processor
_LIMIT_S, _SLOWEST_BYTES_S = 120.0, 500_000  # a child that takes longer than both allow is stuck
_LENGTHS_DIFFER_S = 0.1  # two frames at 20 a second


class _Stream(msgspec.Struct):
    codec_type: str = ""
    nb_read_packets: int = 0
    duration: float = 0.0


class _Streams(msgspec.Struct):
    streams: list[_Stream]


class Contents(NamedTuple):
    """What is in a film: video frames, packets of sound, the length of the picture."""

    frames: int
    sounds: int
    length_s: float


class FilmMaker:
    """Makes one film after the other; `folder` is for what it needs beside them. For the thread of `worker`."""

    def __init__(self, worker: Worker, folder: Path, clock: Clock, event: str) -> None:
        self._worker = worker
        self._folder = folder
        self._clock = clock
        self._event = event

    def make(self, recording: Path) -> Path:
        """The MP4 of a closed recording, which is removed then. Raises FilmNotMade, ChildError, OSError."""
        film = _free(recording.with_suffix(".mp4"))
        part = recording.with_suffix(PART)
        try:
            there = self._contents(recording)
            words = self._folder / "film-words.txt"
            words.write_text(ffmetadata(read_note(recording), self._event, there.length_s), encoding="utf-8")
            self._run("film", copies.film(recording, words, out=part), recording)
            self._compare(recording, there, part)
            with suppress(PermissionError):  # FAT has no owners and no rights
                part.chmod(recording.stat().st_mode & 0o777)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(film)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(film.parent)
        recording.unlink()
        note_path(recording).unlink(missing_ok=True)
        return film

    def _compare(self, recording: Path, there: Contents, part: Path) -> None:
        """Raises FilmNotMade when `part` is not all of the recording."""
        made = self._contents(part)
        if made[:2] != there[:2] or abs(made.length_s - there.length_s) > _LENGTHS_DIFFER_S:
            raise FilmNotMade(f"{recording.name} stays as it is: its MP4 has {made}, not {there}.")
        for of_end in (False, True):
            good = self._can_be_decoded(part, of_end=of_end, length_s=there.length_s)
            if not good and self._can_be_decoded(recording, of_end=of_end, length_s=there.length_s):
                where = "end" if of_end else "beginning"
                raise FilmNotMade(f"{recording.name} stays as it is: the {where} of its MP4 cannot be decoded.")

    def _contents(self, film: Path) -> Contents:
        """Raises FilmNotMade for a file that is no film."""
        out = self._folder / "film-contents.json"
        self._run("film-count", copies.count(film, out=out), film)
        try:
            streams = msgspec.json.decode(out.read_bytes(), type=_Streams, strict=False).streams
        except msgspec.MsgspecError as error:
            raise FilmNotMade(f"{film.name} cannot be counted ({error}): it stays as it is.") from error
        video = next((each for each in streams if each.codec_type == "video"), None)
        audio = next((each for each in streams if each.codec_type == "audio"), _Stream())
        if video is None or not video.nb_read_packets:
            raise FilmNotMade(f"{film.name} has no picture in it: it stays as it is; delete it when it is of no use.")
        return Contents(video.nb_read_packets, audio.nb_read_packets, video.duration)

    def _can_be_decoded(self, film: Path, *, of_end: bool, length_s: float) -> bool:
        try:
            return self._run("film-check", copies.keyframes(film, of_end=of_end, length_s=length_s), film) > 0
        except FilmNotMade:
            return False

    def _run(self, name: str, argv: Sequence[str], film: Path) -> int:
        """Run a child of low priority to its end. Returns how many frames it says. Raises FilmNotMade, ChildError."""
        until_s = self._clock.monotonic() + _LIMIT_S + film.stat().st_size / _SLOWEST_BYTES_S
        with Child(name, [*_LOW, *argv], folder=self._folder) as child:
            while (code := child.wait(0.2)) is None:
                self._worker.tick()
                if self._worker.is_stopping:
                    child.kill()
                    raise ChildError("stopped")
                if self._clock.monotonic() > until_s:
                    child.kill()
                    raise FilmNotMade(f"{film.name} stays as it is: {argv[0]} did not come to an end with it.")
        if code != 0:
            said = [line for line in child.last_lines if "[error]" in line or "[fatal]" in line]
            raise FilmNotMade(f"{film.name} stays as it is: {said[-1] if said else f'exit code {code}'}.")
        return child.progress.frame if child.progress is not None else 0


def _free(film: Path) -> Path:
    """`film`, or the next name that nothing has."""
    number, free = 1, film
    while os.path.lexists(free):
        number += 1
        free = film.with_stem(f"{film.stem}-{number}")
    return free
