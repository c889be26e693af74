"""The lower third: who speaks, and about what, over the camera's picture while a talk begins.

The encoder reads one small picture again and again (`graph.encoder`), empty most of the time; it is replaced as a
whole, and by one of the same size, since anything else would disturb the encoder. A picture and not ffmpeg's own text,
which has one font for a whole text: names come in any script, and with emoji.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from PIL import Image, ImageDraw

from hardware.clock import Clock
from hardware.worker import Worker
from stream import graph
from stream import look as looks
from stream.lettering import Lettering, Style
from stream.liveness import quiet_s
from stream.look import BadLook, Look
from stream.order import Scene
from stream.settings import Picture
from stream.slate_sheet import SAFE
from stream.talks import TalkInfo

log = logging.getLogger(__name__)

FILE_NAME = f"lower-third.{graph.STRIP_FORMAT}"
_AGAIN_S = 0.5  # when it could not be written
_LATE_S = 10.0  # it may begin so much after the camera, when the first text takes long; later it would only surprise
_GROUND = 0.86  # how much the band hides of the picture
# Of the picture's height.
_NAME, _NAME_BOX = 0.052, 0.07
_TITLE = 0.038
_PAD = 0.02
_BAR = 0.012
_TO_Y = (0.2126, 0.7152, 0.0722)  # of R, G, B; BT.709, items 3.2 to 3.4
_TO_CB = tuple((own - weight) / 1.8556 for own, weight in zip((0, 0, 1), _TO_Y, strict=True))
_TO_CR = tuple((own - weight) / 1.5748 for own, weight in zip((1, 0, 0), _TO_Y, strict=True))
_BT709 = tuple(
    value
    for weights, reach, zero in ((_TO_Y, 219, 16), (_TO_CB, 224, 128), (_TO_CR, 224, 128))
    for value in (*(weight * reach / 255 for weight in weights), zero)
)


class LowerThird:
    """Shows a talk for `shown_s` from when the camera takes over from its slate. Any thread may call; nobody waits."""

    def __init__(self, folder: Path, picture: Picture, clock: Clock, look_dir: Path, *, shown_s: float) -> None:
        self.path = folder / FILE_NAME
        self._folder = folder
        self._picture = picture
        self._clock = clock
        self._look_dir = look_dir
        self._shown_s = shown_s
        self._lettering = Lettering(folder, look_dir / "fonts")
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._worker: Worker | None = None
        self._due: TalkInfo | None = None  # to be shown as soon as the camera is on air
        self._until_s: float | None = None  # None: not begun
        self._is_seen = False
        self._ahead: TalkInfo | None = None  # whom the slate introduces now
        self._drawn: tuple[TalkInfo, bytes] | None = None
        self._nothing = as_video(Image.new("RGBA", _size(picture)))
        self._written = self._nothing
        self._seen: tuple[int, ...] = ()  # what the file was when we had written it

    @property
    def quiet_s(self) -> float:
        """Seconds since its thread was last seen well: 0 when there is none, infinite when it failed."""
        return quiet_s(self._worker)

    @property
    def shown(self) -> TalkInfo | None:
        """The talk that is to be read now."""
        with self._lock:
            return self._due if self._until_s is not None else None

    def start(self) -> None:
        """Begin with the empty picture."""
        if self._shown_s > 0:
            self._keep()
            self._worker = Worker("stream-lower-third", self._run)
            self._worker.start()

    def ready(self) -> Path | None:
        """The file, when an encoder may read it."""
        return self.path if self._shown_s > 0 and self._keep() else None

    def stop(self) -> None:
        """End; safe to call twice."""
        if self._worker is not None:
            self._worker.ask_to_stop()
            self._wake.set()
            self._worker.stop()
            self._worker = None

    def follow(self, before: Scene | None, after: Scene | None, talk: TalkInfo | None) -> None:
        """The scene changed, to that of `talk`; None is no scene. What is shown ends, unless nothing changed."""
        if _shown(before) == _shown(after):
            return
        with self._lock:
            is_taken_over = (
                before is not None
                and after is not None
                and (before.program, after.program) == ("next", "camera")
                and before.talk == after.talk
            )
            self._due = talk if is_taken_over else None
            self._until_s, self._is_seen = None, False
            self._ahead = talk if after is not None and after.program == "next" else None
        if self._shown_s > 0:  # at once, and not when the thread has drawn what it is drawing
            self._choose(None, self._nothing)
            self._keep()
        self._wake.set()

    def look(self, *, is_camera_on_air: bool) -> None:
        """See whether it begins or ends; call it some ten times a second."""
        now_s = self._clock.monotonic()
        with self._lock:
            if self._due is None:
                return
            if self._until_s is None:
                if not is_camera_on_air:
                    return
                self._until_s = now_s + _LATE_S
            elif now_s < self._until_s:
                return
            else:
                self._due = self._until_s = None
        self._wake.set()

    def _run(self, worker: Worker) -> None:
        self._lettering.has_family("Noto Sans")  # the first to ask waits until all fonts are read
        while not worker.is_stopping:
            worker.tick()
            wanted = self.shown
            self._choose(wanted, self._nothing if wanted is None else self._drawing(wanted))
            if wanted is not None:
                self._begin_to_show(wanted)
            self._keep()
            if wanted is None and (ahead := self._ahead) is not None:
                self._drawing(ahead)
            self._wake.wait(_AGAIN_S)
            self._wake.clear()

    def _begin_to_show(self, talk: TalkInfo) -> None:
        """Its time runs from when it is drawn."""
        with self._lock:
            if self._due == talk and self._until_s is not None and not self._is_seen:
                self._is_seen = True
                self._until_s = self._clock.monotonic() + self._shown_s

    def _choose(self, wanted: TalkInfo | None, data: bytes) -> None:
        """Have `data` in the file, unless something else is wanted by now."""
        with self._writing:
            if self.shown == wanted:
                self._written = data

    def _keep(self) -> bool:
        """Have the file as it should be, also when somebody else was at it. Returns whether it is."""
        with self._writing:
            data = self._written
            if self._seen == (id(data), *_identity(self.path)):
                return True
            part = self.path.with_suffix(".part")
            try:
                part.write_bytes(data)
                part.replace(self.path)
            except OSError as error:
                log.warning("lower-third event=not-written cause=%s retry_in_s=%.1f", error.strerror, _AGAIN_S)
                return False
            self._seen = (id(data), *_identity(self.path))
            return True

    def _drawing(self, talk: TalkInfo) -> bytes:
        if self._drawn is None or self._drawn[0] != talk:
            try:
                look = looks.read_look(self._look_dir)
            except BadLook:  # the slates say what is wrong with it
                look = Look()
            self._lettering.forget_troubles()
            self._drawn = (talk, as_video(draw(talk, self._picture, look, self._lettering)))
        return self._drawn[1]


def draw(talk: TalkInfo, picture: Picture, look: Look, lettering: Lettering) -> Image.Image:
    """The strip of the picture that is the lower third's (`graph.strip`), RGBA, with a band as long as its words."""
    width, height = _size(picture)
    pad, bar = round(picture.height_px * _PAD), round(picture.height_px * _BAR)
    left = round(width * SAFE)
    room = width - 2 * left - bar - 2 * pad
    name_box = round(picture.height_px * _NAME_BOX)
    title = Style(look.font, picture.height_px * _TITLE, look.text)
    words = [(talk.speaker, Style(look.font, picture.height_px * _NAME, look.text, is_bold=True), name_box)]
    words.append((talk.title, title, height - 3 * pad - (name_box if talk.speaker.strip() else 0)))
    blocks = [block for text, style, tall in words if (block := lettering.block(text, style, room, tall)) is not None]
    strip = Image.new("RGBA", (width, height))
    if not blocks:
        return strip
    tall = sum(block.height for block in blocks) + pad * (len(blocks) + 1)
    right = left + bar + 2 * pad + max(block.width for block in blocks)
    pen = ImageDraw.Draw(strip)
    top = height - tall
    pen.rectangle((left, top, right - 1, height - 1), fill=(*looks.rgb(look.background), round(255 * _GROUND)))
    pen.rectangle((left, top, left + bar - 1, height - 1), fill=looks.rgb(look.accent))
    for block in blocks:
        top += pad
        strip.alpha_composite(block, (left + bar + pad, top))
        top += block.height
    return strip


def _identity(path: Path) -> tuple[int, ...]:
    """Another one whenever the file was changed or replaced."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _size(picture: Picture) -> tuple[int, int]:
    return picture.width_px, graph.strip(picture)[1]


def as_video(picture: Image.Image) -> bytes:
    """An RGBA picture of even size as graph.STRIP_FORMAT: the planes Y, Cb, Cr and alpha, one byte a pixel.

    Colours as ITU-R BT.709 has them, Y from 16 to 235; Cb and Cr at half width and height.
    """
    luma, blue, red = picture.convert("RGB").convert("RGB", _BT709).split()
    half = (picture.width // 2, picture.height // 2)
    small = (each.resize(half, Image.Resampling.BOX) for each in (blue, red))
    return b"".join(plane.tobytes() for plane in (luma, *small, picture.getchannel("A")))


def _shown(scene: Scene | None) -> tuple[str, str | None] | None:
    """What of a scene is on air: that another talk is made the next one ends nothing."""
    return None if scene is None else (scene.program, scene.talk)
