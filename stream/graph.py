"""Every ffmpeg command line, built with ffmpeg-python's `compile` and nothing else. Pure functions of settings.

ffmpeg-python 0.2.0 orders options by name and puts global ones last, which ffmpeg accepts; what looks odd in the
commands comes from there. Options and their reasons were measured on ffmpeg 5.1.

Where the stream key is: not in a command line. The pusher reads it as an option file from a file descriptor it
inherits (`key_fd`, see `key_file`), so `ps` and /proc/PID/cmdline show the address only, and ffmpeg's own log does not
print it. What remains: root, and other programs of the same user, can read the pusher's memory; and without TLS
(`rtmp://`) anybody on the way to the server can read it. A camera's address, with a password in it, does stand in the
encoder's command line; mount /proc with hidepid=2, or give the camera a user that may only look.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import ffmpeg
import msgspec

from stream.errors import BadStreamKey
from stream.preview_files import PICTURE, PLAYLIST, SEGMENTS
from stream.settings import (
    CameraModule,
    Destination,
    NetworkCamera,
    Picture,
    Source,
    Stamped,
    TestPicture,
    VideoDevice,
    VideoFile,
)

STATS_PERIOD_S = 0.5
PUBLIC_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
WATCH_WIDTH_PX, WATCH_HEIGHT_PX = 160, 90  # of the small grey pictures that tell a frozen or black one
_WATCH_FRAMES_PER_S = 2
SLATE_S = 8
AAC_SAMPLES = 1024  # of one AAC frame
TRIAL_GROUPS = 2
FILM_SPEED = 20  # times real time: an hour in 3 minutes, at 6 MB/s read and 6 MB/s written
_TAIL_S = 5  # more than the longest way from one keyframe to the next
_RATE_HZ = 48_000
SLATE_SOUNDS = SLATE_S * _RATE_HZ // AAC_SAMPLES  # AAC frames of one loop
_LEVEL_SAMPLES = 2_400
_SLATE_KBPS = 1_000  # a still: nearly all of it goes into the keyframe of each second
_IO_LIMIT_US = 5_000_000  # a backstop: the supervisor kills a stuck pusher after 3 s
_SEND_BUFFER_BYTES = 131_072  # the kernel's default swallows 8 s of video before anybody notices a dead network
_PREVIEW_WIDTH_PX = 640  # some 20 kB each
_TIMELINE: dict[str, Any] = {  # how the hub's transport stream is read
    "format": "mpegts",
    # No "-fflags nobuffer": it throws away what was read for probing, which is the whole first GOP.
    "copyts": None,  # the hub's timeline: a viewer who stays would else wait until the new times pass the old
    "analyzeduration": 500_000,
    "probesize": 300_000,
    "fpsprobesize": 0,
}
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
    `lower_third` is a PNG of the size of `strip`, which may be replaced at any time.
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
    return _compile(both, *(["-copyts"] if is_stamped else []))


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
    return _compile(ffmpeg.output(sound, f"pipe:{out_fd}", **_TRANSPORT, **_one_sound(picture)), "-copyts")


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
    return _compile(ffmpeg.output(video, silence, str(out), **_TRANSPORT, **options, **_one_sound(picture)), "-y")


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
    return _compile(ffmpeg.merge_outputs(*outputs), "-y")


def transcoder(picture: Picture, *, out_fd: int) -> list[str]:
    """The hub's transport stream on stdin, its video at `low_kbps`, to `out_fd`; times and sound as they are.

    Times to half a picture: the encoder counts in pictures, and the codec headers depend on that. With a keyframe each
    second, so that a destination need not wait long for it.
    """
    stream = ffmpeg.input("pipe:0", **_TIMELINE)
    options = _one_picture(picture, picture.low_kbps, picture.frames_per_s) | {"acodec": "copy", "vsync": "passthrough"}
    return _compile(ffmpeg.output(stream.video, stream.audio, f"pipe:{out_fd}", **_TRANSPORT, **options))


def pusher(destination: Destination, *, key_fd: int) -> list[str]:
    """The hub's transport stream on stdin, copied to an RTMP or RTMPS ingest; progress on stdout.

    `key_fd` is an inherited descriptor from which `key_file(key)` can be read.
    """
    split = urlsplit(destination.url)
    app = split.path.strip("/") + (f"?{split.query}" if split.query else "")
    options: dict[str, Any] = {
        "format": "flv",
        "flvflags": "no_duration_filesize",
        "rw_timeout": _IO_LIMIT_US,
        "send_buffer_size": _SEND_BUFFER_BYTES,
        "rtmp_app": app,  # said in full: by itself ffmpeg would take half of a two-part name for the key
        "fpre": f"/dev/fd/{key_fd}",
    }
    if split.scheme == "rtmps":  # ffmpeg believes every certificate unless told otherwise
        options |= {"tls_verify": 1, "ca_file": destination.ca_file or PUBLIC_AUTHORITIES}
    stream = ffmpeg.input("pipe:0", **_TIMELINE)
    url = urlunsplit(split._replace(path="/" + split.path.strip("/")))
    return _compile(ffmpeg.output(stream.video, stream.audio, url, codec="copy", **options))


def preview(picture: Picture, *, first_segment: int) -> list[str]:
    """The hub's transport stream on stdin to the files of preview_files.py in the working directory: keyframes as a
    small JPEG, all of it as HLS.

    `first_segment` numbers the first segment.
    """
    options = {"skip_frame": "nokey", "threads": 1}  # of the decoder: the segments are copied
    stream = ffmpeg.input("pipe:0", **options, **_TIMELINE)
    width_px = min(_PREVIEW_WIDTH_PX, picture.width_px)
    small = stream.video.filter("scale", width_px, -2, out_color_matrix="bt601", out_range="pc")  # JPEG's own
    look = {"q:v": 5, "pix_fmt": "yuv420p", "color_range": "pc", "strict": "unofficial"}  # else a warning each time
    still = ffmpeg.output(small, PICTURE, format="image2", update=1, atomic_writing=1, fps_mode="passthrough", **look)
    segments = ffmpeg.output(
        stream.video,
        stream.audio,
        PLAYLIST,
        format="hls",
        codec="copy",
        hls_time=picture.keyframe_s,
        hls_list_size=5,
        # A new run begins a new playlist of the same evening: never an end.
        hls_flags="delete_segments+independent_segments+temp_file+omit_endlist",
        hls_segment_filename=SEGMENTS,
        start_number=first_segment,
    )
    return _compile(ffmpeg.merge_outputs(still, segments))


def viewer(url: str, *, seconds: float | None = None) -> list[str]:
    """Play `url` without decoding or keeping anything; the frames are counted by the progress on stdout."""
    stream = ffmpeg.input(url, rw_timeout=_IO_LIMIT_US)
    limit = {} if seconds is None else {"t": seconds}
    return _compile(ffmpeg.output(stream.video, "-", format="null", codec="copy", **limit))


def film(recording: Path, words: Path, *, out: Path) -> list[str]:
    """A recording's transport stream copied into an MP4 that can be played while it loads.

    `words` is an FFMETADATA file with title and chapters. No faster than FILM_SPEED times real time: the disk is the
    recording's first.
    """
    stream = ffmpeg.input(str(recording), format="mpegts", readrate=FILM_SPEED)
    said = ffmpeg.input(str(words), format="ffmetadata")
    options = {"format": "mp4", "codec": "copy", "movflags": "+faststart", "bsf:a": "aac_adtstoasc"}
    return _compile(
        # Words have no streams. Asking for attachments if there are any makes them an input all the same.
        ffmpeg.output(stream.video, stream["a?"], said["t?"], str(out), **options, map_metadata=1, map_chapters=1),
        "-y",
    )


def keyframes(film: Path, *, of_end: bool, length_s: float) -> list[str]:
    """Decode the keyframes and the sound of a film's first second, or of its last ones; fails at any error."""
    end = {"sseof": -_TAIL_S} if length_s > _TAIL_S else {}
    part = end if of_end else {"t": 1}
    stream = ffmpeg.input(str(film), skip_frame="nokey", err_detect="explode", **part)
    return _compile(ffmpeg.output(stream.video, stream["a?"], "-", format="null"), "-xerror")


def count(film: Path, *, out: Path) -> list[str]:
    """Write codec_type, nb_read_packets and duration (s) of each stream of a film into `out`, as JSON.

    ffprobe's, for which ffmpeg-python has no graph.
    """
    entries = "stream=codec_type,nb_read_packets,duration"
    return [
        "ffprobe",
        "-v",
        "error",
        "-count_packets",
        "-show_entries",
        entries,
        "-of",
        "json",
        "-o",
        str(out),
        str(film),
    ]


def key_file(key: str) -> bytes:
    """What the pusher reads from `key_fd`: the key as an ffmpeg option file. Fits into an empty pipe.

    Raises BadStreamKey for one that cannot be a key; its text does not show it.
    """
    if not key.strip():
        raise BadStreamKey("There is no stream key: copy it from the platform's page.")
    if not key.isprintable() or key != key.strip():
        raise BadStreamKey("The stream key has blanks or a line break around or in it: copy only the key itself.")
    if len(key.encode()) > 900:  # ffmpeg reads lines of 1000 bytes
        raise BadStreamKey(f"The stream key has {len(key)} characters, more than a key has: copy only the key itself.")
    return f"rtmp_playpath={key}\n".encode()


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
            camera = ffmpeg.input(source.url, rtsp_transport="tcp", timeout=_IO_LIMIT_US)
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
    one = {"format": "image2", "pattern_type": "none", "loop": 1, "framerate": 10}
    hasty: dict[str, Any] = {
        "thread_queue_size": 1,
        "threads": 1,
        "fpsprobesize": 0,
        "analyzeduration": 1,
        "probesize": 32,
    }
    if begins_s:
        hasty["itsoffset"] = f"{begins_s:.3f}"
    still = ffmpeg.input(str(path), **one, **hasty).video.filter("scale", out_color_matrix="bt709")
    over = still.filter("format", "yuva420p")
    return ffmpeg.filter([video, over], "overlay", 0, strip(picture)[0], eof_action="pass", format="yuv420")


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


def _compile(output: Any, *more: str) -> list[str]:
    quiet = output.global_args(
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-loglevel",
        "level+info",
        "-stats_period",
        str(STATS_PERIOD_S),
        "-progress",
        "pipe:1",
        *more,
    )
    argv: list[str] = ffmpeg.compile(quiet)
    return argv
