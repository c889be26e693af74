"""The ffmpeg command lines that copy: to a destination, the preview, a viewer, a film. Pure functions of settings.

Where the stream key is: not in a command line. The pusher reads it as an option file from a file descriptor it
inherits (`key_fd`, see `key_file`), and so what may be a key in the address (`?auth=...`): `ps` and /proc/PID/cmdline
show host and path only, and ffmpeg's own log does not print it. What remains: root, and other programs of the same
user, can read the pusher's memory; and without TLS (`rtmp://`) anybody on the way to the server can read it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import ffmpeg

from stream.command import IO_LIMIT_US, TIMELINE, compiled
from stream.errors import BadStreamKey
from stream.preview_files import PICTURE, PLAYLIST, SEGMENTS
from stream.settings import Destination, Picture

PUBLIC_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
FILM_SPEED: Final = 20  # times real time: an hour in 3 minutes, at 6 MB/s read and 6 MB/s written
_TAIL_S = 5  # more than the longest way from one keyframe to the next
_SEND_BUFFER_BYTES = 131_072  # the kernel's default swallows 8 s of video before anybody notices a dead network
_PREVIEW_WIDTH_PX = 640  # some 20 kB each


def pusher(destination: Destination, *, key_fd: int) -> list[str]:
    """The hub's transport stream on stdin, copied to an RTMP or RTMPS ingest; progress on stdout.

    `key_fd` is an inherited descriptor from which `key_file` can be read.
    """
    split = urlsplit(destination.url)
    options: dict[str, Any] = {
        "format": "flv",
        "flvflags": "no_duration_filesize",
        "rw_timeout": IO_LIMIT_US,
        "send_buffer_size": _SEND_BUFFER_BYTES,
        "fpre": f"/dev/fd/{key_fd}",
    }
    if split.scheme == "rtmps":  # ffmpeg believes every certificate unless told otherwise
        options |= {"tls_verify": 1, "ca_file": destination.ca_file or PUBLIC_AUTHORITIES}
    stream = ffmpeg.input("pipe:0", **TIMELINE)
    url = urlunsplit(split._replace(path="/" + split.path.strip("/"), query=""))
    return compiled(ffmpeg.output(stream.video, stream.audio, url, codec="copy", **options))


def preview(picture: Picture, *, first_segment: int) -> list[str]:
    """The hub's transport stream on stdin to the files of preview_files.py in the working directory: keyframes as a
    small JPEG, all of it as HLS.

    `first_segment` numbers the first segment.
    """
    options = {"skip_frame": "nokey", "threads": 1}  # of the decoder: the segments are copied
    stream = ffmpeg.input("pipe:0", **options, **TIMELINE)
    width_px = min(_PREVIEW_WIDTH_PX, picture.width_px)
    # JPEG's own colours, of the small picture: with the large one it takes a fifth of all that the preview takes.
    small = stream.video.filter("scale", width_px, -2).filter("scale", out_color_matrix="bt601", out_range="pc")
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
    return compiled(ffmpeg.merge_outputs(still, segments))


def viewer(url: str, *, seconds: float | None = None) -> list[str]:
    """Play `url` without decoding or keeping anything; the frames are counted by the progress on stdout."""
    stream = ffmpeg.input(url, rw_timeout=IO_LIMIT_US)
    limit = {} if seconds is None else {"t": seconds}
    return compiled(ffmpeg.output(stream.video, "-", format="null", codec="copy", **limit))


def film(recording: Path, words: Path, *, out: Path) -> list[str]:
    """A recording's transport stream copied into an MP4 that can be played while it loads.

    `words` is an FFMETADATA file with title and chapters. No faster than FILM_SPEED times real time: the disk is the
    recording's first.
    """
    stream = ffmpeg.input(str(recording), format="mpegts", readrate=FILM_SPEED)
    said = ffmpeg.input(str(words), format="ffmetadata")
    options = {"format": "mp4", "codec": "copy", "movflags": "+faststart", "bsf:a": "aac_adtstoasc"}
    return compiled(
        # Words have no streams. Asking for attachments if there are any makes them an input all the same.
        ffmpeg.output(stream.video, stream["a?"], said["t?"], str(out), **options, map_metadata=1, map_chapters=1),
        "-y",
    )


def keyframes(film: Path, *, of_end: bool, length_s: float) -> list[str]:
    """Decode the keyframes and the sound of a film's first second, or of its last ones; fails at any error."""
    end = {"sseof": -_TAIL_S} if length_s > _TAIL_S else {}
    part = end if of_end else {"t": 1}
    stream = ffmpeg.input(str(film), skip_frame="nokey", err_detect="explode", **part)
    return compiled(ffmpeg.output(stream.video, stream["a?"], "-", format="null"), "-xerror")


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


def key_file(url: str, key: str) -> bytes:
    """What the pusher reads from `key_fd`: an ffmpeg option file with application and key. Fits into an empty pipe.

    Raises BadStreamKey for what cannot be a key; its text does not show it.
    """
    check_key(key)
    split = urlsplit(url)
    # In full: by itself ffmpeg would take half of a two-part name for the key.
    app = split.path.strip("/") + (f"?{split.query}" if split.query else "")
    return f"rtmp_app={app}\nrtmp_playpath={key}\n".encode()


def check_key(key: str) -> None:
    """Raises BadStreamKey for what cannot be a key; its text does not show it."""
    if not key.strip():
        raise BadStreamKey("There is no stream key: copy it from the platform's page.")
    if not key.isprintable() or key != key.strip():
        raise BadStreamKey("The stream key has blanks around it, or a line break in it: copy only the key itself.")
    if len(key.encode()) > 900:  # ffmpeg reads lines of 1000 bytes
        raise BadStreamKey(f"The stream key has {len(key)} characters, more than a key has: copy only the key itself.")
