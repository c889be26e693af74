"""Whether a hardware encoder can be trusted with everything that goes on air, found by trying."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import av

from hardware.errors import PlatypusError
from stream import graph
from stream.process import Child
from stream.settings import Picture, with_encoder

_TRIAL_LIMIT_S = 10.0
_SPS, _PPS = 7, 8  # nal_unit_type of H.264, table 7-1


def trial(picture: Picture, folder: Path) -> str:
    """Encode some moments as camera and slates will be. Returns what is wrong with that, in words; "" for nothing."""
    picture = with_encoder(picture, is_hardware=True)
    folder.mkdir(parents=True, exist_ok=True)
    camera, slate = (folder.absolute() / f"trial-{name}.ts" for name in ("camera", "slate"))
    try:
        with Child("encoder-trial", graph.trial(picture, camera=camera, slate=slate), folder=folder) as child:
            code = child.wait(_TRIAL_LIMIT_S)
            if code is None:
                child.kill()
                return f"it did not encode {graph.TRIAL_GROUPS} groups of pictures within {_TRIAL_LIMIT_S:.0f} s"
        if code != 0:
            said = [line for line in child.last_lines if "[error]" in line or "[fatal]" in line]
            return said[0] if said else f"its ffmpeg ended with exit code {code}"
        found = [keyframe_headers(path.read_bytes()) for path in (camera, slate)]
    except (PlatypusError, OSError, av.FFmpegError) as error:
        return str(error)
    finally:
        for path in (camera, slate):
            path.unlink(missing_ok=True)
    return _judged(found, (graph.TRIAL_GROUPS + 1, graph.TRIAL_GROUPS * picture.keyframe_s + 1))


def keyframe_headers(film: bytes) -> list[frozenset[bytes]]:
    """The SPS and PPS that come with each keyframe of a transport stream (H.264)."""
    found = []
    with av.open(io.BytesIO(film), mode="r", format="mpegts") as opened:
        for packet in opened.demux(video=0):
            if packet.is_keyframe:
                nals = bytes(packet).split(b"\0\0\1")
                found.append(frozenset(nal.rstrip(b"\0") for nal in nals if nal and nal[0] & 0x1F in (_SPS, _PPS)))
    return found


def _judged(found: Sequence[Sequence[frozenset[bytes]]], keyframes: Sequence[int]) -> str:
    if [len(each) for each in found] != list(keyframes):
        return f"it made {[len(each) for each in found]} keyframes, not {list(keyframes)}"
    headers = {each for film in found for each in film}
    if len(headers) != 1:
        return "its codec headers are not the same in every keyframe"
    return "" if len(headers.pop()) == 2 else "its keyframes come without codec headers"
