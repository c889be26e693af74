"""Where slates are made before they are needed: drawn, rendered by a child of low priority, kept ready to be played.

Nobody waits for it: `best` answers with what is there, in this order: the slate wished for; the same with a countdown
that is one minute off; the same without a countdown; the built-in "We will be right back". Rendered files stay in the
folder, so that after a restart of the process the first answer is no worse.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from hardware.clock import Clock
from hardware.errors import PlatypusError
from hardware.worker import Worker
from stream import graph
from stream.artist import PlainArtist, SlateArtist
from stream.errors import BadSlate, ChildError
from stream.liveness import quiet_s
from stream.process import Child
from stream.settings import Picture
from stream.slate_loop import SlateLoop
from stream.video_coding import VideoCoding
from stream.wishes import Wish

log = logging.getLogger(__name__)

_KEPT = 12  # slates in memory and on the disk, 1 MB each: two for each kind
_AGAIN_AFTER_S = 30.0  # when it could not be made
_RENDER_LIMIT_S = 60.0  # 1280x720 takes 0.9 s of a desktop's core


_BUILT_IN = Wish("hidden")


class Studio:
    """Makes slates from its start to its end. Commands come from any thread and never wait."""

    def __init__(
        self,
        folder: Path,
        picture: Picture,
        clock: Clock,
        artist: SlateArtist | None = None,
        coding: VideoCoding | None = None,
    ) -> None:
        self._folder = folder.absolute()  # its children work in it
        self._coding = coding or VideoCoding.software(picture)
        self._picture = (
            picture  # of the slates that are there: not the coding's before the first, and when that changes
        )
        self._clock = clock
        self._plain = PlainArtist(self._folder)
        self._artist: SlateArtist = artist or self._plain
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._wishes: tuple[Wish, ...] = ()
        self._ready: dict[Wish, SlateLoop] = {}  # the newest last
        self._made: set[Wish] = set()  # those of them that this process made
        self._built_in: SlateLoop | None = None
        self._wait_until_s: dict[Wish, float] = {}  # what could not be made
        self._worker: Worker | None = None

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    def start(self) -> None:
        """Begin with the built-in slate."""
        self._worker = Worker("stream-studio", self._run)
        self._worker.start()

    def stop(self) -> None:
        """End; safe to call twice."""
        if self._worker is not None:
            self._worker.ask_to_stop()
            self._wake.set()
            self._worker.stop()
            self._worker = None

    def want(self, wishes: Sequence[Wish]) -> None:
        """Have these ready, the first one first."""
        with self._lock:
            self._wishes = tuple(wishes)
        self._wake.set()

    def best(self, wish: Wish) -> SlateLoop | None:
        """The best there is for a wish; None only while not even the built-in slate is rendered."""
        with self._lock:
            if self._picture is not self._coding.picture:
                return None
            near = [wish]
            if wish.minutes_left is not None:
                near += [wish._replace(minutes_left=wish.minutes_left + off) for off in (1, -1)]
                near.append(wish.without_countdown)
            return next((self._ready[each] for each in near if each in self._ready), self._built_in)

    def _run(self, worker: Worker) -> None:
        self._tidy()
        artists = (self._plain,) if self._artist is self._plain else (self._artist, self._plain)
        while not worker.is_stopping:
            worker.tick()
            picture = self._coding.picture
            if picture is not self._picture:
                self._begin_with(picture)
                self._built_in = self._load(_BUILT_IN) or self._make(worker, _BUILT_IN, (self._plain,))
                continue
            wish = self._next_wish()
            if wish is None:
                self._wake.wait(0.5)
                self._wake.clear()
                continue
            self._take_from_earlier()
            loop = self._make(worker, wish, artists)
            if picture is not self._coding.picture:
                continue
            if loop is None:
                self._wait_until_s[wish] = self._clock.monotonic() + _AGAIN_AFTER_S
                continue
            self._keep(wish, loop)
            self._made.add(wish)

    def _begin_with(self, picture: Picture) -> None:
        """Everything anew: what goes on air has one encoder."""
        with self._lock:
            self._picture, self._built_in = picture, None
            self._ready.clear()
            self._made.clear()
            self._wait_until_s.clear()

    def _take_from_earlier(self) -> None:
        """What an earlier process made stands in until it is made again; the design may be another by now."""
        with self._lock:
            missing = [each for each in self._wishes if each not in self._ready]
        for wish in missing:
            if (stored := self._load(wish)) is not None:
                self._keep(wish, stored)

    def _next_wish(self) -> Wish | None:
        """The first wish that is not fulfilled, unless that was tried just now."""
        now_s = self._clock.monotonic()
        with self._lock:
            wishes = self._wishes
        self._wait_until_s = {wish: until_s for wish, until_s in self._wait_until_s.items() if until_s > now_s}
        return next((each for each in wishes if each not in self._made and each not in self._wait_until_s), None)

    def _keep(self, wish: Wish, loop: SlateLoop) -> None:
        with self._lock:
            self._ready[wish] = loop
            spare = [each for each in self._ready if each not in self._wishes]
            for old in spare[: max(0, len(self._ready) - _KEPT)]:
                del self._ready[old]
                self._made.discard(old)
                self._path(old).unlink(missing_ok=True)

    def _make(self, worker: Worker, wish: Wish, artists: Sequence[SlateArtist]) -> SlateLoop | None:
        """Draw and render; by the next artist when one fails in any way, since it may be anybody's."""
        for artist in artists:
            try:
                return self._render(worker, wish, artist)
            except PlatypusError as error:
                if worker.is_stopping:
                    return None
                log.error("slate=%s event=not-made cause=%s next=plain-slate", wish.kind, error)  # noqa: TRY400
            except Exception:
                log.exception("slate=%s event=not-made next=plain-slate", wish.kind)
        return None

    def _render(self, worker: Worker, wish: Wish, artist: SlateArtist) -> SlateLoop:
        """Raises whatever the artist does, OSError, ChildError, BadSlate."""
        begun_s = self._clock.monotonic()
        pictures = artist.draw(wish.kind, wish.talk, wish.starts_at, self._clock.stamp().wall, self._picture)
        path = self._path(wish)
        part = path.with_suffix(".part")
        argv = ["nice", "-n", "10", *graph.slate(pictures, self._picture, out=part)]
        with Child("slate", argv, folder=self._folder) as child:
            while (code := child.wait(0.2)) is None:
                worker.tick()
                if worker.is_stopping or self._clock.monotonic() - begun_s > _RENDER_LIMIT_S:
                    child.kill()
        if code != 0:
            if not worker.is_stopping:
                self._coding.ended("slate", child.last_lines, gave_frames=False)
            said = [line for line in child.last_lines if "[error]" in line or "[fatal]" in line]
            raise ChildError(f"The slate was not rendered: {said[-1] if said else f'exit code {code}'}")
        loop = SlateLoop(part.read_bytes(), self._picture.frames_per_s)
        part.replace(path)
        log.info("slate=%s event=made took_s=%.1f", wish.kind, self._clock.monotonic() - begun_s)
        return loop

    def _load(self, wish: Wish) -> SlateLoop | None:
        path = self._path(wish)
        try:
            return SlateLoop(path.read_bytes(), self._picture.frames_per_s)
        except FileNotFoundError:
            return None
        except (OSError, BadSlate) as error:
            log.warning("slate=%s event=unreadable cause=%s next=make-it", wish.kind, error)
            return None

    def _tidy(self) -> None:
        """Make the folder, and leave in it no more than is ever kept."""
        self._folder.mkdir(parents=True, exist_ok=True)
        newest_first = sorted(self._folder.glob("*.ts"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in (*newest_first[_KEPT:], *self._folder.glob("*.part")):
            old.unlink()

    def _path(self, wish: Wish) -> Path:
        digest = hashlib.sha256(repr((wish, self._picture)).encode()).hexdigest()
        return self._folder / f"{wish.kind}-{digest[:16]}.ts"
