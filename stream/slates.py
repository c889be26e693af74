"""Slates: what viewers see when they do not see the room, drawn from the look's folder and the agenda.

Flat colours on purpose: a gradient turns into bands at the stream's bit rate, and a flat picture costs it nothing.
"""

from __future__ import annotations

import hashlib
import io
import logging
import tempfile
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol, cast, get_args

from PIL import Image

from hardware.errors import PlatypusError
from stream import look as looks
from stream import look_files
from stream.artist import SlateKind
from stream.lettering import Lettering
from stream.look import BadLook, LogoBox, Look
from stream.settings import Picture
from stream.slate_sheet import COLUMNS, SOFT, Line, Sheet, mixed
from stream.slate_words import SLATE_WORDS, SlateWords

log = logging.getLogger(__name__)

_ROWS = {"starting": 1, "next": 0, "break": 1, "end": 2, "hidden": 0}  # of sponsors
_MOST_PICTURES = 3
_FILES_KEPT = 24  # of eight draws: the director may still be encoding an earlier one


class Shown(Protocol):
    """What a slate shows of a talk."""

    @property
    def title(self) -> str: ...
    @property
    def speaker(self) -> str: ...
    @property
    def starts_at(self) -> datetime | None: ...


class SlateError(PlatypusError, OSError):
    """A slate cannot be written, or there is none of this kind."""

    code = "slate"


class Rota:
    """Whose turn it is among more sponsors than a picture holds: all in their order, and each as often as the next."""

    def __init__(self) -> None:
        self._turn = 0

    def pages(self, names: Sequence[Path], a_page: int) -> list[list[Path]]:
        """Who is on each picture of the next loop; always at least one picture."""
        count = len(names)
        if count <= a_page or a_page < 1:
            return [list(names[: max(0, a_page)])]
        pictures = min(_MOST_PICTURES, -(-count // a_page))
        places = range(self._turn, self._turn + pictures * a_page)
        self._turn = places.stop % count
        turns = [names[place % count] for place in places]
        return [turns[at : at + a_page] for at in range(0, len(turns), a_page)]


class Slates:
    """Draws slates into `out_dir`, from the look in `folder`, which may change at any time.

    `event` is what the evening is called, `zone` the venue's. A picture's name comes from its content: the same path
    is the same picture. Not for several threads at once.
    """

    def __init__(
        self, folder: Path, out_dir: Path, zone: tzinfo, event: str = "", *, lettering: Lettering | None = None
    ) -> None:
        self.event = event
        self.warnings: tuple[str, ...] = ()  # what the last slate had to do without, in words
        self._folder = folder
        self._out_dir = out_dir
        self._zone = zone
        self._logos = LogoBox()
        self._rota = Rota()
        self._lettering = lettering
        self._troubles: list[str] = []

    def draw(
        self, kind: str, talk: Shown | None, starts_at: datetime | None, now: datetime, picture: Picture
    ) -> list[Path]:
        """The PNGs of one loop, to be shown one after the other: several when there are more sponsors than fit.

        `starts_at` is when the event starts ("starting") or goes on ("break"); times are aware. Raises SlateError.
        """
        if kind not in get_args(SlateKind):
            raise SlateError(f"There is no slate {kind!r}; there are: {', '.join(get_args(SlateKind))}.")
        kind = cast("SlateKind", kind)
        try:
            self._out_dir.mkdir(parents=True, exist_ok=True)
            return self._draw(kind, talk, starts_at, now, (picture.width_px, picture.height_px))
        except OSError as error:
            raise SlateError(
                f"The slate cannot be written to {self._out_dir} ({error.strerror or error}): make room there."
            ) from error

    def _draw(
        self,
        kind: SlateKind,
        talk: Shown | None,
        starts_at: datetime | None,
        now: datetime,
        size: tuple[int, int],
    ) -> list[Path]:
        self._troubles = []
        if self._lettering is None:
            self._lettering = Lettering(self._out_dir, self._folder / "fonts")
        self._lettering.forget_troubles()
        look = self._look(self._lettering)
        say = SLATE_WORDS[look.language]
        sponsors, troubles = look_files.sponsor_paths(self._folder)
        self._troubles += troubles
        logos = self._sponsor_logos(sponsors if _ROWS[kind] else [])
        pages = self._rota.pages(list(logos), _ROWS[kind] * COLUMNS)
        sheet = Sheet(size, look, self._lettering)
        rows = -(-max(len(page) for page in pages) // COLUMNS)
        self._head(sheet, self.event if kind != "starting" or not self.event else "")
        sheet.body(_lines(kind, talk, starts_at, now, self._zone, look, say, self.event), rows)
        if rows:
            sheet.sponsor_label(say.sponsors, rows)
        paths = [self._keep(kind, _with_sponsors(sheet, [logos[each] for each in page], rows)) for page in pages]
        said, self.warnings = self.warnings, tuple(self._troubles + self._lettering.troubles)
        for warning in set(self.warnings).difference(said):
            log.warning('slates event=drawn-without kind=%s why="%s"', kind, warning)
        self._forget_old(paths)
        return paths

    def _look(self, lettering: Lettering) -> Look:
        try:
            look = looks.read_look(self._folder)
        except BadLook as error:
            self._troubles.append(f"{error} Until then the slates have the default look.")
            return Look()
        self._troubles += looks.troubles_of(look)
        if not lettering.has_family(look.font):
            self._troubles.append(
                f"look.toml: the font {look.font!r} is not there; another is used. Put its file into fonts/."
            )
        return look

    def _sponsor_logos(self, paths: Sequence[Path]) -> dict[Path, Image.Image]:
        """The logos that can be shown; read here once, as the files may be gone a moment later."""
        logos: dict[Path, Image.Image] = {}
        for path in paths:
            try:
                logos[path] = self._logos.logo(path)
            except ValueError as error:
                self._troubles.append(f"sponsors/{path.name} is left out: {error}.")
        return logos

    def _head(self, sheet: Sheet, event: str) -> None:
        path = look_files.logo_path(self._folder)
        logo = None
        if path is not None:
            try:
                logo = looks.scaled(self._logos.logo(path), sheet.logo_box)
            except ValueError as error:
                self._troubles.append(f"{path.name} is left out: {error}.")
        elif (self._folder / "logo.svg").exists():
            self._troubles.append("logo.svg is left out: save it as logo.png.")
        sheet.head(logo, event)

    def _keep(self, kind: str, drawn: Image.Image) -> Path:
        data = io.BytesIO()
        drawn.save(data, "PNG", compress_level=1)
        content = data.getvalue()
        path = self._out_dir / f"{kind}-{hashlib.blake2b(content, digest_size=8).hexdigest()}.png"
        with tempfile.NamedTemporaryFile(dir=self._out_dir, suffix=".part", delete=False) as file:
            file.write(content)
        Path(file.name).replace(path)  # never half a picture, also for an encoder that reads just now
        return path

    def _forget_old(self, fresh: Sequence[Path]) -> None:
        ours = [path for kind in get_args(SlateKind) for path in self._out_dir.glob(f"{kind}-*.png")]
        ours += self._out_dir.glob("*.part")  # of a draw that was killed
        for path in sorted(ours, key=lambda path: path.stat().st_mtime_ns)[:-_FILES_KEPT]:
            if path not in fresh:
                path.unlink(missing_ok=True)


def _with_sponsors(sheet: Sheet, page: Sequence[Image.Image], rows: int) -> Image.Image:
    finished = sheet.copy()
    for place, logo in enumerate(page):
        sheet.tile(finished, looks.scaled(logo, sheet.tile_room), place, rows)
    return finished


def _lines(
    kind: SlateKind,
    talk: Shown | None,
    starts_at: datetime | None,
    now: datetime,
    zone: tzinfo,
    look: Look,
    say: SlateWords,
    event: str,
) -> list[Line]:
    """What a slate says, from top to bottom."""

    def time(moment: datetime) -> str:
        return say.time(moment.astimezone(zone), now.astimezone(zone))

    def title(text: str, share: float = 0.52) -> Line:
        return Line(text, 0.105, share, look.text, is_bold=True)

    def strong(text: str) -> Line:
        return Line(text, 0.055, 0.15, look.accent, is_bold=True)

    def plain(text: str) -> Line:
        return Line(text, 0.052, 0.2, look.text)

    def soft(text: str) -> Line:
        return Line(text, 0.04, 0.13, mixed(look.text, look.background, SOFT))

    match kind:
        case "starting":
            if starts_at is None:
                return [title(event or say.starts_soon), strong(say.starts_soon if event else "")]
            at = say.starts_at.format(time(starts_at))
            return [title(event or at), strong(at if event else ""), plain(say.countdown(starts_at - now))]
        case "next":
            if talk is None:
                return [title(say.in_a_moment)]
            begins = time(talk.starts_at) if talk.starts_at else ""
            return [strong(say.up_next), title(talk.title), plain(talk.speaker), strong(begins)]
        case "break":
            back = say.back_at.format(time(starts_at)) if starts_at and starts_at > now else say.back_soon
            following = f"{talk.title} \u2013 {talk.speaker}" if talk and talk.speaker else talk.title if talk else ""
            return [title(say.pause, 0.3), strong(back), soft(say.up_next if following else ""), plain(following)]
        case "end":
            return [title(say.thanks, 0.3), plain(look.association or say.see_you), strong(look.website)]
        case "hidden":
            return [title(say.right_back)]
