"""From a picture to the bytes of its QR codes: a policy over two libraries.

1. a motion gate, so that an empty scene costs almost nothing;
2. zxing-cpp on every frame that passes;
3. what it saw but could not decode: the crop again, sharpened, then enlarged too;
4. the second opinion, throttled, where a local threshold leaves finder patterns: zxing-cpp on that part enlarged, then
   pyzbar on its threshold and on the inverse. That is where cracked, glaring, far and very dim codes are won.

What each step is worth: docs/performance.md. A result is a claim by a stranger: bytes to be looked up, never to be
obeyed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from hardware.cameras import Luma
from hardware.clock import Clock
from hardware.errors import PlatypusError
from kiosk.door.finders import Box, Mask, code_box, darker, find_finders
from kiosk.door.focus import Unread, find_unread

log = logging.getLogger(__name__)


def _library(name: str) -> Any:
    """A decoder's module, None when it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


zxingcpp = _library("zxingcpp")  # no wheel for the 32-bit Raspberry Pi OS: pyzbar reads alone there
pyzbar = _library("pyzbar.pyzbar")  # without libzbar0 there is no second opinion

_SECOND_OPINION_AFTER_S = 0.3  # without a read
_SECOND_OPINIONS_PER_S = 3
_FOCUS_EVERY_S = 0.5  # while something moves and nothing is read
_MOST_MISSES = 3  # looked at again in one frame: a sheet of torn codes must not keep the door busy
_CROP_MARGIN = 0.25  # of the near miss' size, on each side
_SHARPEN = ImageFilter.UnsharpMask(radius=2, percent=150, threshold=0)

_ON_CROP = ("zxing-sharpened", "zxing-enlarged")
_ON_FINDERS = ("finders", "zxing-closer", "zbar-threshold", "zbar-inverse")
STEPS = ("zxing", *_ON_CROP, *_ON_FINDERS)  # in their order; what each is worth: benchmarks/reader.py


class NoDecoder(PlatypusError, ImportError):
    """Neither of the two libraries is there."""

    code = "no_decoder"


class Read(NamedTuple):
    """One code that was read."""

    data: bytes
    reader: str  # which of STEPS won it


class NearMiss(NamedTuple):
    """A code that zxing-cpp saw and could not read: its middle, in pixels."""

    x: float
    y: float


class Sight(NamedTuple):
    """What one frame gave."""

    reads: Sequence[Read]
    near_misses: Sequence[NearMiss]  # codes that are there but could not be read; none when another one was
    was_looked_at: bool  # False: the gate kept the frame from the decoders
    unread: Unread | None = None  # a code that nothing reads; looked for twice a second, while something moves


class Reader:
    """Reads frames in their order; remembers what it needs for the gate and the throttle. For one thread.

    With one of the libraries missing the other reads alone. Raises NoDecoder when both are. `steps` leaves some out, to
    measure what each is worth.
    """

    def __init__(self, clock: Clock, steps: Collection[str] = STEPS) -> None:
        if zxingcpp is None and pyzbar is None:
            raise NoDecoder("no QR decoder is installed: run ./install.sh again (zxing-cpp, libzbar0)")
        for name, library in (("zxing-cpp", zxingcpp), ("zbar", pyzbar)):
            if library is None:
                log.warning("reader event=missing library=%s", name)
        self._allowed = frozenset(steps)
        self._clock = clock
        self._gate = MotionGate()
        self._last_read_s = float("-inf")
        self._last_opinion_s = float("-inf")
        self._focused_s = float("-inf")
        self.steps: Counter[str] = Counter()  # how often each step ran ("step") and won ("step:read")

    def look(self, y: Luma) -> Sight:
        """Read one frame of a running camera."""
        now = self._clock.monotonic()
        if not self._gate.is_open(y, now):
            self.steps["gated"] += 1
            return Sight((), (), was_looked_at=False)
        reads, misses = self._zxing(y)
        if not reads and self._wants_opinion(now):
            self._last_opinion_s = now
            reads = self.second_opinion(y)
        if reads:
            self._last_read_s = now
        unread = None if reads else self._unread(y, now)
        return Sight(reads, () if reads else misses, was_looked_at=True, unread=unread)

    def _unread(self, y: Luma, now: float) -> Unread | None:
        is_due = now - max(self._focused_s, self._last_read_s) >= _FOCUS_EVERY_S
        if not is_due or not self._gate.has_changed_lately(now):
            return None
        self._focused_s = now
        self.steps["focus"] += 1
        return find_unread(y)

    def _wants_opinion(self, now: float) -> bool:
        if zxingcpp is None:
            return True  # it is the only one
        is_due = now - self._last_read_s >= _SECOND_OPINION_AFTER_S
        return is_due and now - self._last_opinion_s >= 1 / _SECOND_OPINIONS_PER_S

    def read_still(self, y: Luma) -> list[Read]:
        """Read one picture with every step, as no next frame will come."""
        reads, _ = self._zxing(y)
        return reads or self.second_opinion(y)

    def second_opinion(self, y: Luma) -> list[Read]:
        """What a closer look at the finder patterns gives."""
        if self._allowed.isdisjoint(_ON_FINDERS):
            return []
        self.steps["finders"] += 1
        is_dark = darker(y)
        upright, inverted = find_finders(is_dark)
        if len(upright) + len(inverted) < 2:
            return []
        self.steps["finders:found"] += 1
        return (
            self._closer(y, code_box([*upright, *inverted], is_dark.shape))
            or self._zbar("zbar-threshold", is_dark, code_box(upright, is_dark.shape))
            or self._zbar("zbar-inverse", ~is_dark, code_box(inverted, is_dark.shape))
        )

    def _zxing(self, y: Luma) -> tuple[list[Read], list[NearMiss]]:
        if zxingcpp is None:
            return [], []
        found = self._decode(y, "zxing")
        misses = sorted((code.position for code in found if not code.valid), key=lambda at: -_corners(at).size_px)
        reads = _valid(found, "zxing")
        if not reads:
            reads = [read for miss in misses[:_MOST_MISSES] for read in self._again(near_miss_crop(y, miss))]
        return _distinct(reads), [_corners(miss).middle for miss in misses]

    def _again(self, crop: Luma) -> list[Read]:
        """A near miss once more: sharpened, then enlarged as well."""
        if crop.size == 0 or self._allowed.isdisjoint(_ON_CROP):
            return []
        sharp = Image.fromarray(np.ascontiguousarray(crop)).filter(_SHARPEN)
        return self._step("zxing-sharpened", lambda: np.asarray(sharp)) or self._step(
            "zxing-enlarged", lambda: _enlarged(sharp, 2)
        )

    def _closer(self, y: Luma, box: Box | None) -> list[Read]:
        """The part with finder patterns, enlarged: codes too far away, or too pale."""
        if zxingcpp is None or box is None:
            return []
        part = Image.fromarray(np.ascontiguousarray(y[box.rows, box.columns]))
        return self._step("zxing-closer", lambda: _enlarged(part, 1.5))

    def _step(self, name: str, picture: Callable[[], Luma]) -> list[Read]:
        return _valid(self._decode(picture(), name), name) if name in self._allowed else []

    def _decode(self, y: Luma, name: str) -> list[Any]:
        self.steps[name] += 1
        # Model 2 only: with the whole family a torn code was once read as Micro QR "812".
        formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
        found = list(zxingcpp.read_barcodes(y, formats=formats, return_errors=True))
        if any(code.valid for code in found):
            self.steps[f"{name}:read"] += 1
        return found

    def _zbar(self, name: str, is_ink: Mask, box: Box | None) -> list[Read]:
        if pyzbar is None or box is None or name not in self._allowed:
            return []
        self.steps[name] += 1
        picture = np.where(is_ink[box.rows, box.columns], np.uint8(0), np.uint8(255))
        try:
            found = pyzbar.decode(picture, symbols=[pyzbar.ZBarSymbol.QRCODE])
        except ValueError as error:
            # pyzbar #139: it cannot name the orientation of a structured-append part. A guest can show one.
            log.info("reader=zbar event=unreadable cause=%r", str(error))
            self.steps[f"{name}:failed"] += 1
            return []
        # zbar guesses a character set and may change every byte that is not ASCII: such a read proves nothing.
        reads = _distinct(Read(code.data, name) for code in found if code.data.isascii())
        if reads:
            self.steps[f"{name}:read"] += 1
        return reads


class MotionGate:
    """Lets a frame pass when the scene has changed, for a second after, and now and then regardless.

    The 99th percentile of the change on an eighth of the picture: 2 to 5 grey levels for a still scene and its
    brightness steps, 7 to 28 for a phone held "still" by hand (measured).
    """

    _CHANGED_LEVELS = 6.5
    _KEEP_OPEN_S = 1.0
    _REGARDLESS_S = 0.3  # a phone on a stand does not move at all

    def __init__(self) -> None:
        self._before: npt.NDArray[np.int16] | None = None
        self._changed_s = float("-inf")
        self._passed_s = float("-inf")

    def has_changed_lately(self, now_s: float) -> bool:
        """Whether something moves, or did within the last second."""
        return now_s - self._changed_s <= self._KEEP_OPEN_S

    def is_open(self, y: Luma, now_s: float) -> bool:
        """Whether this frame is worth decoding."""
        small = y[::8, ::8].astype(np.int16)
        if self._before is None or self._before.shape != small.shape:
            self._changed_s = now_s
        else:
            change = np.abs(small - self._before)
            if np.percentile(change, 99) > self._CHANGED_LEVELS:
                self._changed_s = now_s
        self._before = small
        is_open = self.has_changed_lately(now_s) or now_s - self._passed_s >= self._REGARDLESS_S
        if is_open:
            self._passed_s = now_s
        return is_open


def _valid(found: Iterable[Any], name: str) -> list[Read]:
    return _distinct(Read(code.bytes, name) for code in found if code.valid)


def _enlarged(picture: Image.Image, times: float) -> Luma:
    size = (round(picture.width * times), round(picture.height * times))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR))


class _Corners(NamedTuple):
    """Where a near miss is, in pixels of the frame; a part of it may lie outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size_px(self) -> int:
        return max(self.right - self.left, self.bottom - self.top)

    @property
    def middle(self) -> NearMiss:
        return NearMiss((self.left + self.right) / 2, (self.top + self.bottom) / 2)


def _corners(position: Any) -> _Corners:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
    return _Corners(min(xs), min(ys), max(xs), max(ys))


def near_miss_crop(y: Luma, position: Any) -> Luma:
    """The part of a frame with a near miss (zxing-cpp's position of it), and some of what is around it."""
    box = _corners(position)
    margin = int(box.size_px * _CROP_MARGIN)
    height, width = y.shape
    return y[
        max(box.top - margin, 0) : min(box.bottom + margin, height),
        max(box.left - margin, 0) : min(box.right + margin, width),
    ]


def _distinct(reads: Iterable[Read]) -> list[Read]:
    return list({read.data: read for read in reads}.values())
