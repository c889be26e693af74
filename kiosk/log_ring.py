"""The end of each program's log, kept in files of a fixed size in run_dir, for the page and for `platypus support`.

Where journald keeps the log, it has more (what systemd did, what was said before a start), and is asked first; but this
machine may have none, or not let the dashboard read it.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from hardware.units import PROGRAMS, LogLine, journal
from kiosk.config import Config, usable_parts

log = logging.getLogger(__name__)

FORM = "%(asctime)s %(levelname)s %(name)s %(message)s"
MOST_LINES = 200
_MOST_BYTES = 128_000  # of each of two files; run_dir is in memory
_BEGIN = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) (.*)", re.DOTALL)


class _Ring(RotatingFileHandler):
    """For our group where that shares the folder: there the programs have a user each, and the dashboard reads it."""

    def _open(self) -> TextIOWrapper:
        file = super()._open()
        if Path(self.baseFilename).parent.stat().st_mode & stat.S_ISGID:
            os.fchmod(file.fileno(), 0o640)
        return file

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # its name in logging
        """A full folder must not make each line a traceback: what cannot be kept is on stderr all the same."""
        del record


def keep_log(config_path: Path, program: str) -> None:
    """From now on keep the end of this process' log. Where it cannot be, that is logged, and nothing else changes."""
    folder = usable_parts(config_path).run_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ring = _Ring(folder / f"{program}.log", maxBytes=_MOST_BYTES, backupCount=1, encoding="utf-8")
    except OSError as error:
        log.warning("log event=not-kept folder=%s cause=%r", folder, error.strerror)
        return
    ring.setFormatter(logging.Formatter(FORM))
    logging.getLogger().addHandler(ring)


def newest(config: Config, most: int = MOST_LINES, root: Path = Path("/")) -> Sequence[LogLine]:
    """The newest lines of all programs, oldest first: of journald, else of our own files."""
    return journal(most, root) or _kept(Path(config.run_dir), most)


def _kept(folder: Path, most: int) -> Sequence[LogLine]:
    lines: list[LogLine] = []
    for program in PROGRAMS:
        for path in (folder / f"{program}.log.1", folder / f"{program}.log"):
            try:
                lines += _lines(program, path.read_text(encoding="utf-8", errors="replace"))
            except FileNotFoundError:
                continue
            except OSError as error:
                log.warning("log event=not-read file=%s cause=%r", path.name, error.strerror)
    return sorted(lines, key=lambda line: line.at)[-most:]


def _lines(program: str, text: str) -> Iterator[LogLine]:
    """A traceback belongs to the line before it."""
    held: list[str] = []
    for line in text.splitlines():
        if _BEGIN.match(line) and held:
            yield from _line(program, held)
            held = []
        held.append(line)
    yield from _line(program, held)


def _line(program: str, held: Sequence[str]) -> Iterator[LogLine]:
    begun = _BEGIN.match("\n".join(held))
    if begun is not None:  # else the end of a line whose beginning was thrown away
        at = datetime.strptime(
            begun[1], "%Y-%m-%d %H:%M:%S"
        ).astimezone()  # of this machine's own zone, as it was written
        yield LogLine(at.replace(microsecond=int(begun[2]) * 1000), program, begun[3])
