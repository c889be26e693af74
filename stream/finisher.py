"""Where recordings become films: each that is closed is made an MP4, one at a time, behind everything that is live.

It asks the folders, not the recorder: what a power cut or a kill left is found like what was closed a moment ago.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from hardware.clock import Clock
from hardware.errors import PlatypusError
from hardware.worker import Worker
from stream.disk import Disk
from stream.errors import FilmNotMade
from stream.film_maker import PART, FilmMaker
from stream.film_names import is_ours
from stream.film_note import note_path
from stream.health import FilmsState
from stream.liveness import quiet_s

log = logging.getLogger(__name__)

_LOOK_PERIOD_S = 1.0
_AGAIN_AFTER_S = 60.0  # when there was no room, or it went wrong


class Finisher:
    """Looks after the recordings in `folders` from its start to its end; `work_dir` is for small files of its own.

    `is_being_written` says of a recording that it is not closed yet: from before its file is made.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        work_dir: Path,
        clock: Clock,
        disk: Disk,
        *,
        is_being_written: Callable[[Path], bool],
        reserve_bytes: int,
        event: str = "",
        again_s: float = _AGAIN_AFTER_S,
    ) -> None:
        self._folders = tuple(folder.absolute() for folder in folders)
        self._work_dir = work_dir.absolute()
        self._clock = clock
        self._disk = disk
        self._is_being_written = is_being_written
        self._reserve_bytes = reserve_bytes
        self._event = event
        self._again_s = again_s
        self._state = FilmsState()
        self._finished = 0
        self._troubles: dict[Path, tuple[float, str]] = {}  # when to try again, and what it was
        self._worker: Worker | None = None

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    def start(self) -> None:
        """Begin with what is there."""
        self._worker = Worker("stream-films", self._run)
        self._worker.start()

    def stop(self) -> None:
        """End; a film in work is begun anew the next time. Safe to call twice."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def state(self) -> FilmsState:
        """How far it is."""
        return self._state

    def _run(self, worker: Worker) -> None:
        maker = FilmMaker(worker, self._work_dir, self._clock, self._event)
        self._tidy()
        while not worker.is_stopping:
            worker.tick()
            closed = [path for path in self._found("*.ts") if not self._is_being_written(path)]
            self._troubles = {path: trouble for path, trouble in self._troubles.items() if path in closed}
            now_s = self._clock.monotonic()
            next_one = next((path for path in closed if self._troubles.get(path, (0.0, ""))[0] <= now_s), None)
            self._say(working_on=next_one.name if next_one else None, waiting=len(closed))
            if next_one is None:
                worker.wait(_LOOK_PERIOD_S)
            else:
                self._finish(worker, maker, next_one)

    def _tidy(self) -> None:
        """Clear away what a kill left of a film in work: half a film, or the note of one that is finished."""
        notes = self._found("*.json")  # before the films: a note is made after its film
        films = set(self._found("*.ts"))
        for path in (*self._found(f"*{PART}"), *(note for note in notes if note.with_suffix(".ts") not in films)):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # a stick that came back read-only: it stays until the next start
                log.warning("films event=not-tidied file=%s cause=%s", path.name, error.strerror)

    def _finish(self, worker: Worker, maker: FilmMaker, recording: Path) -> None:
        begun_s = self._clock.monotonic()
        try:
            if not recording.stat().st_size:  # a power cut came between the name and the first byte
                recording.unlink()
                note_path(recording).unlink(missing_ok=True)
                return
            self._check_room(recording)
            self._work_dir.mkdir(parents=True, exist_ok=True)
            film = maker.make(recording)
        except (PlatypusError, OSError) as error:
            if worker.is_stopping:
                return
            log.warning("film=%s event=not-made cause=%s retry_in_s=%.0f", recording.name, error, self._again_s)
            self._troubles[recording] = (self._clock.monotonic() + self._again_s, str(error))
            return
        log.info("film=%s event=made took_s=%.1f", film.name, self._clock.monotonic() - begun_s)
        self._troubles.pop(recording, None)
        self._finished += 1

    def _check_room(self, recording: Path) -> None:
        """Raises FilmNotMade."""
        needed = recording.stat().st_size + self._reserve_bytes - self._disk.free_bytes(recording.parent)
        if needed > 0:
            raise FilmNotMade(
                f"{recording.name} is safe, but there is no room for its MP4: "
                f"make {-(-needed // 1_000_000)} MB free in {recording.parent}."
            )

    def _found(self, pattern: str) -> list[Path]:
        """Our files of this kind, the oldest first. A folder that cannot be read has none."""
        try:
            return sorted(path for folder in self._folders for path in folder.glob(pattern) if is_ours(path))
        except OSError as error:
            log.warning("films event=no-folder cause=%s", error)
            return []

    def _say(self, *, working_on: str | None, waiting: int) -> None:
        cause = next((words for _, words in self._troubles.values()), "")
        self._state = FilmsState(finished=self._finished, working_on=working_on, waiting=waiting, cause=cause)
