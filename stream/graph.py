"""The ffmpeg command lines that encode: camera, microphone, slates, the low-rate copy. Pure functions of settings.

Options and their reasons were measured on ffmpeg 5.1. A camera's address, with a password in it, stands in the
encoder's command line; mount /proc with hidepid=2, or give the camera a user that may only look.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ffmpeg
import msgspec

from stream.command import IO_LIMIT_US, TIMELINE, compiled
from stream.settings import (
    CameraModule,
    NetworkCamera,
    Picture,
    Source,
    Stamped,
    TestPicture,
    VideoDevice,
    VideoFile,
)

WATCH_WIDTH_PX, WATCH_HEIGHT_PX = 160, 90  # of the small grey pictures that tell a frozen or black one
_WATCH_FRAMES_PER_S = 2
STRIP_FORMAT = "yuva420p"  # of the lower third, as it is laid over: ten times a second nothing need be converted
SLATE_S = 8
AAC_SAMPLES = 1024  # of one AAC frame
TRIAL_GROUPS = 2
_RATE_HZ = 48_000
SLATE_SOUNDS = SLATE_S * _RATE_HZ // AAC_SAMPLES  # AAC frames of one loop
_LEVEL_SAMPLES = 2_400
_SLATE_KBPS = 1_000  # a still: nearly all of it goes into the keyframe of each second
_TRANSPORT: dict[str, Any] = {  # how everything that goes to the hub is written
    "format": "mpegts",
    "muxdelay": 0,
    "muxpreload": 0,
    "pes_payload_size": 0,  # one sound frame a packet, so that sound can be cut anywhere
    "pat_period": 0.5,
    "flush_packets": 1,
}
# Annex A of H.264: level -> macroblocks a second, macroblocks a frame.
_LEVELS = (
    ("3.1", 108_000, 3_600),
    ("3.2", 216_000, 5_120),
    ("4.0", 245_760, 8_192),
    ("4.2", 522_240, 8_704),
)


def encoder(
    source: Source,
    picture: Picture,
    *,
    out_fd: int,
    frames_fd: int | None = None,
    watch_fd: int | None = None,
    levels_fd: int | None = None,
    lower_third: Path | None = None,
    at_s: float = 0.0,
) -> list[str]:
    """The stage camera to H.264, and its own sound to AAC, in a transport stream on `out_fd`; progress on stdout.

    On `watch_fd` come small grey pictures of what the camera gives, one byte a pixel: whoever opens it must read them,
    or all stands still. The sound goes along when its levels are asked for on `levels_fd` (see sound_levels.py); a
    device has none, its microphone is a source of its own. A device's frames carry the moment they were taken, by the
    monotonic clock, which is at `at_s` now; those of a camera module come through `frames_fd` (see camera_module.py).
    `lower_third` is a file of STRIP_FORMAT, as large as `strip`, which may be replaced at any time.
    """
    is_stamped = isinstance(source, Stamped)
    video, audio = _inputs(source, picture, frames_fd)
    video, watched = video.filter("fps", picture.frames_per_s), None
    if watch_fd is not None:
        video, watched = _watched(video, picture, watch_fd)
    look = _to_one_look(video, picture)
    if lower_third is not None:
        look = _with_strip(look, lower_third, picture, begins_s=at_s if is_stamped else 0.0)
    streams = [look]
    options = _one_picture(picture, picture.video_kbps, picture.frames_per_s * picture.keyframe_s)
    if levels_fd is not None:
        streams.append(_to_one_sound(_with_levels(audio, levels_fd), first_sample=0))
        options |= _one_sound(picture)
    output = ffmpeg.output(*streams, f"pipe:{out_fd}", **_TRANSPORT, **options)
    both = output if watched is None else ffmpeg.merge_outputs(output, watched)
    return compiled(both, *(["-copyts"] if is_stamped else []))


def microphone(
    name: str, picture: Picture, *, out_fd: int, levels_fd: int, at_s: float, wall_ahead_s: float
) -> list[str]:
    """The ALSA microphone `name` to AAC in a transport stream on `out_fd`; progress on stdout, levels on `levels_fd`.

    ffmpeg stamps what it hears by the wall clock, which is `wall_ahead_s` ahead of the monotonic one; here the stamps
    become monotonic, as a camera's are. `at_s` is now: the first frame of sound begins there, at a whole number of
    frames since boot, so that a microphone that was away comes back in step. A smaller `wall_ahead_s` makes all later.
    """
    heard = ffmpeg.input(name, format="alsa", thread_queue_size=512, itsoffset=f"{-wall_ahead_s:.6f}").audio
    first_sample = int(at_s * _RATE_HZ) // AAC_SAMPLES * AAC_SAMPLES
    sound = _to_one_sound(_with_levels(heard, levels_fd), first_sample=first_sample)
    return compiled(ffmpeg.output(sound, f"pipe:{out_fd}", **_TRANSPORT, **_one_sound(picture)), "-copyts")


def has_own_sound(source: Source) -> bool:
    """Whether picture and sound of a source come together, as far as one can know before."""
    return not isinstance(source, Stamped)


def strip(picture: Picture) -> tuple[int, int]:
    """Where the lower third is: its first line and its height, in pixels, above the safe area's lower edge."""
    height = round(picture.height_px * 0.2 / 2) * 2
    return round(picture.height_px * 0.95 / 2) * 2 - height, height


def slate(pictures: Sequence[Path], picture: Picture, *, out: Path, constant_kbps: int | None = None) -> list[str]:
    """Still pictures, each for an equal share of the loop, and silence to a transport stream in the file `out`.

    With `constant_kbps` its video is filled up to that rate (filler NAL units, which decoders leave out): what a
    network takes of it, it takes of a camera. Only x264 can do that.

    The loop can follow itself without a seam at any rate R of whole frames a second: in SLATE_S = 8 seconds fit 8 R
    frames, 8 groups of R frames that begin with a keyframe, and 8 * 48000 / 1024 = 375 frames of AAC. No shorter loop
    has whole AAC frames (1 s has 46.875), and none with the camera's own `keyframe_s` of 3 would have whole groups.
    """
    frames = SLATE_S * picture.frames_per_s
    if not 0 < len(pictures) <= frames:
        raise ValueError(f"A slate has {len(pictures)} pictures: it can have 1 to {frames}.")
    shares = []
    for number, path in enumerate(pictures):
        # By itself ffmpeg would take a % in the name for a number.
        one = {"format": "image2", "pattern_type": "none", "framerate": picture.frames_per_s}
        still = ffmpeg.input(str(path), **one).video
        first, last = (frames * each // len(pictures) for each in (number, number + 1))
        shares.append(
            _to_one_look(still, picture, out_color_matrix="bt709")  # RGB would else become BT.601
            .filter("loop", loop=-1, size=1)  # scaled once, shown often
            .filter("trim", start_frame=first, end_frame=last)
            .filter("setpts", "PTS-STARTPTS")
        )
    video = shares[0] if len(shares) == 1 else ffmpeg.concat(*shares, v=1, a=0)
    # The encoder adds a frame of its own at the end, so it is given one less.
    silence = _silence().filter("atrim", end_sample=(SLATE_SOUNDS - 1) * AAC_SAMPLES)
    if constant_kbps is None:
        options = _one_picture(picture, min(picture.video_kbps, _SLATE_KBPS), picture.frames_per_s)
    else:
        options = _one_picture(
            msgspec.structs.replace(picture, encoder="software"), constant_kbps, picture.frames_per_s
        ) | {"x264-params": "nal-hrd=cbr"}
    return compiled(ffmpeg.output(video, silence, str(out), **_TRANSPORT, **options, **_one_sound(picture)), "-y")


def trial(picture: Picture, *, camera: Path, slate: Path) -> list[str]:
    """Bars as a camera and as a slate are encoded, at once and as fast as it goes: TRIAL_GROUPS of the camera's groups
    of pictures, and one picture more."""
    group_frames = picture.frames_per_s * picture.keyframe_s
    size = f"{picture.width_px}x{picture.height_px}"
    bars = ffmpeg.input(f"testsrc2=size={size}:rate={picture.frames_per_s}", format="lavfi").video
    both = _to_one_look(bars, picture).filter_multi_output("split")
    outputs = []
    for number, (out, kbps, frames) in enumerate(
        ((camera, picture.video_kbps, group_frames), (slate, _SLATE_KBPS, picture.frames_per_s))
    ):
        options = _one_picture(picture, kbps, frames) | {"frames:v": TRIAL_GROUPS * group_frames + 1}
        outputs.append(ffmpeg.output(both[number], str(out), **_TRANSPORT, **options))
    return compiled(ffmpeg.merge_outputs(*outputs), "-y")


def transcoder(picture: Picture, *, out_fd: int) -> list[str]:
    """The hub's transport stream on stdin, its video at `low_kbps`, to `out_fd`; times and sound as they are.

    Times to half a picture: the encoder counts in pictures, and the codec headers depend on that. With a keyframe each
    second, so that a destination need not wait long for it.
    """
    stream = ffmpeg.input("pipe:0", **TIMELINE)
    options = _one_picture(picture, picture.low_kbps, picture.frames_per_s) | {"acodec": "copy", "vsync": "passthrough"}
    return compiled(ffmpeg.output(stream.video, stream.audio, f"pipe:{out_fd}", **_TRANSPORT, **options))


def h264_level(picture: Picture) -> str:
    """The lowest level that holds the picture, at least 3.1."""
    blocks = -(-picture.width_px // 16) * -(-picture.height_px // 16)
    for level, per_second, per_frame in _LEVELS:
        if blocks <= per_frame and blocks * picture.frames_per_s <= per_second:
            return level
    return "5.1"


def secrets_of(source: Source) -> tuple[str, ...]:
    """What of a source's address must not be logged."""
    if not isinstance(source, NetworkCamera):
        return ()
    split = urlsplit(source.url)
    user, _, _ = split.netloc.rpartition("@")
    return tuple(each for each in (user, split.password, split.query) if each)


def _inputs(source: Source, picture: Picture, frames_fd: int | None) -> tuple[Any, Any]:
    """The picture and the sound of a source, as they come; a device has no sound."""
    match source:
        case TestPicture():
            size = f"{picture.width_px}x{picture.height_px}"
            bars = ffmpeg.input(f"testsrc2=size={size}:rate={picture.frames_per_s}", format="lavfi", re=None)
            tone = ffmpeg.input(f"sine=frequency=440:sample_rate={_RATE_HZ}", format="lavfi", re=None)
            return bars.video, tone.audio
        case VideoDevice():
            options: dict[str, Any] = {
                "thread_queue_size": 32,
                "framerate": picture.frames_per_s,
                "video_size": (picture.width_px, picture.height_px),
            }
            if source.format == "mjpeg":  # by itself ffmpeg takes the first uncompressed format there is
                options["input_format"] = "mjpeg"
            return ffmpeg.input(source.path, format="v4l2", **options).video, None
        case CameraModule():
            # The header says all there is to know; ffmpeg would else wait for some to see how often they come.
            known = {"analyzeduration": 0, "probesize": 32, "fpsprobesize": 0}
            return ffmpeg.input(f"pipe:{frames_fd}", format="nut", **known).video, None
        case NetworkCamera():
            # TCP: one lost UDP packet is a grey picture until the next keyframe.
            camera = ffmpeg.input(source.url, rtsp_transport="tcp", timeout=IO_LIMIT_US)
            return camera.video, camera.audio
        case VideoFile():
            film = ffmpeg.input(source.path, re=None, stream_loop=-1)
            return film.video, film.audio


def _silence() -> Any:
    return ffmpeg.input(f"anullsrc=channel_layout=stereo:sample_rate={_RATE_HZ}", format="lavfi").audio


def _one_picture(picture: Picture, kbps: int, group_frames: int) -> dict[str, Any]:
    """The output options of everything that may go on air. With `_to_one_look` they make the codec headers (SPS, PPS)
    the same byte for byte, whatever the bit rate and the distance of keyframes: one can follow the other."""
    if picture.encoder == "hardware":  # it knows neither presets nor levels; a profile only by its number, 77 is main
        return {"vcodec": "h264_v4l2m2m", "profile:v": 77, "g": group_frames, "b:v": f"{kbps}k", "pix_fmt": "yuv420p"}
    return {
        "vcodec": "libx264",
        "preset": picture.preset,
        "tune": "zerolatency",
        "profile:v": "main",
        "level": h264_level(picture),
        "g": group_frames,
        "keyint_min": group_frames,
        "sc_threshold": 0,
        "b:v": f"{kbps}k",
        "maxrate": f"{kbps}k",
        "bufsize": f"{kbps}k",
        "pix_fmt": "yuv420p",
    }


def _watched(video: Any, picture: Picture, fd: int) -> tuple[Any, Any]:
    """The same video, and an output of small pictures of it: averages of pixels, since a dark camera is noisy.

    ffmpeg feeds first whichever output lies furthest back in time, and one with two pictures a second always would: the
    stream then came in lumps of half a second (`benchmarks/watching.py`). So their times run ahead by one, and they are
    chosen by `select`, since `fps` waits to be asked.
    """
    both = video.filter_multi_output("split")
    every = max(1, picture.frames_per_s // _WATCH_FRAMES_PER_S)
    small = both[1].filter("select", f"not(mod(n,{every}))").filter("setpts", "PTS+1/TB")
    small = small.filter("scale", WATCH_WIDTH_PX, WATCH_HEIGHT_PX, flags="area").filter("format", "gray")
    return both[0], ffmpeg.output(small, f"pipe:{fd}", format="rawvideo", fps_mode="vfr", flush_packets=1)


def _one_sound(picture: Picture) -> dict[str, Any]:
    return {"acodec": "aac", "ar": _RATE_HZ, "ac": 2, "b:a": f"{picture.audio_kbps}k"}


def _to_one_look(video: Any, picture: Picture, **scaling: str) -> Any:
    """Size and colour alike for every source."""
    width, height = picture.width_px, picture.height_px
    return (
        video.filter("scale", width, height, force_original_aspect_ratio="decrease", **scaling)
        .filter("pad", width, height, -1, -1)
        .filter("format", "yuv420p")
        .filter("setsar", 1)
        .filter("setparams", range="tv", colorspace="bt709", color_primaries="bt709", color_trc="bt709")
    )


def _with_strip(video: Any, path: Path, picture: Picture, *, begins_s: float) -> Any:
    """Lay a picture over the lower part of another; it is read ten times a second and seen within 0.4 s.

    Without the options that keep ffmpeg from reading ahead it was seen after 1.3 s. A file that is gone leaves the
    video as it is, for as long as this ffmpeg runs (the filter `movie` would end it). `begins_s` is the video's own
    time now: from there on it is read, and not from zero up to there.
    """
    top, height = strip(picture)
    one = {"format": "image2", "pattern_type": "none", "loop": 1, "framerate": 10}
    one |= {"vcodec": "rawvideo", "pixel_format": STRIP_FORMAT, "video_size": (picture.width_px, height)}
    hasty: dict[str, Any] = {
        "thread_queue_size": 1,
        "threads": 1,
        "fpsprobesize": 0,
        "analyzeduration": 1,
        "probesize": 32,
    }
    if begins_s:
        hasty["itsoffset"] = f"{begins_s:.3f}"
    still = ffmpeg.input(str(path), **one, **hasty).video
    return ffmpeg.filter([video, still], "overlay", 0, top, eof_action="pass", format="yuv420")


def _to_one_sound(audio: Any, *, first_sample: int) -> Any:
    """A microphone's clock is never the camera's: stretched by single samples to stay beside the picture."""
    return audio.filter("aresample", _RATE_HZ, **{"async": 1000, "first_pts": first_sample})


def _with_levels(audio: Any, levels_fd: int) -> Any:
    """The sound unchanged, and its levels written down twenty times a second, unbuffered."""
    return (
        audio.filter("asetnsamples", n=_LEVEL_SAMPLES, p=0)
        .filter("astats", metadata=1, reset=1, measure_perchannel="Peak_level+RMS_level", measure_overall="none")
        .filter("ametadata", "print", file=f"pipe:{levels_fd}", direct=1)
    )
