"""Which H.264 encoder is used for everything that goes on air: the machine's own, while it can be trusted, or x264.

A Raspberry Pi up to the 4 has one in hardware; the 5 and other machines have none. Its codec headers are not those of
x264, so one choice holds for camera, slates and low rate alike. It is made once, when the stream process starts, and by
trying: what a hub needs (headers in each keyframe, the same at every rate and distance of keyframes) is not in any
specification of that encoder. One that ends again and again dead-locks until the Pi is switched off
(raspberrypi/linux 7163): after three restarts it is left alone until then.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from stream.alarms import Alarm
from stream.settings import Picture, with_encoder

log = logging.getLogger(__name__)

RESTARTS = 3
_DEVICE_NAME = "bcm2835-codec-encode"  # what the kernel of a Pi up to the 4 calls it; mostly /dev/video11
_MARK = "hardware-encoder-failed"  # in run_dir, which a boot empties; a boot also is what mends the encoder
_ITS_OWN_LINES = "[h264_v4l2m2m @"  # how the encoder's own lines in ffmpeg's log begin


class VideoHardware:
    """What there is under /sys and /dev; `root` is another tree, for tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def encoder_device(self) -> Path | None:
        """The device of the hardware encoder, when there is one that we may use."""
        for name in sorted((self._root / "sys/class/video4linux").glob("video*/name")):
            device = self._root / "dev" / name.parent.name
            if name.read_text().strip() == _DEVICE_NAME and os.access(device, os.R_OK | os.W_OK):
                return device
        return None


class VideoCoding:
    """The choice, and what became of it. Safe with threads."""

    def __init__(self, picture: Picture, folder: Path, hardware: VideoHardware | None = None) -> None:
        self._lock = threading.Lock()
        self._mark = folder / _MARK
        self._ends = 0
        trouble = "" if picture.encoder == "software" else self._trouble(picture, folder, hardware or VideoHardware())
        uses_hardware = picture.encoder != "software" and not trouble
        self._alarm = self._why_not(picture, trouble)
        self._picture = with_encoder(picture, is_hardware=uses_hardware)
        log.info('coding event=chosen encoder=%s because="%s"', self._picture.encoder, trouble)

    @classmethod
    def software(cls, picture: Picture) -> VideoCoding:
        """x264 for good."""
        return cls(with_encoder(picture, is_hardware=False), Path())

    @property
    def picture(self) -> Picture:
        """The picture, with the encoder of the moment: "hardware" or "software"."""
        return self._picture

    @property
    def is_used_up(self) -> bool:
        """Whether the hardware encoder has had its restarts, and is in use still."""
        with self._lock:
            return self._picture.encoder == "hardware" and self._ends > RESTARTS

    def ended(self, who: str, lines: Sequence[str], *, gave_frames: bool) -> None:
        """An ffmpeg with an encoder in it ended by itself, or had to be ended; these are the last lines of its log.

        Counted when it got as far as the encoder: a camera that is unplugged is no fault of it.
        """
        if self._picture.encoder == "software" or not (gave_frames or any(_ITS_OWN_LINES in line for line in lines)):
            return
        with self._lock:
            self._ends += 1
            log.warning("coding event=hardware-encoder-ended who=%s times=%d of=%d", who, self._ends, RESTARTS)

    def give_up(self) -> None:
        """From now on x264; nothing may be on air, since the codec headers change. Until the next boot."""
        with self._lock:
            self._picture = with_encoder(self._picture, is_hardware=False)
            self._alarm = _gave_up()
        try:
            self._mark.touch()
        except OSError as error:
            log.warning("coding event=not-kept cause=%s", error)

    def alarms(self) -> tuple[Alarm, ...]:
        """That another encoder works than was meant to."""
        alarm = self._alarm
        return () if alarm is None else (alarm,)

    def _trouble(self, picture: Picture, folder: Path, hardware: VideoHardware) -> str:
        """Why the hardware encoder is not used; "" when it is."""
        if self._mark.exists():
            return "it had to begin anew too often since the machine was switched on"
        if hardware.encoder_device() is None:
            return "this machine has none"
        from stream.encoder_trial import trial  # noqa: PLC0415  # PyAV is 17 MB, and most machines need none

        return trial(picture, folder)

    def _why_not(self, picture: Picture, trouble: str) -> Alarm | None:
        if self._mark.exists() and picture.encoder != "software":
            return _gave_up()
        if picture.encoder == "hardware" and trouble:
            cause = f"the hardware encoder cannot be used ({trouble}): the processor encodes the picture"
            action = 'Write encoder = "auto" under [stream.picture], or look at the log'
            return Alarm(code="encoder", cause=cause, action=action)
        return None


def _gave_up() -> Alarm:
    return Alarm(
        code="encoder",
        cause="the hardware encoder had to begin anew too often: the processor encodes the picture now",
        action="Nothing now. After the event, switch the Raspberry Pi off and on",
    )
