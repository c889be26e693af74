"""Chunks into files: a new one for each take, and another folder when one fails. No threads.

What was written since the keyframe before the last sync is kept in memory: should a disk fail, the next file begins
with it, so that nothing is lost between the two; some pictures are then in both. (Of a disk that is only full, what it
took is safe, and the next file begins with the last keyframe.)
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from hardware.clock import Clock
from stream import mpegts
from stream.disk import Disk, RecordingFile
from stream.film_names import bare_stem, stem_of
from stream.film_note import Chapter, FilmNote, note_path
from stream.mpegts import TICKS_PER_S, ticks_between
from stream.takes import Take
from stream.tap import Chunk

log = logging.getLogger(__name__)

# Files go back to an earlier folder only when it has this much above the reserve: 3 min at 2.6 Mb/s, or they would hop.
WORTH_BYTES = 60_000_000
_BAD_NAME = (errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG)  # a file system that takes less than is usual


class Films:
    """Writes into the first of `folders` that can be written. For one thread, but for `path`."""

    def __init__(self, folders: Sequence[Path], clock: Clock, disk: Disk, reserve_bytes: int) -> None:
        self.path: Path | None = None  # what is being written; from before it is made until after it is closed
        self.trouble: OSError | None = None  # why an earlier folder was passed over
        self.frames = 0  # video frames written, each counted once
        self.reopened = 0  # files begun because another one failed
        self._folders = tuple(folders)
        self._clock = clock
        self._disk = disk
        self._reserve_bytes = reserve_bytes
        self._take = Take()
        self._next: Take | None = None  # from the next keyframe on
        self._file: RecordingFile | None = None
        self._note: FilmNote | None = None
        self._first_ticks: int | None = None
        self._recent: list[Chunk] = []
        self._uncounted = 0  # frames of the chunk that no folder takes
        self._has_failed = False

    @property
    def is_open(self) -> bool:
        """Whether a file is being written."""
        return self._file is not None

    @property
    def is_wanted(self) -> bool:
        """Whether what comes now may be recorded."""
        return self._take.is_recorded or self._next is not None

    def begin_with(self, take: Take) -> None:
        """What comes first is of `take`."""
        self._take, self._next = take, None

    def follow(self, take: Take) -> None:
        """From the next keyframe on it is `take`; at once, when that must not be recorded."""
        if take.is_recorded:
            self._next = take
            return
        self._take, self._next = take, None
        self.close()

    def put(self, chunk: Chunk) -> None:
        """Write a chunk. Raises OSError when no folder takes it; it is kept then, call `resume`."""
        if chunk.is_keyframe and self._next is not None:
            self._turn_to(self._next, chunk)
        if not self._take.is_recorded or not (self._recent or chunk.is_keyframe):
            return
        self._recent.append(chunk)
        self._uncounted = chunk.frames
        if self._file is not None:
            try:
                self._file.write(chunk.data)
            except OSError as error:
                self._fail(error)
        self.resume()

    def resume(self) -> None:
        """Write what could not be written. Raises OSError when no folder takes it."""
        if self._file is None and self._recent:
            self._begin()
        self.frames += self._uncounted
        self._uncounted = 0

    def look(self) -> None:
        """Raises OSError when no folder has room for a file; before there is anything to write."""
        troubles: list[OSError] = []
        for folder in self._folders:
            try:
                return self._check_room(folder)
            except OSError as error:
                troubles.append(error)
        raise troubles[0]

    def tend(self) -> None:
        """Sync, and look for room; call it each second. Raises OSError when no folder is left."""
        if self._file is None or self.path is None:
            return
        try:
            self._sync(self._file)
            self._check_room(self.path.parent)
        except OSError as error:
            self._fail(error)
            self.resume()

    def close(self) -> None:
        """End the file, if there is one. An error is logged: what is lost then, nobody can keep."""
        if self._file is not None and self.path is not None:
            try:
                self._file.close()
            except OSError as error:
                log.error("film=%s event=not-closed cause=%s", self.path.name, error.strerror)  # noqa: TRY400
            log.info("leg=recording event=closed file=%s", self.path.name)
        self._file = self.path = None
        self._recent.clear()
        self._uncounted = 0

    def _turn_to(self, take: Take, chunk: Chunk) -> None:
        """`chunk` is the first of `take`."""
        if take.number != self._take.number or not self._take.is_recorded:
            self.close()
        elif take.program != self._take.program:
            self._add_chapter(take, chunk)
        self._take, self._next = take, None

    def _begin(self) -> None:
        """A file in the first folder that takes one. Raises the OSError of the first that does not."""
        troubles: dict[Path, OSError] = {}
        for folder in sorted(self._folders, key=lambda each: self._nearly_full(each) is not None):
            try:
                self._open(folder)
            except OSError as error:
                troubles[folder] = error
            else:
                first = self._folders[0]
                self.trouble = None if folder == first else troubles.get(first) or self._nearly_full(first)
                self.reopened += self._has_failed
                self._has_failed = False
                return
        self._has_failed = True
        raise next(iter(troubles.values()))

    def _nearly_full(self, folder: Path) -> OSError | None:
        """Why a folder should rather not get a new file; None when it should."""
        try:
            free = self._disk.free_bytes(folder)
        except OSError as error:
            return error
        return None if free >= self._reserve_bytes + WORTH_BYTES else _full(free)

    def _open(self, folder: Path) -> None:
        """A file in `folder` with all that is still to be written. Raises OSError, and leaves nothing then."""
        self._check_room(folder)
        begun = self._clock.stamp().wall.astimezone()
        try:
            path, file = self._create(folder, stem_of(begun, self._take.talk))
        except OSError as error:
            if error.errno not in _BAD_NAME:
                raise
            path, file = self._create(folder, bare_stem(begun))
        try:
            file.write(b"".join(chunk.data for chunk in self._recent))
        except OSError:
            with suppress(OSError):
                file.close()
            with suppress(OSError):
                self._disk.remove(path)
            self.path = None
            raise
        self._file = file
        log.info("leg=recording event=live file=%s", path.name)
        talk = self._take.talk
        self._first_ticks = mpegts.first_ticks(self._recent[0].data)
        self._note = FilmNote(
            begun=begun.isoformat(timespec="seconds"),
            title=talk.title if talk else "",
            speaker=talk.speaker if talk else "",
            chapters=(Chapter(0.0, self._take.program),),
        )
        self._keep_note()

    def _create(self, folder: Path, stem: str) -> tuple[Path, RecordingFile]:
        """A file of a name that nothing has. A clock that was set back must not cost an older recording."""
        for number in range(1, 1000):
            path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.ts"
            if self._disk.exists(path.with_suffix(".mp4")):
                continue
            self.path = path
            try:
                return path, self._disk.create(path)
            except FileExistsError:
                continue
            except OSError:
                self.path = None
                raise
        self.path = None
        raise FileExistsError(errno.EEXIST, "a thousand recordings of the same second", str(folder))

    def _add_chapter(self, take: Take, chunk: Chunk) -> None:
        ticks = mpegts.first_ticks(chunk.data)
        if self._note is None or ticks is None or self._first_ticks is None:
            return
        at_s = round(ticks_between(ticks, self._first_ticks) / TICKS_PER_S, 3)
        chapters = (*self._note.chapters, Chapter(at_s, take.program))
        self._note = msgspec.structs.replace(self._note, chapters=chapters)
        self._keep_note()

    def _keep_note(self) -> None:
        """Durable, like the film; without it the film is as good, and plainer."""
        if self.path is None or self._note is None:
            return
        try:
            self._disk.write_note(note_path(self.path), msgspec.json.encode(self._note))
        except OSError as error:
            log.warning("film=%s event=note-not-kept cause=%s next=plainer", self.path.name, error.strerror)

    def _fail(self, error: OSError) -> None:
        """Leave a file that cannot be written on; what it may lack is in `_recent`."""
        self._has_failed = True
        log.error("leg=recording event=failed file=%s cause=%s", self.path and self.path.name, error.strerror)
        if self._file is not None:
            with suppress(OSError):  # a full disk still keeps what it has taken, a dead one not even that
                self._sync(self._file)
            with suppress(OSError):
                self._file.close()
        self._file = self.path = None

    def _sync(self, file: RecordingFile) -> None:
        file.sync()
        keys = [at for at, chunk in enumerate(self._recent) if chunk.is_keyframe]
        del self._recent[: keys[-1]]

    def _check_room(self, folder: Path) -> None:
        free = self._disk.free_bytes(folder)
        if free < self._reserve_bytes:
            raise _full(free)


def _full(free_bytes: int) -> OSError:
    return OSError(errno.ENOSPC, f"{free_bytes // 1_000_000} MB left")


def words(error: OSError) -> str:
    """What is wrong with a disk, for a person."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({error.strerror})"
    return f"the disk cannot be written ({error.strerror or os.strerror(error.errno or 0)})"
