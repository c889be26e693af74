"""What ffmpeg makes of a slate: a loop without a seam, and one film with the camera."""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path

import av
import pytest
from PIL import Image
from stream_stage import SMALL, codec_headers, unit_times

from stream import graph
from stream.lower_third import as_video
from stream.mpegts import TICKS_PER_S
from stream.settings import Picture, TestPicture


def pictures(folder: Path, *colours: str) -> list[Path]:
    made = [folder / name for name in ("plain.png", "50%.png", "%d.png")[: len(colours)]]
    for path, colour in zip(made, colours, strict=True):
        Image.new("RGB", (320, 180), colour).save(path)
    return made


def render(folder: Path, picture: Picture, *colours: str) -> bytes:
    out = folder / "slate.ts"
    subprocess.run(graph.slate(pictures(folder, *colours), picture, out=out), check=True, capture_output=True)
    return out.read_bytes()


def camera_headers(picture: Picture, lower_third: Path | None = None) -> set[bytes]:
    """Those of the camera's own encoder, which is ended as soon as it has said them."""
    reading, writing = os.pipe()
    argv = graph.encoder(TestPicture(), picture, out_fd=writing, lower_third=lower_third)
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, pass_fds=(writing,), stdout=quiet, stderr=quiet) as encoder:
        os.close(writing)
        data = b""
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            while len(codec_headers(data)) < 2 and (portion := pipe.read(65536)):
                data += portion
            encoder.kill()
    return codec_headers(data)


@pytest.mark.parametrize(("width_px", "height_px"), [(1280, 720), (1920, 1080)])
def test_slate_and_camera_have_the_same_codec_headers_byte_for_byte(
    tmp_path: Path, width_px: int, height_px: int
) -> None:
    picture = Picture(width_px=width_px, height_px=height_px)
    headers = codec_headers(render(tmp_path, picture, "navy"))
    assert len(headers) == 2, "one SPS and one PPS, and never another"
    assert headers == camera_headers(picture)
    strip = tmp_path / "strip"
    strip.write_bytes(as_video(Image.new("RGBA", (width_px, graph.strip(picture)[1]))))
    assert headers == camera_headers(picture, strip)


@pytest.mark.parametrize("frames_per_s", [5, 7, 15, 25, 30, 60])
def test_the_loop_is_whole_frames_of_picture_and_sound_at_any_rate(tmp_path: Path, frames_per_s: int) -> None:
    data = render(tmp_path, Picture(width_px=320, height_px=180, frames_per_s=frames_per_s), "navy")
    video, sound = unit_times(data)
    assert len(video) == 8 * frames_per_s
    assert len(sound) == 375
    assert {later - earlier for earlier, later in itertools.pairwise(sound)} == {1920}
    step = round(TICKS_PER_S / frames_per_s)
    assert abs(video[-1] + step - video[0] - 8 * TICKS_PER_S) <= 1
    assert sound[-1] + 1920 - sound[0] == 8 * TICKS_PER_S


def test_each_picture_has_an_equal_share_and_its_own_colour(tmp_path: Path) -> None:
    colours = {"red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255)}
    render(tmp_path, SMALL, *colours)
    seen = []
    with av.open(str(tmp_path / "slate.ts")) as film:
        for frame in film.decode(video=0):
            pixel = frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()[90, 160]
            near = [name for name, rgb in colours.items() if abs(pixel.astype(int) - rgb).max() < 25]
            seen += near or [str(pixel)]
    assert seen == ["red"] * 40 + ["green"] * 40 + ["blue"] * 40
