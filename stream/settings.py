"""What the organizer may choose about the stream: frozen structs, filled from platypus.toml and secrets.toml."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

_OWN_NAMES = frozenset({"recording", "preview"})
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,30}")
_URL_CHARS = 900  # ffmpeg reads lines of 1000 bytes


def _check_address(url: str, schemes: tuple[str, ...]) -> None:
    """Raises ValueError for an address that nobody could connect to; its text shows nothing of it."""
    advice = "url is not an address such as " + " or ".join(f"{scheme}://host/path" for scheme in schemes)
    if not url.isprintable() or " " in url:
        raise ValueError(f"{advice}: it has a blank or a line break in it")
    try:
        split = urlsplit(url)
        has_host = bool(split.hostname) and (split.port is None or split.port > 0)
    except ValueError:  # whose text would show a part of it
        raise ValueError(f"{advice}: a password's own / ? # @ [ ] are written %2F %3F %23 %40 %5B %5D") from None
    if split.scheme not in schemes or not has_host:
        raise ValueError(advice)


class TestPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="test-picture"):
    """Moving bars and a tone: a stage camera for rehearsals and the demo."""


class VideoDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="device"):
    """A USB camera or HDMI capture card (V4L2), with an ALSA microphone beside it, or silence."""

    path: str = "/dev/video0"
    # mjpeg: USB 2 carries some ten uncompressed 1280x720 pictures a second; a device that has none is asked
    # for what it gives. raw: that from the start
    format: Literal["mjpeg", "raw"] = "mjpeg"
    # an ALSA name such as "plughw:1,0"; with "hw:1,0" the device itself must have two channels and 48 kHz
    microphone: str | None = None
    # for a camera that shows things later than it says, as many capture devices do; found out by clapping hands
    sound_later_ms: Annotated[int, msgspec.Meta(ge=-500, le=2000)] = 0
    # A capture card that shows slides gives the same picture for minutes; a camera that does is frozen
    still_picture_ok: bool = False


class CameraModule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="picamera2"):
    """A camera module on the Raspberry Pi's ribbon cable, with an ALSA microphone beside it, or silence."""

    camera_num: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0  # as rpicam-hello --list-cameras counts them
    microphone: str | None = None  # as of a device
    sound_later_ms: Annotated[int, msgspec.Meta(ge=-500, le=2000)] = 0
    upside_down: bool = False  # how the module is screwed on
    # continuous: autofocus; fixed: at lens_dioptres, for a stage that it hunts on. A module without either ignores both
    focus: Literal["continuous", "fixed"] = "continuous"
    lens_dioptres: Annotated[float, msgspec.Meta(ge=0.0, le=15.0)] = 0.25  # 1/metres: 0.25 is 4 m, 0 far away


class NetworkCamera(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rtsp"):
    """A camera on the network, for instance rtsp://user:password@192.168.1.20/stream1.

    Its own sound is used when it has any.
    """

    url: str
    still_picture_ok: bool = False  # as of a device

    def __post_init__(self) -> None:
        _check_address(self.url, ("rtsp", "rtsps"))

    def __repr__(self) -> str:
        split = urlsplit(self.url)
        host = split.netloc.rpartition("@")[2]
        return f"NetworkCamera(url={urlunsplit((split.scheme, host, split.path, '', ''))!r})"


class VideoFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="file"):
    """A file played again and again, in real time."""

    path: str


Source = TestPicture | VideoDevice | CameraModule | NetworkCamera | VideoFile
Stamped = VideoDevice | CameraModule  # their pictures say when they were taken; their microphone is apart


class Picture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The one picture format of the whole stream; every source is brought to it."""

    width_px: Annotated[int, msgspec.Meta(ge=160, le=1920, multiple_of=2)] = 1280
    height_px: Annotated[int, msgspec.Meta(ge=90, le=1080, multiple_of=2)] = 720
    frames_per_s: Annotated[int, msgspec.Meta(ge=5, le=60)] = 30
    keyframe_s: Annotated[int, msgspec.Meta(ge=1, le=4)] = 2
    video_kbps: Annotated[int, msgspec.Meta(ge=100, le=20000)] = 2500
    low_kbps: Annotated[int, msgspec.Meta(ge=0, le=5000)] = 600  # for a network too slow for video_kbps; 0: never
    audio_kbps: Annotated[int, msgspec.Meta(ge=32, le=320)] = 128
    preset: str = "superfast"  # of x264
    # auto: the hardware's where the machine has one that passes a trial (a Raspberry Pi up to the 4), else x264
    encoder: Literal["auto", "hardware", "software"] = "auto"


def with_encoder(picture: Picture, *, is_hardware: bool) -> Picture:
    """The same picture, its encoder decided."""
    return msgspec.structs.replace(picture, encoder="hardware" if is_hardware else "software")


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An RTMP or RTMPS ingest. Its key lives in secrets.toml under [stream_keys], by this name."""

    name: str  # small letters, digits and -
    url: str  # rtmps://host/application, without the key
    ca_file: str | None = None  # who signs the server's certificate, when not a public authority

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name for a destination: take small letters, digits and -, up to 31")
        if self.name in _OWN_NAMES:
            raise ValueError(f"{self.name!r} is what the stream calls a leg of its own: take another name")
        _check_address(self.url, ("rtmp", "rtmps"))
        if not urlsplit(self.url).path.strip("/"):
            raise ValueError("url has no path: it is as the platform shows it, such as rtmps://host/live")
        if len(self.url) > _URL_CHARS:
            raise ValueError(f"url has {len(self.url)} characters, more than an address has")
        if "@" in urlsplit(self.url).netloc:  # it would stand in a command line, for all to see
            raise ValueError("url has a name or a password in it: only the stream key may be secret")


class StreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[stream] of platypus.toml."""

    source: Source = TestPicture()
    picture: Picture = Picture()
    destinations: tuple[Destination, ...] = ()
    # Default: recordings/ in the state folder. Made when the folder above it is there: a stick may be missing.
    recordings_dir: str | None = None
    spare_recordings_dir: str | None = None  # where recording goes on when that one is full, missing or read-only
    introduce_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 8.0  # how long the next talk's slate is shown
    lower_third_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 12.0  # how long the camera then names them; 0: never
    look_dir: str | None = None  # logo, sponsors, colours of the slates; default: look/ in the state folder
    evening_h: Annotated[float, msgspec.Meta(ge=0.5, le=24)] = 4.0  # for how long the pre-flight wants room on the disk
    preview: bool = True  # a small picture for the organizer's page, and HLS for a screen in the room next door
    start_live: bool = False  # whether a new installation starts streaming by itself
