"""The pre-flight finds before the doors what would be found at the start."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from stream_stage import SMALL, Line, RtmpServer, free_port, until

from hardware.checks import Check
from hardware.clock import SystemClock
from stream.director import Director
from stream.disk import Disk, MemoryDisk
from stream.errors import IsLive
from stream.health import Health
from stream.preflight import Preflight
from stream.sampling import look_at
from stream.settings import Destination, Source, StreamSettings, TestPicture, VideoFile

DARK = "color=black:size=1280x720:rate=30"
STAGE = "mandelbrot=size=1280x720:rate=30"


def film(picture: str, filters: str = "null") -> bytes:
    coding = ["-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-g", "30", "-b:v", "2500k"]
    argv = ["/usr/bin/ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-t", "2", "-vf", filters, *coding]
    argv += ["-pix_fmt", "yuv420p", "-f", "mpegts", "-"]
    return subprocess.run(argv, check=True, capture_output=True).stdout


def test_a_sharp_stage_is_seen() -> None:
    seen = look_at(film(STAGE))
    assert seen.pictures == 2 and not seen.is_black
    assert seen.edge_px is not None and seen.edge_px < 4


@pytest.mark.slow
def test_the_wider_the_blur_the_wider_the_edges() -> None:
    widths = [look_at(film(STAGE, f"gblur=sigma={sigma}")).edge_px or 0.0 for sigma in (1, 3, 5)]
    assert 0 < widths[0] < 7 < widths[1] < widths[2]


def test_a_black_picture_is_told_from_a_dim_one() -> None:
    black, dim = look_at(film(DARK)), look_at(film(STAGE, "eq=brightness=-0.3"))
    assert black.is_black and black.edge_px is None
    assert not dim.is_black


@pytest.fixture
def slow_line(rtmp_server: RtmpServer) -> Iterator[Line]:
    line = Line(rtmp_server.port, 30_000)  # 240 kb/s; the small picture needs 364
    yield line
    line.close()


def tried(
    tmp_path: Path, source: Source, destinations: Mapping[str, str], disk: Disk | None = None
) -> dict[str, Check]:
    """What a pre-flight finds, by name; destinations are addresses whose last part is the key."""
    ends = {name: url.rpartition("/") for name, url in destinations.items()}
    settings = StreamSettings(
        source=source,
        picture=SMALL,
        destinations=tuple(Destination(name=name, url=url) for name, (url, _, _) in ends.items()),
    )
    keys = {name: key for name, (_, _, key) in ends.items()}
    preflight = Preflight(settings, keys, (tmp_path / "recordings",), tmp_path, SystemClock(), disk=disk)
    preflight.start()
    try:
        took_s = until(lambda: preflight.readiness and preflight.readiness.is_complete, 60, "everything was tried")
    finally:
        preflight.close()
    print(f"pre-flight: {took_s:.1f} s")  # shown by pytest -s
    assert preflight.readiness is not None
    return {check.name: check for check in preflight.readiness.checks}


def test_a_venue_where_all_is_well_gets_its_ticks(tmp_path: Path, rtmp_server: RtmpServer) -> None:
    found = tried(tmp_path, TestPicture(), {"hall": f"{rtmp_server.url}/asks/right-key"})
    assert {name: check.state for name, check in found.items() if name in ("camera", "focus", "sound", "to hall")} == {
        "camera": "ok",
        "focus": "ok",
        "sound": "ok",
        "to hall": "ok",
    }
    assert "the key is accepted" in found["to hall"].says and "of 0.4" in found["to hall"].says
    assert {"disk", "clock"} <= set(found)


def test_what_keeps_it_from_looking_is_a_finding_and_the_rest_is_told(tmp_path: Path, rtmp_server: RtmpServer) -> None:
    (tmp_path / "sample.ts").mkdir()  # as on a disk without room: it cannot be written
    found = tried(tmp_path, TestPicture(), {"hall": f"{rtmp_server.url}/asks/right-key"})
    assert found["camera"].state == "bad" and "could not be tried: " in found["camera"].says
    assert found["to hall"].state == "ok"


@pytest.mark.slow
def test_each_destination_is_told_for_itself(tmp_path: Path, rtmp_server: RtmpServer, slow_line: Line) -> None:
    found = tried(
        tmp_path,
        VideoFile(path=str(tmp_path / "not-there.mp4")),
        {
            "wrong": f"{rtmp_server.url}/asks/wrong-key",
            "nobody": f"rtmp://127.0.0.1:{free_port()}/live/key",
            "slow": f"rtmp://127.0.0.1:{slow_line.port}/live/key",
        },
    )
    assert found["camera"].state == "bad"
    assert found["to wrong"].state == "bad" and "check the stream key" in found["to wrong"].says
    assert found["to nobody"].state == "bad" and "no server answers" in found["to nobody"].says
    assert found["to slow"].state == "bad" and "about 0.2 Mb/s of 0.4" in found["to slow"].says
    assert "set video_kbps = " in found["to slow"].do


@pytest.mark.slow
def test_a_full_disk_is_said_before_the_talks(tmp_path: Path) -> None:
    found = tried(tmp_path, TestPicture(), {}, MemoryDisk(room_bytes=70_000_000))
    assert found["disk"].state == "bad" and "0.0 hours" in found["disk"].says
    assert found["destination"].state == "attention"


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_said_before_the_talks(tmp_path: Path) -> None:
    disk = MemoryDisk()
    disk.broken[tmp_path / "recordings"] = FileNotFoundError(2, "No such file or directory")
    found = tried(tmp_path, TestPicture(), {}, disk)
    assert found["disk"].state == "bad" and "No such file" in found["disk"].says
    assert disk.files == {}


@pytest.mark.slow
def test_an_order_ends_the_pre_flight_and_has_the_camera(tmp_path: Path, rtmp_server: RtmpServer) -> None:
    address = Destination(name="hall", url=f"{rtmp_server.url}/live")
    settings = StreamSettings(picture=SMALL, destinations=(address,))
    with Director(settings, {"hall": "key"}, tmp_path / "state", tmp_path / "run", SystemClock()) as director:
        director.preflight()
        until(lambda: director.state().readiness, what="begun")
        director.start()
        assert director.state().readiness is None
        with pytest.raises(IsLive):
            director.preflight()
        until(lambda: director.state().legs[1].state is Health.LIVE, 20, "live all the same")
        director.stop()
        director.preflight()
        until(lambda: (found := director.state().readiness) and found.is_complete, 60, "tried after the stop")
